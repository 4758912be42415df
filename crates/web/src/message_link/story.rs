//! What the page behind a message's link tells: read once, then shown by [`crate::message_link::page`].
//!
//! Whoever holds the link is taken for the person it was sent to, and sees this one page and its
//! incident, nothing else. Who is paged next is a forecast by today's organisation: the decision
//! itself is the engine's, at its time.

use allclear_domain::event::Mark;
use allclear_domain::expect::{Rule, Standing as Stands};
use allclear_domain::ids::PageId;
use allclear_domain::incident::State;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::reason;
use allclear_domain::paging::{AtStep, MessageState, Page, Status};
use allclear_domain::timeline;
use allclear_domain::view::{AlertView, EventView, ExpectationView, IncidentView, MessageView, PageView};
use allclear_domain::wire::NoticeKind;
use allclear_engine::Engine;
use allclear_engine::message_link::LinkFor;
use allclear_engine::read::{NoAnswer, Queries};
use jiff::Timestamp;

use crate::frame::pieces;
use crate::frame::time_text::When;
use crate::incident::log;

fn is_question(page: &Page) -> bool {
    page.tells.as_ref().is_some_and(|tells| tells.kind == NoticeKind::StillOnIt)
}

/// Where it stands, for this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has it.
    Open,
    /// Somebody has it: a person's id, or nobody we know by id.
    Taken { by: Option<String>, who: String, at: Option<Timestamp>, mine: bool },
    /// There is nothing to take any more: what happened, by whom, when.
    Over { what: String, who: Option<String>, at: Option<Timestamp> },
}

/// How far telling one person has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paged {
    pub id: String,
    pub name: String,
    pub words: &'static str,
}

/// Another page of the incident that looks for somebody.
pub(crate) struct Other {
    /// Names of whom it told or is telling.
    pub people: Vec<String>,
    /// Why it does, where the incident's title does not say it.
    pub because: Option<String>,
}

/// Of what nobody has any more.
pub(crate) struct Lost {
    pub who: String,
    pub why: Option<String>,
}

/// Everything on the page.
pub(crate) struct Story {
    pub when: When,
    pub person: String,
    pub person_name: String,
    pub expires_at: Timestamp,
    /// The step whose message the link stands in.
    pub answers: Option<AtStep>,
    pub page: Page,
    pub incident: IncidentView,
    pub service_name: Option<String>,
    pub alerts: Vec<AlertView>,
    pub runbooks: Vec<String>,
    pub paged: Vec<Paged>,
    pub standing: Standing,
    pub declined_at: Option<Timestamp>,
    /// When the next step is paged.
    pub step_due_at: Option<Timestamp>,
    /// Who that would be; empty where nobody is left.
    pub next_people: Vec<String>,
    /// Ids of whom the page's policy would call next, were it to go on from where it was answered.
    pub steps_on: Vec<String>,
    /// Everything else that is awaited of the incident.
    pub expectations: Vec<ExpectationView>,
    /// What other pages of the incident look for somebody.
    pub others: Vec<Other>,
    /// Where somebody had it and nobody has it now: who had it, and what became of that, in the log's words.
    pub lost: Option<Lost>,
}

impl Story {
    /// Whether the link is of the question whether this person is still on it.
    pub(crate) fn is_question(&self) -> bool {
        is_question(&self.page)
    }

    /// Whether this person has accepted what they were asked to as a responder.
    pub(crate) fn accepted(&self) -> bool {
        let by = self.page.acknowledged_by.iter().chain(&self.page.answered);
        self.page.request.is_some() && by.into_iter().any(|by| *by == self.person)
    }

    /// How many have acknowledged, of how many who have to, where that is not enough yet.
    pub(crate) fn part(&self) -> Option<(usize, u32)> {
        let asks = self.page.wants > 1 && matches!(self.page.status, Status::Running | Status::Exhausted);
        asks.then_some((self.page.answered.len(), self.page.wants))
    }

    /// Whether the page waits for this person now.
    pub(crate) fn is_asked_now(&self) -> bool {
        self.page.entries.iter().any(|entry| entry.person == self.person)
    }

    /// Whether it waits for them by the message that this link stands in: only then can they pass it on here.
    pub(crate) fn may_pass_on(&self) -> bool {
        let asked = self.is_asked_now() && !self.page.asks_no_more(&self.person);
        self.page.status == Status::Running && asked && self.answers.is_none_or(|at| at == self.page.at_step())
    }
}

/// Reads it.
pub(crate) async fn read(engine: &Engine, link: &LinkFor, page: PageId) -> Result<Story, NoAnswer> {
    let id = page;
    let org = engine.org();
    let person = org.person(&link.person);
    let when = When::new(engine.now(), person.and_then(|p| p.time_zone.as_deref()));
    // Whoever holds the link may see what it is about, whatever else they may see.
    let reader = engine.holder(link).await?;
    let queries = engine.queries(&reader);
    let (page, incident, alerts) = queries.page_and_incident(id).await?;
    let explained = queries.explain_page(id).await?;
    let mut expectations = queries.expectations(page.incident_id()).await?;
    expectations.retain(|e| e.state == Stands::Live);
    let step_due_at = expectations.iter().find(|e| e.owner == page.id.to_string() && e.rule == Rule::PageAck.name()).map(|e| e.due_at);
    // How soon it is to be dealt with stands on the incident's page: here somebody is asked to take it.
    expectations
        .retain(|e| e.rule.starts_with("incident.") && ![Rule::AlertsDigest, Rule::Target].map(Rule::name).contains(&e.rule.as_str()));
    // An answer to the question starts the next time of an acknowledgement, where its severity has one.
    let waits = |rule: Rule| expectations.iter().any(|e| e.rule == rule.name());
    let unanswered = is_question(&page) && (waits(Rule::StillOnIt) || !waits(Rule::Attended));
    let others = others(&org, &page, &queries.pages(page.incident_id()).await?);
    let lost = lost(&queries, &org, &page, &incident).await?;
    let standing = match standing(&queries, &org, &page, &incident, &explained.lines, &link.person).await? {
        Standing::Taken { .. } if unanswered || lost.is_some() => Standing::Open,
        other => other,
    };
    Ok(Story {
        person_name: pieces::name(&org, &link.person),
        expires_at: link.expires_at,
        answers: link.answers,
        service_name: incident.service.as_deref().map(|id| pieces::service(&org, id)),
        runbooks: runbooks(&org, &incident, &alerts),
        paged: paged(&org, &explained.page.messages),
        declined_at: declined_at(&explained.lines, &link.person),
        next_people: queries.calls_next(&page).await?.iter().map(|id| pieces::name(&org, id)).collect(),
        steps_on: queries.calls_next(&goes_on(&page, when.now)).await?,
        person: link.person.clone(),
        when,
        page,
        incident,
        alerts,
        standing,
        step_due_at,
        expectations,
        others,
        lost,
    })
}

/// The page as it would be, had nobody answered it yet.
fn goes_on(page: &Page, now: Timestamp) -> Page {
    Page { status: Status::Running, due_at: page.due_at.or(Some(now)), ..page.clone() }
}

/// The other running pages of the incident that reach somebody.
fn others(org: &Org, own: &Page, pages: &[PageView]) -> Vec<Other> {
    let running = pages.iter().filter(|page| page.id != own.id.to_string() && page.status == Status::Running);
    let other = |page: &PageView| {
        let mut people: Vec<String> = page.messages.iter().map(|message| pieces::name(org, &message.person)).collect();
        people.sort();
        people.dedup();
        Other { people, because: reason::told(&page.because).map(str::to_owned) }
    };
    running.map(other).filter(|other| !other.people.is_empty()).collect()
}

/// Who had what nobody has any more, while it is worked on.
async fn lost(queries: &Queries<'_>, org: &Org, page: &Page, incident: &IncidentView) -> Result<Option<Lost>, NoAnswer> {
    let is_taken = matches!(incident.state, State::Investigating | State::Mitigated);
    let Some(by) = page.acknowledged_by.as_ref().or(incident.acknowledged_by.as_ref()).filter(|_| is_taken) else { return Ok(None) };
    if queries.is_held(page.incident_id()).await? {
        return Ok(None);
    }
    let (end, _) = log::tail(queries, page.incident_id()).await?;
    let why = end.iter().rev().find(|event| event.kind == "acknowledgement_aged").and_then(|event| text(event, "why"));
    Ok(Some(Lost { who: pieces::name(org, by), why: why.map(str::to_owned) }))
}

async fn standing(
    queries: &Queries<'_>,
    org: &Org,
    page: &Page,
    incident: &IncidentView,
    lines: &[EventView],
    person: &str,
) -> Result<Standing, NoAnswer> {
    if !incident.state.is_open() {
        let (end, _) = log::tail(queries, page.incident_id()).await?;
        let ending = end.into_iter().rev().find(|e| timeline::is(&e.kind, Mark::Ends));
        let by_itself = ending.as_ref().is_some_and(|e| flag(e, "by_itself"));
        let what = match incident.state {
            _ if by_itself => "It recovered by itself".to_owned(),
            State::Cancelled if incident.exercise && page.reached.is_some() => "You are reached: the test page was answered".to_owned(),
            State::Cancelled if incident.exercise && page.status == Status::Acknowledged => {
                "The test is over: it was acknowledged, not by its message".to_owned()
            }
            State::Cancelled if incident.exercise => "The test is over: nobody answered it in time".to_owned(),
            State::Cancelled => "It was cancelled: there is no incident".to_owned(),
            State::Merged => {
                let into = ending.as_ref().and_then(|e| text(e, "ref")).unwrap_or("another incident").to_owned();
                format!("It was merged into {into}")
            }
            State::Closed => "It is closed".to_owned(),
            _ => "It is resolved".to_owned(),
        };
        let who = ending.as_ref().filter(|_| !by_itself).map(|e| actor(org, &e.actor));
        return Ok(Standing::Over { what, who, at: ending.map(|e| e.at).or(incident.resolved_at) });
    }
    let taken = matches!(incident.state, State::Investigating | State::Mitigated);
    // One of several who have to has acknowledged, and the others are asked still: to this one it is theirs.
    if taken && page.is_answered_in_part() && page.answered.iter().any(|by| by == person) {
        let mine = |line: &&EventView| line.kind == "page_acknowledged_in_part" && text(line, "by") == Some(person);
        let at = lines.iter().rev().find(mine).map(|line| line.at);
        let mine = queries.held_by_asker(&incident.reference).await?.is_some();
        return Ok(Standing::Taken { by: Some(person.to_owned()), who: pieces::name(org, person), at, mine });
    }
    // Whoever answered the page may have lost or given back the incident since.
    let holds = queries.held_by_asker(&incident.reference).await?.is_some();
    if page.status == Status::Acknowledged && taken {
        let line = lines.iter().rev().find(|e| e.kind == "page_acknowledged");
        let by = page.acknowledged_by.clone();
        let who =
            by.as_deref().map_or_else(|| line.map_or_else(|| "somebody".into(), |e| actor(org, &e.actor)), |id| pieces::name(org, id));
        let mine = holds && by.as_deref() == Some(person);
        return Ok(Standing::Taken { by, who, at: line.map(|e| e.at).or(page.ended_at), mine });
    }
    if taken && page.status != Status::Running {
        let by = incident.acknowledged_by.clone();
        let who = by.as_deref().map_or_else(|| "somebody".into(), |id| pieces::name(org, id));
        let mine = holds && by.as_deref() == Some(person);
        return Ok(Standing::Taken { by, who, at: incident.acknowledged_at, mine });
    }
    Ok(Standing::Open)
}

fn text<'a>(event: &'a EventView, key: &str) -> Option<&'a str> {
    event.body.as_ref()?.get(key)?.as_str()
}

fn flag(event: &EventView, key: &str) -> bool {
    event.body.as_ref().and_then(|b| b.get(key)).and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// Who acted, in words.
fn actor(org: &Org, actor: &str) -> String {
    match actor.split_once(':') {
        Some(("person", id)) => pieces::name(org, id),
        Some(("integration", id)) => format!("the sender {id}"),
        Some(("organisation", _)) => format!("{}, by its guest link", pieces::name(org, actor)),
        Some(_) => "somebody with an API token".into(),
        None if actor == "administrator" => "an administrator".into(),
        None => "All Clear".into(),
    }
}

fn declined_at(lines: &[EventView], person: &str) -> Option<Timestamp> {
    lines.iter().rev().find(|e| e.kind == "declined" && text(e, "by") == Some(person)).map(|e| e.at)
}

/// Everybody this page told or tried to tell, in that order, each with the best that was reached.
fn paged(org: &Org, messages: &[MessageView]) -> Vec<Paged> {
    let mut out: Vec<(u8, Paged)> = Vec::new();
    for message in messages {
        let (rank, words) = match message.state {
            MessageState::Delivered => (3, "told"),
            MessageState::Queued | MessageState::Claimed if message.last_error.is_some() => (2, "not reached yet, still trying"),
            MessageState::Queued | MessageState::Claimed | MessageState::Accepted => (2, "being told"),
            MessageState::Withdrawn => (1, "not told, no longer needed"),
            MessageState::Rejected => (0, "could not be reached"),
        };
        match out.iter_mut().find(|(_, paged)| paged.id == message.person) {
            Some(known) if known.0 >= rank => {}
            Some(known) => (known.0, known.1.words) = (rank, words),
            None => out.push((rank, Paged { id: message.person.clone(), name: pieces::name(org, &message.person), words })),
        }
    }
    out.into_iter().map(|(_, paged)| paged).collect()
}

/// What to do about it: the service's runbook, then those that came with alerts. Each once.
fn runbooks(org: &Org, incident: &IncidentView, alerts: &[AlertView]) -> Vec<String> {
    /// More would be no runbook but a library.
    const RUNBOOKS_MAX: usize = 3;
    let own = incident.service.as_deref().and_then(|id| org.service(id)).and_then(|service| service.runbook.clone());
    let sent = alerts.iter().filter_map(|alert| {
        let annotations = alert.detail.get("annotations")?;
        annotations.get("runbook_url").or_else(|| annotations.get("runbook"))?.as_str().map(str::to_owned)
    });
    let linked = alerts.iter().filter_map(|alert| alert.detail.get("links")?.as_array()).flatten().filter_map(|link| {
        let words = link.get("text")?.as_str()?.to_ascii_lowercase();
        words.contains("runbook").then(|| link.get("href")?.as_str().map(str::to_owned)).flatten()
    });
    let mut out: Vec<String> = Vec::new();
    for href in own.into_iter().chain(sent).chain(linked) {
        let href = href.trim();
        if !href.is_empty() && out.len() < RUNBOOKS_MAX && !out.iter().any(|known| known == href) {
            out.push(href.to_owned());
        }
    }
    out
}
