//! Which days a calendar shows, and the addresses that lead from one to the next.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::frame::pieces;
use crate::frame::strips::Days;
use crate::frame::time_text::When;

/// Years whose days are shown: from when time zones are known well until none of us has a rota.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;
/// Days of a week, and of a strip but for that of one day.
const WEEK: i64 = 7;

/// How many days are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Month,
    Week,
    Day,
}

impl View {
    pub(super) const ALL: [Self; 3] = [Self::Month, Self::Week, Self::Day];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.word() == word)
    }
}

/// One calendar: of which schedule, of which days, and in whose zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub id: &'a str,
    pub view: View,
    pub day: Date,
    /// In the reader's own zone, and not in the schedule's.
    pub mine: bool,
}

/// The day that an address asks for.
pub(super) fn day_of(text: &str) -> Result<Date, String> {
    let read: Option<Date> = (text.len() == "2026-11-30".len()).then(|| text.parse().ok()).flatten();
    match read {
        Some(day) if YEARS.contains(&day.year()) => Ok(day),
        Some(_) => Err(format!("Days from {} to {} are shown here.", YEARS.start(), YEARS.end())),
        None => Err(format!("`{}` is not a day. It looks like 2026-11-30.", pieces::cut(text, 40))),
    }
}

impl At<'_> {
    pub(super) fn path(&self) -> String {
        path_of(self.id)
    }

    /// The query that leads to it.
    pub(super) fn query(&self) -> String {
        let zone = if self.mine { "&zone=mine" } else { "" };
        format!("?view={}&at={}{zone}", self.view.word(), self.day)
    }

    pub(super) fn href(&self) -> String {
        format!("{}{}", self.path(), self.query())
    }

    /// The same with a time that is picked.
    pub(super) fn picking(&self, from: Timestamp, to: Timestamp) -> String {
        format!("{}&from={}&to={}#take", self.href(), escaped(from), escaped(to))
    }

    pub(super) const fn on(self, view: View, day: Date) -> Self {
        Self { view, day, ..self }
    }

    /// The days, a strip a week, or one of a day.
    pub(super) fn strips(&self) -> Vec<Days> {
        let week = |first: Date| Days { first, count: WEEK };
        match self.view {
            View::Day => vec![Days { first: self.day, count: 1 }],
            View::Week => vec![week(monday(self.day))],
            View::Month => {
                let last = self.day.last_of_month();
                let mut first = monday(self.day.first_of_month());
                let mut out = Vec::new();
                while first <= last {
                    out.push(week(first));
                    first = first.saturating_add(Span::new().weeks(1));
                }
                out
            }
        }
    }

    /// The one before, and the one after.
    pub(super) fn around(&self) -> [Self; 2] {
        let (step, from) = match self.view {
            View::Day => (Span::new().days(1), self.day),
            View::Week => (Span::new().weeks(1), self.day),
            // From the first on: the 31st of a month has no other month's.
            View::Month => (Span::new().months(1), self.day.first_of_month()),
        };
        [from.saturating_sub(step), from.saturating_add(step)].map(|day| self.on(self.view, day))
    }

    /// What it shows, in words: `December 2026`, `30 Nov – 6 Dec 2026`, `Monday 30 November 2026`.
    pub(super) fn words(&self) -> String {
        match self.view {
            View::Day => self.day.strftime("%A %-d %B %Y").to_string(),
            View::Month => self.day.strftime("%B %Y").to_string(),
            View::Week => {
                let first = monday(self.day);
                let last = first.saturating_add(Span::new().days(WEEK - 1));
                let begins = if first.year() == last.year() { first.strftime("%-d %b") } else { first.strftime("%-d %b %Y") };
                format!("{begins} – {}", last.strftime("%-d %b %Y"))
            }
        }
    }

    /// The whole range, in the zone that is shown.
    pub(super) fn lasts(&self, shown: &When) -> (Timestamp, Timestamp) {
        let strips = self.strips();
        let first = strips.first().map_or(shown.now, |days| days.lasts(shown).0);
        let last = strips.last().map_or(shown.now, |days| days.lasts(shown).1);
        (first, last)
    }
}

/// The address of a schedule's calendar.
pub(crate) fn path_of(id: &str) -> String {
    format!("/on-call/schedules/{}", pieces::escaped(id))
}

fn escaped(at: Timestamp) -> String {
    // A `+` in an address would be a space; instants have none, and a colon may stand.
    format!("{at:.0}")
}

fn monday(day: Date) -> Date {
    day.saturating_sub(Span::new().days(i64::from(day.weekday().to_monday_zero_offset())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(view: View, day: &str) -> At<'static> {
        At { id: "rota", view, day: day.parse().unwrap(), mine: false }
    }

    #[test]
    fn a_month_has_whole_weeks_and_each_view_leads_to_the_next() {
        let firsts = |day: &str| at(View::Month, day).strips().iter().map(|days| days.first.to_string()).collect::<Vec<_>>();
        assert_eq!(firsts("2026-12-15"), ["2026-11-30", "2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]);
        // February of 2027 begins on a Monday.
        assert_eq!(firsts("2027-02-28").len(), 4);
        assert_eq!(firsts("2026-08-31").len(), 6);
        let around = |view: View, day: &str| at(view, day).around().map(|one| one.href());
        assert_eq!(
            around(View::Month, "2026-03-31"),
            ["/on-call/schedules/rota?view=month&at=2026-02-01", "/on-call/schedules/rota?view=month&at=2026-04-01"]
        );
        assert_eq!(around(View::Week, "2026-11-30")[1], "/on-call/schedules/rota?view=week&at=2026-12-07");
        assert_eq!(around(View::Day, "2027-01-01")[0], "/on-call/schedules/rota?view=day&at=2026-12-31");
        assert_eq!(at(View::Week, "2027-01-01").words(), "28 Dec 2026 – 3 Jan 2027");
        assert_eq!(at(View::Week, "2026-12-02").words(), "30 Nov – 6 Dec 2026");
        assert_eq!(at(View::Day, "2026-11-30").words(), "Monday 30 November 2026");
    }

    #[test]
    fn what_is_no_day_is_told_with_one_that_is() {
        assert!(day_of("2026-11-30").is_ok());
        for (bad, says) in
            [("2026-13-40", "looks like"), ("tomorrow", "looks like"), ("1801-01-01", "1990"), ("2026-11-30T09:00", "is not a day")]
        {
            assert!(day_of(bad).unwrap_err().contains(says), "{bad}");
        }
        let mine = At { mine: true, ..at(View::Week, "2026-11-30") };
        let (from, to) = ("2026-12-01T08:00:00Z".parse().unwrap(), "2026-12-01T16:00:00Z".parse().unwrap());
        let picked = "?view=week&at=2026-11-30&zone=mine&from=2026-12-01T08:00:00Z&to=2026-12-01T16:00:00Z#take";
        assert_eq!(mine.picking(from, to), format!("/on-call/schedules/rota{picked}"));
    }
}
