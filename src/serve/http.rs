//! Connections: HTTP/1.1 and HTTP/2 with prior knowledge on one port, bounds of what a client may send and how slowly, and which protocol a
//! request speaks.

use std::convert::Infallible;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, ORIGIN, USER_AGENT};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use super::auth::Credentials;
use super::intake::{BODY_TIME, Budget, Place, Places, Seat, Untaken};
use super::queue::Entrance;
use super::wire::{Answer, answer, set};
use super::{json, lambda, query, s3};
use crate::api::{ErrorCode, ServiceError};

/// Bytes of a request for S3: larger objects come in parts.
const OBJECT_MAX: usize = 64 << 20;
/// Bytes of any other request: 500 records of 10 MiB are cut to 10 MiB a call, a third more in base64.
const BODY_MAX: usize = 14 << 20;
/// Time for a request's headers.
const HEADERS_TIME: Duration = Duration::from_secs(30);

/// Takes connections until the program ends.
pub(super) async fn accept(listener: TcpListener, entrance: Entrance, credentials: Option<Credentials>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let (places, budget) = (Places::new(), Budget::new());
    loop {
        let Some(place) = places.take().await else { return };
        // A connection that breaks while it is made is its client's loss; out of file handles is waited out.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let guard = Guard {
            entrance: entrance.clone(),
            credentials: credentials.clone(),
            near: peer.ip().is_loopback(),
            budget: budget.clone(),
            seat: place.seat(),
        };
        tokio::spawn(attend(stream, guard, place));
    }
}

/// Answers what comes over a connection, until it ends or its place is wanted.
async fn attend(stream: TcpStream, guard: Guard, place: Place) {
    // A client that says nothing has no server, which would cost more than its socket.
    let mut byte = [0];
    let silent = tokio::time::timeout(HEADERS_TIME, stream.peek(&mut byte));
    if !matches!(place.unless_wanted(silent).await, Some(Ok(Ok(1..)))) {
        return;
    }
    let service = service_fn(|request| respond(request, guard.clone()));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_TIME).keep_alive(true);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(Some(BODY_TIME)).max_concurrent_streams(1000).max_header_list_size(64 << 10);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    // What goes wrong with a connection ends it and nothing else.
    if place.unless_wanted(connection.as_mut()).await.is_none() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// What stands between a connection and the world.
#[derive(Debug, Clone)]
struct Guard {
    entrance: Entrance,
    credentials: Option<Credentials>,
    /// The client is on this machine.
    near: bool,
    budget: Budget,
    seat: Arc<Seat>,
}

impl Guard {
    fn check(&self, protocol: Protocol, parts: &Parts, body: &[u8]) -> Result<(), ServiceError> {
        match (&self.credentials, protocol) {
            (None, _) | (_, Protocol::Health | Protocol::Forbidden) => Ok(()),
            // Test suites do not sign it.
            (Some(_), Protocol::Reset) if self.near => Ok(()),
            (Some(credentials), _) => credentials.check(parts, body),
        }
    }
}

async fn respond(request: Request<Incoming>, guard: Guard) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    guard.seat.use_it();
    let origin = parts.headers.get(ORIGIN).is_some();
    let mut done = answered(parts, body, &guard).await;
    if origin {
        let headers = done.headers_mut();
        set(headers, HeaderName::from_static("access-control-allow-origin"), "*");
        set(headers, HeaderName::from_static("access-control-expose-headers"), "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,Date");
    }
    Ok(done)
}

async fn answered(parts: Parts, body: Incoming, guard: &Guard) -> Answer {
    if parts.method == Method::OPTIONS && parts.headers.get(ORIGIN).is_some() {
        return preflight(&parts);
    }
    let client = client_of(&parts);
    let protocol = Protocol::of(&parts);
    let most = if protocol == Protocol::S3 { OBJECT_MAX } else { BODY_MAX };
    let too_large = || {
        answer(
            413,
            "application/json",
            format!("{{\"__type\":\"RequestEntityTooLargeException\",\"message\":\"the body is larger than {most} bytes\"}}"),
        )
    };
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return too_large();
    }
    // What it holds is free again when the answer is there.
    let held = match guard.budget.take(body, most).await {
        Ok(held) => held,
        Err(Untaken::TooLarge) => return too_large(),
        Err(Untaken::TooSlow) => {
            let text = "{\"__type\":\"RequestTimeout\",\"message\":\"the body did not come in time: 60 s, and 10 s between two pieces\"}";
            return answer(408, "application/json", text);
        }
        Err(Untaken::NoRoom) => {
            let error = ServiceError::new(ErrorCode::SlowDown, "Please reduce your request rate.");
            return if protocol == Protocol::S3 { s3::refusal(&error, &parts) } else { json::refusal(&error) };
        }
    };
    let body = &held.bytes;
    if let Err(error) = guard.check(protocol, &parts, body) {
        return match protocol {
            Protocol::S3 => s3::refusal(&error, &parts),
            Protocol::Query => query::refusal(&error),
            Protocol::Lambda => lambda::refusal(&error),
            _ => json::refusal(&error),
        };
    }
    let entrance = &guard.entrance;
    match protocol {
        Protocol::Json => json::respond(&parts.headers, body, entrance, &client).await,
        Protocol::Path => json::respond_by_path(parts.uri.path(), body, entrance, &client).await,
        Protocol::Query => query::respond(body, entrance, &client).await,
        Protocol::Lambda => lambda::respond(&parts, body, entrance, &client).await,
        Protocol::S3 => s3::respond(&parts, body, entrance, &client).await,
        Protocol::Health => {
            answer(200, "application/json", concat!("{\"status\":\"running\",\"name\":\"kinlab\",\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}\n"))
        }
        Protocol::Reset => match entrance.reset(&client).await {
            Ok(()) => answer(200, "application/json", "{\"status\":\"ok\"}\n"),
            Err(error) => answer(409, "application/json", serde_json::json!({"status": "refused", "message": error.message}).to_string()),
        },
        Protocol::Forbidden => answer(
            403,
            "application/xml",
            format!(
                "<{0}>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</{0}>\n",
                ErrorCode::AccessDeniedException.name()
            ),
        ),
    }
}

/// Which way a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Json,
    Path,
    Query,
    Lambda,
    S3,
    Health,
    Reset,
    Forbidden,
}

impl Protocol {
    fn of(parts: &Parts) -> Self {
        let (path, post) = (parts.uri.path(), parts.method == Method::POST);
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = text(CONTENT_TYPE);
        // Credential=KEY/DATE/REGION/SERVICE/aws4_request, in the header or in the query of a presigned URL.
        let scope = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).or(parts.uri.query()).unwrap_or_default();
        let signed_for =
            |service: &str| scope.contains(&format!("/{service}/aws4_request")) || scope.contains(&format!("%2F{service}%2Faws4_request"));
        if post && matches!(path, "/moto-api/reset" | "/_kinlab/reset") {
            Self::Reset
        } else if parts.headers.contains_key("x-amz-target") {
            if post { Self::Json } else { Self::Forbidden }
        } else if parts.headers.contains_key("smithy-protocol") {
            Self::Path
        } else if lambda::is_path(path) {
            Self::Lambda
        } else if post && path == "/" && content_type.starts_with("application/x-www-form-urlencoded") {
            Self::Query
        } else if signed_for("s3") {
            Self::S3
        } else if parts.method == Method::GET && matches!(path, "/" | "/health" | "/_kinlab/health") {
            Self::Health
        } else if post && path == "/" {
            Self::Json
        } else if signed_for("kinesis") || signed_for("firehose") {
            Self::Forbidden
        } else {
            Self::S3
        }
    }
}

/// The program that asks, in short: `aws-cli/2.31.0`, `Boto3/1.40`.
fn client_of(parts: &Parts) -> String {
    let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("an unknown client");
    agent.split(' ').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(40).collect()
}

fn preflight(parts: &Parts) -> Answer {
    let mut done = answer(200, "text/plain", "");
    let asked = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("*").to_owned();
    let (wanted, methods) = (asked("access-control-request-headers"), asked("access-control-request-method"));
    let headers = done.headers_mut();
    set(headers, HeaderName::from_static("access-control-allow-headers"), &wanted);
    set(headers, HeaderName::from_static("access-control-allow-methods"), &methods);
    set(headers, HeaderName::from_static("access-control-max-age"), "172800");
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(method: &str, path: &str, headers: &[(&str, &str)]) -> Protocol {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Protocol::of(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn requests_go_by_what_they_carry() {
        let s3 = ("authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x");
        let kinesis = ("authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=x");
        assert_eq!(protocol("POST", "/", &[("x-amz-target", "Kinesis_20131202.ListStreams")]), Protocol::Json);
        assert_eq!(protocol("POST", "/", &[kinesis]), Protocol::Json);
        assert_eq!(protocol("GET", "/x", &[kinesis]), Protocol::Forbidden);
        assert_eq!(protocol("GET", "/", &[s3]), Protocol::S3);
        assert_eq!(protocol("GET", "/bucket/key", &[]), Protocol::S3);
        assert_eq!(protocol("GET", "/", &[]), Protocol::Health);
        let rpc = [("smithy-protocol", "rpc-v2-cbor")];
        assert_eq!(protocol("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", &rpc), Protocol::Path);
        assert_eq!(protocol("POST", "/moto-api/reset", &[]), Protocol::Reset);
        assert_eq!(protocol("POST", "/2015-03-31/functions/f/invocations", &[]), Protocol::Lambda);
        assert_eq!(protocol("PUT", "/2015-03-31/other", &[]), Protocol::S3);
        assert_eq!(protocol("POST", "/", &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]), Protocol::Query);
    }
}
