//! aiosmtpd takes our mails, and Python's own `email` answers them as programs for mail do: what it hands in takes the page.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use allclear_trial::org;
use allclear_trial::program::{Launch, Program};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::WITHIN;

/// Says its port, hears where answers go, and answers each mail that comes in another way.
const SCRIPT: &str = r#"
import email, email.policy, queue, socket, sys, urllib.request
from email.message import EmailMessage
from aiosmtpd.controller import Controller

mails = queue.Queue()
class Box:
    async def handle_DATA(self, server, session, envelope):
        mails.put(envelope.content)
        return "250 2.0.0 taken"
# It knocks at the port that it was given, so that 0 does not do.
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(Box(), hostname="127.0.0.1", port=port)
controller.start()
print(port, flush=True)
where = sys.stdin.readline().strip()

def hand_in(mail):
    request = urllib.request.Request(where, data=mail.as_bytes(), headers={"Content-Type": "message/rfc822"})
    with urllib.request.urlopen(request) as answer:
        print(answer.read().decode().strip(), flush=True)

def answer(how):
    came = email.message_from_bytes(mails.get(timeout=20), policy=email.policy.default)
    assert came["Reply-To"].addresses[0].username.startswith("reply+"), came["Reply-To"]
    quoted = came.get_body(("plain",)).get_content()
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "Ana Ruiz <ana@example.org>", came["Reply-To"], "Re: " + came["Subject"]
    mail["In-Reply-To"] = mail["References"] = came["Message-ID"]
    how(mail, quoted)
    hand_in(mail)

def plain(mail, quoted):
    mail.set_content("Ack\n\nGrüße, Ana 🙂\n\nOn Sat, All Clear wrote:\n" + "".join("> " + line + "\n" for line in quoted.splitlines()))
def both(mail, quoted):
    mail.set_content("I'm on it\n")
    mail.add_alternative("<html><body><div dir='ltr'>I'm on it</div><blockquote>no</blockquote></body></html>", subtype="html")
    mail.add_attachment(b"\x89PNG" * 20000, maintype="image", subtype="png", filename="signature.png")
def html_alone(mail, quoted):
    mail.set_content("<p>2</p><div>-- <br>Ana</div>", subtype="html", cte="base64")
def away(mail, quoted):
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("1\n\nI am away until Monday.\n")
for how in [plain, both, html_alone, away]:
    sys.stdin.readline()
    answer(how)
controller.stop()
"#;

/// Python with the mail server, where `cargo xtask test` put it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aiosmtpd-venv/bin/python");
    let has_it = std::process::Command::new(&python).args(["-c", "import aiosmtpd"]).output().is_ok_and(|run| run.status.success());
    if !has_it {
        let why = "it is not installed in target/aiosmtpd-venv; `cargo xtask test` installs it where it may";
        allclear_trial::skip::skipped("aiosmtpd", why);
    }
    has_it.then_some(python)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_python_answers_takes_its_page() {
    const KEY: &str = "k0123456789abcdefghij";
    let Some(python) = python() else { return };
    let mut answering = Command::new(python)
        .args(["-W", "ignore", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut says = BufReader::new(answering.stdout.take().unwrap()).lines();
    let mut hears = answering.stdin.take().unwrap();
    let mut said = async || tokio::time::timeout(WITHIN, says.next_line()).await.expect("in time").unwrap().expect("a line");
    let port = said().await;

    let dir = tempfile::tempdir().unwrap();
    let organisation = dir.path().join("org.yaml");
    let rule = "notify: {high: [{contact: hook}], low: [{contact: hook}]}";
    let usual = org::usual().replacen(rule, "notify: {high: [{contact: mail}], low: [{contact: mail}]}", 1);
    std::fs::write(&organisation, org::filled(&usual, "http://127.0.0.1:9")).unwrap();
    let args = ["--smtp", &format!("smtp://127.0.0.1:{port}"), "--mail-replies-to", "reply@example.org", "--mail-replies-key", KEY];
    let args = args.into_iter().chain(["--no-bundle", "--org", organisation.to_str().unwrap(), "--admin-token", org::ADMIN_TOKEN]);
    let launch = Launch {
        binary: env!("CARGO_BIN_EXE_allclear").into(),
        dir: dir.path().to_owned(),
        args: args.map(ToOwned::to_owned).collect(),
        env: Vec::new(),
    };
    let client = allclear_trial::world::client();
    let mut program = Program::start(&launch, &client).await.unwrap();
    let at = |path: &str| format!("{}{path}", program.url.trim_end_matches('/'));
    hears.write_all(format!("{}\n", at(&format!("/reply/email/{KEY}"))).as_bytes()).await.unwrap();
    for (n, told) in [(1, "You have INC-1"), (2, "You have INC-2"), (3, "INC-3 is passed on."), (4, "left alone: a machine sent it")] {
        let alarm = json!({"title": format!("alarm {n}"), "dedup_key": format!("a{n}"), "severity": "critical"});
        let sent = client.post(at(&format!("/in/json/{}", org::JSON_KEY))).json(&alarm).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        hears.write_all(b"\n").await.unwrap();
        let line = said().await;
        assert!(line.starts_with(told), "{line}");
    }
    let list = client.get(at("/api/v1/incidents")).bearer_auth(org::ADMIN_TOKEN).send().await.unwrap().json::<Value>().await.unwrap();
    let taken: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|one| &one["acknowledged_by"]).collect();
    assert_eq!(taken.iter().filter(|by| ***by == "ana").count(), 2, "{list}");
    program.stop().await.unwrap();
}
