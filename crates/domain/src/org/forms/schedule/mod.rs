//! Who is on call, by layers, as it is written. How a rotation is read is the business of [`crate::oncall`], which stands on
//! these types; what is wrong with one is said in `check.rs`, which stands on both.

mod check;

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, Layout, NAME, Rows, TEAM, THIS_MONDAY, needed, row};
use super::{FormKind, Slug};
use crate::time::Every;

const LAYERS: &str = "- people: [ana, ben]\n  every: 1w\n  handoff: \"Mon 09:00\"\n  starts: 2026-01-05";
pub(super) const LAYER: Rows = Rows {
    one: "layer",
    fields: &[
        row("name", "Name", "", Input::Line),
        needed("people", "People in turn", "", Input::Several(&Input::One(FormKind::Person), 2)),
        needed("every", "A turn lasts", "1w, 2d or 12h; 1mo for months, 1wd for working days.", Input::Turn),
        row("elapsed", "Hours", "On the wall clock, where left open.", Input::Word(ELAPSED)),
        row("calendar", "Working days of", "Monday to Friday, where left open.", Input::One(FormKind::Calendar)),
        needed("handoff", "Hand-off", "Mon 09:00 for weeks, 1 09:00 for months (31 is the last day), 09:00 for all others.", Input::Line),
        needed("starts", "Starts", "The first turn begins at the first hand-off on or after it.", Input::Date),
        row("ends", "Ends", "", Input::Date),
        row("only", "Only within", "Always, where empty.", Input::Rows(&WINDOW)),
    ],
    layout: Layout::Objects,
    first: 1,
    spare: 0,
    more: &["name", "elapsed", "calendar", "ends", "only"],
    fresh: &[("every", "1w"), ("handoff", "Mon 09:00"), ("starts", THIS_MONDAY)],
    example: LAYERS,
};
/// How the hours of a turn are counted.
const ELAPSED: &[(&str, &str)] = &[("true", "Hours that pass"), ("false", "The wall clock")];
/// Hours of the week, as a layer and a calendar have them.
pub(super) const WINDOW: Rows = Rows {
    one: "window",
    fields: &[
        row("days", "Days", "Every day, where none is ticked.", Input::Ticks(DAYS)),
        needed("from", "From", "As in 09:00.", Input::Line),
        needed("to", "To", "At or before the beginning it runs into the next day.", Input::Line),
    ],
    layout: Layout::Objects,
    first: 0,
    spare: 0,
    more: &[],
    fresh: &[],
    example: HOURS,
};
const HOURS: &str = "- {days: [Mon, Tue, Wed, Thu, Fri], from: \"09:00\", to: \"17:00\"}";
const DAYS: &[(&str, &str)] =
    &[("Mon", "Mon"), ("Tue", "Tue"), ("Wed", "Wed"), ("Thu", "Thu"), ("Fri", "Fri"), ("Sat", "Sat"), ("Sun", "Sun")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "schedule",
    plural: "Schedules",
    one: "schedule",
    purpose: "Who is on call and when: rotations with their hand-offs. Without one, policies reach people only by name.",
    id: IdOf::Typed,
    then: &[(FormKind::Escalation, "steps.0.page.0=schedule:{id}")],
    fields: &[
        NAME,
        TEAM,
        needed("time_zone", "Time zone", "Hand-offs are civil times in it, as in Europe/Madrid.", Input::Zone),
        row("layers", "Layers", "Rotations; of several the last with someone on wins.", Input::Rows(&LAYER)),
        row(
            "external_calendars",
            "External calendars",
            "Whoever their events mean is on, above all layers; where they have nobody, the layers count. Of several the last with someone on wins.",
            Input::Many(FormKind::ExternalCalendar),
        ),
    ],
};

/// Who is on call, by layers; of several layers the last with someone on wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Slug>,
    /// IANA name; hand-offs are civil times in it.
    pub time_zone: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// Calendars that others keep, which stand above the layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_calendars: Vec<Slug>,
}

/// One rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In turn.
    pub people: Vec<Slug>,
    /// Length of a turn: whole weeks, whole days, or hours (`1w`, `2d`, `12h`), months (`1mo`) or working days (`1wd`).
    pub every: Every,
    /// Its hours are those that pass, and not those of the wall clock: after the clocks change it hands over an hour earlier or
    /// later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elapsed: bool,
    /// Whose open days its working days are; Monday to Friday, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Slug>,
    /// `Mon 09:00` for weeks, `1 09:00` for months, `09:00` for all others; civil, in the schedule's zone.
    pub handoff: String,
    /// The civil date on or after which the first person's first turn begins, at the first
    /// hand-off.
    pub starts: jiff::civil::Date,
    /// The civil date at whose hand-off the layer ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<jiff::civil::Date>,
    /// On only within these civil times; always, where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Restriction>,
}

/// A civil window in which a layer is on: `{days: [Mon, Tue], from: "09:00", to: "17:00"}`.
/// `to` at or before `from` runs into the next day. Without `days`, every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    pub from: String,
    pub to: String,
}
