//! Cover: whoever has a shift asks somebody else, or the whole team, to take it or a part of it, or to swap it for one of theirs; the
//! other accepts or declines.
//!
//! Invariants:
//! - Accepting makes overrides, and nothing else changes who is on call: until then the shift is its owner's.
//! - A request stands only while it could be kept: the shift is not over and is still the asker's turn, what would be given in
//!   return is still the other's, and everybody is there. What no longer could is withdrawn, and says why ([`CoverRequest::lapsed`]).
//! - Of a team the first who accepts has it.
//!
//! Deliberately not here: how a request is kept, and by which door it is answered.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::forms::overrides::OVERRIDE_MAX;
use super::model::{Effect, Override, Slug};
use super::snapshot::Org;
use crate::actor::Actor;
use crate::ids::CoverId;

/// Most requests that one person has open: more shifts than anybody gives away at once.
pub const COVER_OPEN_MAX: usize = 20;
/// Longest words to whoever is asked, in characters: a line or two.
pub const COVER_WORDS_MAX: usize = 200;
/// How long before the shift an answer is wanted, where nothing is said: a day, so that somebody else can still be asked.
pub const ANSWER_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// A stretch of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CoverShift))]
pub struct Stretch {
    pub schedule: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CoverState))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody answered yet.
    Open,
    /// Somebody took the shift; the overrides are made.
    Accepted,
    /// Everybody who was asked declined.
    Declined,
    /// The asker took it back, or it could not be kept any more.
    Withdrawn,
}

impl State {
    /// As stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What is asked, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverRequest {
    pub id: CoverId,
    /// Whose shift it is.
    pub asker: Slug,
    /// The shift, or the part of it.
    pub shift: Stretch,
    /// Who is asked; everybody of the schedule's team, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Slug>,
    /// The other's shift that the asker takes in return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_return: Option<Stretch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Without an answer by then it is said to have none.
    pub answer_by: Timestamp,
    pub made_at: Timestamp,
    pub state: State,
    /// Who declined, of a team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declined: Vec<Slug>,
    /// Who ended it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Why a request cannot be made or kept, in a sentence without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCover {
    #[error("the end is not after the start")]
    Backwards,
    #[error("it would last longer than a year")]
    TooLong,
    #[error("the shift is over")]
    Over,
    #[error("the shift to be taken in return is over")]
    ReturnOver,
    #[error("there is no such schedule any more")]
    NoSchedule,
    #[error("whoever asked is not there any more")]
    NoAsker,
    #[error("whoever was asked is not there any more")]
    NoAsked,
    #[error("the asker does not have the turn for all of that time")]
    NotTheirs,
    #[error("what is wanted in return is not the turn of whoever is asked for all of that time")]
    ReturnNotTheirs,
    #[error("only people of the schedule's team, or of its layers, cover its shifts")]
    NotOfTheTeam,
    #[error("whoever asks cannot take the shift in return: they are not of its schedule's team")]
    AskerNotOfTheTeam,
    #[error("a swap is asked of one person, who has the shift that is wanted in return")]
    SwapWithTeam,
    #[error("nobody covers for themself")]
    Themself,
    #[error("there is nobody else in the schedule's team or its layers")]
    NobodyElse,
    #[error("the words to whoever is asked are longer than {COVER_WORDS_MAX} characters")]
    Words,
    #[error("an answer is wanted before the shift begins, and after now")]
    AnswerBy,
}

impl CoverRequest {
    /// Whether it can be asked.
    ///
    /// # Errors
    /// Why not.
    pub fn fault(&self, org: &Org, now: Timestamp) -> Result<(), NoCover> {
        for part in std::iter::once(&self.shift).chain(&self.in_return) {
            if part.ends_at <= part.starts_at {
                return Err(NoCover::Backwards);
            }
            if part.ends_at.duration_since(part.starts_at) > OVERRIDE_MAX.as_duration() {
                return Err(NoCover::TooLong);
            }
        }
        if self.words.as_ref().is_some_and(|words| words.chars().count() > COVER_WORDS_MAX) {
            return Err(NoCover::Words);
        }
        if self.in_return.is_some() && self.asked.is_none() {
            return Err(NoCover::SwapWithTeam);
        }
        if self.asked.as_ref() == Some(&self.asker) {
            return Err(NoCover::Themself);
        }
        self.kept(org, now)?;
        if self.whom(org).is_empty() {
            return Err(NoCover::NobodyElse);
        }
        if self.answer_by <= now || self.answer_by > self.shift.starts_at.max(now.saturating_add(ANSWER_BEFORE).unwrap_or(now)) {
            return Err(NoCover::AnswerBy);
        }
        Ok(())
    }

    /// Whether it could be kept now.
    fn kept(&self, org: &Org, now: Timestamp) -> Result<(), NoCover> {
        if org.person(&self.asker).is_none() {
            return Err(NoCover::NoAsker);
        }
        if self.asked.as_ref().is_some_and(|asked| org.person(asked).is_none()) {
            return Err(NoCover::NoAsked);
        }
        if self.shift.ends_at <= now {
            return Err(NoCover::Over);
        }
        if !has_turn(org, &self.shift, &self.asker, now)? {
            return Err(NoCover::NotTheirs);
        }
        if self.asked.as_ref().is_some_and(|asked| !covers(org, &self.shift.schedule, asked)) {
            return Err(NoCover::NotOfTheTeam);
        }
        if let (Some(back), Some(asked)) = (&self.in_return, &self.asked) {
            if back.ends_at <= now {
                return Err(NoCover::ReturnOver);
            }
            if !has_turn(org, back, asked, now)? {
                return Err(NoCover::ReturnNotTheirs);
            }
            if !covers(org, &back.schedule, &self.asker) {
                return Err(NoCover::AskerNotOfTheTeam);
            }
        }
        Ok(())
    }

    /// Why an open request cannot be kept any more; nothing while it can, and where it is over.
    #[must_use]
    pub fn lapsed(&self, org: &Org, now: Timestamp) -> Option<NoCover> {
        if self.state != State::Open {
            return None;
        }
        self.kept(org, now).err().or_else(|| self.whom(org).is_empty().then_some(NoCover::NobodyElse))
    }

    /// How it stands: an open one that cannot be kept is withdrawn.
    #[must_use]
    pub fn stands(&self, org: &Org, now: Timestamp) -> State {
        if self.lapsed(org, now).is_some() { State::Withdrawn } else { self.state }
    }

    /// Whether it is open, and nobody answered in time.
    #[must_use]
    pub fn is_unanswered(&self, org: &Org, now: Timestamp) -> bool {
        self.stands(org, now) == State::Open && self.answer_by <= now
    }

    /// Who may still answer it: whoever is asked and did not decline.
    #[must_use]
    pub fn whom(&self, org: &Org) -> Vec<Slug> {
        let may = |id: &&Slug| **id != self.asker && !self.declined.contains(id) && org.person(id).is_some();
        match &self.asked {
            Some(asked) => std::iter::once(asked).filter(may).cloned().collect(),
            None => {
                let mut seen = std::collections::HashSet::new();
                everybody(org, &self.shift.schedule).into_iter().filter(may).filter(|id| seen.insert(*id)).cloned().collect()
            }
        }
    }

    /// The overrides with which somebody accepts it; one that runs begins now.
    #[must_use]
    pub fn overrides(&self, by: &str, now: Timestamp, ids: [String; 2]) -> Vec<Override> {
        let [first, second] = ids;
        let one = |id: String, part: &Stretch, person: &str| Override {
            id,
            schedule: part.schedule.clone(),
            effect: Effect::Replaces,
            person: person.to_owned(),
            starts_at: part.starts_at.max(now),
            ends_at: part.ends_at,
            made: 0,
            made_by: Some(Actor::Person(by.to_owned())),
        };
        let back = self.in_return.as_ref().map(|part| one(second, part, &self.asker));
        std::iter::once(one(first, &self.shift, by)).chain(back).collect()
    }
}

impl CoverRequest {
    /// What whoever is asked reads.
    #[must_use]
    pub fn asks(&self, org: &Org, to: &str) -> String {
        let back = self.in_return.as_ref().map(|part| format!(", and takes yours in {} in return", of_schedule(org, part, to)));
        let words = self.words.as_ref().map(|words| format!(" “{words}”")).unwrap_or_default();
        let (asker, shift) = (name(org, &self.asker), of_schedule(org, &self.shift, to));
        let by = when(org, to, &self.shift.schedule, self.answer_by);
        format!(
            "{asker} asks you to cover their turn in {shift}{}.{words} Accept or decline on My shifts, by {by}.",
            back.unwrap_or_default()
        )
    }

    /// What whoever asked reads when it was answered, and whoever was asked when it is not wanted any more; nothing while it is open.
    #[must_use]
    pub fn ended(&self, org: &Org, to: &str) -> Option<String> {
        let shift = of_schedule(org, &self.shift, to);
        let by = self.ended_by.as_deref().map_or("nobody", |by| name(org, by));
        Some(match self.state {
            State::Open => return None,
            State::Accepted => {
                let back = self.in_return.as_ref().map(|part| format!(", and you have theirs in {}", of_schedule(org, part, to)));
                format!("{by} covers your turn in {shift}{}.", back.unwrap_or_default())
            }
            State::Declined if self.asked.is_none() => format!("Everybody who was asked has declined: your turn in {shift} stays yours."),
            State::Declined => format!("{by} has declined: your turn in {shift} stays yours."),
            State::Withdrawn => format!("{} does not ask you any more to cover their turn in {shift}.", name(org, &self.asker)),
        })
    }

    /// What whoever asked, and whoever manages the schedule's team, read when nobody has answered in time.
    #[must_use]
    pub fn unanswered(&self, org: &Org, to: &str) -> String {
        let shift = of_schedule(org, &self.shift, to);
        match (to == self.asker, self.asked.as_deref()) {
            (true, Some(asked)) => {
                format!("{} has not answered whether they cover your turn in {shift}: it stays yours.", name(org, asked))
            }
            (true, None) => format!("Nobody has answered whether they cover your turn in {shift}: it stays yours."),
            (false, _) => {
                let asker = name(org, &self.asker);
                format!("{asker} asked for cover of their turn in {shift}, and nobody has answered: it stays theirs.")
            }
        }
    }
}

fn name<'a>(org: &'a Org, person: &'a str) -> &'a str {
    org.person(person).map_or(person, |person| person.name.as_str())
}

/// A schedule, and from when to when.
fn of_schedule(org: &Org, part: &Stretch, to: &str) -> String {
    let name = org.schedule_form(&part.schedule).and_then(|form| form.name.as_deref()).unwrap_or(&part.schedule);
    format!("{name}, {}", span(org, to, &part.schedule, (part.starts_at, part.ends_at)))
}

/// From when to when, for somebody who reads it in a message: in their own time, where they have said which, else in the schedule's.
#[must_use]
pub fn span(org: &Org, to: &str, schedule: &str, (from, until): (Timestamp, Timestamp)) -> String {
    format!("{} to {}", when(org, to, schedule, from), when(org, to, schedule, until))
}

/// An instant, likewise.
#[must_use]
pub fn when(org: &Org, to: &str, schedule: &str, at: Timestamp) -> String {
    let own = org.person(to).and_then(|person| person.time_zone.as_deref()).and_then(|zone| TimeZone::get(zone).ok());
    let zone = own.or_else(|| org.schedule(schedule).map(|schedule| schedule.zone().clone())).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

/// Whether somebody has the turn of a stretch, as far as it is not over.
fn has_turn(org: &Org, part: &Stretch, person: &str, now: Timestamp) -> Result<bool, NoCover> {
    let schedule = org.schedule(&part.schedule).ok_or(NoCover::NoSchedule)?;
    Ok(schedule.has_turn_throughout(org.overrides(&part.schedule), person, part.starts_at.max(now), part.ends_at))
}

/// Whether somebody may cover shifts of a schedule: whoever is of its team, or has turns in it.
#[must_use]
pub fn covers(org: &Org, schedule: &str, person: &str) -> bool {
    everybody(org, schedule).into_iter().any(|id| id == person)
}

fn everybody<'a>(org: &'a Org, schedule: &str) -> Vec<&'a Slug> {
    let Some(form) = org.schedule_form(schedule) else { return Vec::new() };
    let team = form.team.as_deref().and_then(|id| org.team(id));
    let of_team = team.into_iter().flat_map(|team| team.members.iter().chain(&team.managers));
    of_team.chain(form.layers.iter().flat_map(|layer| &layer.people)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::WaysOut;
    use crate::org::model::Bundle;

    const NOW: &str = "2026-06-03T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Weeks of ana and ben, ana's from the 8th of June; cho manages, dan is in another team with a schedule of his own.
    fn org(overrides: Vec<Override>, gone: &str) -> Org {
        let people: Vec<_> =
            ["ana", "ben", "cho", "dan"].iter().filter(|id| **id != gone).map(|id| json!({"id": id, "name": id})).collect();
        let mut bundle: Bundle = serde_json::from_value(json!({
            "people": people,
            "teams": [{"id": "t", "name": "T", "members": ["ana", "ben"], "managers": ["cho"]}, {"id": "u", "name": "U", "members": ["dan"]}],
            "schedules": [
                {"id": "s", "team": "t", "time_zone": "Etc/UTC", "layers": [{"people": ["ana", "ben"], "every": "1w", "handoff": "Mon 00:00", "starts": "2026-01-05"}]},
                {"id": "o", "team": "u", "time_zone": "Etc/UTC", "layers": [{"people": ["dan"], "every": "1w", "handoff": "Mon 00:00", "starts": "2026-01-05"}]}],
        }))
        .unwrap();
        bundle.overrides = overrides;
        Org::build(1, bundle, WaysOut::NONE)
    }

    fn part(schedule: &str, from: &str, to: &str) -> Stretch {
        Stretch { schedule: schedule.into(), starts_at: at(&format!("2026-06-{from}:00Z")), ends_at: at(&format!("2026-06-{to}:00Z")) }
    }

    fn request(asked: Option<&str>, in_return: Option<Stretch>) -> CoverRequest {
        CoverRequest {
            id: CoverId::from_bits(1),
            asker: "ana".into(),
            shift: part("s", "08T00:00", "09T00:00"),
            asked: asked.map(Into::into),
            in_return,
            words: None,
            answer_by: at("2026-06-07T00:00:00Z"),
            made_at: at(NOW),
            state: State::Open,
            declined: vec![],
            ended_by: None,
            ended_at: None,
        }
    }

    #[test]
    fn what_can_be_asked_and_what_cannot() {
        let house = org(vec![], "");
        let now = at(NOW);
        let plain = |asked: Option<&str>| request(asked, None);
        let swap = |asked: Option<&str>, part: Stretch| request(asked, Some(part));
        assert_eq!(plain(Some("ben")).fault(&house, now), Ok(()));
        assert_eq!(plain(None).fault(&house, now), Ok(()));
        assert_eq!(plain(None).whom(&house), ["ben", "cho"]);
        assert_eq!(swap(Some("ben"), part("s", "15T00:00", "16T00:00")).fault(&house, now), Ok(()));
        for (wrong, why) in [
            (plain(Some("ana")), NoCover::Themself),
            (plain(Some("dan")), NoCover::NotOfTheTeam),
            (plain(Some("zoe")), NoCover::NoAsked),
            (swap(None, part("s", "15T00:00", "16T00:00")), NoCover::SwapWithTeam),
            (swap(Some("ben"), part("s", "08T00:00", "09T00:00")), NoCover::ReturnNotTheirs),
            (swap(Some("ben"), part("s", "02T00:00", "03T00:00")), NoCover::ReturnOver),
            (CoverRequest { shift: part("s", "07T00:00", "09T00:00"), ..plain(Some("ben")) }, NoCover::NotTheirs),
            (CoverRequest { shift: part("s", "09T00:00", "08T00:00"), ..plain(Some("ben")) }, NoCover::Backwards),
            (CoverRequest { shift: part("gone", "08T00:00", "09T00:00"), ..plain(Some("ben")) }, NoCover::NoSchedule),
            (CoverRequest { words: Some("x".repeat(COVER_WORDS_MAX + 1)), ..plain(None) }, NoCover::Words),
            (CoverRequest { answer_by: now, ..plain(None) }, NoCover::AnswerBy),
            (CoverRequest { answer_by: at("2026-06-08T00:00:01Z"), ..plain(None) }, NoCover::AnswerBy),
        ] {
            assert_eq!(wrong.fault(&house, now), Err(why));
        }
    }

    #[test]
    fn what_cannot_be_kept_any_more_is_withdrawn_and_says_why() {
        let now = at(NOW);
        let open = request(Some("ben"), None);
        assert_eq!((open.stands(&org(vec![], ""), now), open.lapsed(&org(vec![], ""), now)), (State::Open, None));
        assert_eq!(open.lapsed(&org(vec![], "ana"), now), Some(NoCover::NoAsker));
        assert_eq!(open.lapsed(&org(vec![], "ben"), now), Some(NoCover::NoAsked));
        assert_eq!(open.lapsed(&org(vec![], ""), at("2026-06-09T00:00:00Z")), Some(NoCover::Over));
        let house = org(vec![], "");
        assert!(open.is_unanswered(&house, at("2026-06-07T00:00:00Z")) && !open.is_unanswered(&house, now));
        // Somebody took it meanwhile; whoever is only on besides has no turn to give.
        let taken = open.overrides("cho", now, ["x".into(), "y".into()]);
        assert_eq!(open.lapsed(&org(taken.clone(), ""), now), Some(NoCover::NotTheirs));
        let besides = Override { effect: Effect::Adds, person: "dan".into(), ..taken[0].clone() };
        let house = org(vec![besides], "");
        assert_eq!(open.lapsed(&house, now), None, "it is hers although somebody is on besides");
        assert_eq!(CoverRequest { asker: "dan".into(), ..request(Some("ben"), None) }.fault(&house, now), Err(NoCover::NotTheirs));
        // Of a team everybody declined.
        let declined = CoverRequest { declined: vec!["ben".into(), "cho".into()], ..request(None, None) };
        assert_eq!(declined.lapsed(&org(vec![], ""), now), Some(NoCover::NobodyElse));
    }

    #[test]
    fn what_is_told_names_who_and_when_in_the_reader_s_time() {
        let mut house = org(vec![], "").bundle().clone();
        house.people[1].time_zone = Some("America/New_York".into());
        let house = Org::build(1, house, WaysOut::NONE);
        let mut swap = request(Some("ben"), Some(part("s", "15T00:00", "16T00:00")));
        swap.words = Some("A wedding 🎉".into());
        assert_eq!(
            swap.asks(&house, "ben"),
            "ana asks you to cover their turn in s, Sun 2026-06-07 20:00 EDT to Mon 2026-06-08 20:00 EDT, and takes yours in s, Sun 2026-06-14 20:00 \
             EDT to Mon 2026-06-15 20:00 EDT in return. “A wedding 🎉” Accept or decline on My shifts, by Sat 2026-06-06 20:00 EDT."
        );
        assert_eq!(swap.ended(&house, "ana"), None);
        (swap.state, swap.ended_by) = (State::Accepted, Some("ben".into()));
        let told = swap.ended(&house, "ana").unwrap();
        assert_eq!(
            told,
            "ben covers your turn in s, Mon 2026-06-08 00:00 UTC to Tue 2026-06-09 00:00 UTC, and you have theirs in s, Mon 2026-06-15 00:00 UTC to \
             Tue 2026-06-16 00:00 UTC."
        );
        assert!(swap.unanswered(&house, "cho").starts_with("ana asked for cover"), "{}", swap.unanswered(&house, "cho"));
    }

    #[test]
    fn accepting_makes_the_overrides_of_both_and_one_that_runs_begins_now() {
        let swap = request(Some("ben"), Some(part("s", "15T00:00", "16T00:00")));
        let made = swap.overrides("ben", at("2026-06-08T06:00:00Z"), ["x".into(), "y".into()]);
        let told: Vec<String> = made.iter().map(|o| format!("{} {} {} {}", o.id, o.person, o.starts_at, o.ends_at)).collect();
        assert_eq!(told, ["x ben 2026-06-08T06:00:00Z 2026-06-09T00:00:00Z", "y ana 2026-06-15T00:00:00Z 2026-06-16T00:00:00Z"]);
        let after = org(made, "");
        let on = |text: &str| after.schedule("s").unwrap().on_call_at(after.overrides("s"), at(text)).person.unwrap();
        assert_eq!((on("2026-06-08T12:00:00Z"), on("2026-06-15T12:00:00Z")), ("ben".into(), "ana".into()));
    }
}
