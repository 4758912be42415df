//! Silences over what fires already, and alerts that come back: what must be true of them, said from the
//! organisation's silences and the alerts' rows, without the rules that carry it out.

use allclear_domain::expect::{Owner, Rule, Standing};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::{Incident, State};
use allclear_domain::org::model::{Bundle, Declare, Silence};
use allclear_domain::signal::{Alert, Ended};
use allclear_domain::time::after;
use allclear_store::rows;
use jiff::Timestamp;

use crate::orgs::Expected;
use crate::ports::block_on;
use crate::world::World;

/// Open alerts read of a world at most.
const ALERTS_MAX: i64 = 100_000;

/// Whether a silence of the one form made here holds an alert.
fn is_silenced(org: &Bundle, alert: &Alert, now: Timestamp) -> bool {
    // Labels are stored as JSON, silences are matchers: `"host":"h3"` and `host="h3"`.
    let holds = |s: &Silence| alert.detail.contains(&s.matches.replacen("host=", "\"host\":", 1));
    org.silences.iter().any(|s| holds(s) && s.starts_at <= now && now < s.ends_at)
}

impl World {
    /// I13: where nothing is due any more, each open alert is held exactly while a silence says so.
    pub(crate) fn check_silences(&mut self) {
        let is_due = block_on(rows::expectation::next_look(&self.db)).ok().flatten().is_some_and(|at| at <= self.now);
        if is_due || self.nodes.iter().any(|node| !node.alive) {
            return;
        }
        for alert in block_on(rows::alert::open_whole_after(&self.db, "", ALERTS_MAX)).map(|(found, _)| found.read).unwrap_or_default() {
            let wanted = is_silenced(self.org.bundle(), &alert, self.now);
            if alert.suppressed.is_some() != wanted {
                let is = if wanted { "is not held and a silence matches it" } else { "is held and no silence matches it" };
                self.fail("I13 a silence holds what it matches, and nothing else", format!("{} {is}", alert.id));
            }
        }
    }

    /// I13 of one incident: held while silences hold every open alert, and then nobody is paged and somebody will
    /// look at it; free else.
    pub(crate) fn check_silenced(&mut self, id: IncidentId, incident: &Incident) {
        let expectations = block_on(rows::expectation::of_owner(&self.db, Owner::Incident(id))).unwrap_or_default();
        let live = |rule: Rule| expectations.iter().filter(|e| e.rule == rule && e.standing == Standing::Live).count();
        if live(Rule::Silenced) != usize::from(incident.alarms.is_held()) {
            self.fail("I1 what is held is looked at", format!("{id} is {:?} and has {}", incident.alarms, live(Rule::Silenced)));
        }
        if live(Rule::Flapping) != usize::from(incident.alarms.flapping.is_some()) {
            self.fail("I1 what flaps is looked at", format!("{id} is {:?} and has {}", incident.alarms, live(Rule::Flapping)));
        }
        if !incident.state.is_open() {
            return;
        }
        let (open, held, _) = block_on(rows::alert::held(&self.db, id)).unwrap_or_default();
        let all_held = open > 0 && open == held;
        // Where nodes share a store two of them may each see the other's alert as it was: that pages, rather than not.
        // What a person declared is theirs to end: no silence of an alert that was linked to it holds it.
        let may_page = self.shared || incident.is_a_persons_word();
        if incident.alarms.is_held() && !all_held || all_held && !incident.alarms.is_held() && !may_page {
            self.fail("I13 an incident is held while all of its alerts are", format!("{id}: {held} of {open}, {:?}", incident.alarms));
        }
        if incident.alarms.is_held() {
            self.reached("silences held an incident that had paged");
        }
    }

    /// I13: an alert that comes back within its grace joins the incident it had, unless somebody ended that by
    /// hand.
    pub(crate) fn check_return(&mut self, alert: &Alert, wanted: &Expected) {
        if alert.returns > 0 {
            self.reached("an alert came back to its incident");
        }
        if wanted.silenced || wanted.decision == Declare::Record || wanted.group.is_some() || self.shared {
            return;
        }
        let all = block_on(rows::alert::list(
            &self.db,
            &rows::alert::Filter {
                integration: Some(alert.integration.clone()),
                reach: allclear_domain::access::Reach::all(),
                ..Default::default()
            },
            ALERTS_MAX,
        ))
        .unwrap_or_default();
        let earlier: Vec<&Alert> = all.iter().filter(|other| other.dedup_key == alert.dedup_key && other.id != alert.id).collect();
        let Some(last) = earlier.iter().max_by_key(|other| (other.ended_at, other.id)) else { return };
        // Of several that ended at one instant nobody can tell which was the last.
        if earlier.iter().any(|other| other.ended_at == last.ended_at && other.incident == alert.incident) {
            return;
        }
        let (Some(ended_at), Some(had)) = (last.ended_at, last.incident) else { return };
        if last.ended == Some(Ended::WithIncident) || after(ended_at, wanted.grace) < self.now || wanted.grace.is_zero() {
            return;
        }
        let Some((incident, _)) = block_on(rows::incident::get(&self.db, had)).ok().flatten() else { return };
        let by_hand = matches!(incident.state, State::Closed | State::Merged | State::Cancelled)
            || incident.state == State::Resolved && !incident.alarms.by_itself;
        if incident.group_key.is_none() && !by_hand && alert.incident != Some(had) {
            let is = format!("{} of {} ended at {ended_at} in {had}, is {:?}", alert.dedup_key, alert.integration, alert.incident);
            self.fail("I13 what comes back joins the incident it had", is);
        }
    }
}
