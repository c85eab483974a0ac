//! Deliveries that leave the program, for `--deliver-to NAME=URL`: HTTP and PostgreSQL's protocol over plain sockets.

mod http;
mod postgres;

use std::time::Duration;

use crate::engine::firehose::endpoint::Outcome;
use crate::engine::firehose::outward::{Answer, Ask, Next, Order};
use crate::session::handlers::Courier;

/// Longest time of one exchange. The service waits for three minutes; here the world stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer at most: Firehose's own bound is 1 MiB, a bulk answer has a line for each document.
const ANSWER_MAX: usize = 16 << 20;

/// The machine's sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets;

impl Courier for Sockets {
    #[allow(clippy::disallowed_methods, reason = "between two questions for an acknowledgement there is nothing to wait for but time")]
    fn carry(&mut self, order: &Order) -> Outcome {
        let mut next = order.first();
        let mut tries = 0;
        loop {
            match next {
                Next::Done(outcome) => return outcome,
                Next::Ask(pause, ask) => {
                    std::thread::sleep(pause);
                    tries += 1;
                    let answer = match ask {
                        Ask::Http(request) => http::post(&request),
                        Ask::Table(load) => postgres::load(&load).unwrap_or_else(failed),
                    };
                    next = order.judge(tries, &answer);
                }
            }
        }
    }
}

fn failed(error: std::io::Error) -> Answer {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => Answer::TimedOut,
        _ => Answer::Unreachable(error.to_string()),
    }
}

/// `NAME=URL` pairs.
///
/// # Errors
/// What is no pair, or no URL that a delivery can go to.
pub(super) fn places(given: &[String]) -> Result<Vec<(String, String)>, String> {
    given
        .iter()
        .map(|text| {
            let wrong = |why: &str| format!("--deliver-to {text}: {why}");
            let (name, url) = text
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| wrong("expected NAME=URL, such as logs=http://127.0.0.1:8088"))?;
            match url.split_once("://") {
                Some(("http" | "postgres" | "postgresql" | "redshift", rest)) if !rest.is_empty() => Ok((name.to_owned(), url.to_owned())),
                Some(("https", _)) => Err(wrong("there is no TLS here; put a proxy that speaks http before the destination")),
                _ => Err(wrong("expected a URL that begins with http:// or postgres://")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_refused_in_words() {
        let read = |text: &str| places(&[text.to_owned()]);
        assert_eq!(read("a=http://h:1/x=y"), Ok(vec![("a".to_owned(), "http://h:1/x=y".to_owned())]));
        assert!(read("a=postgres://u:p@h/db").is_ok());
        for (text, words) in [("http://h", "NAME=URL"), ("=http://h", "NAME=URL"), ("a=https://h", "no TLS"), ("a=h", "begins with http://")] {
            assert!(read(text).expect_err("wrong").contains(words), "{text}");
        }
    }
}
