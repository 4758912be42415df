//! Nothing leaves above its level: over ten thousand views of generated incidents, each of whose words is looked for in what
//! an organisation reads behind its link, in what a message to it says, and in what members of the house read.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

use allclear_domain::access::{Actor, Guest, Marked, Principal, Scope, may_read};
use allclear_domain::channel::WaysOut;
use allclear_domain::event::Mode;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::partners::RequestState;
use allclear_domain::incident::{
    self, Command, Context, Declaration, Incident, access, decisions, declaration, parties, record, resources, roles, sharing, updates,
};
use allclear_domain::org::snapshot::Org;
use allclear_domain::severity::Severity;
use allclear_domain::time::{EARLIEST, Length, after};
use allclear_domain::timeline::{self, Names};
use allclear_domain::tlp::Tlp;
use allclear_domain::view::{EventView, GuestView, notice_for};

/// Generated incidents; each is read by every organisation and every member of the house, in several ways.
const INCIDENTS: u64 = 1_000;
/// Views at least, as the practice asks for.
const VIEWS_MIN: usize = 10_000;
/// What is written in each incident.
const ENTRIES: u64 = 12;

/// One organisation of each level, and one that says none.
const ORGANISATIONS: [(&str, Option<Tlp>); 6] = [
    ("none", None),
    ("clear", Some(Tlp::Clear)),
    ("green", Some(Tlp::Green)),
    ("amber", Some(Tlp::Amber)),
    ("strict", Some(Tlp::AmberStrict)),
    ("red", Some(Tlp::Red)),
];

fn org() -> Org {
    let organisations: Vec<_> = ORGANISATIONS
        .iter()
        .map(|(id, tlp)| serde_json::json!({"id": id, "name": id.to_uppercase(), "kind": "partner", "tlp": tlp}))
        .collect();
    let bundle = serde_json::json!({
        "people": [{"id": "ana", "name": "Ana"}, {"id": "ben", "name": "Ben"}, {"id": "cho", "name": "Cho"},
                   {"id": "adm", "name": "Adm", "access": "administrator"}],
        "teams": [{"id": "t", "name": "T", "members": ["ana", "ben"], "managers": ["cho"]}],
        "services": [{"id": "shop", "name": "Shop", "team": "t"}],
        "organisations": organisations,
    });
    Org::build(1, serde_json::from_value(bundle).unwrap(), WaysOut::NONE)
}

/// Small, seeded, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn level(&mut self, of: &[Tlp]) -> Option<Tlp> {
        let at = usize::try_from(self.below(of.len() as u64 + 2)).unwrap();
        of.get(at).copied()
    }
}

/// A word that was planted, and how it may be found.
struct Secret {
    word: String,
    /// As it was marked, or as the incident was then; nothing where nobody had said anything.
    level: Option<Tlp>,
    /// Who wrote it.
    by: String,
    /// The organisation that was asked with it.
    asked: Option<&'static str>,
}

/// An incident with words in it.
struct Told {
    org: Org,
    incident: Incident,
    events: Vec<EventView>,
    secrets: Vec<Secret>,
    title: String,
}

impl Told {
    fn run(&mut self, actor: &Actor, command: impl Into<Command>) {
        let (cadence, lasts) = ([None; 5], [None; 5]);
        let at = after(EARLIEST, Length::from_mins(60 + self.events.len() as u64));
        let context = Context {
            now: at,
            org_version: 1,
            cadence,
            lasts,
            roles: self.org.roles(),
            plans: &[],
            types: &[],
            services: &[],
            matrix: &allclear_domain::org::matrix::Matrix::of(&[]),
            org: &self.org,
            review_open: false,
        };
        for event in incident::decide(Some(&self.incident), command.into(), context).unwrap() {
            self.incident = incident::evolve(Some(self.incident.clone()), self.incident.id, &event, actor, at, Mode::Live);
            self.events.push(EventView {
                seq: self.events.len() as i64 + 1,
                stream: self.incident.id.to_string(),
                version: self.events.len() as u64 + 1,
                incident: Some(self.incident.id.to_string()),
                kind: event.kind().to_owned(),
                at,
                recorded_at: at,
                actor: actor.to_string(),
                cause: "test".into(),
                line: timeline::line(&Names::new(&self.org, &actor.to_string()), event.kind(), event.v(), Some(&event.body())),
                body: serde_json::from_str(&event.body()).unwrap(),
                marking: incident::goes_as_far_as(&event, &self.incident),
            });
        }
    }
}

fn generated(seed: u64) -> Told {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let title = format!("title{seed}q");
    let new = Declaration {
        id: IncidentId::from_bits(u128::from(seed)),
        reference: format!("INC-{seed}"),
        title: title.clone(),
        severity: Severity::Sev3,
        service: Some("shop".into()),
        escalation: None,
        group_key: None,
        alert: None,
        because: "a test".into(),
        impact_started_at: None,
        detected_at: None,
        group_wait: Length::ZERO,
        attend_within: None,
        exercise: false,
        basis: None,
        assumed: None,
    };
    let org = org();
    let at = after(EARLIEST, Length::from_mins(30));
    let context = Context {
        now: at,
        org_version: 1,
        cadence: [None; 5],
        lasts: [None; 5],
        roles: org.roles(),
        plans: &[],
        types: &[],
        services: &[],
        matrix: &allclear_domain::org::matrix::Matrix::of(&[]),
        org: &org,
        review_open: false,
    };
    let begun = incident::decide(None, declaration::Command::Declare(new).into(), context).unwrap();
    let incident = incident::evolve(None, IncidentId::from_bits(u128::from(seed)), &begun[0], &Actor::System, at, Mode::Live);
    let mut told = Told { org, incident, events: Vec::new(), secrets: Vec::new(), title };
    let (ana, ben) = (Actor::Person("ana".into()), Actor::Person("ben".into()));
    told.run(&ana, roles::Command::Take { role: "commander".into(), person: "ana".into(), why: None });
    for (id, _) in ORGANISATIONS {
        told.run(&ana, parties::Command::Join { organisation: id.into(), reference: None, liaison: None });
        told.run(&ana, sharing::Command::MakeLink { organisation: id.into(), within: None });
    }
    let at_most_strict = &Tlp::ALL[..4];
    for n in 0..ENTRIES {
        let word = format!("word{seed}z{n}q");
        let (writer, marking) = (if dice.below(2) == 0 { &ana } else { &ben }, dice.level(&Tlp::ALL));
        let mut secret = Secret { word: word.clone(), level: marking.or(told.incident.work.marking), by: writer.to_string(), asked: None };
        match dice.below(9) {
            0 => {
                let level = dice.level(at_most_strict).unwrap_or(Tlp::Amber);
                told.run(&ana, sharing::Command::Mark { marking: level, why: word });
                // What says so goes as far as it says; a marking that was there already is not said again.
                let said = told.events.last().filter(|event| event.line.contains(&secret.word));
                secret.level = said.and_then(|event| event.marking);
                if said.is_none() {
                    continue;
                }
            }
            1 => told.run(writer, updates::Command::Post { audiences: Vec::new(), text: word, next_within: None, marking }),
            2 => {
                let asked = ORGANISATIONS[usize::try_from(dice.below(6)).unwrap()].0;
                let marking = marking.filter(|level| *level != Tlp::Red);
                // Others that take part read of it what somebody marked so.
                (secret.level, secret.asked) = (marking, Some(asked));
                told.run(writer, parties::Command::Ask { organisation: asked.into(), text: word, within: None, due_at: None, marking });
            }
            3 => {
                let by = ORGANISATIONS[usize::try_from(dice.below(6)).unwrap()].0;
                let actor = Actor::Organisation(by.into());
                (secret.level, secret.by) = (None, actor.to_string());
                told.run(&actor, sharing::Command::Say { organisation: by.into(), text: word });
            }
            4 if !told.incident.work.partners.requests.is_empty() => {
                let open =
                    told.incident.work.partners.open_requests(None).next().map(|request| (request.request, request.organisation.clone()));
                let Some((request, of)) = open else { continue };
                let asked = ORGANISATIONS.iter().find(|(id, _)| *id == of).unwrap().0;
                (secret.level, secret.asked) = (None, Some(asked));
                let heard =
                    parties::Command::Hear { request, state: RequestState::Answered, text: Some(word), reference: None, happened_at: None };
                told.run(writer, heard);
            }
            5 => {
                // What was decided stays in the house, however far the incident goes.
                secret.level = None;
                let made = decisions::Decide { text: word, ..decisions::Decide::default() };
                told.run(writer, decisions::Command::Decide(made));
            }
            6 => {
                let asked = ORGANISATIONS[usize::try_from(dice.below(6)).unwrap()].0;
                (secret.level, secret.asked) = (None, Some(asked));
                let organisation = Some(asked.to_owned());
                told.run(writer, resources::Command::Want { what: word, quantity: 1, organisation, place: None, within: None });
            }
            7 if !told.incident.work.resources.is_empty() => {
                // What is noted of a resource is the house's, also towards whoever sends it.
                secret.level = None;
                let (said, text) = (resources::Said::OnTheWay, Some(word));
                let (organisation, within, reference, happened_at) = (None, None, None, None);
                told.run(writer, resources::Command::Move { resource: 1, said, organisation, within, reference, text, happened_at });
            }
            _ => told.run(writer, record::Command::Note { text: word, happened_at: None, marking }),
        }
        told.secrets.push(secret);
    }
    if dice.below(8) == 0 {
        told.run(&ana, access::Command::Restrict { why: "names".into(), people: vec!["ana".into()] });
    }
    told
}

#[test]
fn nothing_leaves_above_its_level_and_what_may_be_read_is_read() {
    let mut views = 0;
    for seed in 1..=INCIDENTS {
        let told = generated(seed);
        let private = told.incident.private;
        for (id, level) in ORGANISATIONS {
            let level = level.unwrap_or(Tlp::Clear);
            let who = Principal::of_guest(Guest { incident: told.incident.id, organisation: id.into() });
            let view = GuestView::of(&told.org, &who, &told.incident, &told.events).unwrap();
            let page = serde_json::to_string(&view).unwrap();
            let message = serde_json::to_string(&notice_for(&told.org, &told.incident, id, EARLIEST)).unwrap();
            views += 2;
            let may_know = !private && told.incident.work.marking.is_some_and(|marking| marking <= level);
            assert_eq!(page.contains(&told.title), may_know, "{seed} {id}: the title behind the link");
            assert_eq!(message.contains(&told.title), may_know, "{seed} {id}: the title in a message");
            for secret in &told.secrets {
                let own = secret.by == format!("organisation:{id}") || secret.asked == Some(id);
                let may = own || (!private && secret.level.is_some_and(|marking| marking <= level));
                assert_eq!(page.contains(&secret.word), may, "{seed}: {id} at {level} and {} at {:?}", secret.word, secret.level);
                assert!(!message.contains(&secret.word), "{seed} {id}: {}", secret.word);
            }
        }
        for (id, leads) in [("ana", true), ("ben", false), ("cho", true), ("adm", true)] {
            let who = Principal::new(Actor::Person(id.into()), Scope::Admin);
            let reads = |event: &&EventView| {
                let said = Marked { marking: event.marking, by: &event.actor };
                may_read(&told.org, &who, &told.incident.facts(), &told.incident.work.leads(), said)
            };
            let log: String = told.events.iter().filter(reads).map(|event| event.line.as_str()).collect();
            views += 1;
            for secret in &told.secrets {
                let may = leads || secret.level != Some(Tlp::Red) || secret.by == format!("person:{id}");
                assert_eq!(log.contains(&secret.word), may, "{seed}: {id} and {} at {:?}", secret.word, secret.level);
            }
        }
    }
    assert!(views >= VIEWS_MIN, "{views}");
}
