//! Calendars that people's own programs fetch: whoever holds the address reads who is on call, and nothing else.
//!
//! An address is a secret like a token, stored as its hash and shown once. It gives what whoever made it may see: where they are
//! removed or may not look any more, or the person or the schedule is gone, it leads nowhere, and says no more than that.

use allclear_domain::access::{Actor, Denied, Principal, Resource, Right, Scope, may, may_schedule, scope_of_person};
use allclear_domain::audit::Kind;
use allclear_domain::ids::FeedId;
use allclear_domain::org::feed::Feed;
use allclear_domain::org::snapshot::Org;
use allclear_domain::view::FeedView;
use allclear_store::rows::feed::{self, FeedOf, StoredFeed};
use allclear_store::rows::token;
use allclear_store::{CommitError, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tokens::hash;
use crate::engine::Engine;

/// Where calendars are fetched, before their secret.
pub const FEED_PATH: &str = "/cal/";
/// What the address of a calendar ends with, so that programs know what it is.
pub const FEED_SUFFIX: &str = ".ics";
/// Random bytes of an address: as of a token.
const FEED_BYTES: usize = 32;
/// Most addresses that one of us has of the same shifts: a telephone, a laptop and a few more.
pub const FEEDS_OF_ONE_MAX: usize = 20;

/// Why an address was not made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum NoFeed {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("only people have shifts of their own: use a person's token, or name a schedule")]
    NoPerson,
    #[error("there is no schedule `{0}`")]
    NoSchedule(String),
    #[error("there are {FEEDS_OF_ONE_MAX} addresses of this calendar that you made: revoke one that nobody uses")]
    TooMany,
    #[error("there is no calendar address `{0}` that you may revoke")]
    Missing(String),
    #[error("the store does not answer: {0}")]
    Store(#[from] CommitError),
}

impl From<Fault> for NoFeed {
    fn from(fault: Fault) -> Self {
        Self::Store(CommitError::Fault(fault))
    }
}

impl Engine {
    /// Makes an address of the asker's own shifts, or of a schedule's; the address is told once.
    ///
    /// # Errors
    /// When the asker may not, has too many, or the store does not answer.
    pub async fn make_feed(&self, who: &Principal, schedule: Option<&str>) -> Result<(String, FeedView), NoFeed> {
        let org = self.org();
        self.may_have_feeds(&org, who)?;
        let of = match schedule {
            Some(id) if org.schedule_form(id).is_none() => return Err(NoFeed::NoSchedule(id.chars().take(64).collect())),
            Some(id) => FeedOf::Schedule(id.to_owned()),
            None => FeedOf::Person(who.person().filter(|id| org.person(id).is_some()).ok_or(NoFeed::NoPerson)?.to_owned()),
        };
        let mine = feed::live(self.db()).await?;
        if mine.iter().filter(|known| known.made_by == who.actor && known.of == of).count() >= FEEDS_OF_ONE_MAX {
            return Err(NoFeed::TooMany);
        }
        let mut bytes = [0; FEED_BYTES];
        self.shared.ports.rng.fill(&mut bytes);
        let secret = URL_SAFE_NO_PAD.encode(bytes);
        let stored = StoredFeed {
            id: FeedId::from_bits(self.fresh_id()),
            hash: hash(&secret),
            of,
            made_by: who.actor.clone(),
            created_at: self.now(),
            revoked_at: None,
        };
        let line = self.audited(Kind::TokenMade, &who.actor, Some(&stored.id.to_string()), Some(said(&stored.of)));
        self.db().commit(vec![feed::put(&stored), line]).await?;
        Ok((format!("{}{FEED_PATH}{secret}{FEED_SUFFIX}", self.base_url()), view(&stored)))
    }

    /// The addresses that the asker made or may revoke, newest first.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn feeds(&self, who: &Principal) -> Result<Vec<FeedView>, NoFeed> {
        let org = self.org();
        may(&org, who, Right::SeeOrganisation, Resource::Installation)?;
        Ok(feed::live(self.db()).await?.iter().filter(|known| may_revoke(&org, who, known)).map(view).collect())
    }

    /// Revokes an address: from now on it leads nowhere.
    ///
    /// # Errors
    /// Where there is none that the asker may revoke, or the store does not answer.
    pub async fn revoke_feed(&self, who: &Principal, id: &str) -> Result<(), NoFeed> {
        let org = self.org();
        self.may_have_feeds(&org, who)?;
        let missing = || NoFeed::Missing(id.chars().take(64).collect());
        let wanted: FeedId = id.parse().map_err(|_| missing())?;
        let all = feed::live(self.db()).await?;
        let mut stored = all.into_iter().find(|known| known.id == wanted && may_revoke(&org, who, known)).ok_or_else(missing)?;
        stored.revoked_at = Some(self.now());
        let line = self.audited(Kind::TokenRevoked, &who.actor, Some(&stored.id.to_string()), Some(said(&stored.of)));
        self.db().commit(vec![feed::put(&stored), line]).await?;
        Ok(())
    }

    /// The calendar behind an address; nothing where it leads nowhere, whatever the reason.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn fetch_feed(&self, secret: &str) -> Result<Option<Feed>, Fault> {
        let Some(stored) = feed::by_hash(self.db(), &hash(secret)).await?.filter(|known| known.revoked_at.is_none()) else {
            return Ok(None);
        };
        let org = self.org();
        let maker = match &stored.made_by {
            Actor::Person(id) if org.person(id).is_none() => return Ok(None),
            Actor::Person(id) => Principal::new(stored.made_by.clone(), scope_of_person(&org, id)),
            Actor::Token(id) => match token::by_id(self.db(), *id).await? {
                Some(token) if token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > self.now()) => {
                    Principal::new(stored.made_by.clone(), token.scope)
                }
                _ => return Ok(None),
            },
            Actor::Administrator => Principal::new(Actor::Administrator, Scope::Admin),
            Actor::Integration(_) | Actor::Organisation(_) | Actor::Clock | Actor::System => return Ok(None),
        };
        if may(&org, &maker, Right::SeeOrganisation, Resource::Installation).is_err() {
            return Ok(None);
        }
        Ok(match &stored.of {
            FeedOf::Person(id) => org.person(id).map(|person| Feed::of_person(&org, &person.id, self.now(), self.base_url())),
            FeedOf::Schedule(id) => org.schedule_form(id).map(|form| Feed::of_schedule(&org, form, self.now(), self.base_url())),
        })
    }

    /// Looking is not enough: an address outlives the visit of whoever made it.
    fn may_have_feeds(&self, org: &Org, who: &Principal) -> Result<(), Denied> {
        may(org, who, Right::SeeOrganisation, Resource::Installation)?;
        may(org, who, Right::Respond, Resource::Installation)
    }
}

/// Whoever made one, manages the schedule's team, or administers.
fn may_revoke(org: &Org, who: &Principal, stored: &StoredFeed) -> bool {
    let manages = match &stored.of {
        FeedOf::Schedule(id) => may_schedule(org, who, id).is_ok(),
        FeedOf::Person(id) => who.person() == Some(id.as_str()) || may(org, who, Right::Administer, Resource::Installation).is_ok(),
    };
    manages || stored.made_by == who.actor
}

fn said(of: &FeedOf) -> String {
    match of {
        FeedOf::Person(id) => format!("calendar of {id}'s shifts"),
        FeedOf::Schedule(id) => format!("calendar of schedule {id}"),
    }
}

fn view(stored: &StoredFeed) -> FeedView {
    let (schedule, person) = match &stored.of {
        FeedOf::Person(id) => (None, Some(id.clone())),
        FeedOf::Schedule(id) => (Some(id.clone()), None),
    };
    FeedView { id: stored.id.to_string(), schedule, person, made_by: stored.made_by.to_string(), created_at: stored.created_at }
}
