//! A sender of alarms: its key, its format, and the service it speaks for.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::about::{About, IdOf, Input, NAME, needed, row};
use super::checker::{Checker, Spoken};
use super::secrets::{MASK, NO_SECRET};
use super::{Entry, FormKind, Slug, crontab};
use crate::org::problem::Place;
use crate::org::words::meant;
use crate::time::{Length, after};

/// Shortest key of an integration, in characters.
pub const KEY_LEN_MIN: usize = 8;
/// Longest key of an integration, in characters.
pub const KEY_LEN_MAX: usize = 256;

/// Shortest secret that requests are signed with, in characters: as the key's.
pub const SECRET_LEN_MIN: usize = KEY_LEN_MIN;
/// Longest secret, in characters: as the key's.
pub const SECRET_LEN_MAX: usize = KEY_LEN_MAX;
/// What the settings and the file say of it.
pub const ABOUT: About = About {
    word: "integration",
    plural: "Integrations",
    one: "integration",
    purpose: "Senders of alarms: the format each speaks, and the key by which it is known.",
    id: IdOf::Typed,
    then: &[],
    fields: &[
        NAME,
        needed("kind", "Format", "What the sender speaks.", Input::Format),
        row(
            "key",
            "Key",
            "What the sender presents. Leave it empty: the stored one stays, and of a new integration one is made and shown once.",
            Input::Secret,
        ),
        row(
            "secret",
            "Signing secret",
            "With which the sender signs, where it can: then nothing else is taken. Leave it empty: the stored one stays; `none` takes it away.",
            Input::Secret,
        ),
        row("service", "Service", "For which it speaks, unless a route says otherwise.", Input::One(FormKind::Service)),
        row(
            "every",
            "Heartbeat every",
            "Of heartbeats alone: how often one comes, as in 10m; or when, as crontab writes it, with a time zone behind, as in \
             30 2 * * 1-5 Europe/Madrid.",
            Input::Line,
        ),
        row("grace", "Grace", "Of heartbeats alone: how long one may be late; a minute, where left open.", Input::Length),
    ],
};

/// The kind whose senders say that they are alive, and are missed where they do not.
pub const HEARTBEAT: &str = "heartbeat";
/// Shortest time between two heartbeats: what is watched more closely belongs into a monitor.
pub const HEARTBEAT_EVERY_MIN: Length = Length::from_secs(10);
/// Longest: what comes once a quarter is watched, and what comes more rarely belongs into a calendar.
pub const HEARTBEAT_EVERY_MAX: Length = Length::from_secs(100 * 86_400);
/// How long a heartbeat may be late where nothing is said: a job's start and a slow network.
pub const HEARTBEAT_GRACE: Length = Length::from_secs(60);
/// Longest grace: a week.
pub const HEARTBEAT_GRACE_MAX: Length = Length::from_secs(7 * 86_400);

/// How often a heartbeat comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rhythm {
    /// So long after the one before: `10m`.
    Every(Length),
    /// At these times, as crontab writes them, with a time zone behind: `30 2 * * 1-5 Europe/Madrid`.
    At(String),
}

impl TryFrom<String> for Rhythm {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // A crontab has five fields; whatever is one word was meant to be a length.
        if text.trim().contains(char::is_whitespace) {
            return Ok(Self::At(text.trim().to_owned()));
        }
        text.parse().map(Self::Every).map_err(|why| format!("{why}"))
    }
}

impl From<Rhythm> for String {
    fn from(rhythm: Rhythm) -> Self {
        rhythm.to_string()
    }
}

impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(length) => length.fmt(f),
            Self::At(times) => f.write_str(times),
        }
    }
}

/// A sender: its key, its format, and the service it speaks for unless a route says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of a format: `json`.
    pub kind: String,
    /// What senders present; stored sealed, exported masked. Made and shown once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What senders sign with; stored sealed, exported masked. With one, nothing is taken that is not signed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Slug>,
    /// Of heartbeats alone: the time from one to the next, or the times at which one comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Rhythm>,
    /// Of heartbeats alone: how long one may be late; [`HEARTBEAT_GRACE`] where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Length>,
}

impl Integration {
    /// When the next heartbeat is missed that counts from an instant: the next of its times, or its interval later, and the grace. Nothing
    /// where it sends none.
    #[must_use]
    pub fn missed_at(&self, counts_from: Timestamp) -> Option<Timestamp> {
        if self.kind != HEARTBEAT {
            return None;
        }
        let expected = match self.every.as_ref()? {
            Rhythm::Every(length) => after(counts_from, *length),
            Rhythm::At(times) => crontab::next_after(times, counts_from)?,
        };
        Some(after(expected, self.grace.unwrap_or(HEARTBEAT_GRACE)))
    }
}

impl Entry for Integration {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn secrets(&mut self) -> Vec<(&str, &mut Option<String>)> {
        vec![("key", &mut self.key), ("secret", &mut self.secret)]
    }
    fn let_go(&mut self, stored: Option<&mut Self>) {
        let is_taken_away = self.secret.take_if(|secret| secret == NO_SECRET).is_some();
        // A secret is of the format that signs with it.
        if let Some(stored) = stored.filter(|stored| is_taken_away || stored.kind != self.kind) {
            stored.secret = None;
        }
    }

    fn check<'a>(kind: FormKind, list: &'a [Self], checker: &mut Checker<'a>) {
        let mut keys: HashMap<&str, &str> = HashMap::new();
        checker.each(kind, list, |checker, place, integration| {
            let spoken = checker.kinds.iter().find(|spoken| spoken.kind == integration.kind);
            if spoken.is_none() {
                let shown: String = integration.kind.chars().take(64).collect();
                let hint = meant(&integration.kind, checker.kinds.iter().map(|spoken| spoken.kind));
                checker.error(place.key("kind"), format!("`{shown}` is not a kind of integration"), hint);
            }
            if let Some(secret) = integration.secret.as_deref().filter(|secret| *secret != NO_SECRET) {
                check_secret(checker, place.key("secret"), secret, spoken);
            }
            if let Some(service) = &integration.service {
                checker.refers(place.key("service"), FormKind::Service, service);
            }
            check_heartbeat(checker, place, integration);
            // Keys are secrets: never repeated in a message.
            let Some(key) = integration.key.as_deref() else { return };
            let place = place.key("key");
            if key == MASK {
                checker.error(
                    place,
                    format!("`{MASK}` stands for a stored key, and none is stored for this integration"),
                    "write the key itself, or leave it away to have one made",
                );
                return;
            }
            if !(KEY_LEN_MIN..=KEY_LEN_MAX).contains(&key.chars().count()) {
                checker.error(
                    place.clone(),
                    format!("the key has fewer than {KEY_LEN_MIN} or more than {KEY_LEN_MAX} characters"),
                    "leave it away to have a strong one made and shown once",
                );
            }
            if key.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '/' | '?' | '#' | '%')) {
                checker.error(
                    place.clone(),
                    "the key has characters that cannot stand in a path",
                    "use letters, digits and `-`, `_`, `.`, `~`",
                );
            }
            if let Some(other) = keys.insert(key, &integration.id) {
                checker.error(place, format!("integration `{other}` has the same key"), "give each sender its own key");
            }
        });
    }
}

/// How often a heartbeat comes, which only heartbeats say, and have to.
fn check_heartbeat(checker: &mut Checker<'_>, place: &Place, integration: &Integration) {
    let within = |length: Length, least: Length, most: Length| (least..=most).contains(&length);
    match (integration.kind == HEARTBEAT, &integration.every) {
        (true, None) => {
            let hint = "give `every`, as in `10m` or `30 2 * * 1-5 Europe/Madrid`";
            checker.error(place.key("every"), "nobody says how often its heartbeat comes", hint);
        }
        (true, Some(Rhythm::Every(every))) if !within(*every, HEARTBEAT_EVERY_MIN, HEARTBEAT_EVERY_MAX) => {
            let hint = format!("give a time from {HEARTBEAT_EVERY_MIN} to {HEARTBEAT_EVERY_MAX}");
            checker.error(place.key("every"), format!("`{every}` is too short or too long between two heartbeats"), hint);
        }
        (true, Some(Rhythm::At(times))) => {
            if let Some(why) = crontab::fault(times, HEARTBEAT_EVERY_MAX) {
                let shown: String = times.chars().take(64).collect();
                let hint = "give minute, hour, day of the month, month and day of the week, as in `30 2 * * 1-5 Europe/Madrid`, or a length, as in `10m`";
                checker.error(place.key("every"), format!("`{shown}` is nothing to wait for: {why}"), hint);
            }
        }
        (true, Some(Rhythm::Every(_))) | (false, None) => {}
        (false, Some(_)) => {
            checker.error(place.key("every"), "only an integration of the kind `heartbeat` has it", "leave `every` away");
        }
    }
    match (integration.kind == HEARTBEAT, integration.grace) {
        (true, Some(grace)) if !within(grace, Length::ZERO, HEARTBEAT_GRACE_MAX) => {
            let hint = format!("give a time up to {HEARTBEAT_GRACE_MAX}");
            checker.error(place.key("grace"), format!("`{grace}` is too long for a grace"), hint);
        }
        (false, Some(_)) => {
            checker.error(place.key("grace"), "only an integration of the kind `heartbeat` has it", "leave `grace` away");
        }
        (true, _) | (false, None) => {}
    }
}

/// What requests are signed with. Never repeated in a message.
fn check_secret(checker: &mut Checker<'_>, place: Place, secret: &str, spoken: Option<&Spoken>) {
    if let Some(Spoken { kind, signs: false }) = spoken {
        let signing: Vec<&str> = checker.kinds.iter().filter(|spoken| spoken.signs).map(|spoken| spoken.kind).collect();
        let hint = format!("leave `secret` away; formats that sign: {}", signing.join(", "));
        checker.error(place, format!("senders of `{kind}` do not sign what they post, so that nothing would be taken"), hint);
        return;
    }
    if secret == MASK {
        let hint = "write the secret itself, or leave it away to take what is not signed";
        checker.error(place, format!("`{MASK}` stands for a stored secret, and none is stored for this integration"), hint);
        return;
    }
    if !(SECRET_LEN_MIN..=SECRET_LEN_MAX).contains(&secret.chars().count()) {
        checker.error(
            place,
            format!("the secret has fewer than {SECRET_LEN_MIN} or more than {SECRET_LEN_MAX} characters"),
            "make one that nobody guesses, as with `openssl rand -hex 32`, and give it to the sender, too",
        );
    }
}
