//! Building from a template: at once, or step by step as a wizard does.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::api::Operation;
use crate::api::shape::{Kind, Member, ModelYear};
use crate::engine::Command;
use crate::engine::time::VirtualDuration;
use crate::session::driver::Outcome;
use crate::session::play::{Session, SessionFiles};

/// One line of the lab's wizard after the other.
pub(super) fn wizard(session: &mut Session, words: &[&str]) -> Outcome {
    let lines = session.lab().lab.scenario.wizard.clone();
    if lines.is_empty() {
        return Outcome::refused("this lab has no wizard");
    }
    let done = lines.iter().take_while(|line| session.lab().acts().contains(&format!("wizard {}", line.title))).count();
    let all = words.first() == Some(&"all");
    if words.is_empty() {
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            let _ = writeln!(text, "{} {}. {}", if number < done { "[x]" } else { "[ ]" }, number + 1, line.title);
        }
        text.push_str("'wizard next' does the next one and shows its AWS call; 'wizard all' does the rest.\n");
        return Outcome::data(text);
    }
    let mut text = String::new();
    for line in lines.iter().skip(done).take(if all { usize::MAX } else { 1 }) {
        let _ = writeln!(text, "{}\n  $ {}", line.title, line.run);
        let outcome = super::language::carry_out(session, &line.run);
        if outcome.failed {
            return Outcome { output: text, message: outcome.message, failed: true, status: outcome.status, ..Outcome::default() };
        }
        session.run.act(&format!("wizard {}", line.title));
    }
    if text.is_empty() { Outcome::said("The wizard has built everything.") } else { Outcome::data(text) }
}

/// Replaces `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::Join`, `Fn::Select` and `Fn::Split`.
fn resolve(value: &Value, names: &dyn Fn(&str) -> Option<String>) -> Result<Value, String> {
    let unknown = |name: &str| format!("Template error: unresolved reference {name}");
    match value {
        Value::Object(object) if object.len() == 1 => {
            let (key, inner) = object.iter().next().map_or(("", &Value::Null), |(key, inner)| (key.as_str(), inner));
            match (key, inner) {
                ("Ref", Value::String(name)) => names(name).map(Value::String).ok_or_else(|| unknown(name)),
                ("Fn::GetAtt", Value::Array(path)) => {
                    let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                    let name = path.join(".");
                    names(&name).map(Value::String).ok_or_else(|| unknown(&name))
                }
                ("Fn::GetAtt", Value::String(name)) => names(name).map(Value::String).ok_or_else(|| unknown(name)),
                ("Fn::Sub", Value::Array(parts)) => {
                    // The second part names more.
                    let own = |name: &str| {
                        let value = resolve(parts.get(1)?.get(name)?, names).ok()?;
                        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    };
                    let text = parts.first().cloned().unwrap_or_default();
                    resolve(&json!({"Fn::Sub": text}), &|name| own(name).or_else(|| names(name)))
                }
                ("Fn::Select", Value::Array(parts)) => {
                    let list = parts.get(1).map_or(Ok(Value::Null), |list| resolve(list, names))?;
                    let index = parts.first().and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()));
                    let found = index.and_then(|index| list.get(index as usize).cloned());
                    found.ok_or_else(|| "Template error: Fn::Select cannot select a nonexistent value".to_owned())
                }
                ("Fn::Split", Value::Array(parts)) => {
                    let text = parts.get(1).map_or(Ok(Value::Null), |text| resolve(text, names))?;
                    let (separator, text) = (parts.first().and_then(Value::as_str).unwrap_or_default(), text.as_str().unwrap_or_default());
                    Ok(text.split(separator).map(|part| json!(part)).collect())
                }
                ("Fn::Sub", Value::String(text)) => {
                    let (mut out, mut rest) = (String::new(), text.as_str());
                    while let Some(at) = rest.find("${") {
                        let end = rest[at..].find('}').ok_or("Template error: '${' without '}' in Fn::Sub")?;
                        out.push_str(&rest[..at]);
                        let name = &rest[at + 2..at + end];
                        // `${!literal}` is a literal.
                        match name.strip_prefix('!') {
                            Some(literal) => {
                                let _ = write!(out, "${{{literal}}}");
                            }
                            None => out.push_str(&names(name).ok_or_else(|| unknown(name))?),
                        }
                        rest = &rest[at + end + 1..];
                    }
                    Ok(Value::String(out + rest))
                }
                ("Fn::Join", Value::Array(parts)) => {
                    let separator = parts.first().and_then(Value::as_str).unwrap_or_default();
                    let items = parts.get(1).and_then(Value::as_array).cloned().unwrap_or_default();
                    let texts: Vec<String> = items
                        .iter()
                        .map(|item| resolve(item, names).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                        .collect::<Result<_, _>>()?;
                    Ok(Value::String(texts.join(separator)))
                }
                (key, _) if key.starts_with("Fn::") => Err(format!("Template error: {key} is not simulated, or not of this form")),
                _ => Ok(json!({key: resolve(inner, names)?})),
            }
        }
        Value::Object(object) => {
            let members: Result<Map<String, Value>, String> =
                object.iter().map(|(key, value)| resolve(value, names).map(|value| (key.clone(), value))).collect();
            members.map(Value::Object)
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, names)).collect::<Result<Vec<_>, _>>().map(Value::Array),
        other => Ok(other.clone()),
    }
}

/// Texts become numbers and flags where the operation has them, as CloudFormation does it: a parameter is always a text.
fn fitted(members: &[Member], value: &Value) -> Value {
    fn one(kind: Kind, value: &Value) -> Value {
        match (kind, value) {
            (Kind::Integer, Value::String(text)) => text.parse::<i64>().map_or_else(|_| value.clone(), Value::from),
            (Kind::Boolean, Value::String(text)) => text.parse::<bool>().map_or_else(|_| value.clone(), Value::from),
            (Kind::Text(_) | Kind::Word(_), Value::Number(number)) => Value::String(number.to_string()),
            (Kind::Text(_) | Kind::Word(_), Value::Bool(flag)) => Value::String(flag.to_string()),
            (Kind::List(item), Value::Array(items)) => items.iter().map(|value| one(item.kind, value)).collect(),
            (Kind::Map(_, item), Value::Object(entries)) => entries.iter().map(|(key, value)| (key.clone(), one(item.kind, value))).collect(),
            (Kind::Structure(members), Value::Object(_)) => fitted(members, value),
            (_, other) => other.clone(),
        }
    }
    let Value::Object(entries) = value else { return value.clone() };
    let kind = |name: &str| members.iter().find(|member| member.name == name).map(|member| member.shape.kind);
    entries.iter().map(|(name, value)| (name.clone(), kind(name).map_or_else(|| value.clone(), |kind| one(kind, value)))).collect()
}

/// The calls that make a resource: service, operation, body.
fn calls_of(kind: &str, name: &str, properties: &Value) -> Result<Vec<(&'static str, &'static str, Value)>, String> {
    let text = |member: &str| properties[member].as_str().unwrap_or(name).to_owned();
    let without = |member: &str| {
        let mut object = properties.as_object().cloned().unwrap_or_default();
        object.shift_remove(member);
        Value::Object(object)
    };
    Ok(match kind {
        "AWS::S3::Bucket" => vec![("s3api", "CreateBucket", json!({"Bucket": text("BucketName")}))],
        "AWS::Glue::Database" => vec![("glue", "CreateDatabase", without("CatalogId"))],
        "AWS::Glue::Table" => vec![("glue", "CreateTable", without("CatalogId"))],
        "AWS::IAM::Role" => {
            let role = text("RoleName");
            let mut calls = vec![(
                "iam",
                "CreateRole",
                json!({"RoleName": role, "AssumeRolePolicyDocument": properties["AssumeRolePolicyDocument"].to_string()}),
            )];
            for policy in properties["Policies"].as_array().into_iter().flatten() {
                calls.push((
                    "iam",
                    "PutRolePolicy",
                    json!({"RoleName": role, "PolicyName": policy["PolicyName"], "PolicyDocument": policy["PolicyDocument"].to_string()}),
                ));
            }
            for arn in properties["ManagedPolicyArns"].as_array().into_iter().flatten() {
                calls.push(("iam", "AttachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})));
            }
            calls
        }
        "AWS::Lambda::Function" => {
            let mut body = properties.clone();
            if let Some(code) = body["Code"]["ZipFile"].as_str() {
                body["Code"]["ZipFile"] = json!(STANDARD.encode(code));
            }
            vec![("lambda", "CreateFunction", body)]
        }
        "AWS::Lambda::EventSourceMapping" => vec![("lambda", "CreateEventSourceMapping", properties.clone())],
        "AWS::KinesisFirehose::DeliveryStream" => vec![("firehose", "CreateDeliveryStream", properties.clone())],
        "AWS::Kinesis::Stream" => vec![("kinesis", "CreateStream", json!({"StreamName": text("Name"), "ShardCount": properties["ShardCount"]}))],
        other => {
            return Err(format!(
                "Template format error: Unrecognized resource types: [{other}]; there are: AWS::S3::Bucket, AWS::Glue::Database, AWS::Glue::Table, AWS::IAM::Role, AWS::Lambda::Function, AWS::Lambda::EventSourceMapping, AWS::KinesisFirehose::DeliveryStream, AWS::Kinesis::Stream"
            ));
        }
    })
}

pub(super) fn deploy(session: &mut Session, words: &[&str]) -> Outcome {
    const USAGE: &str = "aws cloudformation deploy --template-file FILE --stack-name NAME [--parameter-overrides KEY=VALUE …]";
    let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
    let file = after("--template-file").or_else(|| words.first().copied().filter(|word| !word.starts_with("--")));
    let Some(file) = file else { return Outcome::refused(USAGE) };
    let stack = after("--stack-name").unwrap_or_else(|| file.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or("stack")).to_owned();
    let overrides: Vec<(String, String)> = match words.iter().position(|word| *word == "--parameter-overrides") {
        Some(at) => words[at + 1..]
            .iter()
            .take_while(|word| !word.starts_with("--"))
            .filter_map(|word| word.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        None => Vec::new(),
    };
    let text = {
        use crate::api::cli::FileSource;
        match SessionFiles(session).read(file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return Outcome::refused(format!("Invalid template path {file}: {error}")),
        }
    };
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Value>(&text).map_err(|error| (error.line(), error.column(), "JSON", error.to_string()))
    } else {
        super::yaml::parse(&text).map_err(|error| (error.line, error.column, "YAML", error.why))
    };
    let template = match read {
        Ok(template) => template,
        Err((line, column, form, why)) => {
            return Outcome::refused(format!("{file}, line {line}, column {column}: Template format error: {form} not well-formed. {why}"));
        }
    };
    let Some(resources) = template["Resources"].as_object().filter(|resources| !resources.is_empty()) else {
        return Outcome::refused(format!("{file}: Template format error: At least one Resources member must be defined."));
    };
    let account = session.engine.config().account.clone();
    let region = session.engine.config().region.clone();
    let mut output = String::new();
    for (logical, resource) in resources {
        let physical = |resource: &Value, logical: &str| {
            let properties = &resource["Properties"];
            ["BucketName", "FunctionName", "DeliveryStreamName", "RoleName", "Name"]
                .iter()
                .find_map(|member| properties.get(*member))
                .or_else(|| properties["TableInput"].get("Name"))
                .or_else(|| properties["DatabaseInput"].get("Name"))
                .cloned()
                .unwrap_or_else(|| json!(format!("{stack}-{logical}").to_lowercase()))
        };
        let parameter = |name: &str| -> Option<String> {
            match name {
                "AWS::AccountId" => return Some(account.clone()),
                "AWS::Region" => return Some(region.clone()),
                "AWS::StackName" => return Some(stack.clone()),
                "AWS::Partition" => return Some("aws".to_owned()),
                _ => {}
            }
            if let Some((_, value)) = overrides.iter().find(|(key, _)| key == name) {
                return Some(value.clone());
            }
            template["Parameters"][name]["Default"]
                .as_str()
                .map(str::to_owned)
                .or_else(|| template["Parameters"][name]["Default"].as_i64().map(|n| n.to_string()))
        };
        let names = |name: &str| -> Option<String> {
            if let Some(value) = parameter(name) {
                return Some(value);
            }
            let (logical, attribute) = name.split_once('.').unwrap_or((name, ""));
            let other = resources.get(logical)?;
            let id = resolve(&physical(other, logical), &parameter).ok()?;
            let id = id.as_str()?;
            let arn = match other["Type"].as_str()? {
                "AWS::S3::Bucket" => format!("arn:aws:s3:::{id}"),
                "AWS::IAM::Role" => format!("arn:aws:iam::{account}:role/{id}"),
                "AWS::Lambda::Function" => format!("arn:aws:lambda:{region}:{account}:function:{id}"),
                "AWS::KinesisFirehose::DeliveryStream" => format!("arn:aws:firehose:{region}:{account}:deliverystream/{id}"),
                "AWS::Kinesis::Stream" => format!("arn:aws:kinesis:{region}:{account}:stream/{id}"),
                _ => id.to_owned(),
            };
            Some(if attribute == "Arn" { arn } else { id.to_owned() })
        };
        let kind = resource["Type"].as_str().unwrap_or_default();
        let made = resolve(&resource["Properties"], &names).and_then(|properties| {
            let id = resolve(&physical(resource, logical), &names)?;
            calls_of(kind, id.as_str().unwrap_or(logical), &properties).map(|calls| (id, calls))
        });
        let (id, calls) = match made {
            Ok(made) => made,
            Err(error) => {
                return Outcome { output, message: format!("{file}, resource {logical}: {error}"), failed: true, status: 255, ..Outcome::default() };
            }
        };
        for (service, operation, body) in calls {
            let body = Operation::of_service(service, ModelYear::Current)
                .and_then(|all| all.into_iter().find(|known| known.name() == operation))
                .map_or_else(|| body.clone(), |known| fitted(known.members(), &body));
            let done = if service == "kinesis" {
                crate::api::decode(crate::api::kinesis::Operation::CreateStream, &body)
                    .and_then(|request| session.engine.apply(&Command::Kinesis(Box::new(request))).map(|_| json!({})))
            } else {
                session.call_service(service, operation, &body)
            };
            if let Err(error) = done {
                let message = format!("Failed to create the stack {stack}: resource {logical} ({kind}): {} ({})", error.message, error.code);
                return Outcome { output, message, failed: true, status: 255, ..Outcome::default() };
            }
        }
        let _ = writeln!(output, "CREATE_COMPLETE  {kind:<40} {}", id.as_str().unwrap_or(logical));
        // Resources come one after the other; a stream or delivery stream is waited for.
        session.advance(session.now() + VirtualDuration::SECOND);
    }
    session.advance(session.now() + VirtualDuration::from_secs(2));
    let _ = writeln!(output, "Successfully created/updated stack - {stack}");
    session.note_act("cfn deploy");
    Outcome::data(output)
}
