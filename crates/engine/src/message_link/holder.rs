//! Whoever holds a link: whether it works, and as whom they ask.

use allclear_domain::access::{Held, Principal};
use allclear_domain::ids::PageId;
use allclear_store::rows;

use super::{About, BadLink, LinkFor};
use crate::engine::Engine;
use crate::read::NoAnswer;

impl Engine {
    /// What a link's token is for, while it works: it is ours, not too old, and its person is still one of us.
    ///
    /// # Errors
    /// Why it does not work.
    pub fn open_link(&self, token: &str) -> Result<LinkFor, BadLink> {
        let link = self.links().read(token, self.now())?;
        if self.org().person(&link.person).is_none() {
            return Err(BadLink::PersonGone);
        }
        Ok(link)
    }

    /// Whoever holds a link, as somebody who asks: they see its page and its incident, and answer the page, whatever else
    /// they may.
    ///
    /// # Errors
    /// When it is not the link of one page that exists, or the store does not answer.
    pub async fn holder(&self, link: &LinkFor) -> Result<Principal, NoAnswer> {
        match link.about {
            About::Page(page) => self.holder_of(&link.person, page).await,
            About::Bundle(_) => Err(NoAnswer::Missing("page")),
        }
    }

    /// Whoever was sent a message about a page, by a way that was found to be theirs.
    pub(crate) async fn holder_of(&self, person: &str, page: PageId) -> Result<Principal, NoAnswer> {
        let (found, _) = rows::page::get(self.db(), page).await?.ok_or(NoAnswer::Missing("page"))?;
        Ok(Principal::of_link(person, Held { page, incident: found.incident_id() }))
    }
}
