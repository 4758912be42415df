//! The screens without a script: every form of an incident, of on-call and of what is learned,
//! posted as a plain browser posts it.

use std::time::Duration;

use allclear_trial::program::{Launch, Program};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};

struct Browser {
    client: Client,
    url: String,
}

impl Browser {
    async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(format!("{}{path}", self.url)).header("accept", "text/html").send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// The status, where the browser is sent, and the page where it is sent nowhere.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
        let answer = self.ask(path, fields, "same-origin").await;
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status(), to, answer.text().await.unwrap())
    }

    async fn ask(&self, path: &str, fields: &[(&str, &str)], from: &str) -> Response {
        let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let request = self.client.post(format!("{}{path}", self.url)).header("sec-fetch-site", from);
        request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&")).send().await.unwrap()
    }

    /// Does what a form asks, and gives the page after it.
    async fn does(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let (status, to, page) = self.post(path, fields).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path} {fields:?}: {page}");
        self.get(&to).await.1
    }
}

/// The demo, a browser that follows nothing by itself, and the folder that goes with the last of them.
async fn demo() -> (Program, Browser, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let launch = Launch { binary: crate::BINARY.into(), dir: dir.path().to_owned(), args: vec!["--demo".into()], env: Vec::new() };
    let program = Program::start(&launch, &allclear_trial::world::client()).await.unwrap();
    let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(20)).build().unwrap();
    let browser = Browser { client, url: program.url.trim_end_matches('/').to_owned() };
    (program, browser, dir)
}

/// A verb, its fields, and a word that the log has then.
type Step = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Verbs of the forms that a page has, by its attributes.
fn verbs(page: &str, base: &str) -> Vec<String> {
    let mut found: Vec<String> = page
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.strip_prefix(base)?.strip_prefix('/').map(ToOwned::to_owned))
        .collect();
    found.sort();
    found.dedup();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_works_without_a_script() {
    let (mut program, browser, _dir) = demo().await;

    // Declared by hand; a refusal shows the form again with what was typed.
    let (status, _, page) = browser.post("/declare", &[("title", " "), ("service", "checkout"), ("severity", "sev2")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("This was not done") && page.contains("value=\"checkout\" selected"), "{page}");
    let (_, other, _) = browser.post("/declare", &[("title", "The same again")]).await;
    let other = other.trim_start_matches("/incidents/").to_owned();
    let (_, base, _) = browser
        .post("/declare", &[("title", "Forms without a script"), ("severity", "sev2"), ("service", "checkout"), ("page", "1")])
        .await;
    assert!(base.starts_with("/incidents/INC-"), "{base}");

    // What another organisation may be told is given to it as a file.
    let (_, given, _) = browser.post("/declare", &[("title", "For them to keep"), ("severity", "sev4"), ("service", "checkout")]).await;
    browser.does(&format!("{given}/party"), &[("organisation", "cert"), ("reference", ""), ("liaison", "")]).await;
    let (status, _, file) = browser.post(&format!("{given}/export"), &[("organisation", "cert")]).await;
    assert!(status == StatusCode::OK && file.contains("\"signature\""), "{status} {file}");
    browser.does(&format!("{given}/cancel"), &[("why", "It was a try")]).await;
    // How it stands to another, and whose it is.
    let (_, apart, _) = browser.post("/declare", &[("title", "Apart from it"), ("severity", "sev3"), ("service", "checkout")]).await;
    for (verb, fields, wanted) in [
        ("relate", vec![("pick", other.as_str()), ("to", ""), ("is", "parent"), ("follow", "1")], "is the parent of this; its updates"),
        ("follow", vec![("state", "stopped")], "are not updates of this one any more"),
        ("follow", vec![], "are updates of this one"),
        ("unrelate", vec![("to", other.as_str())], "is not the parent of this any more"),
        ("transfer", vec![("to", "team:platform"), ("why", "It is the database")], "offered it to team Platform: It is the database"),
        ("task", vec![("text", "Another matter")], "Another matter"),
        ("transfer", vec![("state", "withdrawn"), ("why", "")], "does not offer it to team Platform any more"),
    ] {
        let page = browser.does(&format!("{apart}/{verb}"), &fields).await;
        assert!(page.contains(wanted), "{verb} {fields:?}: {page}");
    }
    // A part of it becomes one of its own, and whoever splits it off lands there.
    let (status, to, _) = browser.post(&format!("{apart}/split"), &[("title", "Another matter altogether"), ("tasks:1", "1")]).await;
    assert!(status == StatusCode::SEE_OTHER && to.starts_with("/incidents/INC-") && to != apart, "{status} {to}");
    let part = browser.get(&to).await.1;
    assert!(part.contains("Split from INC-") && part.contains("Another matter"), "{part}");
    browser.does(&format!("{to}/cancel"), &[("why", "It was a try")]).await;
    browser.does(&format!("{apart}/cancel"), &[("why", "It was a try as well")]).await;
    // Each verb of each form that the page ever shows, with a word that its log then has.
    let steps: &[Step] = &[
        ("acknowledge", &[], "Ana Ruiz acknowledged"),
        ("give_back", &[("why", "The wrong one")], "it counts as not acknowledged: The wrong one"),
        ("acknowledge", &[], "Ana Ruiz acknowledged"),
        // Whoever acknowledges first commands until somebody else does.
        ("role", &[("role", "commander"), ("do", "leave")], "Ana Ruiz is no longer commander"),
        ("role", &[("role", "commander"), ("do", "take")], "Ana Ruiz is commander now"),
        ("role", &[("role", "scribe"), ("do", "offer"), ("person", "ben")], "Ana Ruiz asked Ben Okafor to be scribe"),
        ("severity", &[("severity", "sev1"), ("why", "It spreads")], "It spreads"),
        ("pause_clock", &[("waiting_for", "other"), ("why", "A part by train")], "waiting for something else: A part by train"),
        ("resume_clock", &[], "resumed the clocks to mitigate and resolve"),
        (
            "party",
            &[("organisation", "cert"), ("reference", "CERT-9"), ("liaison", "ben")],
            "brought in National CERT; their reference is CERT-9",
        ),
        ("request", &[("organisation", "cert"), ("text", "Who else has it?"), ("within", "30m")], "Who else has it?"),
        ("answer", &[("request", "1"), ("state", "answered"), ("text", "Two others")], "answered request 1, says Ana Ruiz: Two others"),
        ("want", &[("what", "Paper charts"), ("quantity", "2"), ("organisation", "cert"), ("within", "2h")], "asked for 2 × Paper charts"),
        ("resource", &[("resource", "1"), ("state", "arrived"), ("text", "in the red folder")], "in the red folder"),
        ("potential", &[("severity", "sev1"), ("why", "It may reach every ward")], "It may reach every ward"),
        ("assess", &[("impact", "high"), ("urgency", "high"), ("why", "More than one site")], "More than one site"),
        ("type", &[("type", "ward"), ("why", "Wards work on paper")], "Wards work on paper"),
        ("field", &[("field", "cause"), ("value", "Vendor")], "Vendor"),
        ("field", &[("field", "patients"), ("value", "40")], "40"),
        ("marking", &[("marking", "amber"), ("why", "They help")], "marked the incident TLP:AMBER"),
        ("note", &[("text", "For them as well"), ("marking", "green")], "TLP:GREEN Ana Ruiz"),
        ("guest", &[("organisation", "cert"), ("state", "revoked")], "revoked the guest link of National CERT"),
        ("party", &[("organisation", "cert"), ("state", "left"), ("why", "")], "National CERT is not part of it any more"),
        (
            "obligation",
            &[("rule", "gdpr")],
            "Breach of personal data may apply (obligation 1, in force), says Ana Ruiz: decide whether it does",
        ),
        (
            "awareness",
            &[("obligation", "1"), ("decision", "applies"), ("why", "Records left the house"), ("aware_at", "")],
            "decided: Breach of personal data applies, aware since",
        ),
        (
            "submission",
            &[
                ("obligation", "1"),
                ("report", "1"),
                ("item:1", "1"),
                ("item:3", "1"),
                ("reference", "DPA-7"),
                ("evidence", ""),
                ("submitted_by", ""),
            ],
            "submitted Breach of personal data: notification at",
        ),
        ("task", &[("text", "Roll back"), ("owner", "ben"), ("within", "15m")], "Roll back"),
        ("task", &[("task", "1"), ("owner", "cho"), ("state", "")], "Task 1 is Cho Min-ji"),
        (
            "task",
            &[("task", "1"), ("text", "Roll back twice"), ("within", "1h")],
            "changed task 1: Roll back twice (it was: Roll back); due at",
        ),
        ("task", &[("task", "1"), ("state", "done"), ("note", "Rolled back")], "finished task 1"),
        ("plan", &[("plan", "outage")], "Ana Ruiz started the plan Payments outage (version 2): 6 tasks"),
        ("task", &[("task", "3"), ("state", "done")], "finished task 3"),
        ("task", &[("task", "2"), ("state", "dropped"), ("note", "Everybody knows")], "dropped task 2: Everybody knows"),
        ("recovery", &[("item", "1"), ("state", "done")], "says that it holds: Nine of ten payments"),
        ("recovery", &[("item", "2"), ("state", "waived"), ("why", "Nobody paid twice")], "): Nobody paid twice"),
        ("decision", &[("text", "Fail over"), ("reversible", "1")], "Fail over"),
        (
            "decision",
            &[("whole", "1"), ("question", "Back to the first site?"), ("options", "Yes\nNo"), ("text", "No"), ("review_within", "30m")],
            "No (question: Back to the first site?; between: Yes; No)",
        ),
        ("revisit", &[("decision", "2"), ("outcome", "withdrawn"), ("note", "It is repaired")], "It is repaired"),
        ("hypothesis", &[("text", "The disk is full")], "supposes (hypothesis 1): The disk is full"),
        ("hypothesis", &[("hypothesis", "1"), ("tried", "Looked"), ("result", "12 % used")], "tried for hypothesis 1: Looked: 12 % used"),
        ("hypothesis", &[("hypothesis", "1"), ("state", "rejected"), ("why", "There is room")], "is not the cause: There is room"),
        ("update", &[("text", "We are on it"), ("next_within", "30m")], "We are on it"),
        ("note", &[("text", "<script>noted</script>")], "&lt;script&gt;noted&lt;/script&gt;"),
        ("note", &[("text", "First call"), ("happened_at", "2026-01-05T08:00")], "First call (happened at 5 Jan 2026 08:00:00"),
        ("affect", &[("service", "identity"), ("impact", "partial"), ("why", "")], "Sign-in is affected: partial"),
        (
            "service",
            &[("service", "identity"), ("why", "It starts there")],
            "; nobody else is paged, since somebody has it: It starts there",
        ),
        ("snooze", &[("until", ""), ("within", "30m")], "Ana Ruiz asks to be reminded at"),
        ("time", &[("instant", "impact_started"), ("at", "2026-01-05T08:00"), ("why", "From the graphs")], "From the graphs"),
        ("rename", &[("title", "Renamed by a form")], "Renamed by a form"),
        ("restrict", &[("why", "Names of customers")], "Names of customers"),
        ("admit", &[("person", "fay"), ("why", "She knows them")], "Fay Lindqvist"),
        ("open_up", &[("why", "No names left")], "No names left"),
        ("escalate", &[("whom", "escalation:platform"), ("why", "The database too")], "The database too"),
        ("escalate", &[("whom", "person:dana"), ("why", "She wrote it")], "She wrote it"),
        ("responders", &[("whom", "person:dana"), ("why", "She knows the racks"), ("within", "20m")], "She knows the racks"),
        ("responder", &[("request", "1"), ("answer", "cancel")], "cancelled request 1 for responders"),
        ("mitigate", &[("note", "Half of it works")], "Half of it works"),
        ("resolve", &[("note", "All of it works")], "All of it works"),
        ("reopen", &[("why", "It came back")], "It came back"),
        ("resolve", &[("note", ""), ("waive", "It held all the time")], "): It held all the time"),
    ];
    let mut shown = Vec::new();
    for (verb, fields, wanted) in steps {
        shown.extend(verbs(&browser.get(&base).await.1, &base));
        let mut fields = fields.to_vec();
        let sure;
        if *verb == "guest" {
            // A link that is made is shown on the page that answers, and not again.
            let (status, _, page) = browser.post(&format!("{base}/{verb}"), &[("organisation", "cert")]).await;
            assert!(status == StatusCode::OK && page.contains("Copy it now: it is not shown again"), "{page}");
            let (above, _) = page.split_once("class=\"tabs\"").expect("the page has tabs");
            for words in ["Guest link for <bdi>National CERT</bdi>, works until ", "readonly value=\"http"] {
                assert!(above.contains(words), "{words} stands above the tabs: {above}");
            }
            assert!(!browser.get(&base).await.1.contains("/guest/"), "it is not shown again");
        }
        if *verb == "request" {
            let choice = choice_of(&browser.get(&base).await.1, "Which other organisations may read this request");
            assert!(choice[0] == "none" && choice[1].ends_with("TLP:AMBER+STRICT"), "{choice:?}");
        }
        if *verb == "marking" {
            let strict_to_wide = ["TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"];
            let page = browser.get(&base).await.1;
            let form = page.split(&format!("action=\"{base}/marking\"")).nth(1).expect("the form of the marking");
            let choice = choice_of(form, "How far it may go");
            assert_eq!((choice[0].as_str(), &choice[1..]), ("Choose", &strict_to_wide.map(String::from)[..]), "nobody has said");
        }
        if *verb == "update" {
            // Its second step shows who gets it.
            let (status, _, page) = browser.post(&format!("{base}/{verb}"), &fields).await;
            assert!(status == StatusCode::OK && page.contains("No audience is ticked"), "{page}");
            sure = hidden(&page, "sure").to_owned();
            fields.push(("sure", &sure));
        }
        let page = browser.does(&format!("{base}/{verb}"), &fields).await;
        assert!(page.contains(wanted), "{verb} {fields:?}: {page}");
    }
    let after = browser.get(&base).await.1;
    shown.extend(verbs(&after, &base));
    // It ends with these; a review may have been asked for by its severity.
    if !after.contains("/reviews/rev_") {
        browser.does(&format!("{base}/review"), &[]).await;
    }
    browser.does(&format!("{base}/close"), &[("waive", "its review comes later")]).await;
    // What was noted late is marked, and the mark is taken away again; what is closed takes late facts.
    let page = browser.does(&format!("{base}/note"), &[("text", "Known a week later")]).await;
    assert!(page.contains("Ana Ruiz, after it was closed: Known a week later"), "{page}");
    let key = format!("{base}?key");
    assert!(!browser.get(&key).await.1.contains("Known a week later"), "a note is no key event by itself");
    let (entry, _) = page.split("name=\"entry\" value=\"").last().unwrap().split_once('"').unwrap();
    browser.does(&format!("{base}/mark"), &[("entry", entry)]).await;
    assert!(browser.get(&key).await.1.contains("after it was closed: Known a week later"));
    browser.does(&format!("{base}/mark"), &[("entry", entry), ("unmark", "1")]).await;
    assert!(!browser.get(&key).await.1.contains("after it was closed: Known a week later"));
    // What is refused is shown by its form, with what was typed; an address of a form leads back.
    let (status, _, page) = browser.post(&format!("/incidents/{other}/merge"), &[("into", "INC-99999")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("There is no incident `INC-99999`") && page.contains("value=\"INC-99999\""), "{page}");
    assert_eq!(browser.get(&format!("/incidents/{other}/merge")).await.0, StatusCode::SEE_OTHER);
    // It is merged into one that is chosen from the open ones, and the browser is led there; the merged one names it.
    let (_, third, _) = browser.post("/declare", &[("title", "Where the work goes on")]).await;
    let third = third.trim_start_matches("/incidents/").to_owned();
    let page = browser.get(&format!("/incidents/{other}")).await.1;
    assert!(page.contains(&format!("<option value=\"{third}\">")), "{page}");
    let (_, to, _) = browser.post(&format!("/incidents/{other}/merge"), &[("pick", &third), ("into", "")]).await;
    assert_eq!(to, format!("/incidents/{third}"));
    let page = browser.get(&format!("/incidents/{other}")).await.1;
    assert!(page.contains(&format!("href=\"/incidents/{third}\"")) && page.contains("Where the work goes on"), "{page}");
    shown.extend(verbs(&page, &format!("/incidents/{other}")));
    let page = browser.does(&format!("/incidents/{other}/take_apart"), &[]).await;
    assert!(page.contains("took it apart from"), "{page}");
    browser.does(&format!("/incidents/{third}/cancel"), &[("why", "It was a try")]).await;
    browser.does(&format!("/incidents/{other}/cancel"), &[("why", "It was the same")]).await;
    shown.sort();
    shown.dedup();
    let tried: Vec<&str> = steps
        .iter()
        .map(|(verb, ..)| *verb)
        .chain([
            "close",
            "review",
            "cancel",
            "merge",
            "declare",
            "mark",
            "take_apart",
            "relate",
            "transfer",
            "split",
            "order",
            "move",
            "export",
            "restored",
        ])
        .collect();
    // How far a service is back is said by its form in the story of recovery.
    let missed: Vec<&String> = shown.iter().filter(|verb| !tried.contains(&verb.as_str())).collect();
    assert!(missed.is_empty(), "forms without a step here: {missed:?}");

    // What is learned, and who is on call.
    let page = browser.does("/actions", &[("text", "Alert earlier"), ("owner", "dana"), ("due", "2036-12-04"), ("incident", &other)]).await;
    assert!(page.contains("Alert earlier") && page.contains("Thu 4 Dec 2036"), "{page}");
    let action = page.split("<strong><bdi>Alert earlier").next().unwrap().rsplit("data-key=\"").next().unwrap().split('"').next().unwrap();
    let page = browser.does(&format!("/actions/{action}/assign"), &[("owner", "ben")]).await;
    assert!(page.contains("Ben Okafor"));
    browser.does(&format!("/actions/{action}/done"), &[("note", "An alert on the third failure")]).await;
    let incident = browser.get(&base).await.1;
    let review = format!("/reviews/{}", incident.split("/reviews/").nth(1).unwrap().split('"').next().unwrap());
    browser.does(&format!("{review}/edit"), &[("text", "# Kept\r\nas a draft")]).await;
    browser.does(&format!("{review}/assign"), &[("owner", "ben")]).await;
    let page = browser.does(&format!("{review}/publish"), &[("text", "# What we learned\r\n- <b>nothing</b>")]).await;
    assert!(page.contains("<h2>What we learned</h2>") && page.contains("<li>&lt;b&gt;nothing&lt;/b&gt;</li>"), "{page}");
    let take = [("schedule", "platform-primary"), ("person", "ana"), ("from", "2036-12-04T09:00"), ("to", "2036-12-04T17:00")];
    let page = browser.does("/on-call/override", &take).await;
    assert!(page.contains("4 Dec 2036"), "{page}");
    // In the calendar of a schedule a time is picked, what it changes is shown, and somebody is put on.
    let base = "/on-call/schedules/platform-primary";
    let picked = "?view=week&at=2036-12-08&from=2036-12-10T09:00&to=2036-12-10T17:00&person=ben&effect=replaces";
    let (status, page) = browser.get(&format!("{base}{picked}")).await;
    assert!(status == StatusCode::OK && page.contains("What it changes") && page.contains("Europe/Prague"), "{page}");
    let put = [
        ("view", "week"),
        ("at", "2036-12-08"),
        ("person", "eli"),
        ("effect", "replaces"),
        ("from", "2036-12-10T09:00"),
        ("to", "2036-12-10T17:00"),
    ];
    let page = browser.does(&format!("{base}/override"), &put).await;
    assert!(page.contains("8 Dec – 14 Dec 2036") && page.contains("override ovr-"), "{page}");
    // Turns of its own stand in the place of its layers for a time, and are taken back.
    let season = [
        ("view", "week"),
        ("at", "2036-12-15"),
        ("name", "Season"),
        ("from", "2036-12-16T09:00"),
        ("to", "2036-12-18T09:00"),
        ("people.0", "ben"),
        ("every", "1d"),
        ("handoff", "09:00"),
    ];
    let page = browser.does(&format!("{base}/temporary"), &season).await;
    let one = page.split("/temporary/").nth(1).unwrap().split("/end").next().unwrap().to_owned();
    assert!(page.contains("Season") && page.contains("temporary schedule"), "{page}");
    let page = browser.does(&format!("{base}/temporary/{one}/end"), &[("view", "week"), ("at", "2036-12-15")]).await;
    assert!(!page.contains("Season"), "{page}");
    assert!(browser.get("/search?q=renamed+by").await.1.contains("Renamed by a form"));

    // Another site's form changes nothing.
    assert_eq!(browser.ask("/declare", &[("title", "Forged")], "cross-site").await.status(), StatusCode::FORBIDDEN);
    assert!(!browser.get("/").await.1.contains("Forged"));
    program.stop().await.unwrap();
}

/// What the choice of a labelled field shows, in its order.
fn choice_of(page: &str, label: &str) -> Vec<String> {
    let form = page.split(&format!("<span>{label}")).nth(1).unwrap_or_else(|| panic!("no field {label}: {page}"));
    let select = form.split("</select>").next().unwrap();
    select.split("<option").skip(1).map(|option| option.split(['>', '<']).nth(1).unwrap().to_owned()).collect()
}

/// The hidden fields of a page that its forms send back, by name; the first of each.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no field {name}: {page}"));
    rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_sent_twice_is_carried_out_once() {
    let (mut program, browser, _dir) = demo().await;

    let once = hidden(&browser.get("/declare").await.1, "once").to_owned();
    let declare = [("title", "Tapped twice"), ("severity", "sev2"), ("once", once.as_str())];
    // At the same time, and once more when the answer did not come.
    let (first, second) = tokio::join!(browser.post("/declare", &declare), browser.post("/declare", &declare));
    let third = browser.post("/declare", &declare).await;
    assert_eq!([first.0, second.0, third.0], [StatusCode::SEE_OTHER; 3]);
    assert_eq!(browser.get("/search?q=tapped+twice").await.1.matches("Tapped twice").count(), 1);
    let (_, page) = browser.get(&third.1).await;
    assert!(page.contains("Tapped twice"), "every answer leads to it: {}", third.1);
    let base = format!("/incidents/{}", page.split("<title>").nth(1).unwrap().split(' ').next().unwrap());

    let once = hidden(&page, "once").to_owned();
    let note = [("text", "said once"), ("once", once.as_str())];
    let path = format!("{base}/note");
    let (first, second) = tokio::join!(browser.post(&path, &note), browser.post(&path, &note));
    assert_eq!((first.0, second.0), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    let resolve = [("note", ""), ("once", once.as_str())];
    let path = format!("{base}/resolve");
    let (first, second) = tokio::join!(browser.post(&path, &resolve), browser.post(&path, &resolve));
    assert_eq!((first.0, second.0), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER), "{} {}", first.2, second.2);
    let page = browser.get(&base).await.1;
    assert_eq!(page.matches("said once").count(), 1, "{page}");
    // The next page is another one, and says the same thing again where somebody means it.
    let again = [("text", "said once"), ("once", hidden(&page, "once"))];
    assert_eq!(browser.does(&format!("{base}/note"), &again).await.matches("said once").count(), 2);
    program.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_over_what_they_have_not_read_is_told_and_keeps_their_text() {
    let (mut program, browser, _dir) = demo().await;
    let (_, base, _) = browser.post("/declare", &[("title", "Two writers"), ("severity", "sev3")]).await;
    browser.does(&format!("{base}/resolve"), &[]).await;
    let page = browser.does(&format!("{base}/review"), &[]).await;
    let review = format!("/reviews/{}", page.split("/reviews/").nth(1).unwrap().split('"').next().unwrap());

    let mine = hidden(&browser.get(&review).await.1, "seen").to_owned();
    // The log grows under a draft that nobody has edited, which is no other text.
    browser.does(&format!("{base}/note"), &[("text", "one more thing")]).await;
    let page = browser.does(&format!("{review}/edit"), &[("text", "# By one"), ("seen", &mine)]).await;
    let theirs = hidden(&page, "seen").to_owned();
    let (status, _, page) = browser.post(&format!("{review}/edit"), &[("text", "# By another"), ("seen", &mine)]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("Somebody changed this review") && page.contains("# By another") && page.contains("<h2>By one</h2>"), "{page}");
    assert_eq!(hidden(&page, "seen"), theirs, "sending it again writes over what is shown now");
    // The same form once more, as from a second tap, is the same answer and no quarrel with oneself.
    let publish = [("text", "# By both"), ("seen", theirs.as_str()), ("once", "1")];
    for _ in 0..2 {
        browser.does(&format!("{review}/publish"), &publish).await;
    }

    let reference = base.trim_start_matches("/incidents/");
    let add = [("text", "Mend it"), ("owner", "dana"), ("due", "2036-12-04"), ("incident", reference)];
    let page = browser.does("/actions", &add).await;
    let action = page.split("<strong><bdi>Mend it").next().unwrap().rsplit("data-key=\"").next().unwrap().split('"').next().unwrap();
    let of_it = page.split(&format!("data-key=\"{action}\"")).nth(1).unwrap();
    let seen = hidden(of_it, "seen").to_owned();
    for _ in 0..2 {
        browser.does(&format!("/actions/{action}/assign"), &[("owner", "ben"), ("seen", &seen), ("once", "1")]).await;
    }
    let (status, _, page) = browser.post(&format!("/actions/{action}/done"), &[("note", "mended"), ("seen", &seen)]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("Somebody changed this action") && page.contains("mended"), "{page}");
    let (status, _, page) = browser.post("/actions", &[("text", "Of nothing"), ("owner", "ben"), ("due", "2036-12-04")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Name the incident that taught it"), "{page}");
    program.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_without_an_incident_is_linked_from_a_list() {
    let world = crate::world().await;
    world.signal(serde_json::json!({"title": "only noted", "dedup_key": "n", "severity": "info"})).await;
    world.command("/incidents", serde_json::json!({"title": "by hand", "page": false})).await.ok();
    let reference = world.incident().await["ref"].as_str().unwrap().to_owned();
    let cookie = crate::sign_in::sign_in_as(&world, "ana").await;
    let page = crate::sign_in::get_as(&world, &cookie, &format!("/incidents/{reference}/alerts")).await.text;
    assert!(page.contains("only noted"), "{page}");
    let alert = page.split("name=\"alert\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let once = hidden(&page, "once");
    let path = format!("/incidents/{reference}/link");
    assert_eq!(crate::sign_in::post_form(&world, &path, Some(&cookie), &[("alert", alert), ("once", once)]).await.status, 303);
    assert_eq!(allclear_trial::world::items(&world.api(&format!("/incidents/{reference}/alerts")).await).len(), 1);
    let page = crate::sign_in::get_as(&world, &cookie, &format!("/incidents/{reference}/alerts")).await.text;
    assert!(page.contains("Every open alert has its incident"), "{page}");
    let refused = crate::sign_in::post_form(&world, &path, Some(&cookie), &[("alert", "alt_nothing")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("This was not done") && refused.text.contains("alt_"), "{}", refused.text);
}
