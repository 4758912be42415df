//! Why a page starts, and which of these reasons its reader is told: an alarm and a declaration speak for themselves.
//!
//! Logs and rows hold the words, so those that stand here never change.

/// An alarm or a person declared the incident.
pub const DECLARED: &str = "an incident was declared";
/// The same, after its route waited for more alerts.
pub const WAIT_IS_OVER: &str = "the wait for more alerts is over";
/// Somebody tries how they are reached.
pub const TEST: &str = "a test: nothing is wrong";

/// A fire drill of a policy.
pub const DRILL: &str = "a fire drill: nothing is wrong";

/// What a page's reader has to know first, since the incident's title does not say it: what somebody owes, that nobody was
/// on it, that it became worse, who asks for help. Nothing where the title says it all.
#[must_use]
pub fn told(because: &str) -> Option<&str> {
    (!matches!(because, DECLARED | WAIT_IS_OVER | TEST | DRILL) && !because.trim().is_empty()).then_some(because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_speaks_for_itself_and_the_rest_has_a_reason() {
        assert_eq!([DECLARED, WAIT_IS_OVER, TEST, " "].map(told), [None; 4]);
        assert_eq!(told("nobody has taken command"), Some("nobody has taken command"));
    }
}
