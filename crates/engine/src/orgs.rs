//! The organisation in the store: forms with versions and a change log, secrets sealed, and the
//! snapshot that decisions read. A whole file is applied here; one form at a time is changed in
//! [`forms`].

pub mod forms;
mod judged;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allclear_domain::access::Actor;
use allclear_domain::event::{Draft, Head, Mode, Stream};
use allclear_domain::expect::Rule;
use allclear_domain::ids::SilenceId;
use allclear_domain::org::diff::{Action, Change, Form, FormKind, forms, from_forms};
use allclear_domain::org::export::keep_stored;
use allclear_domain::org::model::{Bundle, Override, Person, Silence};
use allclear_domain::org::snapshot::Org;
use allclear_store::rows::form;
use allclear_store::{CommitError, Db, Fault, Write, rows};
use base64::Engine as _;
use serde_json::Value;

use crate::engine::{Engine, StartError};
use crate::ports::Rng;
use crate::seal::SecretKey;

pub use self::judged::FormProblem;
pub(crate) use self::judged::below;

/// The mark of forms that a file owns.
pub const MANAGED_BY_FILE: &str = "file";
/// Random bytes of a webhook secret that is made here (Standard Webhooks: 24 to 64).
const WEBHOOK_SECRET_BYTES: usize = 32;
/// Random bytes of an integration key that is made here.
const INTEGRATION_KEY_BYTES: usize = 24;

/// Why the organisation was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    #[error("the store cannot keep it now: {0}")]
    Store(#[from] Fault),
    #[error("somebody else changed the organisation at the same time: look again, and apply again")]
    Conflict,
    #[error("{0}")]
    Stored(String),
    #[error("there is no {kind} `{id}`")]
    Missing { kind: &'static str, id: String },
}

impl From<CommitError> for OrgError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Conflict,
            CommitError::Fault(fault) => Self::Store(fault),
        }
    }
}

/// A secret that was made here and is shown once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MadeSecret {
    /// `integration prom`, `contact ana/hook`.
    pub of: String,
    pub secret: String,
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Applied {
    pub version: u64,
    pub changes: Vec<Change>,
    pub made: Vec<MadeSecret>,
}

/// Reads the stored organisation.
pub(crate) async fn load(db: &Db, key: &SecretKey) -> Result<Org, StartError> {
    let stored = form::all(db).await?;
    let version = org_version(db).await?;
    let bundle = bundle_of(&stored, key).map_err(StartError::Org)?;
    Ok(Org::build(version, bundle))
}

async fn org_version(db: &Db) -> Result<u64, Fault> {
    Ok(rows::meta::get(db, rows::meta::ORG_VERSION).await?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

fn bundle_of(stored: &[form::Stored], key: &SecretKey) -> Result<Bundle, String> {
    from_forms(opened(stored, key)?).map_err(|bad| bad.to_string())
}

/// The forms with their secrets in the clear.
fn opened(stored: &[form::Stored], key: &SecretKey) -> Result<Vec<Form>, String> {
    let mut opened = Vec::with_capacity(stored.len());
    for row in stored {
        let Some(kind) = FormKind::from_word(&row.kind) else {
            return Err(format!("`{}` is no kind of form that this program knows", row.kind));
        };
        let mut body: Value = serde_json::from_str(&row.body).map_err(|why| format!("{} {}: {why}", row.kind, row.id))?;
        open_secrets(kind, &mut body, key).map_err(|why| format!("{} {}: {why}", row.kind, row.id))?;
        opened.push(Form { kind, id: row.id.clone(), body });
    }
    Ok(opened)
}

/// Applies `change` to every secret in a form's body.
fn each_secret(kind: FormKind, body: &mut Value, mut change: impl FnMut(&str) -> Result<String, String>) -> Result<(), String> {
    let mut one = |slot: Option<&mut Value>| -> Result<(), String> {
        if let Some(Value::String(text)) = slot {
            *text = change(text)?;
        }
        Ok(())
    };
    match kind {
        FormKind::Integration => one(body.get_mut("key")),
        FormKind::Person | FormKind::Audience => {
            for contact in body.get_mut("contacts").and_then(Value::as_array_mut).into_iter().flatten() {
                one(contact.get_mut("secret"))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn open_secrets(kind: FormKind, body: &mut Value, key: &SecretKey) -> Result<(), String> {
    each_secret(kind, body, |text| key.open(text).map_err(|why| why.to_string()))
}

fn seal_secrets(kind: FormKind, body: &mut Value, key: &SecretKey, rng: &dyn Rng) {
    // Sealing does not fail.
    let _ = each_secret(kind, body, |text| Ok(key.seal(text, rng)));
}

/// Makes the secrets that a bundle leaves out.
fn make_missing(bundle: &mut Bundle, rng: &dyn Rng) -> Vec<MadeSecret> {
    let mut made = Vec::new();
    for integration in &mut bundle.integrations {
        if integration.key.is_none() {
            let mut bytes = [0; INTEGRATION_KEY_BYTES];
            rng.fill(&mut bytes);
            let secret: String = bytes.iter().map(|b| format!("{b:02x}")).take(16).collect();
            made.push(MadeSecret { of: format!("integration {}", integration.id), secret: secret.clone() });
            integration.key = Some(secret);
        }
    }
    for person in &mut bundle.people {
        for contact in person.contacts.iter_mut().filter(|c| c.webhook.is_some() && c.secret.is_none()) {
            let secret = webhook_secret(rng);
            made.push(MadeSecret { of: format!("contact {}/{}", person.id, contact.id), secret: secret.clone() });
            contact.secret = Some(secret);
        }
    }
    for audience in &mut bundle.audiences {
        for contact in audience.contacts.iter_mut().filter(|c| c.webhook.is_some() && c.secret.is_none()) {
            let secret = webhook_secret(rng);
            made.push(MadeSecret { of: format!("contact {}/{}", audience.id, contact.id), secret: secret.clone() });
            contact.secret = Some(secret);
        }
    }
    made
}

fn webhook_secret(rng: &dyn Rng) -> String {
    let mut bytes = [0; WEBHOOK_SECRET_BYTES];
    rng.fill(&mut bytes);
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}

impl Engine {
    /// Reads the organisation again: another node changed it.
    pub(crate) async fn reload_org(&self) {
        if org_version(&self.shared.db).await.is_ok_and(|version| version == self.org().version) {
            return;
        }
        match load(&self.shared.db, &self.shared.key).await {
            Ok(org) => self.put_org(Arc::new(org)).await,
            Err(why) => tracing::error!(%why, "the organisation that another node stored cannot be read"),
        }
    }

    /// The digest of the organisation file applied last.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn org_digest(&self) -> Result<Option<String>, Fault> {
        rows::meta::get(&self.shared.db, rows::meta::ORG_DIGEST).await
    }

    /// Applies a bundle that was checked. Forms it does not name stay, unless `prune` asks to
    /// remove those that a file owns; what people made otherwise is never removed.
    ///
    /// # Errors
    /// When the store does not answer, or the organisation changed meanwhile.
    pub async fn apply_org(&self, bundle: Bundle, digest: Option<&str>, prune: bool, actor: &Actor) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let stored = form::all(&self.shared.db).await?;
        let old = bundle_of(&stored, &self.shared.key).map_err(OrgError::Stored)?;
        let mut bundle = keep_stored(&old, bundle);
        let made = make_missing(&mut bundle, self.shared.ports.rng.as_ref());
        let mut edit = Edit::new(self, actor, stored).await?;
        let mut named = BTreeSet::new();
        for (position, form) in forms(&bundle).into_iter().enumerate() {
            if form.kind == FormKind::Override {
                continue;
            }
            named.insert((form.kind, form.id.clone()));
            edit.put(form, position, Some(MANAGED_BY_FILE))?;
        }
        edit.leave(&named, prune);
        edit.finish(digest, made).await
    }

    /// Puts one form that no file owns: an override, a silence.
    async fn put_form(&self, form: Form, actor: &Actor) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let stored = form::all(&self.shared.db).await?;
        let mut edit = Edit::new(self, actor, stored).await?;
        edit.put(form, 0, None)?;
        edit.finish(None, Vec::new()).await
    }

    /// Puts one person, changed or new; a file that owns the form goes on owning it.
    ///
    /// # Errors
    /// When the store does not answer, or the organisation changed meanwhile.
    pub async fn put_person(&self, person: &Person, actor: &Actor) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let body = serde_json::to_value(person).map_err(|why| OrgError::Stored(why.to_string()))?;
        let stored = form::all(&self.shared.db).await?;
        let kind = FormKind::Person;
        let before = stored.iter().find(|row| row.kind == kind.word() && row.id == person.id);
        let (position, managed) = before.map_or((u32::MAX, None), |row| (row.position, row.managed.clone()));
        let mut edit = Edit::new(self, actor, stored).await?;
        edit.put(Form { kind, id: person.id.clone(), body }, position as usize, managed.as_deref())?;
        edit.finish(None, Vec::new()).await
    }

    /// Somebody takes a schedule for a time.
    ///
    /// # Errors
    /// Where the schedule or the person does not exist, or the store does not answer.
    pub async fn put_override(&self, change: Override, actor: &Actor) -> Result<Applied, OrgError> {
        let org = self.org();
        if org.schedule(&change.schedule).is_none() {
            return Err(OrgError::Missing { kind: "schedule", id: change.schedule });
        }
        if org.person(&change.person).is_none() {
            return Err(OrgError::Missing { kind: "person", id: change.person });
        }
        let body = serde_json::to_value(&change).map_err(|why| OrgError::Stored(why.to_string()))?;
        self.put_form(Form { kind: FormKind::Override, id: change.id, body }, actor).await
    }

    /// Suppresses alerts for a time; the silence's id is `fresh` where it has none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn put_silence(&self, mut silence: Silence, actor: &Actor) -> Result<String, OrgError> {
        if silence.id.is_empty() {
            silence.id = SilenceId::from_bits(self.fresh_id()).as_uuid().to_string();
        }
        let id = silence.id.clone();
        let body = serde_json::to_value(&silence).map_err(|why| OrgError::Stored(why.to_string()))?;
        self.put_form(Form { kind: FormKind::Silence, id: id.clone(), body }, actor).await?;
        Ok(id)
    }

    /// Earlier versions of a form: who changed it, and when.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn form_versions(&self, kind: FormKind, id: &str) -> Result<Vec<form::Version>, Fault> {
        form::versions(&self.shared.db, kind.word(), id).await
    }
}

/// One change of the organisation, gathered and committed at once.
struct Edit<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    stored: BTreeMap<(FormKind, String), form::Stored>,
    was_version: u64,
    version: u64,
    writes: Vec<Write>,
    changes: Vec<Change>,
    drafts: Vec<(String, &'static str, String)>,
}

impl<'a> Edit<'a> {
    async fn new(engine: &'a Engine, actor: &'a Actor, stored: Vec<form::Stored>) -> Result<Self, OrgError> {
        let was_version = org_version(&engine.shared.db).await?;
        let stored =
            stored.into_iter().filter_map(|row| FormKind::from_word(&row.kind).map(|kind| ((kind, row.id.clone()), row))).collect();
        Ok(Self {
            engine,
            actor,
            stored,
            was_version,
            version: was_version + 1,
            writes: Vec::new(),
            changes: Vec::new(),
            drafts: Vec::new(),
        })
    }

    fn put(&mut self, form: Form, position: usize, managed: Option<&str>) -> Result<(), OrgError> {
        let key = &self.engine.shared.key;
        let before = self.stored.get(&(form.kind, form.id.clone()));
        let old = before
            .map(|row| -> Result<Value, String> {
                let mut body: Value = serde_json::from_str(&row.body).map_err(|why| why.to_string())?;
                open_secrets(form.kind, &mut body, key)?;
                Ok(body)
            })
            .transpose()
            .map_err(OrgError::Stored)?;
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let same = old.as_ref() == Some(&form.body);
        if same && before.is_some_and(|row| row.managed.as_deref() == managed) {
            return Ok(());
        }
        let action = match &old {
            None => Action::Add,
            Some(old) => {
                let mut fields = differing(old, &form.body);
                // Who owns it is part of the form to whoever looks at its changes.
                fields.extend(before.filter(|row| row.managed.as_deref() != managed).map(|_| "managed".to_owned()));
                Action::Change { fields }
            }
        };
        // Names and addresses of people never reach the log: only which fields changed does.
        let body = serde_json::json!({ "version": self.version, "action": action });
        self.drafts.push((format!("{}/{}", form.kind.word(), form.id), "form_changed", body.to_string()));
        self.changes.push(Change { kind: form.kind, id: form.id.clone(), action });
        let mut sealed = form.body;
        seal_secrets(form.kind, &mut sealed, key, self.engine.shared.ports.rng.as_ref());
        let row = form::Stored {
            kind: form.kind.word().to_owned(),
            id: form.id,
            version: self.version,
            position,
            managed: managed.map(ToOwned::to_owned),
            body: sealed.to_string(),
            at: self.engine.now(),
        };
        self.writes.extend(form::put(&row, self.actor));
        Ok(())
    }

    /// Forms of the file that it does not name any more.
    fn leave(&mut self, named: &BTreeSet<(FormKind, String)>, prune: bool) {
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
                self.changes.push(Change { kind, id, action: Action::KeptWithoutPrune });
            }
        }
    }

    fn remove(&mut self, kind: FormKind, id: String) {
        self.writes.extend(form::remove(kind.word(), &id, self.version, self.actor, self.engine.now()));
        let body = serde_json::json!({ "version": self.version, "action": Action::Remove });
        self.drafts.push((format!("{}/{id}", kind.word()), "form_changed", body.to_string()));
        self.changes.push(Change { kind, id, action: Action::Remove });
    }

    async fn finish(mut self, digest: Option<&str>, made: Vec<MadeSecret>) -> Result<Applied, OrgError> {
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
        let (was, version) = (self.was_version.to_string(), self.version.to_string());
        self.writes.push(if self.was_version == 0 {
            rows::meta::first(rows::meta::ORG_VERSION, &version)
        } else {
            rows::meta::swap(rows::meta::ORG_VERSION, &was, &version)
        });
        shared.db.commit(self.writes).await?;
        let org = load(&shared.db, &shared.key).await.map_err(|why| OrgError::Stored(why.to_string()))?;
        for problem in org.unusable() {
            tracing::warn!(%problem, "a part of the organisation cannot be used");
        }
        self.engine.put_org(Arc::new(org)).await;
        if self.changes.iter().any(|change| change.kind == FormKind::Silence) {
            // What a silence holds back is judged again now: it may have ended early, or be gone.
            shared.db.commit(vec![rows::expectation::look_now(Rule::SilenceEnd, self.engine.now())]).await?;
            self.engine.wake();
        }
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
            body,
        };
        let mut salt = [0; 16];
        shared.ports.rng.fill(&mut salt);
        Ok(rows::event::append(&draft.seal(&mut head, salt, now)))
    }
}

fn differing(old: &Value, new: &Value) -> Vec<String> {
    let keys = |v: &Value| v.as_object().map(|o| o.keys().cloned().collect::<BTreeSet<_>>()).unwrap_or_default();
    keys(old).union(&keys(new)).filter(|key| old.get(key.as_str()) != new.get(key.as_str())).cloned().collect()
}
