//! What people read: plain structs, the same for API, web and command line, a file a subject.
//!
//! With the feature `schema` they describe themselves for the API's document, so that what is described is what is answered.

mod absence;
mod alert;
mod audit;
mod blast;
mod briefing;
mod came;
mod change;
mod clock;
mod contention;
mod cover;
mod deed;
mod delivery;
mod drill;
mod explain;
mod external_calendar;
mod feed;
mod found;
mod guest;
mod heartbeat;
mod incident;
mod judged;
mod learning;
mod log;
mod next;
mod objective;
mod obligation;
mod on_call;
mod on_call_cost;
mod page;
mod partner;
mod plan;
mod plan_try;
mod readiness;
mod reasoning;
mod recovered;
mod resource;
mod responder;
mod roles;
mod roll;
mod saved;
mod several;
mod signal;
mod steps;
mod timetable;
mod token;

pub use absence::{AbsenceView, NeedsCoverView};
pub use alert::{AlertView, Labels, labels_of};
pub use audit::AuditView;
pub use blast::{BLAST_SERVICES_MAX, BLAST_STEPS_MAX, BlastService, BlastView};
pub use briefing::{BriefingLine, BriefingView, PromiseView};
pub use change::{ChangeView, LinkView};
pub use clock::ClockView;
pub use contention::{Contention, ContentionView, Named, SharedCauseView, Wanted, WantedView, Wants, contention};

pub use cover::CoverView;
pub use deed::DeedView;
pub use delivery::{DeliveryStep, DeliveryView};
pub use drill::{DrillLevelView, DrillPersonView, DrillState, DrillView, DrillWayView};
pub use explain::{PageExplanation, PersonExplanation, SignalExplanation, StepExplanation};
pub use external_calendar::{ExternalCalendarView, StrangerView};
pub use feed::FeedView;
pub use found::{FoundPageView, FoundView};
pub use guest::{GuestEntry, GuestView, PartyExport, SignedExport, SituationView, is_told, notice_for};
pub use heartbeat::HeartbeatView;
pub use incident::{DutyView, IncidentView, RoleView, TaskView, UpdateView};
pub use judged::{AdviceView, AlarmsView, AnswerView, TypeView};
pub use learning::{ActionView, DurationSummary, ReviewView, TrendRow, TrendTarget, TrendView, TrendWeek};
pub use log::{EventView, ExpectationView};
pub use next::{Next, late, next};
pub use objective::ObjectiveView;
pub use obligation::{ContentView, ObligationView, ReportView};
pub use on_call::{OnCallPerson, OnCallView, OverrideView};
pub use on_call_cost::{CarriedView, DefinitionView, OnCallCostView, PersonCostView, ScheduleCostView};
pub use page::{BundledPage, MessageView, PageView, PlannedView, facts_of};
pub use partner::{PartyView, RequestView};
pub use plan::{ChoiceView, DeviationKind, DeviationView, PlanView, ProposedPlanView, RecoveryView, ShippedPlanView};
pub use plan_try::{PlanTryView, TriedDeed, TriedRole, TriedTarget, TriedTask};
pub use readiness::{ReadinessFinding, ReadinessView};
pub use reasoning::{DecisionView, HypothesisView};
pub use recovered::{ReportWordView, ReportsView, ServiceBackView};
pub use resource::ResourceView;
pub use responder::{ResponderAnswerView, ResponderRequestView};
pub use roles::{Elsewhere, SPAN_MAX, card};
pub use roll::{ROLL_KINDS, RollView, roll_call};
pub use saved::SavedView;
pub use several::{RelatedView, TransfersView, UnderView};
pub use signal::{RefusedView, SignalView};
pub use steps::{Came, LogLine, Told, ToldPerson, ToldStep, log_lines};
pub use timetable::{
    AwayView, DifferenceView, GapView, LaneView, LoadView, SchedulePreviewView, ShiftView, TemporaryLaneView, TemporaryView, TimetableView,
    TurnView,
};
pub use token::TokenView;
