//! What people call a form.

use allclear_domain::org::diff::FormKind;
use allclear_domain::org::snapshot::Org;

use crate::frame::pieces;

/// Most characters that are shown of what a silence matches, by which it is called.
const MATCHES_CHARS_MAX: usize = 80;

/// What people call a form; its id where it has no name.
pub(crate) fn title(org: &Org, kind: FormKind, id: &str) -> String {
    let named = match kind {
        FormKind::CatchAll => Some("Catch-all".to_owned()),
        FormKind::Silence => org.bundle().title(kind, id).map(|matches| pieces::cut(&matches, MATCHES_CHARS_MAX)),
        _ => org.bundle().title(kind, id),
    };
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_owned())
}
