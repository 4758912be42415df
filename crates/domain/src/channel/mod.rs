//! What a channel says of itself, once, and addresses, which are data.
//!
//! A channel is one [`ChannelForm`]: its name, which is also the key of its address in the organisation file, its other
//! fields with their checks, which of them are secrets, its limits, and how it is carried. Whatever is told of channels
//! elsewhere (checks, masking, sealing, metrics, the settings' pages, the documentation) is read from there, so that a
//! new one is its own file and one line of the table.
//!
//! Invariant: an address is shown only as far as the channel's form calls a field plain; what no form knows is hidden.
//! Nothing here knows which channels there are: the table is handed in.

#[cfg(test)]
pub(crate) mod sample;

use std::fmt;

/// One way out, as it describes itself.
#[derive(Debug, Clone, Copy)]
pub struct ChannelForm {
    /// In the log, in metrics and in lists; and the key of its main field.
    pub name: &'static str,
    /// In a sentence, after `a`: `webhook`.
    pub noun: &'static str,
    /// What people often call a contact of it, for examples: `hook`.
    pub id_example: &'static str,
    /// The main field first, under the channel's name.
    pub fields: &'static [Field],
    /// What takes its requests there.
    pub carriage: Carriage,
    /// What its messages are fitted into.
    pub limits: Limits,
}

/// One field of an address.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key of the organisation file.
    pub key: &'static str,
    /// For people.
    pub label: &'static str,
    /// One sentence.
    pub hint: &'static str,
    /// As a reminder: `name@host`.
    pub shape: &'static str,
    /// One that passes the check.
    pub example: &'static str,
    /// Whether nothing can be sent without it; the main field is.
    pub needed: bool,
    /// How it is kept and shown.
    pub kept: Kept,
    /// What is wrong with a value, in a sentence without a full stop. Of a secret it does not repeat the value, which
    /// may be a secret of something else.
    pub check: fn(&str) -> Result<(), String>,
}

/// How a field is kept and shown.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    /// As it is.
    Plain,
    /// Sealed, and masked wherever it is shown.
    Secret,
    /// A secret; where it is left out, one is made and shown once.
    Made {
        /// How many random bytes it takes.
        bytes: usize,
        /// The secret of these bytes.
        text: fn(&[u8]) -> String,
    },
}

/// What takes requests of a channel there, and so what fails as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// HTTP, to the server that an address names.
    Http(Server),
    /// The mail server.
    Mail,
    /// The provider of text messages and calls, by HTTP: one for all numbers.
    Telephone,
    /// A vendor with whom the installation has an account, by HTTP: one server for all addresses.
    Vendor {
        /// In a sentence: `Slack`.
        name: &'static str,
        /// The setting that says the account.
        setting: &'static str,
    },
}

/// Where an address names its server, by a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// In the main field.
    Main,
    /// The same, where a browser gives the address: nobody types it, and it is added by a press in that browser.
    Browser,
    /// In a field of its own; where that is left out, it is the vendor's.
    Field {
        /// The field's key.
        key: &'static str,
        /// The vendor's own.
        usual: &'static str,
    },
}

/// What messages of a channel are fitted into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest title, in characters; nothing where it has none.
    pub title_chars: Option<usize>,
    /// Longest text, in bytes; nothing where it takes any.
    pub text_bytes: Option<usize>,
    /// Longest text, in characters, where they are what counts.
    pub text_chars: Option<usize>,
    /// Most buttons beneath it.
    pub buttons: usize,
}

impl Field {
    /// Whether it is sealed and masked.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        match self.kept {
            Kept::Plain => false,
            Kept::Secret | Kept::Made { .. } => true,
        }
    }

    /// Whether one is made where it is left out.
    #[must_use]
    pub const fn is_made(&self) -> bool {
        match self.kept {
            Kept::Made { .. } => true,
            Kept::Plain | Kept::Secret => false,
        }
    }
}

impl ChannelForm {
    /// The field of this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// Whether its address is given by a browser and typed by nobody.
    #[must_use]
    pub const fn is_given_by_browser(&self) -> bool {
        matches!(self.carriage, Carriage::Http(Server::Browser))
    }

    /// A contact of it, on one line of YAML: what it cannot do without.
    #[must_use]
    pub fn example(&self) -> String {
        let mut out = format!("{{id: {}", self.id_example);
        for field in self.fields.iter().filter(|field| field.needed) {
            // A number with a sign would be read as a number.
            let quote = if field.example.contains(':') || field.example.starts_with('+') { "\"" } else { "" };
            out.push_str(&format!(", {}: {quote}{}{quote}", field.key, field.example));
        }
        out.push('}');
        out
    }

    /// Whether it is this field that names the server.
    #[must_use]
    pub fn says_server(&self, key: &str) -> bool {
        match self.carriage {
            Carriage::Http(Server::Main | Server::Browser) => key == self.name,
            Carriage::Http(Server::Field { key: own, .. }) => key == own,
            Carriage::Mail | Carriage::Telephone | Carriage::Vendor { .. } => false,
        }
    }

    /// The URL of the server that an address is spoken to at; nothing where it goes by mail, or names none.
    #[must_use]
    pub fn server<'a>(&self, address: &'a Address) -> Option<&'a str> {
        match self.carriage {
            Carriage::Http(Server::Main | Server::Browser) => address.get(self.name),
            Carriage::Http(Server::Field { key, usual }) => Some(address.get(key).unwrap_or(usual)),
            Carriage::Mail | Carriage::Telephone | Carriage::Vendor { .. } => None,
        }
    }
}

/// The channels that there are.
#[derive(Debug, Clone, Copy)]
pub struct WaysOut(pub &'static [&'static ChannelForm]);

impl WaysOut {
    /// None: nobody can be told anything.
    pub const NONE: Self = Self(&[]);

    /// Each, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = &'static ChannelForm> + Clone {
        self.0.iter().copied()
    }

    /// The channel of this name.
    #[must_use]
    pub fn named(self, name: &str) -> Option<&'static ChannelForm> {
        self.iter().find(|form| form.name == name)
    }

    /// The channel that an address is for: the one whose main field it has.
    #[must_use]
    pub fn of(self, address: &Address) -> Option<&'static ChannelForm> {
        self.iter().find(|form| address.get(form.name).is_some())
    }

    /// What an address has under the name of its channel.
    #[must_use]
    pub fn main_of(self, address: &Address) -> Option<&str> {
        address.get(self.of(address)?.name)
    }

    /// The keys of every channel's fields, each once.
    #[must_use]
    pub fn keys(self) -> Vec<&'static str> {
        self.distinct(|_| true)
    }

    /// The keys that hold a secret.
    #[must_use]
    pub fn secret_keys(self) -> Vec<&'static str> {
        self.distinct(Field::is_secret)
    }

    fn distinct(self, wanted: fn(&Field) -> bool) -> Vec<&'static str> {
        let mut keys = Vec::new();
        for field in self.iter().flat_map(|form| form.fields).filter(|field| wanted(field)) {
            if !keys.contains(&field.key) {
                keys.push(field.key);
            }
        }
        keys
    }

    /// Whether a field of a contact may be shown: of the channel whose main field is among `keys`, and plain there.
    #[must_use]
    pub fn may_be_shown<'a>(self, key: &str, keys: impl IntoIterator<Item = &'a str> + Clone) -> bool {
        let form = self.iter().find(|form| keys.clone().into_iter().any(|key| key == form.name));
        form.and_then(|form| form.field(key)).is_some_and(|field| !field.is_secret())
    }

    /// `` `email: name@host` or `webhook: https://…` ``
    #[must_use]
    pub fn shapes(self) -> String {
        let shape = |form: &ChannelForm| format!("`{}: {}`", form.name, form.field(form.name).map_or("…", |field| field.shape));
        enumerated(&self.iter().map(shape).collect::<Vec<_>>(), "or")
    }

    /// A contact of each channel, one a line of YAML.
    #[must_use]
    pub fn examples(self) -> String {
        self.iter().map(|form| format!("- {}", form.example())).collect::<Vec<_>>().join("\n")
    }
}

/// `a, b or c`
#[must_use]
pub fn enumerated(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Where somebody is reached over one channel: the fields that the channel's form names, as somebody wrote them.
#[derive(Clone, Default)]
pub struct Address {
    /// Each key once.
    fields: Vec<(String, String)>,
}

impl Address {
    /// An address of these fields.
    #[must_use]
    pub fn of<K: Into<String>, V: Into<String>>(fields: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut address = Self::default();
        for (key, value) in fields {
            address.set(&key.into(), value);
        }
        address
    }

    /// What a field holds.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Writes a field.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        match self.fields.iter_mut().find(|(own, _)| own == key) {
            Some((_, slot)) => *slot = value.into(),
            None => self.fields.push((key.to_owned(), value.into())),
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, key: &str) {
        self.fields.retain(|(own, _)| own != key);
    }

    /// Its keys, as they were written.
    pub fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.fields.iter().map(|(key, _)| key.as_str())
    }

    /// Its fields, as they were written.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Every field that may not be shown reads `mask`, and the main field comes first.
    #[must_use]
    pub fn masked(&self, ways: WaysOut, mask: &str) -> Self {
        let mut out = self.clone();
        for (key, value) in &mut out.fields {
            if !ways.may_be_shown(key, self.keys()) {
                mask.clone_into(value);
            }
        }
        let order = ways.of(self).map_or(&[][..], |form| form.fields);
        out.fields.sort_by_key(|(key, _)| order.iter().position(|field| field.key == key).unwrap_or(order.len()));
        out
    }
}

impl PartialEq for Address {
    /// In whatever order.
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len() && self.fields().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Eq for Address {}

impl fmt::Debug for Address {
    /// Which fields it has, never what is in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::sample::WAYS;
    use super::*;

    #[test]
    fn an_address_is_of_the_channel_whose_main_field_it_has() {
        let hook = Address::of([("secret", "whsec_1"), ("webhook", "https://x.example")]);
        assert_eq!(WAYS.of(&hook).map(|form| form.name), Some("webhook"));
        assert_eq!(WAYS.main_of(&hook), Some("https://x.example"));
        assert!(WAYS.of(&Address::of([("pager", "1")])).is_none() && WaysOut::NONE.of(&hook).is_none());
        assert_eq!(hook, Address::of([("webhook", "https://x.example"), ("secret", "whsec_1")]), "in whatever order");
        assert_ne!(hook, Address::of([("webhook", "https://x.example")]));
    }

    #[test]
    fn only_what_a_form_calls_plain_is_shown() {
        let shown = |address: &Address| address.masked(WAYS, "***").fields().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(shown(&Address::of([("secret", "s"), ("webhook", "w")])), ["webhook=w", "secret=***"]);
        assert_eq!(shown(&Address::of([("email", "e"), ("secret", "s")])), ["email=e", "secret=***"]);
        assert_eq!(shown(&Address::of([("pager", "1"), ("pin", "2")])), ["pager=***", "pin=***"], "of a channel that is not known");
        assert_eq!(format!("{:?}", Address::of([("webhook", "https://x.example/t0ken")])), "{\"webhook\"}");
    }

    #[test]
    fn examples_and_shapes() {
        assert_eq!(WAYS.shapes(), "`email: name@host` or `webhook: https://…`");
        assert_eq!(WAYS.examples(), "- {id: mail, email: ana@example.org}\n- {id: hook, webhook: \"https://hooks.example.org/ana\"}");
        assert_eq!((WAYS.keys(), WAYS.secret_keys()), (vec!["email", "webhook", "secret"], vec!["secret"]));
        assert_eq!(enumerated(&["a".into(), "b".into(), "c".into()], "or"), "a, b or c");
    }
}
