//! Stories: what somebody relies on, told with the real binary, its real databases and a clock
//! that can be moved. One file per subject; each test is one story and says so in its name.
//!
//! The core stories run on both databases ([`on_both`]); the others on SQLite. Nothing here
//! reaches into the program: only its addresses, its command line, and what arrives at the sinks.

#![allow(clippy::unwrap_used)] // tests
// Some stories are about the machine's own time: how long a sender may dawdle.
#![allow(clippy::disallowed_methods)]

use allclear_trial::{Database, Setup, World};

mod access;
mod alarms;
mod alerts;
mod area;
mod browsers;
mod bundles;
mod canary;
mod clocks;
mod coordination;
mod copies;
mod deeds;
mod delivery;
mod demo;
mod disk;
mod doors;
mod drills;
mod escalation;
mod external_calendars;
mod faults;
mod files;
mod find;
mod glance;
mod goes_on;
mod grouping;
mod guests;
mod hands;
mod heartbeats;
mod kept;
mod mail_replies;
mod matrix;
mod neglect;
mod ntfy;
mod objectives;
mod obligations;
mod on_call_load;
mod over;
mod own_contacts;
mod partners;
mod phones_and_chats;
mod plans;
mod pooler;
mod positions;
mod private;
mod reasoning;
mod record;
mod recovery;
mod replies;
mod reports;
mod resources;
mod responders;
mod rota;
mod runs;
mod screens;
mod search;
mod settings;
mod several;
mod sign_in;
mod signed;
mod slack;
mod slack_socket;
mod steps;
mod storm;
mod sweep;
mod targets;
mod telegram;
mod telephone;
mod terminal;
mod time;
mod timelines;
mod timetable;
mod triage;
mod tried;
mod types;
mod vendors;
mod watch;
mod weight;

/// The binary under test, as cargo built it for these tests.
const BINARY: &str = env!("CARGO_BIN_EXE_allclear");

/// The usual world on this database. Each page is a message by itself, so that a story sees each; what goes out together
/// is told in `bundles`.
fn setup(database: Database) -> Setup {
    gathering(database).args(&["--no-bundle"])
}

/// The same with nothing set, where what waits for one person goes out together.
fn gathering(database: Database) -> Setup {
    Setup::new(Some(BINARY), database)
}

/// The usual world on SQLite.
async fn world() -> World {
    World::start(setup(Database::Sqlite)).await
}

/// A world with another organisation on this database.
async fn world_of(database: Database, org: impl Into<String>) -> World {
    World::start(setup(database).org(org)).await
}

/// An incident that ana has, of which she leads the work, by its reference: an alarm fired, and she acknowledged its page.
async fn begun(world: &World, alarm: &str) -> String {
    world.fire(alarm).await;
    world.press(&world.hook.to("ana")[0].ack_path()).await.ok();
    world.quiet().await;
    world.incident().await["ref"].as_str().unwrap().to_owned()
}

/// Runs a story on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story(allclear_trial::Database::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let what = concat!("the story ", stringify!($story), " on PostgreSQL");
                if let Some(database) = allclear_trial::Database::postgres(what).await {
                    super::$story(database).await;
                }
            }
        }
    )*};
}
use on_both;
