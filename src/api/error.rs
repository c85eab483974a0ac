//! The errors of the service, by AWS's names.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident,)+) => {
        /// The name of an error as AWS spells it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* $code,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// The name as AWS spells it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)+ }
            }
        }
    };
}

codes! {
    /// The caller may not do this.
    AccessDeniedException,
    /// A dry run would have succeeded.
    DryRunOperationException,
    /// The shard iterator is older than five minutes.
    ExpiredIteratorException,
    /// The token of a next page is older than five minutes.
    ExpiredNextTokenException,
    /// The authorization header lacks parts.
    IncompleteSignatureException,
    /// The service failed.
    InternalFailure,
    /// A value is well formed but wrong.
    InvalidArgumentException,
    /// The signature is wrong or given twice.
    InvalidSignatureException,
    /// The key may not be used.
    KMSAccessDeniedException,
    /// The key is disabled.
    KMSDisabledException,
    /// The key is in a state that forbids its use.
    KMSInvalidStateException,
    /// The key does not exist.
    KMSNotFoundException,
    /// The key service needs an opt-in.
    KMSOptInRequired,
    /// The key service throttles.
    KMSThrottlingException,
    /// A quota or a call rate is exceeded.
    LimitExceededException,
    /// The request is not signed.
    MissingAuthenticationTokenException,
    /// The throughput of a shard is exceeded.
    ProvisionedThroughputExceededException,
    /// The resource exists, or is in a state that forbids the call.
    ResourceInUseException,
    /// The resource does not exist.
    ResourceNotFoundException,
    /// The body has another type than the member.
    SerializationException,
    /// The call rate of a queue is exceeded.
    ThrottlingException,
    /// There is no such operation.
    UnknownOperationException,
    /// The token of the caller is unknown.
    UnrecognizedClientException,
    /// A constraint of a member is violated.
    ValidationException,
    /// Glue: it exists already.
    AlreadyExistsException,
    /// S3: the bucket exists already.
    BucketAlreadyOwnedByYou,
    /// S3: a bucket with objects cannot be deleted.
    BucketNotEmpty,
    /// The code of an application does not compile.
    CodeValidationException,
    /// A newer version exists than the one named.
    ConcurrentModificationException,
    /// IAM: it exists already.
    EntityAlreadyExists,
    /// Glue: it does not exist.
    EntityNotFoundException,
    /// Glue: the input is wrong.
    InvalidInputException,
    /// The key of a delivery stream cannot be used.
    InvalidKMSResourceException,
    /// Lambda: a value is well formed but wrong.
    InvalidParameterValueException,
    /// The configuration of an application is not complete.
    InvalidApplicationConfigurationException,
    /// Only its source writes to this delivery stream.
    InvalidSourceException,
    /// S3: the bucket is not there.
    NoSuchBucket,
    /// IAM: it does not exist.
    NoSuchEntity,
    /// S3: the object is not there.
    NoSuchKey,
    /// Lambda: the payload is too large.
    RequestEntityTooLargeException,
    /// Lambda: it exists already.
    ResourceConflictException,
    /// The service cannot take more now.
    ServiceUnavailableException,
    /// S3: too many requests.
    SlowDown,
    /// Lambda: no concurrency is left.
    TooManyRequestsException,
    /// DynamoDB: the item does not satisfy the condition of a write.
    ConditionalCheckFailedException,
    /// There is no data to find a schema in.
    UnableToDetectSchemaException,
    /// S3: the caller may not do this.
    AccessDenied,
    /// S3: the bytes are not those that were announced.
    BadDigest,
    /// S3: a part of an upload is too small.
    EntityTooSmall,
    /// S3: a part of an upload is not there.
    InvalidPart,
    /// S3: the parts of an upload are not in order.
    InvalidPartOrder,
    /// S3: the object has no such bytes.
    InvalidRange,
    /// S3: the body cannot be read.
    MalformedXML,
    /// S3: the upload is not there.
    NoSuchUpload,
    /// CloudWatch: parameters that do not go together.
    InvalidParameterCombination,
    /// CloudWatch: a value is well formed but wrong.
    InvalidParameterValue,
    /// SNS: two entries of a batch have one id.
    BatchEntryIdsNotDistinct,
    /// SNS: a batch has no entries.
    EmptyBatchRequest,
    /// SNS: a value is well formed but wrong.
    InvalidParameter,
    /// SNS: the resource does not exist.
    NotFound,
    /// SNS: a batch has too many entries.
    TooManyEntriesInBatchRequest,
}

impl ErrorCode {
    /// The HTTP status of the answer: 500 for a fault of the service, 400 otherwise.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InternalFailure => 500,
            Self::ServiceUnavailableException | Self::SlowDown => 503,
            Self::NoSuchBucket | Self::NoSuchKey | Self::NoSuchEntity | Self::NoSuchUpload | Self::NotFound => 404,
            Self::InvalidRange => 416,
            Self::ResourceConflictException | Self::BucketNotEmpty | Self::BucketAlreadyOwnedByYou | Self::EntityAlreadyExists => 409,
            Self::RequestEntityTooLargeException => 413,
            Self::TooManyRequestsException => 429,
            Self::AccessDenied => 403,
            _ => 400,
        }
    }

    /// The code of an AWS name, also for `InternalFailureException`, the name in the model.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "InternalFailureException" {
            return Some(Self::InternalFailure);
        }
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// Whether a client may send the same request again after a while.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::InternalFailure
                | Self::LimitExceededException
                | Self::ProvisionedThroughputExceededException
                | Self::ThrottlingException
                | Self::KMSThrottlingException
                | Self::ServiceUnavailableException
                | Self::SlowDown
                | Self::TooManyRequestsException
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal of the service: AWS's name and text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceError {
    /// AWS's name of the error.
    pub code: ErrorCode,
    /// AWS's text, for people.
    pub message: String,
}

impl ServiceError {
    /// An error of any code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
    /// `InvalidArgumentException`.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgumentException, message)
    }
    /// `ValidationException`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationException, message)
    }
    /// `SerializationException`.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::SerializationException, message)
    }
    /// `ResourceNotFoundException`.
    pub fn resource_not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceNotFoundException, message)
    }
    /// `ResourceInUseException`.
    pub fn resource_in_use(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceInUseException, message)
    }
    /// `LimitExceededException`.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::LimitExceededException, message)
    }
    /// `ProvisionedThroughputExceededException`.
    pub fn throughput_exceeded(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ProvisionedThroughputExceededException, message)
    }
    /// `InternalFailure`.
    pub fn internal_failure() -> Self {
        Self::new(ErrorCode::InternalFailure, "Internal Service Failure")
    }
    /// `UnknownOperationException` for an operation of AWS that is not simulated.
    pub fn not_simulated(operation: &str) -> Self {
        Self::new(ErrorCode::UnknownOperationException, format!("{operation} is not simulated"))
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ServiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_aws() {
        assert_eq!(ErrorCode::KMSOptInRequired.name(), "KMSOptInRequired");
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
            let plain = matches!(
                code,
                ErrorCode::KMSOptInRequired
                    | ErrorCode::InternalFailure
                    | ErrorCode::NoSuchBucket
                    | ErrorCode::NoSuchKey
                    | ErrorCode::NoSuchEntity
                    | ErrorCode::BucketNotEmpty
                    | ErrorCode::BucketAlreadyOwnedByYou
                    | ErrorCode::EntityAlreadyExists
                    | ErrorCode::AccessDenied
                    | ErrorCode::SlowDown
                    | ErrorCode::BadDigest
                    | ErrorCode::EntityTooSmall
                    | ErrorCode::InvalidPart
                    | ErrorCode::InvalidPartOrder
                    | ErrorCode::InvalidRange
                    | ErrorCode::MalformedXML
                    | ErrorCode::NoSuchUpload
                    | ErrorCode::InvalidParameterCombination
                    | ErrorCode::InvalidParameterValue
                    | ErrorCode::BatchEntryIdsNotDistinct
                    | ErrorCode::EmptyBatchRequest
                    | ErrorCode::InvalidParameter
                    | ErrorCode::NotFound
                    | ErrorCode::TooManyEntriesInBatchRequest
            );
            assert_eq!(code.name().ends_with("Exception"), !plain, "{code}");
            assert_eq!(serde_json::to_value(code).expect("writes"), code.name());
        }
        assert_eq!(ErrorCode::from_name("InternalFailureException"), Some(ErrorCode::InternalFailure));
        assert_eq!(ErrorCode::InternalFailure.http_status(), 500);
        assert_eq!(ErrorCode::ValidationException.http_status(), 400);
    }
}
