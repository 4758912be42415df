//! The settings: a flag, else the environment, else `allclear.toml`, else the default.
//!
//! One table ([`SETTINGS`]) gives every setting its flag, its variable, its key in the file and its
//! line in `serve --print-config`, so that the four cannot drift apart. This is the only module
//! that reads the environment. It deliberately opens nothing but `allclear.toml`: what a setting
//! names is opened by who needs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use allclear_channels::carry::guard::Guard;
use allclear_channels::carry::ranges::Ranges;
use allclear_channels::carry::smtp::SmtpUrl;
use allclear_channels::outbound::mail_back;
use allclear_channels::outbound::slack::{self, Workspace};
use allclear_channels::outbound::twilio::{self, Account};
use allclear_domain::time::Length;
use allclear_engine::outbox::OutboxSettings;

use self::addresses::{Address, Addresses};
use crate::accept::{self, Limits};

/// Read from the working directory unless `--config` names another.
pub const FILE: &str = "allclear.toml";
/// More threads than this is a slip. The default is two: one task decides, and the rest is parsing
/// and sending, so that more bring little but memory.
const WORKERS_MAX: usize = 256;

/// How much of a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// All of it.
    Open,
    /// None of it.
    Secret,
    /// All but the password of a URL.
    Url,
    /// Of each address the host, or the mailbox: a path may be a secret.
    Addresses,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The flag without dashes, and the key in the file.
    pub name: &'static str,
    /// What stands for the value in the help; empty for a switch.
    pub value: &'static str,
    /// As text; absent where there is none, or it comes from another setting.
    pub default: Option<&'static str>,
    pub secrecy: Secrecy,
    /// Whether the flag may be given more than once; the values are one text then, with blanks between them.
    pub many: bool,
    pub help: &'static str,
}

const fn setting(name: &'static str, value: &'static str, default: Option<&'static str>, help: &'static str) -> Setting {
    Setting { name, value, default, secrecy: Secrecy::Open, many: false, help }
}

/// Every setting, in the order in which they are shown.
pub static SETTINGS: &[Setting] = &[
    setting("listen", "ADDRESS", Some("127.0.0.1:8080"), "Where to listen; port 0 takes a free one"),
    setting("base-url", "URL", None, "Where people and senders reach this server [default: from --listen]"),
    Setting { secrecy: Secrecy::Url, ..setting("database", "URL", Some("sqlite:allclear.db"), "sqlite:PATH or postgres://USER@HOST/NAME") },
    setting("org", "FILE", None, "Organisation file or folder, applied at start when it changed"),
    Setting {
        secrecy: Secrecy::Secret,
        ..setting("admin-token", "TOKEN", None, "Makes this token an administrator's, for automation and tests")
    },
    Setting { secrecy: Secrecy::Url, ..setting("smtp", "URL", None, "Mail server: smtp://HOST:PORT or smtps://USER:PASSWORD@HOST") },
    setting("mail-from", "ADDRESS", None, "Who mails come from [default: allclear@ the base URL's host]"),
    setting(
        "mail-replies-to",
        "ADDRESS",
        None,
        "Mailbox that mails are answered to, as reply@example.org: answers to it are posted to /reply/email/KEY; needs --mail-replies-key",
    ),
    Setting {
        secrecy: Secrecy::Secret,
        ..setting("mail-replies-key", "KEY", None, "What stands in that address, 20 characters at least; `openssl rand -hex 16` makes one")
    },
    Setting {
        secrecy: Secrecy::Url,
        ..setting("twilio-url", "URL", Some(twilio::URL_DEFAULT), "Where text messages and calls are asked for, as Twilio takes them")
    },
    setting("twilio-account", "SID", None, "Account for text messages and calls; needs --twilio-token and --twilio-from"),
    Setting {
        secrecy: Secrecy::Secret,
        ..setting("twilio-token", "TOKEN", None, "Its token; while it is changed the new one, a comma, and the one before")
    },
    setting("twilio-from", "NUMBER", None, "Number as in +4930000000, or messaging service MG…, or both with a comma between"),
    Setting { secrecy: Secrecy::Url, ..setting("slack-url", "URL", Some(slack::URL_DEFAULT), "Where Slack's Web API is") },
    Setting {
        secrecy: Secrecy::Secret,
        ..setting("slack-token", "TOKEN", None, "Bot token xoxb-… of an app in Slack, which pages people there")
    },
    Setting {
        secrecy: Secrecy::Secret,
        ..setting(
            "slack-signing-secret",
            "SECRET",
            None,
            "The app's signing secret, for its buttons and `/allclear`; while it is changed the new one, a comma, and the one before",
        )
    },
    Setting {
        secrecy: Secrecy::Secret,
        ..setting(
            "slack-app-token",
            "TOKEN",
            None,
            "The app's own token xapp-…: its buttons and `/allclear` come over a connection that is kept open, without a public address",
        )
    },
    setting("vendors", "FILE", None, "Accounts with further vendors of text messages, and descriptions of your own"),
    setting("secret-key-file", "FILE", None, "Key that seals secrets at rest [default: beside the SQLite file; required on PostgreSQL]"),
    setting("quarantine", "", Some("false"), "Start without sending anything, for copies made by other means than `backup`"),
    setting("allow-private-targets", "CIDRS", None, "Private ranges that outgoing requests may reach, as in 127.0.0.0/8,10.0.0.0/8"),
    setting(
        "trusted-proxies",
        "CIDRS",
        None,
        "Reverse proxies whose X-Forwarded-For is believed, as in 127.0.0.0/8; they have to write it, and may hold any number of connections",
    ),
    setting("per-target-limit", "N", Some("4"), "Sends under way at once to one contact; 0 lifts the limit"),
    setting("send-limit", "N", Some("512"), "Sends under way at once in all"),
    setting("no-bundle", "", Some("false"), "Send messages that wait for one contact one by one instead of together"),
    Setting {
        secrecy: Secrecy::Addresses,
        many: true,
        ..setting("operator-alarm", "ADDRESS", None, "Webhook URL or mailto:, told when paging itself is impaired; may be given again")
    },
    Setting {
        secrecy: Secrecy::Addresses,
        ..setting(
            "heartbeat-to",
            "URL",
            None,
            "Where a POST says every minute that paging works, for a watch outside that tells when it stops",
        )
    },
    setting("checkpoint-log", "FILE", None, "File to which every checkpoint of the log is added, signed; keep it on another machine"),
    setting("log", "LEVEL", Some("info"), "error, warn, info, debug or trace"),
    setting("log-format", "FORMAT", Some("text"), "text, or json for one object a line"),
    setting("workers", "N", Some("2"), "Threads that run tasks"),
    setting("port-file", "FILE", None, "Write the port that is listened on to this file"),
    setting(
        "max-connections",
        "N",
        Some("10000"),
        "Connections at once; one address has a tenth, and newcomers take the place of the longest idle",
    ),
    setting("header-timeout", "LENGTH", Some("10s"), "How long the head of a request may take"),
    setting("body-timeout", "LENGTH", Some("30s"), "How long the body of a request may take"),
    setting("idle-timeout", "LENGTH", Some("75s"), "How long a connection may wait for its next request"),
    setting("drain-timeout", "LENGTH", Some("10s"), "How long a stop waits for what is under way"),
];

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{name} `{shown}` (from {origin}): {why}")]
    Value { name: &'static str, shown: String, origin: String, why: String },
    #[error("{file}:{line}: {message}")]
    File { file: String, line: usize, message: String },
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: String, why: std::io::Error },
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub origin: String,
}

/// The text of every setting that has one.
#[derive(Debug, Default)]
pub struct Resolved {
    values: BTreeMap<&'static str, Value>,
}

/// One variable of the environment.
#[must_use]
#[allow(clippy::disallowed_methods)] // this is where settings are read
pub fn environment(name: &str) -> Option<String> {
    // An empty variable is one that somebody unset in a file of variables.
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable of a setting.
#[must_use]
pub fn variable(name: &str) -> String {
    format!("ALLCLEAR_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The setting of this name; `_` counts as `-`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    let name = name.replace('_', "-");
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Looks every setting up: flags, then environment, then file, then default.
///
/// # Errors
/// When a file that was named does not read, or any has a key that is no setting.
pub fn resolve(
    flags: &BTreeMap<&'static str, String>,
    environment: impl Fn(&str) -> Option<String>,
    file: Option<&Path>,
) -> Result<Resolved, ConfigError> {
    let path = file.unwrap_or(Path::new(FILE));
    let from_file = match std::fs::read_to_string(path) {
        Ok(text) => file::parse(&text, &path.display().to_string())?,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && file.is_none() => BTreeMap::new(),
        Err(why) => return Err(ConfigError::Unreadable { file: path.display().to_string(), why }),
    };
    let mut values = BTreeMap::new();
    for setting in SETTINGS {
        let variable = variable(setting.name);
        let value = if let Some(text) = flags.get(setting.name) {
            Some(Value { text: text.clone(), origin: format!("--{}", setting.name) })
        } else if let Some(text) = environment(&variable) {
            Some(Value { text, origin: variable })
        } else if let Some(value) = from_file.get(setting.name) {
            Some(value.clone())
        } else {
            setting.default.map(|text| Value { text: text.to_owned(), origin: "default".to_owned() })
        };
        if let Some(value) = value {
            values.insert(setting.name, value);
        }
    }
    Ok(Resolved { values })
}

impl Resolved {
    /// Every setting, its value with secrets masked, and where it came from.
    #[must_use]
    pub fn print(&self) -> String {
        let rows: Vec<(&str, String, &str)> = SETTINGS
            .iter()
            .map(|setting| match self.values.get(setting.name) {
                Some(value) => (setting.name, shown(setting.secrecy, &value.text), value.origin.as_str()),
                None => (setting.name, "-".to_owned(), "not set"),
            })
            .collect();
        let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let values = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (name, value, origin) in rows {
            let _ = writeln!(out, "{name:names$}  {value:values$}  {origin}");
        }
        out
    }

    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let one = |setting: &Setting| {
            let found = self.values.get(setting.name);
            let value = found.map(|value| shown(setting.secrecy, &value.text));
            let origin = found.map_or("not set", |value| value.origin.as_str());
            (setting.name.to_owned(), serde_json::json!({ "value": value, "from": origin }))
        };
        SETTINGS.iter().map(one).collect::<serde_json::Map<_, _>>().into()
    }

    /// The text of a setting, where it has one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        debug_assert!(find(name).is_some(), "{name} is no setting");
        self.values.get(name).map(|value| value.text.as_str())
    }

    fn bad(&self, name: &'static str, why: impl ToString) -> ConfigError {
        let secrecy = find(name).map_or(Secrecy::Secret, |setting| setting.secrecy);
        let value = self.values.get(name);
        ConfigError::Value {
            name,
            shown: value.map(|v| shown(secrecy, &v.text)).unwrap_or_default(),
            origin: value.map(|v| v.origin.clone()).unwrap_or_default(),
            why: why.to_string(),
        }
    }

    fn parsed<T: FromStr<Err: ToString>>(&self, name: &'static str) -> Result<Option<T>, ConfigError> {
        self.text(name).map(|text| text.trim().parse().map_err(|why: T::Err| self.bad(name, why.to_string()))).transpose()
    }

    fn number(&self, name: &'static str, least: usize, most: usize) -> Result<usize, ConfigError> {
        let number = self.text(name).and_then(|text| text.trim().parse().ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.bad(name, format!("it is not a number from {least} to {most}")))
    }

    fn switch(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.text(name).unwrap_or("false").trim() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.bad(name, "it is neither true nor false")),
        }
    }

    fn length(&self, name: &'static str) -> Result<Duration, ConfigError> {
        let length: Length = self.parsed(name)?.unwrap_or(Length::ZERO);
        if length.is_zero() {
            return Err(self.bad(name, "it has to be longer than no time at all, as in `10s`"));
        }
        Ok(Duration::from_millis(length.as_millis()))
    }
}

/// The settings, read.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Without a slash at the end.
    pub base_url: Option<String>,
    pub database: String,
    pub org: Option<PathBuf>,
    pub admin_token: Option<String>,
    pub smtp: Option<SmtpUrl>,
    pub mail_from: Option<String>,
    /// Where mails are answered to, and the key of the address that answers are posted to.
    pub mail_replies: Option<(String, String)>,
    /// For text messages and calls.
    pub telephone: Option<Account>,
    /// The app in Slack.
    pub slack: Option<Workspace>,
    /// Accounts with vendors that are data.
    pub vendors: Option<PathBuf>,
    pub secret_key_file: Option<PathBuf>,
    pub quarantine: bool,
    pub guard: Guard,
    pub trusted_proxies: Ranges,
    pub outbox: OutboxSettings,
    pub operators: Addresses,
    /// Where a watch outside hears that paging works.
    pub heartbeat_to: Option<reqwest::Url>,
    /// Where checkpoints leave the house.
    pub checkpoint_log: Option<PathBuf>,
    pub log: Level,
    pub log_json: bool,
    pub workers: usize,
    pub port_file: Option<PathBuf>,
    pub limits: Limits,
}

/// How much is logged.
pub type Level = tracing::level_filters::LevelFilter;

impl Config {
    /// Reads every setting.
    ///
    /// # Errors
    /// Names the first that cannot be read, where it came from, and what would work.
    pub fn read(settings: &Resolved) -> Result<Self, ConfigError> {
        let path = |name| settings.text(name).map(PathBuf::from);
        let listen = settings.text("listen").unwrap_or_default().trim().replace("localhost:", "127.0.0.1:");
        let listen =
            listen.parse().map_err(|_| settings.bad("listen", "write an address and a port, as in `127.0.0.1:8080` or `[::]:8080`"))?;
        let base_url = settings.text("base-url").map(|text| base_url(text).map_err(|why| settings.bad("base-url", why))).transpose()?;
        let guard = Guard::allowing(settings.text("allow-private-targets").unwrap_or_default())
            .map_err(|why| settings.bad("allow-private-targets", why))?;
        let outbox = OutboxSettings {
            per_target: settings.number("per-target-limit", 0, 100_000)?,
            at_once: settings.number("send-limit", 1, 100_000)?,
            bundle: !settings.switch("no-bundle")?,
        };
        let log = settings.text("log").unwrap_or_default().trim().to_ascii_lowercase();
        let log = ["error", "warn", "info", "debug", "trace"].contains(&log.as_str()).then(|| log.parse().ok()).flatten();
        let log_json = match settings.text("log-format").unwrap_or_default().trim() {
            "text" => false,
            "json" => true,
            _ => return Err(settings.bad("log-format", "write `text` or `json`")),
        };
        let limits = Limits {
            connections: settings.number("max-connections", 1, 1_000_000)?,
            header: settings.length("header-timeout")?,
            body: settings.length("body-timeout")?,
            idle: settings.length("idle-timeout")?,
            write: accept::WRITE_DEADLINE,
            drain: settings.length("drain-timeout")?,
        };
        let operators: Addresses = settings.parsed("operator-alarm")?.unwrap_or_default();
        if operators.need_mail() && settings.text("smtp").is_none() {
            return Err(settings.bad("operator-alarm", "a `mailto:` needs a mail server: give --smtp as well"));
        }
        let heartbeat_to = match settings.parsed::<Addresses>("heartbeat-to")?.unwrap_or_default().0.as_slice() {
            [] => None,
            [Address::Webhook(url)] => Some(url.clone()),
            _ => return Err(settings.bad("heartbeat-to", "write one address, as in `https://watch.example.org/heartbeat/KEY`")),
        };
        Ok(Self {
            listen,
            base_url,
            database: settings.text("database").unwrap_or_default().to_owned(),
            org: path("org"),
            admin_token: settings.text("admin-token").map(ToOwned::to_owned),
            smtp: settings.parsed("smtp")?,
            mail_from: settings.text("mail-from").map(ToOwned::to_owned),
            mail_replies: mail_replies(settings)?,
            telephone: telephone(settings)?,
            slack: slack(settings)?,
            vendors: path("vendors"),
            secret_key_file: path("secret-key-file"),
            quarantine: settings.switch("quarantine")?,
            guard,
            trusted_proxies: settings.parsed("trusted-proxies")?.unwrap_or_default(),
            outbox,
            operators,
            heartbeat_to,
            checkpoint_log: path("checkpoint-log"),
            log: log.ok_or_else(|| settings.bad("log", "write `error`, `warn`, `info`, `debug` or `trace`"))?,
            log_json,
            workers: settings.number("workers", 1, WORKERS_MAX)?,
            port_file: path("port-file"),
            limits,
        })
    }

    /// Where this server is reached: as set, else at the address it listens at.
    #[must_use]
    pub fn reached_at(&self, address: SocketAddr) -> String {
        self.base_url.clone().unwrap_or_else(|| match address.ip() {
            ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
            _ => format!("http://{address}"),
        })
    }

    /// Who mails come from, of a server that is reached as `host`.
    #[must_use]
    pub fn mails_come_from(&self, host: &str) -> String {
        // An address literal, `allclear@[127.0.0.1]`, is allowed by RFC 5321 and refused by many; the
        // library that puts mails together is among them.
        let literal = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        let domain = if literal { "localhost" } else { host };
        self.mail_from.clone().unwrap_or_else(|| format!("allclear@{domain}"))
    }
}

/// Where mails are answered to. Both settings go together, and say nothing without a mail server.
fn mail_replies(settings: &Resolved) -> Result<Option<(String, String)>, ConfigError> {
    let (to, key) = (settings.text("mail-replies-to"), settings.text("mail-replies-key"));
    let (to, key) = match (to, key) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(settings.bad("mail-replies-to", "answers by mail need --mail-replies-key as well")),
        (None, Some(_)) => return Err(settings.bad("mail-replies-key", "answers by mail need --mail-replies-to as well")),
        (Some(to), Some(key)) => (to.trim(), key.trim()),
    };
    if settings.text("smtp").is_none() {
        return Err(settings.bad("mail-replies-to", "nobody answers mails that are not sent: give --smtp as well"));
    }
    mail_back::check_address(to).map_err(|why| settings.bad("mail-replies-to", why))?;
    mail_back::check_key(key).map_err(|why| settings.bad("mail-replies-key", why))?;
    Ok(Some((to.to_owned(), key.to_owned())))
}

/// The account for text messages and calls. Its three settings go together.
fn telephone(settings: &Resolved) -> Result<Option<Account>, ConfigError> {
    const TOGETHER: [&str; 3] = ["twilio-account", "twilio-token", "twilio-from"];
    let missing: Vec<&str> = TOGETHER.into_iter().filter(|name| settings.text(name).is_none()).collect();
    if let [first, ..] = missing.as_slice()
        && let Some(given) = TOGETHER.into_iter().find(|name| settings.text(name).is_some())
    {
        return Err(settings.bad(given, format!("text messages and calls need --{first} as well")));
    }
    let text = |name| settings.text(name).unwrap_or_default();
    if !missing.is_empty() {
        return Ok(None);
    }
    let read = Account::read(text("twilio-url"), text("twilio-account"), text("twilio-token"), text("twilio-from"));
    read.map(Some).map_err(|wrong| settings.bad(wrong.name, wrong.why))
}

/// The app in Slack. A signing secret, or the app's own token, alone says nothing.
fn slack(settings: &Resolved) -> Result<Option<Workspace>, ConfigError> {
    let text = |name| settings.text(name).unwrap_or_default();
    if settings.text("slack-token").is_none() {
        return match ["slack-signing-secret", "slack-app-token"].into_iter().find(|name| settings.text(name).is_some()) {
            Some(name) => Err(settings.bad(name, "Slack needs --slack-token as well")),
            None => Ok(None),
        };
    }
    let read = Workspace::read(text("slack-url"), text("slack-token"), text("slack-signing-secret"));
    let read = match settings.text("slack-app-token") {
        Some(app) => read.and_then(|workspace| workspace.listening(app)),
        None => read,
    };
    read.map(Some).map_err(|wrong| settings.bad(wrong.name, wrong.why))
}

/// A path is refused: pages, forms, cookies and senders' addresses stand at the root of a host, and a link
/// in a message that opens while its button answers 404 is an acknowledgement that is lost.
fn base_url(text: &str) -> Result<String, &'static str> {
    const LIKE: &str = "write it as in `https://allclear.example.org`";
    let url: reqwest::Url = text.trim().parse().map_err(|_| LIKE)?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none();
    if !plain || !url.username().is_empty() || url.password().is_some() {
        return Err(LIKE);
    }
    if url.path() != "/" {
        return Err(
            "it has a path, and All Clear answers at the root of a host: give it a host name of its own, as in `https://allclear.example.org`",
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A value as it may be shown.
#[must_use]
pub fn shown(secrecy: Secrecy, text: &str) -> String {
    const MASK: &str = "********";
    match secrecy {
        Secrecy::Open => text.to_owned(),
        Secrecy::Secret => MASK.to_owned(),
        Secrecy::Addresses => addresses::shown(text),
        Secrecy::Url => {
            let (place, options) = text.split_once('?').map_or((text, None), |(place, options)| (place, Some(options)));
            let mut out = match (place.split_once("://"), place.rsplit_once('@')) {
                (Some((scheme, _)), Some((before, host))) => {
                    let login = &before[(scheme.len() + 3).min(before.len())..];
                    match login.split_once(':') {
                        Some((user, _)) => format!("{scheme}://{user}:{MASK}@{host}"),
                        None => place.to_owned(),
                    }
                }
                _ => place.to_owned(),
            };
            for (at, option) in options.into_iter().flat_map(|options| options.split('&')).enumerate() {
                out.push(if at == 0 { '?' } else { '&' });
                match option.split_once('=') {
                    Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
                        let _ = write!(out, "{name}={MASK}");
                    }
                    _ => out.push_str(option),
                }
            }
            out
        }
    }
}

pub(crate) mod addresses;
pub(crate) mod file;
pub(crate) mod flags;
#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
