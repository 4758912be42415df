//! How far what is known of an incident goes: its marking, links by which an organisation that takes part looks on, and what
//! the organisation writes there.
//!
//! What was written keeps the marking that it was written with. A link is for one organisation and one incident, ends by
//! itself, when the next is made, and can be revoked in every state; the log has that there is one, and never the link.
//!
//! Not here: who may read what ([`crate::access`]), and what a link looks like (the engine's).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parties;
use crate::ask::{Ask, Came, Field, Kind, MARKING_NOT_RED, May, Program, REASON, command};
use crate::event::event_kinds;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::partners::Guest;
use crate::incident::words::{self, NOTE_CHARS_MAX};
use crate::incident::{self as whole, Context, Decision, Incident, nothing, one};
use crate::names::{Names, with_text};
use crate::time::{Length, after};
use crate::tlp::Tlp;

/// How long a link works where nothing is said: three days outlast most incidents, and a weekend.
pub const GUEST_LIFE: Length = Length::from_secs(72 * 3_600);
/// Longest that a link works: whoever still needs it after a month is asked who they are.
pub const GUEST_LIFE_MAX: Length = Length::from_secs(30 * 24 * 3_600);
/// Longest entry of an organisation, in characters: as a request's.
pub const ENTRY_CHARS_MAX: usize = parties::REQUEST_CHARS_MAX;

event_kinds! {
    /// A fact; past tense.
    Event {
        Marked(Marked) = "incident_marked" [Key],
        LinkMade(LinkMade) = "guest_link_made" [Key],
        LinkRevoked(LinkRevoked) = "guest_link_revoked" [Key],
        Said(Said) = "party_said" [Key],
        Exported(Exported) = "party_exported" [Key],
    }
}

/// Body of `incident_marked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    pub marking: Tlp,
    /// What it was; absent: nobody had marked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Tlp>,
    pub why: String,
}

/// Body of `guest_link_made`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkMade {
    /// From 1, within the incident.
    pub number: u32,
    pub organisation: String,
    pub expires_at: Timestamp,
    /// Those that the organisation had work no more. Earlier versions let them work on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
}

/// Body of `guest_link_revoked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRevoked {
    pub number: u32,
    pub organisation: String,
}

/// Body of `party_said`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub organisation: String,
    pub text: String,
}

/// Body of `party_exported`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exported {
    pub organisation: String,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// So far may go what the incident is, and what is written from now on without a marking of its own.
    Mark { marking: Tlp, why: String },
    /// A link for an organisation that takes part, or takes part by that; in the place of the one that it has.
    MakeLink { organisation: String, within: Option<Length> },
    /// Its links work no more.
    RevokeLinks { organisation: String },
    /// What an organisation that takes part may be told is given to it as a signed file.
    Export { organisation: String },
    /// An organisation writes something behind its link.
    Say { organisation: String, text: String },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Mark { .. } | Self::MakeLink { .. } | Self::RevokeLinks { .. } | Self::Export { .. } => true,
            Self::Say { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a whole incident is not TLP:RED: make it private, and mark what only those who lead it may read")]
    RedIncident,
    #[error("a link works for {max} at most, and for some time: give a length such as 72h")]
    LinkLife { max: Length },
    #[error("`{organisation}` has no link that works")]
    NoLink { organisation: String },
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RedIncident => "red_incident",
            Self::LinkLife { .. } => "guest_link_life",
            Self::NoLink { .. } => "no_guest_link",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Marking,
        label: "Marking",
        says: "Says how far what the incident is may go, and what is written from now on without a marking of its own",
        press: "Mark it",
        body: "MarkingBody",
        programs: &[Program::of("marking").places(&["marking"])],
        may: May::Responder,
        fields: &[MARKING_NOT_RED.always().hint("TLP 2.0: clear, green, amber or amber+strict"), REASON],
        ways: &[],
        make: |given, _| command(Command::Mark { marking: given.parsed("marking").unwrap_or(Tlp::AmberStrict), why: given.must("why") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Guest,
        label: "Guest link",
        says: "Makes a link by which one organisation sees what it may be told of this incident, answers requests and writes entries, or revokes it",
        press: "Make it",
        body: "GuestBody",
        programs: &[
            Program::of("guest open").says("Makes a link for an organisation, shown once").places(&["organisation"]).lacks(&["state"]),
            Program::of("guest close").says("Its links work no more").places(&["organisation"]).gives(&[("state", "revoked")]),
        ],
        may: May::Responder,
        fields: &[
            parties::ORGANISATION,
            Field::may("within", "how long it works", "Works for", Kind::Length).hint("How long it works, as in 24h; 72h unless said"),
            Field::may("state", "that it is revoked", "Revoke it", Kind::Choice { name: "GuestEnd", of: &["revoked"] }),
        ],
        ways: &[&["organisation", "within"], &["organisation", "state"]],
        make: |given, _| {
            let organisation = given.must("organisation");
            match (given.as_text("state"), given.parsed("within")) {
                (None, within) => command(Command::MakeLink { organisation, within }),
                (Some(_), None) => command(Command::RevokeLinks { organisation }),
                (Some(_), Some(_)) => Err(crate::ask::Refusal::Together("what is revoked works for no time: leave `within` out".into())),
            }
        },
        came: Came::GuestLink,
    },
    Ask {
        verb: Verb::Export,
        label: "Signed export",
        says: "Makes a signed file of what an organisation that takes part may be told of this incident, for it to keep",
        press: "Make the file",
        body: "ExportBody",
        programs: &[Program::of("guest export").says("Makes a signed file of what an organisation may be told").places(&["organisation"])],
        may: May::Responder,
        fields: &[parties::ORGANISATION],
        ways: &[],
        make: |given, _| command(Command::Export { organisation: given.must("organisation") }),
        came: Came::Export,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command, context: Context) -> Decision {
    match command {
        Command::Mark { marking, why } => {
            fits(incident, Verb::Marking)?;
            words::needed(&why, "the reason")?;
            words::at_most(&why, "the reason", NOTE_CHARS_MAX)?;
            if marking == Tlp::Red {
                return Err(Refusal::RedIncident.into());
            }
            let was = incident.work.marking;
            if was == Some(marking) { nothing() } else { one(Event::Marked(Marked { marking, was, why })) }
        }
        Command::MakeLink { organisation, within } => {
            fits(incident, Verb::Guest)?;
            parties::takes_new(incident)?;
            let life = within.unwrap_or(GUEST_LIFE);
            if life.is_zero() || life > GUEST_LIFE_MAX {
                return Err(Refusal::LinkLife { max: GUEST_LIFE_MAX }.into());
            }
            let mut events = parties::joins(incident, &organisation)?;
            let number = incident.work.partners.links_made.saturating_add(1);
            let replaces = incident.work.partners.link_of(&organisation, context.now).is_some();
            let expires_at = after(context.now, life);
            events.push(Event::LinkMade(LinkMade { number, organisation, expires_at, replaces }).into());
            Ok(events)
        }
        Command::RevokeLinks { organisation } => {
            fits(incident, Verb::Guest)?;
            let live = revoked(incident, &organisation, context.now);
            if live.is_empty() { Err(Refusal::NoLink { organisation }.into()) } else { Ok(live) }
        }
        Command::Export { organisation } => {
            fits(incident, Verb::Export)?;
            if incident.work.partners.party(&organisation).is_none() {
                return Err(parties::Refusal::NotAParty { organisation }.into());
            }
            one(Event::Exported(Exported { organisation }))
        }
        Command::Say { organisation, text } => {
            fits(incident, Verb::Answer)?;
            words::needed(&text, "the entry")?;
            words::at_most(&text, "the entry", ENTRY_CHARS_MAX)?;
            if incident.work.partners.party(&organisation).is_none() {
                return Err(parties::Refusal::NotAParty { organisation }.into());
            }
            one(Event::Said(Said { organisation, text }))
        }
    }
}

/// The same events, with a link for whoever is asked something and never had one, whose last one is of age, or who takes part from
/// now on. What somebody revoked is not made again but by hand.
pub(in crate::incident) fn with_a_link(incident: &Incident, mut events: Vec<whole::Event>, now: Timestamp) -> Vec<whole::Event> {
    let asked = events.iter().enumerate().find_map(|(at, event)| {
        if let whole::Event::Partners(parties::Event::Asked(body)) = event { Some((at, body.organisation.clone())) } else { None }
    });
    let Some((at, organisation)) = asked else { return events };
    let partners = &incident.work.partners;
    // Whoever leaves has their links revoked by that, and may come back.
    let has = partners.party(&organisation).is_some()
        && partners.links.iter().any(|link| link.organisation == organisation && (link.revoked || link.works(now)));
    if !has {
        let number = partners.links_made.saturating_add(1);
        let made = LinkMade { number, organisation, expires_at: after(now, GUEST_LIFE), replaces: false };
        events.insert(at, Event::LinkMade(made).into());
    }
    events
}

/// The end of every link of an organisation that works.
fn revoked(incident: &Incident, organisation: &str, now: Timestamp) -> Vec<crate::incident::Event> {
    let live = incident.work.partners.links.iter().filter(|link| link.organisation == organisation && link.works(now));
    let end = |link: &Guest| Event::LinkRevoked(LinkRevoked { number: link.number, organisation: organisation.to_owned() }).into();
    live.map(end).collect()
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Marked(body) => incident.work.marking = Some(body.marking),
        Event::LinkMade(body) => {
            let partners = &mut incident.work.partners;
            partners.links_made = body.number;
            // What works no more is as if it had never been.
            partners.links.retain(|link| link.works(at) && !(body.replaces && link.organisation == body.organisation));
            let (number, organisation, expires_at, replaces) = (body.number, body.organisation.clone(), body.expires_at, body.replaces);
            partners.links.push(Guest { number, organisation, expires_at, revoked: false, replaces });
        }
        Event::LinkRevoked(body) => {
            if let Some(link) = incident.work.partners.links.iter_mut().find(|link| link.number == body.number) {
                link.revoked = true;
            }
        }
        Event::Said(_) | Event::Exported(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    let who = names.who();
    match event {
        Event::Marked(body) => {
            let was = body.was.map_or_else(String::new, |was| format!(", it was {}", was.label()));
            with_text(format!("{who} marked the incident {}{was}", body.marking.label()), Some(&body.why))
        }
        Event::LinkMade(body) => {
            let replaced = if body.replaces { "; the one before works no more" } else { "" };
            let organisation = names.organisation(&body.organisation);
            format!("{who} made a guest link for {organisation}, until {}{replaced}", names.clock(body.expires_at))
        }
        Event::LinkRevoked(body) => format!("{who} revoked the guest link of {}", names.organisation(&body.organisation)),
        Event::Exported(body) => format!("{who} made a signed export for {}", names.organisation(&body.organisation)),
        Event::Said(body) => format!("{}: {}", names.organisation(&body.organisation), body.text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn make(within: Option<Length>) -> Command {
        Command::MakeLink { organisation: "cert".into(), within }
    }

    #[test]
    fn a_link_ends_by_itself_by_being_revoked_and_when_its_party_leaves() {
        let mut sample = Sample::declared();
        assert_eq!(sample.run(make(None)).unwrap().kinds(), ["party_joined", "guest_link_made"]);
        let link = |sample: &Sample, number| sample.incident.work.partners.link(number, sample.at).cloned();
        assert_eq!(link(&sample, 1).unwrap().expires_at, after(sample.at, GUEST_LIFE));
        assert!(sample.incident.work.partners.link(1, after(sample.at, GUEST_LIFE)).is_none(), "of age");
        sample.run(make(Some(Length::from_mins(60)))).unwrap();
        assert!(link(&sample, 1).is_none() && link(&sample, 2).is_some_and(|link| link.replaces), "the next one replaces it");
        let revoke = || Command::RevokeLinks { organisation: "cert".into() };
        assert_eq!(sample.run(revoke()).unwrap().kinds(), ["guest_link_revoked"]);
        assert_eq!((link(&sample, 1), link(&sample, 2)), (None, None));
        assert_eq!(sample.refusal(revoke()), "no_guest_link");
        sample.run(make(None)).unwrap();
        assert!(link(&sample, 3).is_some());
        let leave = parties::Command::Leave { organisation: "cert".into(), why: None };
        assert_eq!(sample.run(leave).unwrap().kinds(), ["party_left"]);
        assert_eq!(link(&sample, 3), None);
        for life in [Length::ZERO, after_max()] {
            assert_eq!(sample.refusal(make(Some(life))), "guest_link_life");
        }
    }

    #[test]
    fn who_is_asked_something_has_a_link_unless_theirs_was_revoked() {
        let mut sample = Sample::declared();
        let ask = || parties::Command::Ask {
            organisation: "cert".into(),
            text: "Do you see it too?".into(),
            within: None,
            due_at: None,
            marking: None,
        };
        assert_eq!(sample.run(ask()).unwrap().kinds(), ["party_joined", "guest_link_made", "request_asked"]);
        assert_eq!(sample.run(ask()).unwrap().kinds(), ["request_asked"], "the one that works is enough");
        sample.at = after(sample.at, GUEST_LIFE);
        assert_eq!(sample.run(ask()).unwrap().kinds(), ["guest_link_made", "request_asked"], "the first is of age");
        sample.run(Command::RevokeLinks { organisation: "cert".into() }).unwrap();
        assert_eq!(sample.run(ask()).unwrap().kinds(), ["request_asked"], "somebody took it away");
        sample.run(parties::Command::Leave { organisation: "cert".into(), why: None }).unwrap();
        assert_eq!(sample.run(ask()).unwrap().kinds(), ["party_joined", "guest_link_made", "request_asked"], "it is back");
    }

    #[test]
    fn a_link_of_what_is_over_is_revoked_and_none_is_made() {
        let cancel = super::super::ending::Command::Cancel { why: "nothing".into() };
        let mut sample = Sample::declared().after(make(None)).after(cancel);
        assert_eq!(sample.refusal(make(None)), "already_cancelled");
        let mark = Command::Mark { marking: Tlp::AmberStrict, why: "it was too much".into() };
        assert_eq!(sample.run(mark).unwrap().kinds(), ["incident_marked"]);
        let revoke = Command::RevokeLinks { organisation: "cert".into() };
        assert_eq!(sample.run(revoke).unwrap().kinds(), ["guest_link_revoked"]);
    }

    fn after_max() -> Length {
        Length::from_secs(31 * 24 * 3_600)
    }

    #[test]
    fn a_marking_holds_for_what_is_written_from_then_on() {
        let mut sample = Sample::declared();
        let mark = |marking| Command::Mark { marking, why: "the agency helps".into() };
        assert_eq!(sample.refusal(mark(Tlp::Red)), "red_incident");
        sample.run(mark(Tlp::Amber)).unwrap();
        assert_eq!(sample.run(mark(Tlp::Amber)).unwrap().events, []);
        assert_eq!(sample.incident.work.marking, Some(Tlp::Amber));
    }
}
