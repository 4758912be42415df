//! Adopting a plan that is shipped: it becomes a form of the organisation as any other.
//!
//! What it names that the organisation has not, an audience, is left out and told; whoever adopts it owns it, and has a year to
//! look it through.

use allclear_domain::access::Principal;
use allclear_domain::org::check::Spoken;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::shipped::{Shipped, shipped};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::engine::Engine;
use crate::org::file::part::value_of_yaml;
use crate::org::forms::{Changed, FormError, Seen};

/// Years until a plan that was adopted is to be looked through.
const LOOKED_THROUGH_IN_YEARS: i64 = 1;

/// A plan that was adopted.
#[derive(Debug)]
pub struct Adopted {
    pub changed: Changed,
    /// Ids of audiences that it tells and that are not there: nobody is told by it instead.
    pub left_out: Vec<String>,
}

impl Engine {
    /// Makes a shipped plan one of the organisation.
    ///
    /// # Errors
    /// Where none of this id is shipped, the organisation has one already, the asker may not, or the store does not answer.
    pub async fn adopt_plan(&self, id: &str, kinds: &[Spoken], who: &Principal) -> Result<Adopted, FormError> {
        let missing = || FormError::Missing { kind: FormKind::Plan, id: id.chars().take(64).collect() };
        let mut body = body_of(shipped(id).ok_or_else(missing)?);
        let left_out = self.fit(&mut body);
        if let Some(person) = who.person() {
            body.insert("owner".to_owned(), format!("person:{person}").into());
        }
        let today = self.now().to_zoned(TimeZone::UTC).date();
        let day = today.checked_add(LOOKED_THROUGH_IN_YEARS.years()).unwrap_or(today);
        body.insert("review_by".to_owned(), day.to_string().into());
        let form = Form { kind: FormKind::Plan, id: id.to_owned(), body: Value::Object(body) };
        let changed = self.change_form(form, Seen::Nothing, None, kinds, who).await?;
        Ok(Adopted { changed, left_out })
    }

    /// Leaves out the audiences that there are not; gives their ids.
    fn fit(&self, body: &mut Map<String, Value>) -> Vec<String> {
        let org = self.org();
        let mut left_out = Vec::new();
        if let Some(updates) = body.get_mut("updates").and_then(Value::as_array_mut) {
            updates.retain(|update| {
                let audience = update.get("audience").and_then(Value::as_str).unwrap_or_default();
                let is_there = org.audience(audience).is_some();
                if !is_there {
                    left_out.push(audience.to_owned());
                }
                is_there
            });
            if updates.is_empty() {
                body.remove("updates");
            }
        }
        left_out
    }
}

/// What a shipped plan says, as a form's body.
fn body_of(shipped: &Shipped) -> Map<String, Value> {
    match value_of_yaml(shipped.yaml) {
        Ok(Value::Object(body)) => body,
        other => panic!("the shipped plan {} is one, as a test says: {other:?}", shipped.id),
    }
}

#[cfg(test)]
mod tests {
    use allclear_domain::org::check::{Against, check};
    use allclear_domain::org::forms::plan::Plan;
    use allclear_domain::org::model::Bundle;
    use allclear_domain::org::shipped::SHIPPED;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shipped_plan_is_one_that_a_team_can_work_by() {
        let audiences = json!([{"id": "customers", "people": ["ana"]}, {"id": "management", "people": ["ana"]}]);
        let plans: Vec<Value> = SHIPPED.iter().map(|shipped| Value::Object(body_of(shipped))).collect();
        let bundle = json!({"people": [{"id": "ana", "name": "Ana"}], "audiences": audiences, "plans": plans});
        let bundle: Bundle = serde_json::from_value(bundle).unwrap();
        let against =
            Against { now: "2026-03-01T12:00:00Z".parse().unwrap(), kinds: &[], channels: allclear_domain::channel::WaysOut::NONE };
        let about_plans: Vec<String> = check(&bundle, against)
            .iter()
            .filter(|p| p.place.to_string().starts_with("plans"))
            .map(|p| format!("{}: {}", p.place, p.message))
            .collect();
        assert_eq!(about_plans, [""; 0]);
        for (plan, shipped) in bundle.plans.iter().zip(&SHIPPED) {
            assert_eq!((plan.id.as_str(), plan.called()), (shipped.id, shipped.name));
            is_whole(plan);
        }
    }

    fn is_whole(plan: &Plan) {
        let id = &plan.id;
        assert!((8..=20).contains(&plan.tasks.len()), "{id} has {} tasks", plan.tasks.len());
        assert!(plan.recovery.len() >= 3 && plan.roles.contains(&"commander".to_owned()), "{id}");
        assert!(plan.tasks.iter().all(|task| task.role.is_some() && task.within.is_some()), "{id}: who does it, and until when");
        assert!(plan.tasks.iter().any(|task| !task.after.is_empty()), "{id}: something comes after something");
        let texts: std::collections::BTreeSet<&str> = plan.tasks.iter().map(|task| task.text.as_str()).collect();
        assert!(texts.len() == plan.tasks.len() && texts.iter().all(|text| text.len() > 30), "{id}");
    }
}
