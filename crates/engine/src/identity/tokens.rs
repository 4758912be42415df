//! Who asks: tokens, hashed and scoped.

use allclear_domain::access::{Actor, Principal, Scope, scope_of_person};
use allclear_domain::audit::Kind;
use allclear_domain::hex::hex;
use allclear_domain::ids::TokenId;
use allclear_domain::time::{Length, after};
use allclear_domain::view::TokenView;
use allclear_store::rows::token::{self, StoredToken};
use allclear_store::{CommitError, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::NotDone;
use crate::engine::Engine;

/// What our tokens start with, so that scanners of leaked secrets recognise them.
pub const TOKEN_PREFIX: &str = "acl_";
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// A token without another word lives this long.
pub const TOKEN_LIFE_DEFAULT: Length = Length::from_secs(365 * 86_400);
/// Longest name of a token, in characters.
pub const TOKEN_NAME_CHARS_MAX: usize = 200;

/// SHA-256 in hexadecimal: a token has 256 random bits, so no slow hash is needed.
#[must_use]
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

impl Engine {
    /// Who holds this token, if it is good now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn authenticate(&self, bearer: &str) -> Result<Option<Principal>, Fault> {
        if let Some(admin) = &self.shared.settings.admin_token
            && bool::from(hash(admin).as_bytes().ct_eq(hash(bearer).as_bytes()))
        {
            return Ok(Some(Principal::new(Actor::Administrator, Scope::Admin)));
        }
        let Some(stored) = token::by_hash(&self.shared.db, &hash(bearer)).await? else { return Ok(None) };
        let now = self.now();
        if stored.revoked_at.is_some() || stored.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
        let org = self.org();
        Ok(Some(match stored.person {
            // A person who was removed keeps no way in.
            Some(person) if org.person(&person).is_none() => return Ok(None),
            // A token never gives more than its person has.
            Some(person) => {
                let scope = stored.scope.min(scope_of_person(&org, &person));
                Principal::new(Actor::Person(person), scope)
            }
            None => Principal::new(Actor::Token(stored.id), stored.scope),
        }))
    }

    /// Makes a token; its text is given once.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn create_token(
        &self,
        who: &Principal,
        name: &str,
        scope: Scope,
        person: Option<String>,
        life: Option<Length>,
    ) -> Result<(String, TokenView), NotDone> {
        self.administers(who)?;
        let mut bytes = [0; TOKEN_BYTES];
        self.shared.ports.rng.fill(&mut bytes);
        let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let now = self.now();
        let stored = StoredToken {
            id: TokenId::from_bits(self.fresh_id()),
            name: name.to_owned(),
            hash: hash(&text),
            scope,
            person,
            created_at: now,
            expires_at: Some(after(now, life.unwrap_or(TOKEN_LIFE_DEFAULT))),
            revoked_at: None,
        };
        let detail =
            format!("{}, {}{}", stored.name, scope.word(), stored.person.as_ref().map_or_else(String::new, |id| format!(", for {id}")));
        let line = self.audited(Kind::TokenMade, &who.actor, Some(&stored.id.to_string()), Some(detail));
        self.shared.db.commit(vec![token::put(&stored), line]).await?;
        Ok((text, view(&stored)))
    }

    /// Every token, without its secret.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn tokens(&self, who: &Principal) -> Result<Vec<TokenView>, NotDone> {
        self.administers(who)?;
        Ok(token::all(&self.shared.db).await?.iter().map(view).collect())
    }

    /// Revokes a token; `false` where there is none.
    ///
    /// # Errors
    /// When the asker may not, or the store does not answer.
    pub async fn revoke_token(&self, who: &Principal, id: TokenId) -> Result<bool, NotDone> {
        self.administers(who)?;
        let all = token::all(&self.shared.db).await.map_err(CommitError::Fault)?;
        let Some(mut stored) = all.into_iter().find(|t| t.id == id) else { return Ok(false) };
        stored.revoked_at.get_or_insert(self.now());
        let line = self.audited(Kind::TokenRevoked, &who.actor, Some(&stored.id.to_string()), Some(stored.name.clone()));
        self.shared.db.commit(vec![token::put(&stored), self.mark_ways_in(), line]).await?;
        self.tell_ways_in();
        Ok(true)
    }

    /// The answer kept under an idempotency key, with the digest of what was asked.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn kept_answer(&self, principal: &str, key: &str) -> Result<Option<(String, String)>, Fault> {
        token::answer(&self.shared.db, principal, key).await
    }
}

fn view(t: &StoredToken) -> TokenView {
    TokenView {
        id: t.id.to_string(),
        name: t.name.clone(),
        scope: t.scope,
        person: t.person.clone(),
        created_at: t.created_at,
        expires_at: t.expires_at,
        revoked_at: t.revoked_at,
    }
}
