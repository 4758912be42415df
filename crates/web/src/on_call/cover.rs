//! Cover, under *My shifts*: what somebody is asked, what they asked, and the form that asks for cover of a shift or a part of it.
//!
//! Deliberately not here: what can be asked and kept (`allclear_domain::org::cover`).

use allclear_domain::access::{Principal, Resource, Right, may};
use allclear_domain::org::cover::{COVER_WORDS_MAX, State, Stretch, covers};
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::CoverView;
use allclear_engine::org::OrgError;
use allclear_engine::org::cover::{Asked, CoverError};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::access::form_key::once;
use crate::access::reader::Fields;
use crate::app::App;
use crate::frame::pieces;
use crate::frame::refused::{Refused, sentence};
use crate::frame::time_text::When;
use crate::posted::{Draft, said};

/// Asks.
pub(crate) const ASK: &str = "/my-shifts/cover";
/// Accepts, declines or takes back.
pub(crate) const ANSWER: &str = "/my-shifts/cover/{id}/{answer}";
/// The verbs of the forms, as drafts name them.
pub(super) const ASKS: &str = "ask";
pub(super) const ANSWERS: &str = "answer";
/// Shifts to choose from, of one's own and of others: as many as a list on a phone is looked through.
const CHOICES_MAX: usize = 40;

/// A shift to choose from: whose, and which.
pub(super) struct Choice {
    pub person: String,
    pub part: Stretch,
}

impl Choice {
    /// As the form sends it.
    fn value(&self) -> String {
        let Stretch { schedule, starts_at, ends_at } = &self.part;
        format!("{} {schedule} {starts_at} {ends_at}", self.person)
    }

    fn read(text: &str) -> Option<Self> {
        let [person, schedule, starts_at, ends_at] = text.split(' ').collect::<Vec<_>>()[..] else { return None };
        let part = Stretch { schedule: schedule.to_owned(), starts_at: starts_at.parse().ok()?, ends_at: ends_at.parse().ok()? };
        Some(Self { person: person.to_owned(), part })
    }
}

/// Requests that are the reader's business; none for whoever may answer none.
pub(super) async fn requests(app: &App, who: &Principal) -> Result<Vec<CoverView>, Refused> {
    if may(&app.engine.org(), who, Right::Respond, Resource::Installation).is_err() {
        return Ok(Vec::new());
    }
    app.engine.cover_requests(who).await.map_err(|why| {
        tracing::error!(%why, "requests for cover cannot be listed");
        Refused::store(None)
    })
}

pub(super) fn told(why: &CoverError) -> String {
    match why {
        CoverError::Org(OrgError::Store(_)) => "The store did not answer, so nothing was recorded. Ask again in a few seconds.".to_owned(),
        other => sentence(&other.to_string()),
    }
}

pub(super) fn wanted(fields: &Fields, when: &When) -> Result<Asked, String> {
    let shift = said(fields, "shift").and_then(|text| Choice::read(&text)).ok_or("Choose a shift.")?;
    let instant = |name: &str, what: &str| -> Result<Option<Timestamp>, String> {
        let Some(text) = said(fields, name) else { return Ok(None) };
        let read = text.parse().ok().or_else(|| when.of_field(&text));
        read.map(Some).ok_or_else(|| format!("{what} cannot be read: `{}`. It looks like 2026-03-01T09:00.", pieces::cut(&text, 40)))
    };
    let (from, to) = (instant("from", "The start of the part")?, instant("to", "The end of the part")?);
    let part = Stretch { starts_at: from.unwrap_or(shift.part.starts_at), ends_at: to.unwrap_or(shift.part.ends_at), ..shift.part };
    let in_return = match said(fields, "return") {
        Some(text) => Some(Choice::read(&text).ok_or("The shift in return cannot be read.")?),
        None => None,
    };
    let asked = said(fields, "asked");
    if let (Some(asked), Some(back)) = (&asked, &in_return)
        && *asked != back.person
    {
        return Err("The shift in return is another person’s than who is asked.".to_owned());
    }
    Ok(Asked {
        shift: part,
        asked: asked.or_else(|| in_return.as_ref().map(|back| back.person.clone())),
        in_return: in_return.map(|back| back.part),
        words: said(fields, "words"),
        answer_by: instant("answer_by", "The time of the answer")?,
    })
}

/// The part of *My shifts*. `mine` are the reader's turns to come, `others` those that they could take in return.
pub(super) fn section(
    requests: &[CoverView],
    org: &Org,
    me: &str,
    when: &When,
    draft: &Draft,
    mine: &[Choice],
    others: &[Choice],
) -> Markup {
    let waits = |one: &&CoverView| one.waits_for.iter().any(|id| id == me);
    let own = |one: &&CoverView| one.asker == me;
    let (to_me, by_me): (Vec<_>, Vec<_>) = (requests.iter().filter(waits).collect(), requests.iter().filter(own).collect());
    // Of a schedule that the reader manages: what nobody answered.
    let unanswered: Vec<_> = requests.iter().filter(|one| one.unanswered && !waits(one) && !own(one)).collect();
    html! {
        section id="cover" {
            div data-live="cover" class="group tight" {
                h2 { "Cover" }
                (draft.refused(ANSWERS))
                @if to_me.is_empty() && by_me.is_empty() && unanswered.is_empty() {
                    p class="quiet" { "Nobody asks you, and you ask nobody." }
                }
                ul class="list" {
                    @for one in &to_me {
                        li {
                            span {
                                bdi { (called(org, &one.asker)) } " asks "
                                @if one.asked.is_some() { "you" } @else { "the team" } " to cover"
                            }
                            (what(one, org, when))
                            (act(one, "accept", "I take it"))
                            (act(one, "decline", "Decline"))
                        }
                    }
                    @for one in &unanswered {
                        li {
                            span { bdi { (called(org, &one.asker)) } span class="late" { " has no answer" } }
                            (what(one, org, when))
                        }
                    }
                    @for one in &by_me {
                        li {
                            span { "You asked " (asked(one, org)) ": " (stands(one, org)) }
                            (what(one, org, when))
                            @if one.state == State::Open { (act(one, "withdraw", "Take back")) }
                        }
                    }
                }
            }
            @if mine.is_empty() { (draft.refused(ASKS)) } @else { (form(org, me, when, draft, mine, others)) }
        }
    }
}

fn called(org: &Org, id: &str) -> String {
    pieces::name(org, id)
}

fn asked(one: &CoverView, org: &Org) -> String {
    one.asked.as_ref().map_or_else(|| "the team".to_owned(), |id| called(org, id))
}

fn stands(one: &CoverView, org: &Org) -> Markup {
    let by = one.ended_by.as_ref().map(|id| called(org, id));
    html! {
        @match (one.state, by) {
            (State::Open, _) if one.unanswered => span class="late" { "nobody answered in time" },
            (State::Open, _) => "no answer yet",
            (State::Accepted, Some(by)) => { bdi { (by) } " took it" },
            (State::Accepted, None) => "accepted",
            (State::Declined, _) => span class="late" { "declined" },
            (State::Withdrawn, _) => { "withdrawn" @if let Some(why) = &one.because { ", " (why) } },
        }
    }
}

/// Which shift, what for, and until when an answer is wanted.
fn what(one: &CoverView, org: &Org, when: &When) -> Markup {
    html! {
        span class="quiet" {
            (stretch(&one.shift, org, when))
            @if let Some(back) = &one.in_return { ", for " (stretch(back, org, when)) }
            @if let Some(words) = &one.words { " · “" bdi { (words) } "”" }
            @if one.state == State::Open { " · answer by " (when.time(one.answer_by, &when.minute(one.answer_by))) }
        }
    }
}

fn schedule<'a>(org: &'a Org, id: &'a str) -> &'a str {
    org.schedule_form(id).and_then(|form| form.name.as_deref()).unwrap_or(id)
}

fn stretch(part: &Stretch, org: &Org, when: &When) -> Markup {
    html! {
        bdi { (schedule(org, &part.schedule)) } " "
        (when.time(part.starts_at, &when.minute(part.starts_at))) " – " (when.time(part.ends_at, &when.minute(part.ends_at)))
    }
}

fn act(one: &CoverView, word: &str, words: &str) -> Markup {
    let class = if word == "accept" { "may" } else { "plain" };
    html! {
        form method="post" action={ (ASK) "/" (pieces::escaped(&one.id)) "/" (word) } {
            button class=(class) type="submit" aria-label={ (words) ": " (one.shift.schedule) } { (words) }
        }
    }
}

fn form(org: &Org, me: &str, when: &When, draft: &Draft, mine: &[Choice], others: &[Choice]) -> Markup {
    let option = |choice: &Choice, chosen: &str, whose: bool| {
        let part = &choice.part;
        let name = if whose { format!("{}: ", called(org, &choice.person)) } else { String::new() };
        let words = format!("{name}{} {} – {}", schedule(org, &part.schedule), when.minute(part.starts_at), when.minute(part.ends_at));
        html! { option value=(choice.value()) selected[chosen == choice.value()] { (words) } }
    };
    let people = org.bundle().people.iter().filter(|person| person.id != me);
    let helps = |id: &str| mine.iter().any(|choice| covers(org, &choice.part.schedule, id));
    html! {
        details class="act-one" open[draft.verb == ASKS] {
            summary { "Ask for cover" }
            form method="post" action=(ASK) {
                (draft.refused(ASKS)) (once(when))
                label class="field" {
                    span { "Shift" }
                    select name="shift" {
                        @for choice in mine.iter().take(CHOICES_MAX) { (option(choice, draft.typed(ASKS, "shift"), false)) }
                    }
                }
                div class="row-of" {
                    label class="field" {
                        span { "Part from" span class="quiet" { " " (when.zone()) } }
                        input type="datetime-local" name="from" value=(draft.typed(ASKS, "from"));
                    }
                    label class="field" { span { "Part to" } input type="datetime-local" name="to" value=(draft.typed(ASKS, "to")); }
                }
                label class="field" {
                    span { "Whom" }
                    select name="asked" {
                        option value="" { "The whole team: the first who accepts has it" }
                        @for person in people.filter(|person| helps(&person.id)) {
                            (pieces::choice(&person.id, draft.typed(ASKS, "asked") == person.id, &person.name))
                        }
                    }
                }
                @if !others.is_empty() {
                    label class="field" {
                        span { "In return for" }
                        select name="return" {
                            option value="" { "Nothing" }
                            @for choice in others.iter().take(CHOICES_MAX) { (option(choice, draft.typed(ASKS, "return"), true)) }
                        }
                    }
                }
                label class="field" { span { "Why" } input name="words" maxlength=(COVER_WORDS_MAX) value=(draft.typed(ASKS, "words")); }
                label class="field" {
                    span { "Answer by" }
                    input type="datetime-local" name="answer_by" value=(draft.typed(ASKS, "answer_by"));
                }
                p class="hint" { "Left open, an answer is wanted a day before it begins. It is yours until somebody accepts." }
                button class="do" type="submit" { "Ask" }
            }
        }
    }
}
