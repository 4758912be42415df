//! Space that is kept for the day on which the disk is full: a file beside the database, given back to the file
//! system piece by piece when a commit that may use it meets a full disk, and made whole again when there is room.
//!
//! Deliberately a file of real bytes and not a setting: what others write cannot take it. What is given back is there
//! for everybody on that file system, though, so it goes in pieces, and a disk of its own for the database is better.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes kept. An acknowledgement with its rows writes some 100 KiB to the log, so this is room for 80 of them at
/// least, and for many more as long as the log can be folded back.
pub(crate) const RESERVE_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes given back at a time: room for ten acknowledgements.
const PIECE_BYTES: u64 = 1024 * 1024;
/// Room that must be left after the reserve is whole before ordinary commits are admitted again; otherwise the first
/// of them would find the disk full once more.
const ROOM_BYTES: u64 = 4 * 1024 * 1024;
/// With less than this the disk counts as full at the start, before any commit has said so: what opening a database
/// takes (its shared index and a few pages).
const FULL_BELOW_BYTES: u64 = 256 * 1024;
/// Bytes written at a time, and never zero, so that no file system keeps a hole instead.
static FILLING: [u8; 64 * 1024] = [0xac; 64 * 1024];

/// The file, and whether ordinary commits have to wait.
pub(crate) struct Reserve {
    path: PathBuf,
    length: u64,
    short: Arc<AtomicBool>,
}

impl Reserve {
    /// Finds or makes the reserve of the database at `path`. A disk with too little room goes without until there is
    /// more; that is told, and does not keep anybody from starting.
    pub(crate) fn of(path: &Path, short: Arc<AtomicBool>) -> Self {
        // By its real name, so that every name of the database has the same reserve.
        let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
        name.push(".reserve");
        let path = PathBuf::from(name);
        let found = fs::metadata(&path).ok().map(|data| data.len());
        let mut reserve = Self { path, length: found.unwrap_or(0).min(RESERVE_BYTES), short };
        let room = reserve.room();
        if reserve.length == RESERVE_BYTES {
            reserve.set_short(room.is_some_and(|room| room < FULL_BELOW_BYTES));
        } else if !reserve.make_whole() {
            reserve.set_short(found.is_some() || room.is_some_and(|room| room < FULL_BELOW_BYTES));
            tracing::warn!(file = %reserve.path.display(), bytes = RESERVE_BYTES, "there is no room for the reserve by which acknowledgements count on a full disk");
        }
        reserve
    }

    /// Whether only what may use the reserve is written now.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::SeqCst)
    }

    fn set_short(&self, short: bool) {
        self.short.store(short, Ordering::SeqCst);
    }

    /// A commit found the disk full.
    pub(crate) fn met_full(&self) {
        if !self.short.swap(true, Ordering::SeqCst) {
            tracing::error!("the disk is full: only what stops or continues a page is written, from a reserve, until there is room again");
        }
    }

    /// Gives a piece back to the file system; false when there is none left.
    pub(crate) fn give(&mut self) -> bool {
        if self.length == 0 {
            return false;
        }
        let left = self.length.saturating_sub(PIECE_BYTES);
        let given = File::options().write(true).open(&self.path).and_then(|file| {
            file.set_len(left)?;
            // Some file systems hand freed blocks out only after their own commit.
            file.sync_all()
        });
        match given {
            Ok(()) => {
                tracing::warn!(left, "a piece of the reserve was given back for what a full disk must not stop");
                self.length = left;
                true
            }
            Err(error) => {
                tracing::error!(%error, file = %self.path.display(), "the reserve cannot be given back");
                false
            }
        }
    }

    /// Looks whether there is room again; then the reserve is made whole and ordinary commits are admitted. Without
    /// a full disk this makes the reserve that a start had no room for.
    pub(crate) fn regain(&mut self) -> bool {
        if !self.is_short() {
            if self.length < RESERVE_BYTES && self.make_whole() {
                tracing::info!(bytes = RESERVE_BYTES, "there is room for the reserve now, and it was made");
            }
            return true;
        }
        let enough = match self.length {
            RESERVE_BYTES => self.room().is_none_or(|room| room >= ROOM_BYTES),
            _ => self.make_whole(),
        };
        if enough {
            tracing::info!("there is room on the disk again");
            self.set_short(false);
        }
        enough
    }

    fn make_whole(&mut self) -> bool {
        let missing = RESERVE_BYTES - self.length;
        if self.room().is_some_and(|room| room < missing + ROOM_BYTES) {
            return false;
        }
        match self.fill() {
            Ok(()) => {
                self.length = RESERVE_BYTES;
                true
            }
            Err(error) => {
                // What was begun is taken back, or others would find even less room.
                let back = File::options().write(true).open(&self.path).and_then(|file| file.set_len(self.length));
                tracing::warn!(%error, taken_back = back.is_ok(), file = %self.path.display(), "the reserve cannot be made");
                false
            }
        }
    }

    fn fill(&self) -> std::io::Result<()> {
        let mut file = File::options().create(true).truncate(false).write(true).open(&self.path)?;
        let mut at = file.seek(SeekFrom::Start(self.length))?;
        while at < RESERVE_BYTES {
            let bytes = &FILLING[..usize::try_from(RESERVE_BYTES - at).unwrap_or(FILLING.len()).min(FILLING.len())];
            file.write_all(bytes)?;
            at += bytes.len() as u64;
        }
        file.sync_data()
    }

    /// Bytes that this process may still take; unknown where the file system does not say.
    fn room(&self) -> Option<u64> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        rustix::fs::statvfs(folder).ok().map(|of| of.f_bavail.saturating_mul(of.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_back_in_pieces_and_made_whole_again() {
        let dir = tempfile::tempdir().unwrap();
        let short = Arc::new(AtomicBool::new(false));
        let mut reserve = Reserve::of(&dir.path().join("a.db"), Arc::clone(&short));
        let length = || fs::metadata(dir.path().join("a.db.reserve")).unwrap().len();
        assert_eq!((length(), short.load(Ordering::SeqCst)), (RESERVE_BYTES, false));
        reserve.met_full();
        assert!(reserve.is_short() && reserve.give());
        assert_eq!(length(), RESERVE_BYTES - PIECE_BYTES);
        // A start that finds a broken reserve and has room mends it.
        drop(reserve);
        let mut reserve = Reserve::of(&dir.path().join("a.db"), Arc::clone(&short));
        assert_eq!(length(), RESERVE_BYTES);
        reserve.met_full();
        while reserve.give() {}
        assert_eq!(length(), 0);
        assert!(reserve.regain() && !short.load(Ordering::SeqCst));
        assert_eq!(length(), RESERVE_BYTES);
    }

    #[test]
    fn what_a_start_had_no_room_for_is_made_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db.reserve");
        let mut reserve = Reserve { path: path.clone(), length: 0, short: Arc::new(AtomicBool::new(false)) };
        assert!(reserve.regain() && !reserve.is_short());
        assert_eq!(fs::metadata(path).unwrap().len(), RESERVE_BYTES);
    }
}
