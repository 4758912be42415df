//! Reports from outside, by a form that needs no sign-in ([`allclear_domain::org::forms::report_form`]), and their receipts.
//!
//! A report is an alert of its form: triage judges it as any other, and many of one service are one incident. Whoever sent it holds
//! a receipt, whose link is signed as those in messages are, and learns how it stands in words that say nothing of the inside.
//!
//! What bounds it: how many one address sends (in memory, as tries of passwords: a restart forgives, and each node counts for
//! itself), how many one form takes in an hour and in a day, and how many incidents come of them in an hour (both counted in the
//! store, so that neither a restart nor another node forgets). What comes beyond that joins the others; nothing is thrown away
//! that was taken.

use std::net::IpAddr;

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::clean::{clean, says_something};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::reporting::WordOf;
use allclear_domain::incident::{self, Incident, State, reports};
use allclear_domain::org::model::{REPORT_KIND, ReportForm};
use allclear_domain::org::snapshot::Org;
use allclear_domain::signal::{Alert, REPORTS_TOGETHER, triage};
use allclear_domain::time::{Length, after, before};
use allclear_domain::wire::{Labels, SenderSeverity, Signal, SignalAction};
use allclear_store::rows;
use jiff::Timestamp;

use crate::core::{Arrived, Command, Input, Once, Refusal, as_signal};
use crate::engine::Engine;
use crate::message_link::receipts::BadReceipt;
use crate::read::NoAnswer;
use crate::reporting::{OF_ADDRESS_MAX, OF_RECEIPT_MAX, network, too_often};

/// Longest text of a report, in characters; longer ones are cut, and the receipt says so.
pub const WHAT_CHARS_MAX: usize = 4_000;
/// Longest line of a report, in characters: where, since when, how to be reached.
pub const LINE_CHARS_MAX: usize = 200;
/// Characters of its first line that become the title of what comes of it.
const TITLE_CHARS: usize = 120;
/// An hour, in which a form's reports and what comes of them are counted.
const HOUR: Length = Length::from_secs(3_600);
/// A day, likewise.
const DAY: Length = Length::from_secs(24 * 3_600);
/// As many hours' worth of reports one form takes in a day.
pub const DAILY_TIMES: u32 = 5;
/// Incidents that come of one form's reports in an hour; each pages once by its policy. What comes beyond joins the last of them.
pub const INCIDENTS_HOURLY_MAX: usize = 4;
/// Merges that a receipt follows.
const MERGES_FOLLOWED: usize = 8;
/// How bad it is for whoever reports, in their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowBad {
    Danger,
    Stopped,
    Hindered,
    Noticed,
}

impl HowBad {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::Danger, Self::Stopped, Self::Hindered, Self::Noticed];

    /// As sent.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Stopped => "stopped",
            Self::Hindered => "hindered",
            Self::Noticed => "noticed",
        }
    }
    /// As people choose it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Danger => "Somebody is in danger, or may be soon",
            Self::Stopped => "I cannot go on",
            Self::Hindered => "I can go on, with trouble",
            Self::Noticed => "I only noticed it",
        }
    }
    /// Of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
    const fn severity(self) -> SenderSeverity {
        match self {
            Self::Danger => SenderSeverity::Critical,
            Self::Stopped => SenderSeverity::Error,
            Self::Hindered => SenderSeverity::Warning,
            Self::Noticed => SenderSeverity::Info,
        }
    }
}

/// What somebody reports.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub what: String,
    /// A word of [`HowBad`].
    pub how_bad: String,
    pub service: Option<String>,
    pub place: Option<String>,
    pub since: Option<String>,
    pub contact: Option<String>,
    /// From where it comes.
    pub address: Option<IpAddr>,
    /// The same for the same report, where it can be told.
    pub number: Option<u128>,
}

/// Why a report is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotTaken {
    #[error("there is no such report form")]
    NoForm,
    /// What is wrong with which field.
    #[error("{why}")]
    Field { field: &'static str, why: String },
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

/// How a report stands, for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportStands {
    Received,
    OnIt,
    Fixed,
    Closed,
    /// Looked at, and nothing was found.
    Dropped,
}

impl ReportStands {
    /// As programs read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::OnIt => "on_it",
            Self::Fixed => "fixed",
            Self::Closed => "closed",
            Self::Dropped => "nothing_found",
        }
    }
    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Received => "Received",
            Self::OnIt => "Somebody is on it",
            Self::Fixed => "Said to be fixed",
            Self::Closed => "Closed",
            Self::Dropped => "Looked at: nothing is wrong now",
        }
    }
    fn of(incident: &Incident) -> Self {
        match incident.state {
            State::Candidate | State::Declared | State::Investigating | State::Mitigated | State::Merged if !incident.is_held() => {
                Self::Received
            }
            State::Candidate | State::Declared | State::Investigating | State::Mitigated | State::Merged => Self::OnIt,
            State::Resolved => Self::Fixed,
            State::Closed => Self::Closed,
            State::Cancelled => Self::Dropped,
        }
    }
}

/// What whoever reported sees.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub reference: String,
    pub form: String,
    pub what: String,
    /// Whether only its beginning was taken.
    pub cut: bool,
    pub at: Timestamp,
    pub stands: ReportStands,
    /// What was said: whether it is ours, the text, when.
    pub words: Vec<(bool, String, Timestamp)>,
    /// Whether something may be added.
    pub takes_words: bool,
    /// Whether they are asked if it is fixed: until when they may say that it is not.
    pub asked_until: Option<Timestamp>,
    /// Whether they said that it is.
    pub agreed: bool,
    /// Whether what comes of it is not shown.
    pub hidden: bool,
}

/// What somebody does behind a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptAct {
    Say(String),
    Fixed,
    NotFixed(Option<String>),
}

impl Engine {
    /// Takes a report by a form; its receipt's address.
    ///
    /// # Errors
    /// What is wrong with it, or why no more is taken now.
    pub async fn report(&self, form: &str, report: Report) -> Result<(String, String), NotTaken> {
        let org = self.org();
        let form = org.report_form(form).ok_or(NotTaken::NoForm)?;
        let number = report.number.unwrap_or_else(|| self.fresh_id());
        let reference = reference(number);
        let mut signal = signal_of(&org, form, &report, &reference)?;
        let of_address = report.address.map(network);
        let counted = |found: Option<Alert>| found.map(|alert| (alert.dedup_key, self.links().receipt_url(alert.id)));
        if let Some(known) = counted(self.reported(&form.id, &reference).await?) {
            return Ok(known);
        }
        if let Some(address) = &of_address {
            self.shared.reporting.count(address, OF_ADDRESS_MAX, "reports from one address", self.now())?;
        }
        let taken = async {
            let _turn = self.shared.reporting.turn.lock().await;
            self.find_room(&org, form, &mut signal).await?;
            let body = serde_json::json!({"what": signal.title, "said": signal.description, "how_bad": report.how_bad,
                "service": signal.service, "annotations": signal.annotations});
            let arrived = Arrived {
                integration: form.id.clone(),
                format: REPORT_KIND,
                received_at: self.now(),
                body: body.to_string(),
                signals: vec![signal],
                kept: None,
            };
            for reply in self.accept(arrived).await? {
                reply?;
            }
            counted(self.reported(&form.id, &reference).await?).ok_or(Refusal::NoSuchAlert)
        };
        taken.await.map_err(|refusal: Refusal| {
            if let Some(address) = &of_address {
                self.shared.reporting.forget(address);
            }
            refusal.into()
        })
    }

    async fn reported(&self, form: &str, reference: &str) -> Result<Option<Alert>, Refusal> {
        rows::alert::report(self.db(), Some(form), reference).await.map_err(unavailable)
    }

    /// Where it may go: into the open incident of its group, or one of its own as long as few came of reports lately, else in with
    /// the rest.
    async fn find_room(&self, org: &Org, form: &ReportForm, signal: &mut Signal) -> Result<(), Refusal> {
        let now = self.now();
        let hourly = usize::try_from(form.reports_hourly()).unwrap_or(usize::MAX);
        let daily = hourly.saturating_mul(DAILY_TIMES as usize);
        let limit = i64::try_from(daily).unwrap_or(i64::MAX);
        let of_day = rows::alert::reports_since(self.db(), &form.id, before(now, DAY), limit).await.map_err(unavailable)?;
        if of_day.len() >= daily
            && let Some((first, _)) = of_day.last()
        {
            return Err(too_often("reports by one form", daily, DAY, *first, now));
        }
        let since = before(now, HOUR);
        let of_hour: Vec<_> = of_day.iter().filter(|(at, _)| *at > since).collect();
        if let Some((first, _)) = of_hour.get(hourly.saturating_sub(1)).filter(|_| of_hour.len() >= hourly) {
            return Err(too_often("reports by one form", hourly, HOUR, *first, now));
        }
        let mut incidents: Vec<(IncidentId, Timestamp)> = Vec::new();
        for (at, incident) in &of_hour {
            if let Some(id) = incident {
                match incidents.iter_mut().find(|(known, _)| known == id) {
                    Some((_, first)) => *first = *at,
                    None => incidents.push((*id, *at)),
                }
            }
        }
        let sender = form.as_sender();
        let is_open = async |signal: &Signal| match triage(org, &sender, signal, now, false).group_key {
            Some(key) => Ok::<_, Refusal>(rows::incident::by_group(self.db(), &key).await.map_err(unavailable)?.is_some()),
            None => Ok(false),
        };
        if incidents.len() + 1 < INCIDENTS_HOURLY_MAX || is_open(signal).await? {
            return Ok(());
        }
        signal.labels.insert(REPORTS_TOGETHER.to_owned(), "yes".to_owned());
        if incidents.len() < INCIDENTS_HOURLY_MAX || is_open(signal).await? {
            return Ok(());
        }
        let first = incidents.iter().map(|(_, first)| *first).min().unwrap_or(now);
        Err(too_often("incidents that come of reports by one form", INCIDENTS_HOURLY_MAX, HOUR, first, now))
    }

    /// How a report stands, for whoever holds its receipt.
    ///
    /// # Errors
    /// Why the receipt does not work.
    pub async fn report_receipt(&self, token: &str) -> Result<Receipt, BadReceipt> {
        let (alert, incident) = self.open_receipt(token).await?;
        let signal = as_signal(&alert);
        let hidden = incident.as_ref().is_some_and(|one| one.hidden);
        let shown = incident.as_ref().filter(|one| !one.hidden).map(|one| &one.state);
        let words = shown.map(|state| {
            let one = |word: &incident::reporting::Word| (word.of == WordOf::Us, word.text.clone(), word.at);
            state.work.reports.read_by(alert.id).map(one).collect()
        });
        let asked_until = shown.filter(|state| matches!(state.state, State::Resolved | State::Closed)).and_then(|state| {
            let until = after(state.resolved_at?, reports::REOPEN_WITHIN);
            (until > self.now() && state.work.reports.reopened < reports::REOPENED_BY_REPORTERS_MAX).then_some(until)
        });
        let org = self.org();
        Ok(Receipt {
            reference: alert.dedup_key.clone(),
            form: org.report_form(&alert.integration).map_or_else(String::new, |form| form.name.clone()),
            what: signal.description.unwrap_or(signal.title),
            cut: !signal.notes.is_empty(),
            at: alert.opened_at,
            stands: shown.map_or(ReportStands::Received, ReportStands::of),
            words: words.unwrap_or_default(),
            takes_words: shown.is_some_and(|state| state.state.is_open() || state.state == State::Resolved),
            asked_until,
            agreed: shown.is_some_and(|state| state.work.reports.agreed.contains(&alert.id)),
            hidden,
        })
    }

    /// Does what whoever holds a receipt asks.
    ///
    /// # Errors
    /// Why it does not work, or why not.
    pub async fn act_by_receipt(&self, token: &str, act: ReceiptAct, once: Option<Once>) -> Result<(), ReceiptNo> {
        let (alert, incident) = self.open_receipt(token).await?;
        let Some(Came { id, hidden: false, .. }) = incident else { return Err(ReceiptNo::Refusal(Refusal::NoSuchIncident)) };
        let report = alert.id;
        self.shared.reporting.count(&format!("receipt {report}"), OF_RECEIPT_MAX, "entries behind one receipt", self.now())?;
        let tidy = |text: String| clean(&text).trim().to_owned();
        let command = match act {
            ReceiptAct::Say(text) => reports::Command::Say { report, text: tidy(text) },
            ReceiptAct::Fixed => reports::Command::Agree { report },
            ReceiptAct::NotFixed(text) => reports::Command::Dispute { report, text: text.map(tidy) },
        };
        let who = Principal::new(Actor::Integration(alert.integration), Scope::Read);
        let input = Input { who, cause: REPORT_KIND.to_owned(), once, command: Command::incident(id, command) };
        self.ask(input).await?;
        Ok(())
    }

    /// The report of a receipt, and what came of it, wherever it was merged to.
    async fn open_receipt(&self, token: &str) -> Result<(Alert, Option<Came>), BadReceipt> {
        let id = self.links().receipt(token)?;
        let alert = rows::alert::get(self.db(), id).await.map_err(NoAnswer::from)?.ok_or(BadReceipt::Unknown)?;
        if after(alert.opened_at, crate::message_link::receipts::RECEIPT_LIFE) <= self.now() {
            return Err(BadReceipt::Over);
        }
        let (mut next, mut came) = (alert.incident, None);
        let mut hidden = false;
        for _ in 0..MERGES_FOLLOWED {
            let Some(id) = next else { break };
            let Some((state, _)) = rows::incident::get(self.db(), id).await.map_err(NoAnswer::from)? else { break };
            hidden |= state.private;
            next = state.merged_into;
            came = Some(Came { id, state, hidden });
        }
        Ok((alert, came))
    }
}

/// What came of a report.
struct Came {
    id: IncidentId,
    state: Incident,
    /// Whether it, or what was merged into it on the way, is private.
    hidden: bool,
}

/// Why nothing was done behind a receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptNo {
    #[error(transparent)]
    Receipt(#[from] BadReceipt),
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

fn unavailable(fault: allclear_store::Fault) -> Refusal {
    Refusal::Unavailable(fault.to_string())
}

/// `R-7F3K9Q2M`: to be said over a telephone, so that no letter looks like another.
fn reference(number: u128) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letter = |at: u32| char::from(LETTERS[usize::try_from((number >> (5 * at)) & 31).unwrap_or(0)]);
    format!("R-{}", (0..10).map(letter).collect::<String>())
}

/// Whether something looks like the reference of a report.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    text.len() == 12
        && text.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("R-"))
        && text[2..].bytes().all(|b| b.is_ascii_alphanumeric())
}

/// One line of what was written: nothing where it says nothing.
fn line(text: Option<&String>) -> Option<String> {
    let text = clean(text?).split_whitespace().collect::<Vec<_>>().join(" ");
    says_something(&text).then_some(text)
}

fn signal_of(org: &Org, form: &ReportForm, report: &Report, reference: &str) -> Result<Signal, NotTaken> {
    let wrong = |field: &'static str, why: &str| NotTaken::Field { field, why: why.to_owned() };
    let what = clean(&report.what);
    let what = what.trim();
    if !says_something(what) {
        return Err(wrong("what", "Say in a few words what is wrong."));
    }
    let bad = HowBad::from_word(&report.how_bad).ok_or_else(|| wrong("how_bad", "Choose how bad it is for you."))?;
    let service = report.service.as_ref().filter(|service| !service.is_empty());
    if service.is_some_and(|service| !form.services.contains(service) || org.service(service).is_none()) {
        return Err(wrong("service", "Choose one of the list, or none."));
    }
    let mut annotations = Labels::new();
    let lines = [
        (form.asks_for_place(), "where", &report.place, "Say in one line where it is."),
        (form.asks_for_place(), "since", &report.since, "Say in one line since when."),
        (form.asks_for_contact(), "contact", &report.contact, "Give one address or number."),
    ];
    for (asks, name, given, why) in lines {
        let Some(text) = line(given.as_ref()).filter(|_| asks) else { continue };
        if text.chars().count() > LINE_CHARS_MAX {
            return Err(wrong(name, why));
        }
        annotations.insert(name.to_owned(), text);
    }
    let said: String = what.chars().take(WHAT_CHARS_MAX).collect();
    let is_cut = said.len() < what.len();
    let first = said.lines().find(|line| says_something(line)).unwrap_or(&said).split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = first.chars().take(TITLE_CHARS).collect();
    Ok(Signal {
        action: SignalAction::Trigger,
        dedup_key: reference.to_owned(),
        title,
        description: Some(said),
        source: Some(rows::alert::REPORTED.to_owned()),
        service: service.cloned(),
        severity: Some(bad.severity()),
        labels: Labels::from([("how_bad".to_owned(), bad.word().to_owned())]),
        annotations,
        starts_at: None,
        ends_at: None,
        links: Vec::new(),
        notes: is_cut.then(|| format!("cut at {WHAT_CHARS_MAX} characters")).into_iter().collect(),
    })
}

impl Engine {
    /// What came of the report of a reference, for the search.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn incident_of_report(&self, reference: &str) -> Result<Option<IncidentId>, NoAnswer> {
        if !is_reference(reference) {
            return Ok(None);
        }
        Ok(rows::alert::report(self.db(), None, &reference.to_ascii_uppercase()).await?.and_then(|alert| alert.incident))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_can_be_said_and_is_known_again() {
        let made = reference(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert!(is_reference(&made) && is_reference(&made.to_lowercase()), "{made}");
        for other in ["INC-1", "R-", "R-12345678901", "R-12345 7890", "é-1234567890"] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
