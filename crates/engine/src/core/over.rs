//! It is over: whoever was paged for an incident, or told of it, hears so.
//!
//! Told a moment after the end, from a command of its own: a storm that recovers must not make each alarm wait for
//! the question who was paged for it. Not here: how people are reached (`domain::paging`).

use allclear_domain::access::Actor;
use allclear_domain::expect::Standing;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{Incident, State};
use allclear_domain::org::snapshot::{AUDIENCE, ORGANISATION};
use allclear_domain::view::is_told;
use allclear_domain::wire::NoticeKind;
use jiff::{SignedDuration, Timestamp};

use super::unit::Unit;
use super::{Core, Decided, Loaded, Need, Stop};

/// What an organisation hears that may not be told what the incident is.
const NOTHING_MORE: &str = "Nothing more is wanted of you.";

impl Core {
    pub(super) fn look_over(&mut self, unit: &mut Unit, id: IncidentId) -> Decided<Standing> {
        let (incident, _) = self.incident(unit, id)?;
        let Some(text) = words(&incident, unit.now) else { return Ok(Standing::Void) };
        let reached = self.read.iter().find_map(|read| {
            if let Loaded::Reached(of, people) = read
                && *of == id
            {
                Some(people.clone())
            } else {
                None
            }
        });
        let reached = reached.ok_or(Stop::Need(Need::Reached(id)))?;
        // An audience stands under its own name, a person under theirs.
        let targets: Vec<String> = reached
            .iter()
            .filter(|who| !who.starts_with(ORGANISATION))
            // Who saw it only while it was offered to them hears of it no more.
            .filter(|who| !incident.private || who.starts_with(AUDIENCE) || self.sees(&Actor::Person((*who).clone()), &incident))
            .map(|who| if who.starts_with(AUDIENCE) { who.clone() } else { format!("person:{who}") })
            .collect();
        self.tell(unit, id, NoticeKind::Over, &targets, text.clone(), "it is over")?;
        // An organisation that takes part hears it with no more of the incident than it may be told: how it ended and how long
        // it took is what the incident is.
        let parties = incident.work.partners.parties.iter().filter(|(_, party)| party.left_at.is_none());
        for organisation in parties.map(|(id, _)| id) {
            let text = if is_told(&self.org, &incident, organisation) { text.clone() } else { NOTHING_MORE.to_owned() };
            self.tell_party(unit, id, organisation, text, "it is over")?;
        }
        Ok(Standing::Met)
    }
}

/// What is told; nothing where it is not over, or goes on in another incident.
fn words(incident: &Incident, now: Timestamp) -> Option<String> {
    let ended = match incident.state {
        State::Resolved | State::Closed if incident.acknowledged_at.is_none() && incident.recovered => {
            "It is over: it recovered before anybody took it"
        }
        State::Resolved | State::Closed => "It is over: it was resolved",
        State::Cancelled => "It was cancelled: nothing is left to do",
        State::Candidate | State::Declared | State::Investigating | State::Mitigated | State::Merged => return None,
    };
    let since = incident.declared_at?;
    let until = incident.resolved_at.unwrap_or(now).max(since);
    Some(format!("{ended}, {} after it was declared.", lasted(until.duration_since(since))))
}

/// A length as people say it, to the minute.
fn lasted(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_to_the_minute() {
        for (seconds, said) in
            [(0, "less than a minute"), (59, "less than a minute"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h 0 min")]
        {
            assert_eq!(lasted(SignedDuration::from_secs(seconds)), said);
        }
    }
}
