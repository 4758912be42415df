//! A form by which anybody reports that something is wrong: the first point of contact. Without one nobody outside can.

use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, needed, row};
use super::checker::Checker;
use super::integration::Integration;
use super::{Entry, FormKind, Slug};
use crate::clean::says_something;

/// The format of what comes by such a form, as kept requests and alerts name it.
pub const REPORT_KIND: &str = "report";
/// Forms that there are at most: one for each kind of people who report, and few enough to choose from.
pub const REPORT_FORMS_MAX: usize = 20;
/// Longest words at its top, in characters: with all services that may be named the page stays under 10 KB.
pub const REPORT_WORDS_CHARS_MAX: usize = 1_000;
/// Services that may be named in one form.
pub const REPORT_SERVICES_MAX: usize = 20;
/// Longest name, in characters: the heading of a page on a telephone.
const NAME_CHARS_MAX: usize = 100;

/// What may be asked beside what is wrong and how bad it is.
const ASKS: &[(&str, &str)] =
    &[("all", "Where it is, since when, and how to reach them"), ("contact", "How to reach them"), ("nothing", "Nothing more")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "report_form",
    plural: "Report forms",
    one: "report form",
    purpose: "Forms by which anybody outside reports that something is wrong, without signing in: at /report. Without one there is no such page.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        needed("name", "Heading", "What whoever reports reads at its top.", Input::Line),
        row("words", "Words at the top", "What belongs here, and whom to call where life is in danger.", Input::Text),
        row("service", "Service", "Whose people get what names no other, unless a route says otherwise.", Input::One(FormKind::Service)),
        row(
            "services",
            "Services to choose from",
            "Their names are public then; none is asked for where there is none.",
            Input::Many(FormKind::Service),
        ),
        row("asks", "Also ask for", "All of it unless said.", Input::Word(ASKS)),
        row("at_once", "Pages at once", "Else it is a candidate, which pages where nobody decides in ten minutes.", Input::Check),
        row(
            "team",
            "Whole team",
            "Who is paged where nobody answers, not even the catch-all. Unless said, the service’s team.",
            Input::One(FormKind::Team),
        ),
        row("hourly", "Reports an hour", "Of everybody together; 200 unless said.", Input::Number),
    ],
};

/// Reports that one form takes in an hour, unless it says otherwise: a town that notices, and no more than somebody can look
/// through.
pub const REPORTS_HOURLY: u32 = 200;
/// The most that a form may say.
pub const REPORTS_HOURLY_MAX: u32 = 10_000;

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportAsks {
    All,
    Contact,
    Nothing,
}

/// A form by which anybody reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportForm {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Whose people get what names no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Slug>,
    /// What may be chosen from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Slug>,
    /// All where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<ReportAsks>,
    /// Whether a report is declared at once, rather than a candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<bool>,
    /// Who is paged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<u32>,
}

impl ReportForm {
    /// Whether it asks how to reach whoever reports.
    #[must_use]
    pub fn asks_for_contact(&self) -> bool {
        self.asks != Some(ReportAsks::Nothing)
    }
    /// Whether it asks where it is, and since when.
    #[must_use]
    pub fn asks_for_place(&self) -> bool {
        matches!(self.asks, None | Some(ReportAsks::All))
    }
    /// Reports that it takes in an hour.
    #[must_use]
    pub fn reports_hourly(&self) -> u32 {
        self.hourly.unwrap_or(REPORTS_HOURLY)
    }
    /// As a sender: what it sends is judged as any alarm.
    #[must_use]
    pub fn as_sender(&self) -> Integration {
        Integration {
            id: self.id.clone(),
            name: Some(self.name.clone()),
            kind: REPORT_KIND.to_owned(),
            key: None,
            secret: None,
            service: self.service.clone(),
            every: None,
            grace: None,
        }
    }
}

impl Entry for ReportForm {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            if !says_something(&form.name) || form.name.chars().count() > NAME_CHARS_MAX {
                let hint = format!("one line of at most {NAME_CHARS_MAX} characters, as `Tell us what is wrong`");
                checker.error(place.key("name"), "whoever reports reads no heading", hint);
            }
            if form.words.as_ref().is_some_and(|words| words.chars().count() > REPORT_WORDS_CHARS_MAX) {
                let hint = "say here what belongs here, and put the rest on a page of yours";
                checker.error(place.key("words"), format!("these words have more than {REPORT_WORDS_CHARS_MAX} characters"), hint);
            }
            if form.services.len() > REPORT_SERVICES_MAX {
                let hint = "name those that people know";
                checker.error(place.key("services"), format!("nobody chooses from more than {REPORT_SERVICES_MAX} services"), hint);
            }
            if let Some(service) = &form.service {
                checker.refers(place.key("service"), FormKind::Service, service);
            }
            checker.refer(&place.key("services"), FormKind::Service, &form.services);
            if let Some(team) = &form.team {
                checker.refers(place.key("team"), FormKind::Team, team);
            }
            if form.hourly.is_some_and(|hourly| hourly == 0 || hourly > REPORTS_HOURLY_MAX) {
                let hint = format!("a number from 1 to {REPORTS_HOURLY_MAX}; remove the form to take none");
                checker.error(place.key("hourly"), "a form takes some reports in an hour, and not any number", hint);
            }
            if checker.bundle.integrations.iter().any(|sender| sender.id == form.id) {
                let hint = "choose another id for the form: alerts are known by whom they came from";
                checker.error(place.key("id"), format!("an integration is called `{}` already", form.id), hint);
            }
            if list.len() > REPORT_FORMS_MAX && list.get(REPORT_FORMS_MAX).is_some_and(|first| std::ptr::eq(first, form)) {
                checker.error(
                    place.clone(),
                    format!("there are more than {REPORT_FORMS_MAX} report forms"),
                    "remove those that nobody uses",
                );
            }
        });
    }
}
