//! How the outbox is set up.

/// Limits of the outbox.
#[derive(Debug, Clone, Copy)]
pub struct OutboxSettings {
    /// Sends under way at once to one contact; 0 is no limit.
    pub per_target: usize,
    /// Sends under way at once in all.
    pub at_once: usize,
    /// Whether messages that wait for the same contact are sent as one.
    pub bundle: bool,
}

/// Sends under way at once to one contact, unless set otherwise.
pub const PER_TARGET_DEFAULT: usize = 4;
/// Sends under way at once in all, unless set otherwise.
pub const AT_ONCE_DEFAULT: usize = 512;

impl Default for OutboxSettings {
    fn default() -> Self {
        Self { per_target: PER_TARGET_DEFAULT, at_once: AT_ONCE_DEFAULT, bundle: true }
    }
}
