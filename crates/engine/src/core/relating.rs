//! Incidents that stand to each other: both are told of it in one commit, an update goes down to those that follow, and nothing is
//! left below what has ended.
//!
//! Nothing here calls itself: what stands above and below is walked with a list, level by level, and never more of it than
//! [`FAMILY_MAX`].
//!
//! Not here: what one incident says of another by itself (`domain::incident::relations`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use allclear_domain::access::Principal;
use allclear_domain::ids::IncidentId;
use allclear_domain::incident::related::{Related, Relation};
use allclear_domain::incident::relations::{Command, FAMILY_MAX, LEVELS_MAX, Moved, RELATIONS_MAX, Refusal as No, Tied, said_ones};
use allclear_domain::incident::updates::{self, Posted};
use allclear_domain::incident::{self, Incident, links};
use allclear_domain::plants::planted;
use allclear_domain::tlp::Tlp;
use allclear_domain::wire::NoticeKind;

use super::command::{Refusal, Reply};
use super::notices::each_once;
use super::unit::Unit;
use super::{Core, Decided, Stop};

/// How one is to stand to another.
struct Tie<'a> {
    /// What that one is to it.
    is: Relation,
    follow: bool,
    /// Whether the side of the part agreed.
    agreed: bool,
    /// Which person did.
    agreed_by: Option<String>,
    /// It follows from something else, and is no word of whoever asked.
    why: Option<&'a str>,
}

/// What is above or below an incident: how many levels away each is.
type Levels = BTreeMap<IncidentId, usize>;

fn no(why: No) -> Stop {
    Refusal::from(incident::Refusal::from(why)).into()
}

impl Core {
    /// An incident, where it is there and reads: one that does not must not hold up the others.
    pub(super) fn incident_if_any(&self, unit: &Unit, id: IncidentId) -> Decided<Option<Incident>> {
        match self.incident(unit, id) {
            Ok((incident, _)) => Ok(Some(incident)),
            Err(Stop::Refused(Refusal::NoSuchIncident)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// `to` is this to an incident from now on, and both logs say so.
    pub(super) fn relate(
        &mut self,
        unit: &mut Unit,
        who: &Principal,
        id: IncidentId,
        to: IncidentId,
        (is, follow): (Relation, bool),
    ) -> Decided<Reply> {
        if id == to {
            return Err(no(No::ToItself));
        }
        let (one, _) = self.incident(unit, id)?;
        let (other, _) = self.incident(unit, to)?;
        if follow {
            may_be_followed(&other)?;
        }
        self.may_stand_so(unit, &one, &other, is)?;
        let agreed = match is {
            Relation::Parent => self.agrees(unit, who, id)?,
            Relation::Child => self.agrees(unit, who, to)?,
            Relation::Related | Relation::Cause | Relation::Effect | Relation::SplitFrom | Relation::SplitInto => false,
        };
        let agreed_by = who.person().filter(|_| agreed).map(ToOwned::to_owned);
        self.tie(unit, id, to, &Tie { is, follow, agreed, agreed_by, why: None })?;
        Ok(Reply::Incident { id, reference: one.reference })
    }

    /// Both logs say it.
    fn tie(&mut self, unit: &mut Unit, id: IncidentId, to: IncidentId, tie: &Tie<'_>) -> Decided<()> {
        let (one, other) = (self.incident(unit, id)?.0.reference, self.incident(unit, to)?.0.reference);
        let tied = |incident, reference, is, followed| Tied {
            incident,
            reference,
            is,
            followed,
            agreed: tie.agreed,
            agreed_by: tie.agreed_by.clone(),
            why: tie.why.map(ToOwned::to_owned),
            moved: Moved::default(),
        };
        self.change_incident(unit, id, Command::Tie(tied(to, other, tie.is, tie.follow)))?;
        if planted("relation-told-once") {
            return Ok(());
        }
        let there = tied(id, one, tie.is.turned(), false);
        self.change_incident(unit, to, Command::Tie(there))
    }

    /// Whether two may stand so to each other: of one kind, seen by the same, in no circle, and neither too deep nor too many.
    fn may_stand_so(&self, unit: &Unit, one: &Incident, other: &Incident, is: Relation) -> Decided<()> {
        if one.mode != other.mode {
            return Err(Refusal::from(incident::Refusal::from(links::Refusal::AcrossModes)).into());
        }
        if one.private != other.private {
            return Err(no(No::AcrossSight));
        }
        if one.work.relations.iter().any(|known| known.incident == other.id && known.is == is) {
            return Ok(());
        }
        if [one, other].iter().any(|of| said_ones(of) >= RELATIONS_MAX) {
            return Err(no(No::TooMany { what: "relations of an incident", max: RELATIONS_MAX }));
        }
        let (upper, lower, up) = match is {
            Relation::Parent | Relation::Cause => (other, one, is),
            Relation::Child | Relation::Effect => (one, other, is.turned()),
            Relation::Related | Relation::SplitFrom | Relation::SplitInto => return Ok(()),
        };
        let above = self.walk(unit, upper, up)?;
        let below = self.walk(unit, lower, up.turned())?;
        if (above.contains_key(&lower.id) || below.contains_key(&upper.id)) && !planted("circle-of-parents") {
            return Err(no(No::Circle));
        }
        let deep = |levels: &Levels| levels.values().copied().max().unwrap_or(0);
        if deep(&above) + deep(&below) + 2 > LEVELS_MAX && !planted("circle-of-parents") {
            return Err(no(No::TooDeep { max: LEVELS_MAX }));
        }
        // The whole of it: what stands below all that is above, and what comes with the other.
        let mut family: BTreeSet<IncidentId> = above.keys().chain(below.keys()).copied().collect();
        family.extend([upper.id, lower.id]);
        let tops: Vec<IncidentId> = above.keys().copied().chain([upper.id]).collect();
        for top in tops {
            let Some(top) = self.incident_if_any(unit, top)? else { continue };
            family.extend(self.walk(unit, &top, up.turned())?.into_keys());
        }
        if family.len() > FAMILY_MAX {
            return Err(no(No::TooMany { what: "incidents that stand above and below each other", max: FAMILY_MAX }));
        }
        Ok(())
    }

    /// All that stand above an incident, or below it, and how many levels away at most. What would take more than is allowed
    /// is not walked to its end.
    fn walk(&self, unit: &Unit, from: &Incident, direction: Relation) -> Decided<Levels> {
        let next = |of: &Incident| -> Vec<IncidentId> {
            of.work.relations.iter().filter(|one| one.is == direction).map(|one| one.incident).collect()
        };
        let mut levels = Levels::new();
        let mut queue: VecDeque<(IncidentId, usize)> = next(from).into_iter().map(|id| (id, 1)).collect();
        while let Some((id, level)) = queue.pop_front() {
            if level > LEVELS_MAX || levels.len() > FAMILY_MAX || levels.get(&id).is_some_and(|known| *known >= level) {
                continue;
            }
            levels.insert(id, level);
            if let Some(of) = self.incident_if_any(unit, id)? {
                queue.extend(next(&of).into_iter().map(|id| (id, level + 1)));
            }
        }
        Ok(levels)
    }

    /// They are nothing to each other any more.
    pub(super) fn unrelate(&mut self, unit: &mut Unit, id: IncidentId, from: IncidentId) -> Decided<Reply> {
        let reference = self.incident(unit, id)?.0.reference;
        self.untie(unit, id, from, None)?;
        Ok(Reply::Incident { id, reference })
    }

    fn untie(&mut self, unit: &mut Unit, id: IncidentId, from: IncidentId, why: Option<&str>) -> Decided<()> {
        let why = why.map(ToOwned::to_owned);
        let (one, _) = self.incident(unit, id)?;
        let other = self.incident_if_any(unit, from)?;
        // The one of the two that gave the other a place, which the next one has then.
        let ordered = |whole: &Incident, part: IncidentId| whole.work.order.contains(&part).then_some(whole.id);
        let gave = ordered(&one, from).or_else(|| ordered(other.as_ref()?, id));
        let left = if gave == Some(id) { other.as_ref().map_or_else(String::new, |part| part.reference.clone()) } else { one.reference };
        self.change_incident(unit, id, Command::Untie { from, why: why.clone() })?;
        if other.is_some_and(|other| other.work.relations.iter().any(|one| one.incident == id && one.is.is_said())) {
            self.change_incident(unit, from, Command::Untie { from: id, why })?;
        }
        match gave {
            Some(whole) => self.tell_order(unit, whole, Some(&format!("{left} is no part any more"))),
            None => Ok(()),
        }
    }

    /// Somebody asks that its parent's updates are its own.
    pub(super) fn follow_parent(&mut self, unit: &mut Unit, id: IncidentId, command: &Command) -> Decided<()> {
        if let (Command::Follow, Some(parent)) = (command, self.incident(unit, id)?.0.work.parent()) {
            may_be_followed(&self.incident(unit, parent.incident)?.0)?;
        }
        self.change_incident(unit, id, command.clone())
    }

    /// An update goes down to all that follow, level by level; each of them says itself what it comes to there.
    pub(super) fn hand_down(&mut self, unit: &mut Unit, id: IncidentId, update: &Posted) -> Decided<()> {
        // Only those who are named may know it, and they are named there and not here.
        if update.marking == Some(Tlp::Red) {
            return Ok(());
        }
        let (mut queue, mut seen) = (VecDeque::from([id]), BTreeSet::from([id]));
        while let Some(above) = queue.pop_front() {
            let (whole, _) = self.incident(unit, above)?;
            let parts: Vec<IncidentId> =
                whole.work.relations.iter().filter(|one| one.is == Relation::Child).map(|one| one.incident).collect();
            for part in parts {
                // What is told of a private incident stays with those who see it.
                if whole.private || !seen.insert(part) {
                    continue;
                }
                let Some(child) = self.incident_if_any(unit, part)? else { continue };
                if !child.state.is_open() || child.work.parent().is_none_or(|parent| parent.incident != above || !parent.followed) {
                    continue;
                }
                // It goes as far as it went there, and no further: what nobody marked stays in the house.
                let marking = update.marking.or(whole.work.marking).or(child.work.marking.map(|_| Tlp::AmberStrict));
                let of = updates::Of { incident: above, reference: whole.reference.clone(), beside: false };
                let heard = Posted { marking, of: Some(of), remembered: false, ..update.clone() };
                self.change_incident(unit, part, updates::Command::Hear(heard))?;
                queue.push_back(part);
            }
        }
        Ok(())
    }

    /// An incident is over: what follows it owes its own updates, and, where it was none, has no parent any more.
    pub(super) fn let_go(&mut self, unit: &mut Unit, id: IncidentId, was_none: bool, how: &str) -> Decided<()> {
        let (over, _) = self.incident(unit, id)?;
        let why = format!("{} {how}", over.reference);
        self.leave_order(unit, id, how)?;
        for part in over.work.relations.iter().filter(|one| one.is == Relation::Child) {
            let Some(child) = self.incident_if_any(unit, part.incident)? else { continue };
            if was_none {
                self.untie(unit, id, part.incident, Some(&why))?;
            } else if child.work.parent().is_some_and(|parent| parent.incident == id && parent.followed) {
                self.change_incident(unit, part.incident, Command::Unfollow { why: Some(why.clone()) })?;
            }
            if was_none && child.state.is_open() {
                let targets = each_once([child.holder().filter(|_| child.is_held()).map(ToOwned::to_owned)]);
                let text = format!("{why}, which was the parent of this. This incident goes on by itself.");
                self.tell(unit, part.incident, NoticeKind::Reminder, &targets, text, "its parent is over")?;
            }
        }
        Ok(())
    }

    /// Two became one: what stood to the one that ended stands to the other, where it may; else it is nothing to anything.
    pub(super) fn move_relations(&mut self, unit: &mut Unit, from: IncidentId, into: IncidentId) -> Decided<()> {
        let (merged, _) = self.incident(unit, from)?;
        let survivor = self.incident(unit, into)?.0.reference;
        let why = format!("{} was merged into {survivor}", merged.reference);
        let said: Vec<Related> = merged.work.relations.iter().filter(|one| one.is.is_said()).cloned().collect();
        for one in said {
            let followed = match self.incident_if_any(unit, one.incident)? {
                Some(other) => other.work.parent().is_some_and(|parent| parent.incident == from && parent.followed),
                None => false,
            };
            self.untie(unit, from, one.incident, Some(&why))?;
            if one.incident == into {
                continue;
            }
            let Some(other) = self.incident_if_any(unit, one.incident)? else { continue };
            let (whole, _) = self.incident(unit, into)?;
            let has_parent = |of: &Incident, is: Relation| is == Relation::Parent && of.work.parent().is_some();
            let is_known = whole.work.relations.iter().any(|known| known.incident == one.incident && known.is.is_said());
            if is_known || has_parent(&whole, one.is) || has_parent(&other, one.is.turned()) {
                continue;
            }
            match self.may_stand_so(unit, &whole, &other, one.is) {
                Ok(()) => {}
                // It ends there, and both logs say so.
                Err(Stop::Refused(_)) => continue,
                Err(need) => return Err(need),
            }
            // Nobody of the part agreed to the other one: whoever commands the part may.
            let tie = Tie { is: one.is.turned(), follow: followed && !whole.private, agreed: false, agreed_by: None, why: Some(&why) };
            self.tie(unit, one.incident, into, &tie)?;
        }
        Ok(())
    }
}

/// Whether updates come from an incident, for those who do not see it.
fn may_be_followed(parent: &Incident) -> Decided<()> {
    if !parent.state.is_open() {
        return Err(no(No::ParentIsOver));
    }
    if parent.private { Err(no(No::ParentIsPrivate)) } else { Ok(()) }
}
