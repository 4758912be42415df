//! One request: counted, its body under a deadline, its answer watched to its last byte.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use futures_util::FutureExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode, Version};
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::Shared;
use super::pulse::{Asked, Pulse};

/// What hyper calls for each request of one connection.
pub fn service(
    router: Router,
    pulse: Arc<Pulse>,
    shared: Arc<Shared>,
    peer: Option<SocketAddr>,
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
            let answer = if unanswered.0.stopping.load(Ordering::Relaxed) && is_readiness(request.uri().path()) {
                stopping()
            } else {
                let mut request = request.map(|body| limited(body, &asked));
                // For the throttle of sign-ins, which counts by address.
                if let Some(peer) = peer {
                    request.extensions_mut().insert(ConnectInfo(peer));
                }
                // A fault in one answer ends that answer, says so, and leaves the connection to the next request.
                let answer = match AssertUnwindSafe(router.call(request)).catch_unwind().await {
                    Ok(Ok(answer)) => answer,
                    Err(_) => broken(),
                };
                // Only where one request at a time makes it certain whose body it was.
                if is_http1 && asked.pulse().late_body.swap(false, Ordering::AcqRel) { too_late() } else { answer }
            };
            drop(unanswered);
            Ok(answer.map(|body| Watching { body, _asked: asked }))
        }
    })
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
fn limited(body: Incoming, asked: &Asked) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let pulse = Arc::clone(asked.pulse());
    Body::new(Limited { body, until: None, pulse })
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
    pulse: Arc<Pulse>,
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
    _asked: Asked,
}

impl HttpBody for Watching {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
