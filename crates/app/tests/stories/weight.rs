//! What a page weighs on a bad line, cold: itself and all that it fetches, as a browser asks for it.

use allclear_trial::{Database, World, org};

use crate::sign_in::sign_in_as;
use crate::{on_both, world_of};

on_both!(a_cold_page_is_light_and_is_packed_only_for_its_reader,);

/// The answer as it comes over the wire: its bytes, and whether they are packed.
async fn wire(world: &World, path: &str, cookie: &str, headers: &[(&str, &str)]) -> (Vec<u8>, bool) {
    let mut request = world.client.get(world.at(path)).header("cookie", cookie).header("accept", "text/html");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let packed = answer.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
    (answer.bytes().await.unwrap().to_vec(), packed)
}

const OWN: [(&str, &str); 2] = [("accept-encoding", "gzip, deflate, br"), ("sec-fetch-site", "none")];

/// Bytes of a page and of its sheet, script and mark.
async fn cold(world: &World, path: &str, cookie: &str) -> usize {
    let (plain, _) = wire(world, path, cookie, &[]).await;
    let page = String::from_utf8(plain).unwrap();
    let mut files: Vec<&str> = page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    files.sort_unstable();
    files.dedup();
    let mut bytes = wire(world, path, cookie, &OWN).await.0.len();
    for file in files {
        bytes += wire(world, &format!("/assets/{file}"), "", &OWN).await.0.len();
    }
    bytes
}

async fn a_cold_page_is_light_and_is_packed_only_for_its_reader(database: Database) {
    let world = world_of(database, org::usual()).await;
    world.fire("disk").await;
    let link = world.hook.to("ana")[0].ack_path();
    let weight = cold(&world, &link, "").await;
    assert!(weight <= 10_000, "the page behind a link weighs {weight} bytes");
    for n in 0..11 {
        let body = serde_json::json!({"title": format!("Card payments fail in region {n}"), "severity": "sev2", "service": "checkout"});
        world.command("/incidents", body).await.ok();
    }
    let cookie = sign_in_as(&world, "ana").await;
    let weight = cold(&world, "/", &cookie).await;
    assert!(weight <= 60_000, "a board of twelve weighs {weight} bytes");
    for n in 0..90 {
        let body = serde_json::json!({"title": format!("Disk of db-{n} is full"), "severity": "sev3", "service": "checkout"});
        world.command("/incidents", body).await.ok();
    }
    let weight = cold(&world, "/", &cookie).await;
    assert!(weight <= 90_000, "a board of a hundred and two weighs {weight} bytes");
    println!("a board of a hundred and two weighs {weight} bytes");

    // Who does not ask for it packed, does not say who asks, or is asked by a page of another site, gets it as it is.
    let (packed, is) = wire(&world, "/", &cookie, &OWN).await;
    assert!(is && packed.starts_with(&[0x1f, 0x8b]));
    let gzip = ("accept-encoding", "gzip");
    for asked in [
        vec![("sec-fetch-site", "none")],
        vec![gzip],
        vec![gzip, ("sec-fetch-site", "cross-site")],
        vec![gzip, ("sec-fetch-site", "same-site")],
        vec![("accept-encoding", "gzip;q=0"), ("sec-fetch-site", "same-origin")],
    ] {
        let (plain, is) = wire(&world, "/", &cookie, &asked).await;
        assert!(!is && plain.starts_with(b"<!DOCTYPE html>"), "{asked:?}");
    }
    // What has to leave at once is never held back to be packed.
    let live = world.client.get(world.at("/live?on=board")).header("cookie", &cookie);
    let live = OWN.iter().fold(live, |request, (name, value)| request.header(*name, *value)).send().await.unwrap();
    assert!(live.status() == 200 && live.headers().get("content-encoding").is_none());
}
