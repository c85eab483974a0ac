//! Making and changing event source mappings.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{ErrorCode, ServiceError};
use crate::engine::firehose::prefix::uuid;
use crate::engine::kinesis::{Ctx, Kinesis};
use crate::engine::lambda::{Due, Lambda, missing, name_of};
use crate::engine::random::Substream;
use crate::engine::schedule::Wake;
use crate::engine::time::{VirtualDuration, VirtualTime};

use super::Mapping;

impl Lambda {
    pub(in crate::engine::lambda) fn create_mapping(
        &mut self,
        ctx: &mut Ctx<'_>,
        kinesis: &Kinesis,
        body: &Value,
        name: &str,
    ) -> Result<Value, ServiceError> {
        let wrong = |text: String| ServiceError::new(ErrorCode::InvalidParameterValueException, text);
        let (region, account) = (self.region.clone(), self.account.clone());
        let function = self.functions.get(name).ok_or_else(|| missing(name, &region, &account))?;
        let arn = body["EventSourceArn"].as_str().ok_or_else(|| wrong("EventSourceArn is required.".to_owned()))?;
        let stream = arn.split_once(":stream/").map_or("", |(_, stream)| stream).split('/').next().unwrap_or_default();
        if kinesis.stream(stream).is_none() {
            return Err(wrong(format!("Stream not found: {arn}")));
        }
        let position = body["StartingPosition"].as_str().ok_or_else(|| {
            wrong("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.".to_owned())
        })?;
        if self.mappings().any(|(_, mapping)| mapping.arn == arn && *mapping.function == *name) {
            return Err(ServiceError::new(
                ErrorCode::ResourceConflictException,
                format!(
                    "The event source arn (\" {arn} \") and function (\" {name} \") provided mapping already exists. Please update or delete the existing mapping."
                ),
            ));
        }
        check(body, None)?;
        let uuid = uuid(Substream::new(self.seed, &["mapping"]).child(self.mappings.len() as u64));
        let mut mapping = Mapping {
            uuid,
            function: function.name.clone(),
            stream: stream.to_owned(),
            arn: arn.to_owned(),
            enabled: body["Enabled"].as_bool().unwrap_or(true),
            run: 1,
            position: position.to_owned(),
            timestamp: body["StartingPositionTimestamp"].as_f64().map(|secs| VirtualTime((secs * 1e6) as u64)),
            batch_size: 100,
            window: VirtualDuration::ZERO,
            tumbling: VirtualDuration::ZERO,
            parallel: 1,
            retries: None,
            max_age: None,
            bisect: false,
            on_failure: None,
            report_failures: false,
            modified: ctx.now,
            result: "No records processed".to_owned(),
            readers: BTreeMap::new(),
            read: 0,
            kept: 0,
            dropped: 0,
            duplicates: 0,
            discarded: 0,
            age_ms: 0,
            batches: 0,
        };
        set(&mut mapping, body);
        let index = self.mappings.len();
        ctx.journal.push(
            ctx.now,
            format!("function {name}"),
            "mapped",
            format!("reads stream {stream} from {position}, {} records a batch", mapping.batch_size),
            false,
        );
        // A mapping that is new needs a moment; LATEST is the tip of that moment, not of this one.
        ctx.schedule.at(ctx.now + VirtualDuration::SECOND, Wake::Lambda { due: Due::Shards { mapping: index, run: mapping.run } });
        let mut shown = mapping.shown(&region, &account);
        shown["State"] = json!("Creating");
        self.mappings.push(Some(mapping));
        Ok(shown)
    }

    pub(in crate::engine::lambda) fn change_mapping(&mut self, ctx: &mut Ctx<'_>, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        let (region, account) = (self.region.clone(), self.account.clone());
        let uuid = body["UUID"].as_str().unwrap_or_default().to_owned();
        let index = self.mappings.iter().position(|mapping| mapping.as_ref().is_some_and(|mapping| mapping.uuid == uuid));
        let missing_mapping = || ServiceError::resource_not_found("The resource you requested does not exist.");
        let index = index.ok_or_else(missing_mapping)?;
        let name = body["FunctionName"].as_str().map(name_of);
        if let Some(name) = name.filter(|name| !self.functions.contains_key(*name)) {
            return Err(missing(name, &region, &account));
        }
        let mapping = self.mapping_mut(index).ok_or_else(missing_mapping)?;
        match operation {
            "UpdateEventSourceMapping" => {
                check(body, Some(mapping))?;
                set(mapping, body);
                if let Some(name) = name {
                    mapping.function = name.into();
                }
                mapping.modified = ctx.now;
                mapping.run += 1;
                // Batches under way end by themselves; every shard is looked at anew.
                let (run, text) = (
                    mapping.run,
                    format!("its mapping changed: {} records a batch, {}", mapping.batch_size, if mapping.enabled { "enabled" } else { "disabled" }),
                );
                ctx.journal.push(ctx.now, format!("function {}", mapping.function), "mapped", text, false);
                ctx.schedule.at(ctx.now, Wake::Lambda { due: Due::Shards { mapping: index, run } });
                Ok(mapping.shown(&region, &account))
            }
            "DeleteEventSourceMapping" => {
                let mut shown = mapping.shown(&region, &account);
                shown["State"] = json!("Deleting");
                self.mappings[index] = None;
                Ok(shown)
            }
            _ => Ok(mapping.shown(&region, &account)),
        }
    }
}

/// Refuses settings that do not go together.
fn check(body: &Value, old: Option<&Mapping>) -> Result<(), ServiceError> {
    let number = |name: &str, old: u64| body[name].as_u64().unwrap_or(old);
    let tumbling = number("TumblingWindowInSeconds", old.map_or(0, |old| old.tumbling.as_secs()));
    let parallel = number("ParallelizationFactor", old.map_or(1, |old| old.parallel as u64));
    if tumbling > 0 && parallel > 1 {
        let text = "ParallelizationFactor must be 1 when TumblingWindowInSeconds is set.";
        return Err(ServiceError::new(ErrorCode::InvalidParameterValueException, text));
    }
    Ok(())
}

/// Takes the settings of a request.
fn set(mapping: &mut Mapping, body: &Value) {
    let number = |name: &str| body[name].as_i64();
    if let Some(size) = number("BatchSize") {
        mapping.batch_size = size.max(1) as u64;
    }
    if let Some(window) = number("MaximumBatchingWindowInSeconds") {
        mapping.window = VirtualDuration::from_secs(window.max(0) as u64);
    }
    if let Some(tumbling) = number("TumblingWindowInSeconds") {
        mapping.tumbling = VirtualDuration::from_secs(tumbling.max(0) as u64);
    }
    if let Some(parallel) = number("ParallelizationFactor") {
        mapping.parallel = parallel.clamp(1, 10) as usize;
    }
    if let Some(retries) = number("MaximumRetryAttempts") {
        mapping.retries = u32::try_from(retries).ok();
    }
    if let Some(age) = number("MaximumRecordAgeInSeconds") {
        mapping.max_age = u64::try_from(age).ok().map(VirtualDuration::from_secs);
    }
    if let Some(bisect) = body["BisectBatchOnFunctionError"].as_bool() {
        mapping.bisect = bisect;
    }
    if let Some(place) = body["DestinationConfig"]["OnFailure"]["Destination"].as_str() {
        mapping.on_failure = Some(place.to_owned());
    }
    if let Some(types) = body["FunctionResponseTypes"].as_array() {
        mapping.report_failures = types.iter().any(|kind| kind == "ReportBatchItemFailures");
    }
    if let Some(enabled) = body["Enabled"].as_bool() {
        mapping.enabled = enabled;
    }
}
