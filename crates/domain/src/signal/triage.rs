//! Triage: what an alert is, how bad, and what is done with it.
//!
//! The defaults are the contract's ("Defaults that decide whether somebody is woken"): routes in
//! order, the first match decides unless it says `continue`; without a match the integration's
//! service, the sender's severity mapped, and it declares. Nothing is dropped for want of a rule.

use jiff::Timestamp;

use super::alert::Suppression;
use crate::expect::GRACE_DEFAULT;
use crate::incident::TITLE_CHARS_MAX;
use crate::incident::reporting::GROUP;
use crate::org::model::{Declare, Integration, Level};
use crate::org::snapshot::{CompiledRoute, CompiledSilence, Org};
use crate::severity::Severity;
use crate::time::Length;
use crate::wire::{SenderSeverity, Signal};

/// The label of a report that joins whatever else was reported by its form, since enough incidents came of that lately.
pub const REPORTS_TOGETHER: &str = "reports_together";

/// What triage found.
#[derive(Debug, Clone, PartialEq)]
pub struct Triage {
    pub service: Option<String>,
    pub severity: Severity,
    /// Where a route's impact and urgency gave it: these.
    pub levels: Option<(Level, Level)>,
    pub decision: Declare,
    /// The policy a page of it would run.
    pub escalation: Option<String>,
    /// Alerts with the same key share an incident; absent, each has its own.
    pub group_key: Option<String>,
    pub group_wait: Length,
    /// Within this time of its end an alert that comes back joins the incident it had; none: never.
    pub grace: Length,
    /// Title of an incident of it.
    pub title: String,
    /// Whether only those who are admitted see an incident of it.
    pub private: bool,
    /// The type of an incident of it.
    pub kind: Option<String>,
    /// The plan that starts in an incident of it.
    pub plan: Option<String>,
    pub suppressed: Option<Suppression>,
    /// The route that decided, or the default.
    pub because: String,
    /// Every step in words; empty unless asked for.
    pub steps: Vec<String>,
}

/// What a matcher sees under `name`: `labels.NAME`; the names `severity`, `service`, `source`,
/// `integration`, `title`; any other name is a label too, as Alertmanager's dialect has it. An
/// absent value is empty.
#[must_use]
pub fn value_of<'a>(signal: &'a Signal, integration: &'a Integration, name: &str) -> &'a str {
    let label = |name: &str| signal.labels.get(name).map(String::as_str);
    if let Some(name) = name.strip_prefix("labels.") {
        return label(name).unwrap_or("");
    }
    match name {
        // The sender's own word where it came as a label, else the mapped one.
        "severity" => label(name).or_else(|| signal.severity.map(SenderSeverity::word)).unwrap_or(""),
        "service" => label(name).or(signal.service.as_deref()).or(integration.service.as_deref()).unwrap_or(""),
        "source" => label(name).or(signal.source.as_deref()).unwrap_or(""),
        "integration" => &integration.id,
        "title" => &signal.title,
        other => label(other).unwrap_or(""),
    }
}

/// Judges a signal. `explain` asks for every step in words.
#[must_use]
pub fn triage(org: &Org, integration: &Integration, signal: &Signal, now: Timestamp, explain: bool) -> Triage {
    let mut steps = Vec::new();
    let mut say = |text: &dyn Fn() -> String| {
        if explain {
            steps.push(text());
        }
    };
    let value = |name: &str| value_of(signal, integration, name);
    let mut found = Found::default();
    for route in org.routes() {
        if let Some(misfit) = route.matchers.misfit(value) {
            say(&|| format!("{} does not match: it wants {misfit}, and `{}` is \"{}\"", route.name, misfit.name, value(&misfit.name)));
            continue;
        }
        found.take(route);
        say(&|| format!("{} matches{}", route.name, if route.route.go_on { ", and later routes are read too" } else { "" }));
        if !route.route.go_on {
            break;
        }
    }
    if found.by.is_empty() {
        say(&|| "no route matches: the defaults decide".to_owned());
    }
    let service = found
        .service
        .clone()
        .or_else(|| signal.service.clone().filter(|id| org.service(id).is_some()))
        .or_else(|| integration.service.clone());
    let severity = severity(&found, org, signal);
    // What somebody outside says is looked at before it wakes anybody, unless their form or a route says otherwise.
    let reported =
        org.report_form(&integration.id).map(|form| if form.at_once == Some(true) { Declare::Declare } else { Declare::Candidate });
    let decision = found.declare.or(reported).unwrap_or(if found.by.is_empty() && signal.severity == Some(SenderSeverity::Info) {
        Declare::Record
    } else {
        Declare::Declare
    });
    let escalation = service.as_deref().and_then(|id| org.escalation_of(id)).map(|policy| policy.id.clone());
    let suppressed = suppression(org, integration, signal, now);
    let title = title(found.title.as_deref(), signal, service.as_deref());
    let mut group_key = found.group_by.as_ref().map(|names| group_key(&found.by, service.as_deref(), names, value));
    if reported.is_some() {
        // Reports of one service are one incident, however many there are; and where there are too many of those, all are.
        let of_route = group_key.unwrap_or_else(|| service.clone().unwrap_or_default());
        let of = if signal.labels.contains_key(REPORTS_TOGETHER) { REPORTS_TOGETHER.to_owned() } else { of_route };
        group_key = Some(format!("{GROUP}{}|{of}", integration.id));
    }
    say(&|| format!("service {}, {severity}, {}", service.as_deref().unwrap_or("none"), decision_in_words(decision)));
    // What an organisation of long ago names may not be there.
    let plan = found.plan.as_ref().filter(|id| org.plan(id).is_some()).cloned();
    if let Some(plan) = &found.plan {
        say(&|| if org.plan(plan).is_some() { format!("the plan `{plan}` starts") } else { format!("there is no plan `{plan}` to start") });
    }
    let kind = found.kind.as_deref().and_then(|id| org.incident_type(id));
    if let Some(id) = &found.kind {
        say(&|| if kind.is_some() { format!("an incident of it is of the type `{id}`") } else { format!("there is no type `{id}`") });
    }
    if let Some(silence) = &suppressed {
        say(&|| format!("silence {} suppresses it until {}", silence.silence, silence.until));
    }
    let because = if found.by.is_empty() { "no route matched".to_owned() } else { found.by };
    Triage {
        service,
        severity,
        levels: found.impact.zip(found.urgency).filter(|_| found.severity.is_none()),
        decision,
        escalation,
        group_key,
        group_wait: found.group_wait,
        grace: found.grace.unwrap_or(GRACE_DEFAULT),
        title,
        private: found.private.unwrap_or_else(|| kind.and_then(|form| form.private).unwrap_or(false)),
        kind: kind.map(|form| form.id.clone()),
        plan,
        suppressed,
        because,
        steps,
    }
}

/// The silence that holds an alert back: of those that match the one that ends last, so that no alert is
/// judged again before all of them are over.
#[must_use]
pub fn suppression(org: &Org, integration: &Integration, signal: &Signal, now: Timestamp) -> Option<Suppression> {
    let value = |name: &str| value_of(signal, integration, name);
    let holds = |silence: &&CompiledSilence| {
        silence.is_active(now)
            && silence.silence.integration.as_deref().is_none_or(|id| id == integration.id)
            && silence.matchers.fit(value)
    };
    let last = org.silences().iter().filter(holds).max_by_key(|silence| silence.silence.ends_at)?;
    Some(Suppression { silence: last.silence.id.clone(), until: last.silence.ends_at })
}

/// What the matching routes set; a later one overrides.
#[derive(Default)]
struct Found {
    by: String,
    service: Option<String>,
    severity: Option<Severity>,
    impact: Option<Level>,
    urgency: Option<Level>,
    group_by: Option<Vec<String>>,
    group_wait: Length,
    grace: Option<Length>,
    title: Option<String>,
    private: Option<bool>,
    kind: Option<String>,
    plan: Option<String>,
    declare: Option<Declare>,
}

impl Found {
    fn take(&mut self, route: &CompiledRoute) {
        let set = &route.route.set;
        self.by.clone_from(&route.name);
        fn over<T: Clone>(mine: &mut Option<T>, theirs: &Option<T>) {
            if theirs.is_some() {
                mine.clone_from(theirs);
            }
        }
        over(&mut self.service, &set.service);
        over(&mut self.severity, &set.severity);
        over(&mut self.impact, &set.impact);
        over(&mut self.urgency, &set.urgency);
        over(&mut self.group_by, &set.group_by);
        over(&mut self.title, &set.title);
        over(&mut self.kind, &set.kind);
        over(&mut self.plan, &set.plan);
        over(&mut self.declare, &route.route.declare);
        over(&mut self.private, &set.private);
        if let Some(wait) = set.group_wait {
            self.group_wait = wait;
        }
        over(&mut self.grace, &set.grace);
    }
}

/// A route's word, else its impact × urgency, else the sender's severity mapped, else sev3. Where a route says only one of the two
/// nobody is sure: then it is no less bad than its sender says.
fn severity(found: &Found, org: &Org, signal: &Signal) -> Severity {
    if let Some(severity) = found.severity {
        return severity;
    }
    match (found.impact, found.urgency) {
        (Some(impact), Some(urgency)) => org.severity_of(impact, urgency),
        (None, None) => mapped(signal.severity),
        (impact, urgency) => {
            // The scale not said counts as medium: neither raises nor lowers.
            let severity = org.severity_of(impact.unwrap_or(Level::Medium), urgency.unwrap_or(Level::Medium));
            if signal.severity.is_some() { severity.min(mapped(signal.severity)) } else { severity }
        }
    }
}

const fn mapped(sender: Option<SenderSeverity>) -> Severity {
    match sender {
        Some(SenderSeverity::Critical) => Severity::Sev2,
        Some(SenderSeverity::Error) | None => Severity::Sev3,
        Some(SenderSeverity::Warning) => Severity::Sev4,
        Some(SenderSeverity::Info) => Severity::Sev5,
    }
}

/// The route, the service and the values of the named labels: two routes never share a group.
fn group_key<'a>(route: &str, service: Option<&str>, names: &[String], value: impl Fn(&str) -> &'a str) -> String {
    let mut key = format!("{route}|{}", service.unwrap_or(""));
    for name in names {
        key.push('|');
        key.push_str(name);
        key.push('=');
        key.push_str(&value(name).replace('|', "\\|"));
    }
    key
}

/// Fills `{title}`, `{service}`, `{source}`, `{labels.NAME}`; cut at the longest title.
fn title(template: Option<&str>, signal: &Signal, service: Option<&str>) -> String {
    let Some(template) = template else { return signal.title.clone() };
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match name.trim() {
            "title" => out.push_str(&signal.title),
            "service" => out.push_str(service.unwrap_or("")),
            "source" => out.push_str(signal.source.as_deref().unwrap_or("")),
            label => out.push_str(signal.labels.get(label.strip_prefix("labels.").unwrap_or(label)).map_or("", String::as_str)),
        }
        rest = behind;
    }
    out.push_str(rest);
    let cut: String = out.chars().take(TITLE_CHARS_MAX).collect();
    // A template that comes out empty must not lose the incident.
    if cut.trim().is_empty() { signal.title.clone() } else { cut }
}

const fn decision_in_words(decision: Declare) -> &'static str {
    match decision {
        Declare::Declare => "an incident is declared",
        Declare::Candidate => "a candidate is proposed",
        Declare::Record => "only recorded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::model::{Bundle, Route, Silence};
    use crate::wire::SignalAction;

    fn signal(severity: Option<SenderSeverity>, labels: &[(&str, &str)]) -> Signal {
        Signal {
            action: SignalAction::Trigger,
            dedup_key: "k".into(),
            title: "Disk full".into(),
            description: None,
            source: Some("db1".into()),
            service: None,
            severity,
            labels: labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            annotations: Default::default(),
            starts_at: None,
            ends_at: None,
            links: Vec::new(),
            notes: Vec::new(),
        }
    }
    fn prom() -> Integration {
        Integration {
            id: "prom".into(),
            name: None,
            kind: "alertmanager".into(),
            key: None,
            secret: None,
            service: Some("checkout".into()),
            every: None,
            grace: None,
        }
    }
    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
    fn routes(json: &str) -> Org {
        let routes: Vec<Route> = serde_json::from_str(json).unwrap();
        Org::build(7, Bundle { routes, ..Bundle::default() }, crate::channel::WaysOut::NONE)
    }

    #[test]
    fn without_a_route_the_senders_severity_decides_and_nothing_is_dropped() {
        let org = routes("[]");
        for (sent, severity, decision) in [
            (Some(SenderSeverity::Critical), Severity::Sev2, Declare::Declare),
            (Some(SenderSeverity::Error), Severity::Sev3, Declare::Declare),
            (Some(SenderSeverity::Warning), Severity::Sev4, Declare::Declare),
            (Some(SenderSeverity::Info), Severity::Sev5, Declare::Record),
            (None, Severity::Sev3, Declare::Declare),
        ] {
            let found = triage(&org, &prom(), &signal(sent, &[]), now(), false);
            assert_eq!((found.severity, found.decision), (severity, decision), "{sent:?}");
            assert_eq!((found.service.as_deref(), found.group_key), (Some("checkout"), None));
        }
    }

    #[test]
    fn the_first_matching_route_decides_unless_it_goes_on() {
        let org = routes(
            r#"[{"match":"team=\"db\"","set":{"severity":"sev4","group_by":["source"]},"continue":true},
                {"match":"severity=\"critical\"","set":{"severity":"sev1"},"declare":"candidate"},
                {"match":"","declare":"record"}]"#,
        );
        let found = triage(&org, &prom(), &signal(Some(SenderSeverity::Critical), &[("team", "db")]), now(), true);
        assert_eq!((found.severity, found.decision), (Severity::Sev1, Declare::Candidate));
        assert_eq!(found.group_key.as_deref(), Some("route 2|checkout|source=db1"));
        assert_eq!(found.because, "route 2");
        assert_eq!(found.steps.len(), 3, "{:?}", found.steps);
        let other = triage(&org, &prom(), &signal(Some(SenderSeverity::Error), &[]), now(), false);
        assert_eq!((other.severity, other.decision, other.because.as_str()), (Severity::Sev3, Declare::Record, "route 3"));
    }

    #[test]
    fn impact_and_urgency_go_through_the_matrix() {
        let org = routes(r#"[{"match":"","set":{"impact":"high","urgency":"high"}}]"#);
        assert_eq!(triage(&org, &prom(), &signal(Some(SenderSeverity::Warning), &[]), now(), false).severity, Severity::Sev1);
        let org = routes(r#"[{"match":"","set":{"impact":"low"}}]"#);
        assert_eq!(triage(&org, &prom(), &signal(None, &[]), now(), false).severity, Severity::Sev4);
        let half = triage(&org, &prom(), &signal(Some(SenderSeverity::Critical), &[]), now(), false);
        assert_eq!(half.severity, Severity::Sev2, "whoever says half is not sure, and the alarm is");
        let org = routes(r#"[{"match":"","set":{"impact":"low","urgency":"low"}}]"#);
        let whole = triage(&org, &prom(), &signal(Some(SenderSeverity::Critical), &[]), now(), false);
        assert_eq!((whole.severity, whole.because.as_str()), (Severity::Sev4, "route 1"), "the route is the reason");
    }

    #[test]
    fn a_silence_suppresses_within_its_time_and_for_its_integration() {
        let silence = |integration: Option<&str>| {
            let silence = Silence {
                id: "s1".into(),
                matches: "source=\"db1\"".into(),
                starts_at: Timestamp::from_second(1_799_999_000).unwrap(),
                ends_at: Timestamp::from_second(1_800_000_001).unwrap(),
                comment: String::new(),
                created_by: String::new(),
                integration: integration.map(ToOwned::to_owned),
            };
            Org::build(1, Bundle { silences: vec![silence], ..Bundle::default() }, crate::channel::WaysOut::NONE)
        };
        let judged = |org: &Org, at: Timestamp| triage(org, &prom(), &signal(None, &[]), at, false).suppressed;
        assert_eq!(judged(&silence(None), now()).unwrap().silence, "s1");
        assert!(judged(&silence(Some("prom")), now()).is_some());
        assert!(judged(&silence(Some("other")), now()).is_none());
        assert!(judged(&silence(None), Timestamp::from_second(1_800_000_001).unwrap()).is_none(), "its end is excluded");
    }

    #[test]
    fn a_title_is_filled_in_and_never_comes_out_empty() {
        let org = routes(r#"[{"match":"","set":{"title":"{service}: {title} on {labels.zone} {open"}}]"#);
        let found = triage(&org, &prom(), &signal(None, &[("zone", "eu")]), now(), false);
        assert_eq!(found.title, "checkout: Disk full on eu {open");
        let org = routes(r#"[{"match":"","set":{"title":"{labels.nope}"}}]"#);
        assert_eq!(triage(&org, &prom(), &signal(None, &[]), now(), false).title, "Disk full");
    }
}
