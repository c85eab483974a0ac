//! How the parts of an application are added, changed and taken away.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Env;
use super::application::{Application, Input, Reference, invalid, resource_of, text};
use super::source::{Reading, Source};
use crate::api::ServiceError;
use crate::engine::kinesis::Ctx;
use crate::engine::lambda::name_of;
use crate::engine::s3::S3;
use crate::engine::time::VirtualTime;
use crate::sql::decode::Schema;

/// The member of an input that names the function.
const PROCESSING: &str = "InputProcessingConfiguration";

/// The one source that an input names.
fn source_of(env: &Env<'_>, body: &Value) -> Result<Source, ServiceError> {
    let arn = |member: &str| body[member]["ResourceARN"].as_str();
    match (arn("KinesisStreamsInput"), arn("KinesisFirehoseInput")) {
        (Some(arn), None) => {
            let name = resource_of(arn);
            let found = env.kinesis.stream(name).map(|_| Source::Stream(name.to_owned()));
            found.ok_or_else(|| invalid(format!("The stream of the input does not exist: {arn}")))
        }
        (None, Some(arn)) => {
            let name = resource_of(arn);
            let found = env.firehose.stream(name).map(|_| Source::Firehose(name.to_owned()));
            found.ok_or_else(|| invalid(format!("The delivery stream of the input does not exist: {arn}")))
        }
        _ => Err(invalid("Exactly one of KinesisStreamsInput and KinesisFirehoseInput must be given")),
    }
}

fn processor_of(body: &Value) -> Option<String> {
    body[PROCESSING]["InputLambdaProcessor"]["ResourceARN"].as_str().map(str::to_owned)
}

/// Takes the members of an update; a source of another kind takes the place of the one before.
fn change_arn(body: &mut Value, member: &str, update: &Value) {
    if let Some(arn) = update["ResourceARNUpdate"].as_str() {
        if let Some(other) = ["KinesisStreamsInput", "KinesisFirehoseInput"].iter().find(|other| member.ends_with("Input") && **other != member)
            && let Some(body) = body.as_object_mut()
        {
            body.shift_remove(*other);
        }
        body[member]["ResourceARN"] = json!(arn);
    }
    if let Some(role) = update["RoleARNUpdate"].as_str() {
        body[member]["RoleARN"] = json!(role);
    }
}

impl Application {
    /// Connects a source.
    ///
    /// # Errors
    /// A second input, a missing source, a schema that cannot be.
    pub(super) fn add_input(&mut self, ctx: &mut Ctx<'_>, env: &Env<'_>, body: &Value) -> Result<(), ServiceError> {
        if self.input.is_some() {
            return Err(ServiceError::limit_exceeded("An application has one streaming source"));
        }
        let source = source_of(env, body)?;
        let schema = Schema::from_json(&body["InputSchema"]).map_err(|error| invalid(format!("InputSchema: {error}")))?;
        let id = self.next_id();
        let reads = source.text();
        self.input = Some(Input {
            id,
            body: body.clone(),
            prefix: text(body, "NamePrefix").to_owned(),
            processor: processor_of(body),
            source,
            parallelism: body["InputParallelism"]["Count"].as_u64().unwrap_or(1).clamp(1, 64) as usize,
            schema: Arc::new(schema),
        });
        self.touch(ctx.now);
        self.say(ctx, "connected", format!("reads {}{reads}", if reads.contains(' ') { "" } else { "stream " }), false);
        Ok(())
    }

    /// Sets or takes away the function that prepares the records of an input; a running application starts its state anew.
    ///
    /// # Errors
    /// There is no such input, or it has a function already, or none.
    pub(super) fn set_processing(&mut self, ctx: &mut Ctx<'_>, id: &str, processing: Option<&Value>, seed: u64) -> Result<(), ServiceError> {
        let input = self.input.as_mut().filter(|input| input.id == id).ok_or_else(|| invalid(format!("There is no input {id}")))?;
        let Some(body) = input.body.as_object_mut() else { return Ok(()) };
        match processing {
            Some(_) if body.contains_key(PROCESSING) => return Err(invalid(format!("Input {id} has an InputProcessingConfiguration already"))),
            Some(processing) => {
                body.insert(PROCESSING.to_owned(), processing.clone());
            }
            None => {
                body.shift_remove(PROCESSING).ok_or_else(|| invalid(format!("Input {id} has no InputProcessingConfiguration")))?;
            }
        }
        input.processor = processor_of(&input.body);
        let said = input.processor.as_deref().map_or_else(
            || "no function prepares the records any more".to_owned(),
            |function| format!("function {} prepares the records", name_of(function)),
        );
        self.touch(ctx.now);
        self.say(ctx, "updated", said, false);
        self.restart(ctx, seed)
    }

    fn touch(&mut self, now: VirtualTime) {
        self.version += 1;
        self.updated = now;
    }

    /// Names a log stream.
    pub fn add_logging(&mut self, option: &Value) {
        let id = self.next_id();
        self.logging.push((id, text(option, "LogStreamARN").to_owned(), text(option, "RoleARN").to_owned()));
    }

    /// Adds the reference table.
    ///
    /// # Errors
    /// A second table, a schema that cannot be, an object that is not there.
    pub fn add_reference(&mut self, ctx: &mut Ctx<'_>, s3: &S3, body: &Value, seed: u64) -> Result<(), ServiceError> {
        if self.reference.is_some() {
            return Err(ServiceError::limit_exceeded("An application has one reference table"));
        }
        let source = &body["S3ReferenceDataSource"];
        let schema = Schema::from_json(&body["ReferenceSchema"]).map_err(|error| invalid(format!("ReferenceSchema: {error}")))?;
        let id = self.next_id();
        self.reference = Some(Reference {
            id,
            body: body.clone(),
            table: text(body, "TableName").to_owned(),
            object: (text(source, "BucketARN").trim_start_matches("arn:aws:s3:::").to_owned(), text(source, "FileKey").to_owned()),
            schema: Arc::new(schema),
            rows: Vec::new(),
            refused: 0,
        });
        if let Err(error) = self.synchronise(ctx, s3).and_then(|()| self.restart(ctx, seed)) {
            self.reference = None;
            return Err(error);
        }
        self.touch(ctx.now);
        Ok(())
    }

    /// Reads the reference object again.
    pub(super) fn synchronise(&mut self, ctx: &mut Ctx<'_>, s3: &S3) -> Result<(), ServiceError> {
        let Some(reference) = &mut self.reference else { return Ok(()) };
        let (bucket, key) = reference.object.clone();
        let object = s3.object(&bucket, &key).ok_or_else(|| invalid(format!("s3://{bucket}/{key} does not exist")))?;
        reference.rows.clear();
        reference.refused = 0;
        for row in reference.schema.rows(&object.bytes) {
            match row {
                Ok(cells) => reference.rows.push(cells),
                Err(_) => reference.refused += 1,
            }
        }
        let text =
            format!("reference table {}: {} rows from s3://{bucket}/{key}, {} did not fit", reference.table, reference.rows.len(), reference.refused);
        self.say(ctx, "synchronised", text, false);
        Ok(())
    }

    /// Changes code, input or reference data; a running application starts its state anew.
    ///
    /// # Errors
    /// What cannot be; then nothing has changed.
    pub(super) fn update(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, body: &Value, seed: u64) -> Result<(), ServiceError> {
        let mut changed = self.clone();
        if let Some(code) = body["ApplicationCodeUpdate"].as_str() {
            code.clone_into(&mut changed.code);
        }
        for update in body["InputUpdates"].as_array().into_iter().flatten() {
            let input = changed
                .input
                .as_mut()
                .filter(|input| input.id == text(update, "InputId"))
                .ok_or_else(|| invalid(format!("There is no input {}", text(update, "InputId"))))?;
            if let Some(prefix) = update["NamePrefixUpdate"].as_str() {
                prefix.clone_into(&mut input.prefix);
                input.body["NamePrefix"] = json!(prefix);
            }
            if let Some(count) = update["InputParallelismUpdate"]["CountUpdate"].as_u64() {
                input.parallelism = count.clamp(1, 64) as usize;
                input.body["InputParallelism"] = json!({"Count": count});
            }
            for member in ["KinesisStreamsInput", "KinesisFirehoseInput"] {
                change_arn(&mut input.body, member, &update[format!("{member}Update")]);
            }
            let processing = &update["InputProcessingConfigurationUpdate"]["InputLambdaProcessorUpdate"];
            if processing.is_object() {
                if !input.body[PROCESSING].is_object() {
                    return Err(invalid(format!("Input {} has no InputProcessingConfiguration to update: add one", input.id)));
                }
                change_arn(&mut input.body[PROCESSING], "InputLambdaProcessor", processing);
            }
            input.source = source_of(env, &input.body)?;
            input.processor = processor_of(&input.body);
            let schema = &update["InputSchemaUpdate"];
            if schema.is_object() {
                for (member, name) in
                    [("RecordFormatUpdate", "RecordFormat"), ("RecordEncodingUpdate", "RecordEncoding"), ("RecordColumnUpdates", "RecordColumns")]
                {
                    if !schema[member].is_null() {
                        input.body["InputSchema"][name] = schema[member].clone();
                    }
                }
                input.schema = Arc::new(Schema::from_json(&input.body["InputSchema"]).map_err(|error| invalid(format!("InputSchema: {error}")))?);
            }
        }
        for update in body["OutputUpdates"].as_array().into_iter().flatten() {
            changed.update_output(update)?;
        }
        for update in body["ReferenceDataSourceUpdates"].as_array().into_iter().flatten() {
            let reference = changed
                .reference
                .as_mut()
                .filter(|reference| reference.id == text(update, "ReferenceId"))
                .ok_or_else(|| invalid(format!("There is no reference table {}", text(update, "ReferenceId"))))?;
            if let Some(key) = update["S3ReferenceDataSourceUpdate"]["FileKeyUpdate"].as_str() {
                key.clone_into(&mut reference.object.1);
            }
            if let Some(name) = update["TableNameUpdate"].as_str() {
                name.clone_into(&mut reference.table);
            }
            if update["ReferenceSchemaUpdate"].is_object() {
                reference.schema =
                    Arc::new(Schema::from_json(&update["ReferenceSchemaUpdate"]).map_err(|error| invalid(format!("ReferenceSchema: {error}")))?);
            }
            changed.synchronise(ctx, env.s3)?;
        }
        changed.check_code()?;
        changed.touch(ctx.now);
        changed.follow_source(env, self.input.as_ref().map(|input| &input.source))?;
        *self = changed;
        self.say(ctx, "updated", format!("version {}", self.version), false);
        self.restart(ctx, seed)
    }

    /// A running application with another source than before reads that one from now on.
    fn follow_source(&mut self, env: &mut Env<'_>, before: Option<&Source>) -> Result<(), ServiceError> {
        let Some(source) = self.input.as_ref().map(|input| input.source.clone()) else { return Ok(()) };
        if before == Some(&source) {
            return Ok(());
        }
        self.stopped_at = None;
        if let Some(Source::Firehose(name)) = before
            && let Some(stream) = env.firehose.stream_mut(name)
        {
            stream.taps.detach(&self.name);
        }
        if let Some(run) = &mut self.run {
            run.reading = Reading::from(env, &self.name, &source, "NOW", None)?;
        }
        Ok(())
    }
}
