//! Requests for cover of a shift: asked, answered, taken back. What can be asked and kept is said in `allclear_domain::org::cover`; here
//! it is kept, and an answer that accepts is one commit with the overrides that it makes.

use std::sync::Arc;

use allclear_domain::access::{Denied, Principal, Resource, Right, may, may_schedule};
use allclear_domain::expect::{Expectation, Owner, Rule, Settle, Standing};
use allclear_domain::ids::CoverId;
use allclear_domain::org::cover::{ANSWER_BEFORE, COVER_OPEN_MAX, CoverRequest, NoCover, State, Stretch};
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::{Length, whole_micros};
use allclear_domain::view::CoverView;
use allclear_store::rows::cover::{self, StoredCover};
use allclear_store::{CommitError, Fault, Write, rows};
use jiff::{SignedDuration, Timestamp};

use super::edit::Edit;
use super::{NODES_TRIES, OrgError, Read, load};
use crate::engine::Engine;
use crate::note::COVER_KEY;

/// How long a request is kept after its shift: as long as people ask who covered last month.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Why a request was not made or not answered.
#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("only people have shifts to give away and answer for: use a person's token")]
    NoPerson,
    #[error("{0}")]
    Cannot(#[from] NoCover),
    #[error("you ask for cover of {COVER_OPEN_MAX} shifts already: take one back first")]
    TooMany,
    #[error("there is no request `{0}` that you may answer or take back")]
    Missing(String),
    /// It ended before, otherwise than is asked now.
    #[error("it was {} already", .0.word())]
    Ended(State),
    #[error("it could not be kept any more, so it was withdrawn: {0}")]
    Lapsed(NoCover),
    #[error(transparent)]
    Org(OrgError),
}

impl From<OrgError> for CoverError {
    fn from(why: OrgError) -> Self {
        Self::Org(why)
    }
}

impl From<Fault> for CoverError {
    fn from(fault: Fault) -> Self {
        Self::Org(fault.into())
    }
}

impl From<CommitError> for CoverError {
    fn from(why: CommitError) -> Self {
        Self::Org(why.into())
    }
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub shift: Stretch,
    /// Everybody of the team, where absent.
    pub asked: Option<String>,
    pub in_return: Option<Stretch>,
    pub words: Option<String>,
    /// A day before the shift, or half of what is left until then, where absent.
    pub answer_by: Option<Timestamp>,
}

/// What somebody does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Decline,
    /// By whoever asked.
    Withdraw,
}

impl Answer {
    /// The answer of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "accept" => Some(Self::Accept),
            "decline" => Some(Self::Decline),
            "withdraw" => Some(Self::Withdraw),
            _ => None,
        }
    }

    const fn ends_as(self) -> State {
        match self {
            Self::Accept => State::Accepted,
            Self::Decline => State::Declined,
            Self::Withdraw => State::Withdrawn,
        }
    }
}

impl Engine {
    /// Asks for cover of a shift of one's own. `id` is the same for the same form sent again.
    ///
    /// # Errors
    /// When the asker may not, it could not be kept, or the store does not answer.
    pub async fn ask_for_cover(&self, who: &Principal, id: Option<u128>, asked: Asked) -> Result<CoverView, CoverError> {
        let org = self.org();
        may(&org, who, Right::Respond, Resource::Installation)?;
        let me = who.person().filter(|id| org.person(id).is_some()).ok_or(CoverError::NoPerson)?;
        let now = self.now();
        let id = CoverId::from_bits(id.unwrap_or_else(|| self.fresh_id()));
        if let Some(before) = cover::by_id(self.db(), &id.to_string()).await? {
            return Ok(CoverView::of(&before.request, &org, now));
        }
        let whole = |part: Stretch| Stretch { starts_at: whole_micros(part.starts_at), ends_at: whole_micros(part.ends_at), ..part };
        let shift = whole(asked.shift);
        let request = CoverRequest {
            id,
            asker: me.to_owned(),
            answer_by: asked.answer_by.map_or_else(|| usual_answer_by(shift.starts_at, shift.ends_at, now), whole_micros),
            shift,
            asked: asked.asked,
            in_return: asked.in_return.map(whole),
            words: asked.words.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty()),
            made_at: now,
            state: State::Open,
            declined: Vec::new(),
            ended_by: None,
            ended_at: None,
        };
        request.fault(&org, now)?;
        let open = cover::open(self.db()).await?;
        if open.iter().filter(|one| one.request.asker == me && one.request.stands(&org, now) == State::Open).count() >= COVER_OPEN_MAX {
            return Err(CoverError::TooMany);
        }
        let forget = cover::forget(now.checked_sub(KEPT_AFTER).unwrap_or(now));
        let mut writes = vec![cover::add(&request), forget, rows::expectation::open(&answer_awaited(&request, now))];
        writes.extend(request.whom(&org).iter().filter_map(|to| self.note_to(&org, to, None, self.on_my_shifts(request.asks(&org, to)))));
        self.db().commit(writes).await?;
        self.shared.outbox_wake.notify_one();
        self.wake();
        self.org_shown_anew();
        Ok(CoverView::of(&request, &org, now))
    }

    /// Requests that the asker made, is asked, or manages the team of: open ones, and the newest of their own that ended.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn cover_requests(&self, who: &Principal) -> Result<Vec<CoverView>, CoverError> {
        let org = self.org();
        may(&org, who, Right::SeeOrganisation, Resource::Installation)?;
        let now = self.now();
        let mut found: Vec<StoredCover> = cover::open(self.db()).await?;
        found.retain(|one| concerns(&org, who, &one.request));
        if let Some(me) = who.person() {
            found.extend(cover::of_person(self.db(), me).await?);
        }
        found.sort_by_key(|one| std::cmp::Reverse(one.request.id));
        Ok(found.iter().map(|one| CoverView::of(&one.request, &org, now)).collect())
    }

    /// Answers a request, or takes one's own back. The same answer again is the same.
    ///
    /// # Errors
    /// Where there is none that the asker may answer, it ended otherwise, it cannot be kept any more, or the store does not answer.
    pub async fn answer_cover(&self, who: &Principal, id: &str, answer: Answer) -> Result<CoverView, CoverError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        for _ in 1..NODES_TRIES {
            match self.answer_cover_once(who, id, answer).await {
                Err(CoverError::Org(OrgError::Conflict)) => {}
                other => return other,
            }
        }
        self.answer_cover_once(who, id, answer).await
    }

    async fn answer_cover_once(&self, who: &Principal, id: &str, answer: Answer) -> Result<CoverView, CoverError> {
        // Read before the request, so that what another node changes meanwhile makes the commit a conflict.
        let read = Read::from(self.db()).await?;
        let known = self.org();
        let org = if known.version == read.version {
            known
        } else {
            Arc::new(load(self.db(), &self.shared.key, self.shared.ports.channels).await?.0)
        };
        may(&org, who, Right::Respond, Resource::Installation)?;
        let me = who.person().ok_or(CoverError::NoPerson)?.to_owned();
        let missing = || CoverError::Missing(id.chars().take(64).collect());
        let wanted: CoverId = id.parse().map_err(|_| missing())?;
        let StoredCover { mut request, version } = cover::by_id(self.db(), &wanted.to_string()).await?.ok_or_else(missing)?;
        let now = self.now();
        let allowed = match answer {
            Answer::Withdraw => request.asker == me,
            Answer::Accept | Answer::Decline => {
                request.whom(&org).contains(&me) || request.declined.contains(&me) || request.ended_by.as_ref() == Some(&me)
            }
        };
        if !allowed {
            return Err(missing());
        }
        if request.state != State::Open {
            let same = request.state == answer.ends_as() && request.ended_by.as_ref() == Some(&me);
            return if same { Ok(CoverView::of(&request, &org, now)) } else { Err(CoverError::Ended(request.state)) };
        }
        if let Some(why) = request.lapsed(&org, now) {
            request.state = State::Withdrawn;
            request.ended_at = Some(now);
            self.db().commit(vec![cover::put(&request, version), no_longer_awaited(&request, now)]).await?;
            return Err(CoverError::Lapsed(why));
        }
        if answer == Answer::Decline {
            if !request.declined.contains(&me) {
                request.declined.push(me.clone());
            }
            if !request.whom(&org).is_empty() {
                self.db().commit(vec![cover::put(&request, version)]).await?;
                self.org_shown_anew();
                return Ok(CoverView::of(&request, &org, now));
            }
        } else if answer == Answer::Accept && request.declined.contains(&me) {
            return Err(CoverError::Ended(State::Declined));
        }
        // Before it ends: whom an end that is a withdrawal concerns.
        let hear = if answer == Answer::Withdraw { request.whom(&org) } else { vec![request.asker.clone()] };
        (request.state, request.ended_by, request.ended_at) = (answer.ends_as(), Some(me.clone()), Some(now));
        let mut edit = Edit::new(self, &who.actor, read);
        if answer == Answer::Accept {
            for change in request.overrides(&me, now, [self.fresh_id(), self.fresh_id()].map(|id| format!("ovr-{id:032x}"))) {
                let body = serde_json::to_value(&change).map_err(|why| OrgError::Stored(why.to_string()))?;
                edit.put(Form { kind: FormKind::Override, id: change.id, body }, u32::MAX as usize, None)?;
            }
        }
        edit.told(&request.asker);
        edit.also([cover::put(&request, version), no_longer_awaited(&request, now)]);
        let told = |to: &String| self.note_to(&org, to, None, self.on_my_shifts(request.ended(&org, to)?));
        edit.also(hear.iter().filter(|to| **to != me).filter_map(told).collect::<Vec<_>>());
        edit.finish(None, Vec::new()).await?;
        self.org_shown_anew();
        Ok(CoverView::of(&request, &self.org(), now))
    }
}

impl Engine {
    /// A text, and where it is seen to.
    fn on_my_shifts(&self, text: String) -> String {
        format!("{text} {}/my-shifts", self.base_url())
    }
}

/// The key of what is awaited of a request.
fn key_of(request: &CoverRequest) -> String {
    format!("{COVER_KEY}{}", request.id)
}

fn answer_awaited(request: &CoverRequest, now: Timestamp) -> Expectation {
    let within = Length::between(now, request.answer_by);
    Expectation::open(Owner::Org, key_of(request), Rule::CoverAnswer, None, "cover".to_owned(), now, within)
}

fn no_longer_awaited(request: &CoverRequest, now: Timestamp) -> Write {
    let (standing, why) = match request.state {
        State::Accepted | State::Declined => (Standing::Met, "it was answered"),
        State::Open | State::Withdrawn => (Standing::Void, "it is not wanted, or cannot be kept, any more"),
    };
    rows::expectation::settle(&Settle { owner: Owner::Org, key: Some(key_of(request)), standing, why }, now)
}

/// A day before the shift; of one that begins sooner, when half of the time until then is over, and of one that runs, of what is left.
fn usual_answer_by(starts_at: Timestamp, ends_at: Timestamp, now: Timestamp) -> Timestamp {
    let day_before = starts_at.checked_sub(ANSWER_BEFORE).unwrap_or(starts_at);
    if day_before > now {
        return day_before;
    }
    let until = if starts_at > now { starts_at } else { ends_at.min(now.saturating_add(ANSWER_BEFORE).unwrap_or(ends_at)) };
    let half = until.duration_since(now).checked_div(2).unwrap_or_default();
    whole_micros(now.checked_add(half).unwrap_or(now))
}

/// Whether a request is somebody's business: they ask, are asked, or manage the schedule's team.
fn concerns(org: &Org, who: &Principal, request: &CoverRequest) -> bool {
    let theirs = who.person().is_some_and(|me| request.asker == me || request.whom(org).iter().any(|id| id == me));
    theirs || may_schedule(org, who, &request.shift.schedule).is_ok()
}
