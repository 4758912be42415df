//! Changing the organisation one form at a time, as people do in a browser or over the API.
//!
//! Invariants: a change is made to the version that was looked at, or not at all; a form that a
//! file owns is changed by nobody else; what the change breaks refuses it, with the place; a secret
//! that is masked or not said stays, and one that is made is given once, to whoever sent the form
//! (and once more where they sent the same form again, within some minutes); what is stored already
//! as it is asked for is no conflict.
//!
//! Deliberately not here: who may do it, and a second set of rules. The organisation that results
//! is judged as a file is.

use allclear_domain::access::Principal;
use allclear_domain::channel::WaysOut;
use allclear_domain::org::check::text::is_slug;
use allclear_domain::org::check::{Against, Spoken};
use allclear_domain::org::diff::{BadForm, CATCH_ALL_ID, Form, FormKind, ORDER, forms, from_forms};
use allclear_domain::org::export::{keep_stored, mask_body};
use allclear_domain::org::forms::misshapen::misshapen;
use allclear_domain::org::handover::{Handover, handovers};
use allclear_domain::org::problem::Weight;
use allclear_store::Fault;
use allclear_store::rows::form::{self, StoredForm};
use jiff::Timestamp;
use serde_json::Value;

use super::external_calendars::{as_form, not_read};
use super::{Applied, Edit, FormProblem, MADE, MADE_BY, MANAGED_BY_FILE, MadeSecret, OrgError, Read, forget_maker, make_missing, opened};
use crate::engine::Engine;
use crate::org::file::part::read_form;
use crate::org::form_problems::{caused, judged, keep_as_stored, nobody_administers};
use crate::org::shown_once::ShownOnce;

/// The place of the first route that is made by hand. A file counts its routes from 0 and is read
/// first; no file has as many as this.
const ROUTE_ORDER_FIRST: u64 = 1000;

/// A form with its content, secrets masked.
#[derive(Debug, Clone, PartialEq)]
pub struct FormView {
    pub kind: FormKind,
    pub id: String,
    /// The organisation's version that changed it last.
    pub version: u64,
    /// `file` where a file owns it.
    pub managed: Option<String>,
    pub at: Timestamp,
    /// As in the file; a route has `order` besides.
    pub body: Value,
}

impl FormView {
    fn of(row: &StoredForm, ways: WaysOut) -> Option<Self> {
        let kind = FormKind::from_word(&row.kind)?;
        let mut body: Value = serde_json::from_str(&row.body).ok()?;
        mask_body(kind, &mut body, ways);
        Some(Self { kind, id: row.id.clone(), version: row.version, managed: row.managed.clone(), at: row.at, body })
    }
}

/// What somebody saw before they asked for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// They do not say.
    Whatever,
    /// That there is none: they add one.
    Nothing,
    /// This version of it.
    Version(u64),
}

/// Why a form was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("there is no {} `{id}`", words(*kind))]
    Missing { kind: FormKind, id: String },
    #[error("there is a {} `{id}` already", words(*kind))]
    Exists { kind: FormKind, id: String },
    #[error("somebody changed it since you looked (version {now}, you saw {seen})")]
    Changed { now: u64, seen: u64 },
    #[error("somebody removed it since you looked")]
    Removed,
    #[error(
        "a file owns the {} `{id}`: change it in the file and apply that, or take it from the file first and then change it here",
        words(*kind)
    )]
    OfFile { kind: FormKind, id: String },
    #[error("{}; nothing was changed", counted(.0))]
    Invalid(Vec<FormProblem>),
    #[error(transparent)]
    Org(#[from] OrgError),
}

impl From<Fault> for FormError {
    fn from(fault: Fault) -> Self {
        Self::Org(fault.into())
    }
}

/// A kind as a sentence names it.
#[must_use]
pub fn words(kind: FormKind) -> String {
    kind.word().replace('_', " ")
}

fn counted(problems: &[FormProblem]) -> String {
    match problems.iter().filter(|problem| problem.is_error()).count() {
        1 => "the organisation would have an error".to_owned(),
        n => format!("the organisation would have {n} errors"),
    }
}

/// What a change did.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The form as it is now; nothing where it was removed.
    pub form: Option<FormView>,
    /// The organisation's version.
    pub version: u64,
    /// Shown this once.
    pub made: Vec<MadeSecret>,
    /// Warnings: about the form, and about what the change causes elsewhere.
    pub problems: Vec<FormProblem>,
}

impl Engine {
    /// Forms with their content, of one kind or of all.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn form_views(&self, kind: Option<FormKind>, who: &Principal) -> Result<Vec<FormView>, OrgError> {
        self.administers(who)?;
        let stored = form::all(&self.shared.db).await?;
        Ok(stored
            .iter()
            .filter_map(|row| FormView::of(row, self.channels()))
            .filter(|view| kind.is_none_or(|kind| view.kind == kind))
            .collect())
    }

    /// One form, and what is wrong with it now.
    ///
    /// # Errors
    /// Where the asker may not, there is none, or the store does not answer.
    pub async fn form_view(
        &self,
        kind: FormKind,
        id: &str,
        kinds: &[Spoken],
        who: &Principal,
    ) -> Result<(FormView, Vec<FormProblem>), FormError> {
        self.administers(who).map_err(OrgError::from)?;
        let stored = form::all(&self.shared.db).await?;
        let missing = || FormError::Missing { kind, id: id.to_owned() };
        let view = found(&stored, kind, id).and_then(|row| FormView::of(row, self.channels())).ok_or_else(missing)?;
        let mut problems = self.judge(&self.open(&stored)?, kinds)?;
        problems.retain(|problem| problem.is_of(kind, id));
        Ok((view, problems))
    }

    /// Adds or changes one form. `kinds` are the formats of integrations that are spoken here; `once`
    /// marks what was sent, where the same may be sent twice.
    ///
    /// # Errors
    /// Where the asker may not, it is not what was seen, a file owns it, the organisation would have errors because of
    /// it, or the store does not answer.
    pub async fn change_form(
        &self,
        asked: Form,
        seen: Seen,
        once: Option<&str>,
        kinds: &[Spoken],
        who: &Principal,
    ) -> Result<Changed, FormError> {
        self.administers(who).map_err(OrgError::from)?;
        // Before anything is held up: others change the organisation meanwhile.
        let calendar = Box::pin(self.read_now(&asked)).await;
        let _one_at_a_time = self.shared.org_change.lock().await;
        let actor = &who.actor;
        let (kind, id) = (asked.kind, asked.id.clone());
        let read = Read::from(&self.shared.db).await?;
        let before = found(&read.forms, kind, &id);
        let not_as_seen = match held(kind, &id, before, seen) {
            Ok(()) => None,
            // Perhaps by this very form, sent twice.
            Err(why @ (FormError::Exists { .. } | FormError::Changed { .. })) => Some(why),
            Err(why) => return Err(why),
        };
        let was = self.open(&read.forms)?;
        let (put, made) = match self.whole(asked, &was, before.is_none()) {
            Ok(whole) => whole,
            Err(why) => return Err(not_as_seen.unwrap_or(why)),
        };
        if let Some(why) = not_as_seen {
            let told = once.and_then(|once| self.shared.shown_once.recall(actor, once, self.now()));
            let is_so_already = before.is_some_and(|row| row.managed.is_none()) && was.contains(&put);
            // A new form that happens to be the same is not the same form: it was added by somebody else.
            if !is_so_already || (seen == Seen::Nothing && told.is_none()) {
                return Err(why);
            }
            let ShownOnce { made, problems } = told.unwrap_or_default();
            return Ok(Changed { form: before.and_then(|row| FormView::of(row, self.channels())), version: read.version, made, problems });
        }

        let mut will: Vec<Form> = was.clone();
        match will.iter_mut().find(|form| form.kind == kind && form.id == id) {
            Some(slot) => slot.clone_from(&put),
            None => will.push(put.clone()),
        }
        let copy = calendar.as_ref().and_then(|read| read.as_ref().ok()).map(as_form).transpose()?;
        if let Some(copy) = &copy {
            will.retain(|form| (form.kind, &form.id) != (copy.kind, &copy.id));
            will.push(copy.clone());
        }
        let mut problems = self.allowed(&was, &will, kind, &id, kinds)?;
        problems.extend(calendar.and_then(Result::err).map(|why| not_read(&id, &why)));
        still_administered(&was, &will, &id)?;
        let position = before.map_or_else(|| after_the_last(&read.forms, kind), |row| row.position);
        let mut edit = Edit::new(self, actor, read);
        edit.put(put, position as usize, None)?;
        if let Some(copy) = copy {
            edit.put(copy, 0, None)?;
        }
        let Applied { version, made, .. } = edit.finish(None, made).await?;
        if let Some(once) = once {
            self.shared.shown_once.remember(actor, once, ShownOnce { made: made.clone(), problems: problems.clone() }, self.now());
        }
        let form = self.form_views(Some(kind), who).await?.into_iter().find(|view| view.id == id);
        Ok(Changed { form, version, made, problems })
    }

    /// The form as it would be stored, with what was left out kept or made; and what was made.
    pub(super) fn whole(&self, asked: Form, was: &[Form], is_new: bool) -> Result<(Form, Vec<MadeSecret>), FormError> {
        let unread = |bad: BadForm| OrgError::Stored(bad.to_string());
        let old = from_forms(was.to_vec()).map_err(unread)?;
        let asked = settled(asked, was, is_new, self.channels()).map_err(FormError::Invalid)?;
        let mut alone = keep_stored(&old, from_forms([asked.clone()]).map_err(unread)?, self.channels());
        let made = make_missing(&mut alone, self.channels(), self.shared.ports.rng.as_ref());
        let mut put = forms(&alone).pop().unwrap_or_else(|| asked.clone());
        // An unnamed route is numbered anew, and counted from nothing, where it stands alone.
        put.id.clone_from(&asked.id);
        if let Some(order) = asked.body.get(ORDER).filter(|_| asked.kind == FormKind::Route) {
            put.body[ORDER] = order.clone();
        }
        if put.kind == FormKind::Override {
            // Whoever changes one does not make it anew, whatever the body says.
            forget_maker(&mut put.body);
            let stored = was.iter().find(|form| form.kind == put.kind && form.id == put.id);
            for key in [MADE, MADE_BY] {
                if let Some(value) = stored.and_then(|form| form.body.get(key)) {
                    put.body[key] = value.clone();
                }
            }
        }
        Ok((put, made))
    }

    /// Removes one form.
    ///
    /// # Errors
    /// As for a change; what still names it is listed.
    pub async fn remove_form(&self, kind: FormKind, id: &str, seen: Seen, kinds: &[Spoken], who: &Principal) -> Result<Changed, FormError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        self.administers(who).map_err(OrgError::from)?;
        let actor = &who.actor;
        let read = Read::from(&self.shared.db).await?;
        let before = found(&read.forms, kind, id);
        // Also where nothing was expected: there is nothing to remove.
        if before.is_none() && matches!(seen, Seen::Whatever | Seen::Nothing) {
            return Err(FormError::Missing { kind, id: id.to_owned() });
        }
        held(kind, id, before, seen)?;
        let was = self.open(&read.forms)?;
        let goes = |form: &&Form| {
            form.id == id
                && (form.kind == kind
                    || [(FormKind::Person, FormKind::OwnContacts), (FormKind::ExternalCalendar, FormKind::CalendarCopy)]
                        .contains(&(kind, form.kind)))
        };
        let will: Vec<Form> = was.iter().filter(|form| !goes(form)).cloned().collect();
        let problems = self.allowed(&was, &will, kind, id, kinds).map_err(still_named)?;
        still_administered(&was, &will, id)?;
        let mut edit = Edit::new(self, actor, read);
        edit.remove(kind, id.to_owned());
        let Applied { version, made, .. } = edit.finish(None, Vec::new()).await?;
        Ok(Changed { form: None, version, made, problems })
    }

    /// Takes one form from the file that owns it, so that it can be changed here. A file that still
    /// names it takes it back when it is applied the next time. Of a form that no file owns nothing
    /// changes.
    ///
    /// # Errors
    /// Where there is none, it is not what was seen, or the store does not answer.
    pub async fn detach_form(&self, kind: FormKind, id: &str, seen: Seen, who: &Principal) -> Result<FormView, FormError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        self.administers(who).map_err(OrgError::from)?;
        let actor = &who.actor;
        let read = Read::from(&self.shared.db).await?;
        let missing = || FormError::Missing { kind, id: id.to_owned() };
        let row = found(&read.forms, kind, id).cloned().ok_or_else(missing)?;
        same_version(&row, seen)?;
        if row.managed.is_some() {
            let was = self.open(&read.forms)?;
            let form = was.into_iter().find(|form| form.kind == kind && form.id == id).ok_or_else(missing)?;
            let mut edit = Edit::new(self, actor, read);
            edit.put(form, row.position as usize, None)?;
            edit.finish(None, Vec::new()).await?;
        }
        self.form_views(Some(kind), who).await?.into_iter().find(|view| view.id == id).ok_or_else(missing)
    }

    pub(super) fn open(&self, stored: &[StoredForm]) -> Result<Vec<Form>, OrgError> {
        opened(stored, &self.shared.key, self.channels()).map_err(OrgError::Stored)
    }

    fn judge(&self, forms: &[Form], kinds: &[Spoken]) -> Result<Vec<FormProblem>, OrgError> {
        judged(forms, Against { now: self.now(), kinds, channels: self.channels() }).map_err(|bad| OrgError::Stored(bad.to_string()))
    }

    /// Who is on call now and would not be any more.
    fn handovers(&self, will: &[Form]) -> Result<Vec<FormProblem>, OrgError> {
        let after = from_forms(will.to_vec()).map_err(|bad| OrgError::Stored(bad.to_string()))?;
        let told = |person: Option<&String>| person.map_or("nobody".to_owned(), |id| format!("`{id}`"));
        let found = handovers(&self.org(), after, self.now()).into_iter();
        Ok(found
            .map(|Handover { schedule, was, will_be }| FormProblem {
                weight: Weight::Warning,
                kind: FormKind::Schedule,
                message: format!(
                    "who is on call in `{schedule}` changes at once, from {} to {}",
                    told(was.as_ref()),
                    told(will_be.as_ref())
                ),
                id: schedule,
                key: "layers".to_owned(),
                hint: Some("put an override on it for whoever should go on".to_owned()),
                of_the_change: true,
                not_yet: None,
            })
            .collect())
    }

    /// What the change of one form causes, where that is no error.
    pub(super) fn allowed(
        &self,
        was: &[Form],
        will: &[Form],
        kind: FormKind,
        id: &str,
        kinds: &[Spoken],
    ) -> Result<Vec<FormProblem>, FormError> {
        let mut problems = caused(&self.judge(was, kinds)?, self.judge(will, kinds)?, kind, id);
        keep_as_stored(&mut problems, was, will, kind, id);
        if kind != FormKind::Override {
            problems.extend(self.handovers(will)?);
        }
        if problems.iter().any(FormProblem::is_error) { Err(FormError::Invalid(problems)) } else { Ok(problems) }
    }
}

fn found<'a>(stored: &'a [StoredForm], kind: FormKind, id: &str) -> Option<&'a StoredForm> {
    stored.iter().find(|row| row.kind == kind.word() && row.id == id)
}

/// Whether what is stored is what was seen, and may be changed by hand.
fn held(kind: FormKind, id: &str, before: Option<&StoredForm>, seen: Seen) -> Result<(), FormError> {
    match (before, seen) {
        (None, Seen::Version(_)) => return Err(FormError::Removed),
        (Some(_), Seen::Nothing) => return Err(FormError::Exists { kind, id: id.to_owned() }),
        (None, _) => return Ok(()),
        (Some(row), seen) => same_version(row, seen)?,
    }
    match before.and_then(|row| row.managed.as_deref()) {
        Some(MANAGED_BY_FILE) => Err(FormError::OfFile { kind, id: id.to_owned() }),
        _ => Ok(()),
    }
}

/// What a removal breaks is not misspelt: the hint of a similar name would lead astray.
fn still_named(why: FormError) -> FormError {
    let FormError::Invalid(mut problems) = why else { return why };
    for problem in problems.iter_mut().filter(|problem| problem.is_error()) {
        problem.message = format!("after the removal {}", problem.message);
        problem.hint = Some("change this form first".to_owned());
    }
    FormError::Invalid(problems)
}

fn still_administered(was: &[Form], will: &[Form], id: &str) -> Result<(), FormError> {
    nobody_administers(was, will, id).map_or(Ok(()), |problem| Err(FormError::Invalid(vec![problem])))
}

fn same_version(row: &StoredForm, seen: Seen) -> Result<(), FormError> {
    match seen {
        Seen::Version(seen) if seen != row.version => Err(FormError::Changed { now: row.version, seen }),
        Seen::Version(_) | Seen::Nothing | Seen::Whatever => Ok(()),
    }
}

/// Behind every form of its kind.
fn after_the_last(stored: &[StoredForm], kind: FormKind) -> u32 {
    let last = stored.iter().filter(|row| row.kind == kind.word()).map(|row| row.position).filter(|at| *at != u32::MAX).max();
    last.map_or(0, |last| last + 1)
}

/// The form as it will be stored: its body says its own id and a route its place; and it can be read.
fn settled(mut form: Form, was: &[Form], is_new: bool, ways: WaysOut) -> Result<Form, Vec<FormProblem>> {
    let (kind, id) = (form.kind, form.id.clone());
    let fault = |key: String, message: String, hint: Option<String>| FormProblem {
        weight: Weight::Error,
        kind,
        id: id.clone(),
        key,
        message,
        hint: hint.filter(|hint| !hint.is_empty()),
        of_the_change: false,
        not_yet: None,
    };
    let one = |key: &str, message: String, hint: &str| vec![fault(key.to_owned(), message, Some(hint.to_owned()))];
    if is_new && !is_slug(&id) {
        let hint = "use lower-case letters, digits, `-`, `_` and `.`, at most 64, as in `payments-db`";
        return Err(one(
            "id",
            if id.is_empty() { "no id can be made of the name: type an id".to_owned() } else { "this cannot be an id".to_owned() },
            hint,
        ));
    }
    let Some(body) = form.body.as_object_mut() else {
        return Err(one("", "the form is not an object with keys".to_owned(), ""));
    };
    // What is null was not said.
    body.retain(|_, value| !value.is_null());
    if kind == FormKind::CatchAll {
        if id != CATCH_ALL_ID {
            return Err(one("id", format!("there is one of these, and it is called `{CATCH_ALL_ID}`"), ""));
        }
        if body.get("targets").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return Err(one("targets", "nobody is named".to_owned(), "name at least one target, as in `person:ana`, or remove the form"));
        }
        if let Some(unknown) = body.keys().find(|key| *key != "targets") {
            return Err(one(unknown, format!("unknown key `{unknown}`"), "the one key here is `targets`"));
        }
    } else {
        // An unnamed route of a file stays unnamed.
        let unnamed = kind == FormKind::Route && !is_new && !body.contains_key("id");
        let said = if unnamed { &Value::String(id.clone()) } else { body.entry("id").or_insert_with(|| id.clone().into()) };
        if said.as_str() != Some(&id) {
            return Err(one("id", "the body says another id than the address".to_owned(), "an id stays; add another form instead"));
        }
    }
    if kind == FormKind::Route {
        let stored = was.iter().find(|form| form.kind == kind && form.id == id).and_then(|form| form.body.get(ORDER).cloned());
        let order = body.entry(ORDER).or_insert_with(|| stored.unwrap_or_else(|| next_order(was).into()));
        if order.as_u64().is_none() {
            return Err(one(ORDER, "the place is not a whole number".to_owned(), "write a number from 0; routes are read in this order"));
        }
    }
    read_form(kind, &id, &form.body).map_err(|bad| {
        // The reader stops at the first thing that it cannot read, in words of its own; the fields tell all, in theirs.
        let all: Vec<FormProblem> = misshapen(kind, &form.body, ways)
            .into_iter()
            .map(|problem| fault(problem.place.to_string(), problem.message, problem.hint))
            .collect();
        if all.is_empty() { vec![fault(bad.key, bad.message, bad.hint)] } else { all }
    })?;
    Ok(form)
}

fn next_order(was: &[Form]) -> u64 {
    let last = was.iter().filter(|form| form.kind == FormKind::Route).filter_map(|form| form.body.get(ORDER)?.as_u64()).max();
    last.map_or(ROUTE_ORDER_FIRST, |last| last.saturating_add(1).max(ROUTE_ORDER_FIRST))
}
