//! Signing in: the first administrator, invitations, sessions, and what a flood of tries does not stop.

use allclear_trial::org;
use allclear_trial::program::Program;
use allclear_trial::world::{Answer, Ran};
use allclear_trial::{Database, World};
use serde_json::json;

use crate::{on_both, world, world_of};

on_both!(
    a_set_up_link_makes_one_administrator_and_works_once,
    of_two_who_use_a_link_at_once_one_wins,
    a_stream_ends_with_its_token_and_with_its_session_on_every_node,
    every_way_in_and_change_of_access_leaves_a_line_for_administrators,
);

/// A password that everybody here may have.
pub const PASSWORD: &str = "a quiet night at sea";

/// A form posted as a browser does it.
pub async fn post_form(world: &World, path: &str, cookie: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let request = world.client.post(world.at(path)).header("origin", &world.program.url);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields));
    world.send(if let Some(cookie) = cookie { request.header("cookie", cookie) } else { request }).await
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&")
}

/// What a browser would send back, where an answer sets a cookie.
pub fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {} {}", answer.status, answer.text));
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

/// Where the program writes the link for the first administrator: standard error is no terminal here.
fn set_up_file(world: &World) -> std::path::PathBuf {
    // Beside the store, or beside the key file where the store is PostgreSQL's.
    world.dir.path().join(if world.is_sqlite() { "allclear.set-up" } else { "secret.set-up" })
}

/// The path of that link.
fn set_up_path(world: &World) -> String {
    let file = set_up_file(world);
    let link = std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}\n{}", file.display(), world.log()));
    assert!(world.log().contains(file.to_str().unwrap()), "the log names the file:\n{}", world.log());
    link.trim().strip_prefix(&world.program.url).expect("a full address").to_owned()
}

/// Invites somebody and signs them in; gives their cookie.
pub async fn sign_in_as(world: &World, person: &str) -> String {
    let Ran { code, stdout, stderr } = world.cli(&["invite", person]).await;
    assert_eq!((code, stdout.lines().count()), (0, 1), "the link alone on stdout: {stdout} {stderr}");
    let path = stdout.trim().strip_prefix(&world.program.url).expect("a full address").to_owned();
    let entered = post_form(world, &path, None, &[("password", PASSWORD)]).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    cookie(&entered)
}

/// GET with a cookie.
pub async fn get_as(world: &World, cookie: &str, path: &str) -> Answer {
    world.send(world.client.get(world.at(path)).header("cookie", cookie)).await
}

async fn a_set_up_link_makes_one_administrator_and_works_once(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let path = set_up_path(&world);
    let shown = world.send(world.client.get(world.at(&path))).await;
    assert!(shown.status == 200 && shown.text.contains("Ana Ruiz"), "{}", shown.text);
    let short = post_form(&world, &path, None, &[("person", "ana"), ("password", "short")]).await;
    assert_eq!(short.status, 422, "a slip does not use the link up");
    let own = post_form(&world, &path, None, &[("person", "ana"), ("password", "ana@example.org")]).await;
    assert_eq!(own.status, 422);
    let done = post_form(&world, &path, None, &[("person", "ana"), ("password", PASSWORD)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let ana = cookie(&done);
    assert_eq!(get_as(&world, &ana, "/api/v1/tokens").await.status, 200, "ana is an administrator");
    assert_eq!(get_as(&world, &ana, "/").await.status, 200);
    for again in [
        world.send(world.client.get(world.at(&path))).await,
        post_form(&world, &path, None, &[("person", "ben"), ("password", PASSWORD)]).await,
    ] {
        assert_eq!(again.status, 410, "{}", again.text);
    }
    world.restart_after(std::time::Duration::from_secs(60)).await;
    assert_eq!(get_as(&world, &ana, "/api/v1/tokens").await.status, 200, "a session and an access that no file gave survive a restart");
    assert!(!set_up_file(&world).exists() && !world.log().contains("/set-up/"), "nobody needs a second link, and none was in the log");
    let token = path.trim_start_matches("/set-up/");
    let stored = world.cli(&["config", "export"]).await.stdout;
    assert!(stored.contains("administrator") && !stored.contains(token), "{stored}");
}

async fn of_two_who_use_a_link_at_once_one_wins(database: Database) {
    let world = world_of(database, org::usual()).await;
    let link = world.cli(&["invite", "ben"]).await.stdout;
    let path = link.trim().strip_prefix(&world.program.url).unwrap().to_owned();
    let one = post_form(&world, &path, None, &[("password", PASSWORD)]);
    let two = post_form(&world, &path, None, &[("password", "another quiet night")]);
    let (one, two) = tokio::join!(one, two);
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    let right = if one.status == 303 { PASSWORD } else { "another quiet night" };
    assert_eq!(post_form(&world, "/sign-in", None, &[("account", "ben"), ("password", right)]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_session_is_shown_where_to_sign_in_and_comes_back() {
    let world = world().await;
    sign_in_as(&world, "ana").await;
    let away = world.send(world.client.get(world.at("/incidents/INC-1?log=key"))).await;
    assert_eq!((away.status, away.header("location")), (303, Some("/sign-in?next=/incidents/INC-1%3Flog%3Dkey")));
    // A form that was sent without a session leads back to the page that it stands on, and to no other host's.
    let host = world.program.url.split_once("://").unwrap().1.to_owned();
    for (from, to) in [
        (format!("http://{host}/incidents/INC-1?log=key"), "/sign-in?next=/incidents/INC-1%3Flog%3Dkey"),
        ("http://evil.example/incidents/INC-1".to_owned(), "/sign-in"),
    ] {
        let request = world.client.post(world.at("/incidents/INC-1/note")).header("referer", from).header("accept", "text/html");
        let led = world.send(request.header("content-type", "application/x-www-form-urlencoded").body("text=x")).await;
        assert_eq!((led.status, led.header("location")), (303, Some(to)));
    }
    let back = post_form(&world, "/sign-in", None, &[("account", "ana@example.org"), ("password", PASSWORD), ("next", "/me")]).await;
    assert_eq!((back.status, back.header("location")), (303, Some("/me")), "by the e-mail address as well");
    let ana = cookie(&back);
    assert!(get_as(&world, &ana, "/me").await.text.contains("Where you are signed in"));
    let led = post_form(&world, "/sign-in", None, &[("account", "ana"), ("password", PASSWORD), ("next", "//evil.example")]).await;
    assert_eq!(led.header("location"), Some("/"));
    let api = world.send(world.client.get(world.at("/api/v1/incidents"))).await;
    assert_eq!((api.status, &api.body["code"]), (401, &"unauthorized".into()), "programs are told, not led");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_slowed_down_and_nothing_else_is() {
    let mut world = world().await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    sign_in_as(&world, "ana").await;
    let attempt = async |world: &World, account: &str, password: &str| {
        post_form(world, "/sign-in", None, &[("account", account), ("password", password)]).await
    };
    let known = attempt(&world, "ana", "wrong wrong wrong").await;
    let unknown = attempt(&world, "nobody", "wrong wrong wrong").await;
    assert_eq!((known.status, unknown.status), (401, 401));
    assert_eq!(known.text.replace("ana", "X"), unknown.text.replace("nobody", "X"), "nothing tells who has a password");
    let mut refused = None;
    for _ in 0..20 {
        let tried = attempt(&world, "ana", "wrong wrong wrong").await;
        if tried.status == 429 {
            refused = Some(tried);
            break;
        }
    }
    let refused = refused.expect("too many tries are refused");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(attempt(&world, "ana", PASSWORD).await.status, 429, "the right one has to wait as well");
    world.fire("memory").await;
    assert_eq!(world.press(&link).await.status, 200, "a link in a message needs no sign-in");
    assert_eq!(world.get("/api/v1/incidents").await.status, 200, "and a token none either");
    world.advance(60).await;
    assert_eq!(attempt(&world, "ana", PASSWORD).await.status, 303, "after the wait it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_once_at_a_start_stands_in_a_file_of_the_owners_alone_and_in_no_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let made = org::usual().replacen(", secret: \"{SECRET}\"", "", 1);
    assert_ne!(made, org::usual(), "a contact whose secret is made");
    let world = world_of(Database::Sqlite, made).await;
    for (name, wanted) in [("allclear.set-up", "/set-up/"), ("allclear.secrets", "whsec_")] {
        let file = world.dir.path().join(name);
        let mode = std::fs::metadata(&file).unwrap_or_else(|why| panic!("{name}: {why}\n{}", world.log())).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        assert!(std::fs::read_to_string(&file).unwrap().contains(wanted), "{name}");
        assert!(world.log().contains(name) && !world.log().contains(wanted), "{}", world.log());
    }
    // Where the file cannot be had, a command on the store makes another link, at the address that the server has.
    let ran = world.cli(&["set-up-link"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let path = ran.stdout.trim().strip_prefix(&world.program.url).expect("a full address").to_owned();
    let done = post_form(&world, &path, None, &[("person", "ana"), ("password", PASSWORD)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let late = world.cli(&["set-up-link", "--base-url", &world.program.url]).await.stdout;
    let path = late.trim().strip_prefix(&world.program.url).unwrap().to_owned();
    assert_eq!(world.send(world.client.get(world.at(&path))).await.status, 410, "somebody administers already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_secrets_could_not_be_told_is_not_applied_and_none_is_lost() {
    let mut world = world().await;
    let file = world.dir.path().join("org.yaml");
    let usual = std::fs::read_to_string(&file).unwrap();
    let with_one_more = usual.replacen("integrations:\n", "integrations:\n  - {id: extra, kind: json}\n", 1);
    assert_ne!(with_one_more, usual, "an integration whose key is made");
    std::fs::write(&file, with_one_more).unwrap();
    let told = world.dir.path().join("allclear.secrets");
    // Permissions would not stop whoever runs tests as root; a directory does.
    std::fs::create_dir(&told).unwrap();
    world.try_start_again(&[], &[]).await.unwrap();
    let log = world.log();
    assert!(log.contains("allclear.secrets") && log.contains("start once on a terminal"), "the place, and what would work: {log}");
    std::fs::remove_dir(&told).unwrap();
    world.try_start_again(&[], &[]).await.unwrap();
    assert!(std::fs::read_to_string(&told).unwrap().contains("integration extra: "), "it is made when it can be told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_does_nothing_with_a_session() {
    let world = world().await;
    let ana = sign_in_as(&world, "ana").await;
    let declare = async |header: &str, value: &str| {
        let request = world.client.post(world.at("/api/v1/incidents")).header("cookie", &ana).header(header, value);
        world.send(request.json(&json!({"title": "by a page", "page": false}))).await
    };
    for (header, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        let refused = declare(header, value).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &"cross_site".into()), "{header}: {value}");
    }
    assert_eq!(declare("sec-fetch-site", "same-origin").await.status, 201);
    assert_eq!(declare("origin", &world.program.url).await.status, 201);
    let out = world.client.post(world.at("/sign-out")).header("cookie", &ana).header("origin", "https://evil.example");
    assert_eq!(world.send(out).await.status, 403);
    assert_eq!(get_as(&world, &ana, "/").await.status, 200, "ana is still signed in");
    assert_eq!(world.incidents("").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_by_signing_out_here_or_everywhere_by_a_new_password_and_by_age() {
    let mut world = world().await;
    let first = sign_in_as(&world, "ana").await;
    let sign_in = async |world: &World, password: &str| {
        cookie(&post_form(world, "/sign-in", None, &[("account", "ana"), ("password", password)]).await)
    };
    let second = sign_in(&world, PASSWORD).await;
    assert_eq!(post_form(&world, "/sign-out", Some(&first), &[]).await.status, 303);
    assert_eq!(get_as(&world, &first, "/").await.status, 303);
    assert_eq!(get_as(&world, &second, "/").await.status, 200);
    let third = sign_in(&world, PASSWORD).await;
    assert_eq!(post_form(&world, "/me/sign-out-everywhere", Some(&third), &[]).await.status, 303);
    assert_eq!((get_as(&world, &second, "/").await.status, get_as(&world, &third, "/").await.status), (303, 303));
    let fourth = sign_in(&world, PASSWORD).await;
    let fifth = sign_in(&world, PASSWORD).await;
    let new = "another night at sea";
    let wrong = post_form(&world, "/me/password", Some(&fifth), &[("old", "not the old one"), ("password", new)]).await;
    assert_eq!(wrong.status, 422);
    let changed = post_form(&world, "/me/password", Some(&fifth), &[("old", PASSWORD), ("password", new)]).await;
    assert_eq!(changed.status, 303);
    let sixth = cookie(&changed);
    assert_eq!((get_as(&world, &fourth, "/").await.status, get_as(&world, &sixth, "/").await.status), (303, 200));
    assert_eq!(post_form(&world, "/sign-in", None, &[("account", "ana"), ("password", PASSWORD)]).await.status, 401);
    world.restart_after(std::time::Duration::from_secs(7 * 86_400)).await;
    assert_eq!(get_as(&world, &sixth, "/").await.status, 200, "over a restart, used within a week");
    world.restart_after(std::time::Duration::from_secs(9 * 86_400)).await;
    assert_eq!(get_as(&world, &sixth, "/").await.status, 303, "not used for longer");
    let seventh = sign_in(&world, new).await;
    for _ in 0..5 {
        world.restart_after(std::time::Duration::from_secs(5 * 86_400)).await;
        assert_eq!(get_as(&world, &seventh, "/").await.status, 200);
    }
    world.restart_after(std::time::Duration::from_secs(6 * 86_400)).await;
    assert_eq!(get_as(&world, &seventh, "/").await.status, 303, "thirty days are enough for one sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_sign_in_is_kept_in_the_clear() {
    let mut world = world().await;
    let set_up = set_up_path(&world);
    let ana = sign_in_as(&world, "ana").await;
    let link = world.cli(&["invite", "ben"]).await.stdout;
    let token = |path: &str| path.trim().rsplit('/').next().unwrap().to_owned();
    let secrets = [token(&set_up), token(&link), ana.split_once('=').unwrap().1.to_owned(), PASSWORD.to_owned()];
    world.program.stop().await.unwrap();
    let mut looked = 0;
    for file in std::fs::read_dir(world.dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.to_str().unwrap().contains("allclear.db") {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            looked += text.len();
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in {}", file.display());
            }
        }
    }
    assert!(looked > 0);
    for secret in &secrets {
        assert!(!world.log().contains(secret.as_str()), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_follows_is_told_nothing_once_its_session_is_over() {
    use futures_util::StreamExt as _;
    let world = world().await;
    let mine = sign_in_as(&world, "ana").await;
    let mut live = world.client.get(world.at("/live?on=board")).header("cookie", &mine).send().await.unwrap().bytes_stream();
    let mut heard = async || live.next().await.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    assert!(heard().await.unwrap().contains("open"));
    world.command("/incidents", json!({"title": "one", "page": false})).await.ok();
    assert!(heard().await.unwrap().contains("changed"));
    assert_eq!(post_form(&world, "/me/sign-out-everywhere", Some(&mine), &[]).await.status, 303);
    // At once: nothing has to happen for it to end.
    assert_eq!(heard().await, None);
}

/// What a stream says until it ends; it is expected to, within the patience of a test.
async fn until_it_ends(answer: reqwest::Response) -> String {
    let text = tokio::time::timeout(std::time::Duration::from_secs(20), answer.text());
    text.await.expect("the stream goes on").unwrap_or_default()
}

async fn a_stream_ends_with_its_token_and_with_its_session_on_every_node(database: Database) {
    let world = world_of(database, org::usual()).await;
    // On PostgreSQL the reader follows another node than the one that is told.
    let dir = tempfile::tempdir().unwrap();
    let other = if world.is_sqlite() {
        None
    } else {
        Some(Program::start(&world.launch_on(&world.database(), dir.path(), &[]), &world.client).await.unwrap())
    };
    let url = other.as_ref().map_or(&world.program.url, |program| &program.url).clone();
    let follow = async |name: &str, value: &str| world.client.get(format!("{url}/api/v1/stream")).header(name, value).send().await.unwrap();
    let made = world.command("/tokens", json!({"name": "follows", "scope": "read"})).await.ok().body;
    let ana = sign_in_as(&world, "ana").await;
    let by_token = follow("authorization", &format!("Bearer {}", made["token"].as_str().unwrap())).await;
    let by_session = follow("cookie", &ana).await;
    let live = world.client.get(format!("{url}/live?on=board")).header("cookie", &ana).send().await.unwrap();
    assert_eq!((by_token.status().as_u16(), by_session.status().as_u16(), live.status().as_u16()), (200, 200, 200));
    let revoked = world.client.delete(world.at(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap())));
    assert!(world.send(revoked.bearer_auth(org::ADMIN_TOKEN)).await.status < 300);
    let heard = until_it_ends(by_token).await;
    assert_eq!(post_form(&world, "/sign-out", Some(&ana), &[]).await.status, 303);
    let heard_by_session = until_it_ends(by_session).await;
    let seen = until_it_ends(live).await;
    world.command("/incidents", json!({"title": "afterwards", "page": false})).await.ok();
    for text in [heard, heard_by_session, seen] {
        assert!(!text.contains("afterwards") && !text.contains("declared"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_shows_no_more_than_its_person_may_see_from_now_on() {
    let world = world().await;
    let ben = sign_in_as(&world, "ben").await;
    let mut stream = world.client.get(world.at("/api/v1/stream")).header("cookie", &ben).send().await.unwrap();
    world.command("/incidents", json!({"title": "while a responder", "page": false})).await.ok();
    let mut heard = String::new();
    while !heard.contains("while a responder") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    let mut form = world.api("/org/person/ben").await["body"].clone();
    form["access"] = "guest".into();
    world.send(world.client.post(world.at("/api/v1/org/person/ben/detach")).bearer_auth(org::ADMIN_TOKEN)).await;
    let put = world.client.put(world.at("/api/v1/org/person/ben")).bearer_auth(org::ADMIN_TOKEN).json(&form);
    world.send(put).await.ok();
    world.command("/incidents", json!({"title": "while a guest", "page": false})).await.ok();
    let mine = world.command("/incidents", json!({"title": "admitted to", "page": false})).await.ok().body;
    world.command(&format!("/incidents/{}/admit", mine["ref"].as_str().unwrap()), json!({"person": "ben"})).await.ok();
    while !heard.contains("admitted") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(!heard.contains("while a guest"), "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_ends_the_session_that_was_shown() {
    let world = world().await;
    let first = sign_in_as(&world, "ana").await;
    sign_in_as(&world, "ben").await;
    let again = post_form(&world, "/sign-in", Some(&first), &[("account", "ana"), ("password", PASSWORD)]).await;
    let second = cookie(&again);
    assert_eq!((get_as(&world, &first, "/").await.status, get_as(&world, &second, "/").await.status), (303, 200));
    // Somebody else's, in the same browser, as well.
    let third = cookie(&post_form(&world, "/sign-in", Some(&second), &[("account", "ben"), ("password", PASSWORD)]).await);
    assert_eq!((get_as(&world, &second, "/").await.status, get_as(&world, &third, "/").await.status), (303, 200));
    let wrong = post_form(&world, "/sign-in", Some(&third), &[("account", "ana"), ("password", "wrong wrong wrong")]).await;
    assert_eq!((wrong.status, get_as(&world, &third, "/").await.status), (401, 200), "a slip ends nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_keep_nobody_out_of_their_own_account() {
    let world = World::start(crate::setup(Database::Sqlite).args(&["--trusted-proxies", "127.0.0.0/8"])).await;
    let entered = {
        let link = world.cli(&["invite", "ana"]).await.stdout;
        post_form(&world, link.trim().strip_prefix(&world.program.url).unwrap(), None, &[("password", PASSWORD)]).await
    };
    let device = entered.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.split(';').next().unwrap());
    let device =
        device.into_iter().find(|cookie| cookie.starts_with("allclear_device=")).expect("the device is known from now on").to_owned();
    let ask = async |from: &str, cookie: &str, password: &str| {
        let request = world.client.post(world.at("/sign-in")).header("origin", &world.program.url).header("x-forwarded-for", from);
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("cookie", cookie);
        world.send(request.body(encoded(&[("account", "ana"), ("password", password)]))).await.status
    };
    for _ in 0..6 {
        for n in 0..30 {
            ask(&format!("203.0.113.{n}"), "", "wrong wrong wrong").await;
        }
    }
    assert_eq!(ask("203.0.113.1", "", PASSWORD).await, 429, "the strangers wait");
    assert_eq!(ask("203.0.113.2", "allclear_device=AAAA", PASSWORD).await, 429, "a device that was made up is a stranger's");
    assert_eq!(ask("198.51.100.9", "", PASSWORD).await, 303, "somebody from a new address does not");
    assert_eq!(ask("203.0.113.1", &device, PASSWORD).await, 303, "nor a device that is known, whatever its address did");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_tried_first_is_refused_in_words_and_the_link_stays_good() {
    let world = world().await;
    let link = world.cli(&["invite", "ana"]).await.stdout;
    let path = link.trim().strip_prefix(&world.program.url).unwrap().to_owned();
    for common in ["passwordpassword", "qwertyuiopasdfghjkl", "AllClear2026", "1q2w3e4r5t6y", "Password1234!"] {
        let refused = post_form(&world, &path, None, &[("password", common)]).await;
        assert_eq!(refused.status, 422, "{common}");
        assert!(refused.text.contains("tried first"), "{}", refused.text);
    }
    assert_eq!(post_form(&world, &path, None, &[("password", PASSWORD)]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_invites_from_the_browser_and_nobody_else_does() {
    let world = world_of(Database::Sqlite, org::usual().replace("id: ben,", "id: ben, access: administrator,")).await;
    let ben = sign_in_as(&world, "ben").await;
    let invited = post_form(&world, "/settings/person/ana/invite", Some(&ben), &[]).await;
    assert_eq!(invited.status, 200, "{}", invited.text);
    let link = invited.text.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let path = link.strip_prefix(&world.program.url).expect("a full address");
    let entered = post_form(&world, path, None, &[("password", PASSWORD)]).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    let ana = cookie(&entered);
    assert_eq!(post_form(&world, "/settings/person/ben/invite", Some(&ana), &[]).await.status, 403);
    assert_eq!(post_form(&world, "/settings/person/nobody/invite", Some(&ben), &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_behind_a_proxy_slow_down_nobody_else_behind_it() {
    let world = World::start(crate::setup(Database::Sqlite).args(&["--trusted-proxies", "127.0.0.0/8"])).await;
    sign_in_as(&world, "ana").await;
    let ask = async |from: &str, account: &str, password: &str| {
        let request = world.client.post(world.at("/sign-in")).header("origin", &world.program.url).header("x-forwarded-for", from);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body(encoded(&[("account", account), ("password", password)]))).await.status
    };
    for n in 0..60 {
        ask("203.0.113.7", &format!("nobody{n}"), "wrong wrong wrong").await;
    }
    assert_eq!(ask("203.0.113.7", "ana", PASSWORD).await, 429, "the stranger's address waits");
    assert_eq!(ask("198.51.100.9", "ana", PASSWORD).await, 303, "and nobody else's");
}

async fn every_way_in_and_change_of_access_leaves_a_line_for_administrators(database: Database) {
    let world = world_of(database, org::usual()).await;
    let ana = sign_in_as(&world, "ana").await;
    let made = world.command("/tokens", serde_json::json!({"name": "ci", "scope": "read"})).await.ok();
    let id = made.body["id"].as_str().unwrap().to_owned();
    world.send(world.client.delete(world.at(&format!("/api/v1/tokens/{id}"))).bearer_auth(org::ADMIN_TOKEN)).await;
    let at_the_store = world.cli(&["token", "create", "--name", "shell", "--scope", "admin"]).await;
    assert_eq!(at_the_store.code, 0, "{at_the_store:?}");
    let put = async |id: &str, body: serde_json::Value| {
        let request = world.client.put(world.at(&format!("/api/v1/org/person/{id}"))).bearer_auth(org::ADMIN_TOKEN).json(&body);
        world.send(request).await.ok()
    };
    put("olga", serde_json::json!({"name": "Olga"})).await;
    put("olga", serde_json::json!({"name": "Olga", "access": "administrator"})).await;
    put("olga", serde_json::json!({"name": "Olga Nurse", "access": "administrator"})).await;
    post_form(&world, "/sign-out", Some(&ana), &[]).await;
    let lines: Vec<String> =
        world.api("/audit").await["items"].as_array().unwrap().iter().map(|line| line["line"].as_str().unwrap().to_owned()).collect();
    for wanted in [
        "An administrator made an invitation for Ana Ruiz".to_owned(),
        "Ana Ruiz chose a password with an invitation".to_owned(),
        format!("An administrator made the token {id}: ci, read"),
        format!("An administrator revoked the token {id}: ci"),
        "An administrator changed the access of Olga Nurse: responder → administrator".to_owned(),
        "Ana Ruiz signed out".to_owned(),
    ] {
        assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 1, "{wanted}: {lines:#?}");
    }
    assert!(lines.iter().any(|line| line.ends_with(": shell, admin, at the store")), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("Olga")).count(), 1, "somebody new with the usual access is no news: {lines:#?}");

    // From a terminal, whole; a page at a time; for administrators alone; and nobody takes a line away.
    let exported = world.cli(&["audit", "--all", "--json"]).await;
    let exported: serde_json::Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(exported["items"].as_array().unwrap().len(), lines.len());
    let page = world.api("/audit?limit=2").await;
    let next = world.api(&format!("/audit?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!(next["items"][0]["line"].as_str(), Some(lines[2].as_str()));
    let ben = sign_in_as(&world, "ben").await;
    assert_eq!(get_as(&world, &ben, "/settings/audit").await.status, 403);
    let reads = world.command("/tokens", serde_json::json!({"name": "r", "scope": "respond"})).await.ok().body["token"].clone();
    let refused = world.send(world.client.get(world.at("/api/v1/audit")).bearer_auth(reads.as_str().unwrap())).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrator_has_a_zone_and_what_makes_no_id_is_refused_in_words() {
    let world = world_of(Database::Sqlite, String::new()).await;
    let path = set_up_path(&world);
    let form = world.send(world.client.get(world.at(&path))).await.text;
    assert!(form.contains("name=\"time_zone\"") && form.contains("data-here") && form.contains("<script src=\"/assets/"), "{form}");
    for (name, zone, said) in [
        ("\u{1f389}", "", "the name has no letter a to z and no digit to make an id of"),
        ("Ana\u{0}Ruiz", "", "Name: the name has a control character in it"),
        ("Ana Ruiz", "Mars/Olympus", "Time zone: "),
    ] {
        let refused = post_form(&world, &path, None, &[("name", name), ("time_zone", zone), ("id", " "), ("password", PASSWORD)]).await;
        assert!(refused.status == 422 && refused.text.contains(said), "{said}: {}", refused.text);
        assert!(!refused.text.contains("data-here"), "what was typed stays, also nothing: {}", refused.text);
        assert!(!refused.text.contains("``"), "an id that nobody typed is not quoted: {}", refused.text);
    }
    let entered =
        post_form(&world, &path, None, &[("name", "Ana Ruiz"), ("time_zone", "Europe/Madrid"), ("id", " "), ("password", PASSWORD)]).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    let account = get_as(&world, &cookie(&entered), "/me").await.text;
    assert!(account.contains("Europe/Madrid") && account.contains("Where you are signed in"), "times are local: {account}");
    assert!(account.contains("class=\"rail\"") && account.contains("class=\"dock\""), "and the frame is everybody's: {account}");
    let person = get_as(&world, &cookie(&entered), "/settings/person/new").await.text;
    assert!(person.contains("data-offer-here") && !person.contains("data-here"), "to somebody new it is only offered: {person}");
}
