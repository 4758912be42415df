//! Ways in: bytes and headers to signals, one file a format, and what they share: reading leniently, cleaning and
//! cutting text, and making a body fit to be kept.

pub mod alertmanager;
pub mod alertmanager_read;
pub mod json;
pub mod lenient;
pub mod pagerduty;
pub mod redact;
pub mod text;
