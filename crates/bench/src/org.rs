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
         - {{match: 'kind=\"worse\"', set: {{severity: sev1}}, declare: true}}\n"
    )
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
    }
}
