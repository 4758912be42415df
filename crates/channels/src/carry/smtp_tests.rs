//! A mail handed to a server that answers well, late, badly or not at all.

use std::time::Duration;

use allclear_domain::wire::{Request, Response};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::carry::guard::Guard;
use crate::carry::http::{TransportConfig, Transports};

fn transports(url: &str) -> Transports {
    let deadlines = Deadlines { smtp_phase: Duration::from_millis(400), ..Deadlines::default() };
    let config = TransportConfig { guard: Guard::default(), smtp: Some(url.parse().unwrap()), mail_from: "allclear@ac.example".into() };
    Transports::with_deadlines(config, deadlines).unwrap()
}

fn mail(subject: &str) -> Request {
    Request::Mail {
        to: "ana@example.org".into(),
        to_name: "Ana Ruíz, \"the\" one".into(),
        subject: subject.into(),
        message_id: "msg_1@ac.example".into(),
        reply_to: None,
        thread: None,
        text: "Line one\n.\nQUIT\n".into(),
        html: "<p>é</p>".into(),
    }
}

/// What the scripted server answers to a command: a line, or nothing for ever.
type Script = fn(&str) -> Option<&'static str>;

fn friendly(command: &str) -> Option<&'static str> {
    Some(match command.split([' ', ':']).next().unwrap_or_default() {
        "EHLO" => "250-sink\r\n250 8BITMIME",
        "DATA" => "354 go on",
        "." => "250 2.0.0 queued as 7",
        "AUTH" => "235 welcome",
        _ => "250 ok",
    })
}

/// Speaks SMTP on one connection by the script until the client leaves; returns all it received.
async fn converse(stream: TcpStream, script: Script) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ready\r\n").await.unwrap();
    let mut transcript = Vec::new();
    let mut in_data = false;
    let mut line = String::new();
    while {
        line.clear();
        stream.read_line(&mut line).await.is_ok_and(|read| read > 0)
    } {
        let command = line.trim_end_matches(['\r', '\n']).to_owned();
        assert!(line.ends_with("\r\n"), "a bare line feed went out: {line:?}");
        transcript.push(command.clone());
        if in_data && command != "." {
            continue;
        }
        in_data = command == "DATA";
        let Some(answer) = script(&command) else { continue };
        if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    transcript
}

/// Sends the mails one after the other to a scripted server; its transcript and the answers.
async fn exchange(script: Script, mails: Vec<Request>) -> (Vec<String>, Vec<Response>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transports = transports(&format!("smtp://{}", listener.local_addr().unwrap()));
    let client = async move {
        let mut responses = Vec::new();
        for mail in mails {
            responses.push(transports.send(mail).await);
        }
        responses
    };
    let server = async { converse(listener.accept().await.unwrap().0, script).await };
    tokio::join!(server, client)
}

#[tokio::test]
async fn a_mail_arrives_whole_and_the_connection_is_used_again() {
    let (transcript, responses) = exchange(friendly, vec![mail("[SEV1] INC-142 Dïsk"), mail("second")]).await;
    assert_eq!(responses, vec![Response::Smtp { code: 250, text: "2.0.0 queued as 7".into() }; 2]);
    let count = |start: &str| transcript.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("EHLO"), count("MAIL FROM:<allclear@ac.example>"), count("RCPT TO:<ana@example.org>")), (1, 2, 2));
    assert_eq!(count("Message-ID: <msg_1@ac.example>"), 2);
    assert_eq!(count("Auto-Submitted: auto-generated"), 2);
    assert_eq!(count("Subject: [SEV1] INC-142 =?utf-8?b?"), 1, "{transcript:#?}");
    assert!(transcript.iter().all(|line| line.is_ascii()));
    assert_eq!(transcript.iter().filter(|line| *line == ".").count(), 2, "the lone dot of the text is stuffed or encoded");
}

#[tokio::test]
async fn refusals_keep_their_code() {
    let cases: [(Script, u16); 3] = [
        (|c| if c.starts_with("RCPT") { Some("550 5.1.1 no such user") } else { friendly(c) }, 550),
        (|c| if c.starts_with("RCPT") { Some("450 4.2.0 greylisted") } else { friendly(c) }, 450),
        (|c| if c == "." { Some("554 spam") } else { friendly(c) }, 554),
    ];
    for (script, code) in cases {
        let (_, responses) = exchange(script, vec![mail("x")]).await;
        assert!(matches!(&responses[0], Response::Smtp { code: got, .. } if *got == code), "{code}: {responses:?}");
    }
}

#[tokio::test]
async fn what_a_server_says_of_itself_is_never_held_against_the_recipient() {
    let sender: Script = |c| if c.starts_with("MAIL") { Some("550 5.7.1 sender refused") } else { friendly(c) };
    let (_, responses) = exchange(sender, vec![mail("x")]).await;
    assert!(
        matches!(&responses[0], Response::Failed { permanent: false, maybe_arrived: false, why } if why.contains("550")),
        "{responses:?}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transports = transports(&format!("smtp://{}", listener.local_addr().unwrap()));
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"554 no service here\r\n").await.unwrap();
        // Until the client has gone.
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    };
    let (_, response) = tokio::join!(server, async {
        let response = transports.send(mail("x")).await;
        drop(transports);
        response
    });
    assert!(matches!(&response, Response::Failed { permanent: false, maybe_arrived: false, why } if why.contains("554")), "{response:?}");
}

#[tokio::test]
async fn a_domain_goes_out_as_dns_has_it_and_a_title_as_it_reads() {
    let to = |address: &str| match mail("=?utf-8?q?looks_like_one?= and goes on for longer than one encoded word may be: é") {
        Request::Mail { to_name, subject, message_id, text, html, .. } => {
            let (to, reply_to) = (address.to_owned(), Some("reply+t0ken@b\u{fc}cher.example".to_owned()));
            Request::Mail { to, to_name, subject, message_id, reply_to, thread: Some("inc_1@ac.example".into()), text, html }
        }
        other => other,
    };
    let (transcript, responses) = exchange(friendly, vec![to("ana@b\u{fc}cher.example")]).await;
    assert!(matches!(&responses[0], Response::Smtp { code: 250, .. }), "{responses:?}");
    assert!(transcript.iter().any(|line| line.starts_with("RCPT TO:<ana@xn--bcher-kva.example>")), "{transcript:#?}");
    assert!(transcript.iter().all(|line| line.is_ascii() && line.len() <= 200));
    assert!(transcript.contains(&"Reply-To: reply+t0ken@xn--bcher-kva.example".to_owned()), "{transcript:#?}");
    let at = transcript.iter().position(|line| line.starts_with("Subject: ")).unwrap();
    let folded = transcript[at + 1..].iter().take_while(|line| line.starts_with(' '));
    let words = std::iter::once(&transcript[at]["Subject: ".len()..]).chain(folded.map(|line| line.trim_start()));
    let read: Vec<u8> = words
        .flat_map(|word| {
            assert!(word.len() <= ENCODED_WORD_MAX, "{word}");
            BASE64.decode(word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap()).unwrap()
        })
        .collect();
    assert_eq!(String::from_utf8(read).unwrap(), "=?utf-8?q?looks_like_one?= and goes on for longer than one encoded word may be: é");
    let count = |line: &str| transcript.iter().filter(|other| *other == line).count();
    assert_eq!((count("In-Reply-To: <inc_1@ac.example>"), count("References: <inc_1@ac.example>")), (1, 1), "{transcript:#?}");
}

#[tokio::test]
async fn slowness_is_in_doubt_only_after_the_last_byte() {
    let slow_data: Script = |c| if c == "." { None } else { friendly(c) };
    let (_, responses) = exchange(slow_data, vec![mail("x")]).await;
    assert!(
        matches!(&responses[0], Response::Failed { maybe_arrived: true, permanent: false, why } if why.contains("text")),
        "{responses:?}"
    );
    let slow_recipient: Script = |c| if c.starts_with("RCPT") { None } else { friendly(c) };
    let (_, responses) = exchange(slow_recipient, vec![mail("x")]).await;
    assert!(
        matches!(&responses[0], Response::Failed { maybe_arrived: false, permanent: false, why } if why.contains("recipient")),
        "{responses:?}"
    );
}

#[tokio::test]
async fn line_breaks_never_reach_the_server() {
    let (transcript, responses) = exchange(friendly, vec![mail("a\r\nBcc: x@y.example"), mail("fine")]).await;
    assert!(matches!(&responses[0], Response::Failed { permanent: true, .. }));
    assert!(transcript.iter().all(|line| !line.starts_with("Bcc")));
}

#[tokio::test]
async fn a_server_that_is_away_is_a_plain_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transports = transports(&format!("smtp://user:hunter2@{}", listener.local_addr().unwrap()));
    drop(listener);
    let response = transports.send(mail("x")).await;
    assert!(matches!(&response, Response::Failed { maybe_arrived: false, permanent: false, .. }), "{response:?}");
    assert!(!format!("{response:?}{transports:?}").contains("hunter2"));
}

#[test]
fn addresses_of_servers() {
    let read = |text: &str| text.parse::<SmtpUrl>();
    let full = read("smtps://us%40er:p%2Fw%C3%A9@mail.example").unwrap();
    assert_eq!((full.host.as_str(), full.port, full.tls_from_start), ("mail.example", 465, true));
    assert_eq!(full.login, Some(("us@er".into(), "p/wé".into())));
    assert_eq!(format!("{full:?}"), "smtps://[login]@mail.example:465");
    assert_eq!(read("smtp://mail.example").unwrap().port, 25);
    assert_eq!(read("smtp://[::1]:2525").unwrap().host, "::1");
    for bad in ["mail.example:25", "http://mail.example", "smtp://", "smtp://user@mail.example", "smtp://u:p%zz@h"] {
        let why = read(bad).unwrap_err().to_string();
        assert!(why.contains("smtps://user:password@mail.example") && !why.contains("p%zz"), "{bad}");
    }
}
