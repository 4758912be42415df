//! Mails as programs and people write them.

use allclear_domain::wire::Reply;

use super::*;
use crate::outbound::email::Email;
use crate::outbound::webhook::tests::message;

const KEY: &str = "k0123456789abcdefghij";

fn channel() -> MailReplies {
    MailReplies::read("reply@ac.example", KEY, [7; 32]).unwrap()
}

fn mailing() -> Email {
    Email::new("ac.example", true).answered_at(Some(&channel()))
}

fn id() -> MessageId {
    message(1, "x").id
}

fn address() -> String {
    channel().address_of(id())
}

/// What is heard of a mail with these headers and this body.
fn heard(more: &str, body: &[u8]) -> Result<String, String> {
    let mut mail = format!("From: Ana <ana@example.org>\r\nTo: {}\r\nSubject: Re: x\r\n{more}\r\n", address()).into_bytes();
    mail.extend(body);
    let request = ReplyRequest { url: "https://ac.example/reply/email", headers: &[], body: &mail };
    let channel = channel();
    if let Some(why) = channel.left_alone(&request) {
        return Err(why);
    }
    assert!(channel.genuine(&request, &Address::default(), &[]).is_ok());
    let mut all = channel.read(&request).map_err(|why| why.to_string())?;
    assert_eq!((all.len(), &all[0].of), (1, &Of::Message(id())));
    match all.remove(0).says {
        Says::Answer(words) => Ok(words),
        other => panic!("{other:?}"),
    }
}

fn plain(body: &str) -> String {
    heard("", body.as_bytes()).unwrap()
}

#[test]
fn an_address_names_one_message_and_is_short_enough() {
    let replies = MailReplies::read("reply@ac.example", KEY, [7; 32]).unwrap();
    let address = address();
    let (local, domain) = address.split_once('@').unwrap();
    assert_eq!((local.len(), domain), ("reply+".len() + TOKEN_CHARS, "ac.example"));
    assert!(local.len() <= LOCAL_CHARS_MAX && local.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'+'));
    for line in [address.clone(), address.to_uppercase(), format!("\"A, b\" <x@y.example>, All Clear <{address}>, z@y.example")] {
        assert_eq!(replies.named_in(&line), Some(id()), "{line}");
    }
    for (at, own) in local.char_indices().skip("reply+".len()) {
        for letter in LETTERS.iter().map(|letter| char::from(*letter)).filter(|letter| *letter != own) {
            let other = format!("{}{letter}{}@ac.example", &local[..at], &local[at + 1..]);
            assert_eq!(replies.named_in(&other), None, "{other}");
        }
    }
    let longest = "a".repeat(LOCAL_CHARS_MAX - TOKEN_CHARS - 1);
    let long = MailReplies::read(&format!("{longest}@ac.example"), KEY, [7; 32]).unwrap().address_of(id());
    assert_eq!(long.split_once('@').unwrap().0.len(), LOCAL_CHARS_MAX);
    assert!(MailReplies::read(&format!("{longest}a@ac.example"), KEY, [7; 32]).is_err_and(|why| why.contains("21 characters")));
    for n in 0..local.len() - "reply+".len() {
        let mut other = address.clone().into_bytes();
        let at = "reply+".len() + n;
        other[at] = if other[at] == b'a' { b'b' } else { b'a' };
        assert_eq!(replies.named_in(std::str::from_utf8(&other).unwrap()), None, "letter {n}");
    }
    let other = MailReplies::read("reply@ac.example", KEY, [8; 32]).unwrap();
    for (replies, line) in
        [(&other, address.as_str()), (&replies, "reply@ac.example"), (&replies, "reply+@ac.example"), (&replies, "reply+é@")]
    {
        assert_eq!(replies.named_in(line), None, "{line}");
    }
    for (address, key) in [
        ("", KEY),
        ("reply", KEY),
        ("a+b@ac.example", KEY),
        ("é@ac.example", KEY),
        ("reply@ac.example", "short"),
        ("r@ac.example", "a/b3456789012345678901"),
    ] {
        assert!(MailReplies::read(address, key, [7; 32]).is_err(), "{address} {key}");
    }
    assert!(!format!("{replies:?}").contains(KEY));
}

#[test]
fn the_first_line_of_ones_own_is_the_answer() {
    let takes = |words: &str| Reply::of_words(words) == Ok(Reply::Acknowledge);
    for body in [
        "ack",
        "\r\n\r\n  ACK!  \r\n\r\nAna\r\n-- \r\nAna Ruiz, Operations",
        "1\r\n\r\nOn Sat, 21 Nov 2026 at 03:00, All Clear <allclear@ac.example> wrote:\r\n> no\r\n> 2\r\n",
        "👍\n",
        "yes\r\n\r\n-----Original Message-----\r\nFrom: All Clear\r\nSent: Saturday\r\n\r\n2",
        "ok\r\n________________________________\r\nVon: All Clear",
        // Answered beneath.
        "On Sat, All Clear wrote:\r\n> [SEV2] INC-142\r\n>\r\n> 2\r\n\r\nack\r\n",
        "\u{0}1\u{0}\r\n",
        "got it",
    ] {
        assert!(takes(&plain(body)), "{body:?}: {:?}", plain(body));
    }
    for body in ["2", "no\r\n\r\n> 1", "decline", "Escalate.", "pass it on", "I can’t"] {
        assert_eq!(Reply::of_words(&plain(body)), Ok(Reply::Decline), "{body:?}");
    }
    // What says nothing takes nothing.
    for body in [
        "",
        "\r\n \r\n",
        "> 1\r\n> ack\r\n",
        "On Sat, All Clear wrote:\r\n> ack\r\n",
        "-----Original Message-----\r\nack",
        "--\r\nAna",
        "Sent from my iPhone",
        "who is this?",
        "ack, but only for an hour and only if nobody else can, which I doubt very much at this time of the night",
    ] {
        assert!(Reply::of_words(&plain(body)).is_err(), "{body:?}: {:?}", plain(body));
    }
}

#[test]
fn however_a_program_writes_it() {
    let gmail = "<div dir=\"ltr\">ack</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Sat, All Clear wrote:<br></div><blockquote>2</blockquote></div>";
    let outlook = "<html><head><title>x</title><style>p.MsoNormal{margin:0}</style></head><body lang=EN-US><div class=WordSection1>\
                   <p class=MsoNormal>Ack<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none'>\
                   <p class=MsoNormal><b>From:</b> All Clear</p></div></div></div></body></html>";
    let divs = "<div>I&#39;m on it</div><div>Ana</div><blockquote>no</blockquote>";
    for html in [gmail, outlook, divs] {
        let words = heard("Content-Type: text/html; charset=utf-8\r\n", html.as_bytes()).unwrap();
        assert_eq!(Reply::of_words(&words), Ok(Reply::Acknowledge), "{html}: {words:?}");
    }
    for (more, body) in [
        ("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", "YWNrDQoNCj4gMg0K\r\n"),
        ("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n", "=61ck\r\n\r\nGr=FC=DFe\r\n"),
        ("Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n", "YQBjAGsA\r\n"),
        (
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n",
            "--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain\r\n\r\nack\r\n--i\r\n\
             Content-Type: text/html\r\n\r\n<p>no</p>\r\n--i--\r\n--o\r\nContent-Type: image/png; name=x\r\nContent-Disposition: attachment\r\n\
             Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--o--\r\n",
        ),
    ] {
        let words = heard(more, body.as_bytes()).unwrap();
        assert_eq!(Reply::of_words(&words), Ok(Reply::Acknowledge), "{more}: {words:?}");
    }
    // Torn anywhere and of nothing but noise, it does not stop anybody.
    let whole = format!(
        "To: {}\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/html\r\n\r\n{outlook}é&#x;&#99999999;\r\n--o--",
        address()
    );
    for end in 0..whole.len() {
        let request = ReplyRequest { url: "", headers: &[], body: &whole.as_bytes()[..end] };
        drop(channel().read(&request));
    }
    for seed in 0_u32..500 {
        let noise: Vec<u8> =
            (0..400_u32).map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 13) as u8).collect();
        drop(heard("Content-Type: text/html; charset=utf-7\r\n", &noise));
    }
    let nested = "<div>".repeat(200_000);
    assert_eq!(heard("Content-Type: text/html\r\n", nested.as_bytes()), Ok(String::new()));
}

#[test]
fn what_a_machine_sent_is_left_alone() {
    for (more, why) in [
        ("Auto-Submitted: auto-replied\r\n", "auto-replied"),
        ("auto-submitted: auto-generated; owner-email=x\r\n", "auto-generated"),
        ("Precedence: bulk\r\n", "bulk"),
        ("Precedence: auto_reply\r\n", "auto_reply"),
        ("X-Autoreply: yes\r\n", "x-autoreply"),
        ("Return-Path: <>\r\n", "no sender"),
        ("Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=x\r\n", "mail server"),
    ] {
        let told = heard(more, b"ack").unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    for more in
        ["Auto-Submitted: no\r\n", "X-Auto-Response-Suppress: All\r\n", "Precedence: first-class\r\n", "Return-Path: <ana@example.org>\r\n"]
    {
        assert_eq!(heard(more, b"ack"), Ok("ack".to_owned()), "{more}");
    }
}

#[test]
fn the_envelope_names_the_message_where_the_mail_does_not() {
    let channel = channel();
    let mail = b"From: a@b.example\r\nTo: undisclosed-recipients:;\r\n\r\nack";
    let to = address();
    let of = |url: &str, body: &[u8]| channel.message_of(&ReplyRequest { url, headers: &[], body });
    assert_eq!(of(&format!("https://ac.example/reply/email/k?to={to}"), mail), Some(id()), "a `+` as a shell writes it");
    assert_eq!(of(&format!("https://ac.example/reply/email/k?x=1&to={}", to.replace('+', "%2B").replace('@', "%40")), mail), Some(id()));
    for name in TO {
        let mail = format!("From: a@b.example\r\n{name}: x@y.example,\r\n {to}\r\n\r\nack");
        assert_eq!(of("", mail.as_bytes()), Some(id()), "{name}");
    }
    for mail in [format!("Subject: {to}\r\n\r\nack"), format!("From: {to}\r\nTo: x@y\r\n\r\n{to}"), String::new()] {
        assert_eq!(of("", mail.as_bytes()), None, "{mail}");
    }
    let request = ReplyRequest { url: "", headers: &[], body: mail };
    assert!(channel.read(&request).is_err() && channel.genuine(&request, &Address::default(), &[]).is_err());
    assert_eq!(channel.answer(&request, Told::NotNow), None, "it may be handed in again");
}

#[test]
fn a_mail_that_asks_says_how_it_is_answered() {
    use allclear_domain::wire::{NoticeKind, Request, Target};
    let target = Target { name: "Ana".into(), address: Address::of([("email", "ana@example.org")]) };
    let mail = |channel: &Email, message: &allclear_domain::wire::Message| match channel.request(message, &target).unwrap() {
        Request::Mail { reply_to, text, html, .. } => (reply_to, text, html),
        other => panic!("{other:?}"),
    };
    let page = message(1, "x");
    let (reply_to, text, html) = mail(&mailing(), &page);
    assert_eq!(reply_to, Some(address()));
    assert!(
        text.ends_with("\nOr answer this mail: “1” takes it, “2” passes it on.\n") && html.contains("<p>Or answer this mail"),
        "{text}"
    );
    assert!(mail(&mailing(), &message(3, "x")).1.contains("takes all of them"));
    let mut over = page.clone();
    over.notices[0].kind = NoticeKind::Over;
    assert_eq!(mail(&mailing(), &over).0, None, "nothing is asked");
    let (reply_to, text, _) = mail(&Email::new("ac.example", true), &page);
    assert!(reply_to.is_none() && !text.contains("answer this mail"), "nobody reads it");
}
