//! What comes back over the channel that a message went out by: a provider's receipt, or the person's answer.
//!
//! A reply is about a message, which is found by its id, or by whom the reply comes from (`which.rs`), and is held against
//! the address that it went to before a word of it counts. An answer is given as whoever holds the message's link would give it: for its pages and their incidents, whatever
//! the person may otherwise, and for as long as the link works.
//!
//! Deliberately not here: remembering what was taken before. What is sent again is the same answer once more, which changes
//! nothing: who has a page keeps it, and only a step that still waits can be passed on.

use allclear_domain::access::{Actor, Principal, scope_of_person};
use allclear_domain::channel::Address;
use allclear_domain::ids::{MessageId, PageId};
use allclear_domain::incident::State;
use allclear_domain::org::model::mark_of;
use allclear_domain::paging::{self, AtStep, MessageState, Page, Status};
use allclear_domain::time::after;
use allclear_domain::view::IncidentView;
use allclear_domain::wire::{
    Heard, NotGenuine, NotUnderstood, Notice, NoticeKind, Of, REPLIES_MAX, Replies, Reply, ReplyRequest, Says, Unreadable,
};
use allclear_store::rows;
use allclear_store::rows::message::StoredMessage;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::LINK_LIFE;
use super::bundles::ToAll;
use crate::core::{Command, Input, Refusal};
use crate::engine::Engine;
use crate::org::OrgError;
use crate::org::own::{Ask, NotArranged};
use crate::read::NoAnswer;

/// How a message that was answered is known to have arrived, where its provider had not said so yet.
const ANSWERED: &str = "it was answered";
/// Rows that are read of a message: whether it carries one notice or several.
const ONE_OR_SEVERAL: i64 = 2;

/// What became of one reply. It is written as JSON, and `says` is for a gateway to say back to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replied {
    pub message: MessageId,
    #[serde(flatten)]
    pub became: Became,
}

/// What it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Became {
    Receipt {
        /// `delivered` or `failed`, or `nothing` where it settles nothing.
        receipt: &'static str,
    },
    /// The contact leads elsewhere now.
    Moved { moved: bool },
    /// An answer to one page.
    Answer {
        /// `acknowledge` or `decline`.
        answer: &'static str,
        says: String,
        #[serde(rename = "ref")]
        reference: String,
        title: String,
        state: State,
        /// Who has it now; a person's id.
        acknowledged_by: Option<String>,
        acknowledged_at: Option<Timestamp>,
    },
    /// One answer to all pages of a message.
    AnswerToAll {
        answer: &'static str,
        says: String,
        /// How many took it: the others were taken or over.
        count: usize,
        pages: usize,
    },
}

impl Became {
    /// What is said to whoever answered; nothing where nobody did.
    #[must_use]
    pub fn says(&self) -> Option<&str> {
        match self {
            Self::Receipt { .. } | Self::Moved { .. } => None,
            Self::Answer { says, .. } | Self::AnswerToAll { says, .. } => Some(says),
        }
    }
}

/// Why a reply does nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotReplied {
    #[error("nothing is heard back over this channel")]
    NoSuchChannel,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    NotGenuine(#[from] NotGenuine),
    /// A receipt says otherwise than what the log says of the message.
    #[error("this message counts as {0} already, and the page went on by that; nothing was changed")]
    Settled(&'static str),
    #[error("messages can be answered for 48 hours; nothing was changed")]
    Expired,
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// The message asked for something that an answer does not give.
    #[error("{0}")]
    NotAsked(String),
    /// It may be about several messages; which, and how to name one.
    #[error("{0}")]
    Ambiguous(String),
    /// It is over; what happened and since when.
    #[error("{0}")]
    Over(String),
    /// It cannot be passed on; who has it and since when, where somebody has.
    #[error("{0}")]
    NotWaiting(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl NotReplied {
    /// The stable code of the API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchChannel => "no_such_channel",
            Self::Unreadable(_) => "bad_request",
            Self::NotGenuine(_) => "reply_unknown",
            Self::Settled(_) => "receipt_too_late",
            Self::Expired => "reply_expired",
            Self::NotUnderstood(_) | Self::NotAsked(_) => "reply_not_understood",
            Self::Ambiguous(_) => "reply_ambiguous",
            Self::Over(_) => "page_over",
            Self::NotWaiting(_) => "not_waiting_for_you",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

impl From<NoAnswer> for NotReplied {
    fn from(why: NoAnswer) -> Self {
        Self::Refused(match why {
            NoAnswer::Store(fault) => Refusal::Unavailable(fault.to_string()),
            NoAnswer::Missing(_) => Refusal::NoSuchPage,
            NoAnswer::Denied(no) => no.into(),
            NoAnswer::Bad(why) => Refusal::Unavailable(why),
        })
    }
}

/// A message that a reply is about, as it went out.
struct Sent {
    id: MessageId,
    /// The first of what it carried.
    first: StoredMessage,
    several: bool,
    /// Who answers, where that is somebody else than whom it went to: a person's id.
    other: Option<String>,
}

impl Engine {
    /// How what comes back over a channel is read; nothing where there is no such channel, or it hears nothing.
    #[must_use]
    pub fn hears(&self, channel: &str) -> Option<&dyn Replies> {
        self.ports().transport.replies(channel)
    }

    /// Why a request is heard and left alone, where it is; the log says so as well.
    #[must_use]
    pub fn left_alone(&self, channel: &str, request: &ReplyRequest<'_>) -> Option<String> {
        let why = self.hears(channel)?.left_alone(request)?;
        tracing::info!(channel, %why, "an answer was left alone");
        Some(why)
    }

    /// Whether a request comes from the vendor of a channel itself, whoever of its people it is from.
    #[must_use]
    pub fn is_of_vendor(&self, channel: &str, request: &ReplyRequest<'_>) -> bool {
        let Some(replies) = self.hears(channel) else { return false };
        let org = self.org();
        let mut contacts = org.everybody().flat_map(|person| &person.contacts).filter(|contact| contact.address.get(channel).is_some());
        replies.is_of_vendor(request, &self.both_clocks()) || contacts.any(|contact| replies.is_by(request, &contact.address))
    }

    /// Takes what came back over a channel: all of it is known to be genuine before any of it counts.
    ///
    /// # Errors
    /// Why nothing, or only the first of several, was taken; it can be sent again.
    pub async fn reply(&self, channel: &str, request: &ReplyRequest<'_>) -> Result<Vec<Replied>, NotReplied> {
        let replies = self.hears(channel).ok_or(NotReplied::NoSuchChannel)?;
        let heard = replies.read(request)?;
        if heard.is_empty() || heard.len() > REPLIES_MAX {
            return Err(Unreadable(format!("a request is about 1 to {REPLIES_MAX} messages")).into());
        }
        // What is shown only now may ask nothing any more, as what is pressed.
        let seen = |one: &Heard| match (&one.of, &one.says) {
            (Of::Pressed { message, .. }, _) | (Of::Message(message), Says::Delivered(_)) => Some(*message),
            (Of::Message(_) | Of::Sender { .. }, _) => None,
        };
        let seen: Vec<MessageId> = heard.iter().filter_map(seen).collect();
        let from = heard.iter().find_map(|one| if let Of::Sender { from, .. } = &one.of { Some(from.clone()) } else { None });
        let taken = self.take_all(channel, replies, request, heard).await;
        if let (Err(NotReplied::NotUnderstood(_) | NotReplied::NotAsked(_) | NotReplied::Ambiguous(_)), Some(from)) = (&taken, from) {
            // What is told goes to a telephone or a mailbox, where a machine may answer it with the same once more.
            self.shared.limits.misunderstood(channel, &from, self.now())?;
        }
        if !matches!(taken, Err(NotReplied::NotGenuine(_))) {
            self.look_at_buttons(channel, seen).await;
        }
        taken
    }

    /// A button that is still there though nothing is asked any more goes when it is pressed or shown.
    async fn look_at_buttons(&self, channel: &str, seen: Vec<MessageId>) {
        let seen = if self.ports().transport.retires(channel) { seen } else { Vec::new() };
        for message in seen {
            let sent = rows::message::sent_as(&self.shared.db, message, 1).await.unwrap_or_default();
            if let Some(first) = sent.first() {
                self.retire_aside(first.page);
            }
        }
    }

    async fn take_all(
        &self,
        channel: &str,
        replies: &dyn Replies,
        request: &ReplyRequest<'_>,
        heard: Vec<Heard>,
    ) -> Result<Vec<Replied>, NotReplied> {
        let mut genuine = Vec::with_capacity(heard.len());
        for one in heard {
            let (id, by) = match one.of {
                Of::Message(id) => (id, None),
                Of::Pressed { message, by } => (message, Some(by)),
                Of::Sender { from, code } => (self.meant(channel, replies, request, (&from, code)).await?, None),
            };
            let mut sent = self.sent_over(channel, replies, request, id).await?;
            // Of a link that was followed nobody is asked who did.
            if let Some(by) = by.filter(|_| one.says != Says::Nothing) {
                sent.other = self.other_than(channel, &sent.first, &by)?;
            }
            genuine.push((sent, one.says));
        }
        let mut done = Vec::with_capacity(genuine.len());
        for (sent, says) in genuine {
            done.push(Replied { message: sent.id, became: self.take_reply(channel, &sent, says).await? });
        }
        Ok(done)
    }

    /// The message of this id, if it went out over this channel and the request comes from where it went to. Whatever is
    /// not so is told alike.
    async fn sent_over(&self, channel: &str, replies: &dyn Replies, request: &ReplyRequest<'_>, id: MessageId) -> Result<Sent, NotReplied> {
        let found = rows::message::sent_as(&self.shared.db, id, ONE_OR_SEVERAL).await;
        let found = found.map_err(|fault| Refusal::Unavailable(fault.to_string()))?;
        let several = found.len() > 1;
        let first = found.into_iter().next().filter(|first| first.channel == channel).ok_or(NotGenuine)?;
        let org = self.org();
        let (contact, _) = org.contact(&first.person, &first.contact).ok_or(NotGenuine)?;
        replies.genuine(request, &contact.address, &self.both_clocks())?;
        Ok(Sent { id, first, several, other: None })
    }

    /// Whoever pressed a button, where that is not whom the message went to: several read the same chat.
    ///
    /// # Errors
    /// When it is nobody here.
    fn other_than(&self, channel: &str, first: &StoredMessage, by: &str) -> Result<Option<String>, NotReplied> {
        let org = self.org();
        let own = org.contact(&first.person, &first.contact).and_then(|(contact, _)| contact.address.get(channel).map(ToOwned::to_owned));
        if own.is_some_and(|own| own.eq_ignore_ascii_case(by)) {
            return Ok(None);
        }
        let person = self.person_at(channel, by)?;
        Ok(Some(person).filter(|person| *person != first.person))
    }

    /// After a jump of the wall clock the other side may agree with either of our two clocks.
    pub(super) fn both_clocks(&self) -> [Timestamp; 2] {
        let now = self.now();
        [now, now.checked_add(self.ports().clock.wall_ahead()).unwrap_or(now)]
    }

    async fn take_reply(&self, channel: &str, sent: &Sent, says: Says) -> Result<Became, NotReplied> {
        // An id tells when its message was decided, from when on its link works as well.
        let decided_at = i64::try_from(sent.id.bits() >> 80).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        // Where somebody is reached changes when it does.
        let is_timeless = matches!(says, Says::Moved(_));
        if !is_timeless && decided_at.is_none_or(|at| after(at, LINK_LIFE) <= self.now()) {
            return Err(NotReplied::Expired);
        }
        let given = match says {
            // What is settled is not unsaid: who was told is told, and whose other way was tried was called by that.
            Says::Delivered(_) if sent.first.state == MessageState::Rejected => return Err(NotReplied::Settled("failed")),
            Says::Failed(_) if sent.first.state == MessageState::Delivered => return Err(NotReplied::Settled("delivered")),
            Says::Delivered(receipt) => {
                self.receipt(sent.id, Ok(receipt)).await?;
                return Ok(Became::Receipt { receipt: "delivered" });
            }
            Says::Failed(why) => {
                self.receipt(sent.id, Err(why)).await?;
                return Ok(Became::Receipt { receipt: "failed" });
            }
            Says::Nothing => return Ok(Became::Receipt { receipt: "nothing" }),
            Says::Moved(address) => return self.moved(channel, sent, address).await,
            Says::Answer(given) => given,
        };
        // Whoever answers has it, also where the answer is not understood.
        if sent.first.state == MessageState::Accepted {
            self.receipt(sent.id, Ok(ANSWERED.to_owned())).await?;
        }
        let reply = Reply::of_words(&given)?;
        let first = &sent.first;
        match first.notice.kind {
            NoticeKind::Page | NoticeKind::StillOnIt | NoticeKind::Drill => {}
            NoticeKind::ConfirmRecovery => {
                let url = self.links().incident_url(&first.notice.incident.reference);
                return Err(NotReplied::NotAsked(format!("this message asks whether it is over, which is said at {url}")));
            }
            NoticeKind::Reminder
            | NoticeKind::Update
            | NoticeKind::Request
            | NoticeKind::Over
            | NoticeKind::Step
            | NoticeKind::Readiness
            | NoticeKind::Note
            | NoticeKind::Shift
            | NoticeKind::Code => {
                return Err(NotReplied::NotAsked("this message only tells something; there is nothing to answer".to_owned()));
            }
        }
        if let Some(other) = &sent.other {
            return self.answer_of_another(channel, sent, other, reply).await;
        }
        if sent.several {
            return self.answer_to_all(channel, sent, reply).await;
        }
        self.answer_to_one(channel, &first.notice, reply).await
    }

    /// Whoever a message went to is reached elsewhere: their contact leads there from now on, proved where it was, since it is the
    /// old address itself that says so. They are told of it as of any change.
    async fn moved(&self, channel: &str, sent: &Sent, address: Address) -> Result<Became, NotReplied> {
        let org = self.org();
        let (person, contact) = (sent.first.person.as_str(), sent.first.contact.as_str());
        let (before, _) = org.contact(person, contact).ok_or(NotGenuine)?;
        if org.channels().of(&address).is_none_or(|form| form.name != channel) {
            return Err(Unreadable("the new address is of another channel".to_owned()).into());
        }
        let was_proved = before.verified;
        // What is not said of it stays, as its name.
        let mut moved = before.clone();
        for (key, value) in address.fields() {
            moved.address.set(key, value);
        }
        let mark = mark_of(&moved, org.channels());
        let actor = Actor::Person(person.to_owned());
        let not_moved = |why: NotArranged| {
            if let NotArranged::Org(OrgError::Store(fault)) = why {
                return NotReplied::Refused(Refusal::Unavailable(fault.to_string()));
            }
            NotReplied::NotAsked(why.to_string())
        };
        // It comes twice where the answer to the first was lost.
        if before.address != moved.address {
            let change = Ask::Change(contact.to_owned(), moved.address);
            Box::pin(self.arrange_with(person, &change, true, &actor, &[])).await.map_err(not_moved)?;
            if was_proved {
                let prove = Ask::Prove { contact: contact.to_owned(), mark, by: None };
                Box::pin(self.arrange_with(person, &prove, true, &actor, &[])).await.map_err(not_moved)?;
            }
        }
        Ok(Became::Moved { moved: true })
    }

    /// Somebody who reads the chat that a message went to answers as themself: they may what they may anywhere, and nothing is
    /// passed on that was not asked of them.
    async fn answer_of_another(&self, channel: &str, sent: &Sent, person: &str, reply: Reply) -> Result<Became, NotReplied> {
        let notice = &sent.first.notice;
        let reference = &notice.incident.reference;
        if sent.several {
            let url = self.base_url();
            return Err(NotReplied::NotAsked(format!(
                "this message asks somebody else about several incidents; take one by itself at {url}"
            )));
        }
        if reply == Reply::Decline {
            return Err(NotReplied::NotWaiting(format!("{reference} was asked of somebody else by this message; nothing was passed on")));
        }
        let who = Principal::new(Actor::Person(person.to_owned()), scope_of_person(&self.org(), person));
        let says = self.take_as_themself(channel, &who, notice.incident.id).await?;
        let IncidentView { reference, title, state, acknowledged_by, acknowledged_at, .. } =
            self.queries(&who).incident(notice.incident.id).await?;
        Ok(Became::Answer { answer: reply.word(), says, reference, title, state, acknowledged_by, acknowledged_at })
    }

    async fn answer_to_all(&self, channel: &str, sent: &Sent, reply: Reply) -> Result<Became, NotReplied> {
        let person = &sent.first.person;
        let pages = self.bundle_of(sent.id, person).await?;
        let to_all = match reply {
            Reply::Acknowledge => ToAll::Acknowledge,
            Reply::Decline => ToAll::Decline,
        };
        let count = self.answer_bundle(&pages, person, channel, to_all).await?;
        let all = pages.len();
        let says = match reply {
            Reply::Acknowledge if count == all => format!("You have all {all} of them."),
            Reply::Acknowledge if count == 0 => format!("None of these {all} waits for anybody any more."),
            Reply::Acknowledge => format!("You have {count} of {all}; the others wait for nobody."),
            Reply::Decline if count == 0 => format!("None of these {all} waits for you any more."),
            Reply::Decline => format!("{count} of {all} are passed on."),
        };
        Ok(Became::AnswerToAll { answer: reply.word(), says, count, pages: all })
    }

    /// A fire drill takes an answer as a page does, and says that nothing is to be done.
    async fn answer_to_drill(&self, channel: &str, notice: &Notice, reply: Reply, incident: IncidentView) -> Result<Became, NotReplied> {
        let (by, via) = (notice.person.clone(), channel.to_owned());
        let command = match reply {
            Reply::Acknowledge => paging::Command::Acknowledge { by: Some(by), via },
            Reply::Decline => {
                let answers = Some(AtStep { round: notice.round, step: notice.step });
                paging::Command::Decline { by, via, answers, why: None }
            }
        };
        let who = self.holder_of(&notice.person, notice.page).await?;
        self.answer(&who, channel, notice.page, command).await?;
        let says = match reply {
            Reply::Acknowledge => "DRILL: your answer is kept. Nothing is wrong, and nothing is to be done.".to_owned(),
            Reply::Decline => "DRILL: it is passed on. Nothing is wrong.".to_owned(),
        };
        let IncidentView { reference, title, state, acknowledged_by, acknowledged_at, .. } = incident;
        Ok(Became::Answer { answer: reply.word(), says, reference, title, state, acknowledged_by, acknowledged_at })
    }

    async fn answer_to_one(&self, channel: &str, notice: &Notice, reply: Reply) -> Result<Became, NotReplied> {
        let (id, person) = (notice.page, notice.person.as_str());
        let who = self.holder_of(person, id).await?;
        let (page, incident, _) = self.queries(&who).page_and_incident(id).await?;
        if !incident.state.is_open() {
            return Err(NotReplied::Over(self.told_over(&incident, person)));
        }
        if notice.kind == NoticeKind::Drill {
            return self.answer_to_drill(channel, notice, reply, incident).await;
        }
        let asks_still_on_it = notice.kind == NoticeKind::StillOnIt;
        let says = match reply {
            Reply::Acknowledge => {
                if asks_still_on_it || taken(&page, &incident).is_none() {
                    let command = paging::Command::Acknowledge { by: Some(person.to_owned()), via: channel.to_owned() };
                    self.answer(&who, channel, id, command).await?;
                }
                None
            }
            Reply::Decline if asks_still_on_it || waits_for(&page, person, notice) => {
                let answers = (!asks_still_on_it).then_some(AtStep { round: notice.round, step: notice.step });
                let command = paging::Command::Decline { by: person.to_owned(), via: channel.to_owned(), answers, why: None };
                self.answer(&who, channel, id, command).await?;
                Some(format!("{} is passed on.", incident.reference))
            }
            Reply::Decline if self.has_declined(&who, id).await? => Some(format!("You have passed on {}.", incident.reference)),
            Reply::Decline => return Err(NotReplied::NotWaiting(self.told_not_waiting(&page, &incident, person))),
        };
        // It is durable: where the store does not answer this, what was read before is enough.
        let (page, incident) = match self.queries(&who).page_and_incident(id).await {
            Ok((page, incident, _)) => (page, incident),
            Err(_) => (page, incident),
        };
        let has = taken(&page, &incident);
        let says = says.unwrap_or_else(|| match &has {
            Some((by, at)) => self.told_taken(&incident.reference, by.as_deref(), *at, person),
            None if page.is_answered_in_part() => {
                format!("You have acknowledged {}: {} of {} who have to.", incident.reference, page.answered.len(), page.wants)
            }
            None => format!("You have {}.", incident.reference),
        });
        let (acknowledged_by, acknowledged_at) = has.unwrap_or_default();
        let IncidentView { reference, title, state, .. } = incident;
        Ok(Became::Answer { answer: reply.word(), says, reference, title, state, acknowledged_by, acknowledged_at })
    }

    async fn answer(&self, who: &Principal, channel: &str, id: PageId, command: paging::Command) -> Result<(), Refusal> {
        let input = Input { who: who.clone(), cause: channel.to_owned(), once: None, command: Command::Page { id, command } };
        self.submit(input).await.map(drop)
    }

    /// Whether the holder of a page's message has passed it on before.
    async fn has_declined(&self, who: &Principal, id: PageId) -> Result<bool, NotReplied> {
        let explained = self.queries(who).explain_page(id).await?;
        let by = |body: &serde_json::Value| body.get("by").and_then(serde_json::Value::as_str) == who.person();
        Ok(explained.lines.iter().any(|line| line.kind == "declined" && line.body.as_ref().is_some_and(by)))
    }

    /// An instant as a person reads it, in their own time.
    fn told_at(&self, at: Timestamp, person: &str) -> String {
        let org = self.org();
        let zone = org.person(person).and_then(|form| form.time_zone.as_deref());
        let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        at.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    fn told_taken(&self, reference: &str, by: Option<&str>, at: Option<Timestamp>, person: &str) -> String {
        let since = at.map(|at| format!(", since {}", self.told_at(at, person))).unwrap_or_default();
        match by {
            Some(by) if by == person => format!("You have {reference}{since}."),
            Some(by) => {
                let name = self.org().person(by).map_or_else(|| by.to_owned(), |form| form.name.clone());
                format!("{name} has {reference}{since}.")
            }
            None => format!("Somebody has {reference}{since}."),
        }
    }

    fn told_over(&self, incident: &IncidentView, person: &str) -> String {
        let at = incident.closed_at.or(incident.resolved_at);
        let since = at.map(|at| format!(", since {}", self.told_at(at, person))).unwrap_or_default();
        format!("{} is {}{since}: there is nothing for you to do.", incident.reference, incident.state.word())
    }

    fn told_not_waiting(&self, page: &Page, incident: &IncidentView, person: &str) -> String {
        match taken(page, incident) {
            Some((by, at)) => self.told_taken(&incident.reference, by.as_deref(), at, person),
            None => format!("{} does not wait for you by this message any more.", incident.reference),
        }
    }
}

/// Who has what a page is about, and since when; nothing while it looks for somebody.
fn taken(page: &Page, incident: &IncidentView) -> Option<(Option<String>, Option<Timestamp>)> {
    let is_held = matches!(incident.state, State::Investigating | State::Mitigated);
    match page.status {
        Status::Acknowledged if is_held => Some((page.acknowledged_by.clone(), page.ended_at)),
        Status::Exhausted | Status::Stopped | Status::Told if is_held => Some((incident.acknowledged_by.clone(), incident.acknowledged_at)),
        Status::Running | Status::Acknowledged | Status::Exhausted | Status::Stopped | Status::Told => None,
    }
}

/// Whether a page waits for a person by the message of this notice.
fn waits_for(page: &Page, person: &str, notice: &Notice) -> bool {
    let at = AtStep { round: notice.round, step: notice.step };
    page.status == Status::Running && page.at_step() == at && page.entries.iter().any(|entry| entry.person == person)
}
