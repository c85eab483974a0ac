//! One POST over HTTP/1.1.

use std::io::{Error, ErrorKind};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::engine::firehose::outward::{Answer, HttpRequest};

use super::{ANSWER_MAX, PATIENCE, failed};

/// Sends a request and waits for its answer.
pub(super) fn post(request: &HttpRequest) -> Answer {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    runtime.block_on(async {
        match tokio::time::timeout(PATIENCE, exchange(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => failed(error),
            Err(_) => Answer::TimedOut,
        }
    })
}

async fn exchange(request: &HttpRequest) -> std::io::Result<Answer> {
    let wrong = |why: String| Error::new(ErrorKind::InvalidInput, why);
    let uri: Uri = request.url.parse().map_err(|error| wrong(format!("{}: {error}", request.url)))?;
    let host = uri.host().ok_or_else(|| wrong(format!("{} names no host", request.url)))?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Error::other)?;
    let driven = tokio::spawn(connection);
    let mut post =
        Request::post(uri.path_and_query().map_or("/", |path| path.as_str())).header(HOST, uri.authority().map_or(host, |all| all.as_str()));
    for (name, value) in &request.headers {
        post = post.header(name, value);
    }
    let post = post.body(Full::new(Bytes::from(request.body.clone()))).map_err(Error::other)?;
    let response = sender.send_request(post).await.map_err(Error::other)?;
    let status = response.status().as_u16();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(|error| Error::other(error.to_string()))?.to_bytes();
    driven.abort();
    Ok(Answer::Response(status, kind, body.to_vec()))
}
