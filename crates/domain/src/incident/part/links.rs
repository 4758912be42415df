//! What belongs to an incident: another one that was merged, an alert, its review.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ask::{self, Ask, Asked, Came, Field, Kind, May, Program};
use crate::event::event_kinds;
use crate::ids::{AlertId, IncidentId, ReviewId};
use crate::incident::awaited::Awaited;
use crate::incident::lifecycle::{Verb, fits};
use crate::incident::work::Hold;
use crate::incident::{Decision, Incident, State, one};
use crate::names::{Names, clock};

event_kinds! {
    /// A fact; past tense.
    Event {
        Merged(Link) = "merged" [Key, Ends],
        Absorbed(Link) = "absorbed" [Key],
        AlertLinked(AlertLinked) = "alert_linked" [Key],
        ReviewAsked(ReviewAsked) = "review_asked",
    }
}

/// The other incident of a merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub incident: IncidentId,
    #[serde(rename = "ref")]
    pub reference: String,
}

/// Body of `alert_linked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertLinked {
    pub alert: AlertId,
    pub title: String,
}

/// Body of `review_asked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewAsked {
    pub review: ReviewId,
    pub due_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `into` has it now.
    Merge { into: IncidentId, into_ref: String },
    /// The other side of a merge.
    Absorb { from: IncidentId, from_ref: String },
    /// An open alert belongs to this.
    LinkAlert { alert: AlertId, title: String },
    /// A review is to be written.
    AskReview { review: ReviewId, due_at: Timestamp },
}

impl Command {
    /// Whether people ask for it as it is; the rest follows from something else.
    pub(in crate::incident) const fn is_asked(&self) -> bool {
        match self {
            Self::Merge { .. } | Self::Absorb { .. } | Self::LinkAlert { .. } | Self::AskReview { .. } => false,
        }
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an incident cannot be merged into itself")]
    MergeIntoItself,
    #[error("this incident has a review already")]
    HasAReview,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MergeIntoItself => "merge_into_itself",
            Self::HasAReview => "has_a_review",
        }
    }
}

/// What people may ask.
pub(crate) const ASKS: &[Ask] = &[
    Ask {
        verb: Verb::Merge,
        label: "Merge into another",
        says: "Another incident has it",
        press: "Merge into it",
        body: "MergeBody",
        programs: &[Program::of("merge")],
        may: May::Responder,
        fields: &[
            Field::needed("into", "the other incident", "Into which incident?", Kind::Incident).hint("Into which: INC-142, or the id")
        ],
        ways: &[],
        make: |given, _| Ok(Asked::Merge { into: given.must("into") }),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Link,
        label: "Link an alert",
        says: "An open alert belongs to an incident",
        press: "Link",
        body: "LinkBody",
        programs: &[Program::of("link").places(&["alert"])],
        may: May::Responder,
        fields: &[Field::needed("alert", "the alert", "Alert", Kind::Alert).hint("An open alert's id")],
        ways: &[],
        make: |given, _| given.parsed("alert").map(|alert| Asked::LinkAlert { alert }).ok_or(ask::Refusal::NoSuchAlert),
        came: Came::Itself,
    },
    Ask {
        verb: Verb::Review,
        label: "Ask for a review",
        says: "Asks for a review where the severity asks for none",
        press: "Ask for a review",
        body: "ReviewBody",
        programs: &[Program::of("review ask").says("Ask for one where the severity asks for none")],
        may: May::Responder,
        fields: &[],
        ways: &[],
        make: |_, _| Ok(Asked::AskReview),
        came: Came::Itself,
    },
];

pub(in crate::incident) fn decide(incident: &Incident, command: Command) -> Decision {
    match command {
        Command::Merge { into, into_ref } => {
            fits(incident, Verb::Merge)?;
            if into == incident.id {
                return Err(Refusal::MergeIntoItself.into());
            }
            one(Event::Merged(Link { incident: into, reference: into_ref }))
        }
        Command::Absorb { from, from_ref } => {
            // The other must be open: merging into something that is over would hide this one.
            fits(incident, Verb::Alerts)?;
            one(Event::Absorbed(Link { incident: from, reference: from_ref }))
        }
        Command::LinkAlert { alert, title } => {
            fits(incident, Verb::Link)?;
            one(Event::AlertLinked(AlertLinked { alert, title }))
        }
        Command::AskReview { review, due_at } => {
            fits(incident, Verb::Review)?;
            if incident.work.review.is_some() {
                return Err(Refusal::HasAReview.into());
            }
            one(Event::ReviewAsked(ReviewAsked { review, due_at }))
        }
    }
}

pub(in crate::incident) fn evolve(incident: &mut Incident, event: &Event, at: Timestamp) {
    match event {
        Event::Merged(link) => {
            incident.work.hold = Hold::default();
            incident.state = State::Merged;
            incident.merged_into = Some(link.incident);
            incident.closed_at = Some(at);
        }
        Event::Absorbed(_) | Event::AlertLinked(_) => {}
        Event::ReviewAsked(body) => incident.work.review = Some(body.review),
    }
}

pub(in crate::incident) fn react(event: &Event, awaited: &mut Awaited) {
    match event {
        Event::Merged(_) => awaited.settle_all("it was merged"),
        Event::Absorbed(_) | Event::AlertLinked(_) | Event::ReviewAsked(_) => {}
    }
}

pub(in crate::incident) fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Merged(body) => format!("Merged into {}", body.reference),
        Event::Absorbed(body) => format!("{} was merged into this", body.reference),
        Event::AlertLinked(body) => format!("{} linked an alert: {}", names.who(), body.title),
        Event::ReviewAsked(body) => format!("A review is due by {}", clock(body.due_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn nothing_is_merged_into_itself_and_a_review_is_asked_for_once() {
        let mut sample = Sample::declared();
        let merge = |into| Command::Merge { into: IncidentId::from_bits(into), into_ref: "INC-2".into() };
        assert_eq!(sample.refusal(merge(1)), "merge_into_itself");
        let review = || Command::AskReview { review: ReviewId::from_bits(5), due_at: Timestamp::UNIX_EPOCH };
        assert_eq!(sample.refusal(review()), "not_resolved");
        let mut merged = Sample::declared();
        assert_eq!(merged.run(merge(2)).unwrap().settled(), ["*"]);
        assert_eq!(merged.refusal(merge(3)), "already_merged");
        let mut resolved = sample.after(crate::incident::ending::Command::Resolve { note: None }).after(review());
        assert_eq!(resolved.refusal(review()), "has_a_review");
    }
}
