//! Organisations from dice: people who can be told and people who cannot, rotations with gaps,
//! policies with empty steps, routes of every kind, silences that come and go.
//!
//! Every route matches one value of the label `kind`, so that [`expected`] can say what must
//! become of a signal without the rules it is there to check.

use allclear_domain::channel::Address;
use allclear_domain::incident::Severity;
use allclear_domain::org::forms::calendar::CalendarForm;
use allclear_domain::org::forms::organisation::{Organisation, OrganisationKind};
use allclear_domain::org::forms::role::Role;
use allclear_domain::org::forms::service_target::ServiceTarget;
use allclear_domain::org::model::{
    Audience, Bundle, Contact, Declare, Effect, Escalation, Integration, Layer, Notify, NotifyEntry, NotifyUrgency, OneOf, Override,
    Person, Plan, PlanTask, Restriction, Route, RouteSet, Schedule, Service, SeverityForm, Silence, Step, Team, When,
};
use allclear_domain::time::{Length, after};
use allclear_domain::tlp::Tlp;
use allclear_domain::wire::{SenderSeverity, Signal};
use allclear_engine::core::silences;
use allclear_store::{Write, rows};
use jiff::{SignedDuration, Timestamp};

use crate::ports::Dice;

/// Integrations of every world; the first re-sends with an end, the second does not.
pub const INTEGRATIONS: [&str; 2] = ["prom", "duty"];
/// Values of the label `kind`; the last have no route.
pub const KINDS: u64 = 8;
/// Values of the label `host`, which silences match.
pub const HOSTS: u64 = 4;
/// Audiences of every world.
pub const AUDIENCES: u64 = 3;
const ZONES: [&str; 4] = ["Europe/Madrid", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"];

/// An organisation at its start.
#[must_use]
pub fn organisation(dice: &mut Dice, now: Timestamp) -> Bundle {
    let people: Vec<Person> = (0..dice.between(2, 7)).map(|n| person(dice, n)).collect();
    let ids: Vec<String> = people.iter().map(|p| p.id.clone()).collect();
    let teams = (0..2)
        .map(|n| Team { id: format!("team{n}"), name: format!("Team {n}"), members: some_of(dice, &ids), managers: Vec::new() })
        .collect();
    let schedules: Vec<Schedule> = (0..3).map(|n| schedule(dice, n, &ids)).collect();
    let escalations = (0..3).map(|n| policy(dice, n, &ids)).collect();
    let services = (0..3)
        .map(|n| Service {
            id: format!("svc{n}"),
            name: format!("Service {n}"),
            rto: None,
            mtpd: None,
            team: None,
            escalation: (!dice.chance(120)).then(|| format!("pol{}", dice.below(3))),
            tier: None,
            depends_on: Vec::new(),
            runbook: None,
        })
        .collect();
    let integrations = INTEGRATIONS
        .iter()
        .map(|id| Integration {
            id: (*id).to_owned(),
            name: None,
            kind: "json".into(),
            key: None,
            secret: None,
            service: (!dice.chance(150)).then(|| format!("svc{}", dice.below(3))),
            every: None,
            grace: None,
        })
        .collect();
    let mut bundle = Bundle {
        people,
        teams,
        schedules,
        escalations,
        services,
        integrations,
        routes: (0..KINDS - 2).map(|n| route(dice, n)).collect(),
        catch_all: catch_all(dice, &ids),
        ..Bundle::default()
    };
    if dice.chance(300) {
        let urgency = if dice.chance(500) { NotifyUrgency::High } else { NotifyUrgency::Low };
        bundle.severities.push(SeverityForm {
            id: Severity::Sev4,
            name: None,
            notify: Some(urgency),
            update_every: None,
            review_within: None,
            acknowledgement_lasts: None,
            acknowledge_within: None,
            resolve_within: None,
        });
    }
    if dice.chance(400) {
        bundle.overrides.push(replacement(dice, &ids, now, 0));
    }
    if dice.chance(600) {
        bundle.silences.push(silence(dice, now, 0));
    }
    bundle
}

/// Managers, audiences and cadences, from dice of their own.
pub fn coordinated(dice: &mut Dice, bundle: &mut Bundle) {
    let ids: Vec<String> = bundle.people.iter().map(|p| p.id.clone()).collect();
    for team in &mut bundle.teams {
        team.managers = some_of(dice, &ids);
    }
    for service in &mut bundle.services {
        service.team = dice.chance(800).then(|| format!("team{}", dice.below(2)));
    }
    let address = |dice: &mut Dice, n: u64| Contact {
        id: format!("list{n}"),
        address: Address::of([("email", format!("list{n}@example.org"))]),
        verified: dice.chance(800),
    };
    bundle.audiences = (0..AUDIENCES)
        .map(|n| Audience {
            id: format!("aud{n}"),
            name: None,
            people: some_of(dice, &ids),
            teams: if dice.chance(400) { vec![format!("team{}", dice.below(2))] } else { Vec::new() },
            contacts: (0..dice.below(3)).map(|n| address(dice, n)).collect(),
        })
        .collect();
    if dice.chance(300) && !bundle.severities.iter().any(|form| form.id == Severity::Sev2) {
        bundle.severities.push(SeverityForm {
            id: Severity::Sev2,
            name: None,
            notify: None,
            update_every: Some(Length::from_mins(*dice.pick(&[5, 20, 90]))),
            review_within: dice.chance(500).then(|| Length::from_mins(dice.between(60, 3_000))),
            acknowledgement_lasts: dice.chance(500).then(|| Length::from_mins(*dice.pick(&[0, 20, 90]))),
            acknowledge_within: None,
            resolve_within: None,
        });
    }
    targets(bundle);
    organisations(bundle);
    for policy in &mut bundle.escalations {
        policy.again_every = dice.chance(400).then(|| Length::from_mins(*dice.pick(&[0, 15, 120])));
    }
    bundle.roles = positions(dice);
    bundle.plans = plans();
}

/// Two plans: of steps that wait for each other, and of one that asks for people. No dice are thrown for them.
fn plans() -> Vec<Plan> {
    let task = |id: &str, within: u64, after: &[&str]| PlanTask {
        id: id.into(),
        text: "do it".into(),
        role: Some("scribe".into()),
        person: None,
        within: (within > 0).then(|| Length::from_mins(within)),
        after: after.iter().map(|id| (*id).to_owned()).collect(),
        link: None,
        question: None,
        options: Vec::new(),
        deed: None,
    };
    let plan = |id: &str, tasks| Plan {
        id: id.into(),
        name: None,
        owner: None,
        version: None,
        review_by: None,
        matches: String::new(),
        roles: Vec::new(),
        involve: Vec::new(),
        ask: Vec::new(),
        tasks,
        updates: Vec::new(),
        recovery: Vec::new(),
        links: Vec::new(),
        decisions: None,
        obligations: Vec::new(),
    };
    let steps = vec![task("a", 10, &[]), task("b", 20, &["a"]), task("c", 0, &["a"]), task("d", 5, &["b", "c"])];
    let asks = Plan {
        roles: vec!["scribe".into()],
        involve: vec!["team:team0".into()],
        recovery: vec!["it holds".into()],
        ..plan("asks", vec![task("a", 30, &[])])
    };
    vec![plan("steps", steps), asks]
}

/// Roles that somebody has to have, of those that are given here, and one of the organisation's own.
fn positions(dice: &mut Dice) -> Vec<Role> {
    let mut roles = Vec::new();
    for id in ["commander", "scribe", "medic"] {
        if dice.chance(400) {
            roles.push(Role {
                id: id.to_owned(),
                name: None,
                duties: Vec::new(),
                exclusive: None,
                needed_from: Some(*dice.pick(&[Severity::Sev1, Severity::Sev3, Severity::Sev4])),
                within: Some(Length::from_mins(dice.between(1, 30))),
                from: dice.chance(700).then(|| format!("team:team{}", dice.below(2))),
                deputy: dice.chance(300).then(|| "communications".to_owned()),
                relief_after: dice.chance(500).then(|| Length::from_mins(dice.between(0, 120))),
            });
        }
    }
    roles
}

/// Two other organisations, of which one may be told more; in every other organisation. No dice are thrown for it, so that a world
/// without runs as it did.
fn organisations(bundle: &mut Bundle) {
    if bundle.people.len().is_multiple_of(2) {
        return;
    }
    let contacts = bundle.people.iter().map(|person| person.contacts.clone()).find(|contacts| !contacts.is_empty()).unwrap_or_default();
    let one = |id: &str, tlp| Organisation {
        id: id.to_owned(),
        name: id.to_uppercase(),
        kind: OrganisationKind::Vendor,
        contacts: contacts.clone(),
        hours: bundle.calendars.first().map(|calendar| calendar.id.clone()).filter(|_| id == "org1"),
        reference: None,
        tlp,
    };
    bundle.organisations = vec![one("org0", None), one("org1", Some(Tlp::AmberStrict))];
}

/// Times to keep, of one service beside the others and in the open hours of an office; in every other organisation. No dice
/// are thrown for it, so that a world without runs as it did.
fn targets(bundle: &mut Bundle) {
    if bundle.people.len().is_multiple_of(2) {
        return;
    }
    let minutes = |minutes: u64| Some(Length::from_mins(minutes));
    let target = |id: &str, severity, services: &[&str]| ServiceTarget {
        id: id.into(),
        severity,
        services: services.iter().map(|id| (*id).to_owned()).collect(),
        acknowledge: minutes(4),
        engage: minutes(12),
        mitigate: minutes(40),
        resolve: minutes(180),
        calendar: None,
    };
    let office = ServiceTarget { calendar: Some("office".into()), ..target("third", Severity::Sev3, &[]) };
    bundle.targets = vec![
        target("first", Severity::Sev1, &[]),
        ServiceTarget { acknowledge: None, ..target("second", Severity::Sev2, &["svc1"]) },
        target("second-others", Severity::Sev2, &[]),
        office,
    ];
    let hours =
        Restriction { days: ["Mon", "Tue", "Wed", "Thu", "Fri"].map(ToOwned::to_owned).to_vec(), from: "09:00".into(), to: "17:00".into() };
    bundle.calendars = vec![CalendarForm {
        id: "office".into(),
        name: None,
        time_zone: "Europe/Madrid".into(),
        hours: vec![hours],
        holidays: Vec::new(),
        ics: None,
        public_holidays: Vec::new(),
    }];
}

/// How long an acknowledgement lasts while nobody does anything, by the contract.
#[must_use]
pub fn lasts(org: &Bundle, severity: Severity) -> Option<Length> {
    let form = org.severities.iter().find(|form| form.id == severity);
    let said = form.and_then(|form| form.acknowledgement_lasts).or(match severity {
        Severity::Sev1 => Some(Length::from_mins(30)),
        Severity::Sev2 => Some(Length::from_mins(60)),
        Severity::Sev3 | Severity::Sev4 | Severity::Sev5 => None,
    });
    said.filter(|length| !length.is_zero())
}

/// How long after it was exhausted a page comes back, by the contract.
#[must_use]
pub fn again(policy: Option<&Escalation>, urgency: NotifyUrgency) -> Option<Length> {
    let by_urgency = if urgency == NotifyUrgency::High { 30 } else { 24 * 60 };
    Some(policy.and_then(|policy| policy.again_every).unwrap_or(Length::from_mins(by_urgency))).filter(|length| !length.is_zero())
}

/// Who answers for an incident that nobody has: the managers of the team that took it over, else of its service's, else of the teams in
/// its policy.
#[must_use]
pub fn managers(org: &Bundle, taken: Option<&str>, service: Option<&str>, escalation: Option<&str>) -> Vec<String> {
    let of_team = |id: &str| org.teams.iter().find(|team| team.id == id).map(|team| team.managers.clone()).unwrap_or_default();
    let team = org.services.iter().find(|form| Some(form.id.as_str()) == service).and_then(|form| form.team.clone());
    let taken = taken.map(of_team).unwrap_or_default();
    let own = if taken.is_empty() { team.map(|team| of_team(&team)).unwrap_or_default() } else { taken };
    let named = if own.is_empty() {
        let policy = org.escalations.iter().find(|policy| Some(policy.id.as_str()) == escalation);
        let targets = policy.iter().flat_map(|policy| &policy.steps).flat_map(|step| &step.page);
        // No rota here belongs to a team.
        targets.filter_map(|target| target.strip_prefix("team:")).flat_map(of_team).collect()
    } else {
        own
    };
    named.into_iter().map(|id| format!("person:{id}")).collect()
}

/// How often a severity asks for updates, by the contract: half an hour for the two worst, an hour for
/// sev3, unless the organisation says otherwise.
#[must_use]
pub fn cadence(org: &Bundle, severity: Severity) -> Option<Length> {
    let form = org.severities.iter().find(|form| form.id == severity);
    form.and_then(|form| form.update_every).or(match severity {
        Severity::Sev1 | Severity::Sev2 => Some(Length::from_mins(30)),
        Severity::Sev3 => Some(Length::from_mins(60)),
        Severity::Sev4 | Severity::Sev5 => None,
    })
}

/// The organisation after somebody changed it.
#[must_use]
pub fn changed(dice: &mut Dice, old: &Bundle, now: Timestamp, n: u64) -> (Bundle, &'static str) {
    let mut new = old.clone();
    let ids: Vec<String> = new.people.iter().map(|p| p.id.clone()).collect();
    let what = match dice.below(9) {
        0 if new.people.len() > 1 => {
            let at = usize::try_from(dice.below(new.people.len() as u64)).unwrap_or(0);
            new.people.remove(at);
            "somebody left"
        }
        1 => {
            let at = usize::try_from(dice.below(3)).unwrap_or(0);
            let steps = &mut new.escalations[at].steps;
            steps.truncate(steps.len().saturating_sub(1).max(1));
            "a policy was shortened"
        }
        2 => {
            let at = usize::try_from(dice.below(3)).unwrap_or(0);
            new.escalations[at] = policy(dice, at as u64, &ids);
            "a policy was rewritten"
        }
        3 | 4 => {
            new.silences.push(silence(dice, now, n));
            "a silence was set"
        }
        5 if !new.silences.is_empty() => {
            new.silences.pop();
            "a silence was removed"
        }
        6 => {
            new.overrides.push(replacement(dice, &ids, now, n));
            "somebody took over"
        }
        7 => {
            new.catch_all = catch_all(dice, &ids);
            "the catch-all was changed"
        }
        _ => {
            let at = usize::try_from(dice.below(new.people.len() as u64)).unwrap_or(0);
            let id = new.people[at].id.clone();
            new.people[at] = Person { id, ..person(dice, 0) };
            "somebody changed their contacts"
        }
    };
    (new, what)
}

/// Some silences are planned, and some end early.
pub(crate) fn plan_silences(dice: &mut Dice, bundle: &mut Bundle, now: Timestamp) {
    let (planned, ended) = (dice.chance(250), dice.chance(150));
    let minutes = dice.between(1, 40);
    if planned && let Some(last) = bundle.silences.last_mut().filter(|last| last.ends_at > now) {
        last.starts_at = after(now, Length::from_mins(minutes));
        last.ends_at = after(last.starts_at, Length::from_mins(45));
    }
    if ended && let Some(first) = bundle.silences.iter_mut().find(|one| one.starts_at < now && one.ends_at > now) {
        first.ends_at = now;
    }
}

/// What a change of the silences writes beside the forms.
pub(crate) fn writes_of_silences(old: &Bundle, new: &Bundle, version: u64, now: Timestamp) -> Vec<Write> {
    if old.silences == new.silences {
        return Vec::new();
    }
    let mut out = vec![rows::expectation::open(&silences::when_changed(version, now))];
    for silence in new.silences.iter().filter(|silence| !old.silences.contains(silence)) {
        let begins = silences::when_it_begins(version, &silence.id, silence.starts_at, now);
        out.extend(begins.map(|begins| rows::expectation::open(&begins)));
    }
    out
}

fn person(dice: &mut Dice, n: u64) -> Person {
    let contact = |id: &str, email: bool, verified: bool| Contact {
        id: id.to_owned(),
        address: Address::of([if email {
            ("email", format!("{id}{n}@example.org"))
        } else {
            ("webhook", format!("https://push.example.org/{n}"))
        }]),
        verified,
    };
    let entry = |id: &str, secs: u64| NotifyEntry { contact: id.to_owned(), after: Length::from_secs(secs) };
    let (contacts, notify) = match dice.below(10) {
        0 => (Vec::new(), Notify::default()),
        1 => (vec![contact("mail", true, false)], Notify::default()),
        2 | 3 => (vec![contact("push", false, true)], Notify::default()),
        4 => (vec![contact("push", false, true), contact("mail", true, true)], Notify::default()),
        5 => (
            vec![contact("push", false, false), contact("mail", true, true)],
            Notify { high: vec![entry("push", 0), entry("mail", 120)], low: vec![] },
        ),
        _ => (
            vec![contact("push", false, true), contact("mail", true, true)],
            Notify {
                high: vec![entry("push", *dice.pick(&[0, 0, 30])), entry("mail", *dice.pick(&[60, 120, 400]))],
                low: if dice.chance(500) { vec![entry("mail", 0)] } else { Vec::new() },
            },
        ),
    };
    Person {
        id: format!("p{n}"),
        name: format!("Person {n}"),
        email: None,
        time_zone: None,
        access: None,
        contacts,
        notify,
        public_holidays: Vec::new(),
        shift_notices: Vec::new(),
    }
}

fn some_of(dice: &mut Dice, ids: &[String]) -> Vec<String> {
    ids.iter().filter(|_| dice.chance(450)).cloned().collect()
}

fn schedule(dice: &mut Dice, n: u64, ids: &[String]) -> Schedule {
    let every = *dice.pick(&["1w", "1d", "2d", "6h", "1h", "1mo", "1wd"]);
    let mut people = some_of(dice, ids);
    people.push(dice.pick(ids).clone());
    let only = if dice.chance(300) { vec![Restriction { days: Vec::new(), from: "09:00".into(), to: "17:00".into() }] } else { Vec::new() };
    Schedule {
        id: format!("rota{n}"),
        name: None,
        team: None,
        time_zone: (*dice.pick(&ZONES)).to_owned(),
        external_calendars: Vec::new(),
        layers: vec![Layer {
            name: None,
            people,
            every: every.parse().unwrap_or(Length::from_secs(86_400).into()),
            elapsed: every.ends_with('h') && dice.chance(300),
            calendar: None,
            handoff: match every {
                "1w" => "Mon 09:00".into(),
                "1mo" => "31 09:00".into(),
                _ => "09:00".into(),
            },
            starts: jiff::civil::date(2026, 1, 5),
            ends: None,
            only,
        }],
    }
}

fn policy(dice: &mut Dice, n: u64, ids: &[String]) -> Escalation {
    let steps = (0..dice.between(1, 4))
        .map(|_| Step {
            when: dice
                .chance(200)
                .then(|| When { severity: Some(*dice.pick(&[Severity::Sev1, Severity::Sev2, Severity::Sev3])), ..When::default() }),
            one_of: dice.chance(200).then_some(OneOf::RoundRobin),
            // Of a ring one is asked, and whatever it says counts as one.
            acknowledged_by: *dice.pick(&[1, 1, 1, 1, 2, 3]),
            ..Step::of(
                (0..dice.between(1, 2)).map(|_| target(dice, ids)).collect(),
                Length::from_secs(*dice.pick(&[60, 120, 300, 300, 900])),
            )
        })
        .collect();
    Escalation {
        id: format!("pol{n}"),
        name: None,
        steps,
        repeat: u32::try_from(*dice.pick(&[0, 0, 1, 2])).unwrap_or(0),
        again_every: None,
    }
}

fn target(dice: &mut Dice, ids: &[String]) -> String {
    match dice.below(8) {
        0 => "person:nobody".into(),
        1 | 2 => format!("team:team{}", dice.below(2)),
        3 | 4 => format!("person:{}", dice.pick(ids)),
        _ => format!("schedule:rota{}", dice.below(3)),
    }
}

fn catch_all(dice: &mut Dice, ids: &[String]) -> Vec<String> {
    if dice.chance(600) { vec![target(dice, ids)] } else { Vec::new() }
}

fn route(dice: &mut Dice, n: u64) -> Route {
    let grouped = dice.chance(500);
    let waits = dice.chance(300);
    Route {
        id: Some(format!("r{n}")),
        matches: format!("kind=\"k{n}\""),
        set: RouteSet {
            service: dice.chance(400).then(|| format!("svc{}", dice.below(3))),
            severity: dice.chance(300).then(|| *dice.pick(&Severity::ALL)),
            group_by: grouped.then(|| if dice.chance(500) { vec!["zone".to_owned()] } else { Vec::new() }),
            group_wait: waits.then(|| Length::from_secs(*dice.pick(&[10, 30, 60]))),
            grace: [None, Some(Length::ZERO), Some(Length::from_mins(20))][usize::try_from(n % 3).unwrap_or(0)],
            ..RouteSet::default()
        },
        declare: match dice.below(10) {
            0 | 1 => Some(Declare::Candidate),
            2 => Some(Declare::Record),
            3..=6 => Some(Declare::Declare),
            _ => None,
        },
        go_on: false,
    }
}

fn replacement(dice: &mut Dice, ids: &[String], now: Timestamp, n: u64) -> Override {
    let effect = match dice.below(5) {
        0 => Effect::Nobody,
        1 => Effect::Adds,
        _ => Effect::Replaces,
    };
    Override {
        id: format!("ovr{n}"),
        schedule: format!("rota{}", dice.below(3)),
        effect,
        person: if effect == Effect::Nobody { String::new() } else { dice.pick(ids).clone() },
        starts_at: now,
        ends_at: after(now, Length::from_mins(dice.between(30, 600))),
        made: n,
        made_by: None,
    }
}

fn silence(dice: &mut Dice, now: Timestamp, n: u64) -> Silence {
    let back = SignedDuration::from_mins(i64::try_from(dice.below(30)).unwrap_or(0));
    Silence {
        id: format!("sil{n}"),
        matches: format!("host=\"h{}\"", dice.below(HOSTS)),
        starts_at: now.checked_sub(back).unwrap_or(now),
        ends_at: after(now, Length::from_mins(dice.between(5, 120))),
        comment: "work".into(),
        created_by: "p0".into(),
        integration: None,
    }
}

/// What must become of a signal, said without the rules of triage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Declare, propose or record.
    pub decision: Declare,
    /// How bad.
    pub severity: Severity,
    /// Whose.
    pub service: Option<String>,
    /// Route and values that gather alerts.
    pub group: Option<String>,
    /// How long its page waits.
    pub wait: Length,
    /// Within which time of its end it comes back to the incident it had.
    pub grace: Length,
    /// Whether a silence suppresses it.
    pub silenced: bool,
}

/// See [`Expected`]: the contract's defaults, for routes and silences of the one form made here.
#[must_use]
pub fn expected(org: &Bundle, integration: &str, signal: &Signal, now: Timestamp) -> Expected {
    let label = |name: &str| signal.labels.get(name).cloned().unwrap_or_default();
    let wanted = format!("kind=\"{}\"", label("kind"));
    let route = org.routes.iter().find(|route| route.matches == wanted);
    let own = org.integrations.iter().find(|i| i.id == integration).and_then(|i| i.service.clone());
    let mapped = match signal.severity {
        Some(SenderSeverity::Critical) => Severity::Sev2,
        Some(SenderSeverity::Warning) => Severity::Sev4,
        Some(SenderSeverity::Info) => Severity::Sev5,
        Some(SenderSeverity::Error) | None => Severity::Sev3,
    };
    let by_default = if route.is_none() && signal.severity == Some(SenderSeverity::Info) { Declare::Record } else { Declare::Declare };
    let service = route.and_then(|r| r.set.service.clone()).or(own);
    Expected {
        decision: route.and_then(|r| r.declare).unwrap_or(by_default),
        severity: route.and_then(|r| r.set.severity).unwrap_or(mapped),
        group: route.and_then(|r| {
            let names = r.set.group_by.as_ref()?;
            let values: Vec<String> = names.iter().map(|name| label(name)).collect();
            Some(format!("{}/{}/{}", r.matches, service.clone().unwrap_or_default(), values.join("/")))
        }),
        service,
        wait: route.and_then(|r| r.set.group_wait).unwrap_or(Length::ZERO),
        grace: route.and_then(|r| r.set.grace).unwrap_or(Length::from_mins(5)),
        silenced: org.silences.iter().any(|s| s.matches == format!("host=\"{}\"", label("host")) && s.starts_at <= now && now < s.ends_at),
    }
}
