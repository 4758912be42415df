//! Mistakes planted on purpose, to show that the tests go red: each stands at the place where it
//! would be made, and is switched on by name with `ALLCLEAR_PLANT` in a build with the feature
//! `plants`. In every other build [`planted`] is the constant `false`, and nothing of it is left.
//!
//! `cargo xtask plants` runs them all and says which check caught each.

/// How a plant is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtBy {
    /// The simulator's seeds.
    Simulator,
    /// The tests of `allclear-domain`.
    DomainTests,
    /// Only the real binary can show it: killed, with a file of its own.
    Binary,
}

/// Every plant: its name, what catches it, and what it does.
pub const PLANTS: &[(&str, CaughtBy, &str)] = &[
    ("answer-before-commit", CaughtBy::Simulator, "a command is answered and its writes are dropped"),
    ("ack-leaves-timers", CaughtBy::Simulator, "an acknowledgement leaves the escalation's expectations live"),
    ("ack-withdraws-nothing", CaughtBy::Simulator, "an acknowledgement withdraws no message"),
    ("catch-all-skipped", CaughtBy::Simulator, "the catch-all is never paged"),
    ("notify-after-ignored", CaughtBy::Simulator, "every way of a person is used at once"),
    ("clock-follows-wall", CaughtBy::Simulator, "deadlines go by the wall clock, whoever sets it"),
    ("unreadable-stops-looks", CaughtBy::Simulator, "one due expectation that does not read stops the others"),
    ("condition-ignored", CaughtBy::DomainTests, "a step is paged whether its condition holds or not"),
    ("turns-forgotten", CaughtBy::DomainTests, "a step that pages one in turn pages the first again and again"),
    ("one-acknowledges-for-all", CaughtBy::DomainTests, "one acknowledgement ends a step that wants several"),
    ("drill-rings-the-busy", CaughtBy::DomainTests, "a fire drill asks also who is being paged for something real"),
    ("repeat-ignored", CaughtBy::Simulator, "a policy's further rounds are not run"),
    ("repetition-is-new", CaughtBy::Simulator, "a repetition of an open alert opens another"),
    ("dedup-ignores-integration", CaughtBy::Simulator, "two senders that use the same name share an alert"),
    ("claim-ignores-page", CaughtBy::Simulator, "a further try is claimed for a page that has ended"),
    ("lapse-ignores-start", CaughtBy::Simulator, "an alert lapses right after a start"),
    ("message-outside-commit", CaughtBy::Simulator, "a message is sent and not written down with its decision"),
    ("doubt-is-failure", CaughtBy::Simulator, "a message in doubt is marked as rejected"),
    ("doubt-is-silent", CaughtBy::Simulator, "a message sent again does not say that it may be a repeat"),
    ("bundle-id-forgotten", CaughtBy::Simulator, "what was sent as one message is sent again under other ids after a crash"),
    ("higher-hidden-in-storm", CaughtBy::Simulator, "a page that is worse than what a person was told waits with the others"),
    ("recovery-counts-nothing", CaughtBy::Simulator, "the first alert that ends resolves its incident"),
    ("reminder-at-every-look", CaughtBy::Simulator, "whoever was reminded is reminded again at every look"),
    ("task-done-leaves-timer", CaughtBy::Simulator, "a task that is done is awaited still"),
    ("update-leaves-timer", CaughtBy::Simulator, "an update leaves the one that was awaited before it live"),
    ("request-answered-leaves-timer", CaughtBy::Simulator, "a request that was answered is awaited still"),
    ("clock-met-leaves-timer", CaughtBy::Simulator, "a clock that was met is awaited still"),
    ("severity-keeps-cadence", CaughtBy::Simulator, "updates are awaited as the severity before said"),
    ("role-offer-gives-role", CaughtBy::Simulator, "whoever is asked to take a role has it"),
    ("told-is-acknowledgeable", CaughtBy::Simulator, "a reminder can be acknowledged as a page can"),
    ("review-publish-leaves-timer", CaughtBy::Simulator, "a published review is awaited still, and late"),
    ("action-date-leaves-timer", CaughtBy::Simulator, "an action is late at the date that it had before"),
    ("references-replaced", CaughtBy::Simulator, "a command that needs more references than are drawn at a time never gets enough"),
    ("ack-never-ages", CaughtBy::Simulator, "an acknowledgement is good for ever, whatever its holder does"),
    ("exhausted-stays", CaughtBy::Simulator, "a page that nobody answered never comes back"),
    ("severity-rise-silent", CaughtBy::Simulator, "what gets worse than was acknowledged pages nobody"),
    ("declared-unpaged-unattended", CaughtBy::Simulator, "an incident that was declared without a page awaits nobody"),
    ("silence-ignores-firing", CaughtBy::Simulator, "a silence that is made acts on new alerts only"),
    ("flap-starts-anew", CaughtBy::Simulator, "an alert that comes back a moment later is a new incident"),
    ("declined-twice", CaughtBy::DomainTests, "whoever taps twice passes on the next step as well"),
    ("zone-is-utc", CaughtBy::DomainTests, "hand-offs are civil times in UTC, whatever the schedule's zone"),
    ("moved-turn-stays", CaughtBy::DomainTests, "a turn that a calendar moved takes place at its old time as well"),
    (
        "lengths-elapse",
        CaughtBy::DomainTests,
        "turns of a calendar last as many hours as they say, in the night in which clocks change too",
    ),
    ("override-by-start", CaughtBy::DomainTests, "of two overrides the one that starts later wins, not the one made later"),
    ("next-layer-is-a-hand-over", CaughtBy::DomainTests, "whoever goes on in the next layer is said to hand over to themself"),
    ("matcher-name-bare", CaughtBy::DomainTests, "a matcher's name is written without the quotation marks it needs"),
    ("expression-not-alone", CaughtBy::DomainTests, "an expression may close a bracket that it did not open"),
    ("red-for-all", CaughtBy::DomainTests, "what is TLP:RED is read by everybody of the house"),
    ("unmarked-is-clear", CaughtBy::DomainTests, "what nobody marked may be told anybody"),
    ("relation-told-once", CaughtBy::Simulator, "that two incidents are related stands in the log of the one alone"),
    ("circle-of-parents", CaughtBy::Simulator, "two incidents may each be the parent of the other"),
    ("offer-accepted-leaves-timer", CaughtBy::Simulator, "an offer that a team accepted is awaited still, and comes back"),
    ("offer-unawaited", CaughtBy::Simulator, "an offer that a team does not answer rests for ever"),
    ("report-submitted-leaves-timer", CaughtBy::Simulator, "a report that was submitted is awaited still, and missed"),
    ("obligation-stays-with-merged", CaughtBy::Simulator, "what a regulator is owed does not go along with a merge"),
    ("objective-recovered-leaves-timer", CaughtBy::Simulator, "the recovery objective of a service that is back is awaited still"),
    ("split-forgets-tasks", CaughtBy::Simulator, "tasks that go with a part that is split off are not to be done there"),
    ("last-day-is-not-moved", CaughtBy::DomainTests, "a period of Regulation 1182/71 may end on a holiday"),
    ("awareness-restarts", CaughtBy::DomainTests, "awareness that is said twice moves the time of a report"),
    ("ends-while-not-back", CaughtBy::DomainTests, "an incident is resolved while a service is not wholly back"),
    ("choice-leaves-step", CaughtBy::DomainTests, "what an option skips is to be done all the same"),
    ("repeated-offer-counts", CaughtBy::DomainTests, "a team that takes an incident once more is no ping-pong"),
    ("hash-skips-incident", CaughtBy::DomainTests, "an event's hash does not say on whose timeline it stands"),
    ("checkpoint-skips-order", CaughtBy::DomainTests, "a checkpoint does not cover the order of the log"),
    ("fsync-off", CaughtBy::Binary, "a commit is answered before the disk has it"),
];

/// Whether this mistake is to be made.
#[cfg(feature = "plants")]
#[must_use]
#[allow(clippy::disallowed_methods)] // only in builds that are wrong on purpose
pub fn planted(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    debug_assert!(PLANTS.iter().any(|(known, ..)| *known == name), "{name} is not on the list");
    CHOSEN.get_or_init(|| std::env::var("ALLCLEAR_PLANT").ok()).as_deref() == Some(name)
}

/// Whether this mistake is to be made: never.
#[cfg(not(feature = "plants"))]
#[must_use]
#[inline(always)]
pub const fn planted(_name: &str) -> bool {
    false
}
