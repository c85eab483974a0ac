//! The words that a line can begin with: what they are for, and what a line does to the run.

/// What `help` prints.
pub(super) const HELP: &str = "\
aws SERVICE OPERATION …     an AWS CLI line, word for word; $ITERATOR is the last shard iterator, $(…) works
aws s3 ls|cp|mb|rb|rm …     buckets and objects; s3 select s3://BUCKET/KEY shows rows of any format
query \"select …\"           an Athena-like query; MSCK REPAIR TABLE, SHOW PARTITIONS, DESCRIBE
cfn deploy FILE   wizard    build from a template, or step by step
lambda test [NAME] --sample 20    rule NAME CONDITION    functions  deliveries  flush NAME
app create|discover|column|run|rows|output|reference|sync …   apps   a SQL application; 'app' explains
fault s3|slow|fail|destination …  fault end …            something goes wrong, and is over
java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamName S -speedup N [-aggregate] …   the replay tool
read-stream                 the workshop's reader (first shard only)
producer NAME start|stop|key const KEY|rate FACTOR      consumer NAME start|stop|crash
run 12s   rewind 30s   now  let time pass, go back, come to the newest instant; pause, go, speed 16, speed max set the pace
follow STREAM SHARD [NUMBER]  the way of one record, from shard to object; follow shows it, follow off ends it
branches   branch NAME      acting in the past begins another future: list them, go to one; compare NAME shows two in numbers
shards [STREAM]  streams  log NAME  journal [N]  metrics  cost  accounting  shard of KEY
coach   coach explain|mute|unmute LINT   coach lints   what the coach says, why, and that it should be quiet
status  checks  hint  answer QUESTION TEXT  why [CHECK]  solution  step  initials YOURS  quit";

/// First words of the language and what they do, for completion.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("aws kinesis ", "an AWS CLI line"),
        ("aws firehose ", "an AWS CLI line"),
        ("aws lambda ", "an AWS CLI line"),
        ("aws s3 ls ", "objects of a bucket"),
        ("query ", "an Athena-like query"),
        ("cfn deploy ", "build from a template"),
        ("wizard next", "build the next piece"),
        ("lambda test --sample 20", "try the function on records"),
        ("rule ", "replace a rule: rule FUNCTION CONDITION"),
        ("fault slow ", "slow a function down"),
        ("fault s3 ", "make a bucket refuse writes"),
        ("app create ", "a new SQL application"),
        ("app discover ", "find a schema and connect the stream"),
        ("app process ", "let a function prepare the records"),
        ("app run ", "save code and run it"),
        ("app rows ", "rows of an in-application stream"),
        ("functions", "what the functions did"),
        ("deliveries", "what the delivery streams hold"),
        ("java -jar amazon-kinesis-replay-1.0-SNAPSHOT.jar -streamRegion us-east-1 -speedup 1800 -streamName ", "start the replay tool"),
        ("read-stream", "start the workshop's reader"),
        ("producer replay stop", "stop the replay"),
        ("producer replay key const partitionkey", "one partition key for all records"),
        ("run 60s", "let time pass"),
        ("rewind 30s", "go back in time"),
        ("now", "come to the newest instant"),
        ("follow ", "follow one record"),
        ("branches", "other futures"),
        ("branch ", "go to another future"),
        ("compare ", "two futures beside each other"),
        ("pause", "time stands still"),
        ("go", "time runs"),
        ("speed max", "as fast as possible"),
        ("shards", "one line per shard"),
        ("log replay", "what the replay tool printed"),
        ("journal 50", "the newest events"),
        ("metrics", "CloudWatch's metrics"),
        ("cost", "the bill"),
        ("accounting", "where every record is"),
        ("shard of ", "where a partition key goes"),
        ("answer ", "answer a question"),
        ("why", "why a check is red"),
        ("solution", "the solution of the step"),
        ("status", "the step and its checks"),
        ("initials ", "your initials, for the names of your streams"),
        ("quit", "leave"),
    ]
    .into_iter()
}

/// What a line's first word does to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes the world, or may.
    Acts,
    /// It shows something and changes nothing.
    Shows,
    /// It changes what the lab knows of its learner.
    Lab,
    /// It lets time pass, or goes back.
    Time,
    /// It looks at other times and futures.
    Travels,
}

/// First words of lines. What is not here is unknown, or a learner's mistake.
pub(super) const FIRST_WORDS: [(&str, Kind); 52] = [
    ("aws", Kind::Acts),
    ("s3", Kind::Acts),
    ("query", Kind::Acts),
    ("athena", Kind::Acts),
    ("cfn", Kind::Acts),
    ("wizard", Kind::Acts),
    ("lambda", Kind::Acts),
    ("rule", Kind::Acts),
    ("fault", Kind::Acts),
    ("flush", Kind::Acts),
    ("app", Kind::Acts),
    ("java", Kind::Acts),
    ("read-stream", Kind::Acts),
    ("producer", Kind::Acts),
    ("consumer", Kind::Acts),
    ("initials", Kind::Acts),
    ("pause", Kind::Acts),
    ("go", Kind::Acts),
    ("speed", Kind::Acts),
    ("shard", Kind::Shows),
    ("shards", Kind::Shows),
    ("streams", Kind::Shows),
    ("log", Kind::Shows),
    ("journal", Kind::Shows),
    ("metrics", Kind::Shows),
    ("cost", Kind::Shows),
    ("coach", Kind::Shows),
    ("accounting", Kind::Shows),
    ("functions", Kind::Shows),
    ("deliveries", Kind::Shows),
    ("objects", Kind::Shows),
    ("apps", Kind::Shows),
    ("status", Kind::Shows),
    ("checks", Kind::Shows),
    ("step", Kind::Shows),
    ("why", Kind::Shows),
    ("solution", Kind::Shows),
    ("help", Kind::Shows),
    ("?", Kind::Shows),
    ("quit", Kind::Shows),
    ("exit", Kind::Shows),
    ("hint", Kind::Lab),
    ("answer", Kind::Lab),
    ("predict", Kind::Lab),
    ("run", Kind::Time),
    ("sleep", Kind::Time),
    ("rewind", Kind::Time),
    ("now", Kind::Travels),
    ("branch", Kind::Travels),
    ("branches", Kind::Travels),
    ("compare", Kind::Travels),
    ("follow", Kind::Travels),
];

/// What a line does; an empty one and a comment only show.
fn kind(line: &str) -> Kind {
    match line.split_whitespace().next() {
        None => Kind::Shows,
        Some(word) if word.starts_with('#') => Kind::Shows,
        Some(word) => FIRST_WORDS.iter().find(|(known, _)| *known == word).map_or(Kind::Acts, |(_, kind)| *kind),
    }
}

/// The line only lets time pass.
pub fn moves_time(line: &str) -> bool {
    kind(line) == Kind::Time
}

/// The line moves in time or between branches: it is no part of what happened.
pub fn is_travel(line: &str) -> bool {
    matches!(kind(line), Kind::Time | Kind::Travels)
}

/// The line shows something and changes nothing: it can be typed in the past without beginning another future.
pub fn only_shows(line: &str) -> bool {
    kind(line) == Kind::Shows
}

/// The line changes what the lab knows of its learner, not the world.
pub fn about_the_lab(line: &str) -> bool {
    kind(line) == Kind::Lab
}
