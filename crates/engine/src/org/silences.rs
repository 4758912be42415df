//! Silences that a sender's key makes: bounded, since whoever has the key may make them without end.
//!
//! What is over is kept for a while, for whoever asks what was silenced last night, and makes room first. What
//! the organisation's file or a form of the settings holds is not counted here.

use std::time::Duration;

use allclear_domain::access::{Actor, Principal, may_silence};
use allclear_domain::ids::SilenceId;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::model::Silence;
use allclear_domain::time::{Length, after};
use allclear_store::rows;
use jiff::Timestamp;

use super::edit::Edit;
use super::{NODES_TRIES, OrgError, Read};
use crate::engine::Engine;

/// Text of one silence: its matchers, comment and author. Alertmanager's limit of one silence is 4 KiB where
/// somebody sets it; names and values of labels may be long here.
pub const SILENCE_BYTES_MAX: usize = 64 * 1024;
/// Silences of one integration, planned, active and over. Each is compared with every alert that opens.
pub const SILENCES_PER_INTEGRATION_MAX: usize = 500;
/// Their text together: all forms are read at each change of the organisation.
pub const SILENCES_BYTES_PER_INTEGRATION_MAX: usize = 1024 * 1024;
/// How long one that is over is kept, as Alertmanager keeps it (`--data.retention`, 120 h).
const KEPT_AFTER_THE_END: Length = Length::from_mins(120 * 60);
/// Earlier versions of one that are kept.
const VERSIONS_KEPT: u32 = 10;
/// Whoever makes a silence is answered when the open alerts are judged by it, and after this time at the
/// latest; the rest of a very long list is judged meanwhile.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// How often it is asked whether that is done.
const ASKED_EVERY: Duration = Duration::from_millis(4);

/// What counts of a silence.
fn bytes_of(silence: &Silence) -> usize {
    silence.matches.len() + silence.comment.len() + silence.created_by.len()
}

/// A stored silence as it is when it ends now; nothing where there is none, or it is over.
fn ended(edit: &Edit<'_>, id: &str, now: Timestamp) -> Option<Silence> {
    let row = edit.stored(FormKind::Silence).find(|row| row.id == id)?;
    let mut silence: Silence = serde_json::from_str(&row.body).ok().filter(|silence: &Silence| now < silence.ends_at)?;
    silence.ends_at = now;
    // One that has not begun would end before it starts.
    silence.starts_at = silence.starts_at.min(now);
    Some(silence)
}

fn put(edit: &mut Edit<'_>, silence: &Silence) -> Result<(), OrgError> {
    let body = serde_json::to_value(silence).map_err(|why| OrgError::Stored(why.to_string()))?;
    edit.put(Form { kind: FormKind::Silence, id: silence.id.clone(), body }, 0, None)?;
    if silence.integration.is_some() {
        edit.forget_history(FormKind::Silence, &silence.id, VERSIONS_KEPT);
    }
    Ok(())
}

impl Engine {
    /// Suppresses alerts for a time; the silence's id is `fresh` where it has none. When this answers, what fires
    /// already has been judged by it, but for the rest of a very long list.
    ///
    /// # Errors
    /// When the silence, or all of its integration, would be larger than the limits; when the store does not
    /// answer.
    pub async fn put_silence(&self, silence: Silence, who: &Principal) -> Result<String, OrgError> {
        self.silence(silence, None, who).await
    }

    /// The same, and another one ends with the same commit: where this one is refused, the other holds on, and at
    /// no time does neither.
    ///
    /// # Errors
    /// As those of [`Self::put_silence`]; the one that ends counts as over.
    pub async fn replace_silence(&self, old: &str, silence: Silence, who: &Principal) -> Result<String, OrgError> {
        self.silence(silence, Some(old), who).await
    }

    async fn silence(&self, mut silence: Silence, ends: Option<&str>, who: &Principal) -> Result<String, OrgError> {
        let org = self.org();
        may_silence(&org, who, &silence)?;
        if let Some(same) = org.bundle().silences.iter().find(|known| known.id == silence.id) {
            may_silence(&org, who, same)?;
        }
        if let Some(old) = ends.and_then(|old| org.bundle().silences.iter().find(|known| known.id == old)) {
            may_silence(&org, who, old)?;
        }
        if bytes_of(&silence) > SILENCE_BYTES_MAX {
            return Err(OrgError::Limit(format!(
                "this silence has {} bytes of matchers and text, and may have {SILENCE_BYTES_MAX}",
                bytes_of(&silence)
            )));
        }
        if silence.id.is_empty() {
            silence.id = SilenceId::from_bits(self.fresh_id()).as_uuid().to_string();
        }
        {
            let _one_at_a_time = self.shared.org_change.lock().await;
            let mut tried = 1;
            loop {
                match self.silence_once(&silence, ends, &who.actor).await {
                    Err(OrgError::Conflict) if tried < NODES_TRIES => tried += 1,
                    other => break other?,
                }
            }
        }
        self.silences_are_judged().await;
        Ok(silence.id)
    }

    async fn silence_once(&self, silence: &Silence, ends: Option<&str>, actor: &Actor) -> Result<(), OrgError> {
        let mut edit = Edit::new(self, actor, Read::from(&self.shared.db).await?);
        let ended = ends.and_then(|id| ended(&edit, id, self.now()));
        let gone = self.make_room(&mut edit, silence, ended.as_ref())?;
        put(&mut edit, silence)?;
        if let Some(ended) = ended.filter(|ended| !gone.contains(&ended.id)) {
            put(&mut edit, &ended)?;
        }
        edit.finish(None, Vec::new()).await.map(drop)
    }

    /// What of an integration's own silences is over makes room for a new one: the ids of what had to
    /// go. The one that ends with this change is over.
    fn make_room(&self, edit: &mut Edit<'_>, silence: &Silence, ended: Option<&Silence>) -> Result<Vec<String>, OrgError> {
        let mut gone = Vec::new();
        let Some(integration) = &silence.integration else { return Ok(gone) };
        let now = self.now();
        let mut others: Vec<Silence> = Vec::new();
        for row in edit.stored(FormKind::Silence).filter(|row| row.managed.is_none() && row.id != silence.id) {
            // One that does not read counts nowhere: it is named where the organisation is checked.
            let Ok(other) = serde_json::from_str::<Silence>(&row.body) else { continue };
            let other = ended.filter(|ended| ended.id == other.id).cloned().unwrap_or(other);
            if other.integration.as_ref() == Some(integration) {
                others.push(other);
            }
        }
        // The one that is over for longest first.
        others.sort_by_key(|other| other.ends_at);
        let mut count = others.len() + 1;
        let mut bytes = others.iter().map(bytes_of).sum::<usize>() + bytes_of(silence);
        for other in others {
            let full = count > SILENCES_PER_INTEGRATION_MAX || bytes > SILENCES_BYTES_PER_INTEGRATION_MAX;
            let is_over = other.ends_at <= now;
            let is_old = after(other.ends_at, KEPT_AFTER_THE_END) <= now;
            if !is_over || !(full || is_old) {
                break;
            }
            (count, bytes) = (count - 1, bytes - bytes_of(&other));
            edit.remove(FormKind::Silence, other.id.clone());
            edit.forget_history(FormKind::Silence, &other.id, 1);
            gone.push(other.id);
        }
        if count > SILENCES_PER_INTEGRATION_MAX {
            return Err(OrgError::Limit(format!(
                "integration {integration} has {SILENCES_PER_INTEGRATION_MAX} silences that are not over, which is the limit: expire some"
            )));
        }
        if bytes > SILENCES_BYTES_PER_INTEGRATION_MAX {
            return Err(OrgError::Limit(format!(
                "the silences of integration {integration} that are not over would have {bytes} bytes of text, and may have \
                 {SILENCES_BYTES_PER_INTEGRATION_MAX}: expire some"
            )));
        }
        Ok(gone)
    }

    /// Waits until the open alerts are judged by the silences in force, as long as whoever asked may wait.
    pub async fn silences_are_judged(&self) {
        if self.is_quarantined() {
            // Nothing is looked at until the copy is released.
            return;
        }
        let judged = async {
            while rows::expectation::org_is_due(&self.shared.db, self.now()).await.unwrap_or(false) {
                tokio::time::sleep(ASKED_EVERY).await;
            }
        };
        // What is left is judged meanwhile; whoever asked need not wait for it.
        let _ = tokio::time::timeout(ANSWERED_WITHIN, judged).await;
    }
}
