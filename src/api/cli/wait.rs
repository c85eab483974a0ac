//! Waiters: an operation called again and again until a condition holds.

use super::super::ErrorCode;
use super::super::ServiceError;
use super::super::kinesis::{self, KinesisResponse, StreamStatus};
use super::super::{Operation, Response};
use super::CliError;

/// A condition to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiter {
    /// The CLI's name: `stream-exists`.
    pub name: &'static str,
    /// AWS's name: `StreamExists`.
    pub aws_name: &'static str,
    /// The operation to call.
    pub operation: Operation,
    /// Seconds between two calls.
    pub delay_secs: u64,
    /// How many calls there are at most.
    pub max_attempts: u32,
}

/// What the answer to one call means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The condition holds.
    Done,
    /// Call again after the delay.
    Again,
    /// It will never hold.
    Failed(CliError),
}

impl Waiter {
    /// The waiters of the service.
    pub const ALL: &'static [Self] = &[
        Self {
            name: "stream-exists",
            aws_name: "StreamExists",
            operation: Operation::Kinesis(kinesis::Operation::DescribeStream),
            delay_secs: 10,
            max_attempts: 18,
        },
        Self {
            name: "stream-not-exists",
            aws_name: "StreamNotExists",
            operation: Operation::Kinesis(kinesis::Operation::DescribeStream),
            delay_secs: 10,
            max_attempts: 18,
        },
    ];

    /// The waiter of the CLI's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|waiter| waiter.name == name)
    }

    /// What the answer to the call number `attempt` (from 1) means.
    pub fn verdict(self, answer: &Result<Response, ServiceError>, attempt: u32) -> Verdict {
        let wants_stream = self.name == "stream-exists";
        match answer {
            Ok(Response::Kinesis(KinesisResponse::DescribeStream(response)))
                if wants_stream && response.stream_description.stream_status == StreamStatus::Active =>
            {
                Verdict::Done
            }
            Err(error) if !wants_stream && error.code == ErrorCode::ResourceNotFoundException => Verdict::Done,
            Err(error) => self.failed(&format!("An error occurred ({}): {}", error.code, error.message)),
            Ok(_) if attempt >= self.max_attempts => self.failed("Max attempts exceeded"),
            Ok(_) => Verdict::Again,
        }
    }

    fn failed(self, reason: &str) -> Verdict {
        Verdict::Failed(CliError::general(&format!("Waiter {} failed: {reason}", self.aws_name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kinesis::{DescribeStreamResponse, StreamDescription};

    #[test]
    fn verdicts() {
        let described = |status| {
            let stream_description = StreamDescription { stream_status: status, ..Default::default() };
            Ok(KinesisResponse::DescribeStream(DescribeStreamResponse { stream_description }).into())
        };
        let missing = Err(ServiceError::resource_not_found("Stream x under account 111122223333 not found."));
        let exists = Waiter::from_name("stream-exists").expect("known");
        let gone = Waiter::from_name("stream-not-exists").expect("known");
        assert_eq!(exists.verdict(&described(StreamStatus::Active), 1), Verdict::Done);
        assert_eq!(exists.verdict(&described(StreamStatus::Creating), 17), Verdict::Again);
        let failed = |text: &str| Verdict::Failed(CliError { exit_code: 255, text: text.into() });
        assert_eq!(exists.verdict(&described(StreamStatus::Creating), 18), failed("\nWaiter StreamExists failed: Max attempts exceeded"));
        assert_eq!(
            exists.verdict(&missing, 1),
            failed("\nWaiter StreamExists failed: An error occurred (ResourceNotFoundException): Stream x under account 111122223333 not found.")
        );
        assert_eq!(gone.verdict(&missing, 18), Verdict::Done);
        assert_eq!(gone.verdict(&described(StreamStatus::Deleting), 1), Verdict::Again);
    }
}
