//! What the disk does to a store: it is full, a page of the file is damaged, and somebody starts a second server on it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use allclear_trial::program::Program;
use allclear_trial::skip::skipped;
use serde_json::json;

use crate::world;

/// A small file system of its own, gone with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, said plainly, where nobody may mount.
    fn mount(at: &Path, what: &str) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(at).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self(at.to_owned())),
            _ => {
                skipped(what, "it mounts a file system, which takes root");
                None
            }
        }
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        while file.write_all(&[1]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_alarms_are_kept_by_their_senders_and_acknowledgements_count() {
    let mut world = world().await;
    let Some(disk) = SmallDisk::mount(&world.dir.path().join("small"), "the story of the full disk") else { return };
    world.program.stop().await.unwrap();
    let database = format!("sqlite:{}", disk.0.join("ac.db").display());
    let launch = world.launch_on(&database, world.dir.path(), &[]);
    world.program = Program::start(&launch, &world.client).await.unwrap();
    for name in ["before", "another"] {
        world.fire(name).await;
    }
    let pages = world.hook.to("ana");
    disk.fill();

    for n in 0..20 {
        let body = json!({"title": format!("full {n}"), "dedup_key": format!("full {n}"), "severity": "critical"});
        let refused = world.post(&format!("/in/json/{}", allclear_trial::org::JSON_KEY), body.to_string()).await;
        assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{}", refused.text);
    }
    world.press(&pages[0].ack_path()).await.ok();
    let ready = world.get("/-/ready").await;
    assert_eq!((ready.status, ready.text.contains("impaired: disk_full")), (200, true), "{}", ready.text);

    // Killed and started on a disk as full as before, it says so and goes on with what was open.
    world.program.kill().await.unwrap();
    world.program = Program::start(&launch, &world.client).await.unwrap();
    let incidents = world.incidents("").await;
    let state = |title: &str| incidents.iter().find(|i| i["title"] == title).unwrap()["state"].clone();
    assert_eq!((state("before"), state("another"), incidents.len()), ("investigating".into(), "declared".into(), 2));
    world.advance(301).await;
    assert!(world.hook.to("ben").iter().any(|page| page.page()["incident"]["title"] == "another"), "the next step is paged");
    assert!(world.program.log().contains("the disk is full"), "{}", world.program.log());

    // There is room: it is found without another start.
    std::fs::remove_file(disk.0.join("filler")).unwrap();
    let mut ready = world.get("/-/ready").await;
    for _ in 0..200 {
        if !ready.text.contains("disk_full") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        ready = world.get("/-/ready").await;
    }
    assert_eq!(ready.text, "ready\n");
    world.fire("after").await;
    assert_eq!(world.incidents("").await.len(), 3);
    let whole = world.cli_on(&database, &["verify"]).await;
    assert_eq!(whole.code, 0, "{whole:?}");
    world.program.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_is_refused_though_it_knows_the_file_by_another_name() {
    let world = world().await;
    let path = world.database().strip_prefix("sqlite:").unwrap().to_owned();
    std::os::unix::fs::symlink(&path, world.dir.path().join("soft.db")).unwrap();
    std::fs::hard_link(&path, world.dir.path().join("hard.db")).unwrap();
    std::fs::remove_file(format!("{path}.lock")).unwrap();
    for name in ["soft.db", "hard.db"] {
        let database = format!("sqlite:{}", world.dir.path().join(name).display());
        let refused = world.cli_on(&database, &["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("in use by another running server"), "{refused:?}");
    }
    world.fire("still here").await;
    assert_eq!(world.cli(&["doctor"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_damaged_file_says_what_is_wrong_and_what_helps() {
    let mut world = world().await;
    for n in 0..30 {
        world.fire(&format!("alarm {n}")).await;
    }
    let database = world.database();
    let path = database.strip_prefix("sqlite:").unwrap();
    world.program.stop().await.unwrap();
    // Where the expectations lie, which a start reads first.
    let root: i64 = rusqlite::Connection::open(path)
        .unwrap()
        .query_row("select rootpage from sqlite_master where name = 'expectation'", [], |row| row.get(0))
        .unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let at = usize::try_from(root - 1).unwrap() * 4096;
    bytes[at..at + 64].fill(0xff);
    std::fs::write(path, bytes).unwrap();
    let refused = world.cli_on(&database, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("is damaged") && refused.stderr.contains("allclear restore BACKUP"), "{refused:?}");
}
