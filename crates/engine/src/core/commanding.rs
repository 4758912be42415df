//! Who commands an incident: one question, which is asked where its parts are put in an order, where people are moved out of it, and
//! where somebody says that it is a part of another.
//!
//! Whoever commands the whole has a say in a part as far as the side of the part agreed to that: a relation alone, which anybody may
//! make who sees both, gives nobody command over anybody.
//!
//! Not here: who may act on an incident at all, and who takes and gives its roles (`may.rs`).

use allclear_domain::access::{Actor, Principal, Scope};
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::related::Related;
use allclear_domain::incident::roles::{self, COMMANDER, DEPUTY};
use allclear_domain::incident::{self, Incident, ordering};

use super::command::{Move, Refusal};
use super::unit::Unit;
use super::{Core, Decided};

/// What somebody has to say in an incident, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Say {
    /// Nothing: it is another's.
    Nothing,
    /// What anybody has who may act on it, since nobody commands it.
    Anybodys,
    /// They have the role that stands in for the commander. They may have taken it unasked, and unseat nobody by it.
    StandsIn,
    /// They command it, or answer for its team and say why.
    Commands,
}

impl Core {
    /// Whether somebody puts the parts of an incident in an order.
    pub(super) fn may_order(&self, unit: &Unit, who: &Principal, id: IncidentId, says_why: bool) -> Decided<()> {
        let say = self.say(unit, who, id, says_why)?;
        self.at_least(unit, id, say, Say::Anybodys)
    }

    /// Whether somebody moves a person out of an incident, with a reason. Whoever commands it is moved by themself, by who answers for
    /// its team, and by who commands the whole.
    pub(super) fn may_move(&self, unit: &Unit, who: &Principal, id: IncidentId, asked: &Move) -> Decided<()> {
        let (incident, _) = self.incident(unit, id)?;
        let own = self.say(unit, who, id, true)?;
        let above = match self.whole_of(unit, &incident, asked.to)? {
            Some(whole) => self.say(unit, who, whole, true)?,
            None => Say::Nothing,
        };
        // Where nobody commands the whole, nobody has a say in its parts by that.
        let say = if above > Say::Anybodys { own.max(above) } else { own };
        let is_themself = who.person() == Some(asked.person.as_str());
        let unseats = incident.commander.as_ref() == Some(&asked.person) && !is_themself;
        self.at_least(unit, id, say, if unseats { Say::Commands } else { Say::Anybodys })
    }

    /// Whether somebody who offered an incident to another team takes it for that team as well: only where it is theirs to say.
    pub(super) fn may_take_over(&self, unit: &Unit, who: &Principal, id: IncidentId, offered_by: Option<&str>) -> Decided<()> {
        if who.person().is_none() || who.person() != offered_by {
            return Ok(());
        }
        let say = self.say(unit, who, id, true)?;
        self.at_least(unit, id, say, Say::Anybodys)
    }

    /// Whether somebody agrees for an incident that it is a part of another.
    pub(super) fn agrees(&self, unit: &Unit, who: &Principal, part: IncidentId) -> Decided<bool> {
        Ok(self.say(unit, who, part, true)? == Say::Commands)
    }

    /// What somebody has to say in an incident itself.
    fn say(&self, unit: &Unit, who: &Principal, id: IncidentId, says_why: bool) -> Decided<Say> {
        let (incident, _) = self.incident(unit, id)?;
        let named = self.org.role(COMMANDER).and_then(|setting| setting.deputy.clone());
        // Who may not act any more keeps nothing from anybody.
        let keeper = |role: &str| roles::keeper(&incident, role).filter(|holder| roles::may_respond(&self.org, holder));
        let is_theirs = |role: &str| who.person().is_some() && keeper(role) == who.person();
        Ok(if is_theirs(COMMANDER) || (says_why && self.may_overrule(who, &incident)) {
            Say::Commands
        } else if is_theirs(named.as_deref().unwrap_or(DEPUTY)) {
            Say::StandsIn
        } else if keeper(COMMANDER).is_none() {
            Say::Anybodys
        } else {
            Say::Nothing
        })
    }

    /// The incident of which both are parts, or of which the one is a part and the other is it, while it is open and seen as they are, and
    /// as far as the side of the one that somebody leaves agreed.
    fn whole_of(&self, unit: &Unit, part: &Incident, to: IncidentId) -> Decided<Option<IncidentId>> {
        let Some(parent) = part.work.parent() else { return Ok(None) };
        let (other, _) = self.incident(unit, to)?;
        if other.work.parent().map(|above| above.incident) != Some(parent.incident) && other.id != parent.incident {
            return Ok(None);
        }
        let (whole, _) = self.incident(unit, parent.incident)?;
        let stands = whole.state.is_open() && whole.private == part.private && self.is_agreed(part, parent);
        Ok(stands.then_some(whole.id))
    }

    /// Whoever commanded the part, or answered for its team, said so, and does still: what somebody agreed to who has no say in it any
    /// more binds nobody. A program that administrates agreed for good.
    fn is_agreed(&self, part: &Incident, parent: &Related) -> bool {
        let still = |person: &String| {
            let who = Principal::new(Actor::Person(person.clone()), Scope::Admin);
            roles::keeper(part, COMMANDER) == Some(person.as_str()) || self.may_overrule(&who, part)
        };
        parent.agreed && parent.agreed_by.as_ref().is_none_or(still)
    }

    fn at_least(&self, unit: &Unit, id: IncidentId, say: Say, least: Say) -> Decided<()> {
        if say >= least {
            return Ok(());
        }
        let (incident, _) = self.incident(unit, id)?;
        let commander = incident.commander.as_deref().or_else(|| roles::keeper(&incident, COMMANDER)).unwrap_or_default();
        let (commander, reference) = (self.name_of_person(commander), incident.reference.clone());
        Err(Refusal::from(incident::Refusal::from(ordering::Refusal::NotItsCommander { commander, reference })).into())
    }
}
