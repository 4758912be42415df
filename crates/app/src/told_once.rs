//! Secrets and links that are told once when the server starts: on the terminal where somebody sits at it, else in a file
//! that only its owner reads, since what is written on standard error then is a log, and logs are kept and passed on.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Only the owner reads and writes it.
const MODE: u32 = 0o600;

/// Where things are told.
#[derive(Debug)]
pub struct Teller {
    /// Without its extension: `allclear` of `allclear.db`. Nothing for a store in memory.
    stem: Option<PathBuf>,
    is_terminal: bool,
}

impl Teller {
    /// Beside the SQLite file, or beside the key file on PostgreSQL.
    pub fn new(database: &str, key_file: Option<&Path>) -> Self {
        let sqlite = database.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        let stem = match sqlite {
            Some(":memory:") => None,
            Some(path) => Some(PathBuf::from(path)),
            None => key_file.map(Path::to_owned),
        };
        Self { stem, is_terminal: io::stderr().is_terminal() }
    }

    fn file(&self, extension: &str) -> Option<PathBuf> {
        self.stem.as_ref().filter(|_| !self.is_terminal).map(|stem| stem.with_extension(extension))
    }

    /// Tells the link for the first administrator.
    pub fn set_up_link(&self, url: &str, life: impl std::fmt::Display) {
        match self.file("set-up") {
            None => {
                eprintln!("nobody can sign in as an administrator yet; open this link to be the first, once and within {life}:");
                eprintln!("  {url}");
            }
            Some(path) => match write(&path, &format!("{url}\n"), false) {
                Ok(()) => eprintln!(
                    "nobody can sign in as an administrator yet; the link in {} makes the first one, once and within {life}",
                    path.display()
                ),
                Err(why) => eprintln!(
                    "nobody can sign in as an administrator yet, and the link for the first one cannot be written to {}: {why}; `allclear set-up-link` prints one",
                    path.display()
                ),
            },
        }
        eprintln!("then `allclear invite PERSON` invites others, and `allclear token create` makes tokens for programs");
    }

    /// Somebody administers: an old link is of no use.
    pub fn no_set_up_link(&self) {
        if let Some(path) = self.file("set-up")
            && let Err(why) = std::fs::remove_file(&path)
            && why.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(file = %path.display(), %why, "an old set-up link was not removed");
        }
    }

    /// Whether secrets could be told, asked before any is made.
    ///
    /// # Errors
    /// The file that they would be written to, and why it cannot be.
    pub fn secrets_can_be_told(&self) -> Result<(), (PathBuf, io::Error)> {
        let Some(path) = self.file("secrets") else { return Ok(()) };
        try_to_write(&path).map_err(|why| (path, why))
    }

    /// Tells secrets that were made here, and of what each is.
    ///
    /// # Errors
    /// When the file cannot be written: they would be lost.
    pub fn secrets(&self, made: &[(&str, &str)]) -> io::Result<()> {
        if made.is_empty() {
            return Ok(());
        }
        match self.file("secrets") {
            None => {
                for (of, secret) in made {
                    eprintln!("made a secret for {of}, shown this once: {secret}");
                }
            }
            Some(path) => {
                let lines: String = made.iter().map(|(of, secret)| format!("{of}: {secret}\n")).collect();
                write(&path, &lines, true)?;
                let many = made.len();
                eprintln!("made {many} secrets; they are in {}, this once: take them from there and remove the file", path.display());
            }
        }
        Ok(())
    }
}

/// Writes a file that is its owner's alone, also where there was one that others could read.
fn write(path: &Path, text: &str, append: bool) -> io::Result<()> {
    let old = if append { std::fs::read_to_string(path).or_else(none_yet)? } else { String::new() };
    let partial = path.with_extension("partial");
    let mut file = create(&partial)?;
    file.write_all(old.as_bytes())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, path)
}

/// All of [`write`] that may fail for the place's sake, leaving nothing behind.
fn try_to_write(path: &Path) -> io::Result<()> {
    std::fs::read_to_string(path).or_else(none_yet)?;
    let partial = path.with_extension("partial");
    create(&partial)?.write_all(b"\n")?;
    std::fs::remove_file(&partial)
}

/// A new file, in the place of one that a stop in the middle left.
fn create(partial: &Path) -> io::Result<File> {
    match std::fs::remove_file(partial) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(partial)
}

fn none_yet(why: io::Error) -> io::Result<String> {
    if why.kind() == io::ErrorKind::NotFound { Ok(String::new()) } else { Err(why) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_told_once_is_in_a_file_of_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", dir.path().join("allclear.db").display());
        let teller = Teller { is_terminal: false, ..Teller::new(&database, None) };
        std::fs::write(dir.path().join("allclear.set-up"), "older").unwrap();
        teller.set_up_link("http://x/set-up/t", "a day");
        teller.secrets(&[("contact ana/hook", "whsec_a")]).unwrap();
        teller.secrets(&[("contact ben/hook", "whsec_b")]).unwrap();
        let read = |name: &str| {
            let path = dir.path().join(name);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            (std::fs::read_to_string(path).unwrap(), mode)
        };
        assert_eq!(read("allclear.set-up"), ("http://x/set-up/t\n".to_owned(), 0o600));
        assert_eq!(read("allclear.secrets"), ("contact ana/hook: whsec_a\ncontact ben/hook: whsec_b\n".to_owned(), 0o600));
        teller.no_set_up_link();
        teller.no_set_up_link();
        assert!(!dir.path().join("allclear.set-up").exists());
        let beside_key = Teller { is_terminal: false, ..Teller::new("postgres://x/y", Some(&dir.path().join("node.key"))) };
        assert_eq!(beside_key.file("set-up"), Some(dir.path().join("node.set-up")));
    }

    #[test]
    fn whether_secrets_can_be_told_is_known_before_there_are_any() {
        let dir = tempfile::tempdir().unwrap();
        let teller = |is_terminal| {
            let key = dir.path().join("node.key");
            Teller { is_terminal, ..Teller::new("postgres://x/y", Some(&key)) }
        };
        assert!(teller(false).secrets_can_be_told().is_ok());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "asking leaves nothing behind");
        // A directory in the file's place, since permissions do not stop whoever runs tests as root.
        let taken = dir.path().join("node.secrets");
        std::fs::create_dir(&taken).unwrap();
        assert_eq!(teller(false).secrets_can_be_told().unwrap_err().0, taken);
        assert!(teller(true).secrets_can_be_told().is_ok(), "a terminal needs no file");
        let nowhere = Teller { is_terminal: false, ..Teller::new("sqlite:/no/such/place/allclear.db", None) };
        assert!(nowhere.secrets_can_be_told().is_err());
    }
}
