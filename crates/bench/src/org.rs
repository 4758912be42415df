//! The organisation that the product is measured with, as a file in the contract's YAML.
//!
//! Two hundred integrations, services, policies and people, one webhook each at the bench's own
//! sink: a request chooses whom it pages by its integration's key alone. Four routes, of which
//! the label `kind` chooses one.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::shape::{TARGETS, integration_key};

/// How long a step waits for an acknowledgement: longer than any run, so that what is measured is
/// the first page and the expectations stay live.
const WITHIN: &str = "12h";

/// Somebody who sees what they were admitted to and nothing else.
pub const GUEST: &str = "guest";

/// Tasks of a plan: as many as one may have.
pub const PLAN_TASKS: usize = 60;
/// Plans of so many tasks: one in phases, and one of which everything may begin at once, so that each task is awaited from the start.
pub const PLANS: [(&str, &str); 2] = [("phases", "in phases"), ("at-once", "all of which may begin")];
/// People whom a plan gives tasks, and asks for help as it starts.
const PLAN_PEOPLE: u64 = 10;
/// The number of the first of them: nobody of the pages that other scenarios send early.
const PLAN_PERSON_FIRST: u64 = 180;
/// Tasks of a phase: each comes after the one in its place of the phase before.
const PHASE: usize = 10;
/// One task in so many is a role's rather than a person's.
const ROLE_EVERY: usize = 3;
/// One task in so many is a decision, from the second phase on; one of its options skips the task so many places later.
const DECISION_EVERY: usize = 20;
const SKIPPED: usize = 8;
/// The roles that tasks go to, and that have to be filled.
const PLAN_ROLES: [&str; 3] = ["operations", "communications", "scribe"];

/// The file's text.
pub fn bundle(sink: SocketAddr) -> String {
    let mut people = String::from("people:\n");
    let mut escalations = String::from("escalations:\n");
    let mut services = String::from("services:\n");
    let mut integrations = String::from("integrations:\n");
    for n in 0..TARGETS {
        let _ = write!(
            people,
            "  - id: p{n:03}\n    name: Person {n:03}\n    contacts:\n      \
             - {{id: hook, webhook: \"http://{sink}/p{n:03}\"}}\n    notify:\n      \
             high: [{{contact: hook}}]\n      low: [{{contact: hook}}]\n"
        );
        let _ = writeln!(escalations, "  - {{id: e{n:03}, steps: [{{page: [\"person:p{n:03}\"], within: {WITHIN}}}]}}");
        let _ = writeln!(services, "  - {{id: s{n:03}, name: Service {n:03}, team: bench, escalation: e{n:03}}}");
        let key = integration_key(n);
        let _ = writeln!(integrations, "  - {{id: i{n:03}, kind: alertmanager, key: \"{key}\", service: s{n:03}}}");
    }
    format!(
        "{people}  - {{id: {GUEST}, name: Guest, access: guest}}\nteams:\n  - {{id: bench, name: Bench, members: [p000]}}\n{escalations}{services}\
         {integrations}routes:\n  \
         - {{match: 'kind=\"record\"', declare: record}}\n  \
         - {{match: 'kind=\"join\"', set: {{severity: sev2, group_by: [group]}}, declare: true}}\n  \
         - {{match: 'kind=\"page\"', set: {{severity: sev2}}, declare: true}}\n  \
         - {{match: 'kind=\"worse\"', set: {{severity: sev1}}, declare: true}}\n{}",
        plans()
    )
}

fn plans() -> String {
    let people = || PLAN_PERSON_FIRST..PLAN_PERSON_FIRST + PLAN_PEOPLE;
    let involve: Vec<String> = people().map(|n| format!("\"person:p{n:03}\"")).collect();
    let mut plans = String::from("plans:\n");
    for (id, name) in PLANS {
        let _ = write!(
            plans,
            "  - id: {id}\n    name: Outage of the network, {name}\n    version: 2\n    roles: [{}]\n    involve: [{}]\n    \
             recovery: [Errors are below the objective, The backlog is gone, Every party was told]\n    \
             links: [\"https://wiki.example.org/network\"]\n    tasks:\n",
            PLAN_ROLES.join(", "),
            involve.join(", ")
        );
        for (n, person) in (1..=PLAN_TASKS).zip(people().cycle()) {
            let whose = match PLAN_ROLES.get(n / ROLE_EVERY % PLAN_ROLES.len()) {
                Some(role) if n % ROLE_EVERY == 0 => format!("role: {role}"),
                _ => format!("person: p{person:03}"),
            };
            let after = if id == PLANS[0].0 && n > PHASE { format!(", after: [t{}]", n - PHASE) } else { String::new() };
            let decision = if n % DECISION_EVERY == PHASE + 1 {
                format!(
                    ", question: Which way for part {n}?, options: [Fail over, {{text: Wait for the vendor, skips: [t{}]}}]",
                    n + SKIPPED
                )
            } else {
                String::new()
            };
            let _ = writeln!(
                plans,
                "      - {{id: t{n}, text: \"Look at part {n} of the network and say what it does\", {whose}, within: 30m{after}{decision}}}"
            );
        }
    }
    plans
}

#[cfg(test)]
mod tests {
    use allclear_domain::org::model::{Access, Bundle, Declare};

    #[test]
    fn the_product_reads_the_file_as_it_is_meant() {
        let text = super::bundle("127.0.0.1:9099".parse().unwrap());
        let bundle: Bundle = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(bundle.people.len(), 201);
        assert_eq!((bundle.people[200].id.as_str(), bundle.people[200].access), (super::GUEST, Some(Access::Guest)));
        assert_eq!(bundle.people[7].contacts[0].address.get("webhook"), Some("http://127.0.0.1:9099/p007"));
        assert_eq!(bundle.integrations[7].key.as_deref(), Some("bench-key-007"));
        assert_eq!(bundle.integrations[7].service.as_deref(), Some("s007"));
        assert_eq!(bundle.services[7].escalation.as_deref(), Some("e007"));
        assert_eq!(bundle.escalations[7].steps[0].page, ["person:p007"]);
        let declares: Vec<_> = bundle.routes.iter().filter_map(|route| route.declare).collect();
        assert_eq!(declares, [Declare::Record, Declare::Declare, Declare::Declare, Declare::Declare]);
        for (plan, (id, _)) in bundle.plans.iter().zip(super::PLANS) {
            assert_eq!((plan.id.as_str(), plan.tasks.len(), plan.involve.len()), (id, 60, 10));
            let counted = |is: fn(&allclear_domain::org::forms::plan::PlanTask) -> bool| plan.tasks.iter().filter(|task| is(task)).count();
            assert_eq!(counted(|task| task.role.is_some()), 20);
            assert_eq!(counted(|task| task.question.is_some()), 3);
            assert_eq!(counted(|task| !task.after.is_empty()), if id == "phases" { 50 } else { 0 });
        }
    }
}
