//! Faults that nobody orders: a disk that does not confirm, a log of the database that was cut off, somebody else's lock, a mail
//! server that defers for an hour, a stop in the middle of a storm, a sender that says one thing many times at once.
//!
//! What is told elsewhere stands in the table of `docs/faults.md`.

use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use allclear_store::testing::run;
use allclear_trial::skip::skipped;
use allclear_trial::world::try_send;
use allclear_trial::{Database, World, org};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::{gathering, on_both, world, world_of};

on_both!(
    a_database_that_somebody_else_holds_is_waited_for_and_nothing_ends_for_good,
    mail_that_was_deferred_for_an_hour_comes_late_and_only_of_what_nobody_has,
    a_stop_in_a_storm_keeps_what_was_accepted_and_tells_it_once,
    sixty_five_at_once_of_one_alarm_are_one_incident_and_one_page,
);

fn alarm(key: &str) -> String {
    json!({"title": key, "dedup_key": key, "severity": "critical"}).to_string()
}

fn intake() -> String {
    format!("/in/json/{}", org::JSON_KEY)
}

/// While this lives, every sync of the program fails with an error of the disk.
struct Unsynced(Child);

impl Unsynced {
    /// `None`, said plainly, where nobody may look into another program.
    fn of(pid: u32, what: &str) -> Option<Self> {
        let calls = "fsync,fdatasync";
        let inject = format!("inject={calls}:error=EIO");
        let started = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject, "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            skipped(what, "there is no strace");
            return None;
        };
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It says so once it has every thread.
        while let Some(Ok(line)) = lines.next() {
            if line.contains(" attached") {
                std::thread::spawn(move || lines.for_each(drop));
                return Some(Self(child));
            }
            said.push_str(&line);
        }
        let _ = child.wait();
        skipped(what, &format!("strace could not look into the program: {said}"));
        None
    }
}

impl Drop for Unsynced {
    fn drop(&mut self) {
        // Interrupted, it lets go of the program.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_does_not_confirm_is_not_accepted() {
    let mut world = world().await;
    world.fire("before").await;
    let link = world.hook.to("ana")[0].ack_path();
    let Some(unsynced) = Unsynced::of(world.program.pid().unwrap(), "the story of the disk that does not confirm") else { return };
    for n in 0..5 {
        let refused = world.post(&intake(), alarm(&format!("unsynced {n}"))).await;
        assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{}", refused.text);
    }
    let pressed = world.send(world.client.post(world.at(&link))).await;
    assert_eq!(pressed.status, 503, "what is not kept is not said to be: {}", pressed.text);
    assert!(world.get("/-/ready").await.status == 503, "nor is it ready to take anything");
    drop(unsynced);

    // The disk is back, and nobody starts anything.
    world.press(&link).await.ok();
    world.fire("after").await;
    for _ in 0..2 {
        let titles: BTreeSet<String> = world.incidents("").await.iter().map(|i| i["title"].as_str().unwrap().to_owned()).collect();
        assert_eq!(titles.into_iter().collect::<Vec<_>>(), ["after", "before"], "what was refused is not there");
        assert_eq!(world.hook.to("ana").len(), 2, "and woke nobody");
        world.kill().await;
        world.start_again(&[]).await;
        world.quiet().await;
    }
    assert_eq!(world.get("/-/ready").await.text, "ready\n");
    let whole = world.cli(&["verify"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
}

/// Of the log beside the file the end is lost, as by a disk that lied: what is left is whole, and the program goes on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_beside_the_file_that_lost_its_end_is_a_whole_store_of_a_moment_before() {
    let mut world = world().await;
    let path = format!("{}-wal", world.database().strip_prefix("sqlite:").unwrap());
    let length = || std::fs::metadata(&path).unwrap().len();
    let mut middle = 0;
    for n in 0..12 {
        world.fire(&format!("alarm {n:02}")).await;
        if n == 5 {
            middle = length();
        }
    }
    world.kill().await;
    assert!(length() > middle + 4_096, "what came last is in the log alone: {} after {middle}", length());
    // Within a page.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(middle + 77).unwrap();
    world.start_again(&[]).await;
    world.quiet().await;
    let mut titles: Vec<String> = world.incidents("limit=50").await.iter().map(|i| i["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    let left = titles.len();
    assert!((6..12).contains(&left), "{titles:?}");
    assert_eq!(titles, (0..left).map(|n| format!("alarm {n:02}")).collect::<Vec<_>>(), "the first ones, and no hole");
    let whole = world.cli(&["verify"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
    // The senders repeat what they still have.
    for n in 0..12 {
        world.fire(&format!("alarm {n:02}")).await;
    }
    assert_eq!(world.incidents("limit=50").await.len(), 12);
}

async fn a_database_that_somebody_else_holds_is_waited_for_and_nothing_ends_for_good(database: Database) {
    let mut world = world_of(database.clone(), org::usual()).await;
    world.fire("before").await;
    let asked = async |world: &World| {
        let (began, path) = (Instant::now(), intake());
        let (refused, shown) = tokio::join!(world.post(&path, alarm("meanwhile")), world.get("/"));
        assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
        assert_eq!(shown.status, 200, "reading goes on");
        refused
    };
    let refused = match &database {
        Database::Sqlite => {
            let url = world.database();
            let other = rusqlite::Connection::open(url.strip_prefix("sqlite:").unwrap()).unwrap();
            other.execute_batch("begin immediate").unwrap();
            let refused = asked(&world).await;
            other.execute_batch("rollback").unwrap();
            refused
        }
        Database::Postgres(url) => {
            let theirs = url.clone();
            let holds = tokio::spawn(async move {
                run(&theirs, "begin; lock table event in exclusive mode; select pg_sleep(12); commit").await.unwrap();
            });
            // Until they have it.
            while run(url, "begin; lock table event in row exclusive mode nowait; rollback").await.is_ok() {}
            let refused = asked(&world).await;
            holds.await.unwrap();
            refused
        }
    };
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{}", refused.text);
    assert_eq!(world.hook.to("ana").len(), 1);
    world.fire("meanwhile").await;
    assert_eq!(world.hook.to("ana").len(), 2, "its sender tries again, and it pages");
    world.advance(310).await;
    assert_eq!(world.hook.to("ben").len(), 2, "and what is due is looked at");
    let whole = world.cli(&["verify"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
}

async fn mail_that_was_deferred_for_an_hour_comes_late_and_only_of_what_nobody_has(database: Database) {
    const ALARMS: usize = 20;
    const LEFT: usize = 4;
    // Ana has a mailbox and nothing else.
    let by_mail = org::usual().replacen("high: [{contact: hook}]", "high: [{contact: mail}]", 1);
    let mut world = World::start(gathering(database).org(by_mail)).await;
    world.mail.script("ana@example.org", "451 4.3.0 try again later");
    let title = |n: usize| format!("alarm {n:02}");
    for n in 0..ALARMS {
        // A sev3: nobody is paged for updates that nobody here gives.
        world.signal(json!({"title": title(n), "dedup_key": title(n), "severity": "error"})).await;
        world.advance(60).await;
        let told: BTreeSet<String> = world.hook.to("ben").iter().flat_map(titles).collect();
        assert!(told.contains(&title(n)), "whoever is next has it within a minute, and not after five: {told:?}");
        world.advance(120).await;
        if n < ALARMS - LEFT {
            let incident = world.incidents("limit=50").await.into_iter().find(|i| i["title"] == title(n).as_str()).unwrap();
            let path = format!("/incidents/{}/acknowledge", incident["ref"].as_str().unwrap());
            world.command(&path, json!({"by": "ben"})).await.ok();
        }
    }
    assert_eq!(world.mail.delivered_to("ana@example.org").len(), 0);
    world.mail.friendly("ana@example.org");
    // More than the longest wait between two tries.
    world.advance(90).await;
    let arrived = world.mail.delivered_to("ana@example.org");
    assert_eq!(arrived.len(), LEFT, "one for each that nobody has");
    let said: String = arrived.iter().map(allclear_trial::mail_sink::Mail::text).collect();
    for n in 0..ALARMS {
        assert_eq!(said.contains(&title(n)), n >= ALARMS - LEFT, "{}: {said}", title(n));
    }
    assert!(arrived.iter().all(|mail| mail.text().contains("LATE")), "and it says that it is late: {said}");
}

/// The titles of a message's pages.
fn titles(delivery: &allclear_trial::Delivery) -> Vec<String> {
    delivery.pages().iter().map(|page| page["incident"]["title"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn a_stop_in_a_storm_keeps_what_was_accepted_and_tells_it_once(database: Database) {
    const AT_ONCE: usize = 8;
    let mut world = world_of(database, org::usual()).await;
    for round in 0..3 {
        let told_before = world.hook.all().len();
        let (client, url) = (world.client.clone(), world.at(&intake()));
        // They come until nobody takes any.
        let storm = async {
            let mut answers = futures_util::stream::iter(0..5_000)
                .map(|n| {
                    let key = format!("{round} {n}");
                    let request = client.post(&url).header("content-type", "application/json").body(alarm(&key));
                    async move { (key, try_send(request).await.map(|answer| answer.status)) }
                })
                .buffer_unordered(AT_ONCE);
            let mut accepted = BTreeSet::new();
            while let Some((key, answer)) = answers.next().await {
                match answer {
                    Ok(status) if status < 300 => {
                        accepted.insert(key);
                    }
                    Ok(status) => assert_eq!(status, 503, "no other no"),
                    Err(_) => break,
                }
            }
            accepted
        };
        let stop = async {
            assert!(world.hook.wait(Duration::from_secs(20), |all| all.len() > told_before + 5).await);
            world.program.stop().await.unwrap()
        };
        let (accepted, ended) = tokio::join!(storm, stop);
        assert!(ended.success() && accepted.len() < 5_000 - AT_ONCE, "{ended:?} after {}", accepted.len());
        world.start_again(&[]).await;
        world.quiet().await;
        let told: Vec<_> =
            world.hook.to("ana").into_iter().filter(|d| titles(d).iter().any(|t| t.starts_with(&format!("{round} ")))).collect();
        let of_whom: BTreeSet<String> = told.iter().flat_map(titles).collect();
        assert_eq!(accepted.difference(&of_whom).collect::<Vec<_>>(), Vec::<&String>::new(), "what was accepted is told");
        let ids: HashSet<&str> = told.iter().map(|delivery| delivery.id.as_str()).collect();
        assert_eq!((ids.len(), of_whom.len()), (told.len(), told.len()), "and once");
    }
}

async fn sixty_five_at_once_of_one_alarm_are_one_incident_and_one_page(database: Database) {
    let world = world_of(database, org::usual()).await;
    for round in 1..=2 {
        let path = intake();
        let all = (0..65).map(|_| world.post(&path, alarm("disk")));
        let answers = futures_util::future::join_all(all).await;
        assert!(answers.iter().all(|answer| answer.status < 300), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        world.quiet().await;
        let incident = world.incident().await;
        assert_eq!(world.hook.to("ana").len(), 1, "round {round}");
        assert_eq!(world.kinds(&incident).await.iter().filter(|kind| *kind == "page_started").count(), 1);
    }
}
