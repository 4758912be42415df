//! Organisations for trials. `{HOOK}` stands for the webhook sink's address, `{SECRET}` for the
//! webhooks' secret.

use crate::webhook_sink::SECRET;

/// Key of the integration `json`.
pub const JSON_KEY: &str = "json-key-0001";
/// Key of the integration `other`, of the same kind.
pub const OTHER_KEY: &str = "json-key-0002";
/// Key of the integration `prom`.
pub const PROM_KEY: &str = "prom-key-0001";
/// Key of the integration `pd`.
pub const PD_KEY: &str = "0123456789abcdef0123456789abcdef";
/// The administrator's token.
pub const ADMIN_TOKEN: &str = "trial-admin-token-0123456789abcdef";

/// Three people with a webhook and a mailbox each; ana has five minutes, then ben five, then the
/// catch-all cho. Nothing repeats.
pub const PEOPLE: &str = r#"
people:
  - {id: ana, name: Ana Ruiz, email: ana@example.org, time_zone: Europe/Madrid, contacts: [{id: hook, webhook: "{HOOK}/ana", secret: "{SECRET}"}, {id: mail, email: ana@example.org}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
  - {id: ben, name: Ben Okafor, email: ben@example.org, contacts: [{id: hook, webhook: "{HOOK}/ben", secret: "{SECRET}"}, {id: mail, email: ben@example.org}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
  - {id: cho, name: Cho Min-ji, email: cho@example.org, contacts: [{id: hook, webhook: "{HOOK}/cho", secret: "{SECRET}"}, {id: mail, email: cho@example.org}], notify: {high: [{contact: hook}], low: [{contact: hook}]}}
teams:
  - {id: payments, name: Payments, members: [ana, ben], managers: [cho]}
"#;

/// Two steps of five minutes.
pub const ESCALATIONS: &str = r#"
escalations:
  - {id: payments, steps: [{page: ["person:ana"], within: 5m}, {page: ["person:ben"], within: 5m}]}
"#;

/// Two services under that policy, and one integration of each kind.
pub const SERVICES: &str = r#"
services:
  - {id: checkout, name: Checkout, team: payments, escalation: payments, tier: 1}
  - {id: search, name: Search, team: payments, escalation: payments, tier: 2}
integrations:
  - {id: json,  kind: json, key: "json-key-0001", service: checkout}
  - {id: other, kind: json, key: "json-key-0002", service: search}
  - {id: prom,  kind: alertmanager, key: "prom-key-0001", service: checkout}
  - {id: pd,    kind: pagerduty, key: "0123456789abcdef0123456789abcdef", service: checkout}
"#;

/// Cho is paged when every round is through.
pub const CATCH_ALL: &str = "catch_all: [\"person:cho\"]\n";

/// The usual organisation.
#[must_use]
pub fn usual() -> String {
    [PEOPLE, ESCALATIONS, SERVICES, CATCH_ALL].concat()
}

/// The usual organisation with routes.
#[must_use]
pub fn with_routes(routes: &str) -> String {
    format!("{}routes:\n{routes}\n", usual())
}

/// The usual people and services under another policy named `payments`, and a catch-all.
#[must_use]
pub fn with_escalation(escalations: &str) -> String {
    format!("{PEOPLE}\n{escalations}\n{SERVICES}{CATCH_ALL}")
}

/// Puts the sink's address in.
#[must_use]
pub fn filled(org: &str, hook: &str) -> String {
    org.replace("{HOOK}", hook).replace("{SECRET}", SECRET)
}
