//! Virtual time in the real binary, over a Unix socket named by `ALLCLEAR_TEST_CONTROL`.
//!
//! One line asks, one line answers: `now` → `ok MICROS`; `advance 300s` moves the clock forward,
//! stopping at everything that is due on the way, and answers when all is quiet; `quiet` waits for
//! that alone; `jump 3600s` is the machine's sleep: so much time has passed at once; `wall -3600s` and `wall 3600s`
//! set the wall clock, as an operator would, and no time passes. `freeze look` lets a stage stand still, `thaw look`
//! lets it go on, and `watch 60s` lets time pass for the watch over the stages alone.
//! What goes wrong is answered with `error WHY`. Release builds lack this module.

use std::path::Path;

use allclear_domain::time::{Length, to_micros};
use allclear_engine::Engine;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::clock_offset::ClockOffset;

/// Before anything is decided, moves the clock as far as `ALLCLEAR_TEST_OFFSET` says (`+3600s`,
/// `-3600s`), so that a moved clock stays moved over a restart.
///
/// # Errors
/// When the variable does not read.
pub fn set_ahead(offset: &ClockOffset) -> anyhow::Result<()> {
    if let Some(text) = crate::config::environment("ALLCLEAR_TEST_OFFSET") {
        offset.move_by(signed_micros(&text).map_err(anyhow::Error::msg)?);
    }
    Ok(())
}

/// Listens until the engine stops.
///
/// # Errors
/// When the socket cannot be made.
pub fn start(path: &Path, engine: &Engine, offset: &ClockOffset) -> std::io::Result<()> {
    // A socket that a killed process left is in the way.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    let (engine, offset) = (engine.clone(), offset.clone());
    engine.tasks().spawn(async move {
        let stopping = engine.stopping();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    let (engine, offset) = (engine.clone(), offset.clone());
                    engine.tasks().spawn(async move {
                        let stopping = engine.stopping();
                        tokio::select! {
                            _ = converse(stream, &engine, &offset) => {}
                            () = stopping.cancelled() => {}
                        }
                    });
                }
                () = stopping.cancelled() => return,
            }
        }
    });
    Ok(())
}

async fn converse(stream: UnixStream, engine: &Engine, offset: &ClockOffset) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match carry_out_line(line.trim(), engine, offset).await {
            Ok(Some(micros)) => format!("ok {micros}\n"),
            Ok(None) => "ok\n".to_owned(),
            Err(why) => format!("error {why}\n"),
        };
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

async fn carry_out_line(line: &str, engine: &Engine, offset: &ClockOffset) -> Result<Option<i64>, String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "now" => {}
        "quiet" => {
            engine.quiet().await;
            return Ok(None);
        }
        "advance" => advance(micros(rest)?, engine, offset).await?,
        "jump" => {
            offset.move_by(signed_micros(rest)?);
            engine.wake();
        }
        "wall" => offset.set_wall_forth(signed_micros(rest)?),
        #[cfg(feature = "failpoints")]
        "freeze" | "thaw" => {
            let stage = allclear_engine::watch::trouble::Stage::from_name(rest.trim()).ok_or_else(|| format!("`{rest}` is no stage"))?;
            engine.freeze(stage, word == "freeze");
            return Ok(None);
        }
        #[cfg(feature = "failpoints")]
        "watch" => {
            engine.watch_passes(std::time::Duration::from_micros(micros(rest)?.unsigned_abs())).await;
            return Ok(None);
        }
        _ => return Err(format!("`{line}` is not understood; `now`, `quiet`, `advance 300s`, `jump 3600s`, `wall -3600s` are")),
    }
    Ok(Some(offset.now_micros()))
}

fn signed_micros(text: &str) -> Result<i64, String> {
    match text.trim().strip_prefix('-') {
        Some(back) => micros(back).map(|micros| -micros),
        None => micros(text.trim().trim_start_matches('+')),
    }
}

fn micros(text: &str) -> Result<i64, String> {
    let length: Length = text.trim().parse().map_err(|why: allclear_domain::time::BadLength| why.to_string())?;
    i64::try_from(length.as_millis()).ok().and_then(|ms| ms.checked_mul(1000)).ok_or_else(|| "too long".to_owned())
}

/// Goes from one thing that is due to the next, so that each is looked at in its own time.
async fn advance(by: i64, engine: &Engine, offset: &ClockOffset) -> Result<(), String> {
    engine.quiet().await;
    let target = offset.now_micros().saturating_add(by);
    loop {
        let due = engine.next_due().await.map_err(|fault| fault.to_string())?.map(to_micros);
        let now = offset.now_micros();
        // What is due already and still there waits for something other than time.
        let next = due.filter(|due| *due > now).map_or(target, |due| due.min(target));
        if next > now {
            offset.move_by(next - now);
        }
        engine.wake();
        engine.quiet().await;
        if next >= target {
            return Ok(());
        }
    }
}
