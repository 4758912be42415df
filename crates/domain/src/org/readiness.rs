//! What would keep a page from reaching somebody, found before it has to: from their form, from the server's settings, and from
//! what became of what was sent to them lately.
//!
//! Pure: what was sent, and what a test showed, are given. Not here: who is told, and when.

use jiff::{SignedDuration, Timestamp};

use super::model::{NotifyUrgency, Slug};
use super::snapshot::{Org, Reach};

/// How far ahead a shift counts as coming: as long as people need to get a telephone, and no longer than they remember.
pub const SHIFT_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// What was found is told within this time: nobody says *from 10:00* at 10:00.
const FOUND_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// As many of the last messages to a contact have to fail, one after the other, before it counts as one that fails: one or two
/// are a restart at the other end.
pub const FAILURES_MIN: usize = 3;

/// How much it keeps a page from arriving, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// No page arrives.
    Never,
    /// Nobody knows whether one does.
    Doubtful,
    /// One does, while nothing fails.
    Weak,
}

impl Gravity {
    /// As the API says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Doubtful => "doubtful",
            Self::Weak => "weak",
        }
    }
}

/// One thing that would keep a page from arriving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// They have no contact.
    NoContact,
    /// They have contacts, of which none is verified.
    NoneVerified,
    /// The server carries none of the channels that would be used; one setting that it lacks.
    NotCarried(&'static str),
    /// The last messages over every contact that would be used failed.
    AllFail,
    /// The last test page was not delivered by any way.
    TestFailed(Timestamp),
    /// The last test page was not answered by its message.
    TestUnanswered(Timestamp),
    /// They never answered a test page.
    NeverTested,
    /// The last messages over this contact failed.
    Fails { contact: Slug, why: Option<String> },
    /// The server does not carry its channel.
    ContactNotCarried { contact: Slug, setting: &'static str },
    /// A contact of theirs is not verified, and so not used.
    Unverified(Slug),
    /// One contact alone is used.
    OnlyOne(Slug),
    /// No rule says in which order contacts are used for what wakes people.
    NoRule,
}

impl Finding {
    /// How much it keeps a page from arriving.
    #[must_use]
    pub const fn gravity(&self) -> Gravity {
        match self {
            Self::NoContact | Self::NoneVerified | Self::NotCarried(_) | Self::AllFail => Gravity::Never,
            Self::TestFailed(_) | Self::TestUnanswered(_) | Self::NeverTested => Gravity::Doubtful,
            Self::Fails { .. } | Self::ContactNotCarried { .. } | Self::Unverified(_) | Self::OnlyOne(_) | Self::NoRule => Gravity::Weak,
        }
    }

    /// Stable, for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoContact => "no_contact",
            Self::NoneVerified => "none_verified",
            Self::NotCarried(_) => "not_carried",
            Self::AllFail => "all_fail",
            Self::TestFailed(_) => "test_failed",
            Self::TestUnanswered(_) => "test_unanswered",
            Self::NeverTested => "never_tested",
            Self::Fails { .. } => "contact_fails",
            Self::ContactNotCarried { .. } => "contact_not_carried",
            Self::Unverified(_) => "contact_unverified",
            Self::OnlyOne(_) => "only_one",
            Self::NoRule => "no_rule",
        }
    }

    /// The contact that it is about, where it is about one.
    #[must_use]
    pub fn contact(&self) -> Option<&str> {
        match self {
            Self::Fails { contact, .. } | Self::ContactNotCarried { contact, .. } | Self::Unverified(contact) | Self::OnlyOne(contact) => {
                Some(contact)
            }
            Self::NoContact
            | Self::NoneVerified
            | Self::NotCarried(_)
            | Self::AllFail
            | Self::TestFailed(_)
            | Self::TestUnanswered(_)
            | Self::NeverTested
            | Self::NoRule => None,
        }
    }

    /// What is so, in a sentence without a full stop.
    #[must_use]
    pub fn says(&self) -> String {
        match self {
            Self::NoContact => "there is no contact, so that no page arrives".to_owned(),
            Self::NoneVerified => "no contact is verified, so that no page arrives".to_owned(),
            Self::NotCarried(setting) => format!("this server has no {setting}, so that it sends to none of the contacts"),
            Self::AllFail => format!("the last {FAILURES_MIN} messages over every contact were not delivered"),
            Self::TestFailed(_) => "the last test page was not delivered".to_owned(),
            Self::TestUnanswered(_) => "the last test page was not answered by its message".to_owned(),
            Self::NeverTested => "no test page was ever answered".to_owned(),
            Self::Fails { contact, why } => {
                let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("the last {FAILURES_MIN} messages over `{contact}` were not delivered{why}")
            }
            Self::ContactNotCarried { contact, setting } => {
                format!("this server has no {setting}, so that it sends nothing over `{contact}`")
            }
            Self::Unverified(contact) => format!("`{contact}` is not verified, and so not used"),
            Self::OnlyOne(contact) => format!("`{contact}` is the only way: where it fails, nothing else is tried"),
            Self::NoRule => "no rule says which contact is used first, so that all of them ring at once".to_owned(),
        }
    }

    /// What would mend it.
    #[must_use]
    pub const fn works(&self) -> &'static str {
        match self {
            Self::NoContact => "add a contact on Me, and verify it",
            Self::NoneVerified | Self::Unverified(_) => "send a code to it on Me, and type it there",
            Self::NotCarried(_) | Self::ContactNotCarried { .. } => {
                "ask whoever runs the server for the setting, or add a contact of another channel"
            }
            Self::AllFail | Self::Fails { .. } => "look at what the provider says, correct the address, and send a test page",
            Self::TestFailed(_) | Self::TestUnanswered(_) | Self::NeverTested => "send a test page from Me, and answer it by its link",
            Self::OnlyOne(_) => "add another way, with a delay",
            Self::NoRule => "set the order on Me",
        }
    }
}

/// What became of what was sent to somebody over one contact, the newest first; nothing of what is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    pub contact: Slug,
    /// Whether each arrived, as far as is known.
    pub arrived: Vec<bool>,
    /// Why the last one did not.
    pub why: Option<String>,
}

impl Sent {
    fn fails(&self) -> bool {
        self.arrived.len() >= FAILURES_MIN && self.arrived.iter().take(FAILURES_MIN).all(|arrived| !arrived)
    }
}

/// What the last test page to somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    /// There was none.
    Never,
    /// It waits for an answer; one before was answered, or none was.
    Waits { answered_before: bool },
    /// It was answered by its message.
    Answered,
    /// It was delivered, and not answered by its message.
    Unanswered(Timestamp),
    /// No way of it was delivered.
    Failed(Timestamp),
}

/// What is known of somebody beside the organisation.
pub struct Known<'a> {
    /// The setting that the server lacks for a channel.
    pub lacks: &'a dyn Fn(&str) -> Option<&'static str>,
    pub sent: &'a [Sent],
    pub tested: Tested,
}

/// Everything that would keep a page from reaching somebody, the worst first.
#[must_use]
pub fn readiness(org: &Org, person: &str, known: &Known<'_>) -> Vec<Finding> {
    let Some(form) = org.person(person) else { return Vec::new() };
    let ways = org.reach(person, NotifyUrgency::High);
    let mut found = Vec::new();
    let lacking = |way: &Reach<'_>| (known.lacks)(way.channel);
    let fails = |way: &Reach<'_>| known.sent.iter().find(|sent| sent.contact == way.contact.id).filter(|sent| sent.fails());
    if form.contacts.is_empty() {
        found.push(Finding::NoContact);
    } else if ways.is_empty() {
        found.push(Finding::NoneVerified);
    } else if let Some(setting) = ways.iter().map(lacking).collect::<Option<Vec<_>>>().and_then(|all| all.first().copied()) {
        found.push(Finding::NotCarried(setting));
    } else if ways.iter().all(|way| fails(way).is_some() || lacking(way).is_some()) {
        found.push(Finding::AllFail);
    }
    if !ways.is_empty() {
        match known.tested {
            Tested::Never | Tested::Waits { answered_before: false } => found.push(Finding::NeverTested),
            Tested::Unanswered(at) => found.push(Finding::TestUnanswered(at)),
            Tested::Failed(at) => found.push(Finding::TestFailed(at)),
            Tested::Answered | Tested::Waits { answered_before: true } => {}
        }
    }
    let is_never = found.iter().any(|finding| finding.gravity() == Gravity::Never);
    for way in &ways {
        if let Some(sent) = fails(way) {
            found.push(Finding::Fails { contact: way.contact.id.clone(), why: sent.why.clone() });
        }
        if let Some(setting) = lacking(way).filter(|_| !is_never) {
            found.push(Finding::ContactNotCarried { contact: way.contact.id.clone(), setting });
        }
    }
    if !ways.is_empty() {
        found.extend(form.contacts.iter().filter(|contact| !contact.verified).map(|contact| Finding::Unverified(contact.id.clone())));
    }
    match ways.as_slice() {
        [one] => found.push(Finding::OnlyOne(one.contact.id.clone())),
        [_, _, ..] if form.notify.high.is_empty() && org.bundle().notify_defaults.is_empty() => found.push(Finding::NoRule),
        _ => {}
    }
    found.sort_by_key(Finding::gravity);
    found
}

/// When somebody is on call next, within [`SHIFT_AHEAD`], and in which schedule; now, where they are.
#[must_use]
pub fn next_shift(org: &Org, person: &str, now: Timestamp) -> Option<(Timestamp, Slug)> {
    let until = now.checked_add(SHIFT_AHEAD).unwrap_or(Timestamp::MAX);
    let of = |form: &super::model::Schedule| {
        let shifts = org.schedule(&form.id)?.shifts(org.overrides(&form.id), now, until);
        shifts.into_iter().find(|shift| shift.person == person).map(|shift| (shift.starts_at, form.id.clone()))
    };
    org.bundle().schedules.iter().filter_map(of).min()
}

/// Whether a shift that was found a moment ago runs by now: one that runs is found from the instant at which it was looked for.
#[must_use]
pub fn runs(on_call_at: Timestamp, now: Timestamp) -> bool {
    on_call_at.duration_since(now) <= FOUND_WITHIN
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::channel::sample::WAYS;

    fn org(contacts: serde_json::Value, notify: serde_json::Value) -> Org {
        let bundle = json!({"people": [{"id": "ana", "name": "Ana", "contacts": contacts, "notify": notify}], "schedules": [
            {"id": "s", "time_zone": "UTC", "layers": [{"people": ["ana"], "every": "1w", "handoff": "Mon 09:00", "starts": "2026-01-05"}]}]});
        Org::build(1, serde_json::from_value(bundle).unwrap(), WAYS)
    }

    fn words(org: &Org, sent: &[Sent], tested: Tested, lacks: &dyn Fn(&str) -> Option<&'static str>) -> Vec<&'static str> {
        readiness(org, "ana", &Known { lacks, sent, tested }).iter().map(Finding::word).collect()
    }

    #[test]
    fn the_worst_stands_first() {
        let none = |_: &str| None;
        let no_mail = |channel: &str| (channel == "email").then_some("--smtp");
        let mail = json!({"id": "mail", "email": "ana@example.org"});
        let hook = json!({"id": "hook", "webhook": "https://x.example/ana"});
        let unverified = json!({"id": "mail", "email": "ana@example.org", "verified": false});
        let order = json!({"high": [{"contact": "hook"}, {"contact": "mail", "after": "1m"}]});
        let failed = |contact: &str| Sent { contact: contact.into(), arrived: vec![false; 3], why: Some("HTTP 410".into()) };
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(words(&org(json!([]), json!({})), &[], Tested::Never, &none), ["no_contact"]);
        assert_eq!(words(&org(json!([unverified]), json!({})), &[], Tested::Never, &none), ["none_verified"]);
        assert_eq!(words(&org(json!([mail]), json!({})), &[], Tested::Answered, &no_mail), ["not_carried", "only_one"]);
        let both = org(json!([hook, mail]), order.clone());
        assert_eq!(words(&both, &[], Tested::Answered, &none), [""; 0]);
        assert_eq!(words(&both, &[], Tested::Waits { answered_before: true }, &none), [""; 0]);
        assert_eq!(words(&both, &[], Tested::Never, &none), ["never_tested"]);
        assert_eq!(words(&both, &[], Tested::Failed(at), &no_mail), ["test_failed", "contact_not_carried"]);
        assert_eq!(words(&both, &[failed("hook")], Tested::Answered, &none), ["contact_fails"]);
        assert_eq!(
            words(&both, &[failed("hook"), failed("mail")], Tested::Answered, &none),
            ["all_fail", "contact_fails", "contact_fails"]
        );
        let once_fine = Sent { arrived: vec![false, false, true, false], ..failed("hook") };
        assert_eq!(words(&both, &[once_fine], Tested::Answered, &none), [""; 0]);
        assert_eq!(words(&org(json!([hook, mail]), json!({})), &[], Tested::Answered, &none), ["no_rule"]);
        let found = readiness(&org(json!([hook, unverified]), order), "ana", &Known { lacks: &none, sent: &[], tested: Tested::Answered });
        assert_eq!(found.iter().map(Finding::word).collect::<Vec<_>>(), ["contact_unverified", "only_one"]);
        assert!(found.iter().all(|finding| !finding.says().ends_with('.') && !finding.works().is_empty() && finding.contact().is_some()));
    }

    #[test]
    fn a_shift_that_runs_counts_from_now() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(next_shift(&org(json!([]), json!({})), "ana", now), Some((now, "s".to_owned())));
        assert_eq!(next_shift(&org(json!([]), json!({})), "ben", now), None);
    }
}
