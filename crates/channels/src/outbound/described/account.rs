//! The accounts of an installation with vendors, and descriptions of its own: one file, which a setting names.
//!
//! Each table is one vendor: what its description asks for, each as a text, and a text that begins with `$` is the variable of the
//! environment that it names. A table with a `description` brings its own, from a file beside this one.

use std::collections::BTreeMap;
use std::fmt;

use allclear_domain::channel::ChannelForm;
use ring::digest;

use super::description::Description;
use super::own_form;
use super::shipped::shipped;
use super::template::Place;

/// Largest file of accounts, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Most vendors of one installation.
const VENDORS_MAX: usize = 32;
/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;
/// Shortest key of an address for replies, in characters: nobody guesses it.
const REPLY_KEY_CHARS_MIN: usize = 20;

/// An account with a vendor: its description, and what that asks for.
#[derive(Clone)]
pub struct Account {
    /// It lives as long as the program.
    pub(super) description: &'static Description,
    pub(super) form: &'static ChannelForm,
    /// Whether it is the installation's own, and not among the shipped ones.
    pub is_own: bool,
    /// Another server that speaks the same.
    pub(super) server: Option<String>,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    /// What the address has to which the vendor posts what people write.
    pub(super) reply_key: Option<String>,
    /// What addresses for receipts are signed with.
    pub(super) signing: [u8; 32],
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("vendor", &self.description.name).finish_non_exhaustive()
    }
}

/// What is wrong with the file of accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct BadAccounts {
    /// Where in it: `[plivo] auth_token`.
    pub at: String,
    /// What is wrong, and what would work; never a value.
    pub why: String,
}

fn bad<T>(at: impl Into<String>, why: impl Into<String>) -> Result<T, BadAccounts> {
    Err(BadAccounts { at: at.into(), why: why.into() })
}

impl Account {
    /// The vendor's name, which is the channel's.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.description.name
    }

    /// What the table of channels says of it.
    #[must_use]
    pub const fn form(&self) -> &'static ChannelForm {
        self.form
    }

    /// The description.
    #[must_use]
    pub const fn description(&self) -> &'static Description {
        self.description
    }

    /// An account of these values.
    ///
    /// # Errors
    /// What is missing, or there and not asked for.
    pub fn of(
        (description, form): (&'static Description, &'static ChannelForm),
        is_own: bool,
        values: BTreeMap<String, String>,
    ) -> Result<Self, BadAccounts> {
        let name = &description.name;
        let (mut settings, mut secrets, mut server, mut reply_key) = (BTreeMap::new(), BTreeMap::new(), None, None);
        for (key, value) in values {
            let at = format!("[{name}] {key}");
            if value.is_empty() || value.len() > VALUE_BYTES_MAX || value.chars().any(char::is_control) {
                return bad(at, format!("it is one line of 1 to {VALUE_BYTES_MAX} bytes"));
            }
            match key.as_str() {
                "server" => {
                    let plain = value.trim_end_matches('/');
                    if let Some(fault) = allclear_domain::org::check::text::url_fault(plain) {
                        return bad(at, format!("it {fault}"));
                    }
                    if plain.contains(['?', '#', '@']) {
                        return bad(at, "it is the scheme, the host and perhaps a path alone");
                    }
                    server = Some(plain.to_owned());
                }
                "reply_key" if description.reply.is_none() => return bad(at, format!("nothing is heard back from {}", description.vendor)),
                "reply_key" => {
                    let is_plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                    if value.len() < REPLY_KEY_CHARS_MIN || !is_plain {
                        return bad(at, format!("it is at least {REPLY_KEY_CHARS_MIN} letters, digits, `-` and `_` that nobody guesses"));
                    }
                    reply_key = Some(value);
                }
                _ if description.settings.contains_key(&key) => drop(settings.insert(key, value)),
                _ if description.secrets.contains_key(&key) => drop(secrets.insert(key, value)),
                _ => return bad(at, format!("it is not asked for; what is: {}", asked_for(description))),
            }
        }
        for (key, hint) in description.settings.iter().chain(&description.secrets) {
            if !settings.contains_key(key) && !secrets.contains_key(key) {
                return bad(format!("[{name}] {key}"), format!("it is missing: {hint}"));
            }
        }
        let in_server = description.server.places().filter_map(|place| if let Place::Setting(name) = place { Some(name) } else { None });
        for key in in_server {
            let is_host = |value: &String| value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
            if !settings.get(key).is_some_and(is_host) {
                return bad(format!("[{name}] {key}"), "it is part of the name of a host: letters, digits, `-` and `.` alone");
            }
        }
        let mut key = digest::Context::new(&digest::SHA256);
        for part in std::iter::once(name).chain(secrets.values()) {
            key.update(part.as_bytes());
            key.update(&[0]);
        }
        let signing = key.finish().as_ref().try_into().unwrap_or([0; 32]);
        Ok(Self { description, form, is_own, server, settings, secrets, reply_key, signing })
    }

    /// Everything of it that is secret.
    pub(super) fn all_secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.values().chain(&self.reply_key).map(String::as_str)
    }
}

fn asked_for(description: &Description) -> String {
    let own = description.settings.keys().chain(description.secrets.keys()).map(String::as_str);
    own.chain(["server", "reply_key"].into_iter().filter(|name| *name == "server" || description.reply.is_some()))
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads the text of a file of accounts; `beside` reads a file that it names, and `environment` a variable.
///
/// # Errors
/// The first thing that does not read.
pub fn parse(
    text: &str,
    file: &str,
    environment: impl Fn(&str) -> Option<String>,
    beside: impl Fn(&str) -> Result<String, BadAccounts>,
) -> Result<Vec<Account>, BadAccounts> {
    let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).map_err(|why| {
        let line = why.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        // Its message may repeat a value.
        BadAccounts {
            at: format!("{file}, line {line}"),
            why: "it does not read: write a table for each vendor, as `[plivo]`, and beneath it texts, as `from = \"+4930000000\"`"
                .to_owned(),
        }
    })?;
    if tables.len() > VENDORS_MAX {
        return bad(file, format!("it has more than {VENDORS_MAX} vendors"));
    }
    let mut accounts = Vec::new();
    for (name, table) in tables {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let value = match value.strip_prefix('$') {
                Some(variable) => match environment(variable) {
                    Some(value) => value,
                    None => return bad(format!("[{name}] {key}"), format!("the variable `{variable}` is not set")),
                },
                None => value,
            };
            values.insert(key, value);
        }
        let (described, is_own) = match values.remove("description") {
            Some(own) => {
                let at = format!("[{name}] description, {own}");
                let read = Description::read(&beside(&own)?).map_err(|why| BadAccounts { at: at.clone(), why: why.to_string() })?;
                if read.name != name {
                    return bad(at, format!("it is named `{}`; its table has to have that name", read.name));
                }
                let read: &'static Description = Box::leak(Box::new(read));
                ((read, own_form(read)), true)
            }
            None => match shipped(&name) {
                Some(described) => (described, false),
                None => {
                    let known = super::shipped::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                    return bad(
                        format!("[{name}]"),
                        format!(
                            "there is no such vendor; there are {known}, or name the file of your own description with `description = \"{name}.toml\"`"
                        ),
                    );
                }
            },
        };
        accounts.push(Account::of(described, is_own, values)?);
    }
    Ok(accounts)
}
