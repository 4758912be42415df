//! The hands of the clock: how far it is ahead of the machine's, for two reasons that add up.
//!
//! On PostgreSQL decisions go by the database's clock, so that no node is early; tests of the real
//! binary move the clock as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use allclear_engine::Engine;
use allclear_engine::clock::{JUMP_MIN, SystemClock};
use allclear_engine::ports::Clock as _;
use allclear_engine::watch::trouble::Trouble;
use allclear_store::{Db, Fault};
use jiff::SignedDuration;

/// How often the database is asked for the time: clocks drift by some 100 ppm at worst, so by less
/// than 6 ms in between.
pub const ASK_EVERY: Duration = Duration::from_secs(60);
/// A reading that took longer says nothing of the database's clock: a tenth of what counts as a jump.
const READ_MAX_MICROS: i64 = 500_000;

/// See the module. Cloning shares the clock.
#[derive(Clone)]
pub struct ClockOffset {
    clock: Arc<SystemClock>,
    database: Arc<AtomicI64>,
    moved: Arc<AtomicI64>,
}

impl ClockOffset {
    /// The hands of this clock, which is not moved yet.
    #[must_use]
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock, database: Arc::default(), moved: Arc::default() }
    }

    fn set(&self) {
        self.clock.set_offset_micros(self.database.load(Ordering::SeqCst).saturating_add(self.moved.load(Ordering::SeqCst)));
    }

    /// Moves the clock by so many microseconds.
    #[cfg(feature = "test-clock")]
    pub fn move_by(&self, micros: i64) {
        self.moved.fetch_add(micros, Ordering::SeqCst);
        self.set();
    }

    /// The wall clock is set forth by so many microseconds, and no time has passed.
    #[cfg(feature = "test-clock")]
    pub fn set_wall_forth(&self, micros: i64) {
        self.clock.set_wall_forth(micros);
    }

    /// Sets the clock by the database's; nothing to do on SQLite.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask(&self, db: &Db) -> Result<(), Fault> {
        if let Some(offset) = self.read(db).await? {
            self.take(offset);
        }
        Ok(())
    }

    fn take(&self, offset: i64) {
        self.database.store(offset, Ordering::SeqCst);
        self.set();
        tracing::debug!(offset_micros = offset, "set by the database's clock");
    }

    /// How far the database's clock is ahead of the machine's, in microseconds.
    async fn read(&self, db: &Db) -> Result<Option<i64>, Fault> {
        let begun = self.clock.monotonic_ns();
        let ahead = self.clock.offset_micros();
        let machine = self.clock.now() - SignedDuration::from_micros(ahead);
        let Some(offset) = db.clock_offset(machine).await? else { return Ok(None) };
        // What the call took is taken off: rather a little late than early.
        let took = i64::try_from(self.clock.monotonic_ns().saturating_sub(begun) / 1000).unwrap_or(i64::MAX);
        // A call that waited for its turn says when it was asked, and nothing of the database's clock.
        if took > READ_MAX_MICROS && self.database.load(Ordering::SeqCst) != 0 {
            return Ok(None);
        }
        Ok(Some(i64::try_from(offset.as_micros()).unwrap_or(0).saturating_sub(took)))
    }

    /// Asks once more. A jump of the database's clock is told, and followed once no incident is open: until then
    /// deadlines go on by elapsed time, as where the machine's own clock jumps.
    async fn ask_again(&self, engine: &Engine) -> Result<(), Fault> {
        let Some(offset) = self.read(engine.db()).await? else { return Ok(()) };
        let jump = SignedDuration::from_micros(offset.saturating_sub(self.database.load(Ordering::SeqCst)));
        if jump.abs() >= JUMP_MIN && engine.open_incidents().await? > 0 {
            let seconds = jump.as_secs();
            let detail = format!("the database's clock is {seconds} s ahead of the clock of deadlines, which goes on by elapsed time");
            if engine.troubles().raise(Trouble::ClockJumped, &detail, engine.now()) {
                tracing::warn!(
                    ahead_s = seconds,
                    "the database's clock jumped; deadlines go on by elapsed time, and it is followed once no incident is open"
                );
            }
            return Ok(());
        }
        self.take(offset);
        engine.troubles().clear(&Trouble::ClockJumped);
        Ok(())
    }

    /// Asks again and again, for as long as the engine runs.
    pub async fn follow(self, engine: Engine) {
        let stopping = engine.stopping();
        loop {
            tokio::select! {
                () = tokio::time::sleep(ASK_EVERY) => {}
                () = stopping.cancelled() => return,
            }
            if let Err(fault) = self.ask_again(&engine).await {
                tracing::warn!(%fault, "the database's clock cannot be read; the last offset stays");
            }
        }
    }

    /// The instant shown, in microseconds.
    #[cfg(feature = "test-clock")]
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        allclear_domain::time::to_micros(self.clock.now())
    }
}
