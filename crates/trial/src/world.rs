//! The program, its sinks and its clock, as a story uses them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mail_sink::MailSink;
use crate::org::{self, ADMIN_TOKEN, JSON_KEY, PD_KEY, PROM_KEY};
use crate::program::{Database, Launch, Program};
use crate::webhook_sink::WebhookSink;

/// Longest wait for any answer of the program.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// 32 bytes as the text of a key file, for PostgreSQL, where the program makes none by itself.
const KEY_FILE: &str = "dHJpYWwtc2VjcmV0LWtleS1vZi0zMi1ieXRlcy0wMDE";

/// What a world starts with.
#[derive(Debug, Clone)]
pub struct Setup {
    binary: PathBuf,
    database: Database,
    org: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    admits_private: bool,
}

impl Setup {
    /// The usual organisation on this database; `binary` as cargo names it to integration tests.
    ///
    /// # Panics
    /// When the binary is not there.
    #[must_use]
    pub fn new(binary: Option<&str>, database: Database) -> Self {
        Self {
            binary: crate::program::binary(binary).expect("the binary under test"),
            database,
            org: org::usual(),
            args: Vec::new(),
            env: Vec::new(),
            admits_private: true,
        }
    }
    /// With another organisation.
    #[must_use]
    pub fn org(mut self, org: impl Into<String>) -> Self {
        self.org = org.into();
        self
    }
    /// With further arguments of `serve`.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }
    /// With a variable in the program's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
    /// Without leave to send to this machine, as an operator has it who sets nothing.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.admits_private = false;
        self
    }
}

/// An answer of the program.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
    /// Itself, once its status is one of the 200s.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "status {}: {}", self.status, self.text);
        self
    }
}

/// What a command of the command line did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

/// See the module.
pub struct World {
    /// The trial's folder.
    pub dir: TempDir,
    /// Receives webhooks.
    pub hook: WebhookSink,
    /// Receives mail.
    pub mail: MailSink,
    /// The program; ended in between restarts.
    pub program: Program,
    /// The HTTP client: no redirects.
    pub client: reqwest::Client,
    setup: Setup,
    /// What was said by programs that have ended.
    past_log: String,
    /// How far the program's clock is ahead, in seconds.
    offset_s: i64,
}

/// A client that follows nothing and waits for ever no longer than a story.
///
/// # Panics
/// When TLS cannot be set up.
#[must_use]
pub fn client() -> reqwest::Client {
    // Another client of this process may have set it; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .build()
        .expect("an HTTP client")
}

impl World {
    /// Starts sinks and program.
    ///
    /// # Panics
    /// When the program does not come up.
    pub async fn start(setup: Setup) -> Self {
        Self::try_start(setup).await.expect("the program starts")
    }

    /// Starts sinks and program.
    ///
    /// # Errors
    /// When the program does not come up.
    pub async fn try_start(setup: Setup) -> anyhow::Result<Self> {
        let hook = WebhookSink::start().await;
        let mail = MailSink::start().await;
        let dir = tempfile::Builder::new().prefix("ac-").tempdir().context("a folder")?;
        std::fs::write(dir.path().join("org.yaml"), org::filled(&setup.org, &hook.url()))?;
        if setup.database != Database::Sqlite {
            write_private(&dir.path().join("secret.key"), KEY_FILE)?;
        }
        let client = client();
        let program = Program::start(&launch(&setup, dir.path(), &mail, 0, &[]), &client).await?;
        Ok(Self { dir, hook, mail, program, client, setup, past_log: String::new(), offset_s: 0 })
    }

    /// What `--database` says.
    #[must_use]
    pub fn database(&self) -> String {
        database(&self.setup, self.dir.path())
    }

    /// Whether the data is in a file.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.setup.database == Database::Sqlite
    }

    // ---- the program's life ----

    /// SIGKILL.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn kill(&mut self) {
        self.program.kill().await.expect("the program can be killed");
    }

    /// Starts it again on its data, its clock as far ahead as before.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start_again(&mut self, extra: &[&str]) {
        self.try_start_again(extra, &[]).await.expect("the program starts again");
    }

    /// Starts it again with further arguments and variables.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn try_start_again(&mut self, extra: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
        self.program.kill().await?;
        self.past_log.push_str(&self.program.log());
        let mut launch = launch(&self.setup, self.dir.path(), &self.mail, self.offset_s, extra);
        launch.env.extend(env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self.program = Program::start(&launch, &self.client).await?;
        Ok(())
    }

    /// Dead for so long, and up again.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart_after(&mut self, gap: Duration) {
        self.kill().await;
        self.offset_s += i64::try_from(gap.as_secs()).unwrap_or(i64::MAX);
        self.start_again(&[]).await;
    }

    /// All that the program ever said.
    #[must_use]
    pub fn log(&self) -> String {
        format!("{}{}", self.past_log, self.program.log())
    }

    // ---- time ----

    /// Lets time pass and everything happen that is due.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn advance(&mut self, seconds: u64) {
        self.program.control.advance(Duration::from_secs(seconds)).await.expect("the clock moves");
        self.offset_s += i64::try_from(seconds).unwrap_or(i64::MAX);
        self.quiet().await;
    }

    /// The machine sleeps: so much time passes at once.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn jump(&mut self, seconds: i64) {
        self.program.control.jump(seconds).await.expect("the clock jumps");
        self.offset_s += seconds;
        self.quiet().await;
    }

    /// The program's clock will be further ahead from its next start on, or was moved from outside.
    pub fn skip(&mut self, by: Duration) {
        self.offset_s += i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    }

    /// The program's clock will be less far ahead from its next start on.
    pub fn set_back(&mut self, seconds: i64) {
        self.offset_s -= seconds;
    }

    /// Waits until nothing is under way.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn quiet(&self) {
        self.program.control.quiet().await.expect("the program becomes quiet");
    }

    /// The program's time.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn now(&self) -> jiff::Timestamp {
        let micros = self.program.control.now().await.expect("the program tells the time");
        jiff::Timestamp::from_microsecond(micros).expect("a time of this age")
    }

    // ---- HTTP ----

    /// Sends a request as it is built.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        try_send(request).await.expect("an answer")
    }

    /// The address of a path.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.program.url)
    }

    /// DELETE with the administrator's token.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.client.delete(self.at(path)).bearer_auth(ADMIN_TOKEN)).await
    }

    /// GET with the administrator's token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.at(path)).bearer_auth(ADMIN_TOKEN)).await
    }

    /// GET under `/api/v1`, which must succeed; its JSON.
    ///
    /// # Panics
    /// When it does not.
    pub async fn api(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1{path}")).await;
        assert_eq!(answer.status, 200, "GET /api/v1{path}: {}", answer.text);
        answer.body
    }

    /// POST of JSON under `/api/v1` with the administrator's token.
    pub async fn command(&self, path: &str, body: Value) -> Answer {
        let request = self.client.post(self.at(&format!("/api/v1{path}"))).bearer_auth(ADMIN_TOKEN).json(&body);
        self.send(request).await
    }

    /// A command on an incident, which is taken, and what follows from it at once. Returns the answer.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn act(&self, reference: &str, verb: &str, body: Value) -> Value {
        let answer = self.command(&format!("/incidents/{reference}/{verb}"), body).await.ok();
        self.quiet().await;
        answer.body
    }

    /// POST of bytes without a token.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.client.post(self.at(path)).header("content-type", "application/json").body(body)).await
    }

    // ---- what senders do ----

    /// A signal in the plain format, which must be accepted, and all that follows at once.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn signal(&self, body: Value) -> Answer {
        self.signal_with(JSON_KEY, body).await
    }

    /// The same through another integration.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn signal_with(&self, key: &str, body: Value) -> Answer {
        let answer = self.post(&format!("/in/json/{key}"), body.to_string()).await.ok();
        self.quiet().await;
        answer
    }

    /// A firing alert of this name, as bad as `critical`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn fire(&self, key: &str) -> Answer {
        self.signal(json!({"title": key, "dedup_key": key, "severity": "critical"})).await
    }

    /// Its recovery.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn recover(&self, key: &str) -> Answer {
        self.signal(json!({"dedup_key": key, "status": "resolved"})).await
    }

    /// Alerts in Alertmanager's format, as Prometheus posts them.
    ///
    /// # Panics
    /// When they are refused.
    pub async fn prometheus(&self, alerts: Value) -> Answer {
        let answer = self.post(&format!("/prom/{PROM_KEY}/api/v2/alerts"), alerts.to_string()).await.ok();
        self.quiet().await;
        answer
    }

    /// An event in PagerDuty's format; the routing key is put in.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn pagerduty(&self, mut event: Value) -> Answer {
        event["routing_key"] = json!(PD_KEY);
        let answer = self.post("/v2/enqueue", event.to_string()).await.ok();
        self.quiet().await;
        answer
    }

    /// An empty POST to a link of a message.
    pub async fn press(&self, path: &str) -> Answer {
        let answer = self.send(self.client.post(self.at(path))).await;
        self.quiet().await;
        answer
    }

    // ---- what is so ----

    /// Incidents of this query (`open=true`).
    pub async fn incidents(&self, query: &str) -> Vec<Value> {
        self.api(&format!("/incidents?{query}")).await["items"].as_array().cloned().unwrap_or_default()
    }

    /// The only incident there is.
    ///
    /// # Panics
    /// When there is none, or more.
    pub async fn incident(&self) -> Value {
        let mut all = self.incidents("").await;
        assert_eq!(all.len(), 1, "one incident was expected: {all:#?}");
        all.remove(0)
    }

    /// The log of an incident.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn events(&self, incident: &Value) -> Vec<Value> {
        let reference = incident["ref"].as_str().expect("an incident has a ref");
        items(&self.api(&format!("/incidents/{reference}/events?limit=200")).await)
    }

    /// Kinds of the log's events, in order.
    pub async fn kinds(&self, incident: &Value) -> Vec<String> {
        self.events(incident).await.iter().map(|event| event["kind"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// When the log's events of a kind happened, in order.
    ///
    /// # Panics
    /// When one has no time.
    pub async fn times(&self, incident: &Value, kind: &str) -> Vec<jiff::Timestamp> {
        let events = self.events(incident).await;
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        of_kind.map(|event| event["at"].as_str().and_then(|at| at.parse().ok()).expect("an event has its time")).collect()
    }

    /// The bodies of the log's events of a kind.
    pub async fn bodies(&self, incident: &Value, kind: &str) -> Vec<Value> {
        self.events(incident).await.into_iter().filter(|event| event["kind"] == kind).map(|event| event["body"].clone()).collect()
    }

    /// The alert of this dedup key.
    ///
    /// # Panics
    /// When there is none.
    pub async fn alert(&self, key: &str) -> Value {
        let all = items(&self.api("/alerts?limit=200").await);
        all.iter().find(|alert| alert["dedup_key"] == key).cloned().unwrap_or_else(|| panic!("no alert `{key}` among {all:#?}"))
    }

    // ---- the command line ----

    /// Runs `allclear ARGS` beside the program, told where both it and the data are.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn cli(&self, args: &[&str]) -> Ran {
        self.cli_on(&self.database(), args).await
    }

    /// The same on another database.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn cli_on(&self, database: &str, args: &[&str]) -> Ran {
        self.cli_with(database, ADMIN_TOKEN, args).await
    }

    /// The command line with the token of somebody.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn cli_as(&self, token: &str, args: &[&str]) -> Ran {
        self.cli_with(&self.database(), token, args).await
    }

    async fn cli_with(&self, database: &str, token: &str, args: &[&str]) -> Ran {
        let output = tokio::process::Command::new(&self.setup.binary)
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("ALLCLEAR_URL", &self.program.url)
            .env("ALLCLEAR_TOKEN", token)
            .env("ALLCLEAR_DATABASE", database)
            .envs(key_file(&self.setup, self.dir.path()).map(|path| ("ALLCLEAR_SECRET_KEY_FILE", path)))
            .kill_on_drop(true)
            .output()
            .await
            .expect("the command starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// How the program would be started on another database, with this world's organisation,
    /// key and mail server.
    #[must_use]
    pub fn launch_on(&self, database: &str, dir: &Path, extra: &[&str]) -> Launch {
        let mut launch = launch(&self.setup, self.dir.path(), &self.mail, self.offset_s, extra);
        if let Some(at) = launch.args.iter().position(|arg| arg == "--database") {
            launch.args[at + 1] = database.to_owned();
        }
        if !launch.args.iter().any(|arg| arg == "--secret-key-file") {
            let key = self.dir.path().join("allclear.key");
            launch.args.extend(["--secret-key-file".to_owned(), key.display().to_string()]);
        }
        launch.dir = dir.to_owned();
        launch
    }
}

/// Sends a request; the answer as it came.
///
/// # Errors
/// When none came.
pub async fn try_send(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers =
        response.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, text, body, headers })
}

/// A list, bare or under `items`.
#[must_use]
pub fn items(list: &Value) -> Vec<Value> {
    list.as_array().or_else(|| list["items"].as_array()).cloned().unwrap_or_default()
}

/// The things of a log that a person may read, as one text: for looking for words in it.
#[must_use]
pub fn lines(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["line"].as_str()).collect::<Vec<_>>().join("\n")
}

fn database(setup: &Setup, dir: &Path) -> String {
    match &setup.database {
        Database::Sqlite => format!("sqlite:{}", dir.join("allclear.db").display()),
        Database::Postgres(url) => url.clone(),
    }
}

fn key_file(setup: &Setup, dir: &Path) -> Option<PathBuf> {
    (setup.database != Database::Sqlite).then(|| dir.join("secret.key"))
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn launch(setup: &Setup, dir: &Path, mail: &MailSink, offset_s: i64, extra: &[&str]) -> Launch {
    let mut args: Vec<String> =
        ["--database", &database(setup, dir), "--admin-token", ADMIN_TOKEN, "--smtp", &mail.url(), "--log-format", "json"]
            .map(ToOwned::to_owned)
            .to_vec();
    args.extend(["--org".to_owned(), dir.join("org.yaml").display().to_string()]);
    if let Some(key) = key_file(setup, dir) {
        args.extend(["--secret-key-file".to_owned(), key.display().to_string()]);
    }
    if setup.admits_private {
        args.extend(["--allow-private-targets".to_owned(), "127.0.0.0/8".to_owned()]);
    }
    args.extend(setup.args.iter().cloned());
    args.extend(extra.iter().map(|&arg| arg.to_owned()));
    let mut env = setup.env.clone();
    if offset_s != 0 {
        env.push(("ALLCLEAR_TEST_OFFSET".to_owned(), format!("{offset_s:+}s")));
    }
    Launch { binary: setup.binary.clone(), dir: dir.to_owned(), args, env }
}
