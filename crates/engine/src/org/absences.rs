//! Who is away: entered, ended, listed. Forms as all others; here they are one's own to make.

use allclear_domain::access::{Denied, Principal, Resource, Right, may};
use allclear_domain::org::away::{Cause, uncovered};
use allclear_domain::org::cover::Stretch;
use allclear_domain::org::diff::{Form, FormKind};
use allclear_domain::org::model::Absence;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::{AbsenceView, NeedsCoverView};

use super::edit::Edit;
use super::{NODES_TRIES, OrgError, Read};
use crate::engine::Engine;

/// Most absences of one person that are not over: more than anybody plans.
pub const ABSENCES_OF_ONE_MAX: usize = 50;

/// Whether somebody may enter and end absences of this person: their own, those of members of a team they manage, and
/// administrators all.
fn may_enter(org: &Org, who: &Principal, person: &str) -> Result<(), Denied> {
    let no = match may(org, who, Right::Administer, Resource::Installation) {
        Ok(()) => return Ok(()),
        Err(no) => no,
    };
    if who.person() == Some(person) {
        return may(org, who, Right::Respond, Resource::Installation);
    }
    let teams = org.bundle().teams.iter().filter(|team| team.members.iter().any(|id| id == person));
    let manages = teams.into_iter().any(|team| may(org, who, Right::Schedule, Resource::Team(&team.id)).is_ok());
    if manages { Ok(()) } else { Err(no) }
}

impl Engine {
    /// Somebody is away.
    ///
    /// # Errors
    /// Where the asker may not, the person is not there, or the store does not answer.
    pub async fn put_absence(&self, absence: Absence, who: &Principal) -> Result<AbsenceView, OrgError> {
        let org = self.org();
        may_enter(&org, who, &absence.person)?;
        if org.person(&absence.person).is_none() {
            return Err(OrgError::Missing { kind: "person", id: absence.person });
        }
        if let Some(why) = absence.fault() {
            return Err(OrgError::Wrong(why));
        }
        let now = self.now();
        if absence.ends_at <= now {
            return Err(OrgError::Wrong("it would be over already"));
        }
        let known = org.bundle().absences.iter().any(|one| one.id == absence.id);
        let of_them = org.bundle().absences.iter().filter(|one| one.person == absence.person && one.ends_at > now).count();
        if !known && of_them >= ABSENCES_OF_ONE_MAX {
            return Err(OrgError::Wrong("one person has at most 50 absences that are not over: end one first"));
        }
        if !known {
            let body = serde_json::to_value(&absence).map_err(|why| OrgError::Stored(why.to_string()))?;
            self.put_form(Form { kind: FormKind::Absence, id: absence.id.clone(), body }, &who.actor).await?;
        }
        self.absence_views(who).into_iter().find(|view| view.id == absence.id).ok_or(OrgError::Conflict)
    }

    /// Ends an absence: one that runs is over now, one to come is gone; one that is over stays as it is.
    ///
    /// # Errors
    /// Where there is none, the asker may not, or the store does not answer.
    pub async fn end_absence(&self, id: &str, who: &Principal) -> Result<(), OrgError> {
        let _one_at_a_time = self.shared.org_change.lock().await;
        for _ in 1..NODES_TRIES {
            match self.end_absence_once(id, who).await {
                Err(OrgError::Conflict) => {}
                other => return other,
            }
        }
        self.end_absence_once(id, who).await
    }

    async fn end_absence_once(&self, id: &str, who: &Principal) -> Result<(), OrgError> {
        let read = Read::from(self.db()).await?;
        let missing = || OrgError::Missing { kind: "absence", id: id.chars().take(64).collect() };
        let row = read.forms.iter().find(|row| row.kind == FormKind::Absence.word() && row.id == id).ok_or_else(missing)?;
        let mut stored: Absence = serde_json::from_str(&row.body).map_err(|why| OrgError::Stored(why.to_string()))?;
        // Whose it is, is known to whoever may end it alone.
        may_enter(&self.org(), who, &stored.person).map_err(|_| missing())?;
        if row.managed.is_some() {
            return Err(OrgError::Wrong("a file owns this absence: change it there"));
        }
        let now = self.now();
        if stored.ends_at <= now {
            return Ok(());
        }
        let position = row.position as usize;
        let mut edit = Edit::new(self, &who.actor, read);
        if now <= stored.starts_at {
            edit.remove(FormKind::Absence, id.to_owned());
        } else {
            stored.ends_at = now;
            let body = serde_json::to_value(&stored).map_err(|why| OrgError::Stored(why.to_string()))?;
            edit.put(Form { kind: FormKind::Absence, id: id.to_owned(), body }, position, None)?;
        }
        edit.finish(None, Vec::new()).await?;
        Ok(())
    }

    /// Who is away or will be, by when that begins, with the turns that need cover.
    ///
    /// # Errors
    /// When the asker may not see the organisation.
    pub fn absences(&self, who: &Principal) -> Result<Vec<AbsenceView>, OrgError> {
        may(&self.org(), who, Right::SeeOrganisation, Resource::Installation)?;
        Ok(self.absence_views(who))
    }

    /// Turns that need cover, half a year ahead, by when they begin: of whoever is away, and of whoever has a public holiday off.
    ///
    /// # Errors
    /// When the asker may not see the organisation.
    pub fn needs_cover(&self, who: &Principal) -> Result<Vec<NeedsCoverView>, OrgError> {
        let (org, now) = (self.org(), self.now());
        may(&org, who, Right::SeeOrganisation, Resource::Installation)?;
        let of = |one: allclear_domain::org::away::Uncovered| NeedsCoverView {
            person_name: org.person(&one.person).map(|form| form.name.clone()),
            holiday: if let Cause::Holiday(name) = &one.cause { Some(name.clone()) } else { None },
            person: one.person,
            schedule: one.schedule,
            starts_at: one.starts_at,
            ends_at: one.ends_at,
        };
        Ok(uncovered(&org, now, None).into_iter().map(of).collect())
    }

    fn absence_views(&self, who: &Principal) -> Vec<AbsenceView> {
        let (org, now) = (self.org(), self.now());
        let found = uncovered(&org, now, None);
        let administers = self.administers(who).is_ok();
        let of = |(at, absence): (usize, &Absence)| AbsenceView {
            id: absence.id.clone(),
            person: absence.person.clone(),
            person_name: org.person(&absence.person).map(|form| form.name.clone()),
            starts_at: absence.starts_at,
            ends_at: absence.ends_at,
            reason: (!absence.reason.is_empty() && (administers || who.person() == Some(absence.person.as_str())))
                .then(|| absence.reason.clone()),
            needs_cover: found
                .iter()
                .filter(|one| one.cause == Cause::Absence(at))
                .map(|one| Stretch { schedule: one.schedule.clone(), starts_at: one.starts_at, ends_at: one.ends_at })
                .collect(),
            may_end: may_enter(&org, who, &absence.person).is_ok(),
        };
        let mut out: Vec<AbsenceView> =
            org.bundle().absences.iter().enumerate().filter(|(_, absence)| absence.ends_at > now).map(of).collect();
        out.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        out
    }
}
