//! In which order a board stands: by need, not by deadline. First what nobody is left to be paged for, then what nobody has
//! answered for the longest share of its time, then what is late, then what is due next, then severity and age.
//!
//! An order that changed with every second would never be read. So the share of its time is counted in quarters: a row
//! moves when something happened, or when a quarter of its time is over, and not before.

use allclear_domain::incident::State;
use allclear_domain::org::snapshot::Org;
use allclear_domain::time::after;
use allclear_engine::read::screens::Asking;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::board::{COMES_BACK, Row};
use crate::frame::pieces;
use crate::frame::time_text::When;

/// Parts of its time that an order tells apart.
const PARTS: i64 = 4;
/// Times its time over; what is later than this is as late as can be, and stands by severity and age.
const TIMES_MAX: i64 = 4;
/// People named in a row.
const NAMED_MAX: usize = 2;

/// Where a row stands: the smaller, the further up.
pub(super) type Place = (u8, i64, u8, Timestamp, String);

impl Row {
    /// Until when its first step might be answered; nothing where no page asks.
    fn first_by(&self) -> Option<Timestamp> {
        self.asks.as_ref().map(|asks| after(asks.since, asks.within))
    }

    /// Whether something that people were to do did not happen in time: after the first step that nobody answered it is so.
    pub(super) fn is_late(&self, when: &When) -> bool {
        match self.first_by() {
            Some(by) => !self.is_nobodys() && when.is_late(by),
            None => self.due.is_some_and(|due| when.is_late(due.at)),
        }
    }

    /// Nobody has it, and nothing calls anybody any more; that a page comes back gives it to nobody.
    pub(super) fn is_nobodys(&self) -> bool {
        match &self.asks {
            Some(asks) => asks.over && !self.held,
            None => self.incident.state == State::Declared && !self.held && !self.waits,
        }
    }

    /// Somebody has it, and nothing of it is due: no open incident is to be without a next time.
    pub(super) fn is_undue(&self) -> bool {
        !self.is_nobodys() && self.asks.is_none() && self.due.is_none()
    }

    /// Where it stands.
    pub(super) fn place(&self, when: &When) -> Place {
        let i = &self.incident;
        let began = i.declared_at.unwrap_or(i.created_at);
        let (need, sooner, at) = match (&self.asks, &self.due) {
            _ if self.is_nobodys() => (0, 0, self.asks.as_ref().map_or(began, |asks| asks.since)),
            (Some(asks), _) => (1, -parts_of_its_time(asks, when.now), asks.since),
            (None, Some(due)) if when.is_late(due.at) => (2, 0, due.at),
            (None, Some(due)) => (3, due.at.as_second(), began),
            (None, None) => (4, 0, began),
        };
        (need, sooner, i.severity.rank(), at, i.id.clone())
    }
}

/// How many quarters of its first step's time nobody has answered it.
fn parts_of_its_time(asks: &Asking, now: Timestamp) -> i64 {
    let within = i64::try_from(asks.within.as_millis()).unwrap_or(i64::MAX).max(1);
    let gone = i64::try_from(now.duration_since(asks.since).as_millis()).unwrap_or(0).max(0);
    (gone.saturating_mul(PARTS) / within).min(PARTS * TIMES_MAX)
}

/// `nobody for 9:12`, and below it `step 2 of 3 · Fay, Eli told`; who does not see the organisation reads nothing of its
/// people and steps.
pub(super) fn asking(row: &Row, asks: &Asking, org: Option<&Org>, when: &When) -> Markup {
    let over = row.is_nobodys();
    let late_at = if over { asks.since } else { after(asks.since, asks.within) };
    html! {
        span class="words" {
            @if over {
                "everybody was paged"
                @if let Some(due) = row.due.as_ref().filter(|due| due.words == COMES_BACK) { ", again " (when.counting(due.at)) }
            } @else if let Some(org) = org {
                @if asks.catch_all { "catch-all · " } @else if let Some((step, of)) = asks.step { "step " (step) " of " (of) " · " }
                (told(&asks.told, org))
            }
        }
        " " (when.unanswered(asks.since, late_at))
    }
}

/// `Fay, Eli told`, by the names that people call each other; pointing at it tells them whole.
fn told(people: &[String], org: &Org) -> Markup {
    let whole: Vec<String> = people.iter().map(|id| pieces::name(org, id)).collect();
    let first = |name: &String| name.split_whitespace().next().unwrap_or(name).to_owned();
    let named: Vec<String> = whole.iter().take(NAMED_MAX).map(first).collect();
    html! {
        @if people.is_empty() { "nobody is told yet" } @else {
            span title=(whole.join(", ")) {
                bdi { (named.join(", ")) }
                @if people.len() > NAMED_MAX { " and " (people.len() - NAMED_MAX) " more" }
                " told"
            }
        }
    }
}
