//! The running bill. Prices are data (`assets/prices.toml`); amounts are whole nano-dollars, so that sums never depend on order.

use std::collections::BTreeMap;

use super::view::{CostLine, CostView};

const PRICES: &str = include_str!("../../assets/prices.toml");
/// Nano-dollars per dollar.
pub const NANO: u64 = 1_000_000_000;
/// Bytes of a gigabyte in the price list.
const GB: u64 = 1 << 30;
/// Bytes of a PUT payload unit.
pub const PAYLOAD_UNIT_BYTES: u64 = 25 << 10;

/// Prices of one region in nano-dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// One open shard for a started hour.
    pub shard_hour: u64,
    /// One million payload units.
    pub payload_units_per_million: u64,
    /// One open shard for an hour of retention over 24 h.
    pub extended_retention_shard_hour: u64,
    /// One registered consumer on one open shard for an hour.
    pub fanout_shard_hour: u64,
    /// One GB delivered to fan-out consumers.
    pub fanout_gb: u64,
    /// One hour of an on-demand stream.
    pub on_demand_stream_hour: u64,
    /// One GB written to an on-demand stream.
    pub on_demand_gb_in: u64,
    /// One GB read from an on-demand stream.
    pub on_demand_gb_out: u64,
    /// One shard-level metric of one shard for a month of 730 hours.
    pub shard_level_metric_month: u64,
    /// One GB into a delivery stream, each record rounded up to 5 KB.
    pub firehose_gb: u64,
    /// One GB converted to a columnar format.
    pub firehose_conversion_gb: u64,
    /// One million calls of a function.
    pub lambda_requests_per_million: u64,
    /// One million GB-seconds of a function.
    pub lambda_gb_seconds_per_million: u64,
    /// One thousand PUT requests of S3.
    pub s3_puts_per_thousand: u64,
}

impl Prices {
    /// The prices of a region; regions without a table of their own take those of us-east-1.
    pub fn of(region: &str) -> Self {
        let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(PRICES).expect("assets/prices.toml is checked by a test");
        let table = tables.get(region).or_else(|| tables.get("us-east-1")).expect("us-east-1 has prices");
        let price = |item: &str| table.get(item).and_then(|text| nanodollars(text)).expect("every price is there: checked by a test");
        Self {
            shard_hour: price("shard_hour"),
            payload_units_per_million: price("put_payload_units_per_million"),
            extended_retention_shard_hour: price("extended_retention_shard_hour"),
            fanout_shard_hour: price("fanout_shard_hour"),
            fanout_gb: price("fanout_gb"),
            on_demand_stream_hour: price("on_demand_stream_hour"),
            on_demand_gb_in: price("on_demand_gb_in"),
            on_demand_gb_out: price("on_demand_gb_out"),
            shard_level_metric_month: price("shard_level_metric_month"),
            firehose_gb: price("firehose_gb"),
            firehose_conversion_gb: price("firehose_conversion_gb"),
            lambda_requests_per_million: price("lambda_requests_per_million"),
            lambda_gb_seconds_per_million: price("lambda_gb_seconds_per_million"),
            s3_puts_per_thousand: price("s3_puts_per_thousand"),
        }
    }
}

/// Reads a decimal amount of dollars.
fn nanodollars(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(NANO)?.checked_add(fraction)
}

/// PUT payload units of one record.
pub fn payload_units(bytes: u64) -> u64 {
    bytes.div_ceil(PAYLOAD_UNIT_BYTES).max(1)
}

/// Quantities billed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    prices: Prices,
    /// Started hours of open shards, provisioned.
    pub shard_hours: u64,
    /// Started hours of open shards with retention over 24 h.
    pub extended_shard_hours: u64,
    /// Payload units of provisioned streams.
    pub payload_units: u64,
    /// Started hours of consumer × shard.
    pub fanout_shard_hours: u64,
    /// Bytes delivered to fan-out consumers.
    pub fanout_bytes: u64,
    /// Started hours of on-demand streams.
    pub on_demand_hours: u64,
    /// Bytes written to on-demand streams, each record rounded up to 1 KB.
    pub on_demand_bytes_in: u64,
    /// Bytes read from on-demand streams, each record rounded up to 1 KB.
    pub on_demand_bytes_out: u64,
    /// Hours of shard-level metrics.
    pub shard_metric_hours: u64,
    /// Bytes into delivery streams, each record rounded up to 5 KB.
    pub firehose_bytes: u64,
    /// Bytes converted to a columnar format.
    pub firehose_converted_bytes: u64,
    /// Calls of functions.
    pub lambda_requests: u64,
    /// Memory of functions times their duration, MiB times milliseconds.
    pub lambda_mib_ms: u64,
    /// PUT requests of S3.
    pub s3_puts: u64,
}

/// What the present resources and the load of the last minute would cost for an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HourlyLoad {
    /// Open shards of provisioned streams.
    pub shards: u64,
    /// Of these, shards with retention over 24 h.
    pub extended_shards: u64,
    /// Payload units per hour.
    pub payload_units: u64,
    /// Registered consumers × open shards.
    pub fanout_shards: u64,
    /// Bytes per hour to fan-out consumers.
    pub fanout_bytes: u64,
    /// On-demand streams.
    pub on_demand_streams: u64,
    /// Bytes per hour into on-demand streams.
    pub on_demand_bytes_in: u64,
    /// Shard-level metrics switched on.
    pub shard_metrics: u64,
    /// Bytes per hour into delivery streams, rounded.
    pub firehose_bytes: u64,
    /// Bytes per hour converted.
    pub firehose_converted_bytes: u64,
    /// Calls of functions per hour.
    pub lambda_requests: u64,
    /// MiB times milliseconds per hour.
    pub lambda_mib_ms: u64,
}

impl Bill {
    /// An empty bill.
    pub fn new(region: &str) -> Self {
        Self {
            prices: Prices::of(region),
            shard_hours: 0,
            extended_shard_hours: 0,
            payload_units: 0,
            fanout_shard_hours: 0,
            fanout_bytes: 0,
            on_demand_hours: 0,
            on_demand_bytes_in: 0,
            on_demand_bytes_out: 0,
            shard_metric_hours: 0,
            firehose_bytes: 0,
            firehose_converted_bytes: 0,
            lambda_requests: 0,
            lambda_mib_ms: 0,
            s3_puts: 0,
        }
    }

    /// The bill and the forecast, drivers without any amount left out.
    pub fn view(&self, load: &HourlyLoad) -> CostView {
        let prices = &self.prices;
        let per = |quantity: u64, unit: u64, price: u64| (u128::from(quantity) * u128::from(price) / u128::from(unit)) as u64;
        let megabytes = |bytes: u64| format!("{}.{:02} MiB", bytes >> 20, ((bytes % (1 << 20)) * 100) >> 20);
        let rows = [
            (
                "shard hours",
                format!("{} started hours, {} open shards", self.shard_hours, load.shards),
                per(self.shard_hours, 1, prices.shard_hour),
                per(load.shards, 1, prices.shard_hour),
            ),
            (
                "PUT payload units",
                format!("{} units of 25 KiB", self.payload_units),
                per(self.payload_units, 1_000_000, prices.payload_units_per_million),
                per(load.payload_units, 1_000_000, prices.payload_units_per_million),
            ),
            (
                "extended retention",
                format!("{} shard hours over 24 h", self.extended_shard_hours),
                per(self.extended_shard_hours, 1, prices.extended_retention_shard_hour),
                per(load.extended_shards, 1, prices.extended_retention_shard_hour),
            ),
            (
                "fan-out shard hours",
                format!("{} consumer-shard hours", self.fanout_shard_hours),
                per(self.fanout_shard_hours, 1, prices.fanout_shard_hour),
                per(load.fanout_shards, 1, prices.fanout_shard_hour),
            ),
            (
                "fan-out data",
                megabytes(self.fanout_bytes),
                per(self.fanout_bytes, GB, prices.fanout_gb),
                per(load.fanout_bytes, GB, prices.fanout_gb),
            ),
            (
                "on-demand streams",
                format!("{} started hours", self.on_demand_hours),
                per(self.on_demand_hours, 1, prices.on_demand_stream_hour),
                per(load.on_demand_streams, 1, prices.on_demand_stream_hour),
            ),
            (
                "on-demand data in",
                megabytes(self.on_demand_bytes_in),
                per(self.on_demand_bytes_in, GB, prices.on_demand_gb_in),
                per(load.on_demand_bytes_in, GB, prices.on_demand_gb_in),
            ),
            ("on-demand data out", megabytes(self.on_demand_bytes_out), per(self.on_demand_bytes_out, GB, prices.on_demand_gb_out), 0),
            (
                "shard-level metrics",
                format!("{} metric-hours", self.shard_metric_hours),
                per(self.shard_metric_hours, 730, prices.shard_level_metric_month),
                per(load.shard_metrics, 730, prices.shard_level_metric_month),
            ),
            (
                "Firehose ingestion",
                format!("{}, each record rounded up to 5 KB", megabytes(self.firehose_bytes)),
                per(self.firehose_bytes, GB, prices.firehose_gb),
                per(load.firehose_bytes, GB, prices.firehose_gb),
            ),
            (
                "Firehose conversion",
                megabytes(self.firehose_converted_bytes),
                per(self.firehose_converted_bytes, GB, prices.firehose_conversion_gb),
                per(load.firehose_converted_bytes, GB, prices.firehose_conversion_gb),
            ),
            (
                "Lambda requests",
                format!("{} calls", self.lambda_requests),
                per(self.lambda_requests, 1_000_000, prices.lambda_requests_per_million),
                per(load.lambda_requests, 1_000_000, prices.lambda_requests_per_million),
            ),
            (
                "Lambda duration",
                format!("{} GB-seconds", self.lambda_mib_ms / 1024 / 1000),
                per(self.lambda_mib_ms / 1024, 1_000_000_000, prices.lambda_gb_seconds_per_million),
                per(load.lambda_mib_ms / 1024, 1_000_000_000, prices.lambda_gb_seconds_per_million),
            ),
            ("S3 PUT requests", format!("{} objects", self.s3_puts), per(self.s3_puts, 1000, prices.s3_puts_per_thousand), 0),
        ];
        let lines: Vec<CostLine> = rows
            .into_iter()
            .filter(|(_, _, so_far, per_hour)| so_far + per_hour > 0)
            .map(|(item, quantity, nanodollars, per_hour_nanodollars)| CostLine {
                item: item.to_owned(),
                quantity,
                nanodollars,
                per_hour_nanodollars,
            })
            .collect();
        CostView {
            total_nanodollars: lines.iter().map(|line| line.nanodollars).sum(),
            per_hour_nanodollars: lines.iter().map(|line| line.per_hour_nanodollars).sum(),
            lines,
        }
    }
}

/// A load to think about: what would it need and cost?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhatIf {
    /// Open shards.
    pub shards: u64,
    /// User records a second.
    pub records_per_second: u64,
    /// Bytes of a user record.
    pub record_bytes: u64,
    /// User records packed into one Kinesis record.
    pub packed: u64,
    /// Enhanced fan-out consumers.
    pub fanout_consumers: u64,
    /// Hours of retention.
    pub retention_hours: u64,
}

/// What a load needs and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Shards that take the load, and the limit that asks for them.
    pub needed: (u64, &'static str),
    /// Records a second that the shards of the question cannot take.
    pub refused_per_second: u64,
    /// Price drivers of a provisioned stream and nano-dollars per hour.
    pub lines: Vec<(&'static str, u64)>,
    /// The same load on an on-demand stream, nano-dollars per hour.
    pub on_demand: u64,
}

impl Estimate {
    /// Nano-dollars per hour of the provisioned stream.
    pub fn total(&self) -> u64 {
        self.lines.iter().map(|(_, nano)| nano).sum()
    }
}

impl WhatIf {
    /// What it needs and costs in a region, with a shard's write limits in records and bytes a second.
    pub fn estimate(&self, region: &str, shard_records: u64, shard_bytes: u64) -> Estimate {
        let prices = Prices::of(region);
        let per = |quantity: u64, unit: u64, price: u64| (u128::from(quantity) * u128::from(price) / u128::from(unit)) as u64;
        let packed = self.packed.max(1);
        let record_bytes = self.record_bytes.saturating_mul(packed);
        let records = self.records_per_second.div_ceil(packed);
        let bytes = self.records_per_second.saturating_mul(self.record_bytes);
        let by_records = records.div_ceil(shard_records.max(1)).max(1);
        let by_bytes = bytes.div_ceil(shard_bytes.max(1)).max(1);
        let needed = if by_bytes > by_records { (by_bytes, "bytes") } else { (by_records, "records") };
        let takes = (self.shards * shard_records * packed).min((self.shards * shard_bytes) / self.record_bytes.max(1));
        let kilobytes = |size: u64| size.div_ceil(1024).max(1) * 1024;
        let hourly_bytes = bytes.saturating_mul(3600);
        let fanout = hourly_bytes.saturating_mul(self.fanout_consumers);
        let mut lines = vec![
            ("shard hours", self.shards * prices.shard_hour),
            (
                "PUT payload units",
                per(records.saturating_mul(payload_units(record_bytes)).saturating_mul(3600), 1_000_000, prices.payload_units_per_million),
            ),
        ];
        if self.retention_hours > 24 {
            lines.push(("extended retention", self.shards * prices.extended_retention_shard_hour));
        }
        if self.fanout_consumers > 0 {
            lines.push(("fan-out shard hours", self.shards * self.fanout_consumers * prices.fanout_shard_hour));
            lines.push(("fan-out data", per(fanout, GB, prices.fanout_gb)));
        }
        let rounded = records.saturating_mul(kilobytes(record_bytes)).saturating_mul(3600);
        let on_demand = prices.on_demand_stream_hour + per(rounded, GB, prices.on_demand_gb_in) + per(rounded, GB, prices.on_demand_gb_out);
        Estimate { needed, refused_per_second: self.records_per_second.saturating_sub(takes), lines, on_demand }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_complete_and_exact() {
        assert_eq!(Prices::of("nowhere").shard_hour, 15_000_000);
        assert_eq!(nanodollars("0.0000166667"), None, "more than nine digits");
        assert_eq!(nanodollars("2"), Some(2 * NANO));
    }

    #[test]
    fn what_if_says_which_limit_binds_and_what_packing_saves() {
        let plain = WhatIf { shards: 6, records_per_second: 7_900, record_bytes: 450, packed: 1, fanout_consumers: 0, retention_hours: 24 };
        let estimate = plain.estimate("us-east-1", 1000, 1 << 20);
        assert_eq!((estimate.needed, estimate.refused_per_second), ((8, "records"), 1_900));
        assert_eq!(estimate.total() / 1_000_000, 488, "6 x $0.015 and 28.44 million units");
        let packed = WhatIf { packed: 50, ..plain }.estimate("us-east-1", 1000, 1 << 20);
        assert_eq!((packed.needed, packed.refused_per_second), ((4, "bytes"), 0));
        assert!(packed.total() * 4 < estimate.total());
        let fanned = WhatIf { fanout_consumers: 2, retention_hours: 168, ..plain }.estimate("us-east-1", 1000, 1 << 20);
        assert_eq!(fanned.lines.len(), 5);
    }

    #[test]
    fn payload_units_round_up_per_record() {
        assert_eq!([1, 5 << 10, 25 << 10, 26 << 10, 1 << 20].map(payload_units), [1, 1, 1, 2, 41]);
        assert_eq!(payload_units(0), 1);
    }

    #[test]
    fn twelve_plain_shards_and_six_aggregated_ones() {
        // The lab's figures: 7 900 records/s on 12 shards, or 12 times fewer on 6.
        let bill = Bill::new("us-east-1");
        let plain = bill.view(&HourlyLoad { shards: 12, payload_units: 7_900 * 3600, ..HourlyLoad::default() });
        assert_eq!(plain.per_hour_nanodollars / 1_000_000, 578);
        let aggregated = bill.view(&HourlyLoad { shards: 6, payload_units: 144 * 3600, ..HourlyLoad::default() });
        assert_eq!(aggregated.per_hour_nanodollars / 1_000_000, 97);
    }
}
