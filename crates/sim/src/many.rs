//! Which worlds have many incidents beside each other, and what their organisations adopt for it.

use allclear_domain::org::forms::obligation::ObligationForm;
use allclear_domain::org::model::Bundle;
use allclear_domain::time::Length;

/// One world of so many has it: those whose seed leaves [`REST`], of which none was kept before.
const ONE_OF: u64 = 69;
/// See [`ONE_OF`].
const REST: u64 = 5;

/// Whether a world has it.
pub(crate) const fn is_here(seed: u64) -> bool {
    seed % ONE_OF == REST
}

/// Rules that the organisation adopts, in times of its own so that a world sees their end, and objectives of two of its services.
pub(crate) fn furnish(seed: u64, bundle: &mut Bundle) {
    if !is_here(seed) {
        return;
    }
    let adopted = |id: &str, rule: &str, matches: &str, length: &str| ObligationForm {
        id: id.into(),
        name: None,
        rule: rule.into(),
        matches: matches.into(),
        recipient: None,
        calendar: bundle.calendars.first().map(|calendar| calendar.id.clone()),
        length: Some(length.into()),
        why: Some("a world is short".into()),
        although_not_law: false,
    };
    bundle.obligations = vec![
        adopted("bank", "us-banking", "service=\"svc1\"", "1 hours"),
        adopted("asset", "au-soci-critical", "severity=~\"sev1|sev2\"", "30 minutes"),
        adopted("records", "gdpr-33", "", "2 business days"),
    ];
    for (service, rto) in bundle.services.iter_mut().zip([20, 45]) {
        (service.rto, service.mtpd) = (Some(Length::from_mins(rto)), Some(Length::from_mins(4 * rto)));
    }
}
