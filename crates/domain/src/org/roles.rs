//! The catalogue of roles as decisions and pages read it: the usual ones with the cards that are shipped, what the
//! organisation says of them, and its own.

use super::forms::role::{Duty, DutyWhen, ROLES, Role};
use super::model::{Bundle, Slug};
use crate::severity::Severity;
use crate::time::Length;

/// How long a role may be nobody's once it is needed, where nothing is said; as long as an incident may be without a
/// commander.
pub const FILL_WITHIN: Length = crate::expect::ROLE_WITHIN;
/// How long one person should have a role where nothing is said: a shift.
pub const RELIEF_AFTER: Length = Length::from_mins(8 * 60);

/// A role with everything filled in that nothing is said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSetting {
    pub id: Slug,
    /// What people call it.
    pub name: String,
    /// In the order of a card: first, all the time, every half hour, before leaving.
    pub duties: Vec<Duty>,
    /// Whether one person should have it in one open incident only.
    pub exclusive: bool,
    /// Somebody has to have it in incidents of this severity and of worse ones; `None`: in none.
    pub needed_from: Option<Severity>,
    /// How long it may be nobody's once it is needed.
    pub within: Length,
    /// Who is asked to take it when it is needed, as a target.
    pub from: Option<String>,
    /// The role whose holder is called first where nobody took it in time.
    pub deputy: Option<Slug>,
    /// How long one person should have it; `None`: as long as it takes.
    pub relief_after: Option<Length>,
    /// After how long they and the commander are reminded of that, and again each time: where the organisation says how
    /// long. Of what nobody configured nobody is told at night.
    pub reminds_after: Option<Length>,
}

impl RoleSetting {
    /// Whether somebody has to have it in an incident this bad.
    #[must_use]
    pub fn is_needed(&self, severity: Severity) -> bool {
        self.needed_from.is_some_and(|from| severity <= from)
    }

    /// The parts of its card that say something, each with its heading.
    pub fn card(&self) -> impl Iterator<Item = (&'static str, Vec<&str>)> {
        DutyWhen::CARD.into_iter().filter_map(|when| {
            let duties: Vec<&str> = self.duties.iter().filter(|duty| duty.when == when).map(|duty| duty.text.as_str()).collect();
            (!duties.is_empty()).then(|| (DutyWhen::heading(when), duties))
        })
    }
}

/// The whole catalogue: the usual roles in their order, then the organisation's own in that of its file. Of two entries with
/// one id the first counts.
#[must_use]
pub(super) fn catalogue(bundle: &Bundle) -> Vec<RoleSetting> {
    let entry = |id: &str| bundle.roles.iter().find(|role| role.id == id);
    let usual = ROLES.into_iter().map(|id| setting(id, entry(id)));
    let mut out: Vec<RoleSetting> = usual.collect();
    for role in &bundle.roles {
        if !out.iter().any(|known| known.id == role.id) {
            out.push(setting(&role.id, Some(role)));
        }
    }
    out
}

fn setting(id: &str, said: Option<&Role>) -> RoleSetting {
    let shipped = SHIPPED.iter().find(|shipped| shipped.id == id);
    let name = said.and_then(|role| role.name.clone()).or_else(|| shipped.map(|shipped| shipped.name.to_owned()));
    let own = said.map(|role| role.duties.clone()).filter(|duties| !duties.is_empty());
    let mut duties = own.unwrap_or_else(|| shipped.map(Shipped::duties).unwrap_or_default());
    duties.sort_by_key(|duty| DutyWhen::CARD.iter().position(|when| *when == duty.when));
    RoleSetting {
        id: id.to_owned(),
        name: name.unwrap_or_else(|| id.to_owned()),
        duties,
        exclusive: said.and_then(|role| role.exclusive).unwrap_or_else(|| shipped.is_some_and(|shipped| shipped.exclusive)),
        needed_from: said.and_then(|role| role.needed_from),
        within: said.and_then(|role| role.within).unwrap_or(FILL_WITHIN),
        from: said.and_then(|role| role.from.clone()),
        deputy: said.and_then(|role| role.deputy.clone()),
        reminds_after: said.and_then(|role| role.relief_after).filter(|after| !after.is_zero()),
        relief_after: Some(said.and_then(|role| role.relief_after).unwrap_or(RELIEF_AFTER)).filter(|after| !after.is_zero()),
    }
}

/// What is shipped of a usual role.
struct Shipped {
    id: &'static str,
    name: &'static str,
    exclusive: bool,
    first: &'static [&'static str],
    always: &'static [&'static str],
    every_30m: &'static [&'static str],
    before_leaving: &'static [&'static str],
}

impl Shipped {
    fn duties(&self) -> Vec<Duty> {
        let parts = [
            (Some(DutyWhen::First), self.first),
            (None, self.always),
            (Some(DutyWhen::Every30m), self.every_30m),
            (Some(DutyWhen::BeforeLeaving), self.before_leaving),
        ];
        let of = |(when, texts): (Option<DutyWhen>, &'static [&'static str])| {
            texts.iter().map(move |text| Duty { text: (*text).to_owned(), when })
        };
        parts.into_iter().flat_map(of).collect()
    }
}

const SHIPPED: [Shipped; 6] = [
    Shipped {
        id: "commander",
        name: "Commander",
        exclusive: true,
        first: &[
            "Say that you command, and who else has a role",
            "Say what is affected, how bad it is, and what comes first",
            "Fill the roles that are needed: a scribe and communications before the rest",
        ],
        always: &[
            "Decide, and leave the digging to others",
            "Give each task to one person by name, with a time, and have it confirmed",
            "Ask for strong objections, not for agreement",
        ],
        every_30m: &[
            "Sum up: what is wrong, what is being done, what is next and by when",
            "Look again at the severity, and at who is missing",
            "Ask who needs relief",
        ],
        before_leaving: &["Go through the briefing with whoever takes over", "Have them confirm from when on they command", "Then leave"],
    },
    Shipped {
        id: "deputy",
        name: "Deputy",
        exclusive: false,
        first: &["Ask the commander what to take off their hands", "Read the log, so that you could take over now"],
        always: &[
            "Watch the times that run: tasks, updates, promises",
            "Tell the commander what they do not see",
            "Stand in when they step away",
        ],
        every_30m: &["Check that every open task has a person and a time"],
        before_leaving: &["Tell the commander who is ready to stand in"],
    },
    Shipped {
        id: "scribe",
        name: "Scribe",
        exclusive: false,
        first: &["Say that you write", "Note who is here, and in which role"],
        always: &[
            "Write down what is decided, by whom and why",
            "Note what is tried, and what came of it",
            "Say when you missed something: ask rather than guess",
        ],
        every_30m: &["Mark the key events, so that the short log tells the story"],
        before_leaving: &["Note what is still open", "Say who writes now"],
    },
    Shipped {
        id: "communications",
        name: "Communications",
        exclusive: false,
        first: &["Find out who has to hear of it, and by when", "Send a first word soon: what is known, and when the next one comes"],
        always: &[
            "Say what users see, not what the machines do",
            "Have the commander agree before it goes out",
            "Promise no time of repair that nobody stands behind",
        ],
        every_30m: &["Send an update, even where nothing changed", "Say when the next one comes"],
        before_leaving: &["Pass on every promise, with its time", "Send the last word once it is over"],
    },
    Shipped {
        id: "liaison",
        name: "Liaison",
        exclusive: false,
        first: &["List the teams and organisations outside that are concerned", "Find the right person at each, and a way to reach them"],
        always: &["Put what is asked of others into one clear request with a time", "Tell outside only what may be told"],
        every_30m: &["Ask after every answer that is owed", "Tell partners what is new for them"],
        before_leaving: &["Introduce whoever takes over to each partner", "Pass on open requests, with their reference numbers"],
    },
    Shipped {
        id: "operations",
        name: "Operations",
        exclusive: false,
        first: &["Stop the harm before you look for the cause", "Say what you are about to change, before you change it"],
        always: &["Change one thing at a time, and note the result", "Say how long you need, and when you will report", "Keep a way back"],
        every_30m: &["Report: what is known, what was ruled out, what is next", "Ask for the people whom you are missing"],
        before_leaving: &["Say what is half done, and how to undo it"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_changes_what_it_says_of_a_usual_role_and_leaves_the_rest() {
        let bundle: Bundle = serde_json::from_value(serde_json::json!({"roles": [
            {"id": "scribe", "needed_from": "sev2", "exclusive": true, "relief_after": "never"},
            {"id": "medic", "name": "Medical lead", "duties": ["Count the beds", {"text": "Say that you have it", "when": "first"}]},
        ]}))
        .unwrap();
        let all = catalogue(&bundle);
        assert_eq!(all.len(), ROLES.len() + 1);
        let of = |id: &str| all.iter().find(|role| role.id == id).unwrap();
        let scribe = of("scribe");
        assert_eq!((scribe.name.as_str(), scribe.exclusive, scribe.within, scribe.relief_after), ("Scribe", true, FILL_WITHIN, None));
        assert!(scribe.is_needed(Severity::Sev1) && scribe.is_needed(Severity::Sev2) && !scribe.is_needed(Severity::Sev3));
        assert!(scribe.duties.len() > 5, "the shipped card holds");
        let medic: Vec<_> = of("medic").card().collect();
        assert_eq!(medic, [("First", vec!["Say that you have it"]), ("All the time", vec!["Count the beds"])]);
        assert!(!of("medic").is_needed(Severity::Sev1) && !of("medic").exclusive && of("commander").exclusive);
        assert_eq!(of("medic").relief_after, Some(RELIEF_AFTER));
    }

    #[test]
    fn every_usual_role_has_a_card_with_all_of_its_parts_and_none_too_long() {
        for role in catalogue(&Bundle::default()) {
            assert_eq!(role.card().count(), DutyWhen::CARD.len(), "{}", role.id);
            assert!(role.duties.len() <= super::super::forms::role::DUTIES_MAX);
            let max = super::super::forms::role::DUTY_CHARS_MAX;
            assert!(role.duties.iter().all(|duty| duty.text.chars().count() <= max), "{}", role.id);
        }
    }
}
