//! When records come: rate shapes and the arrival process over them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::random::{Substream, poisson, unit};
use crate::engine::time::VirtualTime;

use super::duration::Dur;
use super::error::GenerateError;
use super::make::{Files, csv};

/// Microseconds of a slot in virtual time.
const SLOT_US: u64 = 100_000;
/// Microseconds of a slot in event time.
const EVENT_SLOT_US: u64 = 60_000_000;
/// Records of one slot at most: a typing error in a rate must not eat the memory.
const SLOT_RECORDS_MAX: u64 = 5_000_000;

/// `rate = { shape = … }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RateSpec {
    /// The same at all times.
    Constant {
        /// Records per second.
        per_second: f64,
    },
    /// From one rate to another, then steady.
    Ramp {
        /// Records per second at first.
        from: f64,
        /// Records per second at last.
        to: f64,
        /// How long the change takes.
        over: Dur,
    },
    /// Up and down.
    Sine {
        /// Mean records per second.
        mean: f64,
        /// Greatest distance from the mean.
        amplitude: f64,
        /// Length of one wave.
        period: Dur,
    },
    /// Rates from instants on.
    Steps {
        /// (since the start, records per second), rising.
        points: Vec<(Dur, f64)>,
    },
    /// A day curve of events, replayed faster than they happened.
    Profile {
        /// CSV file `hour,weight` with 24 rows.
        file: String,
        /// Events per day.
        per_day: f64,
        /// Event seconds per second.
        speedup: f64,
    },
    /// Mean and deviation per hour of the week, as the Kinesis Data Generator's periodic rate.
    GaussianWeek {
        /// CSV file `mu,sigma` with 168 rows, Monday 00 h first.
        file: String,
    },
    /// The instants of a file, replayed.
    Trace {
        /// File with one ISO 8601 time per line, rising.
        file: String,
        /// Event seconds per second.
        #[serde(default = "real_time")]
        speedup: f64,
    },
}

const fn real_time() -> f64 {
    1.0
}

/// `arrivals = "regular" | "poisson"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalsKind {
    /// Evenly spaced.
    #[default]
    Regular,
    /// At random.
    Poisson,
}

#[derive(Debug)]
enum Shape {
    Constant(f64),
    Ramp(f64, f64, f64),
    Sine(f64, f64, f64),
    Steps(Vec<(u64, f64)>),
    /// Events per second of event time by hour, and the hour offset of the origin in microseconds.
    Profile([f64; 24], u64),
    Week(Vec<(f64, f64)>, u64),
    Trace(Vec<u64>),
}

/// The arrivals of one slot.
#[derive(Debug)]
pub struct Slot<'s> {
    /// First microsecond of the slot on the axis.
    pub from: u64,
    /// First microsecond after it.
    pub to: u64,
    /// Arrivals on the axis, rising.
    pub offsets: &'s [u64],
}

/// An arrival process: a state machine over an axis in microseconds (event time for `profile` and `trace`, virtual time otherwise). Poisson
/// arrivals of a slot are a pure function of (seed, producer, slot, factor); regular ones carry an exact remainder.
#[derive(Debug, Clone)]
pub struct Arrivals {
    shape: Arc<Shape>,
    kind: ArrivalsKind,
    stream: Substream,
    slot: u64,
    slot_us: u64,
    /// Millionths of a record left over (regular arrivals).
    carry: u64,
    index: u64,
    speedup_permille: Option<u64>,
    offsets: Vec<u64>,
    finished: bool,
}

fn positive(name: &str, value: f64) -> Result<f64, GenerateError> {
    if value.is_finite() && (0.0..=1e9).contains(&value) {
        Ok(value)
    } else {
        Err(GenerateError::new(name, format!("{value} is no rate; write a number from 0 to 1000000000")))
    }
}

impl Arrivals {
    /// Compiles a rate. `origin` is the instant of the axis's zero: the event-time origin for `profile` and `trace`, the start of the world
    /// otherwise.
    ///
    /// # Errors
    /// The path into the rate and what is wrong there.
    pub fn compile(
        spec: &RateSpec,
        kind: ArrivalsKind,
        seed: u64,
        producer: &str,
        origin: VirtualTime,
        files: Files<'_>,
    ) -> Result<Self, GenerateError> {
        let mut speedup_permille = None;
        let mut speed = |value: f64| {
            if !(0.001..=1e6).contains(&value) {
                return Err(GenerateError::new("speedup", format!("{value} is no speed-up; write a number from 0.001 to 1000000")));
            }
            speedup_permille = Some(libm::round(value * 1000.0) as u64);
            Ok(())
        };
        let shape = match spec {
            RateSpec::Constant { per_second } => Shape::Constant(positive("per_second", *per_second)?),
            RateSpec::Ramp { from, to, over } => Shape::Ramp(positive("from", *from)?, positive("to", *to)?, over.0.0 as f64),
            RateSpec::Sine { mean, amplitude, period } => {
                Shape::Sine(positive("mean", *mean)?, positive("amplitude", *amplitude)?, period.0.0.max(1) as f64)
            }
            RateSpec::Steps { points } => {
                if points.is_empty() || points.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
                    return Err(GenerateError::new("points", "needs at least one point, at rising times"));
                }
                let points: Result<Vec<(u64, f64)>, _> =
                    points.iter().map(|(at, rate)| positive("points", *rate).map(|rate| (at.0.0, rate))).collect();
                Shape::Steps(points?)
            }
            RateSpec::Profile { file, per_day, speedup } => {
                speed(*speedup)?;
                let per_day = positive("per_day", *per_day)?;
                let mut weights = [f64::NAN; 24];
                for row in csv(files, file).map_err(|error| error.within("file"))? {
                    if let [hour, weight] = &row[..]
                        && let (Ok(hour), Ok(weight)) = (hour.parse::<usize>(), weight.parse::<f64>())
                        && hour < 24
                    {
                        weights[hour] = positive("file", weight)?;
                    }
                }
                let total: f64 = weights.iter().sum();
                if !total.is_finite() || total <= 0.0 {
                    return Err(GenerateError::new("file", format!("{file} must have the rows hour,weight for the hours 0 to 23")));
                }
                Shape::Profile(weights.map(|weight| weight / total * per_day / 3600.0), origin.0 % 86_400_000_000)
            }
            RateSpec::GaussianWeek { file } => {
                let rows: Vec<(f64, f64)> = csv(files, file)
                    .map_err(|error| error.within("file"))?
                    .iter()
                    .filter_map(|row| Some((row.first()?.parse().ok()?, row.get(1)?.parse().ok()?)))
                    .collect();
                if rows.len() != 168 {
                    return Err(GenerateError::new("file", format!("{file} has {} rows mu,sigma; a week has 168 hours", rows.len())));
                }
                for (mu, sigma) in &rows {
                    positive("file", *mu)?;
                    positive("file", *sigma)?;
                }
                // 1970-01-05 was a Monday.
                Shape::Week(rows, (origin.0 + 3 * 86_400_000_000) % (7 * 86_400_000_000))
            }
            RateSpec::Trace { file, speedup } => {
                speed(*speedup)?;
                let mut times = Vec::new();
                for row in csv(files, file).map_err(|error| error.within("file"))? {
                    let text = &row[0];
                    let at = crate::engine::time::parse_iso(text)
                        .ok_or_else(|| GenerateError::new("file", format!("{file}: '{text}' is no ISO 8601 time")))?;
                    times.push(at.since(origin).0);
                }
                if times.windows(2).any(|pair| pair[0] > pair[1]) {
                    return Err(GenerateError::new("file", format!("{file}: the times must rise")));
                }
                Shape::Trace(times)
            }
        };
        let event_time = matches!(shape, Shape::Profile(..) | Shape::Trace(_));
        Ok(Self {
            shape: Arc::new(shape),
            kind,
            stream: Substream::new(seed, &[producer, "arrivals"]),
            slot: 0,
            slot_us: if event_time { EVENT_SLOT_US } else { SLOT_US },
            carry: 0,
            index: 0,
            speedup_permille,
            offsets: Vec::new(),
            finished: false,
        })
    }

    /// The rate is given over event time.
    pub fn is_event_time(&self) -> bool {
        matches!(*self.shape, Shape::Profile(..) | Shape::Trace(_))
    }

    /// Event seconds per second of the description, in thousandths.
    pub fn speedup_permille(&self) -> Option<u64> {
        self.speedup_permille
    }

    /// Start of the next slot on the axis.
    pub fn axis(&self) -> u64 {
        self.slot * self.slot_us
    }

    /// Number of the first record of the next slot.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Nothing will come any more.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Goes on to the slot that holds an offset of the axis; the records before it count as passed.
    pub fn seek(&mut self, offset: u64) {
        while self.axis() + self.slot_us <= offset && !self.finished {
            self.next_slot(1000);
        }
    }

    /// Records expected in the next slot.
    fn expected(&self) -> f64 {
        let middle = (self.axis() + self.slot_us / 2) as f64;
        let seconds = self.slot_us as f64 / 1e6;
        let per_second = match &*self.shape {
            Shape::Constant(rate) => *rate,
            Shape::Ramp(from, to, over) => {
                if middle >= *over {
                    *to
                } else {
                    from + (to - from) * middle / over
                }
            }
            Shape::Sine(mean, amplitude, period) => (mean + amplitude * libm::sin(middle / period * std::f64::consts::TAU)).max(0.0),
            Shape::Steps(points) => points.iter().rev().find(|(at, _)| (*at as f64) <= middle).map_or(0.0, |(_, rate)| *rate),
            Shape::Profile(rates, origin) => rates[((origin + self.axis()) / 3_600_000_000 % 24) as usize],
            Shape::Week(hours, origin) => {
                let hour = (origin + self.axis()) / 3_600_000_000;
                let (mu, sigma) = hours[(hour % 168) as usize];
                (mu + sigma * crate::engine::random::normal(self.stream.child(7).bits(hour))).max(0.0)
            }
            Shape::Trace(_) => 0.0,
        };
        per_second * seconds
    }

    /// Makes the next slot, with the rate in thousandths of its own.
    pub fn next_slot(&mut self, factor_permille: u32) -> Slot<'_> {
        let from = self.axis();
        let to = from + self.slot_us;
        self.offsets.clear();
        if let Shape::Trace(times) = &*self.shape {
            let start = times.partition_point(|at| *at < from);
            self.offsets.extend(times[start..].iter().take_while(|at| **at < to));
            self.finished = times.last().is_none_or(|last| *last < to);
        } else {
            let expected = self.expected() * f64::from(factor_permille) / 1000.0;
            let stream = self.stream.child(self.slot);
            let count = match self.kind {
                ArrivalsKind::Poisson => poisson(self.stream, self.slot, expected),
                ArrivalsKind::Regular => {
                    let millionths = libm::round(expected * 1e6) as u64 + self.carry;
                    self.carry = millionths % 1_000_000;
                    millionths / 1_000_000
                }
            }
            .min(SLOT_RECORDS_MAX);
            // One arrival per equal piece of the slot, at a random place in it: sorted without sorting.
            let piece = self.slot_us as f64 / count.max(1) as f64;
            for i in 0..count {
                let jitter = if self.kind == ArrivalsKind::Poisson { unit(stream.bits(i)) } else { 0.5 };
                self.offsets.push(from + ((i as f64 + jitter) * piece) as u64);
            }
        }
        self.slot += 1;
        self.index += self.offsets.len() as u64;
        Slot { from, to, offsets: &self.offsets }
    }
}
