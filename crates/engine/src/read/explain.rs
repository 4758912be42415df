//! Why somebody was, or would be, paged. What would happen is not guessed at here: it is what `paging` and `triage` decide.

use allclear_domain::event::Stream;
use allclear_domain::ids::PageId;
use allclear_domain::org::model::Declare;
use allclear_domain::org::snapshot::Org;
use allclear_domain::paging::{self, Facts, Turns};
use allclear_domain::signal::triage;
use allclear_domain::view::{PageExplanation, PersonExplanation, SignalExplanation, StepExplanation};
use allclear_domain::wire::Signal;
use allclear_store::rows;
use jiff::Timestamp;

use crate::read::{NoAnswer, Queries, decision_word};

impl Queries<'_> {
    /// Why somebody was, or was not, paged: the facts of a page's log, a sentence each.
    ///
    /// # Errors
    /// When there is none.
    pub async fn explain_page(&self, id: PageId) -> Result<PageExplanation, NoAnswer> {
        let page = self.page(id).await?;
        let events = rows::event::of_stream(self.db(), &Stream::Page(id).to_string(), 0, 1000).await?;
        Ok(PageExplanation { page, lines: events.iter().map(|e| self.event_view(e)).collect() })
    }

    /// Who would be paged for these signals of an integration, were they to arrive now, and why.
    ///
    /// # Errors
    /// When there is no such integration, or the asker may not see the organisation.
    pub async fn explain_signals(&self, integration: &str, signals: &[Signal]) -> Result<Vec<SignalExplanation>, NoAnswer> {
        let org = self.organisation()?;
        let form = org.integration(integration).ok_or(NoAnswer::Missing("integration"))?;
        let now = self.engine.now();
        let mut out = Vec::with_capacity(signals.len());
        for signal in signals {
            let judged = triage(&org, form, signal, now, true);
            let wakes = judged.suppressed.is_none() && judged.decision == Declare::Declare;
            let facts = Facts { severity: judged.severity, service: judged.service.clone(), kind: judged.kind.clone() };
            let pages = if wakes { self.explain_policy(&org, judged.escalation.as_deref(), &facts, now).await? } else { Vec::new() };
            out.push(SignalExplanation {
                integration: integration.to_owned(),
                dedup_key: signal.dedup_key.clone(),
                title: judged.title,
                steps: judged.steps,
                decision: decision_word(judged.decision).to_owned(),
                severity: judged.severity,
                service: judged.service,
                escalation: judged.escalation,
                silenced_by: judged.suppressed.map(|s| s.silence),
                pages,
            });
        }
        Ok(out)
    }

    /// Whom a policy would page and when, were a page to start now for such an incident and nobody to acknowledge.
    pub(crate) async fn explain_policy(
        &self,
        org: &Org,
        policy: Option<&str>,
        facts: &Facts,
        now: Timestamp,
    ) -> Result<Vec<StepExplanation>, NoAnswer> {
        let turns = match policy.and_then(|id| org.escalation(id)).filter(|form| form.takes_turns()) {
            Some(form) => rows::turn::get(self.db(), &form.id).await?.0,
            None => Turns::default(),
        };
        Ok(explain_policy(org, policy, facts, &turns, now))
    }
}

/// Whom a policy would page and when, were a page to start now and nobody to acknowledge.
fn explain_policy(org: &Org, policy: Option<&str>, facts: &Facts, turns: &Turns, now: Timestamp) -> Vec<StepExplanation> {
    let steps = paging::foresee(org, policy, facts, turns, now);
    let last = |step: u32, round: u32| match (policy.and_then(|id| org.escalation(id)), round) {
        (Some(form), _) if step as usize > form.steps.len() => "catch-all".to_owned(),
        (_, 1) => format!("step {step}"),
        _ => format!("round {round}, step {step}"),
    };
    let explained = |(at, event): (Timestamp, paging::Event)| match event {
        paging::Event::StepReached(body) => {
            let name = if body.catch_all { "catch-all".to_owned() } else { last(body.step, body.round) };
            let passed = body.passed_over.into_iter();
            let passed = passed.map(|one| PersonExplanation { person: one.person, via: one.why, contacts: Vec::new() });
            let people = body.people.into_iter().map(explain_person).chain(passed).collect();
            Some(StepExplanation { name, round: body.round, after: waited(now, at), people, why_nobody: None })
        }
        paging::Event::StepEmpty(body) => {
            let name = last(body.step, body.round);
            Some(StepExplanation { name, round: body.round, after: waited(now, at), people: Vec::new(), why_nobody: Some(body.why) })
        }
        // What it is about is known, and nobody answers.
        paging::Event::Started(_)
        | paging::Event::Told(_)
        | paging::Event::NoticeRaised(_)
        | paging::Event::SendAccepted(_)
        | paging::Event::Delivered(_)
        | paging::Event::SendDelayed(_)
        | paging::Event::SendFailed(_)
        | paging::Event::SendInDoubt(_)
        | paging::Event::Acknowledged(_)
        | paging::Event::AcknowledgedInPart(_)
        | paging::Event::TakenBack(_)
        | paging::Event::Declined(_)
        | paging::Event::Exhausted(_)
        | paging::Event::CameBack(_)
        | paging::Event::Stopped(_)
        | paging::Event::ConfirmationAsked(_)
        | paging::Event::LevelAnswered(_)
        | paging::Event::AnsweredLate(_)
        | paging::Event::DrillEnded(_)
        | paging::Event::Resumed(_) => None,
    };
    steps.into_iter().filter_map(explained).collect()
}

/// Minutes and seconds after the page starts.
fn waited(from: Timestamp, at: Timestamp) -> String {
    let waited = at.duration_since(from).as_secs();
    format!("{}:{:02}", waited / 60, waited % 60)
}

/// How one person would be told: at once, or so long after the page reaches them.
fn explain_person(reached: paging::Reached) -> PersonExplanation {
    let way = |entry: paging::PlannedEntry| {
        let when = if entry.message.is_some() { "at once".to_owned() } else { format!("after {}", entry.after) };
        format!("{} {} {when}", entry.channel, entry.contact)
    };
    PersonExplanation { person: reached.person, via: reached.via, contacts: reached.entries.into_iter().map(way).collect() }
}
