//! Tells operators, outside of paging: a webhook by HTTP, a `mailto:` by the mail server, both directly.
//!
//! Each try makes its own connection, and shares nothing with the sends of pages: neither client nor limits nor the
//! store. The addresses are whoever runs the program's own setting, so private ones are reached as well. Deliberately
//! not here: when something is told, and how often (`allclear_engine::watch::operator`).

use std::fmt::Write as _;

use allclear_channels::carry::guard::Guard;
use allclear_channels::carry::http::{TransportConfig, Transports};
use allclear_channels::carry::smtp::SmtpUrl;
use allclear_domain::wire::{Method, Request, Response};
use allclear_engine::clock::SystemClock;
use allclear_engine::ports::{BoxFuture, Clock as _, OperatorAlarm};
use allclear_engine::watch::trouble::Alarm;
use allclear_engine::watch::trouble::Present;
use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::args::Form;
use crate::cli::terminal;
use crate::cli::terminal::outln;
use crate::config::addresses::{Address, Addresses, shown};
use crate::config::{Config, Resolved};

/// Every address: it is the operator's own setting.
const ANYWHERE: &str = "0.0.0.0/0,::/0";

/// The real one.
pub struct Operators {
    addresses: Vec<Address>,
    /// Where a watch outside hears that paging works.
    heartbeat: Option<reqwest::Url>,
    smtp: Option<SmtpUrl>,
    mail_from: String,
    base_url: String,
    /// The machine's name, so that of several nodes it is known which one speaks.
    node: String,
}

impl Operators {
    /// Tells these.
    #[must_use]
    fn new(addresses: Addresses, heartbeat: Option<reqwest::Url>, smtp: Option<SmtpUrl>, mail_from: String, base_url: String) -> Self {
        let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { addresses: addresses.0, heartbeat, smtp, mail_from, base_url, node }
    }

    /// Those of the settings.
    ///
    /// # Errors
    /// When the base URL does not read.
    pub fn of(config: &Config, base_url: &str) -> anyhow::Result<Self> {
        let url: reqwest::Url = base_url.parse().context("the base URL does not read")?;
        let mail_from = config.mails_come_from(url.host_str().unwrap_or("localhost"));
        Ok(Self::new(config.operators.clone(), config.heartbeat_to.clone(), config.smtp.clone(), mail_from, base_url.to_owned()))
    }

    async fn send(&self, request: Request) -> Result<(), String> {
        let guard = Guard::allowing(ANYWHERE).map_err(|why| why.to_string())?;
        let config = TransportConfig { guard, smtp: self.smtp.clone(), mail_from: self.mail_from.clone() };
        let transports = Transports::new(config).map_err(|why| why.to_string())?;
        judged(transports.send(request).await)
    }

    fn request(&self, address: &Address, alarm: &Alarm) -> Request {
        match address {
            Address::Webhook(url) => Request::Http {
                method: Method::Post,
                url: url.to_string(),
                headers: vec![("content-type", "application/json".to_owned())],
                body: body(&self.node, &self.base_url, alarm).to_string().into_bytes(),
            },
            Address::Mail(to) => {
                let text = text(&self.node, &self.base_url, alarm);
                let host = self.mail_from.rsplit('@').next().unwrap_or("localhost").trim_end_matches('>');
                Request::Mail {
                    to: to.clone(),
                    to_name: String::new(),
                    subject: subject(alarm),
                    message_id: format!("operator-alarm-{}-{}@{host}", alarm.at.as_microsecond(), self.node),
                    reply_to: None,
                    thread: None,
                    html: format!("<pre>{}</pre>", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
                    text,
                }
            }
        }
    }
}

impl OperatorAlarm for Operators {
    fn addresses(&self) -> Vec<String> {
        let one = |address: &Address| match address {
            Address::Webhook(url) => shown(url.as_str()),
            Address::Mail(address) => format!("mailto:{address}"),
        };
        self.addresses.iter().map(one).collect()
    }

    fn tell<'a>(&'a self, address: usize, alarm: &'a Alarm) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let Some(address) = self.addresses.get(address) else { return Ok(()) };
            self.send(self.request(address, alarm)).await
        })
    }

    fn beat(&self) -> Option<BoxFuture<'_, Result<(), String>>> {
        let url = self.heartbeat.as_ref()?;
        let body = json!({ "type": "heartbeat", "node": self.node, "base_url": self.base_url }).to_string().into_bytes();
        let headers = vec![("content-type", "application/json".to_owned())];
        Some(Box::pin(self.send(Request::Http { method: Method::Post, url: url.to_string(), headers, body })))
    }
}

/// `doctor --alarm`: tells every address that this is a test, once, and says what became of it.
///
/// # Errors
/// When none is set, or one of them was not told.
pub async fn test(settings: &Resolved, form: Form) -> anyhow::Result<()> {
    let config = Config::read(settings)?;
    anyhow::ensure!(!config.operators.0.is_empty(), "no --operator-alarm is set; give one as the server has it");
    let operators = Operators::of(&config, &config.reached_at(config.listen))?;
    let alarm = Alarm { at: SystemClock::default().now(), impaired: Vec::new(), more: 0, over: Vec::new() };
    let mut failed = 0;
    let mut told = Vec::new();
    for (at, address) in operators.addresses().into_iter().enumerate() {
        let result = operators.tell(at, &alarm).await;
        failed += usize::from(result.is_err());
        if form.json {
            told.push(json!({ "address": address, "told": result.is_ok(), "why": result.err() }));
        } else {
            outln!("{address}: {}", result.map_or_else(|why| terminal::clean(&why), |()| "told".to_owned()));
        }
    }
    if form.json {
        outln!("{:#}", json!({ "addresses": told }));
    }
    anyhow::ensure!(failed == 0, "{failed} of the addresses were not told");
    Ok(())
}

fn judged(response: Response) -> Result<(), String> {
    match response {
        Response::Http { status: 200..=299, .. } | Response::Smtp { code: 200..=299, .. } => Ok(()),
        Response::Http { status, .. } => Err(format!("the answer was HTTP {status}")),
        Response::Smtp { code, text } => Err(format!("the mail server answered {code} {text}")),
        Response::Failed { why, .. } | Response::Busy { why } => Err(why),
    }
}

/// What a webhook gets.
fn body(node: &str, base_url: &str, alarm: &Alarm) -> Value {
    let one = |p: &Present| json!({ "kind": p.trouble.kind(), "what": p.trouble.to_string(), "detail": p.detail, "since": p.since, "advice": p.trouble.advice() });
    json!({
        "type": "operator_alarm",
        "timestamp": alarm.at,
        "state": state(alarm),
        "text": subject(alarm),
        "node": node,
        "base_url": base_url,
        "impaired": alarm.impaired.iter().map(one).collect::<Vec<_>>(),
        "more": alarm.more,
        "over": alarm.over.iter().map(one).collect::<Vec<_>>(),
    })
}

const fn state(alarm: &Alarm) -> &'static str {
    match (alarm.impaired.is_empty() && alarm.more == 0, alarm.over.is_empty()) {
        (false, _) => "impaired",
        (true, false) => "over",
        (true, true) => "test",
    }
}

/// One line.
fn subject(alarm: &Alarm) -> String {
    let more = (alarm.impaired.len() + alarm.more).saturating_sub(1);
    match (alarm.impaired.first(), alarm.over.first()) {
        (Some(first), _) if more > 0 => format!("[All Clear] paging is impaired: {}, and {more} more", first.trouble),
        (Some(first), _) => format!("[All Clear] paging is impaired: {}", first.trouble),
        (None, Some(over)) if alarm.more == 0 => format!("[All Clear] over: {}", over.trouble),
        (None, Some(over)) => format!("[All Clear] over: {}; still impaired by {}", over.trouble, alarm.more),
        (None, None) => "[All Clear] this is a test of the operator alarm".to_owned(),
    }
}

fn text(node: &str, base_url: &str, alarm: &Alarm) -> String {
    let mut out = format!("All Clear on {node}, {base_url}\n{}\n", alarm.at);
    for p in &alarm.impaired {
        let _ = write!(
            out,
            "\nPaging is impaired: {}.\n  since {}\n  {}\n  What to do: {}.\n",
            p.trouble,
            p.since,
            p.detail,
            p.trouble.advice()
        );
    }
    if alarm.more > 0 {
        let _ = write!(out, "\nAnd {} more, of which this address was told or which found no room here.\n", alarm.more);
    }
    for p in &alarm.over {
        let _ = write!(out, "\nOver: {}.\n  it was there since {}\n", p.trouble, p.since);
    }
    if alarm.impaired.is_empty() && alarm.over.is_empty() {
        out.push_str("\nThis is a test: nothing is wrong. Alarms of this kind reach you here.\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use allclear_engine::watch::trouble::{Stage, Trouble};
    use jiff::Timestamp;

    use super::*;

    fn alarm() -> Alarm {
        let what = |trouble| Present { trouble, detail: "why".into(), since: Timestamp::UNIX_EPOCH };
        let impaired = vec![what(Trouble::StageStill(Stage::Send)), what(Trouble::PageExhausted("INC-7".into()))];
        Alarm { at: Timestamp::UNIX_EPOCH, impaired, more: 0, over: vec![] }
    }

    #[test]
    fn what_is_told_says_what_since_when_what_to_do_and_where() {
        let told = body("alpha", "https://ac.example", &alarm());
        assert_eq!(told["type"], "operator_alarm");
        assert_eq!(told["impaired"][0]["kind"], "stage_still");
        assert_eq!((&told["node"], &told["base_url"]), (&"alpha".into(), &"https://ac.example".into()));
        let mail = text("alpha", "https://ac.example", &alarm());
        for part in
            ["alpha", "https://ac.example", "sending stands still", "since 1970-01-01T00:00:00Z", "restart this node", "nobody has INC-7"]
        {
            assert!(mail.contains(part), "{part} in {mail}");
        }
        assert_eq!(subject(&alarm()), "[All Clear] paging is impaired: sending stands still, and 1 more");
        let over = Alarm { over: alarm().impaired, impaired: vec![], ..alarm() };
        assert_eq!(
            (body("a", "b", &over)["state"].as_str(), subject(&over).as_str()),
            (Some("over"), "[All Clear] over: sending stands still")
        );
    }
}
