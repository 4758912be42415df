//! One tap harms nobody: what it did is said, and can be taken back; what reaches people outside is shown before it is
//! sent.

use allclear_trial::{Database, org};

use crate::sign_in::{get_as, post_form, sign_in_as};
use crate::{on_both, world_of};

on_both!(an_acknowledgement_taken_back_pages_on_where_it_was,);

async fn an_acknowledgement_taken_back_pages_on_where_it_was(database: Database) {
    let mut world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let incident = world.incident().await;
    let reference = incident["ref"].as_str().unwrap().to_owned();
    let path = format!("/incidents/{reference}");
    let cookie = sign_in_as(&world, "cho").await;
    world.advance(120).await;
    // Somebody meant another row.
    let taken = post_form(&world, &format!("{path}/acknowledge"), Some(&cookie), &[("back", "/")]).await;
    assert_eq!((taken.status, taken.header("location")), (303, Some(format!("/?took={reference}").as_str())));
    let board = get_as(&world, &cookie, &format!("/?took={reference}")).await.text;
    assert!(board.contains(&format!("You have <strong>{reference}</strong>")) && board.contains(&format!("{path}/undo")), "{board}");
    // Whoever did not take it is offered nothing, whatever their address says.
    let other = sign_in_as(&world, "ana").await;
    assert!(!get_as(&world, &other, &format!("/?took={reference}")).await.text.contains("/undo\""));
    assert_eq!(post_form(&world, &format!("{path}/undo"), Some(&other), &[]).await.status, 409, "it is not theirs to give back");
    let undone = post_form(&world, &format!("{path}/undo"), Some(&cookie), &[("back", "/")]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    let board = get_as(&world, &cookie, undone.header("location").unwrap()).await.text;
    assert!(board.contains("somebody is looked for again"), "{board}");
    let now = world.incident().await;
    assert_eq!(now["commander"], serde_json::Value::Null, "{now:#}");
    // The page goes on at its step, for what was left of it: ana has her message, and is not woken twice.
    assert_eq!(world.hook.to("ben").len(), 0);
    world.advance(200).await;
    assert_eq!((world.hook.to("ana").len(), world.hook.to("ben").len()), (1, 1));
    // Once is enough, and it is not anybody's any more.
    assert_eq!(post_form(&world, &format!("{path}/undo"), Some(&cookie), &[]).await.status, 409);
    // What was offered is offered for ten seconds.
    post_form(&world, &format!("{path}/acknowledge"), Some(&cookie), &[]).await;
    assert!(get_as(&world, &cookie, &format!("{path}?took={reference}")).await.text.contains("/undo\""));
    world.advance(11).await;
    assert!(!get_as(&world, &cookie, &format!("{path}?took={reference}")).await.text.contains("/undo\""));
    assert_eq!(world.hook.to("cho").len(), 0, "and nobody else is looked for");
}
