//! What each kind of form is for and what its fields are: one table, from which the pages are made
//! and by which what was typed is read.
//!
//! Every key of the organisation's model has a row here; a test holds the two against each other.

use allclear_domain::org::diff::FormKind;

/// One field.
#[derive(Debug)]
pub(crate) struct Row {
    /// The key of the organisation file.
    pub key: &'static str,
    pub label: &'static str,
    /// One sentence; empty where the label says all.
    pub hint: &'static str,
    pub input: Input,
    /// Whether the browser asks for it.
    pub needed: bool,
}

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// One line.
    Line,
    /// Several lines.
    Text,
    /// A whole number.
    Number,
    /// `5m`.
    Length,
    /// An IANA name.
    Zone,
    /// An instant, in the reader's zone.
    Instant,
    /// A secret: what is stored is never shown.
    Secret,
    /// Yes or no; `true` where yes is what is meant when nothing is said.
    Check,
    /// A word of these; nothing where it may be left open.
    Word(&'static [(&'static str, &'static str)]),
    /// A format of integrations that is spoken here.
    Format,
    /// A form of this kind.
    One(FormKind),
    /// Forms of this kind.
    Many(FormKind),
    /// Words, one a line; with an example.
    Lines(&'static str),
    /// A part as YAML; with an example.
    Yaml(&'static str),
    /// Contacts as YAML; what the channels say of themselves is the example.
    Contacts,
    /// Everything else of the form as YAML.
    Rest,
}

const fn row(key: &'static str, label: &'static str, hint: &'static str, input: Input) -> Row {
    Row { key, label, hint, input, needed: false }
}

const fn needed(key: &'static str, label: &'static str, hint: &'static str, input: Input) -> Row {
    Row { key, label, hint, input, needed: true }
}

const NOTIFY: &str = "high: [{contact: hook}, {contact: mail, after: 1m}]\nlow: [{contact: mail}]";
const LAYERS: &str = "- people: [ana, ben]\n  every: 1w\n  handoff: \"Mon 09:00\"\n  starts: 2026-01-05";
const STEPS: &str = "- {page: [\"schedule:payments-primary\"], within: 5m}\n- {page: [\"person:cho\"], within: 10m}";
const SET: &str = "severity: sev2\ngroup_by: [cluster, alertname]\ngroup_wait: 30s";
const TARGETS: &str = "person:cho\nteam:payments";
const ACCESS: &[(&str, &str)] =
    &[("administrator", "Administrator"), ("responder", "Responder"), ("observer", "Observer"), ("guest", "Guest")];
const TIERS: &[(&str, &str)] = &[("1", "1 (most)"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5")];
const URGENCIES: &[(&str, &str)] = &[("high", "High"), ("low", "Low")];
const DECLARES: &[(&str, &str)] =
    &[("true", "Declare and page"), ("candidate", "Ask a person; declare after ten minutes"), ("record", "Only keep it")];
const SEVERITIES: &[(&str, &str)] = &[("sev1", "SEV1"), ("sev2", "SEV2"), ("sev3", "SEV3"), ("sev4", "SEV4"), ("sev5", "SEV5")];

const NAME: Row = row("name", "Name", "What people call it; its id where empty.", Input::Line);
const CALLED: Row = needed("name", "Name", "What people call it.", Input::Line);
const TEAM: Row = row("team", "Team", "Who answers for it; its managers may change more.", Input::One(FormKind::Team));

const PERSON: &[Row] = &[
    needed("name", "Name", "As colleagues know them.", Input::Line),
    row("email", "Mail address", "Shown, and one may sign in with it; not a way to be paged by itself.", Input::Line),
    row("time_zone", "Time zone", "An IANA name such as Europe/Madrid; UTC where empty.", Input::Zone),
    row("access", "Access", "What they may see and do. Left open it stays as it was; responder at first.", Input::Word(ACCESS)),
    row(
        "contacts",
        "Contacts",
        "How they are reached: each with an id and one address. Without any they cannot be paged. A stored secret is shown as ********; leave that to keep it.",
        Input::Contacts,
    ),
    row(
        "notify",
        "Which contacts, in which order",
        "Per notification urgency. Where empty, every verified contact at once.",
        Input::Yaml(NOTIFY),
    ),
];
const TEAMS: &[Row] = &[
    CALLED,
    row("members", "Members", "Paged where a policy names the team.", Input::Many(FormKind::Person)),
    row("managers", "Managers", "They see and change more of the team.", Input::Many(FormKind::Person)),
];
const SCHEDULE: &[Row] = &[
    NAME,
    TEAM,
    needed("time_zone", "Time zone", "Hand-offs are civil times in it, as in Europe/Madrid.", Input::Zone),
    needed("layers", "Layers", "Rotations; of several the last with someone on wins.", Input::Yaml(LAYERS)),
];
const OVERRIDE: &[Row] = &[
    needed("schedule", "Schedule", "", Input::One(FormKind::Schedule)),
    needed("person", "Who takes it", "Whoever its layers say.", Input::One(FormKind::Person)),
    needed("starts_at", "From", "", Input::Instant),
    needed("ends_at", "Until", "", Input::Instant),
];
const ESCALATION: &[Row] = &[
    NAME,
    needed(
        "steps",
        "Steps",
        "Whom to page, and how long they have to acknowledge. Targets are `schedule:ID`, `person:ID`, `team:ID`.",
        Input::Yaml(STEPS),
    ),
    row("repeat", "Further rounds", "After the first; at most 20.", Input::Number),
    row(
        "again_every",
        "Comes back every",
        "When everybody was paged and nobody has it: to the catch-all and the team’s managers. 30m at high urgency, 1d at low, where left open; never turns it off.",
        Input::Length,
    ),
];
const SERVICE: &[Row] = &[
    CALLED,
    TEAM,
    row("escalation", "Escalation policy", "Whom its incidents page. Without one, the catch-all.", Input::One(FormKind::Escalation)),
    row("tier", "Tier", "How much depends on it.", Input::Word(TIERS)),
    row("depends_on", "Depends on", "No circles.", Input::Many(FormKind::Service)),
    row("runbook", "Runbook", "An address that is shown with its pages.", Input::Line),
];
const INTEGRATION: &[Row] = &[
    NAME,
    needed("kind", "Format", "What the sender speaks.", Input::Format),
    row(
        "key",
        "Key",
        "What the sender presents. Leave it empty: the stored one stays, and of a new integration one is made and shown once.",
        Input::Secret,
    ),
    row("service", "Service", "For which it speaks, unless a route says otherwise.", Input::One(FormKind::Service)),
];
const ROUTE: &[Row] = &[
    row(
        "order",
        "Place",
        "Routes are read in this order, and the first that matches decides. Those of a file count from 0; one made here comes after them.",
        Input::Number,
    ),
    row(
        "match",
        "Matches",
        "Alertmanager’s matchers, as in severity=\"critical\", team=~\"pay.*\". Empty matches everything.",
        Input::Line,
    ),
    row("set", "Sets", "Any of service, severity, impact, urgency, group_by, group_wait, title, plan, private.", Input::Yaml(SET)),
    row("declare", "What becomes of it", "Left open it is declared, unless a later route says otherwise.", Input::Word(DECLARES)),
    row("continue", "Go on to later routes", "They may override what this one sets.", Input::Check),
];
const SEVERITY: &[Row] = &[
    row("name", "Name", "Shown beside SEV1 to SEV5.", Input::Line),
    row("notify", "Notification urgency", "High for SEV1 to SEV3, where left open.", Input::Word(URGENCIES)),
    row("update_every", "Updates every", "How often stakeholders are told.", Input::Length),
    row("review_within", "Review within", "How long a review may take after the end.", Input::Length),
    row(
        "acknowledgement_lasts",
        "Acknowledgement lasts",
        "While nobody does anything about the incident; then its holder is asked, and without an answer it pages again. 30m for SEV1, 1h for SEV2, else never, where left open.",
        Input::Length,
    ),
    row("acknowledge_within", "Acknowledge within", "Shown; no reminder follows from it.", Input::Length),
    row("resolve_within", "Resolve within", "Shown; no reminder follows from it.", Input::Length),
];
const SILENCE: &[Row] = &[
    needed(
        "match",
        "Matches",
        "Alertmanager’s matchers, as in service=\"checkout\". Alerts that match are kept and page nobody.",
        Input::Line,
    ),
    needed("starts_at", "From", "", Input::Instant),
    needed("ends_at", "Until", "What still fires then is judged again.", Input::Instant),
    row("comment", "Why", "Whoever wonders why nothing was paged reads this.", Input::Text),
    row("created_by", "Set by", "", Input::Line),
    row("integration", "Only alerts of", "All integrations, where left open.", Input::One(FormKind::Integration)),
];
const CATCH_ALL: &[Row] =
    &[needed("targets", "Whom to page", "One target a line: `person:ID`, `team:ID`, `schedule:ID`.", Input::Lines(TARGETS))];
const AUDIENCE: &[Row] = &[
    NAME,
    row("people", "People", "", Input::Many(FormKind::Person)),
    row("teams", "Teams", "Every member is told.", Input::Many(FormKind::Team)),
    row("contacts", "Other addresses", "That belong to no person, as of a mailing list: each with an id and one address.", Input::Contacts),
];
const LOOSE: &[Row] = &[row("", "Content", "Kept and exported as written.", Input::Rest)];

/// The fields of a kind, without its id.
pub(crate) const fn rows(kind: FormKind) -> &'static [Row] {
    match kind {
        FormKind::Person => PERSON,
        FormKind::Team => TEAMS,
        FormKind::Schedule => SCHEDULE,
        FormKind::Override => OVERRIDE,
        FormKind::Escalation => ESCALATION,
        FormKind::Service => SERVICE,
        FormKind::Integration => INTEGRATION,
        FormKind::Route => ROUTE,
        FormKind::Severity => SEVERITY,
        FormKind::Silence => SILENCE,
        FormKind::CatchAll => CATCH_ALL,
        FormKind::Audience => AUDIENCE,
        FormKind::Calendar | FormKind::Role | FormKind::Plan => LOOSE,
    }
}

/// How the id of a new form is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdOf {
    /// It is typed.
    Typed,
    /// It is one of the severities.
    Severity,
    /// It is made.
    Made,
    /// There is one form of the kind.
    Only,
}

pub(crate) const fn id_of(kind: FormKind) -> IdOf {
    match kind {
        FormKind::Severity => IdOf::Severity,
        FormKind::Override | FormKind::Silence => IdOf::Made,
        FormKind::CatchAll => IdOf::Only,
        _ => IdOf::Typed,
    }
}

/// The severities that a form may be for.
pub(crate) const fn severities() -> &'static [(&'static str, &'static str)] {
    SEVERITIES
}

#[cfg(test)]
mod tests;
