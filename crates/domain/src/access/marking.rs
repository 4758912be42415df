//! Who reads what is marked: the one rule of the Traffic Light Protocol here.
//!
//! The house reads everything of an incident that it sees, but for what is red. TLP:RED is *for the eyes and ears of individual
//! recipients only*: those who lead the incident, which is whoever holds a role in it, the managers of its service's team and
//! administrators, and whoever wrote it. An organisation reads what is at most of its level, and what it wrote and was asked
//! itself. Of a private incident it reads no more than that, whatever its level.

use super::{Facts, Standing, standing};
use crate::actor::Principal;
use crate::org::model::Access;
use crate::org::snapshot::Org;
use crate::tlp::Tlp;

/// Something that is marked.
#[derive(Debug, Clone, Copy)]
pub struct Marked<'a> {
    /// As it was written; nothing where nobody said.
    pub marking: Option<Tlp>,
    /// Who wrote it, as stored.
    pub by: &'a str,
}

/// Whether somebody reads it. Whether they see its incident at all is asked first, by [`super::may`].
#[must_use]
pub fn may_read(org: &Org, who: &Principal, incident: &Facts<'_>, leads: &[&str], said: Marked<'_>) -> bool {
    if who.actor.to_string() == said.by {
        return true;
    }
    match who.party() {
        Some(organisation) => {
            let level = org.organisation(organisation).map(crate::org::forms::organisation::Organisation::may_be_told);
            level.is_some_and(|level| may_be_told(incident, said.marking, level))
        }
        None => said.marking != Some(Tlp::Red) || crate::plants::planted("red-for-all") || leads_it(org, who, incident, leads),
    }
}

/// Whether what has this marking may be told whoever may be told this much. TLP has no level for what nobody marked: it stays in
/// the house, since something leaves it because somebody said so, and never because somebody forgot to say otherwise. Of a
/// private incident nobody outside is told.
#[must_use]
pub fn may_be_told(incident: &Facts<'_>, marking: Option<Tlp>, level: Tlp) -> bool {
    let marking = marking.or_else(|| crate::plants::planted("unmarked-is-clear").then_some(Tlp::Clear));
    !incident.private && marking.is_some_and(|marking| marking <= level)
}

fn leads_it(org: &Org, who: &Principal, incident: &Facts<'_>, leads: &[&str]) -> bool {
    let Standing { access, manages } = standing(org, who);
    let team = incident.service.and_then(|id| org.service(id)).and_then(|service| service.team.as_ref());
    access == Access::Administrator || who.person().is_some_and(|id| leads.contains(&id)) || team.is_some_and(|team| manages.contains(team))
}
