//! Where a producer's records come from: a generator with an arrival process, or records ingested from outside.

use std::collections::VecDeque;

use crate::engine::command::Ingested;
use crate::engine::generate::Arrivals;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::settings::Settings;

/// A record that is due.
#[derive(Debug, Clone)]
pub enum Due {
    /// Record `index` of the generator, for an event time.
    Generated {
        /// Generator version.
        generator: u16,
        /// Index in the generator's sequence.
        index: u64,
        /// Event time.
        event_time: VirtualTime,
    },
    /// A record from outside.
    Outside(Ingested),
}

/// A generated feed.
#[derive(Debug, Clone)]
struct Generated {
    name: String,
    generator: u16,
    template: Arrivals,
    arrivals: Arrivals,
    /// Event time of the axis's origin; `None` = the axis is virtual time since the start.
    event_origin: Option<VirtualTime>,
    started: VirtualTime,
    speedup_permille: u64,
    index: u64,
    slot: VecDeque<u64>,
}

/// A source.
#[derive(Debug, Clone)]
pub struct Source {
    generated: Option<Generated>,
    outside: VecDeque<Ingested>,
    open: bool,
}

impl Source {
    /// Records of a generator.
    pub fn generated(name: &str, generator: u16, arrivals: Arrivals, event_origin: Option<VirtualTime>) -> Self {
        let generated = Generated {
            name: name.to_owned(),
            generator,
            template: arrivals.clone(),
            arrivals,
            event_origin,
            started: VirtualTime(0),
            speedup_permille: 1000,
            index: 0,
            slot: VecDeque::new(),
        };
        Self { generated: Some(generated), outside: VecDeque::new(), open: true }
    }

    /// Records from outside.
    pub fn outside() -> Self {
        Self { generated: None, outside: VecDeque::new(), open: true }
    }

    /// Begins at the start of the sequence (or at the `seek` of the settings).
    pub fn start(&mut self, now: VirtualTime, settings: &Settings) {
        if let Some(generated) = &mut self.generated {
            generated.arrivals = generated.template.clone();
            generated.slot.clear();
            generated.started = now;
            generated.index = 0;
            generated.speedup_permille = settings.speedup_permille.or(generated.template.speedup_permille()).unwrap_or(1000).max(1);
            if let (Some(seek), Some(origin)) = (settings.seek, generated.event_origin) {
                let offset = seek.since(origin);
                generated.arrivals.seek(offset.0);
                // The schedule begins at the place sought: it is due now.
                let virtual_us = u128::from(offset.0) * 1000 / u128::from(generated.speedup_permille);
                generated.started = VirtualTime(now.0.saturating_sub(virtual_us as u64));
                generated.index = generated.arrivals.index();
            }
        }
    }

    /// Takes records from outside.
    pub fn ingest(&mut self, records: &[Ingested]) {
        self.outside.extend(records.iter().cloned());
    }

    /// No more records will come from outside.
    pub fn end_of_input(&mut self) {
        self.open = false;
    }

    /// The generator version in use.
    pub fn generator(&self) -> Option<u16> {
        self.generated.as_ref().map(|generated| generated.generator)
    }

    /// Nothing will ever come again.
    pub fn is_finished(&self) -> bool {
        self.outside.is_empty() && !self.open && self.generated.is_none()
    }

    /// A new version of the generator takes over.
    pub fn replace_generator(&mut self, name: &str, id: u16) {
        if let Some(generated) = self.generated.as_mut().filter(|generated| generated.name == name) {
            generated.generator = id;
        }
    }

    /// The event-time origin, for sources with an event-time axis.
    pub fn has_event_time(&self) -> bool {
        self.generated.as_ref().is_some_and(|generated| generated.event_origin.is_some())
    }

    /// When an event time is due.
    pub fn due_at(&self, event_time: VirtualTime) -> Option<VirtualTime> {
        let generated = self.generated.as_ref()?;
        let origin = generated.event_origin?;
        Some(generated.due(event_time.since(origin).0))
    }

    /// When the next record is due, as far as it is known.
    pub fn next_due(&mut self, factor_permille: u32) -> Option<VirtualTime> {
        if !self.outside.is_empty() {
            return Some(VirtualTime(0));
        }
        let generated = self.generated.as_mut()?;
        generated.fill(factor_permille);
        generated.slot.front().map(|axis| generated.due(*axis)).or_else(|| Some(generated.due(generated.arrivals.axis())))
    }

    /// Event time of the next generated record.
    pub fn next_event_time(&self) -> Option<VirtualTime> {
        let generated = self.generated.as_ref()?;
        let axis = generated.slot.front().copied().unwrap_or_else(|| generated.arrivals.axis());
        generated.event_origin.map(|origin| origin + VirtualDuration(axis))
    }

    /// Takes the next record if it is due.
    pub fn take(&mut self, now: VirtualTime, factor_permille: u32) -> Option<Due> {
        if let Some(record) = self.outside.pop_front() {
            return Some(Due::Outside(record));
        }
        let generated = self.generated.as_mut()?;
        // Slots without arrivals are passed over, but never beyond the present.
        while generated.slot.is_empty() {
            if generated.due(generated.arrivals.axis()) > now || generated.arrivals.is_finished() {
                return None;
            }
            generated.fill(factor_permille);
        }
        let axis = *generated.slot.front()?;
        let due = generated.due(axis);
        if due > now {
            return None;
        }
        generated.slot.pop_front();
        let index = generated.index;
        generated.index += 1;
        let event_time = generated.event_origin.map_or(due, |origin| origin + VirtualDuration(axis));
        Some(Due::Generated { generator: generated.generator, index, event_time })
    }
}

impl Generated {
    fn due(&self, axis: u64) -> VirtualTime {
        let virtual_us = u128::from(axis) * 1000 / u128::from(self.axis_speed());
        VirtualTime(self.started.0.saturating_add(virtual_us as u64))
    }

    /// Axis microseconds per virtual microsecond, in thousandths.
    fn axis_speed(&self) -> u64 {
        if self.event_origin.is_some() { self.speedup_permille } else { 1000 }
    }

    fn fill(&mut self, factor_permille: u32) {
        if self.slot.is_empty() && !self.arrivals.is_finished() {
            let slot = self.arrivals.next_slot(factor_permille);
            self.slot.extend(slot.offsets.iter().copied());
        }
    }
}
