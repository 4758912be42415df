//! One tap harms nobody: what it did is said, and can be taken back; what reaches people outside is shown before it is
//! sent.

use allclear_trial::{Database, org};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(
    an_acknowledgement_taken_back_pages_on_where_it_was,
    an_update_is_shown_with_its_reach_before_it_is_sent,
    a_board_stands_by_need_and_says_who_is_asked,
    an_untouched_board_moves_a_row_only_where_its_need_changed,
    who_was_not_paged_leads_first_and_reads_whose_paging_they_would_stop,
    all_that_wait_for_somebody_are_taken_and_given_back_as_one,
    who_only_reads_reports_and_others_decide,
);

async fn an_acknowledgement_taken_back_pages_on_where_it_was(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let path = format!("/incidents/{reference}");
    let cookie = sign_in_as(&world, "cho").await;
    world.advance(120).await;
    // Somebody meant another row.
    let taken = post_form(&world, &format!("{path}/acknowledge"), Some(&cookie), &[("back", "/")]).await;
    assert_eq!((taken.status, taken.header("location")), (303, Some(format!("/?took={reference}").as_str())));
    let board = get_as(&world, &cookie, &format!("/?took={reference}")).await.text;
    assert!(board.contains(&format!("You have <strong>{reference}</strong>")) && board.contains(&format!("{path}/undo")), "{board}");
    // Whoever did not take it is offered nothing, whatever their address says.
    let other = sign_in_as(&world, "ana").await;
    assert!(!get_as(&world, &other, &format!("/?took={reference}")).await.text.contains("/undo\""));
    assert_eq!(post_form(&world, &format!("{path}/undo"), Some(&other), &[]).await.status, 409, "it is not theirs to give back");
    let undone = post_form(&world, &format!("{path}/undo"), Some(&cookie), &[("back", "/")]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    let board = get_as(&world, &cookie, undone.header("location").unwrap()).await.text;
    assert!(board.contains("somebody is looked for again"), "{board}");
    let now = world.incident().await;
    assert_eq!(now["commander"], serde_json::Value::Null, "{now:#}");
    // The page goes on at its step, for what was left of it: ana has her message, and is not woken twice.
    assert_eq!(world.hook.to("ben").len(), 0);
    world.advance(200).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (1, 1));
    // Once is enough, and it is not anybody's any more.
    assert_eq!(post_form(&world, &format!("{path}/undo"), Some(&cookie), &[]).await.status, 409);
    // What was offered is offered for ten seconds.
    post_form(&world, &format!("{path}/acknowledge"), Some(&cookie), &[]).await;
    assert!(get_as(&world, &cookie, &format!("{path}?took={reference}")).await.text.contains("/undo\""));
    world.advance(11).await;
    assert!(!get_as(&world, &cookie, &format!("{path}?took={reference}")).await.text.contains("/undo\""));
    assert_eq!(world.hook.to("cho").len(), 0, "and nobody else is looked for");
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no field {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn an_update_is_shown_with_its_reach_before_it_is_sent(database: Database) {
    let audiences = r#"
audiences:
  - {id: desk, name: Help desk, people: [ben, cho]}
  - {id: customers, name: Customers, people: [ben], contacts: [{id: list, webhook: "{HOOK}/customers", secret: "{SECRET}"}]}
"#;
    let usual = org::usual();
    let mut world = world_of(database, format!("{usual}{audiences}")).await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let path = format!("/incidents/{reference}");
    let cookie = sign_in_as(&world, "ana").await;
    let ticked = |page: &str, id: &str| {
        let field = page.split(&format!("name=\"to:{id}\"")).nth(1).unwrap_or_else(|| panic!("no {id}: {page}"));
        field.split('>').next().unwrap().contains("checked")
    };
    let page = get_as(&world, &cookie, &path).await.text;
    assert!(!ticked(&page, "desk") && !ticked(&page, "customers"), "nothing is ticked beforehand");
    let told = |world: &allclear_trial::World| ["ben", "cho", "customers"].map(|path| world.hook.told(path).len());
    let update = [("text", "Cards fail"), ("to:desk", "1"), ("to:customers", "1")];
    // One tap sends nothing.
    let shown = post_form(&world, &format!("{path}/update"), Some(&cookie), &update).await.ok();
    assert!(shown.text.contains("2 people and 1 address outside") && shown.text.contains("Cards fail"), "{}", shown.text);
    assert!(shown.text.contains("1 address by webhook") && shown.text.contains("told once, above"), "{}", shown.text);
    world.quiet().await;
    let kinds = world.kinds(&world.incident().await).await;
    assert!(told(&world) == [0; 3] && !kinds.iter().any(|kind| kind == "update_posted"), "{kinds:?}");
    // What was typed comes back.
    let mut back = update.to_vec();
    back.push(("edit", "1"));
    let page = post_form(&world, &format!("{path}/update"), Some(&cookie), &back).await.ok().text;
    assert!(page.contains("Cards fail</textarea>") && ticked(&page, "customers"), "{page}");
    // Without the second step it is shown again, whatever was seen of other people.
    let mut wrong = update.to_vec();
    wrong.push(("sure", "0123456789abcdef"));
    assert_eq!(post_form(&world, &format!("{path}/update"), Some(&cookie), &wrong).await.status, 200);
    let sure = hidden(&shown.text, "sure");
    let mut sends = update.to_vec();
    sends.push(("sure", &sure));
    let sent = post_form(&world, &format!("{path}/update"), Some(&cookie), &sends).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    world.advance(30).await;
    assert_eq!(
        told(&world),
        [1; 3],
        "two people and one address, each once: {}",
        allclear_trial::world::lines(&world.events(&world.incident().await).await)
    );
    // The next one begins with those whom this person told last here; another's with none.
    let page = get_as(&world, &cookie, &path).await.text;
    assert!(ticked(&page, "desk") && ticked(&page, "customers"));
    let other = sign_in_as(&world, "cho").await;
    let page = get_as(&world, &other, &path).await.text;
    assert!(!ticked(&page, "desk") && !ticked(&page, "customers"));
}

/// References on a board, in its order.
fn order(page: &str) -> Vec<String> {
    page.split("data-key=\"INC-").skip(1).map(|rest| format!("INC-{}", rest.split('"').next().unwrap())).collect()
}

async fn a_board_stands_by_need_and_says_who_is_asked(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    let declare = async |world: &allclear_trial::World, title: &str, severity: &str, page: bool| {
        let body = serde_json::json!({"title": title, "severity": severity, "service": "checkout", "page": page});
        world.command("/incidents", body).await.ok().body["ref"].as_str().unwrap().to_owned()
    };
    // Nobody answers it at all: two steps of five minutes, ten for the catch-all.
    let over = declare(&world, "Nobody is home", "sev4", true).await;
    world.advance(21 * 60).await;
    let missed = declare(&world, "One step through", "sev3", true).await;
    world.advance(6 * 60).await;
    let waits = declare(&world, "Three minutes", "sev5", true).await;
    let task = declare(&world, "A late task", "sev1", true).await;
    world.command(&format!("/incidents/{task}/acknowledge"), serde_json::json!({"by": "ben"})).await.ok();
    world.command(&format!("/incidents/{task}/task"), serde_json::json!({"text": "Roll back", "owner": "ben", "within": "1m"})).await.ok();
    world.advance(3 * 60).await;
    let fresh = declare(&world, "Just now", "sev1", true).await;
    world.quiet().await;
    let cookie = sign_in_as(&world, "ana").await;
    let page = get_as(&world, &cookie, "/").await.text;
    assert_eq!(order(&page), [&over, &missed, &waits, &fresh, &task].map(Clone::clone), "{page}");
    let row = |reference: &str| page.split(&format!("data-key=\"{reference}\"")).nth(1).unwrap().split("</li>").next().unwrap().to_owned();
    let late = |reference: &str| row(reference).contains("class=\"due late\"");
    assert!(row(&missed).contains("nobody for 9:0") && row(&missed).contains("step 2 of 2") && late(&missed), "{}", row(&missed));
    assert!(row(&missed).contains("<bdi>Ben</bdi> told"), "{}", row(&missed));
    assert!(row(&waits).contains("step 1 of 2") && row(&waits).contains("nobody for 3:0") && !late(&waits), "{}", row(&waits));
    assert!(row(&over).contains("everybody was paged") && row(&over).contains("nobody for 30:"), "{}", row(&over));
    // The red counts lead to their rows.
    assert!(page.contains("href=\"/?need=late\">2 late") && page.contains("href=\"/?need=nobody\">1 unanswered"), "{page}");
    assert_eq!(order(&get_as(&world, &cookie, "/?need=late").await.text), [&missed, &task].map(Clone::clone));
    assert_eq!(order(&get_as(&world, &cookie, "/?need=nobody").await.text), [over]);
}

async fn an_untouched_board_moves_a_row_only_where_its_need_changed(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    for n in 0..50 {
        let severity = format!("sev{}", n % 5 + 1);
        let body = serde_json::json!({"title": format!("Row {n}"), "severity": severity, "service": "checkout", "page": true});
        world.command("/incidents", body).await.ok();
        if n == 24 {
            world.advance(20).await;
        }
    }
    let cookie = sign_in_as(&world, "ana").await;
    // A quarter of their five minutes is 75 s. Between two such marks nothing changes, and so nothing moves, before the first
    // step was missed and after it.
    for standing in [80, 185] {
        world.advance(standing).await;
        let first = order(&get_as(&world, &cookie, "/").await.text);
        assert_eq!(first.len(), 50);
        for _ in 0..8 {
            world.advance(5).await;
            assert_eq!(order(&get_as(&world, &cookie, "/").await.text), first);
        }
    }
}

async fn who_was_not_paged_leads_first_and_reads_whose_paging_they_would_stop(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let path = format!("/incidents/{reference}");
    let bar = async |world: &allclear_trial::World, cookie: &str| {
        let page = get_as(world, cookie, &path).await.text;
        page.split("class=\"acts\"").nth(1).unwrap().split("<details").next().unwrap().to_owned()
    };
    let coordinator = sign_in_as(&world, "cho").await;
    let shown = bar(&world, &coordinator).await;
    let (lead, stop) =
        (shown.find("Take command").expect("who was not paged may lead"), shown.find("stops paging <bdi>Ana Ruiz").expect("whose"));
    assert!(lead < stop && shown.matches("class=\"do\"").count() == 1, "{shown}");
    // Whoever was paged acknowledges first.
    let paged = sign_in_as(&world, "ana").await;
    let shown = bar(&world, &paged).await;
    assert!(shown.contains("class=\"do\" type=\"submit\" data-verb=\"acknowledge\"") && !shown.contains("Take command"), "{shown}");
    // Leading it stops nobody's paging.
    let taken = post_form(&world, &format!("{path}/role"), Some(&coordinator), &[("role", "commander"), ("do", "take")]).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    let shown = bar(&world, &coordinator).await;
    assert!(!shown.contains("Take command") && shown.contains("stops paging <bdi>Ana Ruiz"), "{shown}");
    world.advance(310).await;
    assert_eq!(world.hook.to("ben").len(), 1, "the next step is asked all the same");
    assert!(bar(&world, &coordinator).await.contains("stops paging <bdi>Ana Ruiz and Ben Okafor"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_looks_on_reports_a_few_times_and_is_told_when_again() {
    let org = org::usual().replacen("teams:\n", "  - {id: olga, name: Olga Nurse, access: observer}\nteams:\n", 1);
    let mut world = world_of(Database::Sqlite, org).await;
    let olga = sign_in_as(&world, "olga").await;
    let report = async |world: &allclear_trial::World, n: usize| {
        post_form(world, "/declare", Some(&olga), &[("title", &format!("Ward {n}")), ("service", "checkout")]).await
    };
    for _ in 0..6 {
        let blank = post_form(&world, "/declare", Some(&olga), &[("title", " "), ("service", "checkout")]).await;
        assert_eq!(blank.status, 422, "a mistake uses up nothing: {}", blank.text);
    }
    for n in 1..=5 {
        assert_eq!(report(&world, n).await.status, 303, "{n}");
    }
    let refused = report(&world, 6).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    let wait: u64 = refused.header("retry-after").expect("when again").parse().unwrap();
    assert!((1..=600).contains(&wait) && refused.text.contains("at most 5 in 10") && refused.text.contains("Ward 6"), "{}", refused.text);
    // By API it is the same count.
    let token =
        world.command("/tokens", serde_json::json!({"name": "t", "scope": "read", "person": "olga"})).await.ok().body["token"].clone();
    let body = serde_json::json!({"title": "again", "report": true});
    let request = world.client.post(world.at("/api/v1/incidents")).bearer_auth(token.as_str().unwrap()).json(&body);
    let refused = world.send(request).await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &"too_often".into()), "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    // Responders are not counted.
    for n in 0..8 {
        world.command("/incidents", serde_json::json!({"title": format!("real {n}"), "service": "checkout", "page": false})).await.ok();
    }
    world.advance(wait).await;
    assert_eq!(report(&world, 7).await.status, 303);
}

/// A title that would turn the text behind it round, and one that is written from right to left: each reads as itself, wherever
/// it stands, and turns nothing around it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_title_turns_what_stands_beside_it() {
    let world = world_of(Database::Sqlite, org::usual()).await;
    let evil = "live (step 1) \u{202e}(1 pets) live \u{2066}x\u{200f}";
    let arabic = "تعطل الدفع (Madrid)";
    for title in [evil, arabic] {
        world.command("/incidents", serde_json::json!({"title": title, "service": "checkout"})).await.ok();
    }
    world.command("/incidents/INC-1/note", serde_json::json!({"text": "seen \u{202e}neewteb"})).await.ok();
    world.quiet().await;
    let turns = |text: &str| text.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'));
    let cookie = sign_in_as(&world, "ana").await;
    for path in ["/", "/incidents/INC-1", "/incidents/INC-2", "/api/v1/incidents/INC-1/events"] {
        let page = if path.starts_with("/api") { world.get(path).await } else { get_as(&world, &cookie, path).await };
        assert!(!turns(&page.text), "{path}: {}", page.text);
    }
    for path in ["/", "/incidents/INC-2"] {
        let page = get_as(&world, &cookie, path).await.text;
        let body = page.split("<body").nth(1).unwrap();
        // Hints of a pointer and names for machines stand alone; text stands in an isolation.
        let seen = body.split(arabic).zip(body.split(arabic).skip(1)).filter(|(before, _)| before.ends_with('>'));
        for (before, after) in seen {
            assert!(before.ends_with("<bdi>") && after.starts_with("</bdi>"), "{path}: …{}", &before[before.len().saturating_sub(60)..]);
        }
    }
    for told in world.hook.all() {
        assert!(!turns(&told.body.to_string()), "{told:?}");
    }
}

async fn all_that_wait_for_somebody_are_taken_and_given_back_as_one(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    for n in 0..35 {
        world.fire(&format!("disk-{n}")).await;
    }
    let (ana, ben) = (sign_in_as(&world, "ana").await, sign_in_as(&world, "ben").await);
    let board = get_as(&world, &ana, "/").await.text;
    assert!(board.contains("<strong>35 incidents wait for you</strong>") && board.contains("Mine <span class=\"n\">35</span>"), "{board}");
    let other = get_as(&world, &ben, "/").await.text;
    assert!(!other.contains("wait for you"), "nobody asked ben yet");
    let refs = hidden(&board, "refs");
    assert_eq!(refs.split(',').count(), 35);

    // One came meanwhile, and one was taken by somebody else: neither is meant.
    world.fire("later").await;
    let bens = refs.split(',').nth(3).unwrap().to_owned();
    post_form(&world, &format!("/incidents/{bens}/acknowledge"), Some(&ben), &[]).await;
    let taken = post_form(&world, "/board/acknowledge", Some(&ana), &[("refs", &refs)]).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    world.quiet().await;
    let of = async |person: &str| {
        let open = world.api("/incidents?open=true&limit=200").await;
        let items = open["items"].as_array().unwrap().clone();
        items.iter().filter(|one| one["acknowledged_by"] == person).count()
    };
    assert_eq!((of("ana").await, of("ben").await), (34, 1));
    let said = get_as(&world, &ana, taken.header("location").unwrap()).await.text;
    assert!(said.contains("You have <strong>34 incidents</strong>") && !said.contains("wait for you"), "{said}");

    // Given back as one; nobody else's is.
    let refs = hidden(&said, "refs");
    assert_eq!(post_form(&world, "/board/undo", Some(&ana), &[("refs", &format!("{refs},{bens},INC-9999,,x"))]).await.status, 303);
    world.quiet().await;
    assert_eq!((of("ana").await, of("ben").await), (0, 1));
    assert!(get_as(&world, &ana, "/").await.text.contains("35 incidents wait for you"));
    // Named twice it is one.
    let twice: Vec<&str> = refs.split(',').take(2).flat_map(|one| [one, one]).collect();
    let once = post_form(&world, "/board/acknowledge", Some(&ana), &[("refs", &twice.join(","))]).await;
    world.quiet().await;
    let said = get_as(&world, &ana, once.header("location").unwrap()).await.text;
    assert!(said.contains("You have <strong>2 incidents</strong>"), "{said}");
    assert_eq!(post_form(&world, "/board/undo", Some(&ana), &[("refs", &twice.join(","))]).await.status, 303);
    world.quiet().await;
    // The same form once more is the same press.
    let again = [("refs", refs.as_str()), ("once", "1790000000000000")];
    assert_eq!(post_form(&world, "/board/acknowledge", Some(&ana), &again).await.status, 303);
    world.quiet().await;
    assert_eq!(of("ana").await, 34);
    assert_eq!(post_form(&world, "/board/undo", Some(&ana), &[("refs", &refs)]).await.status, 303);
    world.quiet().await;
    assert_eq!(post_form(&world, "/board/acknowledge", Some(&ana), &again).await.status, 303);
    world.quiet().await;
    assert_eq!(of("ana").await, 0, "what was given back since stays given back");
    // Her step is over, and nobody has them: they wait for her still, but for the one that she passed on.
    let one = world.hook.to("ana")[0].ack_path();
    world.press(&format!("{one}/decline")).await;
    world.advance(25 * 60).await;
    let board = get_as(&world, &ana, "/").await.text;
    assert!(!board.contains("step 1 of 2") && board.contains("34 incidents wait for you"), "{board}");
    // Who is nobody here, and who only reads, takes none.
    assert_eq!(post_form(&world, "/board/acknowledge", None, &[("refs", &refs)]).await.header("location"), Some("/sign-in"));
}

async fn who_only_reads_reports_and_others_decide(database: Database) {
    let org = org::usual().replacen(
        "teams:\n",
        "  - {id: olga, name: Olga Nurse, access: observer}\n  - {id: gus, name: Gus Guest, access: guest}\nteams:\n",
        1,
    );
    let mut world = world_of(database, org).await;
    let (olga, gus) = (sign_in_as(&world, "olga").await, sign_in_as(&world, "gus").await);
    let form = get_as(&world, &olga, "/declare?service=checkout").await.text;
    assert!(form.contains("<h1>Report an incident</h1>") && form.contains("Declared, it pages <bdi>Ana Ruiz</bdi>"), "{form}");
    assert!(!form.contains("name=\"page\"") && get_as(&world, &olga, "/").await.text.contains("<span>Report</span>"), "{form}");
    // What is wrong with it keeps what was typed, in the frame.
    let refused = post_form(&world, "/declare", Some(&olga), &[("title", " "), ("service", "checkout")]).await;
    assert!(
        refused.status == 422 && refused.text.contains("class=\"rail\"") && refused.text.contains("value=\"checkout\" selected"),
        "{}",
        refused.text
    );
    let typed = [("title", "The ward has no charts"), ("service", "checkout"), ("severity", "sev2"), ("page", "1"), ("private", "1")];
    let reported = post_form(&world, "/declare", Some(&olga), &typed).await;
    assert_eq!(reported.status, 303, "{}", reported.text);
    let incident = world.incident().await;
    assert_eq!((&incident["state"], &incident["title"]), (&"candidate".into(), &"The ward has no charts".into()), "{incident:#}");
    assert_ne!(incident["private"], true, "she would not see it herself");
    assert_eq!(world.hook.all().len(), 0, "it pages nobody");
    let receipt = get_as(&world, &olga, reported.header("location").unwrap()).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    for words in
        ["Your report is <strong>INC-1</strong>", "it is declared", "Declared, it pages <bdi>Ana Ruiz</bdi>", "href=\"/incidents/INC-1\""]
    {
        assert!(receipt.text.contains(words), "{words}: {}", receipt.text);
    }
    assert_eq!(get_as(&world, &olga, "/incidents/INC-1").await.status, 200, "she sees what became of it");
    // Nobody decides.
    world.advance(9 * 60).await;
    assert_eq!(world.hook.to("ana").len(), 0);
    world.advance(90).await;
    assert_eq!((world.incident().await["state"].clone(), world.hook.to("ana").len()), ("declared".into(), 1));
    // A candidate pages nobody, so that nothing that pages somebody is merged into one.
    let candidate = post_form(&world, "/declare", Some(&olga), &[("title", "perhaps"), ("service", "checkout")]).await;
    let into = candidate.header("location").unwrap().rsplit('=').next().unwrap().to_owned();
    let merged = world.command("/incidents/INC-1/merge", serde_json::json!({"into": into})).await;
    assert_eq!((merged.status, &merged.body["code"]), (409, &"not_declared".into()), "{}", merged.text);
    world.command(&format!("/incidents/{into}/cancel"), serde_json::json!({"why": "no"})).await.ok();
    // By API as well; and no further than that.
    let token =
        world.command("/tokens", serde_json::json!({"name": "t", "scope": "read", "person": "olga"})).await.ok().body["token"].clone();
    let as_olga = async |body: serde_json::Value| {
        let request = world.client.post(world.at("/api/v1/incidents")).bearer_auth(token.as_str().unwrap()).json(&body);
        world.send(request).await
    };
    let reported = as_olga(serde_json::json!({"title": "again", "report": true})).await;
    assert_eq!((reported.status, &reported.body["state"]), (201, &"candidate".into()), "{}", reported.text);
    assert_eq!(as_olga(serde_json::json!({"title": "again"})).await.status, 403);
    assert_eq!(post_form(&world, "/incidents/INC-3/declare", Some(&olga), &[]).await.status, 403, "who only reads decides nothing");
    assert_eq!(get_as(&world, &gus, "/declare").await.status, 403, "guests are not of the house");
    assert_eq!(post_form(&world, "/declare", Some(&gus), &[("title", "x")]).await.status, 403);
}
