//! A calendar that others keep, in Google, Outlook or another program: its address, or its text. Schedules that name it have whoever
//! its events mean on call, and lists of public holidays its whole days.
//!
//! What was read last from an address stands beside it ([`super::calendar_copy`]), so that it goes on where its server does not answer.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, row};
use super::calendar_copy::{CalendarCopy, mark_of};
use super::checker::Checker;
use super::secrets::{MASK, NO_SECRET};
use super::{Entry, FormKind, Slug};
use crate::ical::{Calendar, TEXT_BYTES_MAX};
use crate::org::check::text::URL_LEN_MAX;

/// How far ahead it is looked for events that mean nobody, when one is saved: as far as a preview shows.
pub const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(8 * 7 * 24);
/// Most calendars that others keep: each is read every some minutes.
pub const EXTERNAL_CALENDARS_MAX: usize = 100;

const BY: &[(&str, &str)] = &[("attendees", "Whom an event invites"), ("summary", "What an event is called")];

/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "external_calendar",
    plural: "External calendars",
    one: "external calendar",
    purpose: "A calendar that you keep elsewhere, as iCalendar: in Google, Outlook, Opsgenie. A schedule that names it has on call whom its events mean; what was read last goes on while its address does not answer.",
    id: IdOf::Typed,
    then: &[(FormKind::Schedule, "external_calendars.{id}=1")],
    fields: &[
        NAME,
        row(
            "url",
            "Address",
            "Where the calendar is read every 10 minutes, as https://…/basic.ics. It is often secret, and is never shown again; `none` takes a stored one away.",
            Input::Secret,
        ),
        row(
            "ics",
            "Text",
            "The text of an iCalendar file (`BEGIN:VCALENDAR` …): it counts where there is no address, and until that was read the first time.",
            Input::Text,
        ),
        row(
            "people_by",
            "People are known by",
            "Both, where left open: whom an event invites, and where it invites nobody who is known, what it is called.",
            Input::Word(BY),
        ),
    ],
};

/// How people are recognised in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleBy {
    /// By whom an event invites; where it invites nobody who is known, by what it is called.
    #[default]
    #[serde(skip_deserializing)]
    Both,
    /// By the mail addresses of whom an event invites.
    Attendees,
    /// By what an event is called: a name, an id or a mail address, several with commas between them.
    Summary,
}

/// A calendar that others keep.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalCalendar {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its text, where it has no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ics: Option<String>,
    /// How people are recognised; both ways, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people_by: Option<PeopleBy>,
}

/// The address is often all that keeps others from the calendar.
impl std::fmt::Debug for ExternalCalendar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExternalCalendar").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

impl ExternalCalendar {
    /// What people call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Its text, as far as it is here: what was read last from the address that it has now, else its own.
    #[must_use]
    pub fn text<'a>(&'a self, copies: &'a [CalendarCopy]) -> Option<&'a str> {
        let of = self.url.as_deref().map(mark_of);
        let copy = of.and_then(|of| copies.iter().find(|copy| copy.id == self.id && copy.of == of));
        copy.map(|copy| copy.ics.as_str()).or(self.ics.as_deref())
    }
}

impl Entry for ExternalCalendar {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn secrets(&mut self) -> Vec<(&str, &mut Option<String>)> {
        vec![("url", &mut self.url)]
    }
    fn let_go(&mut self, stored: Option<&mut Self>) {
        if self.url.as_deref() == Some(NO_SECRET) {
            self.url = None;
            if let Some(stored) = stored {
                stored.url = None;
            }
        }
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        checker.each(kind, list, |checker, place, form| {
            match form.url.as_deref() {
                None if form.ics.is_none() => {
                    let hint = "give it `url`, as in `https://calendar.example.org/rota.ics`, or `ics`";
                    checker.error(place.clone(), format!("`{}` has neither an address nor a text", form.id), hint);
                }
                None => {}
                Some(MASK) => {
                    let words = format!("`{MASK}` stands for a stored address, and none is stored");
                    checker.error(place.key("url"), words, "write the address itself");
                }
                Some(url) => {
                    if let Some(why) = url_fault(url) {
                        checker.error(
                            place.key("url"),
                            format!("the address {why}"),
                            "write it as in `https://calendar.example.org/rota.ics`",
                        );
                    }
                }
            }
            match form.ics.as_deref().map(|text| Calendar::read(text, &TimeZone::UTC)) {
                Some(Err(why)) => {
                    let most = TEXT_BYTES_MAX / 1024;
                    let hint = format!("paste an iCalendar file, from `BEGIN:VCALENDAR` to `END:VCALENDAR`, of at most {most} KiB");
                    checker.error(place.key("ics"), format!("the text cannot be read: {why}"), hint);
                }
                Some(Ok(calendar)) if calendar.is_empty() && calendar.faults.is_empty() => {
                    checker.warning(place.key("ics"), "the calendar has no event", "paste one that has, or wait until it does");
                }
                Some(Ok(_)) | None => {}
            }
        });
        if list.len() > EXTERNAL_CALENDARS_MAX {
            let words = format!("{} external calendars are more than {EXTERNAL_CALENDARS_MAX}", list.len());
            checker.error(
                crate::org::problem::Place::root().key(kind.list()),
                words,
                "let one calendar have the events of several schedules",
            );
        }
    }
}

/// What keeps a text from being an address, to follow "the address"; nothing is asked of one that has any.
#[must_use]
pub fn url_fault(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        // What Apple and others show of a calendar that can be subscribed.
        Some(if scheme.eq_ignore_ascii_case("webcal") {
            "begins with `webcal://`: write `https://` instead"
        } else {
            "does not begin with `https://`"
        })
    } else if host.is_empty() {
        Some("has no host")
    } else if url.len() > URL_LEN_MAX {
        Some("is longer than 2048 characters")
    } else if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Some("has a space or a control character in it")
    } else if host.contains('@') {
        Some("has a name and a password in it, which are not sent")
    } else {
        None
    }
}
