//! Saved views: a board or a search under a name, of one person, or of a team and everybody in it.
//!
//! A view is an address and nothing more: who opens it sees what they may see.

use allclear_domain::access::{Denied, Principal, Resource, Right, may, standing};
use allclear_domain::find::saved::{BadView, OF_ONE_MAX, address, name};
use allclear_domain::ids::ViewId;
use allclear_domain::org::model::Access;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::SavedView;
use allclear_store::rows::saved::{self, Owner, StoredView};
use allclear_store::{CommitError, Fault};

use crate::engine::Engine;

/// Why a view was not saved, renamed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum NoView {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("only people have views of their own: use a person's token")]
    NoPerson,
    #[error(transparent)]
    Bad(#[from] BadView),
    #[error("you are in no team `{0}`")]
    NoTeam(String),
    #[error("there is a view of this name already: take another name")]
    Taken,
    #[error("there are {OF_ONE_MAX} views: take one away that nobody uses")]
    TooMany,
    #[error("there is no view `{0}` of yours")]
    Missing(String),
    #[error("the store does not answer: {0}")]
    Store(#[from] CommitError),
}

impl From<Fault> for NoView {
    fn from(fault: Fault) -> Self {
        Self::Store(CommitError::Fault(fault))
    }
}

impl Engine {
    /// Those of whoever asks and of their teams; none of somebody who is no person.
    ///
    /// # Errors
    /// When the asker may not look at anything, or the store does not answer.
    pub async fn saved_views(&self, who: &Principal) -> Result<Vec<SavedView>, NoView> {
        let org = self.org();
        may(&org, who, Right::See, Resource::Installation)?;
        Ok(saved::of(self.db(), &owners(&org, who)).await?.into_iter().map(view).collect())
    }

    /// Saves one for whoever asks, or for a team that they are in.
    ///
    /// # Errors
    /// When the asker may not, it is none, its name is taken, there are too many, or the store does not answer.
    pub async fn save_view(&self, who: &Principal, named: &str, at: &str, team: Option<&str>) -> Result<SavedView, NoView> {
        let org = self.org();
        may(&org, who, Right::Respond, Resource::Installation)?;
        let person = who.person().filter(|id| org.person(id).is_some()).ok_or(NoView::NoPerson)?;
        let owner = match team {
            None => Owner::Person(person.to_owned()),
            Some(team) => Owner::Team(team.to_owned()),
        };
        if !owners(&org, who).contains(&owner) {
            return Err(NoView::NoTeam(team.unwrap_or_default().chars().take(64).collect()));
        }
        let stored = StoredView {
            id: ViewId::from_bits(self.fresh_id()),
            owner,
            name: name(named)?,
            address: address(at)?,
            made_by: who.actor.clone(),
            made_at: self.now(),
        };
        let known = saved::of(self.db(), std::slice::from_ref(&stored.owner)).await?;
        if known.iter().any(|one| one.name == stored.name) {
            return Err(NoView::Taken);
        }
        if known.len() >= OF_ONE_MAX {
            return Err(NoView::TooMany);
        }
        self.write_view(&stored).await?;
        Ok(view(stored))
    }

    /// Gives one another name.
    ///
    /// # Errors
    /// When there is none that the asker may change, the name is none or taken, or the store does not answer.
    pub async fn rename_view(&self, who: &Principal, id: &str, named: &str) -> Result<SavedView, NoView> {
        let mut stored = self.view_of(who, id).await?;
        stored.name = name(named)?;
        let known = saved::of(self.db(), std::slice::from_ref(&stored.owner)).await?;
        if known.iter().any(|one| one.id != stored.id && one.name == stored.name) {
            return Err(NoView::Taken);
        }
        self.write_view(&stored).await?;
        Ok(view(stored))
    }

    /// Takes one away.
    ///
    /// # Errors
    /// When there is none that the asker may take away, or the store does not answer.
    pub async fn remove_view(&self, who: &Principal, id: &str) -> Result<(), NoView> {
        let stored = self.view_of(who, id).await?;
        Ok(self.db().commit(vec![saved::remove(stored.id)]).await?)
    }

    /// Two at the same moment are told apart by the store.
    async fn write_view(&self, stored: &StoredView) -> Result<(), NoView> {
        match self.db().commit(vec![saved::put(stored)]).await {
            Err(CommitError::Conflict { .. }) => Err(NoView::Taken),
            Err(CommitError::Fault(why)) if saved::is_taken(&why) => Err(NoView::Taken),
            done => Ok(done?),
        }
    }

    async fn view_of(&self, who: &Principal, id: &str) -> Result<StoredView, NoView> {
        let org = self.org();
        may(&org, who, Right::Respond, Resource::Installation)?;
        let missing = || NoView::Missing(id.chars().take(64).collect());
        let wanted: ViewId = id.parse().map_err(|_| missing())?;
        let stored = saved::get(self.db(), wanted).await?.ok_or_else(missing)?;
        if owners(&org, who).contains(&stored.owner) { Ok(stored) } else { Err(missing()) }
    }
}

/// Whose views somebody has: their own, those of teams that they are in, and an administrator those of every team.
fn owners(org: &Org, who: &Principal) -> Vec<Owner> {
    let Some(person) = who.person().filter(|id| org.person(id).is_some()) else { return Vec::new() };
    let administers = standing(org, who).access == Access::Administrator;
    let is_in = |people: &[String]| people.iter().any(|id| id == person);
    let teams = org.bundle().teams.iter().filter(|team| administers || is_in(&team.members) || is_in(&team.managers));
    std::iter::once(Owner::Person(person.to_owned())).chain(teams.map(|team| Owner::Team(team.id.clone()))).collect()
}

fn view(stored: StoredView) -> SavedView {
    SavedView {
        id: stored.id.to_string(),
        name: stored.name,
        address: stored.address,
        team: match stored.owner {
            Owner::Person(_) => None,
            Owner::Team(id) => Some(id),
        },
    }
}
