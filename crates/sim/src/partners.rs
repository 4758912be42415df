//! Other organisations: they are asked, answer or keep silent, and look on by links that end; and what must be true of
//! it: a request with a time is awaited once until it is answered, and is missed once and never early.

use std::collections::BTreeMap;

use allclear_domain::access::{Guest, Principal};
use allclear_domain::expect::{Expectation, Rule, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::partners::RequestState;
use allclear_domain::incident::{self, parties, sharing};
use allclear_domain::time::{Length, after};
use allclear_engine::core::{Command, Input};
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;

use crate::monitor::Act;
use crate::oracle::work::RequestModel;
use crate::ports::Dice;
use crate::world::{Task, World};

/// Of a thousand deeds, how many are about other organisations.
const DEEDS: u64 = 200;
/// Requests of an incident that somebody names.
const REQUESTS: u64 = 2;
/// What stands before their ids.
const ORGANISATION: &str = "organisation:";

/// What somebody does about them, where they do: with dice of its own.
pub(crate) fn deed(id: IncidentId, own: &mut Dice) -> Option<Command> {
    if !own.chance(DEEDS) {
        return None;
    }
    let organisation = format!("org{}", own.below(2));
    let request = u32::try_from(own.between(1, REQUESTS)).unwrap_or(1);
    let hear = |state| parties::Command::Hear { request, state, text: None, reference: None, happened_at: None };
    Some(match own.below(10) {
        0..=3 => {
            let within = own.chance(800).then(|| Length::from_secs(*own.pick(&[60, 600, 3_600, 90_000])));
            Command::incident(
                id,
                parties::Command::Ask { organisation, text: "look at your side".into(), within, due_at: None, marking: None },
            )
        }
        4 => Command::incident(id, hear(RequestState::Acknowledged)),
        5 | 6 => Command::incident(id, hear(RequestState::Answered)),
        7 if own.chance(500) => Command::incident(id, hear(RequestState::Withdrawn)),
        7 => Command::incident(id, parties::Command::Leave { organisation, why: None }),
        8 => Command::incident(id, sharing::Command::MakeLink { organisation, within: own.chance(500).then(|| Length::from_mins(30)) }),
        _ => Command::incident(id, sharing::Command::RevokeLinks { organisation }),
    })
}

impl World {
    /// Whoever asked an organisation hears something of it after a while, in time or late, and writes it down.
    pub(crate) fn hears_later(&mut self, id: IncidentId, who: &str, asked: &Command, own: &mut Dice) {
        let is_asked = matches!(asked, Command::Incident { command: incident::Command::Partners(parties::Command::Ask { .. }), .. });
        if !is_asked || !own.chance(700) {
            return;
        }
        let state = *own.pick(&[RequestState::Acknowledged, RequestState::Answered, RequestState::Declined]);
        let hear = parties::Command::Hear { request: 1, state, text: None, reference: None, happened_at: None };
        let wait = Length::from_secs(*own.pick(&[20, 300, 4_000]));
        let input = self.input_of(who, "api", Command::incident(id, hear));
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(input))));
    }

    /// An organisation hears what it is asked for: it answers behind its link, declines, writes, or keeps silent.
    pub(crate) fn party_is_told(&mut self, message: &StoredMessage) {
        let Some(organisation) = message.person.strip_prefix(ORGANISATION).map(ToOwned::to_owned) else { return };
        let mut own = Dice::new(self.now.as_microsecond().unsigned_abs() ^ 0x9e37);
        let request = u32::try_from(own.between(1, REQUESTS)).unwrap_or(1);
        let hear = |state| parties::Command::Hear { request, state, text: Some("we looked".into()), reference: None, happened_at: None };
        let incident = message.notice.incident.id;
        let command = match own.below(6) {
            0 => Command::incident(incident, hear(RequestState::Acknowledged)),
            1 => Command::incident(incident, hear(RequestState::Answered)),
            2 => Command::incident(incident, hear(RequestState::Declined)),
            3 => Command::incident(incident, sharing::Command::Say { organisation: organisation.clone(), text: "we see it too".into() }),
            _ => return,
        };
        let who = Principal::of_guest(Guest { incident, organisation });
        let wait = Length::from_secs(*own.pick(&[10, 120, 900, 7_200]));
        self.plan(after(self.now, wait), Task::Act(Box::new(Act::new(Input { who, cause: "guest".into(), once: None, command }))));
    }

    pub(crate) fn partner_event(
        &mut self,
        id: IncidentId,
        requests: &mut BTreeMap<u32, RequestModel>,
        event: &parties::Event,
        at: Timestamp,
    ) {
        use parties::Event as E;
        match event {
            E::Asked(body) => {
                let known = requests.insert(body.request, RequestModel { due: body.due_at, open: true, missed: false });
                if known.is_some() {
                    self.fail("I12 a request is asked once", format!("request {} of {id}", body.request));
                }
            }
            E::Answered(body) | E::Declined(body) | E::Withdrawn(body) => {
                match requests.get_mut(&body.request).filter(|known| known.open) {
                    Some(known) => {
                        known.open = false;
                        self.reached("a request to another organisation ended");
                    }
                    None => self.fail("I12 a request ends once", format!("request {} of {id}", body.request)),
                }
            }
            E::Missed(body) => {
                let found = requests.get_mut(&body.request);
                let fits = found.as_ref().is_some_and(|known| known.open && !known.missed && known.due.is_some_and(|due| due <= at));
                if let Some(known) = found {
                    known.missed = true;
                }
                if fits {
                    self.reached("a request to another organisation was not answered in time");
                } else {
                    self.fail("I12 a request is missed once, open and never early", format!("request {} of {id} at {at}", body.request));
                }
            }
            E::Joined(_) | E::Changed(_) | E::Left(_) | E::Acknowledged(_) => {}
        }
    }

    /// Each open request with a time is awaited once while its incident is open, and no other is.
    pub(crate) fn requests_are_awaited(&mut self, id: IncidentId, open: bool, requests: &BTreeMap<u32, RequestModel>, all: &[Expectation]) {
        for (number, request) in requests {
            let key = format!("request:{number}");
            let awaited = all.iter().filter(|e| e.standing == Standing::Live && e.rule == Rule::RequestDue && e.key == key).count();
            let wanted = usize::from(open && request.open && !request.missed && request.due.is_some());
            if awaited != wanted {
                self.fail("I12 a request is awaited once", format!("{key} of {id} by {awaited}, and not by {wanted}"));
            }
        }
    }
}
