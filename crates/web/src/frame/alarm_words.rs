//! What an alarm itself says: its description, and where its links lead.

use allclear_domain::view::AlertView;

/// What the sender wrote beside the title; nothing where it wrote nothing more.
pub(crate) fn description(alert: &AlertView) -> Option<&str> {
    let words = alert.detail.get("description")?.as_str()?.trim();
    (!words.is_empty() && words != alert.title).then_some(words)
}

/// Its links as address and caption, in their order; the caption is empty where it came without one. Each address once.
pub(crate) fn links(alert: &AlertView) -> Vec<(&str, &str)> {
    let annotation = |name: &str| alert.detail.get("annotations")?.get(name)?.as_str();
    let sent = alert.detail.get("links").and_then(|links| links.as_array()).into_iter().flatten();
    let sent =
        sent.filter_map(|link| Some((link.get("href")?.as_str()?, link.get("text").and_then(|text| text.as_str()).unwrap_or_default())));
    // Where Prometheus' rules and their dashboards are by custom.
    let known = [("dashboard_url", "Dashboard"), ("generatorURL", "Graph")];
    let known = known.into_iter().filter_map(|(name, caption)| Some((annotation(name)?, caption)));
    let mut out: Vec<(&str, &str)> = Vec::new();
    for (href, caption) in sent.chain(known) {
        if !href.trim().is_empty() && !out.iter().any(|(known, _)| *known == href) {
            out.push((href, caption));
        }
    }
    out
}
