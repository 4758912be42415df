//! The organisation as it is written in a file: the forms by their names. Each stands in its own file of [`super::forms`].

pub use super::forms::absence::Absence;
pub use super::forms::audience::Audience;
pub use super::forms::calendar_copy::CalendarCopy;
pub use super::forms::contact::{CONTACT_KEYS, Contact};
pub use super::forms::escalation::{Escalation, OneOf, Step};
pub use super::forms::external_calendar::ExternalCalendar;
pub use super::forms::holidays::Holidays;
pub use super::forms::incident_type::{AnswerKind, CustomField, IncidentType, Required};
pub use super::forms::integration::{HEARTBEAT, Integration, Rhythm};
pub use super::forms::notify_default::NotifyDefault;
pub use super::forms::overrides::{Effect, OVERRIDE_MAX, Override};
pub use super::forms::own_contacts::{OWN_CONTACTS_MAX, OwnContacts, Proof, mark_of};
pub use super::forms::person::{Access, Notify, NotifyEntry, Person, leads_fault};
pub use super::forms::plan::{Plan, PlanTask, PlanUpdate};
pub use super::forms::report_form::{REPORT_KIND, ReportForm};
pub use super::forms::route::{Declare, Level, Route, RouteSet};
pub use super::forms::schedule::{Layer, Restriction, Schedule};
pub use super::forms::service::Service;
pub use super::forms::severity::{NotifyUrgency, SeverityForm};
pub use super::forms::silence::Silence;
pub use super::forms::step_condition::When;
pub use super::forms::team::Team;
pub use super::forms::temporary::TemporarySchedule;
pub use super::forms::triage::TriageRow;
pub use super::forms::{Bundle, Slug};
