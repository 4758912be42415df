//! The program dies, sleeps, or finds its clock moved; what is expected of it stays.

use std::time::Duration;

use allclear_trial::{Database, Reply, org};

use crate::{on_both, world, world_of};

on_both!(a_restart_in_the_middle_of_an_escalation_keeps_its_time, a_message_cut_off_by_a_crash_is_sent_again_and_called_in_doubt);

async fn a_restart_in_the_middle_of_an_escalation_keeps_its_time(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    world.advance(200).await;
    world.kill().await;
    world.start_again(&[]).await;
    world.quiet().await;
    assert_eq!(world.hook.to("ana").len(), 1, "what was delivered is not sent again");
    world.advance(80).await;
    assert_eq!(world.hook.to("ben").len(), 0, "five minutes from the page, not from the start");
    world.advance(30).await;
    assert_eq!(world.hook.to("ben").len(), 1);
    world.program.stop().await.unwrap();
    world.start_again(&[]).await;
    world.advance(310).await;
    assert_eq!((world.hook.to("ben").len(), world.hook.to("cho").len()), (1, 1), "an orderly stop keeps it as well");
}

async fn a_message_cut_off_by_a_crash_is_sent_again_and_called_in_doubt(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.hook.script("/ana", Reply::Slow(Duration::from_secs(30)));
    let body = serde_json::json!({"title": "disk", "dedup_key": "disk"});
    world.post(&format!("/in/json/{}", org::JSON_KEY), body.to_string()).await.ok();
    assert!(world.hook.wait(Duration::from_secs(10), |all| all.len() == 1).await);
    world.kill().await;
    world.hook.script("/ana", Reply::Ok);
    // On PostgreSQL another node could still be sending it: it has to be silent for some seconds first.
    world.skip(Duration::from_secs(if world.is_sqlite() { 1 } else { 5 }));
    world.start_again(&[]).await;
    world.advance(6).await;
    let tries = world.hook.to("ana");
    assert_eq!(tries.len(), 2, "{tries:#?}");
    assert_eq!(tries[0].id, tries[1].id, "under the same id, so that the receiver can tell");
    let incident = world.incident().await;
    let kinds = world.kinds(&incident).await;
    assert!(kinds.contains(&"send_in_doubt".to_owned()) && kinds.contains(&"delivered".to_owned()), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_eight_hours_of_sleep_pages_go_out_late_and_say_so() {
    let mut world = world().await;
    world.fire("disk").await;
    world.fire("cpu").await;
    world.jump(8 * 3_600).await;
    let late = world.hook.to("ben");
    assert_eq!(late.len(), 2, "one page each, no replay of eight hours: {late:#?}");
    assert!(late.iter().all(|d| d.page()["late"] == true), "{late:#?}");
    assert_eq!(world.hook.to("cho").len(), 0, "ben has his five minutes all the same");
    world.advance(302).await;
    let next = world.hook.to("cho");
    assert_eq!(next.len(), 2);
    assert!(next.iter().all(|d| d.page()["late"] == false), "what follows in its time is not late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_come_by_elapsed_time_wherever_the_wall_clock_is_set() {
    for jump in [-3_600, 3_600] {
        let mut world = world().await;
        world.fire("disk").await;
        world.advance(100).await;
        world.program.control.set_wall_forth(jump).await.unwrap();
        world.fire("cpu").await;
        assert_eq!(world.hook.to("ana").len(), 2, "the new alert pages at once");
        world.advance(190).await;
        assert_eq!(world.hook.to("ben").len(), 0, "not early by a jump of {jump} s");
        world.advance(12).await;
        assert_eq!(world.hook.to("ben").len(), 1, "not late by a jump of {jump} s");
        world.program.control.watch_passes(5).await.unwrap();
        let ready = world.get("/-/ready").await;
        assert!(ready.status == 200 && ready.text.contains("impaired: clock_jumped"), "{ready:?}");
        let way = if jump < 0 { "back" } else { "forward" };
        assert!(world.log().contains(&format!("the wall clock was set {way} by 3600 s")), "{}", world.log());
    }
}

/// A machine ran an hour ahead and is set right while an incident is open, so that our clock is not: its senders' is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_fires_by_its_senders_clock_after_the_wall_clock_was_set_back() {
    let mut world = world().await;
    world.fire("disk").await;
    world.program.control.set_wall_forth(-3_600).await.unwrap();
    let theirs = world.now().await - jiff::SignedDuration::from_hours(1);
    let alarm = |since: i64| {
        let (starts, ends) = (theirs + jiff::SignedDuration::from_secs(since - 30), theirs + jiff::SignedDuration::from_secs(since + 240));
        serde_json::json!([{"labels": {"alertname": "cpu"}, "startsAt": starts.to_string(), "endsAt": ends.to_string()}])
    };
    world.prometheus(alarm(0)).await;
    let open = async |world: &allclear_trial::world::World| {
        world.incidents("open=true").await.iter().filter(|incident| incident["title"] == "cpu").count()
    };
    assert_eq!((world.hook.to("ana").len(), open(&world).await), (2, 1), "it pages");
    world.advance(60).await;
    world.prometheus(alarm(60)).await;
    world.advance(200).await;
    assert_eq!(open(&world).await, 1, "neither its repetition nor our clock ends it");
    world.advance(60).await;
    assert_eq!(open(&world).await, 0, "and it lapses when its sender said");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_clock_that_was_set_is_followed_when_no_incident_is_open() {
    let world = world().await;
    let before = world.program.control.now().await.unwrap();
    world.program.control.set_wall_forth(-3_600).await.unwrap();
    world.program.control.watch_passes(30).await.unwrap();
    let followed = async || world.program.control.now().await.unwrap() < before;
    for _ in 0..100 {
        if followed().await {
            break;
        }
        world.program.control.watch_passes(20).await.unwrap();
    }
    assert!(followed().await, "nothing is due that it could make late");
    world.program.control.watch_passes(5).await.unwrap();
    let ready = world.get("/-/ready").await;
    assert!(ready.status == 200 && !ready.text.contains("clock"), "{ready:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_of_a_clock_that_was_set_back_while_the_program_was_down_are_not_late_by_it() {
    let mut world = world().await;
    world.jump(7_200).await;
    world.fire("disk").await;
    world.kill().await;
    world.set_back(7_200);
    world.start_again(&[]).await;
    world.advance(280).await;
    assert_eq!(world.hook.to("ben").len(), 0, "ana has her five minutes");
    world.advance(40).await;
    assert_eq!(world.hook.to("ben").len(), 1, "and no two hours more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_cut_off_by_a_crash_is_sent_again_though_the_clock_was_set_back_meanwhile() {
    let mut world = world().await;
    world.hook.script("/ana", Reply::Slow(Duration::from_secs(30)));
    world.jump(7_200).await;
    let body = serde_json::json!({"title": "disk", "dedup_key": "disk"});
    world.post(&format!("/in/json/{}", org::JSON_KEY), body.to_string()).await.ok();
    assert!(world.hook.wait(Duration::from_secs(10), |all| all.len() == 1).await);
    world.kill().await;
    world.hook.script("/ana", Reply::Ok);
    // The machine's clock was two hours ahead and has been set right while the program was down.
    world.set_back(7_200);
    world.start_again(&[]).await;
    world.advance(10).await;
    assert_eq!(world.hook.to("ana").len(), 2, "in doubt is in doubt whatever the clock says");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_decided_in_time_and_sent_after_a_gap_says_that_it_is_late() {
    let mut world = world().await;
    world.hook.script("/ana", Reply::DropAfterReading);
    world.fire("disk").await;
    assert_eq!(world.hook.to("ana")[0].page()["late"], false);
    world.hook.script("/ana", Reply::Ok);
    world.restart_after(Duration::from_secs(240)).await;
    world.advance(5).await;
    let last = world.hook.to("ana").pop().unwrap();
    assert_eq!((last.answered, &last.page()["late"]), (200, &true.into()), "four minutes later it is no news: {last:#?}");
}
