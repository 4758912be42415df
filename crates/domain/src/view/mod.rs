//! What people read: plain structs, the same for API, web and command line, a file a subject.
//!
//! With the feature `schema` they describe themselves for the API's document, so that what is described is what is answered.

mod alert;
mod audit;
mod came;
mod explain;
mod incident;
mod learning;
mod log;
mod on_call;
mod page;
mod signal;
mod token;

pub use alert::AlertView;
pub use audit::AuditView;
pub use explain::{PageExplanation, PersonExplanation, SignalExplanation, StepExplanation};
pub use incident::{IncidentView, RoleView, TaskView, UpdateView};
pub use learning::{ActionView, DurationSummary, ReviewView, TrendRow, TrendView, TrendWeek};
pub use log::{EventView, ExpectationView};
pub use on_call::{OnCallView, OverrideView};
pub use page::{BundledPage, MessageView, PageView};
pub use signal::{RefusedView, SignalView};
pub use token::TokenView;
