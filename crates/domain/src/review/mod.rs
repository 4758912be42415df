//! A post-incident review: asked for when a bad incident ends, drafted from its log, edited, published.
//!
//! ```text
//!  open ─► draft ──publish──► published ──edit──► published (a new text of it)
//! ```
//!
//! Invariants: until somebody edits it the text is a reading of the log, made anew each time
//! ([`draft`]); an edit is kept whole, so that every text that was ever shown can be shown again;
//! a published review is late no more, whatever its deadline was.
//!
//! Not here: corrective actions, which outlive the review ([`crate::action`]).

mod draft;

pub use draft::{Reader, draft};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::event_kinds;
use crate::expect::{Expectation, Owner, Rule, Settle, Standing};
use crate::ids::{IncidentId, ReviewId};
use crate::names::Names;
use crate::plants::planted;
use crate::time::Length;

/// Longest text of a review, in characters: a long report, and still one page to render.
pub const TEXT_CHARS_MAX: usize = 100_000;
/// Key of the expectation that it is published.
pub const KEY_DUE: &str = "due";

event_kinds! {
    /// A fact about a review; past tense.
    Event {
        Opened(Opened) = "review_opened" [Machinery],
        Assigned(Assigned) = "review_assigned",
        Edited(Edited) = "review_edited",
        Published(Published) = "review_published" [Key],
        Reminded(Due) = "review_reminded",
        Missed(Due) = "review_missed",
    }
}

/// Body of `review_opened`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub incident: IncidentId,
    /// `INC-142`
    #[serde(rename = "ref")]
    pub reference: String,
    /// A person's id: the commander, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub due_at: Timestamp,
}

/// Body of `review_assigned`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    pub owner: String,
}

/// Body of `review_edited`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// Markdown.
    pub text: String,
}

/// Body of `review_published`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The text as published: also where nobody edited the draft.
    pub text: String,
}

/// Body of `review_reminded` and `review_missed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    pub due_at: Timestamp,
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ReviewState))]
pub enum State {
    Draft,
    Published,
}

impl State {
    /// As stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }
    /// The state with this stored name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Draft, Self::Published].into_iter().find(|state| state.word() == word)
    }
}

/// The folded state of a review's log; also its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub id: ReviewId,
    pub incident: IncidentId,
    pub reference: String,
    pub state: State,
    pub owner: Option<String>,
    /// Empty until somebody edits it.
    pub text: Option<String>,
    pub due_at: Timestamp,
    pub late: bool,
    pub opened_at: Timestamp,
    pub published_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// A command; imperative.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Open(Opened),
    Assign {
        owner: String,
    },
    Edit {
        text: String,
    },
    /// `text` is what the reader saw; it is kept.
    Publish {
        text: String,
    },
    Remind,
    Miss,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such review")]
    Unknown,
    #[error("this review is open already")]
    AlreadyOpen,
    #[error("the text of the review is missing")]
    TextMissing,
    #[error("the text of a review has at most {TEXT_CHARS_MAX} characters")]
    TooLong,
}

impl Refusal {
    /// The stable code of the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "no_such_review",
            Self::AlreadyOpen => "has_a_review",
            Self::TextMissing => "words_missing",
            Self::TooLong => "too_long",
        }
    }
}

/// Decides. An empty list means that there is nothing to do.
///
/// # Errors
/// Where it cannot be done.
pub fn decide(state: Option<&Review>, command: Command) -> Result<Vec<Event>, Refusal> {
    let (review, command) = match (state, command) {
        (None, Command::Open(opened)) => return Ok(vec![Event::Opened(opened)]),
        (None, _) => return Err(Refusal::Unknown),
        (Some(review), command) => (review, command),
    };
    match command {
        Command::Open(_) => Err(Refusal::AlreadyOpen),
        Command::Assign { owner } if review.owner.as_ref() == Some(&owner) => Ok(Vec::new()),
        Command::Assign { owner } => Ok(vec![Event::Assigned(Assigned { owner })]),
        Command::Edit { text } => {
            check(&text)?;
            if review.text.as_ref() == Some(&text) { Ok(Vec::new()) } else { Ok(vec![Event::Edited(Edited { text })]) }
        }
        Command::Publish { text } => {
            check(&text)?;
            if review.state == State::Published && review.text.as_ref() == Some(&text) {
                return Ok(Vec::new());
            }
            Ok(vec![Event::Published(Published { text })])
        }
        Command::Remind if review.state == State::Draft => Ok(vec![Event::Reminded(Due { due_at: review.due_at })]),
        Command::Miss if review.state == State::Draft && !review.late => Ok(vec![Event::Missed(Due { due_at: review.due_at })]),
        Command::Remind | Command::Miss => Ok(Vec::new()),
    }
}

fn check(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::TextMissing);
    }
    if text.chars().count() > TEXT_CHARS_MAX { Err(Refusal::TooLong) } else { Ok(()) }
}

/// Folds one event.
///
/// # Panics
/// When the first event of a stream is not `review_opened`.
#[must_use]
pub fn evolve(state: Option<Review>, id: ReviewId, event: &Event, at: Timestamp) -> Review {
    let Some(mut review) = state else {
        let Event::Opened(body) = event else {
            panic!("the log of {id} begins with `{}`, which begins no review", event.kind());
        };
        return Review {
            id,
            incident: body.incident,
            reference: body.reference.clone(),
            state: State::Draft,
            owner: body.owner.clone(),
            text: None,
            due_at: body.due_at,
            late: false,
            opened_at: at,
            published_at: None,
            updated_at: at,
        };
    };
    review.updated_at = at;
    match event {
        Event::Opened(_) | Event::Reminded(_) => {}
        Event::Assigned(body) => review.owner = Some(body.owner.clone()),
        Event::Edited(body) => review.text = Some(body.text.clone()),
        Event::Published(body) => {
            review.text = Some(body.text.clone());
            review.state = State::Published;
            review.published_at.get_or_insert(at);
        }
        Event::Missed(_) => review.late = true,
    }
    review
}

/// What an event opens and settles.
#[must_use]
pub fn react(review: &Review, event: &Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
    let owner = Owner::Review(review.id);
    match event {
        Event::Opened(body) => {
            let length = Length::between(at, body.due_at);
            // Not shown as due of its incident: that one is over.
            let due = Expectation::open(owner, KEY_DUE.to_owned(), Rule::ReviewDue, None, format!("{owner}@{version}"), at, length);
            (vec![due], Vec::new())
        }
        Event::Published(_) if planted("review-publish-leaves-timer") => (Vec::new(), Vec::new()),
        Event::Published(_) => {
            let met = Settle { owner, key: Some(KEY_DUE.to_owned()), standing: Standing::Met, why: "it was published" };
            (Vec::new(), vec![met])
        }
        Event::Assigned(_) | Event::Edited(_) | Event::Reminded(_) | Event::Missed(_) => (Vec::new(), Vec::new()),
    }
}

/// The line for people.
#[must_use]
pub fn line(event: &Event, names: &Names<'_>) -> String {
    match event {
        Event::Opened(_) => "A review was opened".into(),
        Event::Assigned(body) => format!("The review is {}'s to write", names.by(Some(&body.owner))),
        Event::Edited(_) => format!("{} edited the review", names.who()),
        Event::Published(_) => format!("{} published the review", names.who()),
        Event::Reminded(_) => "The review is due soon".into(),
        Event::Missed(_) => "The review was not published in time".into(),
    }
}
