//! PostgreSQL behind a pooler that hands each transaction to another session.

use allclear_trial::skip::skipped;
use allclear_trial::{Database, org};

use crate::world_of;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_in_transaction_mode_it_pages_escalates_and_starts_again() {
    let what = "the story of the pooler";
    let Some(Database::Postgres(url)) = Database::postgres(what).await else { return };
    let url = match allclear_store::testing::behind_a_pooler(&url).await {
        Ok(url) => url,
        Err(why) => return skipped(what, &why),
    };
    let mut world = world_of(Database::Postgres(url), org::usual()).await;
    for n in 0..30 {
        world.fire(&format!("alarm {n}")).await;
    }
    let pages = world.hook.to("ana");
    assert_eq!(pages.len(), 30);
    for page in &pages[1..] {
        world.press(&page.ack_path()).await.ok();
    }
    world.advance(301).await;
    assert_eq!(world.hook.to("ben").len(), 1, "only what nobody has goes on");
    world.kill().await;
    world.start_again(&[]).await;
    world.press(&world.hook.to("ben")[0].ack_path()).await.ok();
    // Less than after which somebody who has it is asked whether they are still on it.
    world.advance(900).await;
    assert_eq!(world.hook.to("ben").len(), 1);
    for command in ["verify", "doctor"] {
        let ran = world.cli(&[command]).await;
        assert!(command == "doctor" || ran.code == 0, "{ran:?}");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("prepared statement"), "{ran:?}");
    }
    assert!(!world.log().contains("prepared statement"), "{}", world.log());
}
