//! How an incident stands to others and whose it is, as `show` prints them.

use allclear_domain::view::{IncidentView, RelatedView};

use super::terminal::table;

/// Other incidents, and hand-overs; nothing where there are none.
pub fn shown(incident: &IncidentView) -> String {
    let mut out = String::new();
    if !incident.relations.is_empty() {
        let row = |one: &RelatedView| {
            let follows = if one.followed { "its updates are updates of this one" } else { "" };
            vec![
                one.is.heading().to_owned(),
                one.reference.clone(),
                one.severity.word().to_owned(),
                one.state.word().to_owned(),
                one.title.clone(),
                follows.to_owned(),
            ]
        };
        let rows: Vec<_> = incident.relations.iter().map(row).collect();
        out.push('\n');
        out.push_str(&table(&["STANDS TO IT AS", "REF", "SEVERITY", "STATE", "TITLE", "FOLLOWED"], &rows));
    }
    if let Some(transfers) = &incident.transfers {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let counts = [transfers.hand_overs, transfers.ping_pongs, transfers.returned].map(|count| count.to_string());
        let [hand_overs, ping_pongs, returned] = counts;
        let row = vec![or_dash(&transfers.team), or_dash(&transfers.offered_to), or_dash(&transfers.why), hand_overs, ping_pongs, returned];
        out.push('\n');
        out.push_str(&table(&["TEAM", "OFFERED TO", "WHY", "HAND-OVERS", "TO AND FRO", "NOT TAKEN"], &[row]));
    }
    out
}
