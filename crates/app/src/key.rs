//! The secret key file: what seals secrets at rest, and deliberately is not in the store.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use allclear_engine::identity::seal::SecretKey;
use allclear_engine::ports::Rng;

/// Only the owner reads and writes it.
const MODE: u32 = 0o600;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "on PostgreSQL --secret-key-file is required: every node needs the same key, so it cannot stand beside one of them; name a file, and it is made if it does not exist"
    )]
    Required,
    #[error("the secret key file {path} does not exist; name the one that the server uses with --secret-key-file")]
    Missing { path: PathBuf },
    #[error("the secret key file {path} cannot be {done}: {why}")]
    Io { path: PathBuf, done: &'static str, why: std::io::Error },
    #[error("the secret key file {path} holds no key: {why}; restore it from where you keep it, since what is sealed opens with no other")]
    Content { path: PathBuf, why: String },
}

/// Where the key is: named, or beside the SQLite file (`allclear.db` has `allclear.key`). `None` for
/// a database in memory, whose key dies with it.
///
/// # Errors
/// On PostgreSQL without a name.
pub fn place(named: Option<&Path>, database: &str) -> Result<Option<PathBuf>, KeyError> {
    if let Some(path) = named {
        return Ok(Some(path.to_owned()));
    }
    let Some(path) = database.strip_prefix("sqlite:") else { return Err(KeyError::Required) };
    let path = path.strip_prefix("//").unwrap_or(path);
    Ok((path != ":memory:").then(|| Path::new(path).with_extension("key")))
}

/// Reads the key, or makes it where there is none yet.
///
/// # Errors
/// When the file is not a key or cannot be read or made.
pub fn read_or_make(place: Option<&Path>, rng: &dyn Rng) -> Result<SecretKey, KeyError> {
    let (key, text) = SecretKey::fresh(rng);
    let Some(path) = place else { return Ok(key) };
    match OpenOptions::new().write(true).create_new(true).mode(MODE).open(path) {
        Ok(mut file) => {
            let made = file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
            made.map_err(|why| KeyError::Io { path: path.to_owned(), done: "written", why })?;
            tracing::info!(file = %path.display(), "made the secret key file; keep a copy of it apart from copies of the database");
            Ok(key)
        }
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => read(path),
        Err(why) => Err(KeyError::Io { path: path.to_owned(), done: "made", why }),
    }
}

/// Reads the key.
///
/// # Errors
/// When there is none.
pub fn read(path: &Path) -> Result<SecretKey, KeyError> {
    let io = |why: std::io::Error| match why.kind() {
        std::io::ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => KeyError::Io { path: path.to_owned(), done: "read", why },
    };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let mode = std::fs::metadata(path).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), mode = format!("{:03o}", mode & 0o777), "others may read the secret key file; `chmod 600` it");
    }
    SecretKey::from_text(&text).map_err(|why| KeyError::Content { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use allclear_engine::ports::SystemRng;

    #[test]
    fn the_key_is_made_once_for_the_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}/data.db", folder.path().display());
        let path = place(None, &database).unwrap().unwrap();
        assert_eq!(path, folder.path().join("data.key"));
        let made = read_or_make(Some(&path), &SystemRng).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = read_or_make(Some(&path), &SystemRng).unwrap();
        assert_eq!(again.open(&made.seal("x", &SystemRng)).unwrap(), "x");
        // A damaged key is never replaced: that would lose every sealed secret.
        std::fs::write(&path, "rubbish").unwrap();
        assert!(matches!(read_or_make(Some(&path), &SystemRng), Err(KeyError::Content { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "rubbish");
    }

    #[test]
    fn postgresql_needs_a_named_key_and_memory_none() {
        assert!(matches!(place(None, "postgres://db/x"), Err(KeyError::Required)));
        assert_eq!(place(Some(Path::new("k")), "postgres://db/x").unwrap(), Some("k".into()));
        assert_eq!(place(None, "sqlite::memory:").unwrap(), None);
        assert!(matches!(read(Path::new("/nowhere/x.key")), Err(KeyError::Missing { .. })));
    }
}
