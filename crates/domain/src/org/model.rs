//! The organisation as it is written in a file: the forms, with the keys of the contract.
//!
//! One serde model for YAML, JSON and TOML. Unknown keys are refused, since a misspelt key is a
//! page that does not go out. What a file says is checked as a whole in [`super::check`].

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};

use crate::access::Actor;
use crate::channel::Address;
use crate::time::{Every, Length};

/// A short id as people choose them: lower-case letters, digits, `-`, `_` and `.`; at most 64.
pub type Slug = String;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bundle {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Team>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// Replacements on a schedule. Never owned by a file: refused there, made over the API.
    #[serde(skip)]
    pub overrides: Vec<Override>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<Integration>,
    /// Read in order; the first match decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<SeverityForm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<Silence>,
    /// Who is paged when nothing else is left, as targets of a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub catch_all: Vec<String>,
    /// Who is told by updates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<Audience>,
    /// Kept and exported; used by later capabilities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<LooseForm>,
    /// Kept and exported; used by later capabilities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<LooseForm>,
    /// Kept and exported; used by later capabilities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<LooseForm>,
}

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// IANA name; `Etc/UTC` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What they may see and do. Where a file does not say, what was set stays; `responder` at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    #[serde(default)]
    pub notify: Notify,
}

/// What a person may see and do; whoever manages a team has more in that team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everything, private incidents and the organisation included.
    Administrator,
    /// Sees what is not private, declares, acknowledges, acts.
    #[default]
    Responder,
    /// Sees what is not private.
    Observer,
    /// Sees only incidents to which they were admitted.
    Guest,
}

impl Access {
    /// As written in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Responder => "responder",
            Self::Observer => "observer",
            Self::Guest => "guest",
        }
    }
}

/// A contact method: an id and exactly one address, whose keys stand beside the id. Which keys those may be is said by the
/// channels, and judged in [`super::check`].
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: Slug,
    pub address: Address,
    /// Written by an administrator counts as verified unless it says otherwise.
    pub verified: bool,
}

/// The keys of a contact that are not of its address.
const ID: &str = "id";
const VERIFIED: &str = "verified";

/// The keys of a contact that are not of its address, for whoever says which there are.
pub const CONTACT_KEYS: [&str; 2] = [ID, VERIFIED];

impl Serialize for Contact {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry(ID, &self.id)?;
        for (key, value) in self.address.fields() {
            map.serialize_entry(key, value)?;
        }
        if !self.verified {
            map.serialize_entry(VERIFIED, &false)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> serde::de::Visitor<'de> for Keys {
            type Value = Contact;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("struct Contact")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Contact, A::Error> {
                use serde::de::Error as _;
                let (mut id, mut verified) = (None, None);
                let mut address = Address::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == ID {
                        if id.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field(ID));
                        }
                    } else if key == VERIFIED {
                        if verified.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field(VERIFIED));
                        }
                    } else if address.get(&key).is_some() {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    } else if let Some(value) = map.next_value::<Option<String>>()? {
                        address.set(&key, value);
                    }
                }
                let id = id.ok_or_else(|| A::Error::missing_field(ID))?;
                Ok(Contact { id, address, verified: verified.unwrap_or(true) })
            }
        }
        from.deserialize_map(Keys)
    }
}

/// Which contact methods are used, in order, per notification urgency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<NotifyEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<NotifyEntry>,
}

/// One entry of a notification rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyEntry {
    /// A contact's id.
    pub contact: Slug,
    /// How long after the page reaches the person.
    #[serde(default, skip_serializing_if = "Length::is_zero")]
    pub after: Length,
}

/// People who answer for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<Slug>,
}

/// Who is on call, by layers; of several layers the last with someone on wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Slug>,
    /// IANA name; hand-offs are civil times in it.
    pub time_zone: String,
    pub layers: Vec<Layer>,
}

/// One rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In turn.
    pub people: Vec<Slug>,
    /// Length of a turn: whole weeks, whole days, or hours (`1w`, `2d`, `12h`).
    pub every: Every,
    /// `Mon 09:00` for weeks, `09:00` for days and hours; civil, in the schedule's zone.
    pub handoff: String,
    /// The civil date on or after which the first person's first turn begins, at the first
    /// hand-off.
    pub starts: jiff::civil::Date,
    /// The civil date at whose hand-off the layer ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<jiff::civil::Date>,
    /// On only within these civil times; always, where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Restriction>,
}

/// A civil window in which a layer is on: `{days: [Mon, Tue], from: "09:00", to: "17:00"}`.
/// `to` at or before `from` runs into the next day. Without `days`, every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    pub from: String,
    pub to: String,
}

/// Somebody takes a schedule for a time, whoever its layers say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub id: Slug,
    pub schedule: Slug,
    pub person: Slug,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The organisation's version that made it. Of two that overlap, the one made later wins. The
    /// store says it beside the form, so that no body can claim another.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub made: u64,
    /// Who made it, where that is known; kept as `made` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Actor>,
}

/// Longest time that an override lasts: a year. Longer ones are mistakes, or a change of the layers.
pub const OVERRIDE_MAX: Length = Length::from_secs(366 * 86_400);

impl Override {
    /// Why it cannot be made as it is, in a sentence without a full stop.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.ends_at <= self.starts_at {
            Some("the end is not after the start")
        } else if self.ends_at.duration_since(self.starts_at) > OVERRIDE_MAX.as_duration() {
            Some("it would last longer than a year; change the schedule's layers instead")
        } else {
            None
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// People and addresses that updates go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Slug>,
    /// Every member of these is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Slug>,
    /// Addresses that belong to no person: a mailing list, a webhook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

/// An escalation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub id: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub steps: Vec<Step>,
    /// Further rounds after the first.
    #[serde(default)]
    pub repeat: u32,
    /// How often a page that everybody left unanswered comes back; `never` (zero) turns it off. Half an hour at high
    /// notification urgency, a day at low where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::or_never")]
    pub again_every: Option<Length>,
}

/// One step: who, and how long they have to acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `schedule:ID`, `person:ID`, `team:ID`.
    pub page: Vec<String>,
    pub within: Length,
}

/// Something people use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub id: Slug,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Slug>,
    /// 1 (most) to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Slug>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Slug>,
}

/// A rule of triage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A name for explanations; `route N` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Slug>,
    /// Matchers in Alertmanager's dialect, comma separated; empty matches all.
    #[serde(default, rename = "match", skip_serializing_if = "String::is_empty")]
    pub matches: String,
    #[serde(default, skip_serializing_if = "RouteSet::is_empty")]
    pub set: RouteSet,
    /// `true`, `candidate`, `record`; unsaid leaves it to what comes after, at last to declare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declare: Option<Declare>,
    /// Go on to later routes, which may override.
    #[serde(default, rename = "continue", skip_serializing_if = "std::ops::Not::not")]
    pub go_on: bool,
}

/// What a route sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteSet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<crate::incident::Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    /// Names of labels whose values together are the group's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// How long a new incident waits for others before it pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Length>,
    /// An alert that comes back within this time of its end joins the incident it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Slug>,
    /// Title of the incident; `{title}`, `{service}`, `{source}`, `{labels.NAME}` are filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether only those who are admitted see the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

impl RouteSet {
    /// Whether it sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A step of the impact or urgency scale of the severity matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    High,
    Medium,
    Low,
}

/// What is done with an alert that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declare {
    /// An incident is declared and pages.
    Declare,
    /// A candidate is proposed; a person decides.
    Candidate,
    /// Only recorded.
    Record,
}

impl Serialize for Declare {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Declare => s.serialize_bool(true),
            Self::Candidate => s.serialize_str("candidate"),
            Self::Record => s.serialize_str("record"),
        }
    }
}

impl<'de> Deserialize<'de> for Declare {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Words;
        impl serde::de::Visitor<'_> for Words {
            type Value = Declare;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`true`, `candidate` or `record`")
            }
            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Declare, E> {
                Ok(if value { Declare::Declare } else { Declare::Record })
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Declare, E> {
                match value {
                    "true" | "declare" => Ok(Declare::Declare),
                    "candidate" => Ok(Declare::Candidate),
                    "record" | "false" => Ok(Declare::Record),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
                }
            }
        }
        d.deserialize_any(Words)
    }
}

/// What a severity means here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityForm {
    pub id: crate::incident::Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Notification urgency; high for sev1–sev3, low for sev4–sev5 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<NotifyUrgency>,
    /// How often stakeholders are told; sev1 and sev2 30 min, sev3 1 h, else never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_every: Option<Length>,
    /// How long a review may take after the end; sev1 and sev2 five business days, else none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_within: Option<Length>,
    /// How long an acknowledgement lasts while nobody does anything about the incident; `never` (zero): it does not age.
    /// sev1 30 min, sev2 1 h, else never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::or_never")]
    pub acknowledgement_lasts: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge_within: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_within: Option<Length>,
}

/// Notification urgency: which list of a person's rules is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyUrgency {
    High,
    Low,
}

/// Alerts that match are suppressed for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    pub id: Slug,
    /// Matchers in Alertmanager's dialect.
    #[serde(rename = "match")]
    pub matches: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub created_by: String,
    /// The integration it was set for; all, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Slug>,
}

/// An object whose keys belong to a later capability: kept as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LooseForm {
    pub id: Slug,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}
