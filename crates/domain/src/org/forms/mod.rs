//! The forms of the organisation, one file a kind: how it is written, what is wrong with one by itself, what it names and
//! holds secret, what it is called and what the settings ask for.
//!
//! [`forms!`] is the one table of kinds. From it come [`FormKind`] and [`Bundle`], what is stored and read back, the
//! comparison, the masking, the checks and the settings' pages. A new kind is its file and its line here. Two kinds are
//! not plain lists, and say so in their files: a route is stored with its place, and the catch-all is one form.
//!
//! One serde model for YAML, JSON and TOML. Unknown keys are refused, since a misspelt key is a page that does not go out.
//!
//! Deliberately not here: what needs the forms of several kinds together, which is [`super::check`]'s.

pub mod about;
pub mod absence;
pub mod audience;
pub mod calendar;
pub mod calendar_copy;
pub mod catch_all;
pub mod checker;
pub mod contact;
mod crontab;
pub mod escalation;
pub mod external_calendar;
pub mod holidays;
pub mod incident_type;
pub mod integration;
pub mod misshapen;
pub mod notify_default;
pub mod obligation;
pub mod organisation;
pub mod overrides;
pub mod own_contacts;
pub mod person;
pub mod plan;
pub mod plan_choice;
pub mod plan_deed;
pub mod report_form;
pub mod role;
pub mod route;
pub mod rows;
pub mod schedule;
pub mod secrets;
pub mod service;
pub mod service_target;
pub mod severity;
pub mod silence;
pub mod step_condition;
pub mod stored;
pub mod target;
pub mod team;
pub mod temporary;
pub mod triage;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::about::About;
use self::checker::Checker;
use self::contact::Contact;
use self::stored::{BadForm, Form, body_of, read};
use crate::channel::WaysOut;

/// A short id as people choose them: lower-case letters, digits, `-`, `_` and `.`; at most 64.
pub type Slug = String;

/// How a form stands at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// A few words without a full stop.
    pub words: String,
    /// Until when; for good, where absent.
    pub until: Option<Timestamp>,
}

/// One entry of a list of the file.
pub(crate) trait Entry: Clone + Serialize + DeserializeOwned {
    /// Its id, where it has one.
    fn id(&self) -> Option<&str>;

    /// What people call it.
    fn name(&self) -> Option<&str> {
        None
    }

    /// What a page about it is called, where that is not its name; `of` is the organisation that it is of.
    fn title(&self, _of: &Bundle) -> Option<String> {
        self.name().map(ToOwned::to_owned)
    }

    /// How it stands at an instant, where that is more than what is written.
    fn stands(&self, _at: Timestamp, _of: &Bundle) -> Option<Standing> {
        None
    }

    /// Its own secrets, each by a name that is its own within the form; those of its contacts are known to the channels.
    fn secrets(&mut self) -> Vec<(&str, &mut Option<String>)> {
        Vec::new()
    }

    /// Its contacts, where it may have any.
    fn contacts(&mut self) -> Option<&mut Vec<Contact>> {
        None
    }

    /// What of the stored form is not to stay, though it is not said.
    fn let_go(&mut self, _stored: Option<&mut Self>) {}

    /// What is not said and is no secret, and stays as it is stored.
    fn keep(&mut self, _stored: Option<&Self>) {}

    /// What is stored of a list.
    fn store(kind: FormKind, list: &[Self]) -> Vec<Form> {
        let form = |entry: &Self| Form { kind, id: entry.id().unwrap_or_default().to_owned(), body: body_of(entry) };
        list.iter().map(form).collect()
    }

    /// The list of what is stored.
    ///
    /// # Errors
    /// The first form that cannot be read.
    fn restore(forms: Vec<Form>) -> Result<Vec<Self>, BadForm> {
        forms.into_iter().map(read).collect()
    }

    /// What is wrong with the forms of a list.
    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>);
}

/// Kinds by the keys of the file, in its order: `KEY: KIND = TYPE, FILE`.
macro_rules! forms {
    ($($(#[$attr:meta])* $list:ident: $kind:ident = $entry:ty, $file:ident;)+) => {
        /// What a form is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FormKind {
            $($kind,)+
        }

        impl FormKind {
            /// All of them, in the order of the file.
            pub const ALL: [Self; [$(stringify!($kind)),+].len()] = [$(Self::$kind),+];

            /// What it says of itself.
            #[must_use]
            pub const fn about(self) -> &'static About {
                match self {
                    $(Self::$kind => &$file::ABOUT,)+
                }
            }

            /// The key of the file under which forms of this kind stand.
            #[must_use]
            pub const fn list(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($list),)+
                }
            }
        }

        /// The whole file.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Bundle {
            $($(#[$attr])* #[serde(skip_serializing_if = "Vec::is_empty")] pub $list: Vec<$entry>,)+
        }

        impl Bundle {
            /// The ids of a list of the file, in its order; nothing for an entry that has none.
            #[must_use]
            pub fn ids(&self, kind: FormKind) -> Vec<Option<&str>> {
                match kind {
                    $(FormKind::$kind => self.$list.iter().map(Entry::id).collect(),)+
                }
            }

            /// What a form's page is called; nothing where it is called as its id is.
            #[must_use]
            pub fn title(&self, kind: FormKind, id: &str) -> Option<String> {
                match kind {
                    $(FormKind::$kind => self.$list.iter().find(|form| form.id() == Some(id)).and_then(|form| form.title(self)),)+
                }
            }

            /// How a form stands at an instant, where that is more than what is written.
            #[must_use]
            pub fn stands(&self, kind: FormKind, id: &str, at: Timestamp) -> Option<Standing> {
                match kind {
                    $(FormKind::$kind => self.$list.iter().find(|form| form.id() == Some(id)).and_then(|form| form.stands(at, self)),)+
                }
            }

            /// The forms of a kind to choose from: id, and name where one has a name.
            #[must_use]
            pub fn names(&self, kind: FormKind) -> Vec<(&str, Option<&str>)> {
                match kind {
                    $(FormKind::$kind => self.$list.iter().filter_map(|form| Some((form.id()?, form.name()))).collect(),)+
                }
            }

            /// Lays the forms of another file after those that there are.
            pub fn append(&mut self, other: Self) {
                $(self.$list.extend(other.$list);)+
            }

            pub(super) fn forms(&self) -> Vec<Form> {
                let mut out = Vec::new();
                $(out.extend(Entry::store(FormKind::$kind, &self.$list));)+
                out
            }

            pub(super) fn from_forms(forms: impl IntoIterator<Item = Form>) -> Result<Self, BadForm> {
                let mut by_kind: BTreeMap<FormKind, Vec<Form>> = BTreeMap::new();
                for form in forms {
                    by_kind.entry(form.kind).or_default().push(form);
                }
                Ok(Self {
                    $($list: Entry::restore(by_kind.remove(&FormKind::$kind).unwrap_or_default())?,)+
                })
            }

            /// Every secret that a form has of its own.
            pub(super) fn secrets(&mut self) -> Vec<&mut Option<String>> {
                let mut out = Vec::new();
                $(out.extend(self.$list.iter_mut().flat_map(Entry::secrets).map(|(_, secret)| secret));)+
                out
            }

            /// Every list of contacts, with the id of the form that has it.
            pub fn contacts(&mut self) -> Vec<(Slug, &mut Vec<Contact>)> {
                let mut out = Vec::new();
                $(for form in &mut self.$list {
                    let id = form.id().unwrap_or_default().to_owned();
                    out.extend(form.contacts().map(|contacts| (id, contacts)));
                })+
                out
            }

            /// Keeps what is not said and is stored in `old`.
            pub(super) fn keep(&mut self, old: &Self, ways: WaysOut) {
                $(secrets::keep_list(&old.$list, &mut self.$list, ways);)+
            }

            pub(super) fn check_each<'a>(&'a self, checker: &mut Checker<'a>) {
                $(Entry::check(FormKind::$kind, self.$list.as_slice(), checker);)+
            }
        }
    };
}

forms! {
    people: Person = person::Person, person;
    teams: Team = team::Team, team;
    schedules: Schedule = schedule::Schedule, schedule;
    /// Replacements on a schedule. Never owned by a file: refused there, made over the API.
    #[serde(skip)]
    overrides: Override = overrides::Override, overrides;
    /// What people say themselves of how they are reached. Never owned by a file, as overrides.
    #[serde(skip)]
    own_contacts: OwnContacts = own_contacts::OwnContacts, own_contacts;
    escalations: Escalation = escalation::Escalation, escalation;
    services: Service = service::Service, service;
    integrations: Integration = integration::Integration, integration;
    /// Read in order; the first match decides.
    routes: Route = route::Route, route;
    severities: Severity = severity::SeverityForm, severity;
    silences: Silence = silence::Silence, silence;
    /// Who is paged when every round is through, as targets of a step.
    catch_all: CatchAll = String, catch_all;
    /// Who is told by updates.
    audiences: Audience = audience::Audience, audience;
    /// Business hours and holidays.
    calendars: Calendar = calendar::CalendarForm, calendar;
    /// How soon incidents are to be dealt with.
    targets: Target = service_target::ServiceTarget, service_target;
    /// Other organisations that incidents are dealt with.
    organisations: Organisation = organisation::Organisation, organisation;
    /// Roles of an incident.
    roles: Role = role::Role, role;
    /// What is done in incidents of a kind.
    plans: Plan = plan::Plan, plan;
    /// Types of incident.
    types: Type = incident_type::IncidentType, incident_type;
    /// Rows of the matrix of impact and urgency.
    triage: Triage = triage::TriageRow, triage;
    /// Rules of regulators that it adopted.
    obligations: Obligation = obligation::ObligationForm, obligation;
    /// Forms by which anybody outside reports.
    report_forms: ReportForm = report_form::ReportForm, report_form;
    /// Who is away.
    absences: Absence = absence::Absence, absence;
    /// Layers that stand in the place of a schedule's for a time.
    temporary_schedules: TemporarySchedule = temporary::TemporarySchedule, temporary;
    /// The order in which people are reached who set none.
    notify_defaults: NotifyDefault = notify_default::NotifyDefault, notify_default;
    /// Public holidays, which people and calendars name.
    public_holidays: Holidays = holidays::Holidays, holidays;
    /// Calendars that others keep.
    external_calendars: ExternalCalendar = external_calendar::ExternalCalendar, external_calendar;
    /// What was read last of them. Never owned by a file, as overrides.
    #[serde(skip)]
    calendar_copies: CalendarCopy = calendar_copy::CalendarCopy, calendar_copy;
}

impl FormKind {
    /// As stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.about().word
    }

    /// Whether a file may have forms of it. The others are made over the API and on pages alone: a file that is applied leaves
    /// them as they are.
    #[must_use]
    pub const fn may_be_of_file(self) -> bool {
        !matches!(self, Self::Override | Self::OwnContacts | Self::CalendarCopy)
    }

    /// Whether the program writes its forms by itself, and no page offers to.
    #[must_use]
    pub const fn is_made_by_itself(self) -> bool {
        matches!(self, Self::CalendarCopy)
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind of the forms that stand in a list of the file.
    #[must_use]
    pub fn from_list(list: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.list() == list)
    }

    /// The field of this key.
    #[must_use]
    pub fn field(self, key: &str) -> Option<&'static about::Field> {
        self.about().fields.iter().find(|field| field.key == key)
    }
}
impl Bundle {
    /// The lists of public holidays that can be read.
    #[must_use]
    pub fn holiday_lists(&self) -> calendar::HolidayLists {
        holidays::readable(&self.public_holidays, &self.external_calendars, &self.calendar_copies)
    }
}
