//! The models of the services beside Kinesis Data Streams, as data: `assets/models/*.model` list operations, members and constraints.
//!
//! The same shapes as those of Kinesis drive the type check, the constraints, the CLI's options and help. A request is a [`Call`]: the
//! operation and its checked JSON body.

mod parse;

use std::sync::LazyLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::ServiceError;
use super::shape::Member;

/// Where an operation pages, as the CLI does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageModel {
    /// Member of the request that says where to go on.
    pub input_token: &'static str,
    /// Member of the answer that says so.
    pub output_token: &'static str,
    /// The list of the answer.
    pub result_key: &'static str,
    /// Member of the request that bounds a page.
    pub limit_key: Option<&'static str>,
}

/// An operation.
#[derive(Debug)]
pub struct OperationModel {
    /// The service by the CLI's name.
    pub service: &'static str,
    /// AWS's name.
    pub name: &'static str,
    /// One sentence.
    pub purpose: &'static str,
    /// Members of the request in AWS's order.
    pub members: &'static [Member],
    /// Paging.
    pub pages: Option<PageModel>,
}

impl PartialEq for OperationModel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for OperationModel {}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// The CLI's name.
    pub name: &'static str,
    /// Prefix of `X-Amz-Target`, or the version of a REST service.
    pub target: &'static str,
    /// Title.
    pub title: &'static str,
    /// Operations in alphabetical order.
    pub operations: &'static [OperationModel],
}

const MODELS: [&str; 12] = [
    include_str!("../../../assets/models/firehose.model"),
    include_str!("../../../assets/models/lambda.model"),
    include_str!("../../../assets/models/s3api.model"),
    include_str!("../../../assets/models/glue.model"),
    include_str!("../../../assets/models/iam.model"),
    include_str!("../../../assets/models/sts.model"),
    include_str!("../../../assets/models/athena.model"),
    include_str!("../../../assets/models/cloudwatch.model"),
    include_str!("../../../assets/models/kinesisanalytics.model"),
    include_str!("../../../assets/models/kinesisanalyticsv2.model"),
    include_str!("../../../assets/models/dynamodb.model"),
    include_str!("../../../assets/models/sns.model"),
];

static SERVICES: LazyLock<Vec<Service>> =
    LazyLock::new(|| MODELS.into_iter().map(|text| parse::service(text, &MODELS).expect("the models are checked by a test")).collect());

static KINESIS: LazyLock<Vec<OperationModel>> = LazyLock::new(|| {
    super::kinesis::Operation::all()
        .iter()
        .map(|operation| OperationModel { service: "kinesis", name: operation.name(), purpose: "", members: operation.members(), pages: None })
        .collect()
});

/// An operation of Kinesis Data Streams in the form of the other services' models.
pub fn kinesis_operation(operation: super::kinesis::Operation) -> &'static OperationModel {
    &KINESIS[operation as usize]
}

impl Service {
    /// Every service beside Kinesis Data Streams.
    pub fn all() -> &'static [Self] {
        &SERVICES
    }

    /// The service of the CLI's name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|service| service.name == name)
    }

    /// An operation by AWS's name.
    pub fn operation(&'static self, name: &str) -> Option<&'static OperationModel> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}

/// A request of an operation: its body has passed the type check and the constraints.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub operation: &'static OperationModel,
    /// The members.
    pub body: Value,
}

impl Call {
    /// The checked request of a JSON body.
    ///
    /// # Errors
    /// `SerializationException` for a wrong type, `ValidationException` (or the service's own name for it) for a violated constraint.
    pub fn decode(operation: &'static OperationModel, body: &Value) -> Result<Self, ServiceError> {
        let body = super::shape::check_body(operation.members, body)?;
        Ok(Self { operation, body })
    }

    /// The checked request of an operation by the names of service and operation.
    ///
    /// # Errors
    /// As [`Call::decode`]; `UnknownOperationException` when there is none of that name.
    pub fn of(service: &str, operation: &str, body: &Value) -> Result<Self, ServiceError> {
        let found = match service {
            "kinesis" => super::kinesis::Operation::from_name(operation).map(kinesis_operation),
            _ => Service::by_name(service).and_then(|service| service.operation(operation)),
        };
        let Some(found) = found else {
            return Err(ServiceError::new(super::ErrorCode::UnknownOperationException, format!("{service} has no operation {operation}")));
        };
        Self::decode(found, body)
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    service: String,
    operation: String,
    body: Value,
}

impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { service: self.operation.service.to_owned(), operation: self.operation.name.to_owned(), body: self.body.clone() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Self::of(&written.service, &written.operation, &written.body).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_model_reads_and_operations_are_sorted() {
        for service in Service::all() {
            assert!(service.operations.len() > 1 || service.name == "sts", "{}", service.name);
            assert!(service.operations.windows(2).all(|pair| pair[0].name < pair[1].name), "{}", service.name);
            assert!(service.operations.iter().all(|operation| operation.purpose.ends_with('.')), "{}", service.name);
        }
    }

    #[test]
    fn bodies_are_checked_with_awss_texts() {
        let wrong = json!({"DeliveryStreamName": "x", "ExtendedS3DestinationConfiguration": {"RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::b", "CompressionFormat": "LZO"}});
        let error = Call::of("firehose", "CreateDeliveryStream", &wrong).expect_err("wrong word");
        assert_eq!(
            error.message,
            "1 validation error detected: Value at 'extendedS3DestinationConfiguration.compressionFormat' failed to satisfy constraint: \
             Member must satisfy enum value set: [ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]"
        );
        let call = Call::of("firehose", "PutRecord", &json!({"DeliveryStreamName": "x", "Record": {"Data": "YQ=="}})).expect("good");
        let text = serde_json::to_string(&call).expect("JSON");
        assert_eq!(serde_json::from_str::<Call>(&text).expect("reads"), call);
        assert!(Call::of("firehose", "PutRecord", &json!({"DeliveryStreamName": "x"})).is_err());
    }
}
