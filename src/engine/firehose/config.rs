//! The destination of a delivery stream: merged, checked in Firehose's order with its texts, and read into settings.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::api::ServiceError;
use crate::engine::formats::coerce::Deserializer;
use crate::engine::formats::compress::Compression;
use crate::engine::formats::{orc, parquet};
use crate::engine::glue::Glue;
use crate::engine::limits::{Limits, MIB};
use crate::engine::time::VirtualDuration;
use crate::engine::zones::Zone;

use super::jq::{self, Expr};
use super::prefix::{self, Part, Prefix};

/// Where data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Amazon S3.
    S3,
    /// Amazon Redshift by way of S3.
    Redshift,
    /// Amazon Elasticsearch Service.
    Elasticsearch,
    /// Amazon OpenSearch Service.
    OpenSearch,
    /// Splunk.
    Splunk,
    /// An HTTP endpoint.
    Http,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::S3, Self::Redshift, Self::Elasticsearch, Self::OpenSearch, Self::Splunk, Self::Http];

    /// The beginning of its members in the API.
    pub const fn member(self) -> &'static str {
        match self {
            Self::S3 => "ExtendedS3Destination",
            Self::Redshift => "RedshiftDestination",
            Self::Elasticsearch => "ElasticsearchDestination",
            Self::OpenSearch => "AmazonopensearchserviceDestination",
            Self::Splunk => "SplunkDestination",
            Self::Http => "HttpEndpointDestination",
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Redshift => "Redshift",
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
            Self::Splunk => "Splunk",
            Self::Http => "HTTP endpoint",
        }
    }

    /// Type of its failed records in error prefixes.
    pub const fn failed_type(self) -> &'static str {
        match self {
            Self::S3 | Self::Redshift => "processing-failed",
            Self::Elasticsearch => "elasticsearch-failed",
            Self::OpenSearch => "AmazonOpenSearchService-failed",
            Self::Splunk => "splunk-failed",
            Self::Http => "http-endpoint-failed",
        }
    }
}

/// How objects go to a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Settings {
    /// Bucket name.
    pub bucket: String,
    /// Data prefix.
    pub prefix: Prefix,
    /// The text of the data prefix.
    pub prefix_text: String,
    /// Error prefix.
    pub errors: Option<Prefix>,
    /// Size hint, bytes.
    pub size_bytes: u64,
    /// Interval hint.
    pub interval: VirtualDuration,
    /// Compression.
    pub compression: Compression,
    /// `FileExtension`.
    pub extension: Option<String>,
    /// `CustomTimeZone`: where the times in names of objects are told.
    pub zone: Zone,
}

/// The columnar format of converted objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Serializer {
    /// Parquet.
    Parquet {
        /// Codec.
        codec: parquet::Codec,
        /// Bytes of a page.
        page_bytes: usize,
    },
    /// ORC.
    Orc {
        /// Codec.
        codec: orc::Codec,
        /// Rows of an index entry.
        stride: u64,
    },
}

/// Record format conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// Glue database.
    pub database: String,
    /// Glue table.
    pub table: String,
    /// Region of the catalogue.
    pub region: String,
    /// Catalogue id.
    pub catalog: Option<String>,
    /// Deserialiser.
    pub deserializer: Deserializer,
    /// Serialiser.
    pub serializer: Serializer,
}

/// A Lambda transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaStep {
    /// ARN of the function.
    pub arn: String,
    /// Times more after a failure.
    pub retries: u32,
    /// Buffer size, bytes.
    pub size_bytes: u64,
    /// Buffer interval.
    pub interval: VirtualDuration,
}

/// What happens to records on the way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Processing {
    /// gunzip.
    pub decompress: bool,
    /// Take the messages out of CloudWatch Logs payloads.
    pub extract_messages: bool,
    /// Several records in one: JSON objects (`None`) or pieces behind a delimiter.
    pub split: Option<Option<Vec<u8>>>,
    /// Transform.
    pub lambda: Option<LambdaStep>,
    /// Partition keys from the record.
    pub query: Option<Vec<(String, Expr)>>,
    /// Appended to every record.
    pub delimiter: Option<Vec<u8>>,
}

/// What is particular to a destination.
#[derive(Debug, Clone, PartialEq)]
pub enum Endpoint {
    /// Nothing.
    S3,
    /// COPY into a table.
    Redshift {
        /// JDBC URL.
        url: String,
        /// Table.
        table: String,
        /// Columns, comma-separated.
        columns: Option<String>,
        /// COPY options.
        options: String,
    },
    /// Bulk requests.
    Search {
        /// Index.
        index: String,
        /// Type name.
        type_name: String,
        /// Rotation.
        rotation: String,
    },
    /// HTTP Event Collector.
    Splunk {
        /// URL.
        url: String,
        /// `Raw` or `Event`.
        raw: bool,
        /// Acknowledgement time-out.
        ack: VirtualDuration,
    },
    /// POST.
    Http {
        /// URL.
        url: String,
        /// gzip the body.
        gzip: bool,
        /// Common attributes.
        attributes: BTreeMap<String, String>,
        /// Access key.
        key: Option<String>,
    },
}

/// A destination read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Kind.
    pub kind: Kind,
    /// The bucket of data (S3, Redshift) or of failures and backup.
    pub s3: S3Settings,
    /// Size hint of the destination, bytes.
    pub size_bytes: u64,
    /// Interval hint of the destination.
    pub interval: VirtualDuration,
    /// Processing, when it is enabled.
    pub processing: Processing,
    /// Backup of the source records.
    pub backup: Option<S3Settings>,
    /// All documents go to the bucket too (not only failed ones).
    pub backup_all: bool,
    /// Format conversion.
    pub conversion: Option<Conversion>,
    /// Dynamic partitioning, with its retry time.
    pub partitioning: Option<VirtualDuration>,
    /// How long a destination is retried.
    pub retry: VirtualDuration,
    /// The rest.
    pub endpoint: Endpoint,
}

fn refused(text: impl Into<String>) -> ServiceError {
    ServiceError::invalid_argument(text)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn enabled(value: &Value, default: bool) -> bool {
    match value {
        Value::Null => false,
        value => value.get("Enabled").and_then(Value::as_bool).unwrap_or(default),
    }
}

/// The one destination that a request names: kind, body.
///
/// # Errors
/// None or several.
pub fn destination_of(body: &Value, suffix: &str) -> Result<(Kind, Value), ServiceError> {
    let mut found: Vec<(Kind, Value)> =
        Kind::ALL.into_iter().filter_map(|kind| body.get(format!("{}{suffix}", kind.member())).map(|value| (kind, value.clone()))).collect();
    if let Some(plain) = body.get(format!("S3Destination{suffix}")) {
        found.push((Kind::S3, plain.clone()));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(refused("Exactly one destination configuration is supported for a Firehose")),
    }
}

/// An update on a stored destination: omitted members stay, `DataFormatConversionConfiguration` merges member by member, the rest is
/// replaced whole.
pub fn merged(old: &Value, update: &Value) -> Value {
    let mut object: Map<String, Value> = old.as_object().cloned().unwrap_or_default();
    for (name, value) in update.as_object().into_iter().flatten() {
        let name = name.replace("S3Update", "S3Configuration").replace("S3BackupUpdate", "S3BackupConfiguration");
        let nested = matches!(name.as_str(), "DataFormatConversionConfiguration" | "S3Configuration" | "S3BackupConfiguration");
        let value = match object.get(&name) {
            Some(before) if nested => merged(before, value),
            _ => value.clone(),
        };
        object.insert(name, value);
    }
    Value::Object(object)
}

fn hints(body: &Value, (size, interval): (u64, u64)) -> Result<(u64, VirtualDuration), ServiceError> {
    let given = &body["BufferingHints"];
    let number = |name: &str| given.get(name).and_then(Value::as_u64);
    match (number("SizeInMBs"), number("IntervalInSeconds")) {
        (None, None) => Ok((size * MIB, VirtualDuration::from_secs(interval))),
        (Some(size), Some(interval)) => Ok((size * MIB, VirtualDuration::from_secs(interval))),
        _ => Err(refused("BufferingHints.SizeInMBs and BufferingHints.IntervalInSeconds must be given together.")),
    }
}

/// The zone of `CustomTimeZone`.
fn zone(body: &Value) -> Result<Zone, ServiceError> {
    match text(body, "CustomTimeZone").filter(|name| !name.is_empty()) {
        None => Ok(Zone::default()),
        Some("UTC") => Ok(Zone::default()),
        Some(name) if name.len() == 3 => {
            Err(refused("AWS Kinesis Firehose delivery stream, the supported IANA time zone formats are non-3-letter identifiers"))
        }
        Some(name) => Zone::find(name).ok_or_else(|| refused(format!("CustomTimeZone {name} is not a supported IANA time zone"))),
    }
}

fn s3_settings(body: &Value, limits: &Limits, default: (u64, u64), redshift: bool) -> Result<S3Settings, ServiceError> {
    let prefix_text = text(body, "Prefix").unwrap_or_default();
    let (mut prefix, mut errors) = prefix::check(prefix_text, text(body, "ErrorOutputPrefix"))?;
    let zone = zone(body)?;
    prefix.zone = zone.clone();
    if let Some(errors) = &mut errors {
        errors.zone = zone.clone();
    }
    if redshift && (prefix.has_expression() || errors.is_some()) {
        return Err(refused("Prefix must not contain expressions and ErrorOutputPrefix must be absent for a Redshift destination"));
    }
    let (size_bytes, interval) = hints(body, default)?;
    if !limits.modern && interval < VirtualDuration::from_secs(60) {
        return Err(refused("BufferingHints.IntervalInSeconds must be at least 60 seconds"));
    }
    let bucket = text(body, "BucketARN").unwrap_or_default();
    Ok(S3Settings {
        bucket: bucket.strip_prefix("arn:aws:s3:::").unwrap_or(bucket).to_owned(),
        prefix,
        prefix_text: prefix_text.to_owned(),
        errors,
        size_bytes,
        interval,
        compression: Compression::from_name(text(body, "CompressionFormat").unwrap_or_default()),
        zone,
        extension: text(body, "FileExtension").filter(|extension| !extension.is_empty()).map(str::to_owned),
    })
}

fn processing(body: &Value, splunk: bool) -> Result<Processing, ServiceError> {
    let mut found = Processing::default();
    // Omitted `Enabled` means disabled here.
    if !enabled(body, false) {
        return Ok(found);
    }
    for processor in body["Processors"].as_array().into_iter().flatten() {
        let parameter = |wanted: &str| {
            processor["Parameters"].as_array().into_iter().flatten().find(|p| p["ParameterName"] == wanted).and_then(|p| text(p, "ParameterValue"))
        };
        match text(processor, "Type").unwrap_or_default() {
            "Decompression" => found.decompress = true,
            "CloudWatchLogProcessing" => found.extract_messages = parameter("DataMessageExtraction").is_some_and(|flag| flag == "true"),
            "RecordDeAggregation" => {
                found.split = Some(match parameter("SubRecordType") {
                    Some("JSON") => None,
                    Some("DELIMITED") => {
                        let delimiter = parameter("Delimiter").and_then(|text| STANDARD.decode(text).ok()).filter(|bytes| !bytes.is_empty());
                        Some(delimiter.ok_or_else(|| refused("Delimiter parameter is required in base64 when SubRecordType is DELIMITED"))?)
                    }
                    _ => return Err(refused("SubRecordType must be JSON or DELIMITED")),
                });
            }
            "Lambda" => {
                let arn = parameter("LambdaArn").ok_or_else(|| refused("LambdaArn parameter is required for the Lambda processor"))?;
                let number = |name: &str, default: f64| match parameter(name) {
                    None => Ok(default),
                    Some(text) => text.parse::<f64>().map_err(|_| refused(format!("{name} must be a number, not '{text}'"))),
                };
                let size = number("BufferSizeInMBs", if splunk { 0.25 } else { 1.0 })?;
                let interval = number("BufferIntervalInSeconds", 60.0)?;
                if !(0.2..=3.0).contains(&size) || !(0.0..=900.0).contains(&interval) {
                    return Err(refused("BufferSizeInMBs must be from 0.2 to 3 and BufferIntervalInSeconds from 0 to 900"));
                }
                found.lambda = Some(LambdaStep {
                    arn: arn.to_owned(),
                    retries: number("NumberOfRetries", 3.0)? as u32,
                    size_bytes: (size * MIB as f64) as u64,
                    interval: VirtualDuration((interval * 1e6) as u64),
                });
            }
            "MetadataExtraction" => {
                if parameter("JsonParsingEngine") != Some("JQ-1.6") {
                    return Err(refused("JsonParsingEngine must be JQ-1.6"));
                }
                let query = parameter("MetadataExtractionQuery").ok_or_else(|| refused("MetadataExtractionQuery parameter is required"))?;
                found.query = Some(jq::compile_keys(query).map_err(|error| refused(format!("Invalid MetadataExtractionQuery: {error}")))?);
            }
            "AppendDelimiterToRecord" => {
                let delimiter = parameter("Delimiter").unwrap_or("\\n").replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
                found.delimiter = Some(delimiter.into_bytes());
            }
            other => return Err(refused(format!("Processor type {other} is not supported"))),
        }
    }
    if found.extract_messages && !found.decompress {
        return Err(refused("CloudWatchLogProcessing can only be enabled with the Decompression processor"));
    }
    Ok(found)
}

fn conversion(body: &Value, glue: &Glue, region: &str) -> Result<Conversion, ServiceError> {
    let conversion = &body["DataFormatConversionConfiguration"];
    if !matches!(text(body, "CompressionFormat"), None | Some("UNCOMPRESSED")) {
        return Err(refused(
            "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled. To enable compression within \
             the converted output format, set the appropriate serialization option in the output format configuration.",
        ));
    }
    if body["BufferingHints"].get("SizeInMBs").and_then(Value::as_u64).is_some_and(|size| size < 64) {
        return Err(refused("BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled."));
    }
    for member in ["InputFormatConfiguration", "OutputFormatConfiguration", "SchemaConfiguration"] {
        if conversion.get(member).is_none() {
            return Err(refused(format!("{member} must not be null")));
        }
    }
    let choice = |outer: &str, inner: &str| {
        let options = conversion[outer][inner].as_object().cloned().unwrap_or_default();
        match options.len() {
            0 => Err(refused(format!("{inner} must not be null"))),
            1 => Ok(options.into_iter().next().unwrap_or_default()),
            _ => Err(refused(format!("More than one {} specified. Only one may be chosen.", inner.to_lowercase()))),
        }
    };
    let (input, input_options) = choice("InputFormatConfiguration", "Deserializer")?;
    let (output, output_options) = choice("OutputFormatConfiguration", "Serializer")?;
    let schema = &conversion["SchemaConfiguration"];
    for (member, shown) in [("RoleARN", "RoleArn"), ("DatabaseName", "DatabaseName"), ("TableName", "TableName")] {
        if text(schema, member).is_none_or(str::is_empty) {
            return Err(refused(format!("SchemaConfiguration.{shown} must not be null or empty")));
        }
    }
    let (database, table) = (text(schema, "DatabaseName").unwrap_or_default(), text(schema, "TableName").unwrap_or_default());
    glue.schema(database, table).map_err(|error| {
        refused(format!("{} (Service: AWSGlue; Status Code: 400; Error Code: {}; Request ID: n/a; Proxy: null)", error.message, error.code))
    })?;
    let deserializer = if input == "OpenXJsonSerDe" {
        Deserializer::OpenX {
            case_insensitive: input_options["CaseInsensitive"].as_bool().unwrap_or(true),
            dots_to_underscores: input_options["ConvertDotsInJsonKeysToUnderscores"].as_bool().unwrap_or(false),
            mappings: input_options["ColumnToJsonKeyMappings"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(column, key)| key.as_str().map(|key| (column.to_lowercase(), key.to_owned())))
                .collect(),
        }
    } else {
        let formats = input_options["TimestampFormats"].as_array().into_iter().flatten().filter_map(|f| f.as_str().map(str::to_owned)).collect();
        Deserializer::Hive { timestamp_formats: formats }
    };
    let codec = text(&output_options, "Compression").unwrap_or("SNAPPY");
    let serializer = if output == "ParquetSerDe" {
        let page_bytes = output_options["PageSizeBytes"].as_u64().unwrap_or(MIB) as usize;
        Serializer::Parquet { codec: parquet::Codec::from_name(codec), page_bytes }
    } else {
        Serializer::Orc { codec: orc::Codec::from_name(codec), stride: output_options["RowIndexStride"].as_u64().unwrap_or(10_000) }
    };
    Ok(Conversion {
        database: database.to_owned(),
        table: table.to_owned(),
        region: text(schema, "Region").unwrap_or(region).to_owned(),
        catalog: text(schema, "CatalogId").map(str::to_owned),
        deserializer,
        serializer,
    })
}

impl Settings {
    /// Reads and checks a destination.
    ///
    /// # Errors
    /// `InvalidArgumentException` with Firehose's text.
    pub fn read(kind: Kind, body: &Value, glue: &Glue, limits: &Limits, region: &str) -> Result<Self, ServiceError> {
        let processing_body = &body["ProcessingConfiguration"];
        let processing = processing(processing_body, kind == Kind::Splunk)?;
        let partitioned = enabled(&body["DynamicPartitioningConfiguration"], true);
        let converts = enabled(&body["DataFormatConversionConfiguration"], true);
        let large = converts || partitioned;
        let conversion = if converts && kind == Kind::S3 { Some(conversion(body, glue, region)?) } else { None };
        let bucket = if kind == Kind::S3 { body } else { &body["S3Configuration"] };
        let s3 = s3_settings(bucket, limits, if large { (128, 300) } else { (5, 300) }, kind == Kind::Redshift)?;
        if partitioned {
            if s3.size_bytes < 64 * MIB {
                return Err(refused("BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."));
            }
            if s3.interval < VirtualDuration::from_secs(60) {
                return Err(refused("BufferingHints.IntervalInSeconds must be at least 60 seconds when Dynamic Partitioning is enabled."));
            }
            if !enabled(processing_body, false) {
                return Err(refused("Processing Configuration is not enabled when DataPartitioning is enabled"));
            }
            if !s3.prefix.has_keys() {
                return Err(refused("S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled"));
            }
            if s3.prefix.has(|part| matches!(part, Part::Lambda(_))) && processing.lambda.is_none() {
                return Err(refused("Lambda should be present when S3 Prefix contains keys from partitionKeyFromLambda namespace"));
            }
            if s3.prefix.has(|part| matches!(part, Part::Query(_))) && processing.query.is_none() {
                return Err(refused("MetadataExtraction processor should be present when S3 Prefix has partitionKeyFromQuery namespace"));
            }
        } else if s3.prefix.has_keys() {
            return Err(refused("Dynamic Partitioning Namespaces can't be part of a prefix when Dynamic Partitioning is not enabled"));
        } else if processing.split.is_some() {
            return Err(refused("RecordDeAggregation processor is only supported when Dynamic Partitioning is enabled"));
        }
        let (size_bytes, interval) = match kind {
            Kind::S3 | Kind::Redshift => (s3.size_bytes, s3.interval),
            Kind::Splunk => hints(body, (5, 60))?,
            _ => hints(body, (5, 300))?,
        };
        let backup = if matches!(kind, Kind::S3 | Kind::Redshift) && text(body, "S3BackupMode") == Some("Enabled") {
            let configuration =
                body.get("S3BackupConfiguration").ok_or_else(|| refused("S3BackupConfiguration must not be null when S3BackupMode is Enabled"))?;
            Some(s3_settings(configuration, limits, (5, 300), false)?)
        } else {
            None
        };
        let default_retry = if kind == Kind::Redshift { 3600 } else { 300 };
        let endpoint = match kind {
            Kind::S3 => Endpoint::S3,
            Kind::Redshift => Endpoint::Redshift {
                url: text(body, "ClusterJDBCURL").unwrap_or_default().to_owned(),
                table: text(&body["CopyCommand"], "DataTableName").unwrap_or_default().to_owned(),
                columns: text(&body["CopyCommand"], "DataTableColumns").map(str::to_owned),
                options: text(&body["CopyCommand"], "CopyOptions").unwrap_or_default().to_owned(),
            },
            Kind::Elasticsearch | Kind::OpenSearch => {
                if text(body, "DomainARN").is_none() == text(body, "ClusterEndpoint").is_none() {
                    return Err(refused("Exactly one of DomainARN and ClusterEndpoint must be given"));
                }
                Endpoint::Search {
                    index: text(body, "IndexName").unwrap_or_default().to_owned(),
                    type_name: text(body, "TypeName").unwrap_or_default().to_owned(),
                    rotation: text(body, "IndexRotationPeriod").unwrap_or("OneDay").to_owned(),
                }
            }
            Kind::Splunk => Endpoint::Splunk {
                url: text(body, "HECEndpoint").unwrap_or_default().to_owned(),
                raw: text(body, "HECEndpointType") == Some("Raw"),
                ack: VirtualDuration::from_secs(body["HECAcknowledgmentTimeoutInSeconds"].as_u64().unwrap_or(180)),
            },
            Kind::Http => Endpoint::Http {
                url: text(&body["EndpointConfiguration"], "Url").unwrap_or_default().to_owned(),
                gzip: text(&body["RequestConfiguration"], "ContentEncoding") == Some("GZIP"),
                key: text(&body["EndpointConfiguration"], "AccessKey").map(str::to_owned),
                attributes: body["RequestConfiguration"]["CommonAttributes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|a| Some((text(a, "AttributeName")?.to_owned(), text(a, "AttributeValue")?.to_owned())))
                    .collect(),
            },
        };
        if kind == Kind::Redshift && !matches!(s3.compression, Compression::Uncompressed | Compression::Gzip) {
            return Err(refused("Compression formats SNAPPY, HADOOP_SNAPPY and ZIP are not supported by Amazon Redshift"));
        }
        let partitioning = partitioned.then(|| {
            let retry = body["DynamicPartitioningConfiguration"]["RetryOptions"]["DurationInSeconds"].as_u64().unwrap_or(300);
            VirtualDuration::from_secs(retry)
        });
        Ok(Self {
            kind,
            s3,
            size_bytes,
            interval,
            processing,
            backup,
            backup_all: text(body, "S3BackupMode").is_some_and(|mode| mode.starts_with("All")),
            conversion,
            partitioning,
            retry: VirtualDuration::from_secs(body["RetryOptions"]["DurationInSeconds"].as_u64().unwrap_or(default_retry)),
            endpoint,
        })
    }
}

/// The body as `DescribeDeliveryStream` shows it, defaults filled in.
pub fn described(kind: Kind, body: &Value, settings: &Settings) -> Value {
    let mut shown = body.as_object().cloned().unwrap_or_default();
    let s3_defaults = |object: &mut Map<String, Value>, size: u64, interval: VirtualDuration| {
        object.entry("BufferingHints").or_insert_with(|| json!({"SizeInMBs": size / MIB, "IntervalInSeconds": interval.as_secs()}));
        object.entry("CompressionFormat").or_insert_with(|| json!("UNCOMPRESSED"));
        object.entry("EncryptionConfiguration").or_insert_with(|| json!({"NoEncryptionConfig": "NoEncryption"}));
        object.entry("CloudWatchLoggingOptions").or_insert_with(|| json!({"Enabled": false}));
    };
    if let Some(Value::Array(processors)) = shown.get_mut("ProcessingConfiguration").and_then(|p| p.get_mut("Processors")) {
        for processor in processors.iter_mut().filter(|processor| processor["Type"] == "Lambda") {
            let mut parameters = processor["Parameters"].as_array().cloned().unwrap_or_default();
            for (name, value) in [("NumberOfRetries", "3"), ("BufferSizeInMBs", "1"), ("BufferIntervalInSeconds", "60")] {
                if parameters.iter().all(|parameter| parameter["ParameterName"] != name) {
                    parameters.push(json!({"ParameterName": name, "ParameterValue": value}));
                }
            }
            processor["Parameters"] = Value::Array(parameters);
        }
    }
    if let Some(processing) = shown.get_mut("ProcessingConfiguration").and_then(Value::as_object_mut) {
        processing.entry("Enabled").or_insert(json!(false));
    }
    match kind {
        Kind::S3 => {
            s3_defaults(&mut shown, settings.size_bytes, settings.interval);
            shown.entry("S3BackupMode").or_insert_with(|| json!("Disabled"));
        }
        _ => {
            if let Some(Value::Object(bucket)) = shown.remove("S3Configuration") {
                let mut bucket = bucket;
                s3_defaults(&mut bucket, settings.s3.size_bytes, settings.s3.interval);
                shown.insert("S3DestinationDescription".to_owned(), Value::Object(bucket));
            }
            if kind != Kind::Redshift {
                shown
                    .entry("BufferingHints")
                    .or_insert_with(|| json!({"SizeInMBs": settings.size_bytes / MIB, "IntervalInSeconds": settings.interval.as_secs()}));
            }
            shown.entry("RetryOptions").or_insert_with(|| json!({"DurationInSeconds": settings.retry.as_secs()}));
            shown.remove("Password");
            if let Some(endpoint) = shown.get_mut("EndpointConfiguration").and_then(Value::as_object_mut) {
                endpoint.remove("AccessKey");
            }
        }
    }
    if let Some(Value::Object(backup)) = shown.remove("S3BackupConfiguration") {
        let mut backup = backup;
        s3_defaults(&mut backup, 5 * MIB, VirtualDuration::from_secs(300));
        shown.insert("S3BackupDescription".to_owned(), Value::Object(backup));
    }
    Value::Object(shown)
}
