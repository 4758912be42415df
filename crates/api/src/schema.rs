//! What is answered: the structs of `allclear_domain::view`, which describe themselves, and lists of them by the names that
//! the API's document has for those.

use allclear_domain::view;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// A list, and where it goes on: the description of [`crate::rest::ListPage`]. Then what is answered alone.
macro_rules! lists {
    (alone: $($alone:ty),+; $($name:ident of $item:ty;)+) => {$(
        /// A part of a list.
        #[derive(ToSchema)]
        #[allow(dead_code)] // describes
        pub(crate) struct $name {
            items: Vec<$item>,
            /// Give it as `cursor` (events: as `after`) for what follows; null at the end.
            next: Option<String>,
        }
    )+
        /// Everything that is answered, by its name.
        fn answered() -> Vec<(String, RefOr<Schema>)> {
            let mut all = Vec::new();
            $(add::<$name>(&mut all);)+
            $(add::<$alone>(&mut all);)+
            all
        }
    };
}

lists! {
    alone: view::BriefingView, view::PlanTryView, view::TrendView, view::PageExplanation, view::SignalExplanation,
        view::DeliveryView, view::TimetableView, view::SchedulePreviewView, view::OnCallCostView, view::FoundPageView;
    DrillPage of view::DrillView;
    IncidentPage of view::IncidentView;
    EventPage of view::EventView;
    AlertPage of view::AlertView;
    ChangePage of view::ChangeView;
    HeartbeatPage of view::HeartbeatView;
    PagePage of view::PageView;
    RollPage of view::RollView;
    ShippedPlanPage of view::ShippedPlanView;
    ExpectationPage of view::ExpectationView;
    OnCallPage of view::OnCallView;
    OverridePage of view::OverrideView;
    TemporaryPage of view::TemporaryView;
    FeedPage of view::FeedView;
    CoverPage of view::CoverView;
    AbsencePage of view::AbsenceView;
    NeedsCoverPage of view::NeedsCoverView;
    ReadinessPage of view::ReadinessView;
    TokenPage of view::TokenView;
    SignalPage of view::SignalView;
    RefusedPage of view::RefusedView;
    AuditPage of view::AuditView;
    UpdatePage of view::UpdateView;
    ReviewPage of view::ReviewView;
    ActionPage of view::ActionView;
    SavedViewPage of view::SavedView;
}

fn add<T: ToSchema>(all: &mut Vec<(String, RefOr<Schema>)>) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

/// An answer says `null` where something is not known, and leaves out only what it says that it may leave out: what may be
/// null is there. The derived description cannot know that of structs that are read as well.
pub(crate) fn say_what_is_always_there(described: &mut Value) {
    for (name, _) in answered() {
        let Some(schema) = described.pointer_mut(&format!("/components/schemas/{name}")) else { continue };
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else { continue };
        let nullable: Vec<Value> = fields.iter().filter(|(_, field)| may_be_null(field)).map(|(name, _)| name.clone().into()).collect();
        if let Some(required) = schema.as_object_mut().map(|schema| schema.entry("required").or_insert_with(|| Value::Array(Vec::new())))
            && let Some(required) = required.as_array_mut()
        {
            for field in nullable {
                if !required.contains(&field) {
                    required.push(field);
                }
            }
        }
    }
}

fn may_be_null(field: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null" || kind.get("type").is_some_and(|kind| kind == "null");
    let some = |list: Option<&Value>| list.and_then(Value::as_array).is_some_and(|list| list.iter().any(is_null));
    some(field.get("type")) || some(field.get("oneOf")) || some(field.get("anyOf"))
}
