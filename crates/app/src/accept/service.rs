//! One request: of one host, counted, its body under a deadline, its answer watched to its last byte.
//!
//! Who is answered before the whole body came, as with 413, may be writing still: what is left is read and dropped up to
//! a bound, or the close would reset the connection and the answer be lost on its way (RFC 9112 §9.6).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use futures_util::FutureExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HOST, HeaderValue, RETRY_AFTER};
use hyper::http::uri::Authority;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode, Version};
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::Shared;
use super::pulse::{Asked, ConnectionState};

/// Read and dropped of a body that nobody wants any more: four times the largest that is taken.
const LEFT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What hyper calls for each request of one connection.
pub fn service(
    router: Router,
    pulse: Arc<ConnectionState>,
    shared: Arc<Shared>,
    peer: SocketAddr,
) -> impl Service<
    Request<Incoming>,
    Response = Response<Watching>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Watching>, Infallible>> + Send,
> + Send {
    service_fn(move |request: Request<Incoming>| {
        let unanswered = Unanswered::new(Arc::clone(&shared));
        let asked = Asked::new(Arc::clone(&pulse));
        let mut router = router.clone();
        async move {
            let is_http1 = request.version() < Version::HTTP_2;
            let left = Left::default();
            // Who waits to be asked for the body does not send it once there is an answer.
            let may_be_writing = is_http1 && !request.headers().contains_key(EXPECT);
            let mut request = request.map(|body| limited(body, &asked, may_be_writing.then(|| left.clone())));
            let answer = if unanswered.0.stopping.load(Ordering::Relaxed) && is_readiness(request.uri().path()) {
                drop(request);
                stopping()
            } else if let Err(why) = one_host(&mut request) {
                drop(request);
                short(StatusCode::BAD_REQUEST, why)
            } else {
                // For the throttle of sign-ins, which counts by address.
                request.extensions_mut().insert(ConnectInfo(peer));
                // A fault in one answer ends that answer, says so, and leaves the connection to the next request.
                let answer = match AssertUnwindSafe(router.call(request)).catch_unwind().await {
                    Ok(Ok(answer)) => answer,
                    Err(_) => broken(),
                };
                // Only where one request at a time makes it certain whose body it was.
                if is_http1 && asked.pulse().late_body.swap(false, Ordering::AcqRel) { too_late() } else { answer }
            };
            if let Some(body) = left.take() {
                unanswered.0.tasks.spawn(read_off(body, Asked::new(Arc::clone(asked.pulse()))));
            }
            drop(unanswered);
            Ok(answer.map(|body| Watching::new(body, asked)))
        }
    })
}

/// Whether a request says for which host it is, once (RFC 9112 §3.2, RFC 9113 §8.3.1); from here on it says so in `Host`.
fn one_host<B>(request: &mut Request<B>) -> Result<(), &'static str> {
    let mut said = request.headers().get_all(HOST).iter();
    let (first, second) = (said.next(), said.next());
    if second.is_some() {
        return Err("more than one Host was given\n");
    }
    let reads = |host: &HeaderValue| host.is_empty() || host.to_str().is_ok_and(|host| host.parse::<Authority>().is_ok());
    if first.is_some_and(|host| !reads(host)) {
        return Err("the Host that was given is none\n");
    }
    let is_http2 = request.version() == Version::HTTP_2;
    match (first, request.uri().authority()) {
        (Some(host), Some(authority)) if is_http2 && !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) => {
            return Err("Host and :authority name two hosts\n");
        }
        (None, Some(authority)) if is_http2 => {
            if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
                request.headers_mut().insert(HOST, host);
            }
        }
        // HTTP/1.0 knows no Host: some balancers still ask by it whether we are ready.
        (None, _) if request.version() >= Version::HTTP_11 => return Err("no Host was given\n"),
        (None | Some(_), _) => {}
    }
    Ok(())
}

/// The two paths by which balancers decide, which have to say no before we are gone.
fn is_readiness(path: &str) -> bool {
    matches!(path, "/-/ready" | "/healthz")
}

fn short(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn broken() -> Response<Body> {
    tracing::error!("an answer failed inside; what led to it stands above this line");
    short(StatusCode::INTERNAL_SERVER_ERROR, "this failed inside; the operator can see why in the log\n")
}

fn stopping() -> Response<Body> {
    let mut answer = short(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

fn too_late() -> Response<Body> {
    let mut answer = short(StatusCode::REQUEST_TIMEOUT, "the body of the request did not arrive in time\n");
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Counts a request until its answer is decided, or nobody waits for it any more.
struct Unanswered(Arc<Shared>);

impl Unanswered {
    fn new(shared: Arc<Shared>) -> Self {
        shared.asked.fetch_add(1, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of a request under its deadline; nothing is added where there is none.
fn limited(body: Incoming, asked: &Asked, left: Option<Left>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let pulse = Arc::clone(asked.pulse());
    Body::new(Taken { body: Some(Limited { body, until: None, pulse }), left })
}

/// Where a body that was not read to its end is put.
#[derive(Clone, Default)]
struct Left(Arc<Mutex<Option<Limited>>>);

impl Left {
    fn take(&self) -> Option<Limited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Reads what is left of a body and drops it, within its deadline and a bound.
async fn read_off(mut body: Limited, asked: Asked) {
    let mut many = 0;
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        many += frame.data_ref().map_or(0, Bytes::len);
        if many > LEFT_BYTES_MAX {
            break;
        }
    }
    drop(asked);
}

/// The body of a request as whoever answers has it.
struct Taken {
    body: Option<Limited>,
    left: Option<Left>,
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let (Some(body), Some(left)) = (self.body.take_if(|body| !body.is_end_stream()), &self.left) {
            *left.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

/// Why the body of a request ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body did not arrive in time")]
    Late,
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

struct Limited {
    body: Incoming,
    /// Made when the body is first waited for: small ones come with their head.
    until: Option<Pin<Box<Sleep>>>,
    pulse: Arc<ConnectionState>,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            // A body that keeps coming, byte by byte, is late all the same.
            let late = this.until.as_ref().is_some_and(|until| Instant::now() >= until.deadline());
            if !late {
                return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)));
            }
        }
        let until = this.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.pulse.body)));
        match until.as_mut().poll(cx) {
            Poll::Ready(()) => {
                this.pulse.late_body.store(true, Ordering::Release);
                Poll::Ready(Some(Err(BodyError::Late)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer; its request is over when it is dropped.
pub struct Watching {
    body: Body,
    /// Whether the other side has to take something before more of it is asked for; else it waits for us.
    is_owed: bool,
    asked: Asked,
}

impl Watching {
    fn new(body: Body, asked: Asked) -> Self {
        asked.pulse().owes();
        Self { body, is_owed: true, asked }
    }
}

impl HttpBody for Watching {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let pulse = self.asked.pulse();
        match (self.is_owed, frame.is_ready()) {
            (true, true) => pulse.gets_on(),
            (true, false) => pulse.owes_no_more(),
            (false, true) => pulse.owes(),
            (false, false) => {}
        }
        self.is_owed = frame.is_ready();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if self.is_owed {
            self.asked.pulse().owes_no_more();
        }
    }
}
