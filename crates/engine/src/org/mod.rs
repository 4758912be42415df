//! The organisation in the store: forms with versions and a change log, secrets sealed, and the
//! snapshot that decisions read. A whole file is applied here; one form at a time is changed in
//! [`forms`].

pub mod absences;
pub mod codes;
pub mod cover;
mod edit;
pub mod error;
pub(crate) mod external_calendars;
pub mod file;
mod form_problems;
pub mod forms;
pub(crate) mod notes;
pub mod own;
pub mod plans;
pub mod preview;
pub(crate) mod shown_once;
pub mod silences;
pub mod temporary;

use std::collections::BTreeSet;
use std::sync::Arc;

use allclear_domain::access::{Actor, Denied, Principal, Resource, Right, may, may_end, may_schedule, may_take};
use allclear_domain::channel::{Kept, WaysOut};
use allclear_domain::hex::hex;
use allclear_domain::org::diff::{Change, Form, FormKind, forms, from_forms};
use allclear_domain::org::export::{each_secret, keep_stored};
use allclear_domain::org::forms::plan_deed::{SECRET, WEBHOOK};
use allclear_domain::org::model::{Access, Bundle, Override, Person};
use allclear_domain::org::snapshot::Org;
use allclear_store::rows::form;
use allclear_store::unread::Unread;
use allclear_store::{Db, Fault, rows};
use jiff::Timestamp;
use serde_json::Value;

use crate::engine::Engine;
use crate::identity::seal::SecretKey;
use crate::ports::Rng;

use self::edit::Edit;
pub use self::error::OrgError;
pub use self::form_problems::FormProblem;
pub(crate) use self::form_problems::below;
pub use self::shown_once::MadeSecret;
pub use self::silences::{SILENCE_BYTES_MAX, SILENCES_BYTES_PER_INTEGRATION_MAX, SILENCES_PER_INTEGRATION_MAX};

/// The mark of forms that a file owns.
pub const MANAGED_BY_FILE: &str = "file";
/// Random bytes of an integration key that is made here.
const INTEGRATION_KEY_BYTES: usize = 16;

/// How often a change that holds whatever else changed is made again, when another node was first: as
/// often as a handful of people on several nodes may press at once.
const NODES_TRIES: u32 = 8;
/// The keys of an override that stand beside it in the store.
const MADE: &str = "made";
const MADE_BY: &str = "made_by";

/// What became of an override that somebody ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedOverride {
    /// It had not begun, and is gone.
    pub removed: bool,
    /// When it was over.
    pub ends_at: Timestamp,
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Applied {
    pub version: u64,
    pub changes: Vec<Change>,
    pub made: Vec<MadeSecret>,
}

/// The forms as they are stored, and the version that a change of them is guarded by.
struct Read {
    version: u64,
    forms: Vec<form::StoredForm>,
}

impl Read {
    /// The version is read first. What another node commits between the two reads is then among the
    /// forms under a version that is too old, so that a change made from them is a conflict; the
    /// other way about, the change would pass its guard and write over what nobody had looked at.
    async fn from(db: &Db) -> Result<Self, Fault> {
        let version = org_version(db).await?;
        Ok(Self { version, forms: form::all(db).await? })
    }
}

/// Reads the stored organisation. A form that does not read, as one of a newer version may not, is set aside alone: to go
/// without one silence, or without one policy before the catch-all, is better than to page nobody.
pub(crate) async fn load(db: &Db, key: &SecretKey, ways: WaysOut) -> Result<(Org, Vec<Unread>), Fault> {
    let Read { version, forms } = Read::from(db).await?;
    let mut unread = Vec::new();
    let mut readable = Vec::with_capacity(forms.len());
    for stored in &forms {
        // Alone: of several the first that does not read would hide the others.
        match bundle_of(std::slice::from_ref(stored), key, ways).and_then(|_| opened(std::slice::from_ref(stored), key, ways)) {
            Ok(form) => readable.extend(form),
            Err(why) => unread.push(Unread { table: "form", key: format!("{} {}", stored.kind, stored.id), why }),
        }
    }
    let bundle = from_forms(readable).unwrap_or_else(|bad| {
        unread.push(Unread { table: "form", key: format!("{} {}", bad.kind.word(), bad.id), why: bad.why });
        Bundle::default()
    });
    Ok((Org::build(version, bundle, ways), unread))
}

async fn org_version(db: &Db) -> Result<u64, Fault> {
    Ok(rows::meta::get(db, rows::meta::ORG_VERSION).await?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

fn bundle_of(stored: &[form::StoredForm], key: &SecretKey, ways: WaysOut) -> Result<Bundle, String> {
    from_forms(opened(stored, key, ways)?).map_err(|bad| bad.to_string())
}

/// The forms with their secrets in the clear.
fn opened(stored: &[form::StoredForm], key: &SecretKey, ways: WaysOut) -> Result<Vec<Form>, String> {
    let mut opened = Vec::with_capacity(stored.len());
    for row in stored {
        let Some(kind) = FormKind::from_word(&row.kind) else {
            return Err(format!("`{}` is no kind of form that this program knows", row.kind));
        };
        let mut body: Value = serde_json::from_str(&row.body).map_err(|why| format!("{} {}: {why}", row.kind, row.id))?;
        open_secrets(kind, &mut body, key, ways).map_err(|why| format!("{} {}: {why}", row.kind, row.id))?;
        if kind == FormKind::Override {
            say_maker(&mut body, row);
        }
        opened.push(Form { kind, id: row.id.clone(), body });
    }
    Ok(opened)
}

/// Which version made an override, and who: what the store says beside it, and nothing that stands in
/// the body. One that a node of an earlier release made counts from its last change.
fn say_maker(body: &mut Value, row: &form::StoredForm) {
    forget_maker(body);
    if let Some(body) = body.as_object_mut() {
        body.insert(MADE.to_owned(), row.made.unwrap_or(row.version).into());
        if let Some(actor) = &row.made_by {
            body.insert(MADE_BY.to_owned(), actor.clone().into());
        }
    }
}

fn forget_maker(body: &mut Value) {
    if let Some(body) = body.as_object_mut() {
        body.remove(MADE);
        body.remove(MADE_BY);
    }
}

fn open_secrets(kind: FormKind, body: &mut Value, key: &SecretKey, ways: WaysOut) -> Result<(), String> {
    each_secret(kind, body, ways, |text| key.open(text).map_err(|why| why.to_string()))
}

fn seal_secrets(kind: FormKind, body: &mut Value, key: &SecretKey, ways: WaysOut, rng: &dyn Rng) {
    let Ok(()) = each_secret(kind, body, ways, |text| Ok::<_, std::convert::Infallible>(key.seal(text, rng)));
}

/// Makes the secrets that a bundle leaves out.
fn make_missing(bundle: &mut Bundle, ways: WaysOut, rng: &dyn Rng) -> Vec<MadeSecret> {
    let mut made = Vec::new();
    for integration in &mut bundle.integrations {
        if integration.key.is_none() {
            let mut bytes = [0; INTEGRATION_KEY_BYTES];
            rng.fill(&mut bytes);
            let secret = hex(&bytes);
            made.push(MadeSecret { of: format!("integration {}", integration.id), secret: secret.clone() });
            integration.key = Some(secret);
        }
    }
    for (owner, contacts) in bundle.contacts() {
        for contact in contacts {
            for field in ways.of(&contact.address).map_or(&[][..], |form| form.fields) {
                if let Kept::Made { bytes, text } = field.kept
                    && contact.address.get(field.key).is_none()
                {
                    let mut random = vec![0; bytes];
                    rng.fill(&mut random);
                    let secret = text(&random);
                    made.push(MadeSecret { of: format!("contact {owner}/{}", contact.id), secret: secret.clone() });
                    contact.address.set(field.key, secret);
                }
            }
        }
    }
    let form = ways.named(WEBHOOK);
    for plan in &mut bundle.plans {
        for task in &mut plan.tasks {
            let secret = form.and_then(|form| form.field(SECRET)).map(|field| field.kept);
            if let (Some(deed), Some(Kept::Made { bytes, text })) = (&mut task.deed, secret)
                && deed.secret.is_none()
            {
                let mut random = vec![0; bytes];
                rng.fill(&mut random);
                let secret = text(&random);
                made.push(MadeSecret { of: format!("step {}/{}", plan.id, task.id), secret: secret.clone() });
                deed.secret = Some(secret);
            }
        }
    }
    made
}

impl Engine {
    /// Reads the organisation again: another node changed it.
    pub(crate) async fn reload_org(&self) {
        if org_version(&self.shared.db).await.is_ok_and(|version| version == self.org().version) {
            return;
        }
        match load(&self.shared.db, &self.shared.key, self.channels()).await {
            Ok((org, unread)) => {
                self.shared.troubles.set_aside(unread, self.now());
                self.put_org(Arc::new(org)).await;
            }
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

    /// Whether applying this bundle would make secrets, which are told only once.
    #[must_use]
    pub fn would_make_secrets(&self, bundle: &Bundle) -> bool {
        let mut bundle = keep_stored(self.org().bundle(), bundle.clone(), self.channels());
        !make_missing(&mut bundle, self.channels(), self.shared.ports.rng.as_ref()).is_empty()
    }

    /// Applies a bundle that was checked. Forms it does not name stay, unless `prune` asks to
    /// remove those that a file owns; what people made otherwise is never removed.
    ///
    /// # Errors
    /// When the asker may not, the store does not answer, or the organisation changed meanwhile.
    pub async fn apply_org(&self, bundle: Bundle, digest: Option<&str>, prune: bool, who: &Principal) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        self.administers(who)?;
        let actor = &who.actor;
        let read = Read::from(&self.shared.db).await?;
        let old = bundle_of(&read.forms, &self.shared.key, self.channels()).map_err(OrgError::Stored)?;
        let mut bundle = keep_stored(&old, bundle, self.channels());
        let made = make_missing(&mut bundle, self.channels(), self.shared.ports.rng.as_ref());
        let mut edit = Edit::new(self, actor, read);
        let mut named = BTreeSet::new();
        for (position, form) in forms(&bundle).into_iter().enumerate() {
            if !form.kind.may_be_of_file() {
                continue;
            }
            named.insert((form.kind, form.id.clone()));
            edit.put(form, position, Some(MANAGED_BY_FILE))?;
        }
        edit.leave(&named, prune);
        let applied = edit.finish(digest, made).await?;
        let administers = |bundle: &Bundle| bundle.people.iter().any(|person| person.access == Some(Access::Administrator));
        if administers(&old) && !administers(self.org().bundle()) {
            // A file may leave that to a token; a form may not.
            tracing::warn!("since this file was applied nobody of the organisation is an administrator");
        }
        Ok(applied)
    }

    /// Puts one form that no file owns: an override, a silence.
    async fn put_form(&self, form: Form, actor: &Actor) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        for _ in 1..NODES_TRIES {
            match self.put_form_once(form.clone(), actor).await {
                Err(OrgError::Conflict) => {}
                other => return other,
            }
        }
        self.put_form_once(form, actor).await
    }

    async fn put_form_once(&self, form: Form, actor: &Actor) -> Result<Applied, OrgError> {
        let mut edit = Edit::new(self, actor, Read::from(&self.shared.db).await?);
        edit.put(form, 0, None)?;
        edit.finish(None, Vec::new()).await
    }

    /// Whether somebody may change the organisation, and read what only administrators do.
    pub(crate) fn administers(&self, who: &Principal) -> Result<(), Denied> {
        may(&self.org(), who, Right::Administer, Resource::Installation)
    }

    /// Puts one person, changed or new; a file that owns the form goes on owning it.
    ///
    /// # Errors
    /// When the store does not answer, or the organisation changed meanwhile.
    pub(crate) async fn put_person(&self, person: &Person, actor: &Actor) -> Result<Applied, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        let body = serde_json::to_value(person).map_err(|why| OrgError::Stored(why.to_string()))?;
        let read = Read::from(&self.shared.db).await?;
        let kind = FormKind::Person;
        let before = read.forms.iter().find(|row| row.kind == kind.word() && row.id == person.id);
        let (position, managed) = before.map_or((u32::MAX, None), |row| (row.position, row.managed.clone()));
        let mut edit = Edit::new(self, actor, read);
        edit.put(Form { kind, id: person.id.clone(), body }, position as usize, managed.as_deref())?;
        edit.finish(None, Vec::new()).await
    }

    /// Somebody takes a schedule for a time, is on besides, or nobody is on.
    ///
    /// # Errors
    /// Where the schedule or the person does not exist, or the store does not answer.
    pub async fn put_override(&self, change: Override, who: &Principal) -> Result<Applied, OrgError> {
        let org = self.org();
        if org.schedule(&change.schedule).is_none() {
            return Err(OrgError::Missing { kind: "schedule", id: change.schedule });
        }
        match change.whom() {
            Some(person) => may_take(&org, who, &change.schedule, person)?,
            None => may_schedule(&org, who, &change.schedule)?,
        }
        if let Some(why) = change.fault() {
            return Err(OrgError::Wrong(why));
        }
        if change.whom().is_some_and(|person| org.person(person).is_none()) {
            return Err(OrgError::Missing { kind: "person", id: change.person });
        }
        if org.overrides(&change.schedule).iter().any(|stored| stored.id == change.id) {
            // The same form sent again; it may have been ended meanwhile, and stays so.
            return Ok(Applied { version: org.version, changes: Vec::new(), made: Vec::new() });
        }
        if change.ends_at <= self.now() {
            return Err(OrgError::Wrong("it would be over already: who was on call is not changed afterwards"));
        }
        let body = serde_json::to_value(&change).map_err(|why| OrgError::Stored(why.to_string()))?;
        self.put_form(Form { kind: FormKind::Override, id: change.id, body }, &who.actor).await
    }

    /// Ends an override: one that runs is over now and stays in the history, one to come is gone. One
    /// that is over stays as it is.
    ///
    /// # Errors
    /// Where there is none, or the store does not answer.
    pub async fn end_override(&self, schedule: &str, id: &str, who: &Principal) -> Result<EndedOverride, OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        for _ in 1..NODES_TRIES {
            match self.end_override_once(schedule, id, who).await {
                Err(OrgError::Conflict) => {}
                other => return other,
            }
        }
        self.end_override_once(schedule, id, who).await
    }

    async fn end_override_once(&self, schedule: &str, id: &str, who: &Principal) -> Result<EndedOverride, OrgError> {
        let read = Read::from(&self.shared.db).await?;
        let missing = || OrgError::Missing { kind: "override", id: id.to_owned() };
        let row = read.forms.iter().find(|row| row.kind == FormKind::Override.word() && row.id == id).ok_or_else(missing)?;
        let mut body: Value = serde_json::from_str(&row.body).map_err(|why| OrgError::Stored(why.to_string()))?;
        let stored: Override = serde_json::from_value(body.clone()).map_err(|why| OrgError::Stored(why.to_string()))?;
        if stored.schedule != schedule {
            return Err(missing());
        }
        // Who made it is known beside the form, and not in it.
        let known = self.org().overrides(schedule).iter().find(|known| known.id == id).cloned();
        may_end(&self.org(), who, known.as_ref().unwrap_or(&stored))?;
        let now = self.now();
        if stored.ends_at <= now {
            return Ok(EndedOverride { removed: false, ends_at: stored.ends_at });
        }
        let removed = now <= stored.starts_at;
        let (position, managed) = (row.position, row.managed.clone());
        let mut edit = Edit::new(self, &who.actor, read);
        if removed {
            edit.remove(FormKind::Override, id.to_owned());
        } else {
            body["ends_at"] = now.to_string().into();
            edit.put(Form { kind: FormKind::Override, id: id.to_owned(), body }, position as usize, managed.as_deref())?;
        }
        edit.finish(None, Vec::new()).await?;
        Ok(EndedOverride { removed, ends_at: now })
    }

    /// Earlier versions of a form: who changed it, and when.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn form_versions(&self, kind: FormKind, id: &str, who: &Principal) -> Result<Vec<form::Version>, OrgError> {
        self.administers(who)?;
        Ok(form::versions(&self.shared.db, kind.word(), id).await?)
    }
}
