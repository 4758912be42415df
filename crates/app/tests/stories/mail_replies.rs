//! Mails that are answered: the answer comes back to an address that names the mail, whoever hands it in, and takes the page or
//! passes it on. What a machine sent, what is forged and what comes too late does nothing, and is told to nobody outside.

use allclear_trial::mail_sink::Mail;
use allclear_trial::world::Answer;
use allclear_trial::{Database, Setup, World, org};
use serde_json::{Value, json};

use crate::{on_both, setup};

on_both!(a_mail_is_answered_and_the_page_is_taken, what_no_person_wrote_or_nobody_may_does_nothing);

const KEY: &str = "hush0123456789abcdefghij";
/// What is in the log of the program where an answer was left alone.
const LEFT_ALONE: &str = "an answer was left alone";

/// Ana is told by mail.
fn by_mail(database: Database) -> Setup {
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let organisation = org::usual().replacen(rule, "notify: {high: [{contact: mail}], low: [{contact: mail}]}", 1);
    setup(database).org(organisation).args(&["--mail-replies-to", "reply@ac.example", "--mail-replies-key", KEY])
}

/// Where an answer to a mail goes.
fn reply_to(mail: &Mail) -> String {
    mail.raw.lines().find_map(|line| line.strip_prefix("Reply-To: ")).unwrap_or_else(|| panic!("{}", mail.raw)).trim().to_owned()
}

fn newest(world: &World) -> Mail {
    world.mail.delivered_to("ana@example.org").pop().expect("a mail")
}

/// An answer to a mail as a program for mail writes it.
fn answer_to(mail: &Mail, more: &str, body: &str) -> String {
    let (to, id) = (reply_to(mail), mail.message_id());
    format!("From: Ana <ana@elsewhere.example>\r\nTo: {to}\r\nSubject: Re: it\r\nIn-Reply-To: {id}\r\n{more}\r\n{body}\r\n")
}

async fn hand_in(world: &World, path: &str, mail: impl Into<reqwest::Body>) -> Answer {
    let request = world.client.post(world.at(path)).header("content-type", "message/rfc822").body(mail);
    let answer = world.send(request).await;
    world.quiet().await;
    answer
}

async fn post(world: &World, mail: impl Into<reqwest::Body>) -> Answer {
    hand_in(world, &format!("/reply/email/{KEY}"), mail).await
}

async fn opened(world: &World) -> Value {
    world.incidents("").await.remove(0)
}

async fn a_mail_is_answered_and_the_page_is_taken(database: Database) {
    let mut world = World::start(by_mail(database)).await;
    world.fire("disk").await;
    let mail = newest(&world);
    assert!(mail.text().contains("Or answer this mail: “1” takes it, “2” passes it on."), "{}", mail.text());
    let local = reply_to(&mail).split('@').next().unwrap().len();
    assert!(local <= 64 && reply_to(&mail).starts_with("reply+"), "{}", reply_to(&mail));
    // From another address than the mail went to, since mails are forwarded; twice, as two programs may.
    for _ in 0..2 {
        let told = post(&world, answer_to(&mail, "", "Ack!\r\n\r\nOn Sat, All Clear wrote:\r\n> [SEV3] INC-1\r\n> 2")).await.ok();
        assert!(told.text.starts_with("You have INC-1, since "), "{}", told.text);
    }
    let incident = opened(&world).await;
    let taken = world.bodies(&incident, "acknowledged").await;
    assert_eq!((&incident["acknowledged_by"], taken.len(), &taken[0]["via"]), (&json!("ana"), 1, &json!("email")), "{taken:?}");

    // What says nothing takes nothing, and may be said again.
    world.fire("second").await;
    let second = newest(&world);
    for body in ["", "> 1\r\n> ack", "who is this?", "Sent from my iPhone"] {
        let told = post(&world, answer_to(&second, "", body)).await;
        assert!(told.status == 200 && told.text.contains("is no answer that is understood"), "{body:?}: {} {}", told.status, told.text);
    }
    assert!(opened(&world).await["acknowledged_by"].is_null());
    let told = post(&world, answer_to(&second, "Content-Transfer-Encoding: base64\r\n", "Mg0K")).await.ok();
    assert_eq!((told.text.trim(), world.hook.to("ben").len()), ("INC-2 is passed on.", 1));

    // Named by the envelope alone, of ten megabytes, in HTML.
    world.fire("third").await;
    let third = newest(&world);
    let blind = format!(
        "From: a@b.example\r\nTo: undisclosed-recipients:;\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: \
         text/html\r\n\r\n<div>I&#39;m on it</div>\r\n--o\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--o--\r\n",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6\r\n".repeat(125_000)
    );
    let by_envelope = format!("/reply/email/{KEY}?to={}", reply_to(&third).replace('+', "%2B"));
    let told = hand_in(&world, &by_envelope, blind.clone()).await.ok();
    assert!(blind.len() > 9_500_000 && told.text.starts_with("You have INC-3"), "{}", told.text);
    // By one byte: what is refused early is not read to its end.
    let longer = format!("{blind}{}", "x".repeat(10 * 1024 * 1024 + 1 - blind.len()));
    let told = hand_in(&world, &by_envelope, longer).await;
    assert_eq!((told.status, &told.body["code"]), (413, &json!("body_too_large")), "{}", told.text);

    // After the end, and after two days.
    world.command("/incidents/INC-3/resolve", json!({})).await.ok();
    let told = post(&world, answer_to(&third, "", "1")).await;
    assert!(told.status == 200 && told.text.contains("INC-3 is resolved"), "{}", told.text);
    world.fire("fourth").await;
    let fourth = newest(&world);
    world.command("/incidents/INC-4/resolve", json!({})).await.ok();
    world.quiet().await;
    world.advance(48 * 3_600 + 60).await;
    let before = world.events(&opened(&world).await).await.len();
    let told = post(&world, answer_to(&fourth, "", "1")).await;
    assert!(told.status == 200 && told.text.contains("48 hours"), "{}", told.text);
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "nothing was changed");
    assert!(!world.log().contains(KEY), "the key is not in the log");
}

async fn what_no_person_wrote_or_nobody_may_does_nothing(database: Database) {
    let world = World::start(by_mail(database)).await;
    world.fire("the director's laptop").await;
    let mail = newest(&world);
    let before = world.events(&opened(&world).await).await.len();
    // Machines.
    for more in [
        "Auto-Submitted: auto-replied\r\n",
        "Precedence: bulk\r\n",
        "X-Autoreply: yes\r\n",
        "Return-Path: <>\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
    ] {
        let told = post(&world, answer_to(&mail, more, "1")).await;
        assert!(told.status == 200 && told.text.starts_with("left alone: "), "{more}: {} {}", told.status, told.text);
    }
    assert_eq!(world.log().matches(LEFT_ALONE).count(), 5, "each is said in the log");
    // Our own mail comes back.
    let told = post(&world, mail.raw.replacen("To: ", &format!("Delivered-To: {}\r\nTo: ", reply_to(&mail)), 1)).await;
    assert!(told.status == 200 && told.text.contains("auto-generated"), "{}", told.text);
    // Forged, torn, and to nobody: all alike, and nothing leaks.
    let forged = |to: &str| answer_to(&mail, "", "1").replace(&reply_to(&mail), to);
    let (local, _) = reply_to(&mail).split_once('@').map(|(l, d)| (l.to_owned(), d.to_owned())).unwrap();
    let other = format!("{}{}@ac.example", &local[..local.len() - 1], if local.ends_with('a') { 'b' } else { 'a' });
    for to in [other.as_str(), "reply@ac.example", "reply+@ac.example", &format!("{local}x@ac.example"), "ana@example.org"] {
        let told = post(&world, forged(to)).await;
        assert!((200..300).contains(&told.status) || told.status == 400, "{to}: {} {}", told.status, told.text);
        assert!(!told.text.contains("director") && !told.text.contains("INC-1"), "{}", told.text);
    }
    for body in [vec![], vec![0; 1_000], b"\xff\xfe: x\r\n\r\n".to_vec()] {
        let told = post(&world, body).await;
        assert!(told.status < 500, "{} {}", told.status, told.text);
    }
    // Without the key of the door nothing is read.
    for path in ["/reply/email", "/reply/email/", "/reply/email/hush", &format!("/reply/email/{KEY}x"), &format!("/reply/webhook/{KEY}")] {
        let told = hand_in(&world, path, answer_to(&mail, "", "1")).await;
        assert!(matches!(told.status, 401 | 404) && !told.text.contains("INC-1"), "{path}: {} {}", told.status, told.text);
    }
    assert_eq!(world.events(&opened(&world).await).await.len(), before, "nothing was changed");
    assert!(!world.log().contains("director") && !world.log().contains(&reply_to(&mail)), "neither is in the log");
    post(&world, answer_to(&mail, "", "1")).await.ok();
    assert_eq!(opened(&world).await["acknowledged_by"], "ana", "and her own answer is taken");
}
