//! Help: what a command does and which options it has, in our own words.

use std::fmt::Write as _;

use super::super::Operation;
use super::super::kinesis;
use super::super::model::Service;
use super::super::shape::{Kind, Member, ModelYear, Shape};
use super::options::{self, Opt, Target, kebab};
use super::paginate::Paginator;
use super::wait::Waiter;

/// What an operation does, in one sentence.
pub(super) fn purpose(operation: Operation) -> &'static str {
    let operation = match operation {
        Operation::Kinesis(operation) => operation,
        Operation::Other(operation) => return operation.purpose,
    };
    match operation {
        kinesis::Operation::AddTagsToStream => "Adds or replaces tags of a stream.",
        kinesis::Operation::CreateStream => "Creates a stream; it can be used once its status is ACTIVE.",
        kinesis::Operation::DecreaseStreamRetentionPeriod => "Shortens how long records are kept.",
        kinesis::Operation::DeleteResourcePolicy => "Removes the policy of a stream or consumer.",
        kinesis::Operation::DeleteStream => "Deletes a stream with its shards and records.",
        kinesis::Operation::DeregisterStreamConsumer => "Removes an enhanced fan-out consumer.",
        kinesis::Operation::DescribeAccountSettings => "Shows the billing commitment of the account.",
        kinesis::Operation::DescribeLimits => "Shows how many shards and on-demand streams the account has and may have.",
        kinesis::Operation::DescribeStream => "Shows a stream with its shards.",
        kinesis::Operation::DescribeStreamConsumer => "Shows an enhanced fan-out consumer.",
        kinesis::Operation::DescribeStreamSummary => "Shows a stream without its shards.",
        kinesis::Operation::DisableEnhancedMonitoring => "Turns shard-level metrics off.",
        kinesis::Operation::EnableEnhancedMonitoring => "Turns shard-level metrics on.",
        kinesis::Operation::GetRecords => "Reads records of a shard from where an iterator stands.",
        kinesis::Operation::GetResourcePolicy => "Shows the policy of a stream or consumer.",
        kinesis::Operation::GetShardIterator => "Gives an iterator at a position of a shard; it is good for five minutes.",
        kinesis::Operation::IncreaseStreamRetentionPeriod => "Lengthens how long records are kept.",
        kinesis::Operation::ListShards => "Lists the shards of a stream.",
        kinesis::Operation::ListStreamConsumers => "Lists the enhanced fan-out consumers of a stream.",
        kinesis::Operation::ListStreams => "Lists the streams of the account.",
        kinesis::Operation::ListTagsForResource => "Lists the tags of a stream or consumer.",
        kinesis::Operation::ListTagsForStream => "Lists the tags of a stream.",
        kinesis::Operation::MergeShards => "Merges two adjacent shards into one.",
        kinesis::Operation::PutRecord => "Writes one record.",
        kinesis::Operation::PutRecords => "Writes up to 500 records; each may fail on its own.",
        kinesis::Operation::PutResourcePolicy => "Sets the policy of a stream or consumer.",
        kinesis::Operation::RegisterStreamConsumer => "Registers an enhanced fan-out consumer.",
        kinesis::Operation::RemoveTagsFromStream => "Removes tags of a stream.",
        kinesis::Operation::SplitShard => "Splits a shard in two.",
        kinesis::Operation::StartStreamEncryption => "Turns server-side encryption on.",
        kinesis::Operation::StopStreamEncryption => "Turns server-side encryption off.",
        kinesis::Operation::SubscribeToShard => "Streams the records of a shard to a consumer.",
        kinesis::Operation::TagResource => "Adds or replaces tags of a stream or consumer.",
        kinesis::Operation::UntagResource => "Removes tags of a stream or consumer.",
        kinesis::Operation::UpdateAccountSettings => "Changes the billing commitment of the account.",
        kinesis::Operation::UpdateMaxRecordSize => "Changes how large a record of a stream may be.",
        kinesis::Operation::UpdateShardCount => "Changes the number of open shards.",
        kinesis::Operation::UpdateStreamMode => "Switches between provisioned and on-demand capacity.",
        kinesis::Operation::UpdateStreamRecordDistributionStrategy => "Changes how records are spread over the shards.",
        kinesis::Operation::UpdateStreamWarmThroughput => "Changes the warm throughput of an on-demand stream.",
    }
}

/// `aws help`.
pub(super) fn aws() -> String {
    let mut out = String::from("usage: aws [options] <service> <operation> [parameters]\n\nOptions for every command:\n");
    for (name, takes_value, choices) in super::globals::option_names() {
        let value = match (takes_value, choices) {
            (false, _) => String::new(),
            (true, []) => " VALUE".to_owned(),
            (true, choices) => format!(" {}", choices.join("|")),
        };
        line(&mut out, &format!("{name}{value}"), "");
    }
    out.push_str("\nCommands:\n");
    line(&mut out, "kinesis", "Kinesis Data Streams; see aws kinesis help");
    for service in Service::all() {
        line(&mut out, service.name, service.title);
    }
    line(&mut out, "s3", "ls, cp, mb, rb, rm over the simulated buckets");
    out
}

/// `aws SERVICE help`.
pub(super) fn service(service: &str, year: ModelYear) -> String {
    let mut out = format!("usage: aws {service} <operation> [parameters]\n\nOperations:\n");
    for (name, operation) in options::operations(service, year) {
        line(&mut out, &name, purpose(operation));
    }
    if service == "kinesis" {
        line(&mut out, "wait", "Waits until a stream exists or is gone.");
    }
    out
}

/// `aws kinesis wait help`.
pub(super) fn wait() -> String {
    let mut out = String::from("usage: aws kinesis wait <condition> [parameters]\n\nConditions:\n");
    for waiter in Waiter::ALL {
        let (delay, times) = (waiter.delay_secs, waiter.max_attempts);
        line(&mut out, waiter.name, &format!("calls {} every {delay} s, at most {times} times", kebab(waiter.operation.name())));
    }
    out
}

/// `aws kinesis <operation> help`.
pub(super) fn operation(operation: Operation, year: ModelYear) -> String {
    let mut out = format!(
        "{}\n\nusage: aws {} {} [parameters]\n\nParameters (* must be given):\n",
        purpose(operation),
        operation.service(),
        kebab(operation.name())
    );
    for option in options::of(operation, year) {
        let mark = if option.is_required(year) { "* " } else { "  " };
        line(&mut out, &format!("{mark}{} {}", option.name, form(&option, year)), &explanation(&option, year));
    }
    if Paginator::for_operation(operation).is_some() {
        out.push_str("\nThe listing runs through all pages; --no-paginate makes one call.\n");
    }
    out
}

/// How the value of an option is written.
fn form(option: &Opt, year: ModelYear) -> String {
    match option.target {
        Target::Flag(..) => String::new(),
        Target::Member(member) => shape_form(member.shape, year),
        Target::CliInputJson => "JSON or file://FILE".into(),
        Target::Skeleton => "[input]".into(),
        Target::StartingToken => "TOKEN".into(),
        Target::PageSize | Target::MaxItems => "INTEGER".into(),
    }
}

fn shape_form(shape: &Shape, year: ModelYear) -> String {
    match shape.kind {
        Kind::Text(_) => "TEXT".into(),
        Kind::Word(words) => words.join("|"),
        Kind::Blob => "BASE64 or fileb://FILE".into(),
        Kind::Integer => "INTEGER".into(),
        Kind::Double => "NUMBER".into(),
        Kind::Boolean => "true|false".into(),
        Kind::Timestamp => "ISO-8601 or SECONDS".into(),
        Kind::List(item) if item.is_scalar() => format!("{0} [{0} …]", shape_form(item, year)),
        Kind::List(item) => format!("{} […]", shape_form(item, year)),
        Kind::Map(..) => "KEY=VALUE,KEY=VALUE".into(),
        Kind::Structure(members) => {
            let entry = |member: &Member| {
                let value = match member.shape.kind {
                    Kind::Word(words) => words.join("|"),
                    _ => member.shape.type_name().to_uppercase(),
                };
                format!("{}={value}", member.name)
            };
            members.iter().filter(|member| member.is_known(year)).map(entry).collect::<Vec<_>>().join(",")
        }
    }
}

/// The bounds of a value.
fn explanation(option: &Opt, year: ModelYear) -> String {
    let member = match option.target {
        Target::Member(member) => member,
        Target::CliInputJson => return "all members as one JSON object".into(),
        Target::Skeleton => return "print an empty request to fill in".into(),
        Target::StartingToken => return "go on where a truncated listing stopped".into(),
        Target::PageSize => return "items asked for in each call".into(),
        Target::MaxItems => return "items printed at most".into(),
        Target::Flag(..) => return String::new(),
    };
    let span = member.shape.span(year);
    let unit = match member.shape.kind {
        Kind::Text(_) => "characters",
        Kind::Blob => "bytes",
        Kind::List(_) | Kind::Map(..) => "items",
        Kind::Integer => "",
        _ => return String::new(),
    };
    match (span.min, span.max) {
        (Some(min), Some(max)) => format!("{min} to {max} {unit}").trim_end().to_owned(),
        (Some(min), None) => format!("at least {min} {unit}").trim_end().to_owned(),
        _ => String::new(),
    }
}

fn line(out: &mut String, left: &str, right: &str) {
    let text = format!("  {left:<40} {right}");
    // Writing to a String never fails.
    let _ = writeln!(out, "{}", text.trim_end());
}
