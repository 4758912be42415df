//! Who was told something a moment ago: then what follows waits for company, and goes out as one message.
//!
//! A page alone goes at once and opens a window for its person and contact. Further pages within it are held until
//! it ends, or until nothing more came for a moment, or until a message is full; what is worse than anything told
//! in the window goes at once. In memory only: a node that starts anew holds nothing back. No I/O and no clock, so
//! that the simulator runs the very same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use allclear_domain::plants::planted;
use allclear_domain::time::{Length, after};
use allclear_domain::wire::Notice;
use jiff::Timestamp;

/// In a storm a person gets one message in this time: long enough to read one, short against a step of minutes.
pub const WINDOW: Length = Length::from_secs(10);
/// Once in a window what is held goes when nothing more came for this long: the storm is over, or was none.
pub const QUIET: Length = Length::from_secs(2);
/// Notices in one message at most: a program's list of them stays below a megabyte, which is what web servers take
/// by default. With as many waiting, a message is full and goes at once.
pub const BUNDLE_MAX: usize = 5_000;
/// Messages that only tell and go to one contact at once within a second; more of them wait for their turn in the
/// store rather than in memory. As many as are under way to one contact by default.
const TELLS_AT_ONCE: u32 = 4;
const TELLS_WITHIN: Length = Length::from_secs(1);

/// Whom a message goes to: person and contact.
pub type Contact = (String, String);

/// What becomes of a new message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Birth {
    /// It is sent now.
    AtOnce,
    /// It waits for company, until then at most.
    Held { until: Timestamp },
}

#[derive(Debug, Clone)]
struct Window {
    until: Timestamp,
    /// The worst that was told in it: `sev1` sorts before `sev2`.
    told: String,
    held: usize,
    last_held: Timestamp,
    /// Whether it was opened before its time, since all was quiet: the next one is not.
    early: bool,
    /// Messages that only tell, since when and how many.
    tells: (Timestamp, u32),
}

impl Window {
    fn closed() -> Self {
        Self { until: Timestamp::MIN, told: String::new(), held: 0, last_held: Timestamp::MIN, early: false, tells: (Timestamp::MIN, 0) }
    }

    /// Also where the clock was set back since.
    fn is_open(&self, now: Timestamp) -> bool {
        now < self.until && self.until <= after(now, WINDOW)
    }

    fn birth(&mut self, gathers: bool, severity: &str, now: Timestamp) -> Birth {
        if !gathers {
            let (since, count) = self.tells;
            let same = since <= now && now < after(since, TELLS_WITHIN);
            self.tells = if same { (since, count.saturating_add(1)) } else { (now, 1) };
            return if self.tells.1 > TELLS_AT_ONCE { Birth::Held { until: now } } else { Birth::AtOnce };
        }
        if !self.is_open(now) && self.held == 0 {
            (self.until, self.early) = (after(now, WINDOW), false);
            severity.clone_into(&mut self.told);
            return Birth::AtOnce;
        }
        if severity < self.told.as_str() && !planted("higher-hidden-in-storm") {
            severity.clone_into(&mut self.told);
            return Birth::AtOnce;
        }
        self.held += 1;
        self.last_held = now;
        // What is held of a window that has ended is on its way: this joins it.
        Birth::Held { until: if self.is_open(now) { self.until } else { now } }
    }

    const fn not_told(&mut self, now: Timestamp) {
        (self.until, self.early) = (now, false);
    }

    /// When what is held goes; `None`: nothing is held.
    fn early_at(&self) -> Option<Timestamp> {
        match self.held {
            0 => None,
            full if full >= BUNDLE_MAX => Some(self.last_held),
            _ if self.early => Some(self.until),
            _ => Some(after(self.last_held, QUIET).min(self.until)),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Windows {
    of: Mutex<HashMap<Contact, Window>>,
}

impl Windows {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Contact, Window>) -> T) -> T {
        work(&mut self.of.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For whom something is held and goes now.
    #[must_use]
    pub fn early(&self, now: Timestamp) -> Vec<Contact> {
        self.with(|of| {
            let mut ready: Vec<Contact> =
                of.iter().filter(|(_, window)| window.early_at().is_some_and(|at| at <= now)).map(|(contact, _)| contact.clone()).collect();
            ready.sort();
            ready
        })
    }

    /// Until when something is held back for a contact, where anything is.
    #[must_use]
    pub fn until(&self, contact: &Contact) -> Option<Timestamp> {
        self.with(|of| of.get(contact).filter(|window| window.held > 0).map(|window| window.until))
    }

    /// When something that is held goes next.
    #[must_use]
    pub fn next_early(&self) -> Option<Timestamp> {
        self.with(|of| of.values().filter_map(Window::early_at).min())
    }

    /// Whether anything is held.
    #[must_use]
    pub fn hold_anything(&self) -> bool {
        self.with(|of| of.values().any(|window| window.held > 0))
    }

    /// What was held for a contact goes out, the worst of it as given: a new window.
    pub fn told(&self, contact: &Contact, worst: &str, now: Timestamp) {
        self.with(|of| {
            let window = of.entry(contact.clone()).or_insert_with(Window::closed);
            window.early = window.is_open(now) && window.held < BUNDLE_MAX;
            window.until = after(now, WINDOW);
            worst.clone_into(&mut window.told);
            window.held = 0;
        });
    }

    /// A message did not arrive, or was not sent after all: its person was not told, and nothing is held back on account of it.
    pub fn not_told(&self, contact: &Contact, now: Timestamp) {
        self.with(|of| {
            if let Some(window) = of.get_mut(contact) {
                window.not_told(now);
            }
        });
    }

    /// What was held for a contact is not wanted any more: the heap has nothing for it.
    pub fn nothing_held(&self, contact: &Contact) {
        self.with(|of| {
            if let Some(window) = of.get_mut(contact) {
                window.held = 0;
            }
        });
    }

    /// Everything may go at once.
    pub fn forget(&self) {
        self.with(HashMap::clear);
    }
}

/// A message that was born: whether its kind gathers, and its severity.
type Born = (bool, String);

/// The windows as one unit of writes sees them: what it births counts for others only when it is whole.
#[derive(Debug)]
pub(crate) struct Staged {
    windows: Arc<Windows>,
    own: HashMap<Contact, Window>,
    done: Vec<(Contact, Option<Born>, Timestamp)>,
}

impl Staged {
    pub(crate) fn new(windows: Arc<Windows>) -> Self {
        Self { windows, own: HashMap::new(), done: Vec::new() }
    }

    pub(crate) fn birth(&mut self, person: &str, contact: &str, notice: &Notice, now: Timestamp) -> Birth {
        let key = (person.to_owned(), contact.to_owned());
        let windows = &self.windows;
        let window = self.own.entry(key.clone()).or_insert_with(|| windows.with(|of| of.get(&key).cloned()).unwrap_or_else(Window::closed));
        let (gathers, severity) = (notice.kind.gathers(), notice.incident.severity.clone());
        let birth = window.birth(gathers, &severity, now);
        self.done.push((key, Some((gathers, severity)), now));
        birth
    }

    /// What was to go at once is not sent after all.
    pub(crate) fn not_told(&mut self, person: &str, contact: &str, now: Timestamp) {
        let key = (person.to_owned(), contact.to_owned());
        if let Some(window) = self.own.get_mut(&key) {
            window.not_told(now);
        }
        self.done.push((key, None, now));
    }

    /// Done again rather than copied over: the outbox may have opened a window meanwhile.
    pub(crate) fn take_effect(&mut self) {
        let done = std::mem::take(&mut self.done);
        self.windows.with(|of| {
            for (contact, birth, now) in done {
                let window = of.entry(contact).or_insert_with(Window::closed);
                match birth {
                    Some((gathers, severity)) => {
                        window.birth(gathers, &severity, now);
                    }
                    None => window.not_told(now),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allclear_domain::ids::{IncidentId, PageId};
    use allclear_domain::wire::{NoticeIncident, NoticeKind};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    fn notice(severity: &str, kind: NoticeKind) -> Notice {
        Notice {
            key: String::new(),
            kind,
            page: PageId::from_bits(1),
            step: 1,
            round: 1,
            late: false,
            person: "ana".into(),
            incident: NoticeIncident {
                id: IncidentId::from_bits(1),
                reference: "INC-1".into(),
                title: "disk".into(),
                severity: severity.into(),
                service: None,
                guest: None,
            },
            text: None,
            because: None,
        }
    }

    struct One(Arc<Windows>);
    impl One {
        fn page(&self, severity: &str, ms: i64) -> Birth {
            self.born(severity, NoticeKind::Page, ms)
        }
        fn born(&self, severity: &str, kind: NoticeKind, ms: i64) -> Birth {
            let mut staged = Staged::new(self.0.clone());
            let birth = staged.birth("ana", "hook", &notice(severity, kind), at(ms));
            staged.take_effect();
            birth
        }
    }

    fn ana() -> Contact {
        ("ana".into(), "hook".into())
    }

    #[test]
    fn a_page_alone_goes_at_once_and_what_follows_waits_for_the_window_or_for_quiet() {
        let windows = One(Arc::default());
        assert_eq!(windows.page("sev2", 0), Birth::AtOnce);
        assert_eq!(windows.page("sev2", 1_000), Birth::Held { until: at(10_000) });
        assert_eq!(windows.page("sev3", 1_500), Birth::Held { until: at(10_000) });
        assert_eq!(windows.0.next_early(), Some(at(3_500)), "quiet for two seconds");
        assert!(windows.0.early(at(3_499)).is_empty());
        assert_eq!(windows.0.early(at(3_500)), [ana()]);
        assert_eq!(windows.0.until(&ana()), Some(at(10_000)));
        windows.0.told(&ana(), "sev2", at(3_500));
        assert_eq!(windows.page("sev2", 4_000), Birth::Held { until: at(13_500) });
        assert_eq!(windows.0.next_early(), Some(at(13_500)), "before its time only once: a person gets one message in ten seconds");
        windows.0.told(&ana(), "sev2", at(13_500));
        assert_eq!(windows.page("sev2", 23_500), Birth::AtOnce, "the window is over, and nothing is held");
    }

    #[test]
    fn what_is_worse_than_anything_told_goes_at_once() {
        let windows = One(Arc::default());
        assert_eq!(windows.page("sev3", 0), Birth::AtOnce);
        assert_eq!(windows.page("sev3", 10), Birth::Held { until: at(10_000) });
        assert_eq!(windows.page("sev1", 20), Birth::AtOnce);
        assert_eq!(windows.page("sev2", 30), Birth::Held { until: at(10_000) }, "sev1 was told in this window");
    }

    #[test]
    fn a_full_message_goes_at_once_and_what_did_not_arrive_holds_nothing_back() {
        let windows = One(Arc::default());
        windows.page("sev2", 0);
        for _ in 0..BUNDLE_MAX {
            windows.page("sev2", 5);
        }
        assert_eq!(windows.0.early(at(5)), [ana()]);
        windows.0.not_told(&ana(), at(6));
        assert_eq!(windows.page("sev2", 7), Birth::Held { until: at(7) }, "it joins what is on its way");
        windows.0.told(&ana(), "sev2", at(8));
        windows.0.not_told(&ana(), at(9));
        assert_eq!(windows.page("sev2", 9), Birth::AtOnce);
    }

    #[test]
    fn a_unit_that_is_not_whole_leaves_no_trace_and_a_clock_set_back_opens_the_window() {
        let windows = One(Arc::default());
        let mut staged = Staged::new(windows.0.clone());
        assert_eq!(staged.birth("ana", "hook", &notice("sev2", NoticeKind::Page), at(0)), Birth::AtOnce);
        assert_eq!(
            staged.birth("ana", "hook", &notice("sev2", NoticeKind::Page), at(0)),
            Birth::Held { until: at(10_000) },
            "of two in one command the second waits"
        );
        staged.not_told("ana", "hook", at(1));
        drop(staged);
        assert_eq!(windows.page("sev2", 0), Birth::AtOnce);
        let mut staged = Staged::new(windows.0.clone());
        staged.not_told("ana", "hook", at(1));
        assert_eq!(staged.birth("ana", "hook", &notice("sev2", NoticeKind::Page), at(1)), Birth::Held { until: at(10_000) }, "told before");
        drop(staged);
        assert_eq!(windows.page("sev2", -3_600_000), Birth::AtOnce);
    }

    #[test]
    fn what_only_tells_is_neither_held_nor_piled_up_in_memory() {
        let windows = One(Arc::default());
        windows.page("sev2", 0);
        let births: Vec<Birth> = (0..6).map(|_| windows.born("sev2", NoticeKind::Reminder, 10)).collect();
        assert_eq!(births[..4], [Birth::AtOnce; 4]);
        assert_eq!(births[4..], [Birth::Held { until: at(10) }; 2], "due at once, when there is room");
    }
}
