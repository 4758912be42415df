//! Notes: what concerns somebody themself and no incident. Written with what they are of, in one commit, and sent as all messages
//! are, by the first contact of their order for low urgency.

use allclear_domain::access::Actor;
use allclear_domain::ids::MessageId;
use allclear_domain::org::cover::span;
use allclear_domain::org::model::Override;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::whole_micros;
use allclear_store::Write;
use allclear_store::rows::message::{self, Born};
use jiff::Timestamp;

use crate::engine::Engine;
use crate::note::note;

/// So many stretches of time are named in a note about turns; more are counted.
const SPANS_NAMED_MAX: usize = 3;

impl Engine {
    /// A note to somebody, to be committed with what it is about. `but`: a contact that it must not go to.
    pub(crate) fn note_to(&self, org: &Org, to: &str, but: Option<&str>, text: String) -> Option<Write> {
        let ids = [self.fresh_id(), self.fresh_id(), self.fresh_id()];
        let key = format!("note:{}", MessageId::from_bits(ids[0]));
        note(org, to, but, key, text, ids).map(|draft| message::write(&draft, Born::Waiting, self.now()))
    }

    /// Whom a change of overrides concerns, but for whoever makes it and whoever was told otherwise.
    pub(super) fn notes_of_moved_turns(&self, actor: &Actor, changed: &[Changed], told: &[String]) -> Vec<Write> {
        let (org, now) = (self.org(), self.now());
        let mut schedules: Vec<&str> = changed.iter().flat_map(Changed::schedules).collect();
        schedules.sort_unstable();
        schedules.dedup();
        let by = named(&org, actor);
        let mut out = Vec::new();
        for id in schedules {
            let Some(schedule) = org.schedule(id) else { continue };
            let old = org.overrides(id);
            let is_gone = |stood: &&Override| changed.iter().all(|change| change.id() != stood.id);
            let comes = changed.iter().filter_map(|change| change.is.as_ref()).filter(|comes| comes.schedule == id);
            let new: Vec<Override> = old.iter().filter(is_gone).chain(comes).cloned().collect();
            let parts = changed.iter().flat_map(|change| change.was.iter().chain(&change.is)).filter(|part| part.schedule == id);
            let (from, to) =
                parts.fold((Timestamp::MAX, Timestamp::MIN), |(from, to), part| (from.min(part.starts_at), to.max(part.ends_at)));
            let from = whole_micros(from.max(now));
            if from >= to {
                continue;
            }
            let name = org.schedule_form(id).and_then(|form| form.name.as_deref()).unwrap_or(id);
            for (person, moved) in schedule.moved(old, &new, from, to) {
                if *actor == Actor::Person(person.clone()) || told.contains(&person) {
                    continue;
                }
                let listed = |spans: &[(Timestamp, Timestamp)]| {
                    let mut named: Vec<String> = spans.iter().take(SPANS_NAMED_MAX).map(|part| span(&org, &person, id, *part)).collect();
                    if spans.len() > SPANS_NAMED_MAX {
                        named.push(format!("{} more", spans.len() - SPANS_NAMED_MAX));
                    }
                    named.join(", ")
                };
                let mut text = format!("{by} changed who is on call in {name}.");
                if !moved.gained.is_empty() {
                    text.push_str(&format!(" You are on call {}.", listed(&moved.gained)));
                }
                if let Some((starts_at, _)) = moved.lost.first() {
                    let instead = schedule.on_call_at(&new, *starts_at).person;
                    let instead = instead.as_deref().map_or("nobody", |id| org.person(id).map_or(id, |person| person.name.as_str()));
                    text.push_str(&format!(" You are not on call any more {}: {instead} is.", listed(&moved.lost)));
                }
                out.extend(self.note_to(&org, &person, None, text));
            }
        }
        out
    }
}

/// An override as it was and as it will be.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub was: Option<Override>,
    pub is: Option<Override>,
}

impl Changed {
    fn id(&self) -> &str {
        self.is.as_ref().or(self.was.as_ref()).map_or("", |form| form.id.as_str())
    }

    fn schedules(&self) -> impl Iterator<Item = &str> {
        self.was.iter().chain(&self.is).map(|form| form.schedule.as_str())
    }
}

/// Who did it, for people.
#[must_use]
pub(super) fn named(org: &Org, actor: &Actor) -> String {
    match actor {
        Actor::Person(id) => org.person(id).map_or_else(|| id.clone(), |person| person.name.clone()),
        Actor::Token(_) | Actor::Integration(_) | Actor::Organisation(_) | Actor::Clock | Actor::System | Actor::Administrator => {
            "An administrator".to_owned()
        }
    }
}
