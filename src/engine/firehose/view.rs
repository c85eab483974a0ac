//! A delivery stream for display.

use crate::engine::limits::Limits;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::{DeliveredView, DeliveryStreamView, SampleView};

use super::config::Serializer;
use super::stream::{Closed, DeliveryStream};

/// Objects shown.
const OBJECTS: usize = 50;

impl DeliveryStream {
    /// The delivery stream for display.
    pub fn view(&self, now: VirtualTime, limits: &Limits) -> DeliveryStreamView {
        let _ = limits;
        let settings = &self.settings;
        let buffers = self.buffers();
        let first = buffers.first().copied();
        let bytes = first.map_or(0, |buffer| buffer.bytes);
        let age = first.map_or(VirtualDuration::ZERO, |buffer| now.since(buffer.since));
        // When each hint would close the buffer, at the rate it has filled so far.
        let to_size = (bytes > 0 && age.0 > 0).then(|| {
            let missing = settings.size_bytes.saturating_sub(bytes);
            (u128::from(missing) * u128::from(age.0) / u128::from(bytes) / 1000) as u64
        });
        let to_interval = first.map(|buffer| (buffer.since + settings.interval).since(now).as_millis());
        let format = match &settings.conversion {
            Some(conversion) => match conversion.serializer {
                Serializer::Parquet { .. } => "Parquet".to_owned(),
                Serializer::Orc { .. } => "ORC".to_owned(),
            },
            None => match settings.s3.compression.encoding() {
                "" => "unconverted".to_owned(),
                encoding => encoding.to_owned(),
            },
        };
        let tally = self.tally;
        DeliveryStreamView {
            name: self.name.to_string(),
            status: self.status.name().to_owned(),
            source: self.source.as_ref().map_or_else(|| "Direct PUT".to_owned(), |source| format!("stream {}", source.stream)),
            source_stream: self.source.as_ref().map(|source| source.stream.clone()),
            destination: match settings.kind {
                super::config::Kind::S3 => format!("s3://{}/{}", settings.s3.bucket, settings.s3.prefix_text),
                kind => kind.title().to_owned(),
            },
            format,
            version: self.version,
            function: settings.processing.lambda.as_ref().map(|step| crate::engine::lambda::name_of(&step.arn).to_owned()),
            size_bytes: settings.size_bytes,
            interval_ms: settings.interval.as_millis(),
            buffer_bytes: bytes,
            buffer_records: first.map_or(0, |buffer| buffer.records.len() as u64),
            buffer_age_ms: age.as_millis(),
            buffers: buffers.len() as u64,
            to_size_ms: to_size,
            to_interval_ms: to_interval,
            oldest_ms: self.oldest().map(|oldest| now.since(oldest).as_millis()),
            transform_waiting: self.transform.waiting.len() as u64,
            transform_running: self.transform.running.len() as u64,
            transform_last: self.transform.last,
            samples: self
                .transform
                .samples
                .iter()
                .map(|sample| SampleView { before: sample.before.clone(), after: sample.after.clone(), result: sample.result.clone() })
                .collect(),
            accounting: vec![
                ("came in".to_owned(), (tally.incoming as i64 + tally.expanded).max(0) as u64),
                ("delivered".to_owned(), tally.delivered),
                ("failed".to_owned(), tally.failed),
                ("dropped".to_owned(), tally.dropped),
                ("lost".to_owned(), tally.lost),
                ("in function".to_owned(), self.in_transform()),
                ("buffered".to_owned(), self.buffered()),
                ("in flight".to_owned(), self.in_flight() + self.failing()),
            ],
            balanced: self.is_balanced(),
            throttled: tally.throttled,
            duplicates: tally.duplicates,
            incoming_bytes: tally.incoming_bytes,
            retries: self
                .retries()
                .into_iter()
                .map(|(attempts, error, since)| format!("{error}: {attempts} attempts since {}", since.clock_text()))
                .collect(),
            trouble: self.standin.trouble.map(|trouble| format!("{trouble:?}")),
            objects: self
                .objects
                .iter()
                .rev()
                .take(OBJECTS)
                .map(|object| DeliveredView {
                    at: object.at,
                    bucket: object.bucket.clone(),
                    key: object.key.clone(),
                    records: object.records,
                    bytes: object.bytes,
                    source_bytes: object.source_bytes,
                    by_size: object.closed == Closed::Size,
                    errors: object.errors,
                })
                .collect(),
            objects_total: self.objects.len() as u64,
            copies: self.copies.iter().rev().take(5).map(|(at, command, _)| format!("{} {command}", at.clock_text())).collect(),
            taken: self.standin.taken.iter().map(|(place, count)| (place.clone(), *count)).collect(),
        }
    }
}
