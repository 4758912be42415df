//! Arrows between the subjects of a crate: which folder, or file beside the folders, may name which. Who opens a subject
//! knows by that what a change of it can reach.
//!
//! A crate has a table: what everybody stands on, in its order; who puts all together; and of each other subject what it may
//! name beside, a whole subject (`org`) or a part of it (`core::as_signal`). A subject that names another, one that is in no
//! table, and an arrow that nobody uses is a finding. Deliberately not judged: the crate's own file, and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Finding;
use super::imports::{module, named, of_crates};
use super::source::Source;

/// What may name what in a crate.
struct Arrows {
    of: &'static str,
    /// Everybody may name these; each of them names only those before it.
    below: &'static [&'static str],
    /// These may name everybody.
    on_top: &'static [&'static str],
    /// What each other may name beside those below.
    may: &'static [(&'static str, &'static [&'static str])],
}

const ARROWS: [Arrows; 3] = [
    Arrows {
        of: "domain",
        below: &[
            "plants",
            "ical",
            "hex",
            "clean",
            "markdown",
            "severity",
            "tlp",
            "ids",
            "actor",
            "time",
            "matcher",
            "event",
            "find",
            "expect",
            "obligation",
        ],
        on_top: &[],
        may: &[
            ("access", &["org"]),
            ("action", &["names"]),
            // A row of the table of asks stands beside the part of an incident that decides it.
            ("ask", &["incident"]),
            ("audit", &[]),
            ("channel", &[]),
            ("checkpoint", &[]),
            // The organisation of its sample has no channel.
            ("incident", &["access", "ask", "channel::WaysOut", "names", "org"]),
            // Counts over what people read, and how often which clock was kept.
            ("measure", &["incident::clock", "view"]),
            ("names", &["org"]),
            // Reads schedules as they are written; the organisation's snapshot holds them so read, and hours of calendars count alike.
            ("oncall", &["org"]),
            ("org", &["channel", "oncall"]),
            // A page knows its incident by its id: what it is about is told to it. So it cannot decide by an incident's state.
            ("paging", &["names", "org", "wire"]),
            // Written of what people read of an incident; a bundle of the stored log.
            ("record", &["checkpoint", "incident", "names", "org", "timeline", "view"]),
            // A draft is made of what people read of an incident, and says of its recovery what that says.
            ("review", &["incident::running", "measure", "names", "org", "timeline", "view"]),
            // An alarm is judged before there is an incident.
            ("signal", &["incident::TITLE_CHARS_MAX", "incident::reporting::GROUP", "org", "wire"]),
            // Tells any stored event.
            ("timeline", &["action", "incident", "names", "paging", "review"]),
            // Shifts and turns, as a calendar is drawn; what came of something that was asked; what the catalogue of roles says of who has one; and what a message to an
            // organisation shows of an incident, which is no more than its page does.
            (
                "view",
                &[
                    "access",
                    "action",
                    "ask",
                    "incident",
                    "oncall",
                    "org",
                    "paging",
                    "review",
                    "signal",
                    "wire::NoticeGuest",
                    "wire::NoticeIncident",
                ],
            ),
            ("wire", &["channel", "org"]),
        ],
    },
    Arrows {
        of: "engine",
        below: &["boarded", "note", "windows"],
        on_top: &["start"],
        may: &[
            ("asks", &["core", "engine", "read"]),
            ("clock", &["ports"]),
            // Decides without I/O: nothing that runs, reads for people or sends is known to it.
            ("core", &[]),
            // The handle; each subject adds to it in its own files.
            ("engine", &["core", "message_link", "metrics", "ports", "run::decider", "shared", "watch"]),
            ("identity", &["engine", "org::error", "ports"]),
            // Counts what is asked before it is decided.
            ("limits", &["core"]),
            // A browser says by itself where it is reached from now on.
            // A line of a chat asks by the rows of the table, as every door does.
            ("message_link", &["asks", "core", "engine", "identity::seal", "org::OrgError", "org::own", "read"]),
            ("metrics", &["watch::trouble"]),
            // Who leaves the organisation is shut out by the same commit.
            (
                "org",
                &[
                    "core::NAMED_CHARS_MAX",
                    // Schedules open the daily look.
                    "core::external_calendars",
                    "core::ready",
                    // And those who ask for it are told before their shifts.
                    "core::shifts",
                    // Codes are asked for too often as other things are.
                    "core::Refusal",
                    "core::silences",
                    "engine",
                    "identity::seal",
                    "identity::sessions::shut_out",
                    "ports",
                ],
            ),
            ("outbox", &["core", "engine", "run::decide_loop", "shared", "watch"]),
            ("ports", &["watch::trouble"]),
            // Reads the store, not what is being decided.
            ("read", &["core::as_signal", "engine", "metrics", "watch::trouble"]),
            ("refusals", &["engine", "read"]),
            // Counts who reports, before it is decided.
            ("reporting", &["core", "limits::WITHIN"]),
            // A report is an alarm, taken as any other; and its receipt is a link.
            ("reports", &["core", "engine", "message_link::receipts", "read", "reporting"]),
            // A decision may need what people read of who would be reached.
            ("run", &["clock", "core", "engine", "ports", "read::ready", "shared", "watch"]),
            ("saved", &["engine"]),
            // What all tasks share: of each subject the file with its state, and nothing that acts.
            (
                "shared",
                &[
                    "core",
                    "identity::seal",
                    "identity::sign_in",
                    "limits",
                    "message_link",
                    "metrics",
                    "org::shown_once",
                    "outbox::channel_health",
                    "outbox::circuit",
                    "outbox::settings",
                    "ports",
                    "refusals::gate",
                    "reporting",
                    "watch::memory",
                    "watch::stages",
                    "watch::trouble",
                ],
            ),
            // An alarm as a sender's, taken as any other.
            ("try_out", &["core", "engine", "read"]),
            // Who is on call and would not be reached, as people read it.
            // What leaves the house and comes back is signed as everything that leaves it.
            ("upkeep", &["core", "engine", "identity::seal", "message_link::exports", "org", "ports", "read::ready", "shared", "watch"]),
            // Sends the canary, which is decided as whatever else is asked.
            ("watch", &["clock", "core", "engine", "ports", "shared"]),
        ],
    },
    Arrows {
        of: "web",
        below: &["hub", "app", "frame", "access", "posted", "took"],
        on_top: &["places"],
        may: &[
            // The first page shows a little of others.
            ("board", &["demo_outbox", "first", "on_call::names", "on_call::then", "saved"]),
            ("demo_outbox", &[]),
            ("find", &["saved"]),
            ("first", &[]),
            ("guest", &[]),
            // Stands under the board in the frame's lists.
            ("incident", &["board::PLACE"]),
            ("learning", &[]),
            ("live", &[]),
            // Who of those on call would be reached stands under their page, with the last drill of each policy.
            ("me", &["board::letters", "first::TEST", "on_call::PLACE", "on_call::drills", "services::incidents"]),
            // Shows the end of the same log.
            ("message_link", &["incident::log"]),
            ("on_call", &[]),
            ("reports", &[]),
            ("saved", &[]),
            ("services", &[]),
            // A form that is a step of the first run leads to the next; that of a report form shows where it is, and that of a policy its
            // last drill.
            ("settings", &["first", "on_call::drills", "reports::PATH"]),
        ],
    },
];

/// Findings about every crate that has a table.
pub fn check(sources: &[Source], findings: &mut Vec<Finding>) {
    let crates = of_crates(sources);
    for arrows in &ARROWS {
        arrows.check(crates.get(arrows.of).map_or(&[][..], Vec::as_slice), findings);
    }
}

impl Arrows {
    fn check(&self, sources: &[&Source], findings: &mut Vec<Finding>) {
        let may: BTreeMap<&str, &[&str]> = self.may.iter().copied().collect();
        let mut files: Vec<(Vec<String>, &Source)> = sources.iter().map(|source| (module(self.of, &source.file), *source)).collect();
        files.retain(|(own, _)| !own.is_empty());
        let subjects: BTreeSet<&str> = files.iter().map(|(own, _)| own[0].as_str()).collect();
        let listed: Vec<&str> = self.below.iter().chain(self.on_top).chain(may.keys()).copied().collect();
        let mut say = |what: String| findings.push(Finding::new("xtask/src/tidy/arrows.rs", 1, what));
        for subject in subjects.iter().filter(|subject| !listed.contains(subject)) {
            say(format!("`{subject}` of {} is in no table: say there what it may name", self.of));
        }
        for gone in listed.iter().filter(|subject| !subjects.contains(*subject)) {
            say(format!("`{gone}` is in the table of {}, and is not there", self.of));
        }
        let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut wrong = Vec::new();
        for (own, source) in &files {
            let subject = own[0].as_str();
            for (line, path) in named(own, source) {
                let Some(other) = path.first().map(String::as_str).filter(|other| *other != subject && subjects.contains(other)) else {
                    continue;
                };
                let height = |of: &str| self.below.iter().position(|below| *below == of);
                let stands_on = height(other).is_some_and(|other| height(subject).is_none_or(|own| other < own));
                if stands_on || self.on_top.contains(&subject) {
                    continue;
                }
                match may.get(subject).into_iter().copied().flatten().find(|arrow| leads(arrow, &path)) {
                    Some(arrow) => drop(used.insert((subject, *arrow))),
                    None => wrong.push((source.file.as_path(), line, subject, path.join("::"))),
                }
            }
        }
        for (subject, arrow) in self.may.iter().flat_map(|(subject, arrows)| arrows.iter().map(move |arrow| (*subject, *arrow))) {
            if !used.contains(&(subject, arrow)) && subjects.contains(subject) {
                say(format!("nothing in `{subject}` of {} names `{arrow}`: take it off the table", self.of));
            }
        }
        for (file, line, subject, path) in wrong {
            let what = format!("`{subject}` may not name `{path}`: put what they share below both, or say in xtask/src/tidy/arrows.rs why");
            findings.push(Finding::new(Path::new(file), line, what));
        }
    }
}

/// Whether a path is what an arrow leads to, or a part of that.
fn leads(arrow: &str, path: &[String]) -> bool {
    let parts: Vec<&str> = arrow.split("::").collect();
    path.len() >= parts.len() && parts.iter().zip(path).all(|(part, name)| part == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Arrows = Arrows { of: "x", below: &["low", "less_low"], on_top: &["all"], may: &[("a", &["b::Part"]), ("b", &["a"])] };

    fn found(files: &[(&str, &str)]) -> Vec<(String, usize, String)> {
        let sources: Vec<Source> =
            files.iter().map(|(file, text)| Source::new(format!("crates/x/src/{file}").into(), (*text).to_owned())).collect();
        let mut findings = Vec::new();
        TABLE.check(&sources.iter().collect::<Vec<_>>(), &mut findings);
        let shown = |f: Finding| {
            let words: Vec<&str> = f.what.split('`').skip(1).step_by(2).collect();
            (f.file.file_name().unwrap().to_string_lossy().into_owned(), f.line, words.join(" "))
        };
        findings.into_iter().map(shown).collect()
    }

    #[test]
    fn what_the_table_does_not_say_is_found() {
        let whole = [
            ("lib.rs", "use a::It; use crate::b::It;"),
            ("low.rs", ""),
            ("less_low.rs", "use crate::low::It;"),
            ("all.rs", "use crate::{a, b};"),
            ("a/mod.rs", "use crate::low::It;"),
            ("a/deep.rs", "use crate::b::Part;\nuse super::It;"),
            ("b.rs", "fn f() { crate::a::g() }\n#[cfg(test)]\nmod tests {\n    use crate::all::It;\n}\n"),
        ];
        assert_eq!(found(&whole), []);
        let with = |file: &'static str, text: &'static str| {
            let mut files = whole.to_vec();
            files.retain(|(other, _)| *other != file);
            files.push((file, text));
            found(&files)
        };
        let here = |file: &str, line, what: &str| vec![(file.to_owned(), line, what.to_owned())];
        assert_eq!(with("low.rs", "\nuse crate::less_low::It;"), here("low.rs", 2, "low less_low::It"));
        assert_eq!(with("less_low.rs", "use crate::a::It;"), here("less_low.rs", 1, "less_low a::It"));
        assert_eq!(with("a/deep.rs", "use crate::b::{Part,\n Other};"), here("deep.rs", 2, "a b::Other"));
        assert_eq!(with("b.rs", "use crate::a::It;\nuse crate::all;"), here("b.rs", 2, "b all"));
        assert_eq!(with("b.rs", ""), here("arrows.rs", 1, "b a"), "an arrow that nobody uses");
        assert_eq!(with("c.rs", ""), here("arrows.rs", 1, "c"), "a subject that is in no table");
    }
}
