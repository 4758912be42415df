//! A note: what concerns somebody themself and no incident, as cover of a shift or how they are reached. It goes to the first contact
//! of their order for low urgency. Core and `org` stand on it.

use allclear_domain::ids::MessageId;
use allclear_domain::oncall::Stranger;
use allclear_domain::org::model::{Access, NotifyUrgency, Schedule};
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::MessageDraft;
use allclear_domain::wire::{Notice, NoticeKind};
use jiff::tz::TimeZone;

/// Events of one schedule that one message names.
const STRANGERS_NAMED_MAX: usize = 3;

/// What begins the key of what is awaited of a request for cover, before its id.
pub(crate) const COVER_KEY: &str = "cover:";

/// A note as it is written, by the first contact of somebody but one; nothing where nothing else reaches them.
#[must_use]
pub(crate) fn note(org: &Org, to: &str, but: Option<&str>, key: String, text: String, ids: [u128; 3]) -> Option<MessageDraft> {
    let way = org.reach(to, NotifyUrgency::Low).into_iter().find(|way| Some(way.contact.id.as_str()) != but)?;
    let [id, nobodys @ ..] = ids;
    Some(MessageDraft {
        id: MessageId::from_bits(id),
        person: to.to_owned(),
        contact: way.contact.id.clone(),
        channel: way.channel.to_owned(),
        org_version: org.version,
        notice: Notice::of_no_incident(NoticeKind::Note, key, to, text, nobodys),
    })
}

/// Who looks after a schedule: the managers of its team, else its members; of a schedule of no team the administrators.
pub(crate) fn team_of(org: &Org, schedule: &Schedule) -> Vec<String> {
    let team = schedule.team.as_deref().and_then(|id| org.team(id));
    let people = team.map(|team| if team.managers.is_empty() { team.members.clone() } else { team.managers.clone() });
    people.filter(|people| !people.is_empty()).unwrap_or_else(|| administrators(org))
}

/// Everybody who is an administrator.
pub(crate) fn administrators(org: &Org) -> Vec<String> {
    org.everybody().filter(|person| person.access == Some(Access::Administrator)).map(|person| person.id.clone()).collect()
}

/// Events that mean nobody who is known, for people.
pub(crate) fn strangers_text(org: &Org, schedule: &Schedule, strangers: &[Stranger]) -> String {
    let zone = org.schedule(&schedule.id).map_or(TimeZone::UTC, |one| one.zone().clone());
    let name = schedule.name.as_deref().unwrap_or(&schedule.id);
    let one = |stranger: &Stranger| {
        let at = stranger.starts_at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string();
        format!("\"{}\" on {at} in {} names {}", stranger.summary, stranger.calendar, stranger.said.join(", "))
    };
    let mut named: Vec<String> = strangers.iter().take(STRANGERS_NAMED_MAX).map(one).collect();
    if strangers.len() > STRANGERS_NAMED_MAX {
        named.push(format!("{} more", strangers.len() - STRANGERS_NAMED_MAX));
    }
    format!("On call in {name}, an external calendar means somebody who is not known here: {}. They are not on by that.", named.join("; "))
}
