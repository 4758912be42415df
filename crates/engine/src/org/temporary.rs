//! Temporary schedules: made, taken back, seen before they are made. Forms as all others; here they are the schedule's managers' to make.

use allclear_domain::access::{Principal, may_schedule};
use allclear_domain::oncall::{DIFFERENCES_MAX, Difference, Side, differences};
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::model::TemporarySchedule;
use allclear_domain::org::problem::{Problem, Weight};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::TemporaryView;

use super::edit::Edit;
use super::forms::FormError;
use super::{EndedOverride, FormProblem, NODES_TRIES, OrgError, Read};
use crate::engine::Engine;

/// Most temporary schedules of one schedule that are not over: more than anybody plans.
pub const TEMPORARY_OF_ONE_MAX: usize = 50;

/// Why it was not made, told at its fields.
fn wrong(form: &TemporarySchedule, problems: impl IntoIterator<Item = Problem>) -> FormError {
    let told = |problem: Problem| FormProblem {
        weight: problem.weight,
        kind: FormKind::TemporarySchedule,
        id: form.id.clone(),
        key: problem.place.to_string(),
        message: problem.message,
        hint: problem.hint,
        of_the_change: false,
        not_yet: None,
    };
    FormError::Invalid(problems.into_iter().map(told).collect())
}

/// What is wrong with one as it is written, beside those that there are.
fn judge(org: &Org, form: &TemporarySchedule) -> Result<(), FormError> {
    use allclear_domain::org::problem::Place;
    let Some(schedule) = org.schedule(&form.schedule) else {
        return Err(OrgError::Missing { kind: "schedule", id: form.schedule.clone() }.into());
    };
    if let Some(why) = form.fault() {
        return Err(OrgError::Wrong(why).into());
    }
    let layers = Place::root().key("layers");
    let mut problems = Vec::new();
    for (at, layer) in form.layers.iter().enumerate() {
        for (index, person) in layer.people.iter().enumerate().filter(|(_, person)| org.person(person).is_none()) {
            let shown: String = person.chars().take(crate::core::NAMED_CHARS_MAX).collect();
            let place = layers.index(at).key("people").index(index);
            problems
                .push(Problem::error(place, format!("`{shown}` is not a person")).hint("name somebody of the organisation, by their id"));
        }
    }
    if let Err(found) = schedule.clone().take(form, org.calendars()) {
        problems.extend(found);
    }
    if problems.iter().any(|problem| problem.weight == Weight::Error) {
        return Err(wrong(form, problems));
    }
    if org.temporary(&form.schedule).into_iter().any(|other| form.meets(other)) {
        let why = "another temporary schedule stands in the place of its layers in that time already: give another time, or take that one back first";
        return Err(OrgError::Wrong(why).into());
    }
    Ok(())
}

impl Engine {
    /// What a temporary schedule would change, before it is made: who is on call instead of whom. At most [`DIFFERENCES_MAX`].
    ///
    /// # Errors
    /// As for making it.
    pub fn preview_temporary(&self, form: &TemporarySchedule, who: &Principal) -> Result<Vec<Difference>, FormError> {
        let org = self.org();
        may_schedule(&org, who, &form.schedule).map_err(OrgError::from)?;
        judge(&org, form)?;
        let (Some(stands), overrides) = (org.schedule(&form.schedule), org.overrides(&form.schedule)) else { return Ok(Vec::new()) };
        let mut with = stands.clone();
        with.take(form, org.calendars()).map_err(|found| wrong(form, found))?;
        let side = |schedule| Some(Side { schedule, overrides });
        let mut found = differences(side(stands), side(&with), form.starts_at.max(self.now()), form.ends_at).list;
        found.truncate(DIFFERENCES_MAX);
        Ok(found)
    }

    /// Puts a temporary schedule in the place of a schedule's layers.
    ///
    /// # Errors
    /// Where the asker may not, it cannot be read, another holds in that time, or the store does not answer.
    pub async fn put_temporary(&self, form: &TemporarySchedule, who: &Principal) -> Result<TemporaryView, FormError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let mut tried = 1;
        loop {
            match Box::pin(self.put_temporary_once(form, who)).await {
                Err(FormError::Org(OrgError::Conflict)) if tried < NODES_TRIES => {
                    tried += 1;
                    // What another node changed is judged by what it is now.
                    self.reload_org().await;
                }
                Err(why) => return Err(why),
                Ok(()) => break,
            }
        }
        let listed = self.queries(who).temporary(&form.schedule).map_err(|_| OrgError::Conflict)?;
        listed.into_iter().find(|view| view.id == form.id).ok_or(FormError::Removed)
    }

    async fn put_temporary_once(&self, form: &TemporarySchedule, who: &Principal) -> Result<(), FormError> {
        let read = Read::from(self.db()).await?;
        let org = self.org();
        if org.version != read.version {
            return Err(OrgError::Conflict.into());
        }
        if org.schedule_form(&form.schedule).is_none() {
            return Err(OrgError::Missing { kind: "schedule", id: form.schedule.clone() }.into());
        }
        may_schedule(&org, who, &form.schedule).map_err(OrgError::from)?;
        let there = org.temporary(&form.schedule);
        // The same form sent again; it may have been taken back meanwhile, and stays so.
        if there.iter().any(|known| known.id == form.id) {
            return Ok(());
        }
        judge(&org, form)?;
        let now = self.now();
        if form.ends_at <= now {
            return Err(OrgError::Wrong("it would be over already: who was on call is not changed afterwards").into());
        }
        if there.iter().filter(|known| known.ends_at > now).count() >= TEMPORARY_OF_ONE_MAX {
            return Err(OrgError::Wrong("a schedule has at most 50 temporary ones that are not over: take one back first").into());
        }
        let body = serde_json::to_value(form).map_err(|why| OrgError::Stored(why.to_string()))?;
        let mut edit = Edit::new(self, &who.actor, read);
        edit.put(Form { kind: FormKind::TemporarySchedule, id: form.id.clone(), body }, 0, None)?;
        edit.finish(None, Vec::new()).await?;
        Ok(())
    }

    /// Takes a temporary schedule back as a whole: one that runs is over now and stays in the history, one to come is gone; one that
    /// is over stays as it is.
    ///
    /// # Errors
    /// Where there is none, the asker may not, a file owns it, or the store does not answer.
    pub async fn end_temporary(&self, schedule: &str, id: &str, who: &Principal) -> Result<EndedOverride, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        for _ in 1..NODES_TRIES {
            match self.end_temporary_once(schedule, id, who).await {
                Err(OrgError::Conflict) => {}
                other => return other,
            }
        }
        self.end_temporary_once(schedule, id, who).await
    }

    async fn end_temporary_once(&self, schedule: &str, id: &str, who: &Principal) -> Result<EndedOverride, OrgError> {
        may_schedule(&self.org(), who, schedule)?;
        let read = Read::from(self.db()).await?;
        let missing = || OrgError::Missing { kind: "temporary_schedule", id: id.chars().take(64).collect() };
        let word = FormKind::TemporarySchedule.word();
        let row = read.forms.iter().find(|row| row.kind == word && row.id == id).ok_or_else(missing)?;
        let mut stored: TemporarySchedule = serde_json::from_str(&row.body).map_err(|why| OrgError::Stored(why.to_string()))?;
        if stored.schedule != schedule {
            return Err(missing());
        }
        if row.managed.is_some() {
            return Err(OrgError::Wrong("a file owns this temporary schedule: change it there"));
        }
        let now = self.now();
        if stored.ends_at <= now {
            return Ok(EndedOverride { removed: false, ends_at: stored.ends_at });
        }
        let (removed, position) = (now <= stored.starts_at, row.position as usize);
        let mut edit = Edit::new(self, &who.actor, read);
        if removed {
            edit.remove(FormKind::TemporarySchedule, id.to_owned());
        } else {
            stored.ends_at = now;
            let body = serde_json::to_value(&stored).map_err(|why| OrgError::Stored(why.to_string()))?;
            edit.put(Form { kind: FormKind::TemporarySchedule, id: id.to_owned(), body }, position, None)?;
        }
        edit.finish(None, Vec::new()).await?;
        Ok(EndedOverride { removed, ends_at: now })
    }
}
