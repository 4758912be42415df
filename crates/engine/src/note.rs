//! A note: what concerns somebody themself and no incident, as cover of a shift or how they are reached. It goes to the first contact
//! of their order for low urgency. Core and `org` stand on it.

use allclear_domain::ids::MessageId;
use allclear_domain::org::model::NotifyUrgency;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::MessageDraft;
use allclear_domain::wire::{Notice, NoticeKind};

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
