//! Words for SQL applications: `app create`, `app connect`, `app discover`, `app column`, `app run`, `app rows` …: each makes the AWS calls that the
//! console made behind its buttons.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::api::ServiceError;
use crate::api::cli::FileSource;

use super::driver::Outcome;
use super::play::{Session, SessionFiles};

const USAGE: &str = "\
app create NAME                     a new application
app discover NAME STREAM            find the schema of a stream from samples, and connect it; firehose:DELIVERY for a delivery stream
app process NAME FUNCTION|none      let a function prepare the records of the input
app column NAME COLUMN TYPE         change a column of the input schema
app run NAME FILE …                 save the code of the files and run it      app start|stop NAME
app rows NAME [STREAM [COUNT]]      the newest rows of an in-application stream
app output NAME IN_APP_STREAM firehose:DELIVERY|stream:NAME|lambda:NAME [JSON|CSV]
app reference NAME TABLE s3://BUCKET/KEY      app sync NAME
app check NAME FILE …   app columns NAME   apps";

/// An application that is less behind its source than that is not told of.
const BEHIND_MS: u64 = 2000;

fn call(session: &mut Session, operation: &str, body: &Value) -> Result<Value, ServiceError> {
    session.call_service("kinesisanalytics", operation, body)
}

fn refused(error: &ServiceError) -> Outcome {
    Outcome { message: format!("{}: {}", error.code, error.message), failed: true, status: 254, ..Outcome::default() }
}

/// Carries out the words behind `app`.
pub(super) fn carry_out(session: &mut Session, words: &[&str]) -> Outcome {
    let region = session.engine.config().region.clone();
    let account = session.engine.config().account.clone();
    let source = |name: &str| match name.strip_prefix("firehose:") {
        Some(name) => ("KinesisFirehoseInput", format!("arn:aws:firehose:{region}:{account}:deliverystream/{name}")),
        None => ("KinesisStreamsInput", format!("arn:aws:kinesis:{region}:{account}:stream/{name}")),
    };
    let done = match words {
        ["create", name, ..] => {
            call(session, "CreateApplication", &json!({"ApplicationName": name})).map(|_| Outcome::said(format!("Application {name} is READY.")))
        }
        ["discover" | "connect", name, stream] => discover(session, name, &source(stream)),
        ["process", name, function] => process(session, name, function, &format!("arn:aws:lambda:{region}:{account}:function:{function}")),
        ["column", name, column, kind @ ..] if !kind.is_empty() => column_type(session, name, column, &kind.join(" ")),
        ["columns", name] => Ok(columns(session, name)),
        ["run", name, files @ ..] if !files.is_empty() => run(session, name, files),
        ["check", name, files @ ..] if !files.is_empty() => check(session, name, files),
        ["start", name] => call(session, "StartApplication", &start_body(name)).map(|_| Outcome::said(format!("Application {name} is STARTING."))),
        ["stop", name] => {
            call(session, "StopApplication", &json!({"ApplicationName": name})).map(|_| Outcome::said(format!("Application {name} is READY again.")))
        }
        ["rows", name, rest @ ..] => Ok(rows(session, name, rest)),
        ["output", name, stream, to, rest @ ..] => output(session, name, stream, to, rest.first().copied().unwrap_or("JSON"), (&region, &account)),
        ["reference", name, table, place] => reference(session, name, table, place),
        ["sync", name] => sync(session, name),
        _ => return Outcome::refused(USAGE),
    };
    done.unwrap_or_else(|error| refused(&error))
}

fn start_body(name: &str) -> Value {
    json!({"ApplicationName": name, "InputConfigurations": [{"Id": "1.1", "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"}}]})
}

fn version(session: &Session, name: &str) -> Value {
    json!(session.engine.services().analytics.application(name).map_or(0, |application| application.version))
}

fn discover(session: &mut Session, name: &str, (member, arn): &(&str, String)) -> Result<Outcome, ServiceError> {
    let existing = session.engine.services().analytics.application(name).and_then(|application| application.input.clone());
    let mut request = json!({"ResourceARN": arn, "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"}});
    if let Some(processing) = existing.as_ref().map(|input| &input.body["InputProcessingConfiguration"]).filter(|body| body.is_object()) {
        request["InputProcessingConfiguration"] = processing.clone();
    }
    let found = call(session, "DiscoverInputSchema", &request)?;
    let mut text = String::new();
    for note in found["Notes"].as_array().into_iter().flatten() {
        let column = note["Name"].as_str().unwrap_or_default();
        let kind = found["InputSchema"]["RecordColumns"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|c| c["Name"] == column)
            .and_then(|c| c["SqlType"].as_str())
            .unwrap_or_default();
        let share = note["Share"].as_f64().unwrap_or(0.0) * 100.0;
        let risk = note["Note"].as_str().filter(|note| !note.is_empty()).map_or_else(String::new, |note| format!("  ! {note}"));
        let _ = writeln!(text, "{column:<22} {kind:<16} in {share:>3.0} %{risk}");
    }
    let schema = found["InputSchema"].clone();
    match existing {
        Some(input) => {
            let update = json!({"InputId": input.id, format!("{member}Update"): {"ResourceARNUpdate": arn}, "InputSchemaUpdate": {"RecordFormatUpdate": schema["RecordFormat"], "RecordColumnUpdates": schema["RecordColumns"]}});
            let current = version(session, name);
            call(
                session,
                "UpdateApplication",
                &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ApplicationUpdate": {"InputUpdates": [update]}}),
            )?;
        }
        None => {
            let input = json!({"NamePrefix": "SOURCE_SQL_STREAM", *member: {"ResourceARN": arn}, "InputSchema": schema});
            let current = version(session, name);
            call(session, "AddApplicationInput", &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "Input": input}))?;
        }
    }
    let _ = writeln!(
        text,
        "{} columns; the stream is connected as SOURCE_SQL_STREAM_001.",
        found["InputSchema"]["RecordColumns"].as_array().map_or(0, Vec::len)
    );
    session.note_act("app discover");
    Ok(Outcome::data(text))
}

/// Lets a function prepare the records of the input, another one than before, or none any more.
fn process(session: &mut Session, name: &str, function: &str, arn: &str) -> Result<Outcome, ServiceError> {
    let known = session.engine.services().analytics.application(name).and_then(|application| application.input.clone());
    let input = known.ok_or_else(|| ServiceError::invalid_argument(format!("application {name} has no input yet: app discover {name} STREAM")))?;
    let mut request = json!({"ApplicationName": name, "CurrentApplicationVersionId": version(session, name), "InputId": input.id});
    if function == "none" {
        call(session, "DeleteApplicationInputProcessingConfiguration", &request)?;
        return Ok(Outcome::said("The records become rows as they are."));
    }
    if session.engine.resource(&format!("lambda:function/{function}")).is_none() {
        return Err(ServiceError::invalid_argument(format!("function {function} does not exist: make it first")));
    }
    if input.processor.is_some() {
        let update = json!({"InputUpdates": [{"InputId": input.id, "InputProcessingConfigurationUpdate": {"InputLambdaProcessorUpdate": {"ResourceARNUpdate": arn}}}]});
        let current = version(session, name);
        call(session, "UpdateApplication", &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ApplicationUpdate": update}))?;
    } else {
        request["InputProcessingConfiguration"] = json!({"InputLambdaProcessor": {"ResourceARN": arn}});
        call(session, "AddApplicationInputProcessingConfiguration", &request)?;
    }
    Ok(Outcome::said(format!("Function {function} prepares the records of {name}.")))
}

fn column_type(session: &mut Session, name: &str, column: &str, kind: &str) -> Result<Outcome, ServiceError> {
    let missing = || ServiceError::invalid_argument(format!("application {name} has no input with a column {column}: app columns {name} lists them"));
    let input = session.engine.services().analytics.application(name).and_then(|application| application.input.as_ref()).ok_or_else(missing)?;
    let (id, mut columns) = (input.id.clone(), input.body["InputSchema"]["RecordColumns"].clone());
    let found = columns.as_array_mut().and_then(|columns| columns.iter_mut().find(|known| known["Name"] == column)).ok_or_else(missing)?;
    found["SqlType"] = json!(kind.to_uppercase());
    let current = version(session, name);
    let update = json!({"InputUpdates": [{"InputId": id, "InputSchemaUpdate": {"RecordColumnUpdates": columns}}]});
    call(session, "UpdateApplication", &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ApplicationUpdate": update}))?;
    Ok(Outcome::said(format!("{column} is {}.", kind.to_uppercase())))
}

fn columns(session: &Session, name: &str) -> Outcome {
    match session.engine.services().analytics.application(name).and_then(|application| application.input.as_ref()) {
        None => Outcome::refused(format!("application {name} has no input yet: app discover {name} STREAM")),
        Some(input) => Outcome::data(input.schema.columns.iter().map(|column| format!("{:<22} {}\n", column.name, column.ty)).collect::<String>()),
    }
}

/// The text of files, one behind the other.
fn code_of(session: &mut Session, files: &[&str]) -> Result<String, ServiceError> {
    let mut code = String::new();
    for file in files {
        let bytes = SessionFiles(session).read(file).map_err(ServiceError::invalid_argument)?;
        code.push_str(&String::from_utf8_lossy(&bytes));
        if !code.ends_with('\n') {
            code.push('\n');
        }
    }
    Ok(code)
}

/// Saves the code and runs it.
fn run(session: &mut Session, name: &str, files: &[&str]) -> Result<Outcome, ServiceError> {
    let code = code_of(session, files)?;
    let current = version(session, name);
    call(
        session,
        "UpdateApplication",
        &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ApplicationUpdate": {"ApplicationCodeUpdate": code}}),
    )?;
    let running = session.engine.services().analytics.application(name).is_some_and(|application| application.run.is_some());
    if !running {
        call(session, "StartApplication", &start_body(name))?;
    }
    Ok(Outcome::said(format!("Application {name} runs the code of {}. Its windows begin anew.", files.join(", "))))
}

/// Compiles without saving.
fn check(session: &mut Session, name: &str, files: &[&str]) -> Result<Outcome, ServiceError> {
    let code = code_of(session, files)?;
    let application = session
        .engine
        .services()
        .analytics
        .application(name)
        .ok_or_else(|| ServiceError::invalid_argument(format!("there is no application {name}")))?;
    let mut trial = application.clone();
    trial.code = code;
    let pumps = trial.pumps()?;
    session.note_act("app check");
    for pump in &pumps {
        session.note_act(&format!("app check pump {pump}"));
    }
    let names = if pumps.is_empty() { "no pump".to_owned() } else { pumps.join(", ") };
    Ok(Outcome::said(format!("The code compiles: {names}.")))
}

fn rows(session: &Session, name: &str, rest: &[&str]) -> Outcome {
    let view = session.view(&crate::engine::view::Wants::default());
    let Some(application) = view.applications.iter().find(|application| application.name == name) else {
        return Outcome::refused(format!("there is no application {name}"));
    };
    let mut text = String::new();
    let Some(wanted) = rest.first() else {
        for stream in &application.streams {
            let _ = writeln!(
                text,
                "{:<36} {:>9} rows, {}/s{}",
                stream.name,
                stream.rows,
                stream.per_second,
                if stream.why.is_empty() { String::new() } else { format!("  ({})", stream.why) }
            );
        }
        return if text.is_empty() {
            Outcome::refused(format!("application {name} is {}: it has streams while it runs", application.status))
        } else {
            Outcome::data(text)
        };
    };
    let Some(stream) = application.streams.iter().find(|stream| stream.name.eq_ignore_ascii_case(wanted)) else {
        let names: Vec<&str> = application.streams.iter().map(|stream| stream.name.as_str()).collect();
        return Outcome::refused(format!("there is no in-application stream {wanted}; there are: {}", names.join(", ")));
    };
    let count = rest.get(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let _ = writeln!(text, "ROWTIME       {}", stream.columns.join("  "));
    for (time, cells) in stream.newest.iter().take(count) {
        let _ = writeln!(text, "{}  {}", time.clock_millis_text(), cells.join("  "));
    }
    let _ = writeln!(
        text,
        "{} of {} rows shown.{}",
        stream.newest.len().min(count),
        stream.rows,
        if stream.why.is_empty() { String::new() } else { format!(" {}", stream.why) }
    );
    Outcome::data(text)
}

fn output(session: &mut Session, name: &str, stream: &str, to: &str, format: &str, (region, account): (&str, &str)) -> Result<Outcome, ServiceError> {
    let (member, arn) = match to.split_once(':') {
        Some(("firehose", target)) => ("KinesisFirehoseOutput", format!("arn:aws:firehose:{region}:{account}:deliverystream/{target}")),
        Some(("stream", target)) => ("KinesisStreamsOutput", format!("arn:aws:kinesis:{region}:{account}:stream/{target}")),
        Some(("lambda", target)) => ("LambdaOutput", format!("arn:aws:lambda:{region}:{account}:function:{target}")),
        _ => return Err(ServiceError::invalid_argument("write firehose:NAME, stream:NAME or lambda:NAME")),
    };
    // The service takes the ARN of what does not exist; a learner is better told at once.
    let (kind, target) = to.split_once(':').unwrap_or_default();
    let id = match kind {
        "firehose" => format!("firehose:deliverystream/{target}"),
        "stream" => format!("kinesis:stream/{target}"),
        _ => format!("lambda:function/{target}"),
    };
    if session.engine.resource(&id).is_none() {
        return Err(ServiceError::invalid_argument(format!("{kind} {target} does not exist: make it first")));
    }
    let output = json!({"Name": stream, member: {"ResourceARN": arn}, "DestinationSchema": {"RecordFormatType": format.to_uppercase()}});
    let current = version(session, name);
    call(session, "AddApplicationOutput", &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "Output": output}))?;
    Ok(Outcome::said(format!("{stream} goes to {to}.")))
}

fn reference(session: &mut Session, name: &str, table: &str, place: &str) -> Result<Outcome, ServiceError> {
    let (bucket, key) =
        place.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(|| ServiceError::invalid_argument("write s3://BUCKET/KEY"))?;
    let bytes = session
        .engine
        .services()
        .s3
        .object(bucket, key)
        .map(|object| object.bytes.clone())
        .ok_or_else(|| ServiceError::invalid_argument(format!("{place} does not exist")))?;
    // A CSV file with a header: its names, every column a text; JSON: discovered.
    let text = String::from_utf8_lossy(&bytes);
    let schema = if text.trim_start().starts_with(['{', '[']) {
        crate::sql::discover::discover(&[bytes.to_vec()]).map_err(ServiceError::invalid_argument)?.schema
    } else {
        let header = text.lines().next().unwrap_or_default();
        let columns: Vec<Value> =
            header.split(',').map(|name| json!({"Name": name.trim(), "SqlType": "VARCHAR(64)", "Mapping": name.trim()})).collect();
        json!({"RecordFormat": {"RecordFormatType": "CSV", "MappingParameters": {"CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}}}, "RecordEncoding": "UTF-8", "RecordColumns": columns})
    };
    let source = json!({"TableName": table, "S3ReferenceDataSource": {"BucketARN": format!("arn:aws:s3:::{bucket}"), "FileKey": key}, "ReferenceSchema": schema});
    let current = version(session, name);
    call(
        session,
        "AddApplicationReferenceDataSource",
        &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ReferenceDataSource": source}),
    )?;
    Ok(Outcome::said(format!("{table} holds the rows of {place}.")))
}

fn sync(session: &mut Session, name: &str) -> Result<Outcome, ServiceError> {
    let reference = session.engine.services().analytics.application(name).and_then(|application| application.reference.clone());
    let reference = reference.ok_or_else(|| ServiceError::invalid_argument(format!("application {name} has no reference table")))?;
    let current = version(session, name);
    let update =
        json!({"ReferenceDataSourceUpdates": [{"ReferenceId": reference.id, "S3ReferenceDataSourceUpdate": {"FileKeyUpdate": reference.object.1}}]});
    call(session, "UpdateApplication", &json!({"ApplicationName": name, "CurrentApplicationVersionId": current, "ApplicationUpdate": update}))?;
    session.note_act("app sync");
    Ok(Outcome::said(format!("{} is read again from s3://{}/{}.", reference.table, reference.object.0, reference.object.1)))
}

/// One line per application.
pub(super) fn list(session: &Session) -> Outcome {
    let view = session.view(&crate::engine::view::Wants::default());
    let mut text = String::new();
    for application in &view.applications {
        let _ = writeln!(
            text,
            "Application {}: {}, version {}, reads {}, {} records, {} error rows.",
            application.name,
            application.status,
            application.version,
            application.input.as_deref().unwrap_or("nothing"),
            application.records,
            application.errors
        );
        if application.behind_ms >= BEHIND_MS {
            let _ = writeln!(text, "  {}.{} s behind its source", application.behind_ms / 1000, application.behind_ms % 1000 / 100);
        }
        if let Some(processing) = &application.processing {
            let (ok, dropped, failed) = processing.counts;
            let _ = writeln!(
                text,
                "  function {} prepares its records: {ok} ok, {dropped} dropped, {failed} failed{}",
                processing.function,
                processing.trouble.as_ref().map_or_else(String::new, |why| format!("; fails: {why}"))
            );
        }
        for output in &application.outputs {
            let trouble = output.trouble.as_ref().map_or_else(String::new, |why| format!("; {why}"));
            let again = if output.failed > 0 { format!(", {} sent again", output.failed) } else { String::new() };
            let _ = writeln!(text, "  {} to {}: {} delivered, {} wait{again}{trouble}", output.stream, output.to, output.delivered, output.waiting);
        }
    }
    if text.is_empty() { Outcome::refused("there are no applications yet: app create NAME") } else { Outcome::data(text) }
}
