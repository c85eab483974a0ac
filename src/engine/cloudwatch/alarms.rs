//! Metric alarms: once a minute each one compares the last periods of its metric with its threshold.
//!
//! Alarms of CloudWatch on the metrics of these services have periods of whole minutes; the state changes at the minute's end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::kinesis::Ctx;
use crate::engine::metrics::{Dimensions, Metric, Metrics, Statistic};
use crate::engine::schedule::Wake;
use crate::engine::time::VirtualTime;
use crate::engine::view::AlarmView;

use super::{namespace, statistic, value_error};

/// Alarms of one account.
const ALARMS_MAX: usize = 500;

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The threshold is not crossed.
    Ok,
    /// It is.
    Alarm,
    /// Nothing was measured.
    InsufficientData,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

#[derive(Debug, Clone)]
struct MetricAlarm {
    /// As it was given.
    body: Value,
    metric: Option<Metric>,
    dimensions: Option<Dimensions>,
    statistic: Statistic,
    period: u64,
    periods: u64,
    to_alarm: u64,
    /// In thousandths.
    threshold: i128,
    state: State,
    reason: String,
    since: VirtualTime,
}

/// All alarms.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    alarms: BTreeMap<String, MetricAlarm>,
    /// A look at the next minute is scheduled.
    ticking: bool,
}

fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body[name].as_str().unwrap_or_default()
}

impl MetricAlarm {
    fn read(now: VirtualTime, body: &Value) -> Result<Self, ServiceError> {
        let period = body["Period"].as_u64().unwrap_or(0);
        let periods = body["EvaluationPeriods"].as_u64().unwrap_or(1).max(1);
        let to_alarm = body["DatapointsToAlarm"].as_u64().unwrap_or(periods).max(1);
        if text(body, "MetricName").is_empty() || text(body, "Namespace").is_empty() {
            return Err(ServiceError::not_simulated("PutMetricAlarm with metric math"));
        }
        if period == 0 || !period.is_multiple_of(60) {
            return Err(value_error("Metric alarms on the metrics of these services have a Period that is a multiple of 60."));
        }
        if period.saturating_mul(periods) > 86_400 {
            return Err(value_error("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."));
        }
        if to_alarm > periods {
            return Err(value_error("DatapointsToAlarm cannot be higher than EvaluationPeriods"));
        }
        let statistic = statistic(text(body, "Statistic"))
            .ok_or_else(|| super::combination("One of the parameters Statistic and ExtendedStatistic must be specified."))?;
        let threshold = body["Threshold"]
            .as_f64()
            .filter(|value| value.is_finite())
            .ok_or_else(|| super::combination("The parameter Threshold must be specified."))?;
        let pairs: Vec<(String, String)> =
            body["Dimensions"].as_array().into_iter().flatten().map(|pair| (text(pair, "Name").to_owned(), text(pair, "Value").to_owned())).collect();
        // A metric that nobody measures is no error: the alarm waits for data.
        let dimensions = Dimensions::from_pairs(&pairs).filter(|dimensions| namespace(dimensions) == text(body, "Namespace"));
        Ok(Self {
            body: body.clone(),
            metric: Metric::from_name(text(body, "MetricName")),
            dimensions,
            statistic,
            period,
            periods,
            to_alarm,
            threshold: libm::round(threshold * 1000.0) as i128,
            state: State::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            since: now,
        })
    }

    /// Values of the last periods, newest first; `None` = nothing was measured.
    fn datapoints(&self, now: VirtualTime, metrics: &Metrics) -> Vec<Option<i128>> {
        let end = now.secs() / self.period * self.period;
        let minutes = self.metric.zip(self.dimensions.as_ref()).map_or(&[][..], |(metric, dimensions)| metrics.per_minute(metric, dimensions));
        (0..self.periods)
            .map(|back| {
                let to = end.saturating_sub(back * self.period);
                let from = to.saturating_sub(self.period);
                let mut inside = minutes.iter().filter(|(minute, _)| (from..to).contains(&(minute * 60))).map(|(_, stats)| *stats);
                let mut whole = inside.next()?;
                inside.for_each(|stats| whole.merge(stats));
                Some(i128::from(whole.milli(self.statistic)))
            })
            .collect()
    }

    fn crosses(&self, value: i128) -> bool {
        match text(&self.body, "ComparisonOperator") {
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            "LessThanOrEqualToThreshold" => value <= self.threshold,
            _ => value > self.threshold,
        }
    }

    /// The state that the last periods ask for, and why; `None` when it stays.
    fn judge(&self, now: VirtualTime, metrics: &Metrics) -> Option<(State, String)> {
        let points = self.datapoints(now, metrics);
        let known = points.iter().flatten().count() as u64;
        let missing = self.periods - known;
        let crossing = points.iter().flatten().filter(|value| self.crosses(**value)).count() as u64;
        let (state, counted) = match (text(&self.body, "TreatMissingData"), known) {
            ("breaching", _) => (if crossing + missing >= self.to_alarm { State::Alarm } else { State::Ok }, crossing + missing),
            ("notBreaching", _) => (if crossing >= self.to_alarm { State::Alarm } else { State::Ok }, crossing),
            ("ignore", 0) => return None,
            (_, 0) => (State::InsufficientData, 0),
            _ => (if crossing >= self.to_alarm { State::Alarm } else { State::Ok }, crossing),
        };
        if state == self.state {
            return None;
        }
        let number = |milli: i128| format!("{:?}", milli as f64 / 1000.0);
        let shown: Vec<String> = points.iter().flatten().map(|value| number(*value)).collect();
        let reason = if state == State::InsufficientData {
            format!("Insufficient Data: {missing} datapoints were unknown.")
        } else {
            let (verb, count) = if state == State::Alarm { ("was", counted) } else { ("was not", self.periods - counted) };
            let than = match text(&self.body, "ComparisonOperator") {
                "GreaterThanOrEqualToThreshold" => "greater than or equal to",
                "LessThanThreshold" => "less than",
                "LessThanOrEqualToThreshold" => "less than or equal to",
                _ => "greater than",
            };
            let points = if shown.is_empty() { "no datapoint".to_owned() } else { format!("[{}]", shown.join(", ")) };
            format!(
                "Threshold Crossed: {count} out of the last {} datapoints {points} {verb} {than} the threshold ({}).",
                self.periods,
                number(self.threshold)
            )
        };
        Some((state, reason))
    }
}

impl Alarms {
    /// Carries out an operation on alarms.
    ///
    /// # Errors
    /// `InvalidParameterValue`, `InvalidParameterCombination`, `LimitExceeded`, `ResourceNotFound`.
    pub fn call(&mut self, ctx: &mut Ctx<'_>, region: &str, account: &str, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        match call.operation.name {
            "PutMetricAlarm" => self.put(ctx, body),
            "DescribeAlarms" => Ok(self.describe(region, account, body)),
            _ => self.delete(body),
        }
    }

    fn put(&mut self, ctx: &mut Ctx<'_>, body: &Value) -> Result<Value, ServiceError> {
        let name = text(body, "AlarmName").to_owned();
        let mut alarm = MetricAlarm::read(ctx.now, body)?;
        if !self.alarms.contains_key(&name) && self.alarms.len() >= ALARMS_MAX {
            return Err(ServiceError::limit_exceeded("The maximum limit for alarms has already been reached"));
        }
        // A changed alarm keeps its state until it is looked at.
        if let Some(before) = self.alarms.get(&name) {
            (alarm.state, alarm.reason, alarm.since) = (before.state, before.reason.clone(), before.since);
        }
        ctx.journal.push(
            ctx.now,
            format!("alarm {name}"),
            "created",
            format!("watches {} of {}", text(body, "MetricName"), text(body, "Namespace")),
            false,
        );
        self.alarms.insert(name, alarm);
        if !self.ticking {
            self.ticking = true;
            ctx.schedule.at(next_minute(ctx.now), Wake::Alarms);
        }
        Ok(json!({}))
    }

    fn describe(&self, region: &str, account: &str, body: &Value) -> Value {
        let names: Vec<&str> = body["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let wanted = |name: &str, alarm: &MetricAlarm| {
            (names.is_empty() || names.contains(&name))
                && body["AlarmNamePrefix"].as_str().is_none_or(|prefix| name.starts_with(prefix))
                && body["StateValue"].as_str().is_none_or(|state| state == alarm.state.name())
        };
        let shown: Vec<Value> = self
            .alarms
            .iter()
            .filter(|(name, alarm)| wanted(name, alarm))
            .map(|(name, alarm)| {
                let mut shown = alarm.body.clone();
                shown["AlarmArn"] = json!(format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}"));
                shown["StateValue"] = json!(alarm.state.name());
                shown["StateReason"] = json!(alarm.reason);
                shown["StateUpdatedTimestamp"] = json!(alarm.since.millis() as f64 / 1000.0);
                shown
            })
            .collect();
        json!({"MetricAlarms": shown, "CompositeAlarms": []})
    }

    fn delete(&mut self, body: &Value) -> Result<Value, ServiceError> {
        let names: Vec<&str> = body["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(missing) = names.iter().find(|name| !self.alarms.contains_key(**name)) {
            return Err(ServiceError::new(ErrorCode::ResourceNotFoundException, format!("Alarm(s) do not exist: {missing}")));
        }
        for name in names {
            self.alarms.remove(name);
        }
        Ok(json!({}))
    }

    /// A minute is over.
    pub(in crate::engine) fn minute(&mut self, ctx: &mut Ctx<'_>) {
        for (name, alarm) in &mut self.alarms {
            if let Some((state, reason)) = alarm.judge(ctx.now, ctx.metrics) {
                let kind = match state {
                    State::Ok => "ok",
                    State::Alarm => "alarm",
                    State::InsufficientData => "no-data",
                };
                ctx.journal.push(
                    ctx.now,
                    format!("alarm {name}"),
                    kind,
                    format!("{} -> {}: {reason}", alarm.state.name(), state.name()),
                    state == State::Alarm,
                );
                (alarm.state, alarm.reason, alarm.since) = (state, reason, ctx.now);
            }
        }
        self.ticking = !self.alarms.is_empty();
        if self.ticking {
            ctx.schedule.at(next_minute(ctx.now), Wake::Alarms);
        }
    }

    /// All alarms for display.
    pub(in crate::engine) fn view(&self) -> Vec<AlarmView> {
        self.alarms
            .iter()
            .map(|(name, alarm)| AlarmView {
                name: name.clone(),
                metric: text(&alarm.body, "MetricName").to_owned(),
                dimensions: alarm.dimensions.as_ref().map_or_else(String::new, Dimensions::text),
                statistic: text(&alarm.body, "Statistic").to_owned(),
                period_secs: alarm.period,
                threshold_milli: u64::try_from(alarm.threshold).unwrap_or(0),
                state: alarm.state.name().to_owned(),
                reason: alarm.reason.clone(),
                since: alarm.since,
            })
            .collect()
    }
}

fn next_minute(now: VirtualTime) -> VirtualTime {
    VirtualTime::from_secs((now.secs() / 60 + 1) * 60)
}
