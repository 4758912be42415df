//! A newcomer's first command.

use std::time::Duration;

use allclear_trial::program::{Launch, Program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_starts_shows_a_live_incident_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let launch = Launch { binary: crate::BINARY.into(), dir: dir.path().to_owned(), args: vec!["--demo".into()], env: Vec::new() };
    let client = allclear_trial::world::client();
    let mut program = Program::start(&launch, &client).await.unwrap();
    let mut board = String::new();
    for _ in 0..200 {
        board = client.get(&program.url).send().await.unwrap().text().await.unwrap();
        if board.contains("INC-") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(board.contains("INC-"), "an incident unfolds without anything set up: {board}");
    assert!(program.log().contains("curl"), "and the newcomer is told how to raise an alarm: {}", program.log());
    for _ in 0..300 {
        board = client.get(&program.url).send().await.unwrap().text().await.unwrap();
        if board.contains("replicas behind in eu") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let board = client.get(&program.url).send().await.unwrap().text().await.unwrap();
    let rows = board
        .split("data-key=\"INC-")
        .filter(|row| row.split("class=\"act\"").next().is_some_and(|row| row.contains("replicas behind in eu")))
        .count();
    assert_eq!(rows, 1, "four replicas that lag are one incident: {board}");
    program.stop().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "port" && name != "control")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
