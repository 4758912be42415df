//! The gate: whatever a door asks of the engine, and whatever it reads, those who may not get nothing and change nothing.

use std::collections::BTreeSet;

use allclear_domain::access::{Denied, Guest, Held};
use allclear_domain::ids::{ActionId, AlertId, IncidentId, MessageId, PageId, ReviewId};
use allclear_domain::incident::{access, affected, attendance, ending, parties, record, relations, roles, sharing, transfers};
use allclear_domain::{action, review};
use allclear_engine::core::{Declare, Versioned};
use allclear_engine::read::learning::ActionFilter;
use allclear_engine::read::{AlertFilter, NoAnswer};

use super::*;

fn person(id: &str, scope: Scope) -> Principal {
    Principal::new(Actor::Person(id.to_owned()), scope)
}

/// A private incident with all that hangs on one, ended; a private one that runs; and one that everybody sees.
struct Scene {
    ended: IncidentId,
    open: IncidentId,
    public: IncidentId,
    page: PageId,
    public_page: PageId,
    review: ReviewId,
    action: ActionId,
    /// An alert of a private incident.
    alert: AlertId,
}

impl World {
    async fn by(&self, who: &Principal, command: Command) -> Result<Reply, Refusal> {
        let input = Input { who: who.clone(), cause: "api".into(), once: None, command };
        let reply = self.engine.submit(input).await;
        self.engine.quiet().await;
        reply
    }

    async fn declared(&self, title: &str, private: bool) -> IncidentId {
        let (title, service) = (title.to_owned(), Some("shop".to_owned()));
        let declare = Declare {
            title,
            severity: Some(Severity::Sev1),
            known: Default::default(),
            service,
            impact_started_at: None,
            page: true,
            private,
            report: false,
        };
        match self.by(&person("ana", Scope::Respond), Command::Declare(declare)).await.unwrap() {
            Reply::Incident { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    async fn page_of(&self, id: IncidentId) -> PageId {
        let pages = self.engine.queries(&Principal::own(Actor::System)).pages(id).await.unwrap();
        pages[0].id.parse().unwrap()
    }

    async fn scene(&self) -> Scene {
        let ana = person("ana", Scope::Respond);
        let (ended, open, public) =
            (self.declared("ours", true).await, self.declared("ours too", true).await, self.declared("all", false).await);
        let page = self.page_of(open).await;
        let public_page = self.page_of(public).await;
        let due = action::Until::Instant(self.engine.now() + jiff::SignedDuration::from_hours(48));
        let (text, owner) = ("mend it".to_owned(), "ana".to_owned());
        let Reply::Action { id: action } = self.by(&ana, Command::AddAction { incident: ended, text, owner, due }).await.unwrap() else {
            panic!("an action")
        };
        self.by(&ana, Command::incident(ended, ending::Command::Resolve { note: None, waive: None })).await.unwrap();
        let all = Principal::own(Actor::System);
        let review = self.engine.queries(&all).review_of(ended).await.unwrap().id.parse().unwrap();
        self.signal(SignalAction::Trigger, "hidden", &[]).await.unwrap();
        let alert = self.engine.queries(&all).alerts(AlertFilter::default(), 50).await.unwrap().remove(0);
        let of_alert = alert.incident.as_deref().unwrap().parse().unwrap();
        let restrict = access::Command::Restrict { why: "ours".into(), people: Vec::new() };
        self.by(&ana, Command::incident(of_alert, restrict)).await.unwrap();
        let alert = alert.id.parse().unwrap();
        Scene { ended, open, public, page, public_page, review, action, alert }
    }
}

/// Ana goes there.
fn move_of(to: IncidentId) -> allclear_engine::core::Move {
    allclear_engine::core::Move { person: "ana".into(), to, why: "w".into(), instead: None, uncovered: true }
}

impl Scene {
    /// One of each command that somebody asks for, on what is private.
    fn commands(&self) -> Vec<(&'static str, Command)> {
        let note = || record::Command::Note { text: "seen".into(), happened_at: None, marking: None };
        let of_page = |command| Command::Page { id: self.page, command };
        let acknowledge = || paging::Command::Acknowledge { by: Some("ben".into()), via: "api".into() };
        let due = action::Until::Instant(from_micros(1_900_000_000_000_000));
        vec![
            ("note", Command::incident(self.open, note())),
            ("acknowledge", Command::incident(self.open, attendance::Command::Acknowledge { by: None, via: "api".into() })),
            ("admit", Command::incident(self.open, access::Command::Admit { people: vec!["ben".into()], why: "me".into() })),
            ("make it private", Command::incident(self.open, access::Command::Restrict { why: "w".into(), people: vec!["ben".into()] })),
            (
                "take a role over",
                Command::incident(
                    self.open,
                    roles::Command::Take { role: "commander".into(), person: "ben".into(), why: Some("mine".into()) },
                ),
            ),
            ("change its service", {
                let set = affected::Command::SetService { service: "shop".into(), escalation: None, why: None };
                Command::incident(self.open, set)
            }),
            ("bring an organisation in", {
                Command::incident(self.open, parties::Command::Join { organisation: "cert".into(), reference: None, liaison: None })
            }),
            ("ask an organisation", {
                let (organisation, text) = ("cert".to_owned(), "help".to_owned());
                Command::incident(self.open, parties::Command::Ask { organisation, text, within: None, due_at: None, marking: None })
            }),
            ("make a guest link", Command::incident(self.open, sharing::Command::MakeLink { organisation: "cert".into(), within: None })),
            ("say how far it may go", {
                Command::incident(self.open, sharing::Command::Mark { marking: allclear_domain::tlp::Tlp::Clear, why: "w".into() })
            }),
            ("link its alert", Command::LinkAlert { id: self.public, alert: self.alert }),
            ("merge it", Command::Merge { from: self.open, into: self.public }),
            ("merge into it", Command::Merge { from: self.public, into: self.open }),
            ("relate it", {
                let is = allclear_domain::incident::related::Relation::Related;
                Command::Relate { id: self.public, to: self.open, is, follow: false }
            }),
            ("split it", {
                let (tasks, alerts, services) = (BTreeSet::from([1]), BTreeSet::new(), Vec::new());
                let split = allclear_engine::core::Split { title: "t".into(), severity: None, alerts, tasks, services, to: None };
                Command::Split { id: self.open, split }
            }),
            ("order a part of it", Command::Order { id: self.open, part: self.public, rank: Some(1), why: Some("w".into()) }),
            ("make it a part in an order", Command::Order { id: self.public, part: self.open, rank: Some(1), why: Some("w".into()) }),
            ("move somebody out of it", {
                let asked = move_of(self.public);
                Command::Move { id: self.open, asked }
            }),
            ("move somebody to it", {
                let asked = move_of(self.open);
                Command::Move { id: self.public, asked }
            }),
            ("end its relation", Command::Unrelate { id: self.public, from: self.open }),
            ("hand it over", {
                let offer = transfers::Command::Offer { to: "team:t".into(), why: "w".into(), offered: None };
                Command::incident(self.open, offer)
            }),
            ("follow its parent", Command::incident(self.open, relations::Command::Follow)),
            ("take it apart", Command::TakeApart { from: self.open }),
            ("escalate", Command::Escalate { id: self.open, escalation: None, why: "now".into() }),
            ("page people", Command::PagePeople { id: self.open, targets: vec!["person:ben".into()], why: "now".into() }),
            ("ask for a review", Command::AskReview { id: self.ended }),
            ("add an action", Command::AddAction { incident: self.ended, text: "t".into(), owner: "ben".into(), due }),
            ("write the review", Command::Review { id: self.review, command: review::Command::Edit { text: "t".into() } }),
            ("publish it", Command::Review { id: self.review, command: review::Command::Publish { text: "t".into() } }),
            ("finish the action", Command::Action { id: self.action, command: action::Command::Finish { note: None } }),
            ("acknowledge the page", of_page(acknowledge())),
            ("decline the page", of_page(paging::Command::Decline { by: "adm".into(), via: "api".into(), answers: None, why: None })),
            (
                "at a version",
                Command::IfVersion {
                    of: Versioned::Incident(self.open),
                    version: 999,
                    command: Box::new(Command::incident(self.open, note())),
                },
            ),
            (
                "at the version of another",
                Command::IfVersion {
                    of: Versioned::Incident(self.open),
                    version: 999,
                    command: Box::new(Command::incident(self.public, note())),
                },
            ),
        ]
    }
}

/// Those who may not, each with what they hold.
fn those_who_may_not(scene: &Scene) -> Vec<(&'static str, Principal)> {
    let link = |page, incident| Principal::of_link("ben", Held { page, incident });
    let guest = |incident| Principal::of_guest(Guest { incident, organisation: "cert".into() });
    vec![
        ("a responder who was not admitted", person("ben", Scope::Respond)),
        ("with a token of all scopes", person("ben", Scope::Admin)),
        ("an observer", person("obs", Scope::Admin)),
        ("a guest", person("gus", Scope::Admin)),
        ("somebody who was removed", person("gone", Scope::Admin)),
        ("a token that stands for nobody", Principal::new(Actor::Token(allclear_domain::ids::TokenId::from_bits(1)), Scope::Respond)),
        ("a sender", Principal::new(Actor::Integration("other".into()), Scope::Read)),
        ("the link of another page", link(scene.public_page, scene.public)),
        // Which may be told everything, and sees no more of the house than its own part.
        ("an organisation by the link of it", guest(scene.open)),
        ("an organisation by the link of another", guest(scene.public)),
    ]
}

async fn world() -> (World, Scene) {
    let world = World::new("sqlite::memory:").await;
    let mut org: serde_json::Value = serde_json::from_str(ORG).unwrap();
    let people = org["people"].as_array_mut().unwrap();
    people.push(serde_json::json!({"id": "obs", "name": "Obs", "access": "observer"}));
    people.push(serde_json::json!({"id": "gus", "name": "Gus", "access": "guest"}));
    people.push(serde_json::json!({"id": "adm", "name": "Adm", "access": "administrator"}));
    org["organisations"] = serde_json::json!([{"id": "cert", "name": "CERT", "kind": "agency", "tlp": "red"}]);
    // Only she is paged: whoever is paged is admitted.
    org["escalations"] = serde_json::json!([{"id": "main", "steps": [{"page": ["person:ana"], "within": "5m"}]}]);
    org["catch_all"] = serde_json::json!(["person:ana"]);
    let bundle: Bundle = serde_json::from_value(org).unwrap();
    world.engine.apply_org(bundle, None, true, &Principal::own(Actor::System)).await.unwrap();
    let scene = world.scene().await;
    (world, scene)
}

#[tokio::test]
async fn no_command_of_those_who_may_not_is_carried_out() {
    let (world, scene) = world().await;
    let all = Principal::own(Actor::System);
    let before = world.engine.queries(&all).newest_seq().await.unwrap();
    for (name, who) in those_who_may_not(&scene) {
        for (what, command) in scene.commands() {
            let refusal = world.by(&who, command).await.expect_err(&format!("{name}: {what}"));
            assert!(
                matches!(
                    refusal,
                    Refusal::NoSuchIncident
                        | Refusal::NoSuchPage
                        | Refusal::NoSuchReview
                        | Refusal::NoSuchAction
                        | Refusal::NoSuchAlert
                        | Refusal::Denied(_)
                ),
                "{name}: {what}: {refusal:?}"
            );
        }
    }
    assert_eq!(world.engine.queries(&all).newest_seq().await.unwrap(), before, "nothing was written");
    // The same commands, by somebody who may, come further than the gate.
    for (what, command) in scene.commands().into_iter().filter(|(what, _)| *what != "at the version of another") {
        let reply = world.by(&person("adm", Scope::Respond), command).await;
        let gate = matches!(
            reply,
            Err(Refusal::Denied(_) | Refusal::NoSuchIncident | Refusal::NoSuchPage | Refusal::NoSuchReview | Refusal::NoSuchAction)
        );
        assert!(!gate, "{what}: {reply:?}");
    }
}

#[tokio::test]
async fn who_only_reads_changes_nothing_of_what_they_see() {
    let (world, scene) = world().await;
    let note = || Command::incident(scene.public, record::Command::Note { text: "seen".into(), happened_at: None, marking: None });
    let declare = || {
        let title = "t".to_owned();
        Command::Declare(Declare {
            title,
            severity: Some(Severity::Sev5),
            known: Default::default(),
            service: None,
            impact_started_at: None,
            page: false,
            private: false,
            report: false,
        })
    };
    for who in [
        person("ana", Scope::Read),
        person("obs", Scope::Admin),
        Principal::of_link("ana", Held { page: scene.public_page, incident: scene.public }),
    ] {
        for command in [note(), declare()] {
            let refusal = world.by(&who, command).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Denied(_)), "{who:?}: {refusal:?}");
        }
    }
    let hidden = Declare {
        title: "t".into(),
        severity: Some(Severity::Sev5),
        known: Default::default(),
        service: None,
        impact_started_at: None,
        page: false,
        private: true,
        report: false,
    };
    let token = Principal::new(Actor::Token(allclear_domain::ids::TokenId::from_bits(1)), Scope::Respond);
    let refusal = world.by(&token, Command::Declare(hidden)).await.unwrap_err();
    assert_eq!(refusal, Refusal::Denied(Denied::WouldNotSeeIt));
}

#[tokio::test]
async fn a_link_answers_its_page_whatever_its_holder_may() {
    let (world, scene) = world().await;
    let link = Principal::of_link("gus", Held { page: scene.page, incident: scene.open });
    let queries = world.engine.queries(&link);
    assert_eq!(queries.page_and_incident(scene.page).await.unwrap().1.title, "ours too");
    assert!(matches!(queries.incident(scene.public).await, Err(NoAnswer::Missing("incident"))));
    assert!(matches!(queries.incidents(IncidentFilter::default(), 10).await, Err(NoAnswer::Denied(_))));
    assert!(matches!(queries.organisation(), Err(NoAnswer::Denied(_))));
    let acknowledge = paging::Command::Acknowledge { by: Some("gus".into()), via: "link".into() };
    world.by(&link, Command::Page { id: scene.page, command: acknowledge }).await.unwrap();
    let seen = world.engine.queries(&Principal::own(Actor::System)).incident(scene.open).await.unwrap();
    assert_eq!(seen.acknowledged_by.as_deref(), Some("gus"));
}

#[tokio::test]
async fn nobody_reads_what_is_not_for_them() {
    let (world, scene) = world().await;
    for (name, who) in those_who_may_not(&scene) {
        let q = world.engine.queries(&who);
        let now = world.engine.now();
        macro_rules! hidden {
            ($($what:literal: $answer:expr),+ $(,)?) => {$(
                let answer = $answer.await.map(drop);
                assert!(matches!(answer, Err(NoAnswer::Missing(_) | NoAnswer::Denied(_))), "{name}: {}: {answer:?}", $what);
            )+};
        }
        hidden! {
            "an incident": q.incident(scene.open),
            "by its reference": q.incident_id("INC-2"),
            "its log": q.events(scene.open, 0, 100),
            "what is awaited": q.expectations(scene.open),
            "its pages": q.pages(scene.open),
            "a page": q.page(scene.page),
            "a page with its incident": q.page_and_incident(scene.page),
            "a page explained": q.explain_page(scene.page),
            "its updates": q.updates(scene.open),
            "a review": q.review(scene.review),
            "the review of it": q.review_of(scene.ended),
            "an action": q.action(scene.action),
            "an alert": q.alert(scene.alert),
            "raw signals": q.signals(None, 10),
            "what is impaired": std::future::ready(q.troubles()),
            "the organisation with its addresses": std::future::ready(q.whole_organisation()),
            "earlier versions of a form": q.form_history(allclear_domain::org::diff::FormKind::Service, "shop"),
            "refused requests": q.refused(None, 10),
            "the forms": q.forms(),
        }
        let ours = [scene.open.to_string(), scene.ended.to_string()];
        if let Ok(list) = q.incidents(IncidentFilter::default(), 50).await {
            assert!(list.iter().all(|one| !ours.contains(&one.id)), "{name}: the list");
        }
        if let Ok(events) = q.events_after(0, 1000).await {
            assert!(events.iter().all(|event| event.incident.as_ref().is_none_or(|id| !ours.contains(id))), "{name}: the stream");
        }
        if let Ok(reviews) = q.reviews(None, None, 50).await {
            assert_eq!(reviews.len(), 0, "{name}: reviews");
        }
        if let Ok(actions) = q.actions(ActionFilter::default(), 50).await {
            assert_eq!(actions.len(), 0, "{name}: actions");
        }
        if let Ok(seen) = q.seen_of(&[scene.open, scene.ended]).await {
            assert_eq!(seen, [], "{name}: which changed");
        }
        if let Ok(alerts) = q.alerts(AlertFilter::default(), 50).await {
            assert_eq!(alerts.len(), 0, "{name}: alerts");
        }
        if let Ok((list, _)) = q.open_incidents(&IncidentFilter::default()).await {
            assert!(list.iter().all(|one| !ours.contains(&one.id)), "{name}: the board");
        }
        if let Ok(count) = q.open_count().await {
            assert!(count <= 1, "{name}: {count} open");
        }
        if let Ok(awaited) = q.awaited(&IncidentFilter::default()).await {
            assert!(awaited.iter().all(|one| ![scene.open, scene.ended].contains(&one.incident)), "{name}: what is awaited");
        }
        if let Ok(of) = q.open_by_service().await {
            assert!(of.values().all(|(count, _)| *count <= 1), "{name}: by service");
        }
        if let Ok(found) = q.trends(now - jiff::SignedDuration::from_hours(24), now).await {
            assert!(found.incidents <= 1, "{name}: trends count {}", found.incidents);
        }
    }
}

#[tokio::test]
async fn what_the_program_does_itself_nobody_asks_for() {
    let (world, scene) = world().await;
    let alien = Arrived {
        integration: "other".into(),
        format: "json",
        received_at: world.engine.now(),
        body: "{}".into(),
        signals: Vec::new(),
        kept: None,
    };
    for who in [Principal::own(Actor::Administrator), person("adm", Scope::Admin), Principal::own(Actor::Integration("prom".into()))] {
        for command in [
            Command::Attend { id: scene.open },
            Command::Withdraw { message: MessageId::from_bits(1) },
            Command::Flush { keys: 1 },
            Command::Canary { message: MessageId::from_bits(1) },
            Command::Sent { tries: Vec::new().into(), outcome: Outcome::Delivered { receipt: "r".into() } },
            Command::TakeOver { lead: MessageId::from_bits(1), messages: Vec::new().into(), why: "w".into() },
            Command::Signals(alien.clone()),
        ] {
            assert_eq!(world.by(&who, command).await, Err(Refusal::Denied(Denied::Ours)), "{who:?}");
        }
    }
    // Nor what follows by itself on something that they may act on.
    for command in [
        Command::incident(scene.open, attendance::Command::Lose { why: "w".into() }),
        Command::incident(scene.open, attendance::Command::EndSnooze),
        Command::incident(scene.open, allclear_domain::incident::alarms::Command::Recover),
        Command::Page { id: scene.page, command: paging::Command::Stop { why: "w".into() } },
        Command::Page { id: scene.page, command: paging::Command::StepTimedOut { round: 1, step: 1, late: false } },
        Command::Review { id: scene.review, command: review::Command::Miss },
        Command::Action { id: scene.action, command: action::Command::Miss },
    ] {
        assert_eq!(world.by(&person("adm", Scope::Admin), command).await, Err(Refusal::Denied(Denied::Ours)));
    }
    // The holder of a link answers for the person it was sent to.
    let link = Principal::of_link("ana", Held { page: scene.page, incident: scene.open });
    for command in [
        paging::Command::Acknowledge { by: Some("ben".into()), via: "link".into() },
        paging::Command::Acknowledge { by: None, via: "link".into() },
        paging::Command::Decline { by: "ben".into(), via: "link".into(), answers: None, why: None },
    ] {
        assert_eq!(world.by(&link, Command::Page { id: scene.page, command }).await, Err(Refusal::Denied(Denied::Link)));
    }
}

#[tokio::test]
async fn only_administrators_change_the_organisation_and_its_ways_in() {
    use allclear_domain::org::diff::{Form, FormKind};
    use allclear_engine::identity::sessions::LinkKind;
    use allclear_engine::org::forms::Seen;

    let (world, _) = world().await;
    let engine = &world.engine;
    let form = || Form { kind: FormKind::Team, id: "t".into(), body: serde_json::json!({"id": "t", "name": "T"}) };
    for who in [person("ben", Scope::Admin), person("ana", Scope::Respond), person("adm", Scope::Respond), person("gone", Scope::Admin)] {
        let name = format!("{who:?}");
        assert!(engine.apply_org(Bundle::default(), None, true, &who).await.is_err(), "{name}");
        assert!(engine.change_form(form(), Seen::Nothing, None, &[], &who).await.is_err(), "{name}");
        assert!(engine.remove_form(FormKind::Service, "shop", Seen::Whatever, &[], &who).await.is_err(), "{name}");
        assert!(engine.detach_form(FormKind::Service, "shop", Seen::Whatever, &who).await.is_err(), "{name}");
        assert!(engine.form_views(None, &who).await.is_err(), "{name}");
        assert!(engine.form_view(FormKind::Service, "shop", &[], &who).await.is_err(), "{name}");
        assert!(engine.form_versions(FormKind::Service, "shop", &who).await.is_err(), "{name}");
        assert!(engine.create_token(&who, "t", Scope::Read, None, None).await.is_err(), "{name}");
        assert!(engine.tokens(&who).await.is_err(), "{name}");
        assert!(engine.revoke_token(&who, allclear_domain::ids::TokenId::from_bits(1)).await.is_err(), "{name}");
        assert!(engine.issue_link(&who, LinkKind::Invitation, Some("adm")).await.is_err(), "{name}");
        assert!(engine.release(&who).await.is_err(), "{name}");
    }
    let version = engine.org().version;
    assert!(engine.change_form(form(), Seen::Nothing, None, &[], &person("adm", Scope::Admin)).await.is_ok());
    assert_eq!(engine.org().version, version + 1, "and of all that only this was carried out");
}

/// A guest who manages a team acts for it, and sees what they declare.
#[tokio::test]
async fn whoever_declares_sees_it() {
    let (world, _) = world().await;
    let mut org: serde_json::Value = serde_json::to_value(world.engine.org().bundle()).unwrap();
    org["teams"] = serde_json::json!([{"id": "other", "name": "Other", "managers": ["gus"]}]);
    let bundle: Bundle = serde_json::from_value(org).unwrap();
    world.engine.apply_org(bundle, None, false, &Principal::own(Actor::System)).await.unwrap();
    let gus = person("gus", Scope::Respond);
    for private in [false, true] {
        let title = "seen from the ward".to_owned();
        let declare = Declare {
            title,
            severity: Some(Severity::Sev5),
            known: Default::default(),
            service: Some("shop".into()),
            impact_started_at: None,
            page: false,
            private,
            report: false,
        };
        let Reply::Incident { id, .. } = world.by(&gus, Command::Declare(declare)).await.unwrap() else { panic!("an incident") };
        assert_eq!(world.engine.queries(&gus).incident(id).await.unwrap().title, "seen from the ward");
    }
}

/// Whoever tries how they are reached wakes nobody else; an alarm in a sender's name is an administrator's.
#[tokio::test]
async fn a_test_goes_to_whoever_asks_and_only_administrators_wake_others() {
    let (world, scene) = world().await;
    let test = |person: &str| Command::TestPage { person: person.to_owned() };
    for (name, who) in those_who_may_not(&scene) {
        let refused = world.by(&who, test("ana")).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{name}: {refused:?}");
        let refused = world.engine.test_alarm(&who, "json", "json", 1).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{name}: {refused:?}");
    }
    for who in [person("ana", Scope::Read), person("adm", Scope::Admin)] {
        assert!(matches!(world.by(&who, test("ana")).await, Ok(Reply::Incident { .. })), "{who:?}");
    }
    let all = Principal::own(Actor::System);
    let queries = world.engine.queries(&all);
    let tests = queries.tests().await.unwrap();
    assert!(tests.len() == 2 && tests.iter().all(|test| test.person == "ana"), "{tests:?}");
    let (board, _) = queries.board(&Default::default()).await.unwrap();
    assert!(board.iter().all(|row| !row.incident.title.contains("Test page")), "a board is of what is real");
    let own = person("ben", Scope::Respond);
    assert_eq!(world.engine.queries(&own).tests().await.unwrap(), [], "everybody sees their own");
}

/// A drill rings people: nobody starts one, or stops another's, who could not be asked why.
#[tokio::test]
async fn a_fire_drill_is_started_and_stopped_by_administrators_and_those_whose_policy_it_is() {
    let (world, scene) = world().await;
    let drill = || Command::Drill { escalation: "main".to_owned(), wait: None };
    for (name, who) in those_who_may_not(&scene) {
        let refused = world.by(&who, drill()).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{name}: {refused:?}");
    }
    let adm = person("adm", Scope::Admin);
    let Ok(Reply::Page { id }) = world.by(&adm, drill()).await else { panic!("an administrator starts it") };
    for (name, who) in those_who_may_not(&scene) {
        let refused = world.by(&who, Command::StopDrill { page: id }).await;
        assert!(matches!(refused, Err(Refusal::Denied(_))), "{name}: {refused:?}");
        assert!(world.engine.queries(&who).drill(id).await.is_ok() == world.engine.queries(&who).organisation().is_ok(), "{name}");
    }
    let of_a_page = world.by(&adm, Command::StopDrill { page: scene.public_page }).await;
    assert!(matches!(of_a_page, Err(Refusal::NoSuchDrill)), "{of_a_page:?}");
    assert!(world.by(&adm, Command::StopDrill { page: id }).await.is_ok());
}
