//! The lock by which two servers refuse each other on one SQLite file, whatever name each of them has for it.
//!
//! Two locks, both held for as long as any connection of this process is open. `PATH.lock` beside the file says no
//! with the least effort, and is the one that older releases know; but a symbolic or hard link is another path, and
//! somebody may remove a lock file. So the database file itself is locked as well: `flock(2)` belongs to the file
//! (device and inode) and not to a name. On Linux it has nothing to do with the `fcntl(2)` locks by which SQLite
//! itself works, so a command beside a running server is not hindered. Elsewhere the two may be one, so there only
//! the lock file is used.
//!
//! Invariant: the file descriptor that holds the lock is never closed while a connection is open. Closing any
//! descriptor of a file drops all `fcntl` locks that this process has on it, SQLite's among them.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::fault::{Fault, FaultKind, OpenError};

/// A server that is being replaced may need a moment to let go: a second in all.
const LOCK_TRIES: u32 = 50;
/// See [`LOCK_TRIES`].
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Rights of a new database file, as SQLite gives them.
const FILE_MODE: u32 = 0o644;

/// Both locks; dropping it gives them up.
#[derive(Debug)]
pub(crate) struct Held {
    _beside: File,
    _itself: Option<File>,
}

/// Takes both locks; makes the database file where there is none yet.
pub(crate) fn take(path: &Path) -> Result<Held, OpenError> {
    let in_use = || OpenError::InUse { path: path.display().to_string() };
    // By its real name, so that a symbolic link meets the same lock file.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = real.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let beside = File::options().create(true).truncate(false).write(true).open(&name).map_err(|error| io(&name, error))?;
    if !locked(&beside, &name)? {
        return Err(in_use());
    }
    if !cfg!(target_os = "linux") {
        return Ok(Held { _beside: beside, _itself: None });
    }
    let itself = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(FILE_MODE)
        .open(&real)
        .map_err(|error| io(&real, error))?;
    if !locked(&itself, &real)? {
        // Kept open until the process ends: if this very process has the file open elsewhere, closing
        // it here would drop SQLite's locks there.
        std::mem::forget(itself);
        return Err(in_use());
    }
    Ok(Held { _beside: beside, _itself: Some(itself) })
}

fn locked(file: &File, path: &Path) -> Result<bool, Fault> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(io(path, error)),
        }
    }
    Ok(false)
}

fn io(path: &Path, error: std::io::Error) -> Fault {
    let kind = if error.kind() == std::io::ErrorKind::StorageFull { FaultKind::Full } else { FaultKind::Io };
    Fault::new(kind, format!("{}: {error}", path.display()))
}
