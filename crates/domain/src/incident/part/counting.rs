//! The time of an incident's clocks, counted: what met one and where it stands, how much of it is over, and when it is due by the
//! targets and calendars of an organisation. Pure arithmetic; what follows from it is `clocks`.

use jiff::{SignedDuration, Timestamp};

use crate::event::Mode;
use crate::expect::{Segment, Standing};
use crate::incident::clock::{Clock, Timed, WARNED_AT};
use crate::incident::roles::COMMANDER;
use crate::incident::{Incident, State};
use crate::org::forms::calendar::Calendar;
use crate::org::forms::service_target::ServiceTarget;
use crate::org::snapshot::Org;
use crate::time::Length;

/// Whether time counts in a state: while there is an incident that is not over.
pub(super) const fn counts(state: State) -> bool {
    matches!(state, State::Declared | State::Investigating | State::Mitigated)
}

/// The instants that meet clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub acknowledged_at: Option<Timestamp>,
    pub engaged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    /// Whether it recovered with nobody on it.
    pub by_itself: bool,
    pub state: State,
}

impl Reached {
    fn of(incident: &Incident) -> Self {
        Self {
            acknowledged_at: incident.acknowledged_at,
            engaged_at: incident.work.clocks.engaged_at,
            mitigated_at: incident.mitigated_at,
            resolved_at: incident.resolved_at,
            by_itself: incident.alarms.by_itself,
            state: incident.state,
        }
    }

    /// When a clock was met; nothing where it was not yet. Whoever resolved it had it, and it is over with its impact.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Option<Timestamp> {
        match clock {
            Clock::Acknowledge => self.acknowledged_at.or_else(|| self.resolved_at.filter(|_| !self.by_itself)),
            Clock::Engage => self.engaged_at,
            Clock::Mitigate => self.mitigated_at.or(self.resolved_at),
            Clock::Resolve => self.resolved_at,
        }
    }

    /// Where a clock stands: *void* where the incident was over before it could be met.
    #[must_use]
    pub fn standing(&self, timed: &Timed) -> Standing {
        match self.at(timed.clock) {
            _ if timed.missed_at.is_some() => Standing::Missed,
            Some(met_at) if timed.due_at.is_some_and(|due_at| met_at > due_at) => Standing::Missed,
            Some(_) => Standing::Met,
            None if counts(self.state) => Standing::Live,
            None => Standing::Void,
        }
    }
}

/// When a clock of an incident was met; nothing where it was not yet.
#[must_use]
pub fn met_at(incident: &Incident, clock: Clock) -> Option<Timestamp> {
    Reached::of(incident).at(clock)
}

/// Where a clock of an incident stands.
#[must_use]
pub fn standing(incident: &Incident, timed: &Timed) -> Standing {
    Reached::of(incident).standing(timed)
}

/// What is due first and has not happened: also what was missed and is owed all the same.
#[must_use]
pub fn owed(incident: &Incident) -> Option<(Clock, Timestamp)> {
    let open = incident.work.clocks.list.iter().filter(|timed| counts(incident.state) && met_at(incident, timed.clock).is_none());
    open.filter_map(|timed| Some((timed.clock, timed.due_at?))).min_by_key(|(_, at)| *at)
}

/// How long these stretches ran until an instant, by the open hours of a calendar where there is one.
#[must_use]
pub fn elapsed(segments: &[Segment], until: Timestamp, calendar: Option<&Calendar>) -> SignedDuration {
    let mut ran = SignedDuration::ZERO;
    for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.running && segment.from < until) {
        let end = segments.get(at + 1).map_or(until, |next| next.from.min(until));
        let open = calendar.map_or_else(|| end.duration_since(segment.from), |calendar| calendar.open_between(segment.from, end));
        ran = ran.saturating_add(open);
    }
    ran
}

/// When these stretches have run for so long; nothing where the last is a pause, or the calendar does not open for so long.
#[must_use]
pub fn due(segments: &[Segment], length: Length, calendar: Option<&Calendar>) -> Option<Timestamp> {
    let Some(calendar) = calendar else { return crate::expect::deadline(segments, length) };
    let mut left = length.as_duration();
    for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.running) {
        let next = segments.get(at + 1).map(|next| next.from);
        let open = next.map_or(SignedDuration::MAX, |next| calendar.open_between(segment.from, next));
        if left <= open {
            // Lengths are whole milliseconds, and so is what is left of them unless a pause cut one.
            let millis = u64::try_from(left.as_micros()).unwrap_or(0).div_ceil(1000);
            return calendar.after(segment.from, Length::from_millis(millis));
        }
        left = left.saturating_sub(open);
    }
    None
}

/// What counts for an incident from now on, by the organisation: from when, and each clock. Of what is met only what another
/// beginning changes.
#[must_use]
pub fn counted(org: &Org, incident: &Incident) -> (Option<Timestamp>, Vec<Timed>) {
    let clocks = &incident.work.clocks;
    let Some(from) = incident.declared_at.filter(|_| incident.mode != Mode::Exercise) else { return (None, Vec::new()) };
    let target = org.target_of(incident.severity, incident.service.as_deref()).filter(|_| counts(incident.state));
    let lengths = target.map(ServiceTarget::lengths).unwrap_or_default();
    let mut list = Vec::new();
    for clock in Clock::ALL {
        let known = clocks.get(clock);
        let settled = known.filter(|known| standing(incident, known) != Standing::Live);
        let (id, calendar, within) = match (settled, target) {
            (Some(met), _) if standing(incident, met) == Standing::Met && clocks.from != Some(from) => {
                (met.target.clone(), met.calendar.clone(), met.within)
            }
            (Some(_), _) | (None, None) => continue,
            (None, Some(target)) => {
                let within = lengths.iter().find(|(key, _)| *key == clock.word()).and_then(|(_, length)| *length);
                let happened = met_at(incident, clock).is_some() || (clock == Clock::Engage && is_engaged(incident));
                let Some(within) = within.filter(|_| known.is_some() || !happened) else { continue };
                (target.id.clone(), target.calendar.clone(), within)
            }
        };
        list.push(timed(org, incident, clock, from, (id, calendar, within)));
    }
    (Some(from), list)
}

fn timed(org: &Org, incident: &Incident, clock: Clock, from: Timestamp, set: (String, Option<String>, Length)) -> Timed {
    let (target, calendar, within) = set;
    // A calendar that cannot be used any more closes nothing.
    let hours = calendar.as_deref().and_then(|id| org.calendar(id));
    let segments = incident.work.clocks.segments(clock, from);
    let at = |share: u8| due(&segments, Length::from_millis(within.as_millis() * u64::from(share) / 100), hours);
    let due_at = due(&segments, within, hours);
    let warn_at = match (due_at, at(WARNED_AT[0]), at(WARNED_AT[1])) {
        (Some(_), Some(half), Some(most)) => Some([half, most]),
        _ => None,
    };
    Timed { clock, target, calendar, within, warn_at, due_at, warned: 0, missed_at: None }
}

/// Whether somebody besides whoever acknowledged it first is on it, or took command: whoever acknowledges leads without having
/// taken it.
pub(super) fn is_engaged(incident: &Incident) -> bool {
    let work = &incident.work;
    let on_it = work.roles.values().filter_map(|role| role.person.as_ref()).chain(work.hold.by.as_ref());
    let second = on_it.into_iter().any(|person| Some(person) != incident.acknowledged_by.as_ref());
    let commander = work.roles.get(COMMANDER).filter(|role| role.person.is_some());
    second || commander.is_some_and(|role| role.since != incident.acknowledged_at)
}

/// How much of the time of a clock is over: until it was met, or until now.
#[must_use]
pub fn ran(org: &Org, incident: &Incident, timed: &Timed, now: Timestamp) -> SignedDuration {
    let clocks = &incident.work.clocks;
    let segments = clocks.segments(timed.clock, clocks.from.unwrap_or(incident.created_at));
    elapsed(&segments, met_at(incident, timed.clock).unwrap_or(now), timed.calendar.as_deref().and_then(|id| org.calendar(id)))
}
