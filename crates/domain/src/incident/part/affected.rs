//! What an incident affects: its own service, whose policy its pages run, and others, each with how much.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Came, Field, Kind, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::{Context, Decision, Incident, nothing, one, record};
use crate::names::{Names, with_text};

pub use crate::incident::work::Impact;

/// Services that one incident affects at most; what affects more affects everything, and its title says so.
pub const AFFECTED_MAX: usize = 100;

event_kinds! {
    /// A fact; past tense.
    Event {
        ServiceChanged(ServiceChanged) = "service_changed" [Key],
        ImpactChanged(ImpactChanged) = "impact_changed" [Key],
    }
}

/// Body of `service_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceChanged {
    /// Absent where none was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
    /// The policy that its pages run from now on; absent where the service has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// Whether somebody had it, so that nobody else is paged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Body of `impact_changed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpactChanged {
    pub service: String,
    /// Absent where nothing was said of it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Impact>,
    pub to: Impact,
    /// Since when, as somebody said, or as it was hit again; absent where it is since the impact started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It is of this service; the engine says which policy that has.
    SetService { service: String, escalation: Option<String>, why: Option<String> },
    /// A service is affected this much. Since when, where somebody says so: what was hit later than the rest has its own time.
    SetImpact { service: String, impact: Impact, since: Option<Timestamp>, why: Option<String> },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::SetService { .. } | Self::SetImpact { .. } => true,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an incident names at most {max} services: say in its title or an update that more are affected")]
    TooMany { max: usize },
    #[error("what is not affected is so since nothing: leave `since` out, or say how much it is affected")]
    SinceOfNothing,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "too_many_services",
            Self::SinceOfNothing => "since_of_nothing",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Service,
        label: "Change the service",
        says: "It is of another service; where nobody has it, whom that service pages is paged",
        press: "Change it",
        body: "ServiceBody",
        programs: &[Program::of("service").places(&["service"])],
        may: May::Responder,
        fields: &[Field::needed("service", "the service", "Service", Kind::Service).hint("A service's id"), REASON.or_not()],
        ways: &[],
        make: |given, _| command(Command::SetService { service: given.must("service"), escalation: None, why: given.text("why") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Affect,
        label: "Who is affected",
        says: "How much a service is affected: none, degraded, partial or full",
        press: "Set it",
        body: "AffectBody",
        programs: &[Program::of("affect").places(&["service", "impact"])],
        may: May::Responder,
        fields: &[
            Field::needed("service", "the service", "Service", Kind::Service).hint("A service's id"),
            Field::needed("impact", "how much it is affected", "How much", Kind::Choice { name: "Impact", of: &Impact::WORDS }),
            Field::may("since", "since when it is affected", "Since when", Kind::Time)
                .hint("As in 2026-12-24T18:00:00Z; since the impact started where left out. Recovery objectives count from then"),
            REASON.or_not(),
        ],
        ways: &[],
        make: |given, _| {
            let impact = given.as_text("impact").and_then(Impact::from_word).unwrap_or(Impact::Degraded);
            command(Command::SetImpact { service: given.must("service"), impact, since: given.time("since"), why: given.text("why") })
        },
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::SetService { service, escalation, why } => {
            fits(incident, Verb::Service)?;
            if incident.service.as_ref() == Some(&service) {
                return nothing();
            }
            let (from, held) = (incident.service.clone(), incident.is_held());
            one(Event::ServiceChanged(ServiceChanged { from, to: service, escalation, held, why: reason(why)? }))
        }
        Command::SetImpact { service, impact, since, why } => {
            fits(incident, Verb::Affect)?;
            let from = incident.work.affected.get(&service).copied();
            if let Some(since) = since {
                record::has_happened(since, context.now)?;
                if impact == Impact::None {
                    return Err(Refusal::SinceOfNothing.into());
                }
            }
            if from == Some(impact) && since.is_none_or(|since| incident.work.affected_since.get(&service) == Some(&since)) {
                return nothing();
            }
            // What had recovered and is hit again is hit from now on, unless somebody knows better.
            let is_hit_again = from == Some(Impact::None) && impact != Impact::None;
            let since = since.or(Some(context.now).filter(|_| is_hit_again));
            if from.is_none() && incident.work.affected.len() >= AFFECTED_MAX {
                return Err(Refusal::TooMany { max: AFFECTED_MAX }.into());
            }
            one(Event::ImpactChanged(ImpactChanged { service, from, to: impact, since, why: reason(why)? }))
        }
    }
}

fn reason(why: Option<String>) -> Result<Option<String>, words::Refusal> {
    if let Some(why) = &why {
        words::at_most(why, "the reason", NOTE_CHARS_MAX)?;
    }
    Ok(why.filter(|why| !why.trim().is_empty()))
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event) {
    match event {
        Event::ServiceChanged(body) => {
            incident.service = Some(body.to.clone());
            // Whose it is now follows from its service.
            incident.work.transfers.team = None;
            incident.escalation.clone_from(&body.escalation);
        }
        Event::ImpactChanged(body) => {
            incident.work.affected.insert(body.service.clone(), body.to);
            if let Some(since) = body.since {
                incident.work.affected_since.insert(body.service.clone(), since);
            } else if body.to == Impact::None {
                incident.work.affected_since.remove(&body.service);
            }
        }
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::ServiceChanged(body) => {
            let from = body.from.as_deref().map_or_else(String::new, |from| format!(" from {}", names.service(from)));
            let held = if body.held { "; nobody else is paged, since somebody has it" } else { "" };
            with_text(format!("{who} changed the service{from} to {}{held}", names.service(&body.to)), body.why.as_deref())
        }
        Event::ImpactChanged(body) => {
            let was = body.from.map_or_else(String::new, |from| format!(" (it was: {from})"));
            let since = body.since.map_or_else(String::new, |since| format!(", since {}", names.clock(since)));
            with_text(format!("{who}: {} is affected: {}{was}{since}", names.service(&body.service), body.to), body.why.as_deref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::incident::attendance;

    #[test]
    fn an_impact_is_said_once_and_a_service_takes_its_policy_with_it() {
        let mut sample = Sample::declared();
        let set = |impact| Command::SetImpact { service: "search".into(), impact, since: None, why: None };
        assert_eq!(sample.run(set(Impact::Partial)).unwrap().kinds(), ["impact_changed"]);
        assert_eq!(sample.run(set(Impact::Partial)).unwrap().events, []);
        sample.run(set(Impact::None)).unwrap();
        assert_eq!(sample.incident.work.affected["search"], Impact::None, "what recovered is still named");
        let service = |id: &str| Command::SetService { service: id.into(), escalation: Some("main".into()), why: Some(" ".into()) };
        let changed = sample.run(service("search")).unwrap();
        assert!(
            matches!(&changed.events[0], crate::incident::Event::Affected(Event::ServiceChanged(body)) if !body.held && body.why.is_none())
        );
        assert_eq!(sample.incident.escalation.as_deref(), Some("main"));
        assert_eq!(sample.run(service("search")).unwrap().events, []);
        let mut held = sample.after(attendance::Command::Acknowledge { by: Some("ana".into()), via: "api".into() });
        let changed = held.run(service("shop")).unwrap();
        assert!(matches!(&changed.events[0], crate::incident::Event::Affected(Event::ServiceChanged(body)) if body.held));
    }
}
