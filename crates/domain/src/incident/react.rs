//! What an event of an incident opens and settles. Pure; a rebuild runs the same function with
//! sending off.

use jiff::Timestamp;

use super::event::Event;
use super::types::{Incident, State};
use crate::expect::{CANDIDATE_WITHIN, CONFIRM_RECOVERY_WITHIN, Expectation, Owner, Rule, Settle, Standing};

/// Keys of an incident's expectations.
pub const KEY_CANDIDATE: &str = "candidate";
pub const KEY_GROUP_WAIT: &str = "group_wait";
pub const KEY_CONFIRM: &str = "confirm_recovery";
pub const KEY_DIGEST: &str = "alerts_digest";

/// What follows from `event`, given the state after it.
#[must_use]
pub fn react(incident: &Incident, event: &Event, version: u64, at: Timestamp) -> (Vec<Expectation>, Vec<Settle>) {
    let owner = Owner::Incident(incident.id);
    let mut opened = Vec::new();
    let mut settled = Vec::new();
    let mut open = |key: &str, rule: Rule, length| {
        let mut expectation = Expectation::open(owner, key.to_owned(), rule, Some(incident.id), format!("{owner}@{version}"), at, length);
        // A recovery may be asked about more than once; the version keeps the times apart.
        expectation.occurrence = u32::try_from(version).unwrap_or(u32::MAX);
        opened.push(expectation);
    };
    let mut settle = |key: Option<&str>, standing: Standing, why: &'static str| {
        settled.push(Settle { owner, key: key.map(ToOwned::to_owned), standing, why });
    };
    match event {
        Event::Proposed(_) => open(KEY_CANDIDATE, Rule::Candidate, CANDIDATE_WITHIN),
        Event::Declared(body) if !body.group_wait.is_zero() => open(KEY_GROUP_WAIT, Rule::GroupWait, body.group_wait),
        Event::Promoted(_) => settle(Some(KEY_CANDIDATE), Standing::Met, "it was declared"),
        // Also where a sender acknowledged without a name and nobody can be asked: the log says
        // then that nobody confirmed. What resolves by itself is resolved by the next event.
        Event::Recovered(_) if matches!(incident.state, State::Investigating | State::Mitigated) => {
            open(KEY_CONFIRM, Rule::ConfirmRecovery, CONFIRM_RECOVERY_WITHIN);
        }
        Event::AlertsTold(body) if body.joined > 0 && body.open > 0 => settle(Some(KEY_CONFIRM), Standing::Void, "another alert joined"),
        Event::Resolved(_) => {
            settle(Some(KEY_CONFIRM), Standing::Met, "it was resolved");
            settle(None, Standing::Void, "it was resolved");
        }
        Event::Cancelled(_) => {
            settle(Some(KEY_CANDIDATE), Standing::Met, "it was cancelled");
            settle(None, Standing::Void, "it was cancelled");
        }
        Event::Merged(_) => settle(None, Standing::Void, "it was merged"),
        Event::Acknowledged(_) => settle(Some(KEY_GROUP_WAIT), Standing::Void, "somebody is on it"),
        _ => {}
    }
    (opened, settled)
}
