//! Keys of the installation itself that others know it by: made once, and kept sealed in the store, so that every node has the same
//! and a copy of the database alone has none.

use allclear_store::{CommitError, Db, Fault, rows};

use crate::identity::seal::{SecretKey, Unsealable};
use crate::ports::Rng;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    #[error("the store does not answer: {0}")]
    Store(#[from] Fault),
    #[error("{0}")]
    NotMade(String),
}

/// The key that is kept under this name; where there is none yet, `make` makes it.
///
/// # Errors
/// Why there is none.
pub async fn kept_or_made(
    db: &Db,
    key: &SecretKey,
    rng: &dyn Rng,
    name: &str,
    make: impl Fn() -> Result<String, String>,
) -> Result<String, NoKey> {
    if let Some(sealed) = rows::meta::get(db, name).await? {
        return Ok(key.open(&sealed)?);
    }
    let made = make().map_err(NoKey::NotMade)?;
    match db.commit(vec![rows::meta::first(name, &key.seal(&made, rng))]).await {
        Ok(()) => Ok(made),
        // Another node was first, and its key is everybody's.
        Err(CommitError::Conflict { .. }) => match rows::meta::get(db, name).await? {
            Some(sealed) => Ok(key.open(&sealed)?),
            None => Err(NoKey::NotMade("the key was taken away while it was made".to_owned())),
        },
        Err(CommitError::Fault(fault)) => Err(fault.into()),
    }
}
