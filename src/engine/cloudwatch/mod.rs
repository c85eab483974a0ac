//! Amazon CloudWatch, as far as the metrics of the simulated services go: what is measured, and statistics by the minute.

pub mod alarms;

use serde_json::{Map, Value, json};

use crate::api::{Call, ErrorCode, ServiceError};
use crate::engine::metrics::{Dimensions, Metric, Metrics, Statistic, Stats};
use crate::engine::time::VirtualTime;

/// Datapoints of one call of GetMetricStatistics.
const DATAPOINTS_MAX: u64 = 1440;
/// Metrics of one page.
const PAGE: usize = 500;

/// The namespace of a series.
fn namespace(dimensions: &Dimensions) -> &'static str {
    match dimensions {
        Dimensions::Stream(_) | Dimensions::Shard(..) | Dimensions::FanoutConsumer(..) => "AWS/Kinesis",
        Dimensions::DeliveryStream(_) => "AWS/Firehose",
        Dimensions::Function(_) => "AWS/Lambda",
        Dimensions::Application(_) | Dimensions::Flow(..) => "AWS/KinesisAnalytics",
        // Of programs in the world, which report what the KPL, the agent and the lab's own tools do.
        Dimensions::Producer(_) | Dimensions::Consumer(_) => "kinlab",
    }
}

fn combination(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidParameterCombination, text)
}

fn value_error(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidParameterValue, text)
}

/// Carries out an operation.
///
/// # Errors
/// `InvalidParameterValue`, `InvalidParameterCombination`.
pub fn call(now: VirtualTime, metrics: &Metrics, call: &Call) -> Result<Value, ServiceError> {
    match call.operation.name {
        "ListMetrics" => list(metrics, &call.body),
        "GetMetricStatistics" => statistics(now, metrics, &call.body),
        "GetMetricData" => data(now, metrics, &call.body),
        other => Err(ServiceError::not_simulated(other)),
    }
}

fn list(metrics: &Metrics, body: &Value) -> Result<Value, ServiceError> {
    let wanted = |name: &str| body[name].as_str();
    let filters: Vec<(&str, Option<&str>)> = body["Dimensions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| (filter["Name"].as_str().unwrap_or_default(), filter["Value"].as_str()))
        .collect();
    let from = match wanted("NextToken") {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| value_error("The value for parameter NextToken is not valid"))?,
    };
    let fits = |(metric, dimensions): &(Metric, &Dimensions)| {
        let pairs = dimensions.pairs();
        wanted("Namespace").is_none_or(|name| name == namespace(dimensions))
            && wanted("MetricName").is_none_or(|name| name == metric.name())
            && filters.iter().all(|(name, value)| pairs.iter().any(|(known, present)| known == name && value.is_none_or(|value| value == present)))
    };
    let mut rest = metrics.names().filter(fits).skip(from);
    let shown: Vec<Value> = rest
        .by_ref()
        .take(PAGE)
        .map(|(metric, dimensions)| {
            let pairs: Vec<Value> = dimensions.pairs().into_iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
            json!({"Namespace": namespace(dimensions), "MetricName": metric.name(), "Dimensions": pairs})
        })
        .collect();
    let mut answer = json!({ "Metrics": shown });
    if rest.next().is_some() {
        answer["NextToken"] = json!((from + PAGE).to_string());
    }
    Ok(answer)
}

/// The span of a request: first instant, the one behind the last, and the period, all in seconds.
struct Span {
    from: u64,
    to: u64,
    period: u64,
}

impl Span {
    fn of(body: &Value, period: u64) -> Result<Self, ServiceError> {
        let seconds = |name: &str| body[name].as_f64().unwrap_or(0.0).max(0.0) as u64;
        let (from, to) = (seconds("StartTime"), seconds("EndTime"));
        if from >= to {
            return Err(value_error("The parameter StartTime must be less than the parameter EndTime."));
        }
        if period == 0 || !period.is_multiple_of(60) {
            return Err(value_error("The parameter Period must be a multiple of 60: the metrics of these services are kept by the minute."));
        }
        Ok(Self { from: from / period * period, to, period })
    }

    /// The periods with values, oldest first: their beginnings and statistic sets.
    fn periods(&self, now: VirtualTime, metrics: &Metrics, metric: &Value) -> Vec<(u64, Stats)> {
        let found = Metric::from_name(metric["MetricName"].as_str().unwrap_or_default());
        let pairs: Vec<(String, String)> = metric["Dimensions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| (pair["Name"].as_str().unwrap_or_default().to_owned(), pair["Value"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let (Some(found), Some(dimensions)) = (found, Dimensions::from_pairs(&pairs)) else { return Vec::new() };
        if metric["Namespace"].as_str() != Some(namespace(&dimensions)) {
            return Vec::new();
        }
        let mut periods: Vec<(u64, Stats)> = Vec::new();
        for (minute, stats) in metrics.per_minute(found, &dimensions) {
            let at = minute * 60;
            if at < self.from || at >= self.to || at > now.secs() {
                continue;
            }
            let begins = at / self.period * self.period;
            match periods.last_mut() {
                Some((last, whole)) if *last == begins => whole.merge(*stats),
                _ => periods.push((begins, *stats)),
            }
        }
        periods
    }
}

fn statistic(name: &str) -> Option<Statistic> {
    Some(match name {
        "Sum" => Statistic::Sum,
        "Average" => Statistic::Average,
        "Maximum" => Statistic::Maximum,
        "Minimum" => Statistic::Minimum,
        "SampleCount" => Statistic::SampleCount,
        _ => return None,
    })
}

fn number(stats: &Stats, statistic: Statistic) -> Value {
    json!(stats.milli(statistic) as f64 / 1000.0)
}

fn statistics(now: VirtualTime, metrics: &Metrics, body: &Value) -> Result<Value, ServiceError> {
    let span = Span::of(body, body["Period"].as_u64().unwrap_or(0))?;
    let wanted: Vec<(&str, Statistic)> =
        body["Statistics"].as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(|name| Some((name, statistic(name)?))).collect();
    if wanted.is_empty() {
        return Err(combination("At least one of the parameters Statistics and ExtendedStatistics must be specified."));
    }
    let count = (span.to - span.from).div_ceil(span.period);
    if count > DATAPOINTS_MAX {
        return Err(combination(format!(
            "You have requested up to {count} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let unit = Metric::from_name(body["MetricName"].as_str().unwrap_or_default()).map_or("None", Metric::unit);
    let points: Vec<Value> = span
        .periods(now, metrics, body)
        .iter()
        .map(|(at, stats)| {
            let mut point = Map::from_iter([("Timestamp".to_owned(), json!(at))]);
            point.extend(wanted.iter().map(|(name, statistic)| ((*name).to_owned(), number(stats, *statistic))));
            point.insert("Unit".to_owned(), json!(unit));
            Value::Object(point)
        })
        .collect();
    Ok(json!({"Label": body["MetricName"], "Datapoints": points}))
}

fn data(now: VirtualTime, metrics: &Metrics, body: &Value) -> Result<Value, ServiceError> {
    let mut results = Vec::new();
    for query in body["MetricDataQueries"].as_array().into_iter().flatten() {
        let stat = &query["MetricStat"];
        if !stat.is_object() {
            return Err(ServiceError::not_simulated("GetMetricData with an Expression"));
        }
        let name = stat["Stat"].as_str().unwrap_or_default();
        let wanted = statistic(name).ok_or_else(|| {
            value_error(format!("The value {name} for parameter Stat is not supported: Sum, Average, Minimum, Maximum or SampleCount."))
        })?;
        let mut periods = Span::of(body, stat["Period"].as_u64().unwrap_or(0))?.periods(now, metrics, &stat["Metric"]);
        if body["ScanBy"].as_str() != Some("TimestampAscending") {
            periods.reverse();
        }
        if query["ReturnData"].as_bool() == Some(false) {
            continue;
        }
        let label = query["Label"].as_str().or(stat["Metric"]["MetricName"].as_str()).unwrap_or_default();
        results.push(json!({
            "Id": query["Id"], "Label": label,
            "Timestamps": periods.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            "Values": periods.iter().map(|(_, stats)| number(stats, wanted)).collect::<Vec<_>>(),
            "StatusCode": "Complete"
        }));
    }
    Ok(json!({"MetricDataResults": results, "Messages": []}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_come_by_the_period() {
        let mut metrics = Metrics::default();
        let stream = Dimensions::Stream("s".into());
        for (second, value) in [(60, 5), (90, 7), (120, 1), (300, 9)] {
            metrics.add(Metric::IncomingBytes, &stream, VirtualTime::from_millis(second * 1000), value);
        }
        let now = VirtualTime::from_millis(400_000);
        let ask = |operation: &str, body: Value| super::call(now, &metrics, &Call::of("cloudwatch", operation, &body).expect("good"));
        let metric = json!({"Namespace": "AWS/Kinesis", "MetricName": "IncomingBytes", "Dimensions": [{"Name": "StreamName", "Value": "s"}]});
        let mut body = metric.clone();
        body["StartTime"] = json!(0);
        body["EndTime"] = json!(400);
        body["Period"] = json!(60);
        body["Statistics"] = json!(["Sum", "Average"]);
        let points = ask("GetMetricStatistics", body.clone()).expect("good");
        assert_eq!(points["Datapoints"][0], json!({"Timestamp": 60, "Sum": 12.0, "Average": 6.0, "Unit": "Bytes"}));
        assert_eq!(points["Datapoints"].as_array().map(Vec::len), Some(3));
        body["Period"] = json!(180);
        assert_eq!(ask("GetMetricStatistics", body.clone()).expect("good")["Datapoints"][0]["Sum"], 13.0);
        body["Period"] = json!(30);
        assert_eq!(ask("GetMetricStatistics", body.clone()).expect_err("too short").code, ErrorCode::InvalidParameterValue);
        let query = json!({"StartTime": 0, "EndTime": 400, "MetricDataQueries": [{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]});
        let data = ask("GetMetricData", query).expect("good");
        assert_eq!(
            (data["MetricDataResults"][0]["Timestamps"].clone(), data["MetricDataResults"][0]["Values"].clone()),
            (json!([300, 120, 60]), json!([9.0, 1.0, 12.0]))
        );
        let listed = ask("ListMetrics", json!({"Namespace": "AWS/Kinesis", "Dimensions": [{"Name": "StreamName"}]})).expect("good");
        assert_eq!(listed["Metrics"][0]["MetricName"], "IncomingBytes");
        assert_eq!(ask("ListMetrics", json!({"Namespace": "AWS/Firehose"})).expect("good")["Metrics"], json!([]));
    }
}
