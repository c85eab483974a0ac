//! One value of a record: the compiled form of a generator kind.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::random::{QUANTILES, Substream, below, interpolate, normal, normal_quantiles, unit};
use crate::engine::time::VirtualTime;

use super::error::GenerateError;
use super::expr::Expr;
use super::number::TimeFormat;
use super::spec::{Axis, GenSpec};
use super::value::{Ready, Val};
use super::words::{self, Helper};

/// Files of a lab by name.
pub type Files<'f> = &'f dyn Fn(&str) -> Option<Arc<[u8]>>;

/// A box of coordinates: least and greatest longitude and latitude.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoBox {
    lon: (f64, f64),
    lat: (f64, f64),
}

/// Where a state leads: states, and cumulative weights.
type Transitions = (Box<[u32]>, Box<[u64]>);

/// How a value is made, compiled.
#[derive(Debug, Clone)]
pub enum Make {
    Const(Ready),
    Choice {
        values: Box<[Ready]>,
        thresholds: Box<[u64]>,
    },
    Int {
        min: i64,
        span: u64,
    },
    Uniform {
        min: f64,
        span: f64,
    },
    Normal {
        mean: f64,
        sd: f64,
        min: f64,
        max: f64,
    },
    /// Quantiles of the finished distribution.
    Quantiles(Box<[f64; QUANTILES + 1]>),
    Zipf {
        thresholds: Box<[u64]>,
        values: Option<Box<[Ready]>>,
    },
    Walk {
        start: f64,
        step: f64,
        min: f64,
        max: f64,
    },
    Seq {
        start: i64,
        step: i64,
        jump_every: u64,
        jump: i64,
    },
    Uuid,
    EventTime,
    Geo {
        stream: Substream,
        boxes: Box<[GeoBox]>,
        thresholds: Box<[u64]>,
        axis: Axis,
    },
    Expr(Expr),
    Lookup {
        rows: Box<[Ready]>,
    },
    LookupBy {
        keys: Box<[Box<str>]>,
        rows: Box<[Ready]>,
        field: usize,
    },
    Helper(Helper),
    State {
        entities: u64,
        length: u64,
        names: Box<[Ready]>,
        transitions: Box<[Transitions]>,
    },
}

/// Cumulative weights scaled to 2^64.
pub(super) fn thresholds(weights: &[f64]) -> Result<Box<[u64]>, GenerateError> {
    let total: f64 = weights.iter().sum();
    if weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0) || total <= 0.0 {
        return Err(GenerateError::new("weights", "weights must be numbers of 0 or more, and not all 0"));
    }
    let mut sum = 0.0;
    let mut thresholds: Vec<u64> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            (sum / total * 18_446_744_073_709_551_615.0) as u64
        })
        .collect();
    if let Some(last) = thresholds.last_mut() {
        *last = u64::MAX;
    }
    Ok(thresholds.into())
}

/// The index that random bits choose.
#[inline]
pub(super) fn pick(thresholds: &[u64], bits: u64) -> usize {
    if thresholds.len() <= 16 {
        thresholds.iter().take_while(|threshold| **threshold < bits).count().min(thresholds.len() - 1)
    } else {
        thresholds.partition_point(|threshold| *threshold < bits).min(thresholds.len() - 1)
    }
}

/// A finite number, or an error.
fn finite(name: &str, value: f64) -> Result<f64, GenerateError> {
    if value.is_finite() { Ok(value) } else { Err(GenerateError::new(name, "must be a finite number")) }
}

fn bounds(min: Option<f64>, max: Option<f64>) -> Result<(f64, f64), GenerateError> {
    let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
    if min > max {
        return Err(GenerateError::new("min", format!("{min} is more than max {max}")));
    }
    Ok((min, max))
}

/// Lines of a CSV file without comments, as cells.
pub(super) fn csv(files: Files<'_>, name: &str) -> Result<Vec<Vec<String>>, GenerateError> {
    let bytes = files(name).ok_or_else(|| GenerateError::new("", format!("the file {name} does not exist")))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| GenerateError::new("", format!("the file {name} is not UTF-8")))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(',').map(|cell| cell.trim().to_owned()).collect())
        .collect())
}

/// What a field needs to know of its surroundings.
pub(super) struct Context<'c> {
    pub seed: u64,
    pub generator: &'c str,
    pub names: &'c [&'c str],
    pub name: &'c str,
    pub round: Option<u32>,
    pub files: Files<'c>,
}

impl Make {
    pub(super) fn compile(spec: &GenSpec, context: &Context<'_>) -> Result<Self, GenerateError> {
        Ok(match spec {
            GenSpec::Const { value } => Self::Const(Ready::new(value)),
            GenSpec::Choice { values, weights } => {
                if values.is_empty() {
                    return Err(GenerateError::new("values", "must hold at least one value"));
                }
                let equal = vec![1.0; values.len()];
                let weights = weights.as_ref().unwrap_or(&equal);
                if weights.len() != values.len() {
                    return Err(GenerateError::new("weights", format!("{} weights for {} values", weights.len(), values.len())));
                }
                Self::Choice { values: values.iter().map(Ready::new).collect(), thresholds: thresholds(weights)? }
            }
            GenSpec::Uniform { min, max } => {
                let (min, max) = bounds(Some(finite("min", *min)?), Some(finite("max", *max)?))?;
                let whole = context.round.is_none() && min == libm::floor(min) && max == libm::floor(max) && max - min < 9e15 && min.abs() < 9e15;
                if whole { Self::Int { min: min as i64, span: (max - min) as u64 + 1 } } else { Self::Uniform { min, span: max - min } }
            }
            GenSpec::Normal { mean, sd, min, max } => {
                let (min, max) = bounds(*min, *max)?;
                Self::Normal { mean: finite("mean", *mean)?, sd: finite("sd", *sd)?, min, max }
            }
            GenSpec::Lognormal { mu, sigma, min, max } => {
                let (min, max) = bounds(*min, *max)?;
                let (mu, sigma) = (finite("mu", *mu)?, finite("sigma", *sigma)?);
                let table = normal_quantiles();
                Self::Quantiles(Box::new(std::array::from_fn(|i| libm::exp(mu + sigma * table[i]).clamp(min, max))))
            }
            GenSpec::Zipf { n, s, prefix } => {
                if *n == 0 || *n > 1_000_000 {
                    return Err(GenerateError::new("n", format!("{n} ranks; write 1 to 1000000")));
                }
                let s = finite("s", *s)?;
                let weights: Vec<f64> = (1..=*n).map(|rank| libm::pow(f64::from(rank), -s)).collect();
                let values = prefix.as_ref().map(|prefix| (1..=*n).map(|rank| Ready::new(&Value::String(format!("{prefix}{rank}")))).collect());
                Self::Zipf { thresholds: thresholds(&weights)?, values }
            }
            GenSpec::Walk { start, step, min, max } => {
                let (min, max) = bounds(*min, *max)?;
                Self::Walk { start: finite("start", *start)?, step: finite("step", *step)?, min, max }
            }
            GenSpec::Seq { start, step, jump_every, jump } => {
                Self::Seq { start: *start, step: *step, jump_every: jump_every.unwrap_or(u64::MAX).max(1), jump: jump.unwrap_or(0) }
            }
            GenSpec::Uuid => Self::Uuid,
            GenSpec::EventTime { start, .. } => {
                crate::engine::time::parse_iso(start)
                    .ok_or_else(|| GenerateError::new("start", format!("'{start}' is no ISO 8601 time; write 2010-01-01T22:36:00Z")))?;
                Self::EventTime
            }
            GenSpec::SimTime { .. } => Self::EventTime,
            GenSpec::Geo { boxes, axis } => Self::geo(boxes, *axis, context)?,
            GenSpec::Expr { expr } => Self::Expr(Expr::parse(expr, context.names).map_err(|error| error.within("expr"))?),
            GenSpec::Lookup { file, column, by } => Self::lookup(file, column, by.as_deref(), context)?,
            GenSpec::Faker { helper } => Self::Helper(words::helper(helper, None).map_err(|error| error.within("helper"))?),
            GenSpec::State { entities, length, states } => {
                if *entities == 0 || !(1..=64).contains(length) || states.is_empty() {
                    return Err(GenerateError::new("", "a state machine needs entities ≥ 1, length 1 to 64 and at least one state"));
                }
                let mut transitions = Vec::new();
                for (name, next) in states {
                    let mut targets = Vec::new();
                    for target in next.keys() {
                        let index = states
                            .get_index_of(target)
                            .ok_or_else(|| GenerateError::new(format!("states.{name}"), format!("no state is named '{target}'")))?;
                        targets.push(index as u32);
                    }
                    let weights: Vec<f64> = next.values().copied().collect();
                    let weights = if weights.is_empty() { Box::default() } else { thresholds(&weights)? };
                    transitions.push((targets.into_boxed_slice(), weights));
                }
                let names = states.keys().map(|name| Ready::new(&Value::String(name.clone()))).collect();
                Self::State { entities: *entities, length: *length, names, transitions: transitions.into() }
            }
        })
    }

    fn geo(file: &str, axis: Axis, context: &Context<'_>) -> Result<Self, GenerateError> {
        let mut boxes = Vec::new();
        let mut weights = Vec::new();
        for (line, cells) in csv(context.files, file).map_err(|error| error.within("boxes"))?.iter().enumerate() {
            let numbers: Vec<f64> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
            match numbers[..] {
                [weight, lon_min, lon_max, lat_min, lat_max] => {
                    weights.push(weight);
                    boxes.push(GeoBox { lon: (lon_min, lon_max), lat: (lat_min, lat_max) });
                }
                // The header.
                _ if line == 0 => {}
                _ => return Err(GenerateError::new("boxes", format!("{file}: row {} is not weight,lon_min,lon_max,lat_min,lat_max", line + 1))),
            }
        }
        if boxes.is_empty() {
            return Err(GenerateError::new("boxes", format!("{file} holds no box")));
        }
        let place = context.name.rsplit_once('_').map_or(context.name, |(place, _)| place);
        let stream = Substream::new(context.seed, &[context.generator, place, "box"]);
        Ok(Self::Geo { stream, boxes: boxes.into(), thresholds: thresholds(&weights)?, axis })
    }

    fn lookup(file: &str, column: &str, by: Option<&str>, context: &Context<'_>) -> Result<Self, GenerateError> {
        let mut rows = csv(context.files, file).map_err(|error| error.within("file"))?.into_iter();
        let header = rows.next().ok_or_else(|| GenerateError::new("file", format!("{file} is empty")))?;
        let at = header
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| GenerateError::new("column", format!("{file} has no column '{column}'; it has {}", header.join(", "))))?;
        let cell = |row: &[String]| {
            let text = row.get(at).map_or("", String::as_str);
            Ready::new(&serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| Value::String(text.to_owned()), Value::Number))
        };
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.is_empty() {
            return Err(GenerateError::new("file", format!("{file} has no rows below its header")));
        }
        let values: Box<[Ready]> = rows.iter().map(|row| cell(row)).collect();
        match by {
            None => Ok(Self::Lookup { rows: values }),
            Some(by) => {
                let field =
                    context.names.iter().position(|name| *name == by).ok_or_else(|| GenerateError::new("by", format!("no field is named '{by}'")))?;
                let keys = rows.iter().map(|row| row.first().map_or("", String::as_str).into()).collect();
                Ok(Self::LookupBy { keys, rows: values, field })
            }
        }
    }

    /// Fields that must be made before.
    pub(super) fn fields(&self, into: &mut Vec<usize>) {
        match self {
            Self::Expr(expr) => expr.fields(into),
            Self::LookupBy { field, .. } => into.push(*field),
            _ => {}
        }
    }

    /// All values of a constant or a choice.
    pub(super) fn ready(&self) -> Option<&[Ready]> {
        match self {
            Self::Const(ready) => Some(std::slice::from_ref(ready)),
            Self::Choice { values, .. } => Some(values),
            _ => None,
        }
    }

    /// Position among [`Self::ready`] of the value for record `index`.
    #[inline]
    pub(super) fn picked(&self, stream: Substream, index: u64) -> Val<'_> {
        match self {
            Self::Choice { thresholds, .. } => Val::Picked(pick(thresholds, stream.bits(index)) as u32),
            _ => Val::Picked(0),
        }
    }

    /// The value for record `index`.
    #[inline]
    pub(super) fn value<'v>(
        &'v self,
        stream: Substream,
        index: u64,
        event_time: VirtualTime,
        registers: &[Val<'v>],
        scratch: &mut Vec<u8>,
    ) -> Val<'v> {
        match self {
            Self::Const(ready) => Val::Ready(ready),
            Self::Choice { values, thresholds } => Val::Ready(&values[pick(thresholds, stream.bits(index))]),
            Self::Int { min, span } => Val::Int(min + below(stream.bits(index), *span) as i64),
            Self::Uniform { min, span } => Val::Num(min + span * unit(stream.bits(index))),
            Self::Normal { mean, sd, min, max } => Val::Num((mean + sd * normal(stream.bits(index))).max(*min).min(*max)),
            Self::Quantiles(table) => Val::Num(interpolate(table, stream.bits(index))),
            Self::Zipf { thresholds, values } => {
                let rank = pick(thresholds, stream.bits(index));
                values.as_ref().map_or(Val::Int(rank as i64 + 1), |values| Val::Ready(&values[rank]))
            }
            Self::Walk { start, step, min, max } => Val::Num((start + step * wander(stream, index)).max(*min).min(*max)),
            Self::Seq { start, step, jump_every, jump } => {
                let jumps = (index / jump_every) as i64;
                Val::Int(start.wrapping_add(step.wrapping_mul(index as i64)).wrapping_add(jump.wrapping_mul(jumps)))
            }
            Self::Uuid => {
                let from = scratch.len() as u32;
                words::write_uuid(stream, index, scratch);
                Val::Scratch(from, scratch.len() as u32)
            }
            Self::EventTime => Val::Time(event_time),
            Self::Geo { stream: place, boxes, thresholds, axis } => {
                let chosen = &boxes[pick(thresholds, place.bits(index))];
                let (min, max) = match axis {
                    Axis::Lon => chosen.lon,
                    Axis::Lat => chosen.lat,
                };
                Val::Num(min + (max - min) * unit(stream.bits(index)))
            }
            Self::Expr(expr) => expr.eval(registers),
            Self::Lookup { rows } => Val::Ready(&rows[below(stream.bits(index), rows.len() as u64) as usize]),
            Self::LookupBy { keys, rows, field } => {
                let mut text = Vec::new();
                write_raw(registers[*field], scratch, &TimeFormat::IsoSeconds, 6, &mut text);
                keys.iter().position(|key| key.as_bytes() == text).map_or(Val::Null, |at| Val::Ready(&rows[at]))
            }
            Self::Helper(helper) => {
                let from = scratch.len() as u32;
                match helper.write(stream, index, event_time, scratch) {
                    Some(value) => value,
                    None => Val::Scratch(from, scratch.len() as u32),
                }
            }
            Self::State { entities, length, names, transitions } => {
                let (entity, step) = (index % entities, index / entities);
                let (session, steps) = (step / length, step % length);
                let walk = stream.child(entity).child(session);
                let mut state = 0u32;
                for step in 0..steps {
                    let (targets, weights) = &transitions[state as usize];
                    if !targets.is_empty() {
                        state = targets[pick(weights, walk.bits(step))];
                    }
                }
                Val::Ready(&names[state as usize])
            }
        }
    }
}

/// A curve that wanders: noise of doubling wavelengths, as a sum of interpolated lattice values.
fn wander(stream: Substream, index: u64) -> f64 {
    let mut sum = 0.0;
    let mut size = 1.0;
    for octave in 0..20u64 {
        let cell = index >> octave;
        let fraction = (index & ((1 << octave) - 1)) as f64 / (1u64 << octave) as f64;
        let lattice = stream.child(octave);
        let (a, b) = (unit(lattice.bits(cell)) * 2.0 - 1.0, unit(lattice.bits(cell + 1)) * 2.0 - 1.0);
        sum += size * (a + (b - a) * fraction);
        size *= std::f64::consts::SQRT_2;
    }
    sum
}

/// Appends a value as text without quotes.
pub(super) fn write_raw(value: Val<'_>, scratch: &[u8], format: &TimeFormat, decimals: u32, out: &mut Vec<u8>) {
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Val::Int(value) => super::number::write_int(value, out),
        Val::Num(value) => super::number::write_decimal(value, decimals, out),
        Val::Text(text) => out.extend_from_slice(text.as_bytes()),
        Val::Time(at) => format.write(at, out),
        Val::Ready(ready) => out.extend_from_slice(ready.raw.as_bytes()),
        Val::Picked(_) => {}
        Val::Scratch(from, to) => out.extend_from_slice(&scratch[from as usize..to as usize]),
    }
}
