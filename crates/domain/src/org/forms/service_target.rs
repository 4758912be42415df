//! How soon an incident is to be acknowledged, joined, mitigated and resolved, by its severity and service.
//!
//! The most particular target wins, and wins whole: of its severity, one that names the service of the incident before one
//! for all services. Two that would be as particular as each other are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed, row};
use super::checker::Checker;
use super::severity::SEVERITIES;
use super::{Entry, FormKind, Slug};
use crate::severity::Severity;
use crate::time::Length;

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "target",
    plural: "Targets",
    one: "target",
    purpose: "How soon an incident of a severity is to be acknowledged, joined by others, mitigated and resolved. Each incident shows its clocks, and who has it is told at half and at 80 % of their time.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        needed("severity", "Severity", "Of which incidents.", Input::Word(SEVERITIES)),
        row("services", "Services", "Only theirs; of all others where none is chosen.", Input::Many(FormKind::Service)),
        row("acknowledge", "Acknowledge within", "Until somebody has it.", Input::Length),
        row("engage", "Engage within", "Until a second person is on it, or somebody took command.", Input::Length),
        row("mitigate", "Mitigate within", "Until the impact is reduced.", Input::Length),
        row("resolve", "Resolve within", "Until service is normal.", Input::Length),
        row("calendar", "Calendar", "Only its open hours count. Without one every hour does.", Input::One(FormKind::Calendar)),
    ],
};

/// How soon incidents of a severity are to be dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTarget {
    pub id: Slug,
    pub severity: Severity,
    /// Of incidents of these services; of all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engage: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigate: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<Length>,
    /// Whose open hours count; every hour where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Slug>,
}

impl ServiceTarget {
    /// What it sets, by the keys of the file, in the order of a life.
    #[must_use]
    pub fn lengths(&self) -> [(&'static str, Option<Length>); 4] {
        [("acknowledge", self.acknowledge), ("engage", self.engage), ("mitigate", self.mitigate), ("resolve", self.resolve)]
    }
}

/// The target of an incident of this severity and service: of those of its severity the one that names its service, else
/// the one for all.
#[must_use]
pub fn most_particular<'a>(targets: &'a [ServiceTarget], severity: Severity, service: Option<&str>) -> Option<&'a ServiceTarget> {
    let of_severity = || targets.iter().filter(|target| target.severity == severity);
    let names = |target: &&ServiceTarget| service.is_some_and(|service| target.services.iter().any(|named| named == service));
    of_severity().find(names).or_else(|| of_severity().find(|target| target.services.is_empty()))
}

impl Entry for ServiceTarget {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let mut taken: BTreeMap<(Severity, Option<&str>), &str> = BTreeMap::new();
        checker.each(kind, list, |checker, place, target| {
            checker.refer(&place.key("services"), FormKind::Service, &target.services);
            if let Some(calendar) = &target.calendar {
                checker.refers(place.key("calendar"), FormKind::Calendar, calendar);
            }
            for (key, length) in target.lengths() {
                if length.is_some_and(|length| length.is_zero()) {
                    checker.error(place.key(key), "no time at all is kept by nobody", "write a length, as in `15m`, or leave it away");
                }
            }
            if target.lengths().iter().all(|(_, length)| length.is_none()) {
                let hint = "give it `acknowledge`, `engage`, `mitigate` or `resolve`, as in `resolve: 4h`";
                checker.error(place.clone(), format!("target `{}` sets no time", target.id), hint);
            }
            let set: Vec<(&str, Length)> = target.lengths().into_iter().filter_map(|(key, length)| Some((key, length?))).collect();
            // Whoever mitigates need not have engaged anybody; what comes last comes after each of the others.
            for ((first, sooner), (then, later)) in set.iter().zip(set.iter().skip(1)).filter(|((_, sooner), (_, later))| sooner > later) {
                let words = format!("`{first}` has {sooner}, and `{then}`, which comes after it, only {later}");
                checker.warning(place.key(then), words, "give it as long at least");
            }
            let services: Vec<Option<&str>> =
                if target.services.is_empty() { vec![None] } else { target.services.iter().map(|id| Some(id.as_str())).collect() };
            for (at, service) in services.into_iter().enumerate() {
                let Some(other) = taken.insert((target.severity, service), &target.id) else { continue };
                let (place, whose) = match service {
                    Some(service) => (place.key("services").index(at), format!("`{service}`")),
                    None => (place.key("severity"), "all services".to_owned()),
                };
                let words = format!("`{other}` is the target of {} for {whose} already", target.severity.word());
                checker.error(place, words, "keep one of the two");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_names_the_service_wins_whole_over_one_for_all() {
        let read = |json: serde_json::Value| -> Vec<ServiceTarget> { serde_json::from_value(json).unwrap() };
        let targets = read(serde_json::json!([
            {"id": "all", "severity": "sev1", "acknowledge": "5m", "resolve": "4h"},
            {"id": "pay", "severity": "sev1", "services": ["checkout", "payments"], "resolve": "1h"},
            {"id": "slow", "severity": "sev3", "services": ["checkout"], "resolve": "2d"},
        ]));
        let won = |severity, service| most_particular(&targets, severity, service).map(|target| target.id.as_str());
        assert_eq!(won(Severity::Sev1, Some("payments")), Some("pay"), "though it says nothing of acknowledging");
        assert_eq!(won(Severity::Sev1, Some("search")), Some("all"));
        assert_eq!(won(Severity::Sev1, None), Some("all"));
        assert_eq!(won(Severity::Sev3, Some("search")), None, "that of another service is not its");
        assert_eq!(won(Severity::Sev2, Some("checkout")), None);
    }
}
