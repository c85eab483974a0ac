//! Sliders for the bill: what would another load, other shards, other records need and cost?

use crate::engine::cost::{Estimate, WhatIf};
use crate::engine::view::StreamView;
use crate::session::view::SessionView;

use super::app::App;
use super::text::{bytes, grouped};

/// The sliders with their chosen row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhatIfBox {
    /// Chosen slider.
    pub selected: usize,
    /// Their values.
    pub what: WhatIf,
    /// What they were at first: the stream as it is.
    pub present: WhatIf,
    limits: (u64, u64),
}

/// Names of the sliders.
pub const SLIDERS: [&str; 6] = ["open shards", "records/s", "bytes of a record", "records packed into one", "fan-out consumers", "retention"];

/// Retentions worth a look, hours.
const RETENTIONS: [u64; 4] = [24, 48, 168, 8760];

impl WhatIfBox {
    /// The sliders at the stream shown and its load of the last second.
    pub fn new(app: &App, view: &SessionView) -> Option<Self> {
        let stream: &StreamView = app.stream(view)?;
        let load = &stream.load;
        let (records, bytes) = (load.accepted_records + load.refused_records, load.accepted_bytes + load.refused_bytes);
        let packed = stream.shards.iter().filter_map(|shard| shard.last_record.as_ref()).map(|record| record.user_records).max().unwrap_or(1).max(1);
        let records = records.max(1) * packed;
        let what = WhatIf {
            shards: u64::from(stream.open_shards).max(1),
            records_per_second: records,
            record_bytes: if bytes == 0 { 500 } else { (bytes / records).max(1) },
            packed,
            fanout_consumers: u64::from(stream.fanout_consumers),
            retention_hours: u64::from(stream.retention_hours).max(24),
        };
        let limits = (stream.write_records_per_second, stream.write_bytes_per_second);
        Some(Self { selected: 0, what, present: what, limits })
    }

    /// Moves the chosen slider.
    pub fn shift(&mut self, up: bool) {
        let step = |value: u64, most: u64| if up { (value + 1).min(most) } else { value.saturating_sub(1) };
        // Large figures move by a tenth, to round ones.
        let tenth = |value: u64| {
            let by = 10u64.pow(value.max(10).ilog10().saturating_sub(1));
            if up { (value / by + 1) * by } else { (value.saturating_sub(1) / by * by).max(1) }
        };
        let what = &mut self.what;
        match self.selected {
            0 => what.shards = step(what.shards, 10_000).max(1),
            1 => what.records_per_second = tenth(what.records_per_second).min(10_000_000),
            2 => what.record_bytes = tenth(what.record_bytes).min(1 << 20),
            3 => what.packed = if up { (what.packed * 2).min(4096) } else { (what.packed / 2).max(1) },
            4 => what.fanout_consumers = step(what.fanout_consumers, 50),
            _ => {
                let at = RETENTIONS.partition_point(|hours| *hours < what.retention_hours);
                let to = if up { at + usize::from(RETENTIONS.get(at) == Some(&what.retention_hours)) } else { at.saturating_sub(1) };
                what.retention_hours = RETENTIONS[to.min(RETENTIONS.len() - 1)];
            }
        }
    }

    /// The value of a slider in words.
    pub fn value(what: &WhatIf, slider: usize) -> String {
        match slider {
            0 => grouped(what.shards),
            1 => grouped(what.records_per_second),
            2 => bytes(what.record_bytes),
            3 => grouped(what.packed),
            4 => grouped(what.fanout_consumers),
            _ => format!("{} h", what.retention_hours),
        }
    }

    /// What the values need and cost; and what the stream as it is does.
    pub fn estimates(&self) -> (Estimate, Estimate) {
        let of = |what: &WhatIf| what.estimate("us-east-1", self.limits.0, self.limits.1);
        (of(&self.what), of(&self.present))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::Look;
    use crate::tui::fixture;
    use crate::tui::ids::Screen;

    #[test]
    fn sliders_start_at_the_present_and_stay_in_bounds() {
        let view = fixture::lab1_throttled();
        let mut sliders = WhatIfBox::new(&App::new(Look::default(), Screen::Metrics, 80, 24), &view).expect("a stream");
        assert_eq!(sliders.what.shards, 6);
        let (now, present) = sliders.estimates();
        assert_eq!(now, present);
        for slider in 0..SLIDERS.len() {
            sliders.selected = slider;
            for up in [false, true] {
                for _ in 0..200 {
                    sliders.shift(up);
                    assert!(sliders.what.shards > 0 && sliders.what.packed > 0 && sliders.what.record_bytes > 0);
                }
            }
        }
        assert_eq!(sliders.what.retention_hours, 8760);
        assert!(sliders.estimates().0.total() > present.total());
    }
}
