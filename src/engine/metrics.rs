//! Metrics under CloudWatch's names. Each series keeps the last five minutes by the second and the whole run by the minute.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::{VirtualDuration, VirtualTime};

/// Seconds kept of each series.
pub const SECONDS_KEPT: usize = 300;

macro_rules! metrics {
    ($($variant:ident = $name:literal, $unit:literal;)+) => {
        /// A metric by CloudWatch's name (`AWS/Kinesis`, `AWS/KinesisAnalytics`, `KinesisProducerLibrary`, `AWSKinesisAgent`), plus the lab's own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $(#[doc = concat!("`", $name, "`, ", $unit, ".")] $variant,)+
        }
        impl Metric {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// CloudWatch's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            /// CloudWatch's unit.
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }
        }
    };
}

metrics! {
    IncomingBytes = "IncomingBytes", "Bytes";
    IncomingRecords = "IncomingRecords", "Count";
    IncomingUserRecords = "IncomingUserRecords", "Count";
    PutRecordBytes = "PutRecord.Bytes", "Bytes";
    PutRecordSuccess = "PutRecord.Success", "Count";
    PutRecordsBytes = "PutRecords.Bytes", "Bytes";
    PutRecordsRecords = "PutRecords.Records", "Count";
    PutRecordsSuccess = "PutRecords.Success", "Count";
    PutRecordsTotalRecords = "PutRecords.TotalRecords", "Count";
    PutRecordsSuccessfulRecords = "PutRecords.SuccessfulRecords", "Count";
    PutRecordsFailedRecords = "PutRecords.FailedRecords", "Count";
    PutRecordsThrottledRecords = "PutRecords.ThrottledRecords", "Count";
    GetRecordsBytes = "GetRecords.Bytes", "Bytes";
    GetRecordsRecords = "GetRecords.Records", "Count";
    GetRecordsSuccess = "GetRecords.Success", "Count";
    GetRecordsIteratorAge = "GetRecords.IteratorAgeMilliseconds", "Milliseconds";
    WriteThroughputExceeded = "WriteProvisionedThroughputExceeded", "Count";
    ReadThroughputExceeded = "ReadProvisionedThroughputExceeded", "Count";
    SubscribeSuccess = "SubscribeToShard.Success", "Count";
    SubscribeRateExceeded = "SubscribeToShard.RateExceeded", "Count";
    SubscribeEventBytes = "SubscribeToShardEvent.Bytes", "Bytes";
    SubscribeEventRecords = "SubscribeToShardEvent.Records", "Count";
    SubscribeEventBehind = "SubscribeToShardEvent.MillisBehindLatest", "Milliseconds";
    SubscribeEventSuccess = "SubscribeToShardEvent.Success", "Count";
    OutgoingBytes = "OutgoingBytes", "Bytes";
    OutgoingRecords = "OutgoingRecords", "Count";
    IteratorAge = "IteratorAgeMilliseconds", "Milliseconds";
    UserRecordsReceived = "UserRecordsReceived", "Count";
    UserRecordsPending = "UserRecordsPending", "Count";
    UserRecordsPut = "UserRecordsPut", "Count";
    UserRecordsDataPut = "UserRecordsDataPut", "Bytes";
    KinesisRecordsPut = "KinesisRecordsPut", "Count";
    KinesisRecordsDataPut = "KinesisRecordsDataPut", "Bytes";
    AllErrors = "AllErrors", "Count";
    BufferingTime = "BufferingTime", "Milliseconds";
    UserRecordsPerKinesisRecord = "UserRecordsPerKinesisRecord", "Count";
    KinesisRecordsPerRequest = "KinesisRecordsPerPutRecordsRequest", "Count";
    RecordSendAttempts = "RecordSendAttempts", "Count";
    RecordSendErrors = "RecordSendErrors", "Count";
    BytesSent = "BytesSent", "Bytes";
    ServiceErrors = "ServiceErrors", "Count";
    RecordsProcessed = "RecordsProcessed", "Count";
    DataBytesProcessed = "DataBytesProcessed", "Bytes";
    MillisBehindLatest = "MillisBehindLatest", "Milliseconds";
    ReplayLagSeconds = "ReplayLagSeconds", "Seconds";
    IncomingPutRequests = "IncomingPutRequests", "Count";
    ThrottledRecords = "ThrottledRecords", "Count";
    ThrottledGetRecords = "ThrottledGetRecords", "Count";
    KinesisMillisBehindLatest = "KinesisMillisBehindLatest", "Milliseconds";
    DataReadFromStreamBytes = "DataReadFromKinesisStream.Bytes", "Bytes";
    DataReadFromStreamRecords = "DataReadFromKinesisStream.Records", "Count";
    DeliveryToS3Bytes = "DeliveryToS3.Bytes", "Bytes";
    DeliveryToS3Records = "DeliveryToS3.Records", "Count";
    DeliveryToS3Success = "DeliveryToS3.Success", "Count";
    DeliveryToS3DataFreshness = "DeliveryToS3.DataFreshness", "Seconds";
    DeliveryToS3ObjectCount = "DeliveryToS3.ObjectCount", "Count";
    BackupToS3Bytes = "BackupToS3.Bytes", "Bytes";
    BackupToS3Records = "BackupToS3.Records", "Count";
    BackupToS3Success = "BackupToS3.Success", "Count";
    BackupToS3DataFreshness = "BackupToS3.DataFreshness", "Seconds";
    DeliveryToDestinationBytes = "DeliveryToDestination.Bytes", "Bytes";
    DeliveryToDestinationRecords = "DeliveryToDestination.Records", "Count";
    DeliveryToDestinationSuccess = "DeliveryToDestination.Success", "Count";
    ExecuteProcessingSuccess = "ExecuteProcessing.Success", "Count";
    SucceedProcessingBytes = "SucceedProcessing.Bytes", "Bytes";
    SucceedProcessingRecords = "SucceedProcessing.Records", "Count";
    SucceedConversionBytes = "SucceedConversion.Bytes", "Bytes";
    SucceedConversionRecords = "SucceedConversion.Records", "Count";
    FailedConversionRecords = "FailedConversion.Records", "Count";
    PartitionCount = "PartitionCount", "Count";
    PartitionCountExceeded = "PartitionCountExceeded", "Count";
    Invocations = "Invocations", "Count";
    Errors = "Errors", "Count";
    Throttles = "Throttles", "Count";
    Duration = "Duration", "Milliseconds";
    ConcurrentExecutions = "ConcurrentExecutions", "Count";
    FunctionIteratorAge = "IteratorAge", "Milliseconds";
    FailedPutCount = "FailedPutCount", "Count";
    FlowBytes = "Bytes", "Bytes";
    FlowRecords = "Records", "Count";
    FlowSuccess = "Success", "Count";
    InputProcessingDuration = "InputProcessing.Duration", "Milliseconds";
    InputProcessingSuccess = "InputProcessing.Success", "Count";
    InputProcessingOkRecords = "InputProcessing.OkRecords", "Count";
    InputProcessingOkBytes = "InputProcessing.OkBytes", "Bytes";
    InputProcessingDroppedRecords = "InputProcessing.DroppedRecords", "Count";
    InputProcessingFailedRecords = "InputProcessing.ProcessingFailedRecords", "Count";
    LambdaDeliveryDuration = "LambdaDelivery.Duration", "Milliseconds";
    LambdaDeliveryOkRecords = "LambdaDelivery.OkRecords", "Count";
    LambdaDeliveryFailedRecords = "LambdaDelivery.DeliveryFailedRecords", "Count";
}

impl Metric {
    /// From CloudWatch's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}

/// Which way rows of an application go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// In.
    Input,
    /// Out.
    Output,
}

impl Flow {
    /// CloudWatch's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Output => "Output",
        }
    }
}

/// What a series is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimensions {
    /// `StreamName`.
    Stream(Arc<str>),
    /// `StreamName` and `ShardId` (only with enhanced monitoring).
    Shard(Arc<str>, u32),
    /// `StreamName` and `ConsumerName`.
    FanoutConsumer(Arc<str>, Arc<str>),
    /// `DeliveryStreamName`.
    DeliveryStream(Arc<str>),
    /// `FunctionName`.
    Function(Arc<str>),
    /// `Application`.
    Application(Arc<str>),
    /// `Application`, `Flow` (Input or Output) and `Id` of the input or output.
    Flow(Arc<str>, Flow, Arc<str>),
    /// `Producer`.
    Producer(Arc<str>),
    /// `Consumer`.
    Consumer(Arc<str>),
}

impl Dimensions {
    /// Name–value pairs in CloudWatch's manner.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Stream(stream) => vec![("StreamName", stream.to_string())],
            Self::Shard(stream, shard) => vec![("StreamName", stream.to_string()), ("ShardId", super::kinesis::shard_id(*shard))],
            Self::FanoutConsumer(stream, consumer) => vec![("StreamName", stream.to_string()), ("ConsumerName", consumer.to_string())],
            Self::DeliveryStream(stream) => vec![("DeliveryStreamName", stream.to_string())],
            Self::Function(function) => vec![("FunctionName", function.to_string())],
            Self::Application(application) => vec![("Application", application.to_string())],
            Self::Flow(application, flow, id) => {
                vec![("Application", application.to_string()), ("Flow", flow.name().to_owned()), ("Id", id.to_string())]
            }
            Self::Producer(producer) => vec![("Producer", producer.to_string())],
            Self::Consumer(consumer) => vec![("Consumer", consumer.to_string())],
        }
    }

    /// From name–value pairs in any order.
    pub fn from_pairs(pairs: &[(String, String)]) -> Option<Self> {
        let get = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| Arc::<str>::from(value.as_str()));
        match pairs.len() {
            1 => get("StreamName")
                .map(Self::Stream)
                .or_else(|| get("DeliveryStreamName").map(Self::DeliveryStream))
                .or_else(|| get("FunctionName").map(Self::Function))
                .or_else(|| get("Application").map(Self::Application))
                .or_else(|| get("Producer").map(Self::Producer))
                .or_else(|| get("Consumer").map(Self::Consumer)),
            2 => {
                let stream = get("StreamName")?;
                if let Some(shard) = get("ShardId") {
                    return super::kinesis::shard_number(&shard).map(|number| Self::Shard(stream, number));
                }
                get("ConsumerName").map(|consumer| Self::FanoutConsumer(stream, consumer))
            }
            3 => {
                let flow = get("Flow")?;
                let flow = [Flow::Input, Flow::Output].into_iter().find(|known| known.name() == &*flow)?;
                Some(Self::Flow(get("Application")?, flow, get("Id")?))
            }
            _ => None,
        }
    }

    /// `StreamName=clicks,ShardId=…`.
    pub fn text(&self) -> String {
        self.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    }
}

/// CloudWatch's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Sum of the values.
    Sum,
    /// Mean of the values.
    Average,
    /// Largest value.
    #[serde(alias = "max")]
    Maximum,
    /// Smallest value.
    #[serde(alias = "min")]
    Minimum,
    /// Number of values.
    #[serde(alias = "count")]
    SampleCount,
}

/// A statistic set of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Sum of the values.
    pub sum: u64,
    /// Number of values.
    pub count: u64,
    /// Smallest value.
    pub min: u64,
    /// Largest value.
    pub max: u64,
}

impl Stats {
    const EMPTY: Self = Self { sum: 0, count: 0, min: u64::MAX, max: 0 };

    /// Takes another set in.
    pub(super) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The statistic in thousandths, so that averages stay integers.
    pub fn milli(self, statistic: Statistic) -> u64 {
        match statistic {
            Statistic::Sum => self.sum.saturating_mul(1000),
            Statistic::Average => self.sum.saturating_mul(1000) / self.count.max(1),
            Statistic::Maximum => self.max.saturating_mul(1000),
            Statistic::Minimum => {
                if self.count == 0 {
                    0
                } else {
                    self.min.saturating_mul(1000)
                }
            }
            Statistic::SampleCount => self.count.saturating_mul(1000),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Series {
    seconds: VecDeque<(u64, Stats)>,
    minutes: Vec<(u64, Stats)>,
}

impl Series {
    fn add(&mut self, now: VirtualTime, stats: Stats) {
        let second = now.secs();
        match self.seconds.back_mut() {
            Some((at, present)) if *at == second => present.merge(stats),
            _ => {
                if self.seconds.len() == SECONDS_KEPT {
                    self.seconds.pop_front();
                }
                self.seconds.push_back((second, stats));
            }
        }
        match self.minutes.last_mut() {
            Some((at, present)) if *at == second / 60 => present.merge(stats),
            _ => self.minutes.push((second / 60, stats)),
        }
    }

    fn over(&self, from: u64, to: u64) -> Stats {
        let mut total = Stats::EMPTY;
        for (_, stats) in self.seconds.iter().rev().skip_while(|(at, _)| *at >= to).take_while(|(at, _)| *at >= from) {
            total.merge(*stats);
        }
        total
    }
}

/// All series of the world.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    series: BTreeMap<(Metric, Dimensions), Series>,
}

impl Metrics {
    /// Adds `count` values that sum up to `sum`; all are taken as equal for minimum and maximum.
    pub fn add_many(&mut self, metric: Metric, dimensions: &Dimensions, now: VirtualTime, sum: u64, count: u64) {
        if count == 0 {
            return;
        }
        let mean = sum / count;
        let stats = Stats { sum, count, min: mean, max: mean };
        if let Some(series) = self.series.get_mut(&(metric, dimensions.clone())) {
            series.add(now, stats);
        } else {
            self.series.entry((metric, dimensions.clone())).or_default().add(now, stats);
        }
    }

    /// Adds one value.
    pub fn add(&mut self, metric: Metric, dimensions: &Dimensions, now: VirtualTime, value: u64) {
        self.add_many(metric, dimensions, now, value, 1);
    }

    /// Statistics over the whole seconds of the window that ends with the last whole second before `now`; `None` when nothing was ever
    /// measured (silence is not zero).
    pub fn over(&self, metric: Metric, dimensions: &Dimensions, now: VirtualTime, window: VirtualDuration) -> Option<Stats> {
        let to = now.secs();
        let from = to.saturating_sub(window.as_secs().max(1));
        self.series.get(&(metric, dimensions.clone())).map(|series| series.over(from, to))
    }

    /// Sum of each whole second of the window, oldest first.
    pub fn per_second(&self, metric: Metric, dimensions: &Dimensions, now: VirtualTime, seconds: usize) -> Vec<u64> {
        let to = now.secs();
        let from = to.saturating_sub(seconds as u64);
        let mut sums = vec![0; seconds];
        if let Some(series) = self.series.get(&(metric, dimensions.clone())) {
            for (at, stats) in series.seconds.iter().filter(|(at, _)| (from..to).contains(at)) {
                sums[(at - from) as usize] = stats.sum;
            }
        }
        sums
    }

    /// Sum of the last whole second of every series.
    pub fn last_second(&self, now: VirtualTime) -> impl Iterator<Item = (Metric, &Dimensions, u64)> {
        let second = now.secs().saturating_sub(1);
        self.series.iter().map(move |((metric, dimensions), series)| (*metric, dimensions, series.over(second, second + 1).sum))
    }

    /// Statistics of each minute of the run: (minutes since 1970, statistics).
    pub fn per_minute(&self, metric: Metric, dimensions: &Dimensions) -> &[(u64, Stats)] {
        self.series.get(&(metric, dimensions.clone())).map_or(&[], |series| &series.minutes)
    }

    /// What is measured, in a fixed order.
    pub fn names(&self) -> impl Iterator<Item = (Metric, &Dimensions)> {
        self.series.keys().map(|(metric, dimensions)| (*metric, dimensions))
    }

    /// Forgets the series of a deleted stream.
    pub fn forget_stream(&mut self, stream: &str) {
        self.series.retain(|(_, dimensions), _| match dimensions {
            Dimensions::Stream(name) | Dimensions::Shard(name, _) | Dimensions::FanoutConsumer(name, _) => &**name != stream,
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_seconds_before_now() {
        let mut metrics = Metrics::default();
        let stream = Dimensions::Stream("s".into());
        for second in 100..110 {
            metrics.add(Metric::IncomingRecords, &stream, VirtualTime(second * 1_000_000 + 5), second);
        }
        let now = VirtualTime(109 * 1_000_000 + 999_999);
        let stats = metrics.over(Metric::IncomingRecords, &stream, now, VirtualDuration::from_secs(3)).expect("measured");
        assert_eq!((stats.sum, stats.count, stats.min, stats.max), (106 + 107 + 108, 3, 106, 108));
        assert_eq!(metrics.per_second(Metric::IncomingRecords, &stream, now, 2), [107, 108]);
        assert_eq!(metrics.over(Metric::IncomingBytes, &stream, now, VirtualDuration::SECOND), None, "silence is not zero");
    }

    #[test]
    fn dimensions_read_what_they_write() {
        for dimensions in [
            Dimensions::Stream("a".into()),
            Dimensions::Shard("a".into(), 7),
            Dimensions::FanoutConsumer("a".into(), "c".into()),
            Dimensions::Producer("replay".into()),
            Dimensions::DeliveryStream("d".into()),
            Dimensions::Function("f".into()),
            Dimensions::Application("a".into()),
            Dimensions::Flow("a".into(), Flow::Output, "2.1".into()),
        ] {
            let mut pairs: Vec<(String, String)> = dimensions.pairs().into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            pairs.reverse();
            assert_eq!(Dimensions::from_pairs(&pairs), Some(dimensions));
        }
    }
}
