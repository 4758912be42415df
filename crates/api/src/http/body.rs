//! The bodies of senders: read up to a limit, unpacked up to the same, and bounded all together.
//!
//! Small ones, which nearly all are, cost no more than their bytes. A large one waits for room, so that however many
//! come at once they take no more than [`BODIES_BYTES_MAX`]; small ones never wait for it.

use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use allclear_channels::inbound::text::EVENT_BYTES_MAX;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Api;

/// How long a sender may take for its body.
pub const BODY_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of large bodies that are held at once, each counted at its format's limit: four of the largest. What is
/// read from one takes some three times as much until it is answered.
pub const BODIES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// A body up to this size needs no room of its own.
const SMALL_BYTES_MAX: usize = EVENT_BYTES_MAX;
/// Room is counted in these.
const ROOM_UNIT_BYTES: usize = 1024;

/// Room for large bodies.
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX / ROOM_UNIT_BYTES)))
    }
}

impl Room {
    /// Room for one body of at most so many bytes.
    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Unread> {
        let units = u32::try_from(bytes.div_ceil(ROOM_UNIT_BYTES)).map_err(|_| Unread::TooLarge)?;
        self.0.clone().acquire_many_owned(units).await.map_err(|_| Unread::Busy)
    }
}

/// A request whose body was read.
pub(crate) struct Came {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// From where it came.
    pub(crate) address: Option<IpAddr>,
    /// Held until it is answered.
    _room: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unread {
    TooLarge,
    Late,
    Busy,
    Broken,
    Encoding,
}

impl Unread {
    /// The word that it is counted by, the status, and a sentence.
    pub(crate) fn told(self, limit: usize) -> (&'static str, u16, String) {
        match self {
            Self::TooLarge => ("body_too_large", 413, format!("the body is larger than {limit} bytes: send fewer alerts at once")),
            Self::Late => ("body_late", 408, "the body did not arrive in time".to_owned()),
            Self::Busy => ("body_busy", 503, "many large requests are under way: send it again".to_owned()),
            Self::Broken => ("body_broken", 400, "the body broke off, or is not the gzip it says it is".to_owned()),
            Self::Encoding => ("unsupported_media_type", 415, "send the body plain, or with `Content-Encoding: gzip`".to_owned()),
        }
    }
}

/// Where a request comes from, as far as the connection says.
pub(crate) fn address_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Reads the body of a request, at most `limit` bytes before and after unpacking.
pub(crate) async fn body_of(api: &Api, request: Request, limit: usize) -> Result<Came, Unread> {
    let address = address_of(&request);
    let (parts, body) = request.into_parts();
    let mut room = None;
    // What is in the buffer already needs no timer: the body is polled first.
    let read = tokio::time::timeout(BODY_WITHIN, whole(body, limit, &api.room, &mut room)).await;
    let bytes = read.map_err(|_| if room.is_none() { Unread::Late } else { Unread::Busy })??;
    let bytes = match parts.headers.get(CONTENT_ENCODING).map(axum::http::HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => bytes,
        Some(said) if said.eq_ignore_ascii_case(b"gzip") || said.eq_ignore_ascii_case(b"x-gzip") => {
            let unpacking = unpacked(&bytes, limit, &api.room, &mut room);
            tokio::time::timeout(BODY_WITHIN, unpacking).await.map_err(|_| Unread::Busy)??
        }
        Some(_) => return Err(Unread::Encoding),
    };
    Ok(Came { headers: parts.headers, bytes, address, _room: room })
}

/// All of a body; the common one, which comes as a whole, is not copied.
async fn whole(body: Body, limit: usize, room: &Room, held: &mut Option<OwnedSemaphorePermit>) -> Result<Bytes, Unread> {
    let mut body = Limited::new(body, limit);
    let mut first: Option<Bytes> = None;
    let mut all: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|why| if why.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.is_none() && all.is_empty() {
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            all.extend_from_slice(&first);
        }
        if held.is_none() && all.len() + data.len() > SMALL_BYTES_MAX {
            *held = Some(room.take(limit).await?);
        }
        all.extend_from_slice(&data);
    }
    Ok(first.unwrap_or_else(|| all.into()))
}

/// Unpacks no more than the limit, however small the packed body is.
async fn unpacked(packed: &[u8], limit: usize, room: &Room, held: &mut Option<OwnedSemaphorePermit>) -> Result<Bytes, Unread> {
    let mut out = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(packed);
    let small = limit.min(SMALL_BYTES_MAX) as u64 + 1;
    decoder.by_ref().take(small).read_to_end(&mut out).map_err(|_| Unread::Broken)?;
    if out.len() > SMALL_BYTES_MAX && limit > SMALL_BYTES_MAX {
        if held.is_none() {
            *held = Some(room.take(limit).await?);
        }
        let rest = (limit + 1 - out.len()) as u64;
        decoder.take(rest).read_to_end(&mut out).map_err(|_| Unread::Broken)?;
    }
    if out.len() > limit { Err(Unread::TooLarge) } else { Ok(out.into()) }
}
