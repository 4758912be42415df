//! Hides the secrets of an address, and those of the settings, in what a vendor says: an error may repeat what was asked, and the
//! log keeps errors. Applied to every outcome of every channel, so that none can forget it.

use allclear_domain::channel::Address;
use allclear_domain::wire::{Channel, Outcome};

/// What stands for a secret.
const HIDDEN: &str = "********";
/// Shortest piece of a secret that is hidden by itself, in bytes: shorter ones are words that errors have anyway.
const PIECE_BYTES_MIN: usize = 10;

/// The outcome, with no secret of the address or of the channel in its words.
#[must_use]
pub fn veiled(outcome: Outcome, channel: &dyn Channel, address: &Address) -> Outcome {
    let pieces = pieces(channel, address);
    let hide = |words: String| {
        pieces.iter().fold(words, |words, piece| if words.contains(*piece) { words.replace(*piece, HIDDEN) } else { words })
    };
    match outcome {
        Outcome::Delivered { receipt } => Outcome::Delivered { receipt: hide(receipt) },
        Outcome::Accepted { receipt, within } => Outcome::Accepted { receipt: hide(receipt), within },
        Outcome::Retry { after, why, maybe_arrived, down, unanswered } => {
            Outcome::Retry { after, why: hide(why), maybe_arrived, down, unanswered }
        }
        Outcome::Rejected { why } => Outcome::Rejected { why: hide(why) },
    }
}

/// What is hidden, the longest first: each secret, and each part of one that could be repeated alone, as a segment of a
/// path, or written another way. The server of a secret URL is no secret.
fn pieces<'a>(channel: &'a dyn Channel, address: &'a Address) -> Vec<&'a str> {
    let mut out = Vec::new();
    let of_address = channel.form().fields.iter().filter(|field| field.is_secret()).filter_map(|field| address.get(field.key));
    for secret in of_address.chain(channel.secrets()) {
        let private = match secret.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => secret,
        };
        out.push(secret);
        out.push(private);
        out.extend(private.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'));
    }
    out.retain(|piece| piece.len() >= PIECE_BYTES_MIN);
    out.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Around, Channels};

    #[test]
    fn no_secret_of_any_channel_is_in_what_its_server_says() {
        let channels = Channels::new(Around::nothing("ac.example"));
        for channel in channels.iter() {
            let form = channel.form();
            let address = Address::of(form.fields.iter().map(|field| (field.key, field.example)));
            let secrets: Vec<&str> = form.fields.iter().filter(|field| field.is_secret()).map(|field| field.example).collect();
            let escaped = secrets.iter().map(|secret| secret.replace(':', "%3A").replace('=', "%3D")).collect::<Vec<_>>().join(" ");
            let last = secrets.iter().filter_map(|secret| secret.rsplit(['/', '=', ':']).next()).collect::<Vec<_>>();
            let words = format!("Cannot POST {} to {escaped}, {}.", secrets.join(" or "), last.join(", "));
            for outcome in [
                Outcome::Rejected { why: words.clone() },
                Outcome::Delivered { receipt: words.clone() },
                Outcome::Retry { after: None, why: words.clone(), maybe_arrived: true, down: false, unanswered: true },
            ] {
                let told = format!("{:?}", veiled(outcome, channel, &address));
                assert!(told.contains("Cannot POST "), "{told}");
                for secret in secrets.iter().chain(&last) {
                    assert!(!told.contains(secret), "{}: {secret} is in {told}", form.name);
                }
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let channels = Channels::new(Around::nothing("ac.example"));
        for channel in channels.iter() {
            let form = channel.form();
            let address = Address::of(form.fields.iter().map(|field| (field.key, field.example)));
            let why = "HTTP 403: the name hooks.example.org was not found by user ana";
            let outcome = Outcome::Rejected { why: why.to_owned() };
            assert_eq!(veiled(outcome.clone(), channel, &address), outcome, "{}", form.name);
        }
    }
}
