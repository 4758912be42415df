//! Pages of the documentation that are made from the code, and must say what it says.
//!
//! `ALLCLEAR_BLESS=1 cargo test -p allclear-domain --test generated_docs` writes them anew.

#![allow(clippy::unwrap_used)] // a test fails loudly, in its helpers too

use std::fmt::Write as _;
use std::path::Path;

use allclear_domain::expect::Rule;
use allclear_domain::incident::lifecycle;

/// Compares a page under `docs/` with what the code says now.
fn same(page: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    #[allow(clippy::disallowed_methods)] // the one setting of these tests
    if std::env::var("ALLCLEAR_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, now).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == now, "docs/{page} does not say what the code says; run this test with ALLCLEAR_BLESS=1 and look at the difference");
}

#[test]
fn the_lifecycle_of_an_incident() {
    let mut page = String::from(
        "# The lifecycle of an incident\n\n\
         Made from `crates/domain/src/incident/lifecycle.rs`; a test keeps it so.\n\n\
         A row is where an incident stands, a column what is asked. An arrow says where it stands afterwards,\n\
         ✓ that it is done and the state stays, – that it is refused, with the reason in words. *alerts* and *recover* are\n\
         not asked by people: they follow from the alerts of the incident. When all of them have recovered, a declared incident\n\
         resolves by itself and a candidate is cancelled; where somebody is on it, that person is asked to confirm.\n\
         Where *answer* is refused, *party* and *guest* take nobody in: a party leaves, and a link is revoked.\n\n",
    );
    page.push_str(&lifecycle::as_markdown());
    same("lifecycle.md", &page);
}

#[test]
fn the_expectations() {
    let mut page = String::from(
        "# Expectations\n\n\
         Made from `crates/domain/src/expect.rs`; a test keeps it so.\n\n\
         An expectation is a rule with a deadline over the log: what must appear, by when, and what follows if it does not.\n\
         An expectation that is open cites the version of its rule.\n\n\
         | rule | version | expects | else |\n|---|---|---|---|\n",
    );
    for rule in Rule::ALL {
        writeln!(page, "| `{}` | {} | {} | {} |", rule.name(), rule.version(), rule.expects(), rule.or_else()).unwrap();
    }
    same("expectations.md", &page);
}
