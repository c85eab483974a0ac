//! An operation, request and answer of any service: Kinesis Data Streams as typed values, the others by their models.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kinesis::{self, KinesisRequest, KinesisResponse};
use super::model::{Call, OperationModel, Service};
use super::shape::{Member, ModelYear};

/// An operation of any service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Of Kinesis Data Streams.
    Kinesis(kinesis::Operation),
    /// Of another service.
    Other(&'static OperationModel),
}

impl Operation {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kinesis(operation) => operation.name(),
            Self::Other(operation) => operation.name,
        }
    }

    /// The service by the CLI's name.
    pub fn service(self) -> &'static str {
        match self {
            Self::Kinesis(_) => "kinesis",
            Self::Other(operation) => operation.service,
        }
    }

    /// The members of the request in AWS's order.
    pub fn members(self) -> &'static [Member] {
        match self {
            Self::Kinesis(operation) => operation.members(),
            Self::Other(operation) => operation.members,
        }
    }

    /// The operations of a service by the CLI's name that a year's model has; `None` when there is no such service.
    pub fn of_service(service: &str, year: ModelYear) -> Option<Vec<Self>> {
        if service == "kinesis" {
            return Some(
                kinesis::Operation::all().iter().filter(|operation| operation.since() <= year).map(|operation| Self::Kinesis(*operation)).collect(),
            );
        }
        Service::by_name(service).map(|service| service.operations.iter().map(Self::Other).collect())
    }

    /// The request of a JSON body, checked.
    ///
    /// # Errors
    /// As [`super::decode_with`].
    pub fn decode(self, body: &Value, year: ModelYear) -> Result<Request, super::ServiceError> {
        match self {
            Self::Kinesis(operation) => super::decode_with(operation, body, year).map(Request::Kinesis),
            Self::Other(operation) => Call::decode(operation, body).map(Request::Other),
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A request of any operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Of Kinesis Data Streams.
    Kinesis(KinesisRequest),
    /// Of another service.
    Other(Call),
}

impl Request {
    /// Which operation this is a request of.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Kinesis(request) => Operation::Kinesis(request.operation()),
            Self::Other(call) => Operation::Other(call.operation),
        }
    }
}

/// The answer of any operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Of Kinesis Data Streams.
    Kinesis(KinesisResponse),
    /// Of another service; an empty object where AWS answers with an empty body.
    Other(Value),
}

impl<T: Into<KinesisRequest>> From<T> for Request {
    fn from(request: T) -> Self {
        Self::Kinesis(request.into())
    }
}

impl From<KinesisResponse> for Response {
    fn from(response: KinesisResponse) -> Self {
        Self::Kinesis(response)
    }
}

impl From<kinesis::Operation> for Operation {
    fn from(operation: kinesis::Operation) -> Self {
        Self::Kinesis(operation)
    }
}
