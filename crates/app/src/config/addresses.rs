//! Where operators are told, as one setting holds it: URLs that take JSON, and mailboxes.
//!
//! A URL's path may be a secret, so that neither a complaint nor what is shown repeats it.

use std::str::FromStr;

/// Addresses that may be given: beyond that it is a distribution list's business.
pub const ADDRESSES_MAX: usize = 8;

/// Where operators are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A URL that takes JSON.
    Webhook(reqwest::Url),
    /// A mailbox.
    Mail(String),
}

/// Some addresses, as one setting holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(pub Vec<Address>);

impl FromStr for Address {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(address) = text.strip_prefix("mailto:") {
            let (name, host) = address.rsplit_once('@').ok_or_else(|| format!("`{text}` has no `@`"))?;
            let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>?&,;".contains(c));
            if !plain(name) || !plain(host) {
                return Err(format!("`{text}` is not one mail address; write it as in `mailto:ops@example.org`"));
            }
            return Ok(Self::Mail(address.to_owned()));
        }
        // Its path may be a secret, so it is not repeated.
        let bad = "one of them is neither `https://…`, `http://…` nor `mailto:…`";
        let url: reqwest::Url = text.parse().map_err(|_| bad.to_owned())?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() { Ok(Self::Webhook(url)) } else { Err(bad.to_owned()) }
    }
}

impl FromStr for Addresses {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut all: Vec<Address> = Vec::new();
        for part in text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty()) {
            let address = part.parse()?;
            if !all.contains(&address) {
                all.push(address);
            }
        }
        if all.len() > ADDRESSES_MAX {
            return Err(format!("these are {}; at most {ADDRESSES_MAX} are told", all.len()));
        }
        Ok(Self(all))
    }
}

impl Addresses {
    /// Whether one of them is reached by mail.
    #[must_use]
    pub fn need_mail(&self) -> bool {
        self.0.iter().any(|address| matches!(address, Address::Mail(_)))
    }
}

/// An address as it may be shown: of a webhook only the host, since the rest may be a secret.
#[must_use]
pub fn shown(text: &str) -> String {
    let one = |part: &str| match part.parse::<Address>() {
        Ok(Address::Mail(address)) => format!("mailto:{address}"),
        Ok(Address::Webhook(url)) => format!("{}://{}/********", url.scheme(), url.host_str().unwrap_or_default()),
        Err(_) => "********".to_owned(),
    };
    let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty());
    parts.map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_flags_and_from_one_variable() {
        let Addresses(all) = "https://hooks.example/a/b?c=d mailto:ops@example.org,http://10.0.0.1:9/x\n".parse().unwrap();
        assert_eq!(all.len(), 3);
        assert!(Addresses(all).need_mail());
        for bad in ["ops@example.org", "mailto:ops", "mailto:a@b?cc=c@d", "ftp://x/y", "https://", "mailto:<a@b>"] {
            assert!(bad.parse::<Addresses>().is_err(), "{bad}");
        }
        let many = (0..9).map(|n| format!("https://x.example/{n}")).collect::<Vec<_>>().join(" ");
        assert!(many.parse::<Addresses>().unwrap_err().contains("at most 8"));
        assert_eq!(shown("https://hooks.example/secret,mailto:ops@example.org"), "https://hooks.example/******** mailto:ops@example.org");
        assert!(
            !"https//typo/secret".parse::<Addresses>().unwrap_err().contains("secret") && !shown("https//typo/secret").contains("secret")
        );
    }
}
