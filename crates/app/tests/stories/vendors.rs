//! Vendors of text messages that are data: each is asked as its own documentation says, its receipts and what people write are
//! heard, and it also answers wrongly, late, twice and never.

use std::io::Write as _;
use std::time::Duration;

use allclear_trial::fake::{Answer, Fake, Instead};
use allclear_trial::sms_vendors::{REPLY_KEY, Texted, VENDORS, Vendor};
use allclear_trial::world::items;
use allclear_trial::{Database, SmsVendors, World, org};
use serde_json::{Value, json};

use crate::{on_both, setup};

on_both!(
    each_vendor_is_asked_gives_receipts_and_its_people_answer,
    what_a_vendor_refuses_goes_the_next_way_and_what_passes_is_tried_again,
    what_is_forged_does_nothing,
);

/// The number of the person whom a vendor reaches.
fn number(at: usize) -> String {
    format!("+49170000000{at}")
}

/// A person for each vendor, who is called as it is, and is told by it first and by mail a quarter of an hour later; all are asked
/// by the same step.
fn one_each() -> String {
    let person = |(at, vendor): (usize, &Vendor)| {
        format!(
            "  - {{id: p-{name}, name: P {name}, contacts: [{{id: own, {name}: \"{number}\"}}, {{id: mail, email: \"{name}@example.org\"}}], \
             notify: {{high: [{{contact: own}}, {{contact: mail, after: 15m}}]}}}}\n",
            name = vendor.name,
            number = number(at)
        )
    };
    let people: String = VENDORS.iter().enumerate().map(person).collect();
    let asked = VENDORS.iter().map(|vendor| format!("\"person:p-{}\"", vendor.name)).collect::<Vec<_>>().join(", ");
    org::usual().replacen("people:\n", &format!("people:\n{people}"), 1).replacen(
        r#"{page: ["person:ana"], within: 5m}"#,
        &format!("{{page: [{asked}], within: 30m}}"),
        1,
    )
}

/// A file in a folder that goes when this does.
fn file_of(text: &str, more: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("vendors.toml", text)].iter().chain(more) {
        std::fs::File::create(dir.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    let path = dir.path().join("vendors.toml").display().to_string();
    (dir, path)
}

async fn world_with(database: Database) -> (World, SmsVendors, tempfile::TempDir) {
    let vendors = SmsVendors::start().await;
    let (dir, path) = file_of(&vendors.accounts(), &[]);
    let world = World::start(setup(database).args(&["--vendors", &path]).org(one_each())).await;
    (world, vendors, dir)
}

fn newest(vendors: &SmsVendors, name: &str) -> Texted {
    vendors.texted(name).pop().unwrap()
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

/// The states of the messages to a person.
async fn states(world: &World, incident: &Value, person: &str) -> Vec<String> {
    let pages = world.api(&format!("/incidents/{}/pages", incident["ref"].as_str().unwrap())).await;
    let messages = items(&pages).into_iter().flat_map(|page| page["messages"].as_array().unwrap().clone());
    messages.filter(|message| message["person"] == person).map(|message| message["state"].as_str().unwrap().to_owned()).collect()
}

fn mails(world: &World, vendor: &Vendor) -> usize {
    world.mail.delivered_to(&format!("{}@example.org", vendor.name)).len()
}

async fn each_vendor_is_asked_gives_receipts_and_its_people_answer(database: Database) {
    let (mut world, vendors, _dir) = world_with(database).await;
    for (at, vendor) in VENDORS.iter().enumerate() {
        let name = vendor.name;
        let person = format!("p-{name}");
        world.fire(&format!("disk {at} 🙂 {{to}} {{secret.token}} & <b>")).await;
        let incident = opened(&world).await;
        for (other_at, other) in VENDORS.iter().enumerate() {
            let text = newest(&vendors, other.name);
            assert_eq!(text.to, number(other_at), "{}", other.name);
            assert!(text.text.contains(&format!("disk {at} 🙂 {{to}} {{secret.token}} & <b>")), "{}: {}", other.name, text.text);
        }
        let text = newest(&vendors, name);
        assert!(text.text.contains(&world.at("/a/")) && text.text.contains(&format!("Answer {} to take it", text.code())), "{text:?}");
        assert_eq!(states(&world, &incident, &person).await, ["accepted"], "{name}: taken is not arrived");
        // On its way, arrived twice, and then not: what is settled is not unsaid.
        let [under_way, yes, no] = vendor.states;
        for (state, becomes) in
            [(under_way, "accepted"), (yes, "delivered"), (yes, "delivered"), (no, "delivered"), (under_way, "delivered")]
        {
            let told = vendors.status(vendor, &text, state).await;
            assert_eq!((told.status, told.text.as_str()), (200, ""), "{name}: {state}");
            world.quiet().await;
            assert_eq!(states(&world, &incident, &person).await, [becomes], "{name}: {state}");
        }
        let said = world.bodies(&incident, "delivered").await;
        assert_eq!(said.iter().filter(|body| body["person"] == person).count(), 1, "{name}: said twice, and told once");
        // Their answer.
        let address = world.at(&format!("/reply/{name}?k={REPLY_KEY}"));
        let told = vendors.write(vendor, &address, &number(at), text.code()).await;
        world.quiet().await;
        assert_eq!(told.status, 200, "{name}: {}", told.text);
        let incident = opened(&world).await;
        assert_eq!(incident["acknowledged_by"], person.as_str(), "{name}");
        let bodies = world.bodies(&incident, "acknowledged").await;
        assert_eq!((bodies.len(), &bodies[0]["via"]), (1, &json!(name)), "{name}: {bodies:?}");
        let said = if vendor.says_in_answer { told.text.clone() } else { newest(&vendors, name).text };
        assert!(said.starts_with(&format!("You have {}, since ", incident["ref"].as_str().unwrap())), "{name}: {said}");
        if !vendor.says_in_answer {
            assert_eq!(
                (newest(&vendors, name).receipt, told.text.as_str()),
                (None, ""),
                "{name}: of what is said back no receipt is wanted"
            );
        }
        // Without a code, where one waits; and what is no answer.
        let told = vendors.write(vendor, &address, &number(at), "who is this?").await;
        assert_eq!(told.status, 200, "{name}: it does not come again");
    }
    // The phone is off, and another is never heard of.
    world.fire("off").await;
    let vendor = &VENDORS[2];
    vendors.status(vendor, &newest(&vendors, vendor.name), vendor.states[2]).await;
    world.quiet().await;
    assert_eq!(mails(&world, vendor), 1, "at once");
    world.advance(61).await;
    for other in &VENDORS {
        assert_eq!(mails(&world, other), 1, "{}: after a minute without a receipt", other.name);
    }
    let metrics = world.get("/metrics").await.ok().text;
    for vendor in &VENDORS {
        assert!(metrics.contains(&format!("allclear_outbox_waiting{{channel=\"{}\"}}", vendor.name)), "{metrics}");
    }
    assert!(!world.log().contains("hush") && !world.log().contains("+4917"), "neither is in the log");
}

async fn what_a_vendor_refuses_goes_the_next_way_and_what_passes_is_tried_again(database: Database) {
    let (mut world, vendors, _dir) = world_with(database).await;
    for (at, vendor) in VENDORS.iter().enumerate() {
        let body = vendor.no.1.replace("NUMBER", &number(at));
        vendors
            .fake
            .instead(&format!("/{}/", vendor.name), Instead::Says(vendor.no.0, vec![("content-type", "application/json".into())], body));
    }
    world.fire("refused").await;
    let failed = world.bodies(&opened(&world).await, "send_failed").await;
    for vendor in &VENDORS {
        assert_eq!(mails(&world, vendor), 1, "{}: at once", vendor.name);
        let own = failed.iter().find(|body| body["person"] == format!("p-{}", vendor.name)).unwrap();
        let why = own["why"].as_str().unwrap();
        assert!(
            why.starts_with(&format!("HTTP {}: ", vendor.no.0)) && why.contains("********") && why.contains('…'),
            "{}: {why}",
            vendor.name
        );
    }
    let log = json!(world.events(&opened(&world).await).await).to_string();
    assert!(!log.contains("hush") && !log.contains("4917"), "{log}");
    // Too many; a portal; a failure of theirs; nothing at all.
    let yes_later = |vendors: &SmsVendors, before: usize| VENDORS.iter().all(|vendor| vendors.texted(vendor.name).len() > before);
    for (n, (what, instead, is_in_doubt)) in [
        ("too many", Instead::Says(429, vec![("retry-after", "30".into())], "{}".into()), false),
        ("portal", Instead::Says(200, vec![], "<!doctype html><title>Sign in</title>".into()), true),
        ("words", Instead::Says(200, vec![], "{\"error\":\"no\"}".into()), true),
        ("down", Instead::Says(503, vec![], String::new()), false),
        ("broken", Instead::Says(500, vec![], String::new()), true),
    ]
    .into_iter()
    .enumerate()
    {
        vendors.fake.as_ever();
        vendors.fake.instead("/", instead);
        world.fire(what).await;
        vendors.fake.as_ever();
        world.advance(40).await;
        assert!(yes_later(&vendors, n), "{what}: in the end it is taken");
        for vendor in &VENDORS {
            let text = newest(&vendors, vendor.name).text;
            assert!(text.contains(what), "{what}: {text}");
            assert_eq!(text.starts_with("You may have received this before."), is_in_doubt, "{what}, {}: {text}", vendor.name);
        }
    }
}

async fn what_is_forged_does_nothing(database: Database) {
    let (world, vendors, _dir) = world_with(database).await;
    world.fire("the director's laptop").await;
    let incident = opened(&world).await;
    let before = world.events(&incident).await.len();
    let mut told = Vec::new();
    for (at, vendor) in VENDORS.iter().enumerate() {
        let text = newest(&vendors, vendor.name);
        let good = text.receipt.clone().unwrap();
        let (head, signature) = good.rsplit_once('=').unwrap();
        let other = newest(&vendors, VENDORS[(at + 1) % VENDORS.len()].name).receipt.unwrap();
        for forged in [
            format!("{head}={}", "0".repeat(signature.len())),
            format!("{head}={}", &signature[1..]),
            format!("{head}="),
            format!("{good}0"),
            format!("{head}={}", other.rsplit_once('=').unwrap().1),
        ] {
            told.push(vendors.status(vendor, &Texted { receipt: Some(forged), ..text.clone() }, vendor.states[2]).await);
        }
        for key in ["", "0123456789", &REPLY_KEY[1..]] {
            told.push(vendors.write(vendor, &world.at(&format!("/reply/{}?k={key}", vendor.name)), &number(at), "1").await);
        }
        // With the key, and of a number that nobody has, or that another vendor reaches.
        let address = world.at(&format!("/reply/{}?k={REPLY_KEY}", vendor.name));
        told.push(vendors.write(vendor, &address, "+491709999999", text.code()).await);
        told.push(vendors.write(vendor, &address, &number((at + 1) % VENDORS.len()), text.code()).await);
        // Neither.
        let status = vendors.write(vendor, &world.at(&format!("/reply/{}", vendor.name)), &number(at), "1").await.status;
        assert_eq!(status, 400, "{}", vendor.name);
    }
    for one in &told {
        assert_eq!((one.status, &one.text), (401, &told[0].text), "all alike");
        assert!(!one.text.contains("director") && !one.text.contains("INC-"), "{}", one.text);
    }
    world.quiet().await;
    assert_eq!(world.events(&incident).await.len(), before, "nothing was changed");
}

/// A description of one's own, beside the file of accounts, with a secret from the environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_of_ones_own_is_a_channel() {
    let fake = Fake::start(|came| match came.header("x-ring") {
        "hush-ring-0123456789" => Answer::json(200, &json!({"flight": 7})),
        _ => Answer::json(403, &json!({"error": "who are you?"})),
    })
    .await;
    let description = r#"
name = "pigeon"
vendor = "Pigeon Post"
to = "text"
server = "https://pigeon.example"
[secrets]
ring = "the ring"
[request]
method = "PUT"
path = "/fly/{to}"
[request.json]
says = "{text}"
key = "{key}"
[auth]
header = { name = "X-Ring", value = "{secret.ring}" }
[taken]
where = [{ at = "/flight" }]
id = "/flight"
"#;
    let accounts = format!("[pigeon]\ndescription = \"pigeon.toml\"\nserver = \"{}\"\nring = \"$TRIAL_RING\"\n", fake.url());
    let (dir, path) = file_of(&accounts, &[("pigeon.toml", description)]);
    let org = org::usual().replacen(r#"{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}"#, "{id: hook, pigeon: \"loft 7/ü\"}", 1);
    let setup = setup(Database::Sqlite).args(&["--vendors", &path]).env("TRIAL_RING", "hush-ring-0123456789").org(org);
    let world = World::start(setup).await;
    world.fire("disk").await;
    assert!(fake.wait(Duration::from_secs(5), "/fly/", 1).await);
    let came = fake.came().remove(0);
    assert_eq!((came.method.as_str(), came.path.as_str()), ("PUT", "/fly/loft%207%2F%C3%BC"));
    assert!(came.json()["says"].as_str().unwrap().contains("INC-1 disk"), "{}", came.body);
    let delivered = world.bodies(&opened(&world).await, "delivered").await;
    assert_eq!((delivered[0]["channel"].as_str(), delivered[0]["receipt"].as_str()), (Some("pigeon"), Some("HTTP 200, 7")));
    assert!(!world.log().contains("hush"));
    drop(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_in_ones_own_network_needs_leave() {
    let vendors = SmsVendors::start().await;
    let (dir, path) = file_of(&vendors.accounts(), &[]);
    let world = World::start(setup(Database::Sqlite).guarded().args(&["--vendors", &path]).org(one_each())).await;
    world.fire("disk").await;
    let failed = world.bodies(&opened(&world).await, "send_failed").await;
    assert_eq!(failed.len(), VENDORS.len(), "{failed:?}");
    assert!(failed.iter().all(|body| body["why"].as_str().unwrap().contains("private")), "{failed:?}");
    assert!(vendors.fake.came().is_empty());
    drop(dir);
}

/// What does not read stops the start, and says what and where, and no secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_do_not_read_stop_the_start() {
    for (accounts, more, why) in [
        ("[plivo]\nauth_id = \"MA1\"\nauth_token = \"hush\"\n", "", "[plivo] from"),
        ("[plover]\n", "", "there is no such vendor"),
        (
            "[own]\ndescription = \"own.toml\"\n",
            "name = \"own\"\nvendor = \"Own\"\nserver = \"https://x.example\"\n[request]\npath = \"/{loop}\"\n",
            "no place `{loop}`",
        ),
        ("[own]\ndescription = \"missing.toml\"\n", "", "cannot be read"),
        (
            "[email]\ndescription = \"own.toml\"\n",
            "name = \"email\"\nvendor = \"Own\"\nserver = \"https://x.example\"\n[request]\npath = \"/x\"\n[request.form]\na = \"{to}{text}\"\n",
            "contacts have a key of that name",
        ),
    ] {
        let (dir, path) = file_of(accounts, &[("own.toml", more)]);
        let told = World::try_start(setup(Database::Sqlite).args(&["--vendors", &path]))
            .await
            .err()
            .map(|why| format!("{why:#}"))
            .unwrap_or_default();
        assert!(told.contains(why) && !told.contains("hush"), "{accounts}: {told}");
        drop(dir);
    }
}
