//! A rule of a regulator that an organisation adopted: nothing of the shipped rules is on before. It says for whom, by which
//! days, and, with a reason, in a time of its own.
//!
//! Deliberately not here: the rules ([`crate::obligation`]), and how one runs in an incident (`incident::obligations`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, needed, row};
use super::checker::Checker;
use super::{Bundle, Entry, FormKind, Slug, Standing};
use crate::matcher::Matchers;
use crate::obligation::{Period, RULES, Rule, Status, Unit, rule};
use crate::org::words::meant;

/// Longest reason for a time of its own, in characters.
const WHY_CHARS_MAX: usize = 300;
/// Shipped rules, as they are written and shown.
const RULES_TO_CHOOSE: &[(&str, &str)] = &choices();
/// What a matcher of an obligation sees of an incident; labels are those of an alarm that declares or joins it.
const TYPE: &str = "type";

const fn choices() -> [(&'static str, &'static str); RULES.len()] {
    let mut out = [("", ""); RULES.len()];
    let mut at = 0;
    while at < RULES.len() {
        out[at] = (RULES[at].id, RULES[at].id);
        at += 1;
    }
    out
}

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "obligation",
    plural: "Obligations",
    one: "obligation",
    purpose: "Rules of regulators that you adopt: what has to be reported to whom, and until when. Each is an assumption that you check against its source. None is on before you adopt it, and none files anything.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        needed("rule", "Rule", "One of those that are shipped.", Input::Word(RULES_TO_CHOOSE)),
        row(
            "match",
            "May apply to",
            "Matchers over service, severity, title, type and labels of an alarm that declares it or joins it, as in service=\"payments\". Empty: it is proposed by hand.",
            Input::Line,
        ),
        row("recipient", "Recipient", "Whom you report to, in the place of the rule’s own words.", Input::One(FormKind::Organisation)),
        row(
            "calendar",
            "Calendar",
            "Its zone, its holidays and the days on which it is open. Without one Saturdays and Sundays are free, no day is a holiday, and days are those of UTC.",
            Input::One(FormKind::Calendar),
        ),
        row(
            "length",
            "Time of its own",
            "In the place of the rule’s, for its first report, as in `48 hours` or `3 business days`.",
            Input::Line,
        ),
        row("why", "Why", "Why it has a time of its own; shown with it.", Input::Line),
        row("although_not_law", "Adopt it although it is not law", "Needed for a rule that is proposed or not in force.", Input::Check),
    ],
};

/// A rule that was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObligationForm {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of a shipped rule.
    pub rule: String,
    /// Matchers in Alertmanager's dialect; empty: it is proposed by hand alone.
    #[serde(default, rename = "match", skip_serializing_if = "String::is_empty")]
    pub matches: String,
    /// Another organisation, in the place of the rule's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Slug>,
    /// In the place of the rule's, for its first report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// That it is adopted though nobody owes it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub although_not_law: bool,
}

impl ObligationForm {
    /// The rule that it adopts, where there is one of this id.
    #[must_use]
    pub fn adopts(&self) -> Option<&'static Rule> {
        rule(&self.rule)
    }

    /// What people call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().or_else(|| self.adopts().map(|rule| rule.regime)).unwrap_or(&self.id)
    }

    /// How long its first report may take.
    #[must_use]
    pub fn first_within(&self) -> Option<Period> {
        let rule = self.adopts()?;
        let own = self.length.as_deref().and_then(|length| length.parse::<Period>().ok());
        Some(own.map_or(rule.first.within, |own| Period { counting: rule.first.within.counting, ..own }))
    }
}

impl Entry for ObligationForm {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn stands(&self, _at: Timestamp, _of: &Bundle) -> Option<Standing> {
        let rule = self.adopts()?;
        let within = self.first_within()?;
        let assumed = if rule.status == Status::Assumption { "" } else { ", an assumption to be checked against its source" };
        let words =
            format!("{} within {within} from when {}: {}{assumed} ({})", rule.first.name, rule.starts_at, rule.status.words(), rule.source);
        Some(Standing { words, until: None })
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            match Matchers::parse(&form.matches) {
                Err(bad) => checker.error(place.key("match"), bad.to_string(), "write it as in `service=\"payments\", severity=\"sev1\"`"),
                Ok(matchers) if matchers.0.iter().any(|matcher| matcher.name == TYPE) => {
                    checker.not_yet(place.key("match"), "`type` of an incident");
                }
                Ok(_) => {}
            }
            if let Some(recipient) = &form.recipient {
                checker.refers(place.key("recipient"), FormKind::Organisation, recipient);
            }
            if let Some(calendar) = &form.calendar {
                checker.refers(place.key("calendar"), FormKind::Calendar, calendar);
            }
            for (key, text) in [("why", &form.why), ("name", &form.name)] {
                if text.as_ref().is_some_and(|text| text.chars().count() > WHY_CHARS_MAX || text.trim().is_empty()) {
                    checker.error(
                        place.key(key),
                        format!("it is a text of at most {WHY_CHARS_MAX} characters"),
                        "say it shorter, or leave it away",
                    );
                }
            }
            let Some(rule) = form.adopts() else {
                let shown: String = form.rule.chars().filter(|c| !c.is_control()).take(64).collect();
                let hint = meant(&form.rule, RULES.iter().map(|rule| rule.id));
                return checker.error(place.key("rule"), format!("`{shown}` is no rule that is shipped"), hint);
            };
            if rule.status.is_not_law() && !form.although_not_law {
                let words = format!("`{}` is {}", rule.id, rule.status.words());
                checker.error(
                    place.key("rule"),
                    words,
                    "write `although_not_law: true` to adopt it all the same; it says so wherever it is shown",
                );
            }
            if rule.status == Status::Assumption {
                let words = format!("`{}` is an {}", rule.id, rule.status.words());
                checker.warning(place.key("rule"), words, "check it against its source, and set `length` where it is another");
            }
            own_length(checker, place, form, rule);
            let days = form.first_within().is_some_and(Period::asks_for_days);
            if form.calendar.is_none() && (days || rule.follow_ups.iter().any(|report| report.within.asks_for_days())) {
                let words = format!("`{}` counts days, and no calendar says which are free", form.id);
                checker.warning(place.key("calendar"), words, "give it `calendar: ID`, with the zone and the holidays of its place");
            }
        });
    }
}

fn own_length<'a>(checker: &mut Checker<'a>, place: &crate::org::problem::Place, form: &'a ObligationForm, rule: &Rule) {
    match form.length.as_deref().map(str::parse::<Period>) {
        None if form.why.is_some() => {
            checker.error(place.key("why"), "there is nothing that it says why of", "give `length` with it, or leave it away");
        }
        None => {}
        Some(Err(bad)) => checker.error(place.key("length"), bad.to_string(), format!("the rule has {}", rule.first.within)),
        Some(Ok(own)) => {
            if form.why.is_none() {
                let words = format!("it has {own} in the place of {}, and does not say why", rule.first.within);
                checker.error(place.key("length"), words, "give `why` with it");
            }
            if own.is_longer_than(rule.first.within) {
                let words = format!("{own} are longer than the {} of `{}`", rule.first.within, rule.id);
                checker.warning(place.key("length"), words, "make sure that whoever you report to agrees");
            }
            let hours_of = form.calendar.as_deref().and_then(|id| checker.bundle.calendars.iter().find(|one| one.id == id));
            if own.unit == Unit::BusinessDays && hours_of.is_some_and(|calendar| calendar.hours.is_empty()) {
                let words = "business days are counted by a calendar that is never open";
                checker.warning(place.key("calendar"), words, "give the calendar `hours`; until then every day counts");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_its_own_counts_as_the_rule_does() {
        let form: ObligationForm =
            serde_json::from_value(serde_json::json!({"id": "g", "rule": "gdpr-33", "length": "48 hours", "why": "ours"})).unwrap();
        assert_eq!(form.first_within(), Some(Period::hours(48).eu()));
        assert_eq!(form.called(), "GDPR art. 33");
        assert_eq!(RULES_TO_CHOOSE.len(), RULES.len());
    }
}
