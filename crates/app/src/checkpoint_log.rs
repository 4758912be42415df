//! Writes every checkpoint of the log, signed, to a file that only grows: kept on another machine, it shows later that nobody rewrote
//! the log since. `allclear verify --against FILE` holds it against the store.
//!
//! What was written last is read from the file itself, so that a file that was moved away begins anew, and one that was kept goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use allclear_domain::record::seal::Anchor;
use allclear_engine::Engine;
use allclear_engine::message_link::exports::is_signed;

/// How often it is looked whether there are new ones: as often as they are made.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Bytes from its end within which the last line of the file stands: a line has some 600.
const TAIL_BYTES: u64 = 8 * 1024;

/// Starts it where a file is named.
pub fn start(engine: &Engine, file: Option<PathBuf>) {
    if let Some(file) = file {
        engine.tasks().spawn(keep(engine.clone(), file));
    }
}

async fn keep(engine: Engine, file: PathBuf) {
    let stop = engine.stopping();
    let mut failed = false;
    loop {
        match write_new(&engine, &file).await {
            Ok(_) => failed = false,
            Err(why) => {
                if !failed {
                    tracing::warn!(file = %file.display(), %why, "checkpoints are not written to their file; it is tried again each minute");
                }
                failed = true;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Appends what is new; how many there were.
async fn write_new(engine: &Engine, file: &Path) -> anyhow::Result<usize> {
    let mut written = 0;
    loop {
        let path = file.to_owned();
        let last = tokio::task::spawn_blocking(move || last_number(&path)).await??;
        let lines = engine.signed_checkpoints(last).await?;
        if lines.is_empty() {
            return Ok(written);
        }
        written += lines.len();
        let (path, text) = (file.to_owned(), lines.into_iter().map(|(_, line)| line + "\n").collect::<String>());
        tokio::task::spawn_blocking(move || append(&path, &text)).await??;
    }
}

/// The number of the last checkpoint in the file; 0 where there is none. A line that was cut off by a crash is ended, and does not count.
fn last_number(path: &Path) -> anyhow::Result<u64> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(why) => return Err(why.into()),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    if tail.last().is_some_and(|byte| *byte != b'\n') {
        append(path, "\n")?;
    }
    let text = String::from_utf8_lossy(&tail);
    Ok(text.lines().rev().find_map(|line| Anchor::read(line, is_signed).ok()).map_or(0, |(anchor, _)| anchor.number))
}

fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_data()?)
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn line(number: u64) -> String {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let anchor = Anchor { number, to_seq: 9, events: 9, at: 5, digest: "00".into(), hash: "00".into() };
        anchor.sealed(|bytes| (pair.public_key().as_ref().to_vec(), pair.sign(bytes).as_ref().to_vec())) + "\n"
    }

    #[test]
    fn it_goes_on_after_the_last_whole_line_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.log");
        assert_eq!(last_number(&path).unwrap(), 0, "there is none yet");
        for number in 1..=40 {
            append(&path, &line(number)).unwrap();
        }
        assert_eq!(last_number(&path).unwrap(), 40);
        // A crash in the middle of a line: what comes next stands on a line of its own.
        append(&path, &line(41)[..200]).unwrap();
        assert_eq!(last_number(&path).unwrap(), 40);
        append(&path, &line(41)).unwrap();
        assert_eq!(last_number(&path).unwrap(), 41);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), text.lines().filter(|line| Anchor::read(line, is_signed).is_ok()).count()), (42, 41));
    }
}
