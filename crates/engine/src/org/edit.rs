//! One change of the organisation: forms put and removed, gathered, and committed at once with their
//! log, under a guard on the version that they were read at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allclear_domain::access::Actor;
use allclear_domain::audit::Kind;
use allclear_domain::event::{Draft, Head, Mode, Stream};
use allclear_domain::org::diff::{Change, ChangeKind, Form, FormKind};
use allclear_domain::org::model::Override;
use allclear_store::rows::form;
use allclear_store::{Write, rows};
use jiff::Timestamp;
use serde_json::Value;

use super::notes::Changed;
use super::{Applied, MANAGED_BY_FILE, MadeSecret, OrgError, Read, forget_maker, load, open_secrets, seal_secrets};
use crate::core::{external_calendars, ready, shifts, silences};
use crate::engine::Engine;
use crate::identity::sessions::shut_out;

/// One change of the organisation, gathered and committed at once.
pub(crate) struct Edit<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    stored: BTreeMap<(FormKind, String), form::StoredForm>,
    was_version: u64,
    version: u64,
    writes: Vec<Write>,
    changes: Vec<Change>,
    drafts: Vec<(String, &'static str, String)>,
    /// Whether open alerts have to be judged anew.
    silences: bool,
    /// Overrides, of which whoever has other turns by them is told.
    turns: Vec<Changed>,
    /// Who is told otherwise.
    told: Vec<String>,
}

impl<'a> Edit<'a> {
    pub(crate) fn new(engine: &'a Engine, actor: &'a Actor, read: Read) -> Self {
        let was_version = read.version;
        let stored =
            read.forms.into_iter().filter_map(|row| FormKind::from_word(&row.kind).map(|kind| ((kind, row.id.clone()), row))).collect();
        Self {
            engine,
            actor,
            stored,
            was_version,
            version: was_version + 1,
            writes: Vec::new(),
            changes: Vec::new(),
            drafts: Vec::new(),
            silences: false,
            turns: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(crate) fn put(&mut self, mut form: Form, position: usize, managed: Option<&str>) -> Result<(), OrgError> {
        let (key, ways) = (&self.engine.shared.key, self.engine.channels());
        if form.kind == FormKind::Override {
            forget_maker(&mut form.body);
        }
        let before = self.stored.get(&(form.kind, form.id.clone()));
        let old = before
            .map(|row| -> Result<Value, String> {
                let mut body: Value = serde_json::from_str(&row.body).map_err(|why| why.to_string())?;
                open_secrets(form.kind, &mut body, key, ways)?;
                Ok(body)
            })
            .transpose()
            .map_err(OrgError::Stored)?;
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let same = old.as_ref() == Some(&form.body);
        if same && before.is_some_and(|row| row.managed.as_deref() == managed) {
            return Ok(());
        }
        self.writes.extend(self.engine.audited_form(self.actor, old.as_ref(), &form));
        let action = match &old {
            None => ChangeKind::Add,
            Some(old) => {
                let mut fields = differing(old, &form.body);
                // Who owns it is part of the form to whoever looks at its changes.
                fields.extend(before.filter(|row| row.managed.as_deref() != managed).map(|_| "managed".to_owned()));
                ChangeKind::Change { fields }
            }
        };
        if old.is_none() && form.kind == FormKind::Person {
            // Once more than at the removal: a sign-in that was under way then may have left a session,
            // and releases before this one left everything.
            self.writes.extend(shut_out(&form.id, self.engine.now()));
        }
        // Names and addresses of people never reach the log: only which fields changed does.
        let body = serde_json::json!({ "version": self.version, "action": action });
        self.drafts.push((format!("{}/{}", form.kind.word(), form.id), "form_changed", body.to_string()));
        self.changes.push(Change { kind: form.kind, id: form.id.clone(), action });
        let turns =
            (form.kind == FormKind::Override).then(|| Changed { was: override_of(old.as_ref()), is: override_of(Some(&form.body)) });
        // What is made last wins, and this is.
        self.turns.extend(turns.map(|change| Changed { is: change.is.map(|is| Override { made: self.version, ..is }), ..change }));
        let (made, made_by) = match before {
            Some(row) => (row.made.unwrap_or(row.version), row.made_by.clone()),
            None => (self.version, Some(self.actor.to_string())),
        };
        if form.kind == FormKind::Silence {
            let was = before.map(|row| row.version);
            // A body that does not read is no silence: it is left out of what is in force, and named.
            let starts_at = form.body.get("starts_at").and_then(Value::as_str).and_then(|text| text.parse().ok());
            self.silence_changed(&form.id, was, starts_at);
        }
        let mut sealed = form.body;
        seal_secrets(form.kind, &mut sealed, key, ways, self.engine.shared.ports.rng.as_ref());
        let row = form::StoredForm {
            kind: form.kind.word().to_owned(),
            id: form.id,
            version: self.version,
            position,
            managed: managed.map(ToOwned::to_owned),
            body: sealed.to_string(),
            at: self.engine.now(),
            made: Some(made),
            made_by,
        };
        self.writes.extend(form::put(&row, self.actor));
        Ok(())
    }

    /// Open alerts are judged again once this is in force, and when a silence begins that is planned.
    fn silence_changed(&mut self, id: &str, was: Option<u64>, starts_at: Option<Timestamp>) {
        let now = self.engine.now();
        self.silences = true;
        if let Some(was) = was {
            self.writes.push(rows::expectation::settle(&silences::no_longer_begins(was, id), now));
        }
        if let Some(begins) = starts_at.and_then(|at| silences::when_it_begins(self.version, id, at, now)) {
            self.writes.push(rows::expectation::open(&begins));
        }
    }

    /// What is written with it, or not at all.
    pub(crate) fn also(&mut self, writes: impl IntoIterator<Item = Write>) {
        self.writes.extend(writes);
    }

    /// Somebody is told of their turns otherwise.
    pub(crate) fn told(&mut self, person: &str) {
        self.told.push(person.to_owned());
    }

    /// How many forms of this kind there are, with these ids among them.
    pub(crate) fn stored(&self, kind: FormKind) -> impl Iterator<Item = &form::StoredForm> {
        self.stored.iter().filter(move |((of, _), _)| *of == kind).map(|(_, row)| row)
    }

    /// Earlier bodies of a form are not kept: what a sender makes must not grow without end.
    pub(crate) fn forget_history(&mut self, kind: FormKind, id: &str, keep: u32) {
        self.writes.push(form::forget_history(kind.word(), id, keep));
    }

    /// Forms of the file that it does not name any more.
    pub(crate) fn leave(&mut self, named: &BTreeSet<(FormKind, String)>, prune: bool) {
        let mut gone = Vec::new();
        for ((kind, id), row) in &self.stored {
            if row.managed.as_deref() != Some(MANAGED_BY_FILE) || named.contains(&(*kind, id.clone())) {
                continue;
            }
            gone.push((*kind, id.clone()));
        }
        for (kind, id) in gone {
            if prune {
                self.remove(kind, id);
            } else {
                self.changes.push(Change { kind, id, action: ChangeKind::KeptWithoutPrune });
            }
        }
    }

    pub(crate) fn remove(&mut self, kind: FormKind, id: String) {
        if kind == FormKind::Person {
            // Whoever gets this id next is somebody else.
            self.writes.extend(shut_out(&id, self.engine.now()));
            self.writes.push(self.engine.audited(Kind::PersonRemoved, self.actor, Some(&id), None));
            // Nor is the next one reached where they were.
            self.writes.push(rows::code::forget(&id));
            if self.stored.contains_key(&(FormKind::OwnContacts, id.clone())) {
                self.remove(FormKind::OwnContacts, id.clone());
            }
        }
        if kind == FormKind::ExternalCalendar {
            self.writes.push(rows::meta::remove(&rows::meta::external_calendar(&id)));
            if self.stored.contains_key(&(FormKind::CalendarCopy, id.clone())) {
                self.remove(FormKind::CalendarCopy, id.clone());
            }
        }
        if kind == FormKind::Team {
            let was = self.stored.get(&(kind, id.clone())).and_then(|row| serde_json::from_str::<Value>(&row.body).ok());
            let gone = Form { kind, id: id.clone(), body: Value::Null };
            self.writes.extend(self.engine.audited_form(self.actor, was.as_ref(), &gone));
        }
        if kind == FormKind::Silence {
            let was = self.stored.get(&(kind, id.clone())).map(|row| row.version);
            self.silence_changed(&id, was, None);
        }
        if kind == FormKind::Override {
            let was = self.stored.get(&(kind, id.clone())).and_then(|row| serde_json::from_str::<Value>(&row.body).ok());
            self.turns.push(Changed { was: override_of(was.as_ref()), is: None });
        }
        self.writes.extend(form::remove(kind.word(), &id, self.version, self.actor, self.engine.now()));
        let body = serde_json::json!({ "version": self.version, "action": ChangeKind::Remove });
        self.drafts.push((format!("{}/{id}", kind.word()), "form_changed", body.to_string()));
        self.changes.push(Change { kind, id, action: ChangeKind::Remove });
    }

    pub(crate) async fn finish(self, digest: Option<&str>, made: Vec<MadeSecret>) -> Result<Applied, OrgError> {
        // On the heap, or every page that changes a form would carry it.
        Box::pin(self.committed(digest, made)).await
    }

    async fn committed(mut self, digest: Option<&str>, made: Vec<MadeSecret>) -> Result<Applied, OrgError> {
        let shared = &self.engine.shared;
        if let Some(digest) = digest {
            self.writes.push(rows::meta::put(rows::meta::ORG_DIGEST, digest));
        }
        if self.drafts.is_empty() {
            if !self.writes.is_empty() {
                shared.db.commit(self.writes).await?;
            }
            return Ok(Applied { version: self.was_version, changes: self.changes, made });
        }
        for (stream, kind, body) in std::mem::take(&mut self.drafts) {
            self.writes.push(self.event(stream, kind, body).await?);
        }
        if self.silences {
            self.writes.push(rows::expectation::open(&silences::when_changed(self.version, self.engine.now())));
        }
        self.writes.extend(self.engine.notes_of_moved_turns(self.actor, &self.turns, &self.told));
        let (was, version) = (self.was_version.to_string(), self.version.to_string());
        self.writes.push(if self.was_version == 0 {
            rows::meta::first(rows::meta::ORG_VERSION, &version)
        } else {
            rows::meta::swap(rows::meta::ORG_VERSION, &was, &version)
        });
        shared.db.commit(self.writes).await?;
        let (org, unread) = load(&shared.db, &shared.key, shared.ports.channels).await?;
        shared.troubles.set_aside(unread, self.engine.now());
        for problem in org.unusable() {
            tracing::warn!(%problem, "a part of the organisation cannot be used");
        }
        let org = Arc::new(org);
        self.engine.put_org(org.clone()).await;
        if let Err(why) = Box::pin(ready::expect(&shared.db, &org, self.engine.now())).await {
            // The next change, or the next start, opens it.
            tracing::warn!(%why, "the daily look at who would be reached was not opened");
        }
        let notices = match Box::pin(shifts::changed(&shared.db, &org, self.engine.now())).await {
            Ok(opened) => opened,
            Err(why) => {
                // The next change, or the next start, opens it.
                tracing::warn!(%why, "it is not looked anew whose shift begins when");
                false
            }
        };
        let reads = match Box::pin(external_calendars::changed(&shared.db, &org, self.engine.now())).await {
            Ok(opened) => opened,
            Err(why) => {
                // The next change, or the next start, opens it.
                tracing::warn!(%why, "external calendars are not read anew");
                false
            }
        };
        if self.silences || notices || reads {
            self.engine.wake();
        }
        // Notes may have been written with it.
        shared.outbox_wake.notify_one();
        Ok(Applied { version: self.version, changes: self.changes, made })
    }

    async fn event(&self, form: String, kind: &'static str, body: String) -> Result<Write, OrgError> {
        let shared = &self.engine.shared;
        let stream = Stream::Form(form);
        let mut head = rows::event::head(&shared.db, &stream).await?.unwrap_or(Head::EMPTY);
        let now = self.engine.now();
        let draft = Draft {
            stream,
            incident: None,
            kind,
            v: 1,
            at: now,
            actor: self.actor.clone(),
            cause: "config".into(),
            mode: Mode::Live,
            marking: None,
            body,
        };
        let mut salt = [0; 16];
        shared.ports.rng.fill(&mut salt);
        Ok(rows::event::append(&draft.seal(&mut head, salt, now)))
    }
}

/// An override as it is stored; one that does not read moves nobody.
fn override_of(body: Option<&Value>) -> Option<Override> {
    serde_json::from_value(body?.clone()).ok()
}

fn differing(old: &Value, new: &Value) -> Vec<String> {
    let keys = |v: &Value| v.as_object().map(|o| o.keys().cloned().collect::<BTreeSet<_>>()).unwrap_or_default();
    keys(old).union(&keys(new)).filter(|key| old.get(key.as_str()) != new.get(key.as_str())).cloned().collect()
}
