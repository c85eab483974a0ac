//! The options of each operation, by the names the CLI gives them.

use super::super::Operation;
use super::super::shape::{Kind, Member, ModelYear};
use super::paginate::Paginator;

/// What an option sets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// A member of the request.
    Member(&'static Member),
    /// A flag of the request, to this value.
    Flag(&'static Member, bool),
    /// All members at once, as JSON.
    CliInputJson,
    /// Ask for an empty request to fill in.
    Skeleton,
    /// Where a truncated listing goes on.
    StartingToken,
    /// Items asked for in each call.
    PageSize,
    /// Items printed at most.
    MaxItems,
}

/// How many words an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    None,
    One,
    Maybe,
    Any,
}

/// An option of an operation.
#[derive(Debug, Clone)]
pub(super) struct Opt {
    /// The name with its two dashes.
    pub(super) name: String,
    pub(super) target: Target,
}

impl Opt {
    fn new(name: &str, target: Target) -> Self {
        Self { name: format!("--{name}"), target }
    }

    pub(super) const fn arity(&self) -> Arity {
        match self.target {
            Target::Flag(..) => Arity::None,
            Target::Member(member) if matches!(member.shape.kind, Kind::List(_)) => Arity::Any,
            Target::Skeleton => Arity::Maybe,
            _ => Arity::One,
        }
    }

    /// The type in one word.
    pub(super) const fn type_name(&self) -> &'static str {
        match self.target {
            Target::Member(member) | Target::Flag(member, _) => member.shape.type_name(),
            Target::PageSize | Target::MaxItems => "integer",
            _ => "string",
        }
    }

    pub(super) const fn is_required(&self, year: ModelYear) -> bool {
        matches!(self.target, Target::Member(member) if member.is_required(year))
    }

    /// The words the value is chosen from, if it is.
    pub(super) const fn choices(&self) -> &'static [&'static str] {
        match self.target {
            Target::Skeleton => &["input"],
            Target::Member(member) => match member.shape.kind {
                Kind::Word(words) => words,
                Kind::List(item) => match item.kind {
                    Kind::Word(words) => words,
                    _ => &[],
                },
                _ => &[],
            },
            _ => &[],
        }
    }
}

/// The options of an operation in a year's model: its members in AWS's order, then those of the CLI itself.
pub(super) fn of(operation: Operation, year: ModelYear) -> Vec<Opt> {
    let mut options = Vec::new();
    for member in operation.members().iter().filter(|member| member.is_known(year)) {
        let name = option_name(operation, member);
        if matches!(member.shape.kind, Kind::Boolean) {
            options.push(Opt::new(&name, Target::Flag(member, true)));
            options.push(Opt::new(&format!("no-{name}"), Target::Flag(member, false)));
        } else {
            options.push(Opt::new(&name, Target::Member(member)));
        }
    }
    options.push(Opt::new("cli-input-json", Target::CliInputJson));
    if let Some(paginator) = Paginator::for_operation(operation) {
        options.push(Opt::new("starting-token", Target::StartingToken));
        if paginator.limit_key.is_some() {
            options.push(Opt::new("page-size", Target::PageSize));
        }
        options.push(Opt::new("max-items", Target::MaxItems));
    }
    options.push(Opt::new("generate-cli-skeleton", Target::Skeleton));
    options
}

/// The name of a member's option: the CLI has a few options of its own.
pub(super) fn option_name(operation: Operation, member: &Member) -> String {
    match (operation.name(), member.name) {
        // `--output` would be hidden, `--endpoint` a shortening of `--endpoint-url`.
        (_, "Output") => "application-output".to_owned(),
        ("Subscribe", "Endpoint") => "notification-endpoint".to_owned(),
        (_, name) => kebab(name),
    }
}

/// AWS's name of an operation or member as the CLI writes it: `StreamARN` is `stream-arn`, `MaxRecordSizeInKiB` is `max-record-size-in-ki-b`.
pub(super) fn kebab(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 6);
    for (i, c) in chars.iter().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            let after_small = !chars[i - 1].is_ascii_uppercase();
            let before_small = chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
            if after_small || before_small {
                out.push('-');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The operations the CLI has of a service in a year's model, by the CLI's names in alphabetical order. `SubscribeToShard` answers with a
/// stream of events, which the CLI cannot show.
pub(super) fn operations(service: &str, year: ModelYear) -> Vec<(String, Operation)> {
    let all = Operation::of_service(service, year).unwrap_or_default();
    all.into_iter()
        .filter(|operation| *operation != Operation::Kinesis(super::super::kinesis::Operation::SubscribeToShard))
        .map(|operation| (kebab(operation.name()), operation))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_cli() {
        for (name, wanted) in [
            ("StreamName", "stream-name"),
            ("StreamARN", "stream-arn"),
            ("ConsumerARN", "consumer-arn"),
            ("ResourceARN", "resource-arn"),
            ("MaxRecordSizeInKiB", "max-record-size-in-ki-b"),
            ("WarmThroughputMiBps", "warm-throughput-mi-bps"),
            ("SequenceNumberForOrdering", "sequence-number-for-ordering"),
            ("KeyId", "key-id"),
            ("UpdateStreamWarmThroughput", "update-stream-warm-throughput"),
            ("DescribeStreamConsumer", "describe-stream-consumer"),
        ] {
            assert_eq!(kebab(name), wanted);
        }
    }

    #[test]
    fn an_option_that_would_hide_a_global_one_has_another_name() {
        let operation = Operation::of_service("kinesisanalyticsv2", ModelYear::Current).expect("exists");
        let add = operation.into_iter().find(|operation| operation.name() == "AddApplicationOutput").expect("exists");
        assert_eq!(of(add, ModelYear::Current)[2].name, "--application-output");
    }

    #[test]
    fn options_of_a_listing() {
        let names = |operation, year| of(operation, year).into_iter().map(|option| option.name).collect::<Vec<_>>();
        assert_eq!(
            names(crate::api::kinesis::Operation::ListStreams.into(), ModelYear::Current),
            [
                "--limit",
                "--exclusive-start-stream-name",
                "--next-token",
                "--cli-input-json",
                "--starting-token",
                "--page-size",
                "--max-items",
                "--generate-cli-skeleton"
            ]
        );
        assert_eq!(
            names(crate::api::kinesis::Operation::DeleteStream.into(), ModelYear::Y2018),
            ["--stream-name", "--enforce-consumer-deletion", "--no-enforce-consumer-deletion", "--cli-input-json", "--generate-cli-skeleton"]
        );
    }
}
