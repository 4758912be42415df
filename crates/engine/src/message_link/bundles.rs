//! What is behind the one link of a message that carries many pages: all of them, and one answer to all.
//!
//! Whoever holds the link is taken for the person it was sent to. An answer is given page by page, a portion at a
//! time, so that nobody else waits for thousands of them.

use allclear_domain::access::{Held, Principal};
use allclear_domain::ids::MessageId;
use allclear_domain::paging;
use allclear_domain::view::BundledPage;
use allclear_store::rows;

use super::{About, LinkFor};
use crate::core::{Command, Input, Refusal};
use crate::engine::Engine;
use crate::read::NoAnswer;
use crate::windows::BUNDLE_MAX;

/// Pages answered together, in one or two commits.
const PORTION: usize = 100;

/// One answer to many pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToAll {
    Acknowledge,
    /// "I can't: page the next."
    Decline,
}

impl Engine {
    /// The pages of a message, for whoever holds its link: those that look for somebody first, the worst first.
    ///
    /// # Errors
    /// When there are none, or the store does not answer.
    pub async fn bundle_of_link(&self, link: &LinkFor) -> Result<Vec<BundledPage>, NoAnswer> {
        match link.about {
            About::Bundle(lead) => self.bundle_of(lead, &link.person).await,
            About::Page(_) => Err(NoAnswer::Missing("page")),
        }
    }

    pub(crate) async fn bundle_of(&self, lead: MessageId, person: &str) -> Result<Vec<BundledPage>, NoAnswer> {
        let limit = i64::try_from(BUNDLE_MAX).unwrap_or(i64::MAX);
        let found = rows::message::of_bundle(&self.shared.db, lead, limit).await?;
        let pages: Vec<BundledPage> = found.into_iter().filter(|(whom, _)| whom == person).map(|(_, page)| page).collect();
        if pages.is_empty() { Err(NoAnswer::Missing("page")) } else { Ok(pages) }
    }

    /// Answers all pages of a message that look for somebody; gives how many took it. One that somebody else took a
    /// moment ago takes no answer, which is no failure of the others.
    ///
    /// # Errors
    /// When the store cannot keep it; what was answered until then stays so, and the rest can be asked for again.
    pub async fn answer_bundle(&self, pages: &[BundledPage], person: &str, via: &str, answer: ToAll) -> Result<usize, Refusal> {
        let takes = |page: &&BundledPage| match answer {
            ToAll::Acknowledge => page.looking,
            ToAll::Decline => page.asks_at.is_some(),
        };
        let looking: Vec<_> = pages.iter().filter(takes).collect();
        let mut took = 0;
        for portion in looking.chunks(PORTION) {
            let asked = portion.iter().map(|page| {
                let command = match answer {
                    ToAll::Acknowledge => paging::Command::Acknowledge { by: Some(person.to_owned()), via: via.to_owned() },
                    ToAll::Decline => {
                        paging::Command::Decline { by: person.to_owned(), via: via.to_owned(), answers: page.asks_at, why: None }
                    }
                };
                let who = Principal::of_link(person, Held { page: page.page, incident: page.incident });
                self.submit(Input { who, cause: via.to_owned(), once: None, command: Command::Page { id: page.page, command } })
            });
            for reply in futures_util::future::join_all(asked).await {
                match reply {
                    Ok(_) => took += 1,
                    Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
                    // One that does not read holds up none of the others.
                    Err(_) => {}
                }
            }
        }
        Ok(took)
    }
}
