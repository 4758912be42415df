//! From where a request comes when a reverse proxy stands in front: the proxy says so in `X-Forwarded-For`.
//!
//! The header is believed only of a peer that the operator trusts, and read from its end: each proxy adds whom it
//! was asked by, and the first that is not trusted is the caller, whatever stands before it. Addresses serve the
//! throttle of sign-ins, so that strangers and colleagues behind one proxy are not counted as one. RFC 7239's
//! `Forwarded` is not read: proxies rarely send it unless told to, and two headers could disagree.

use std::net::{IpAddr, SocketAddr};

use allclear_channels::carry::ranges::Ranges;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

/// Proxies that one request may pass and that are looked back through; more are a loop, or somebody's game.
const HOPS_MAX: usize = 16;

/// The layer: puts the caller's address where the proxy's was.
pub async fn seen_through(State(trusted): State<Ranges>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    if let Some(peer) = peer
        && let Some(caller) = caller(peer.ip(), request.headers(), &trusted)
    {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(caller, 0)));
    }
    next.run(request).await
}

/// Who asked, where it was not the peer itself.
fn caller(peer: IpAddr, headers: &HeaderMap, trusted: &Ranges) -> Option<IpAddr> {
    if !trusted.contain(peer.to_canonical()) {
        return None;
    }
    let said: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
    let mut found = None;
    for hop in said.iter().rev().take(HOPS_MAX) {
        // What does not read was not written by a proxy that is trusted.
        let Some(address) = address_of(hop) else { break };
        found = Some(address);
        if !trusted.contain(address) {
            break;
        }
    }
    found
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, said: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = "127.0.0.0/8,10.0.0.0/8".parse().unwrap();
        caller(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_nobody_else() {
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(seen("127.0.0.1", &["203.0.113.7"]), is("203.0.113.7"));
        assert_eq!(seen("::ffff:127.0.0.1", &["203.0.113.7"]), is("203.0.113.7"), "the peer as a socket of both kinds shows it");
        assert_eq!(seen("198.51.100.9", &["203.0.113.7"]), None, "a stranger says what they like");
        assert_eq!(seen("127.0.0.1", &[]), None);
        assert_eq!(seen("127.0.0.1", &["6.6.6.6, 203.0.113.7"]), is("203.0.113.7"), "what the caller wrote before it counts for nothing");
        assert_eq!(seen("127.0.0.1", &["203.0.113.7, 10.0.0.3"]), is("203.0.113.7"), "through a second proxy of ours");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6", "203.0.113.7"]), is("203.0.113.7"), "in two headers");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6, nonsense, 10.0.0.3"]), is("10.0.0.3"), "nobody looks past what does not read");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::7]:4711"]), is("2001:db8::7"));
        assert_eq!(seen("127.0.0.1", &["203.0.113.7:4711"]), is("203.0.113.7"));
    }
}
