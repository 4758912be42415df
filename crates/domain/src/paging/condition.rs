//! Whether the condition of a step holds, judged when the step has its turn.
//!
//! Invariant: what cannot be judged holds. A calendar that is gone, or matchers that do not read, must not keep anybody from
//! being paged.

use jiff::Timestamp;

use super::types::Page;
use crate::matcher::Matchers;
use crate::org::model::{NotifyUrgency, When};
use crate::org::snapshot::Org;
use crate::severity::Severity;

/// How the incident of a page is at an instant, as far as conditions ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// How bad it is now, which may be worse than when its page started.
    pub severity: Severity,
    pub service: Option<String>,
    /// The id of its type.
    pub kind: Option<String>,
}

impl Facts {
    /// As far as a page says it itself: as its incident was when it started.
    #[must_use]
    pub fn of(page: &Page) -> Self {
        let severity = page.incident.severity.parse().unwrap_or(Severity::Sev1);
        Self { severity, service: page.incident.service.clone(), kind: None }
    }
}

/// What a condition asks for, in words; to follow "it counts".
pub(super) fn words(when: &When) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(when.severity.map(words_of_least));
    parts.extend(when.urgency.map(|urgency| format!("at {} urgency", urgency.word())));
    if !when.types.is_empty() {
        parts.push(format!("for the type {}", when.types.join(" or ")));
    }
    parts.extend(when.during.as_ref().map(|id| format!("while `{id}` is open")));
    parts.extend(when.outside.as_ref().map(|id| format!("while `{id}` is closed")));
    if !when.matches.trim().is_empty() {
        parts.push(format!("where {} fits", when.matches.trim()));
    }
    if parts.is_empty() { "always".to_owned() } else { parts.join(", ") }
}

/// Why a condition does not hold at an instant; nothing where it does.
pub(super) fn misfit(when: &When, facts: &Facts, urgency: NotifyUrgency, org: &Org, at: Timestamp) -> Option<String> {
    if let Some(least) = when.severity.filter(|least| facts.severity > *least) {
        return Some(format!("it counts {}, and the incident is a {}", words_of_least(least), facts.severity));
    }
    if let Some(wanted) = when.urgency.filter(|wanted| *wanted != urgency) {
        return Some(format!("it counts at {} urgency, and this page is of {} urgency", wanted.word(), urgency.word()));
    }
    if !when.types.is_empty() && !facts.kind.as_ref().is_some_and(|kind| when.types.contains(kind)) {
        let is = facts.kind.as_ref().map_or_else(|| "has none".to_owned(), |kind| format!("is of the type {kind}"));
        return Some(format!("it counts for the type {}, and the incident {is}", when.types.join(" or ")));
    }
    if let Some(why) = misfit_of_hours(when, org, at) {
        return Some(why);
    }
    let value = |name: &str| match name {
        "severity" => facts.severity.word(),
        "service" => facts.service.as_deref().unwrap_or_default(),
        "type" => facts.kind.as_deref().unwrap_or_default(),
        "urgency" => urgency.word(),
        _ => "",
    };
    let matchers = Matchers::parse(&when.matches).ok()?;
    let misfit = matchers.misfit(value)?;
    let is = value(&misfit.name);
    let is = if is.is_empty() { "there is none".to_owned() } else { format!("it is `{is}`") };
    Some(format!("it counts where {misfit} fits, and {is}"))
}

/// The same of its hours alone: a drill proves every level, and rings nobody at an hour at which a page would not.
pub(super) fn misfit_of_hours(when: &When, org: &Org, at: Timestamp) -> Option<String> {
    for (id, wants_open) in [(&when.during, true), (&when.outside, false)] {
        let Some((id, calendar)) = id.as_ref().and_then(|id| Some((id, org.calendar(id)?))) else { continue };
        if calendar.is_open(at) != wants_open {
            let (wanted, is) = if wants_open { ("open", "closed") } else { ("closed", "open") };
            let local = calendar.zone().to_datetime(at).strftime("%a %H:%M").to_string();
            return Some(format!("it counts while `{id}` is {wanted}, and that is {is} now ({local} there)"));
        }
    }
    None
}

fn words_of_least(least: Severity) -> String {
    if least == Severity::Sev1 { "at sev1".to_owned() } else { format!("at {least} or worse") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn org() -> Org {
        let bundle = json!({"calendars": [{"id": "office", "time_zone": "Europe/Madrid", "hours": [{"from": "02:30", "to": "10:00"}]}]});
        Org::build(1, serde_json::from_value(bundle).unwrap(), crate::channel::sample::WAYS)
    }

    fn why(when: serde_json::Value, instant: &str) -> Option<String> {
        let facts = Facts { severity: Severity::Sev3, service: Some("pay".into()), kind: None };
        misfit(&serde_json::from_value(when).unwrap(), &facts, NotifyUrgency::High, &org(), at(instant))
    }

    #[test]
    fn each_part_has_to_hold_and_the_first_that_does_not_is_told() {
        let noon = "2026-06-01T10:00:00Z";
        for holds in [
            json!({}),
            json!({"severity": "sev3"}),
            json!({"urgency": "high", "match": "service=~\"pa.*\", type=\"\""}),
            json!({"outside": "office"}),
            json!({"during": "gone"}),
            json!({"match": "a=~\"(\""}),
        ] {
            assert_eq!(why(holds.clone(), noon), None, "{holds}");
        }
        for (fails, words) in [
            (json!({"severity": "sev2"}), "it counts at sev2 or worse, and the incident is a sev3"),
            (json!({"severity": "sev1"}), "it counts at sev1, and the incident is a sev3"),
            (json!({"urgency": "low"}), "it counts at low urgency, and this page is of high urgency"),
            (json!({"types": ["security", "fire"]}), "it counts for the type security or fire, and the incident has none"),
            (json!({"during": "office"}), "it counts while `office` is open, and that is closed now (Mon 12:00 there)"),
            (json!({"match": "service=\"web\""}), "it counts where service=\"web\" fits, and it is `pay`"),
            (json!({"match": "type=\"fire\""}), "it counts where type=\"fire\" fits, and there is none"),
        ] {
            assert_eq!(why(fails, noon).as_deref(), Some(words));
        }
    }

    /// The hours begin at half past two, which there is twice in the one night, and not at all in the other.
    #[test]
    fn hours_at_the_border_of_a_change_of_the_clock_are_those_of_the_calendar() {
        let during = || json!({"during": "office"});
        // Clocks go from 02:00 to 03:00: it opens as soon as there is such a time.
        assert!(why(during(), "2026-03-29T00:59:59Z").is_some());
        assert_eq!(why(during(), "2026-03-29T01:30:00Z"), None);
        // Clocks go back from 03:00 to 02:00: it opens once, and stays open.
        assert!(why(during(), "2026-10-25T00:29:59Z").is_some());
        assert_eq!(why(during(), "2026-10-25T00:30:00Z"), None);
        assert_eq!(why(during(), "2026-10-25T01:15:00Z"), None);
    }

    #[test]
    fn what_a_condition_asks_is_told_in_words() {
        let when: When = serde_json::from_value(json!({"severity": "sev2", "outside": "office", "types": ["fire"]})).unwrap();
        assert_eq!(words(&when), "at sev2 or worse, for the type fire, while `office` is closed");
        assert_eq!(words(&When::default()), "always");
    }
}
