//! How an incident stands to others and whose it is, as `show` prints them.

use allclear_domain::view::{ContentionView, IncidentView, RelatedView};

use jiff::Timestamp;

use super::terminal::{distance, table};

/// What others want of what it does, in a line; nothing where they want nothing.
pub fn contention(found: Option<&ContentionView>) -> Vec<String> {
    found.into_iter().flat_map(|found| found.sentences(&ToOwned::to_owned)).collect()
}

/// Other incidents, and hand-overs; nothing where there are none.
pub fn shown(incident: &IncidentView, now: Timestamp) -> String {
    let mut out = String::new();
    if !incident.relations.is_empty() {
        let row = |one: &RelatedView| {
            let follows = if one.followed { "its updates are updates of this one" } else { "" };
            let heading = one.rank.map_or_else(|| one.is.heading().to_owned(), |rank| format!("{} {rank}", one.is.heading()));
            vec![
                heading,
                one.reference.clone(),
                one.severity.word().to_owned(),
                one.state.word().to_owned(),
                one.holder.clone().unwrap_or_else(|| "-".to_owned()),
                one.next_due.map_or_else(|| "-".to_owned(), |at| distance(now, at)),
                one.title.clone(),
                follows.to_owned(),
            ]
        };
        let rows: Vec<_> = incident.relations.iter().map(row).collect();
        out.push('\n');
        out.push_str(&table(&["STANDS TO IT AS", "REF", "SEVERITY", "STATE", "WHO", "NEXT DUE", "TITLE", "FOLLOWED"], &rows));
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
