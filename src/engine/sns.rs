//! Topics as Amazon SNS has them: who subscribed, what was published.
//!
//! Functions and delivery streams get what is published; the other protocols lead out of the account, and are shown in the journal only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::firehose::prefix::uuid;
use super::random::Substream;
use super::time::VirtualTime;

/// Bytes of a message at most.
const MESSAGE_MAX: usize = 262_144;
/// Characters of a subject at most.
const SUBJECT_MAX: usize = 100;
/// Messages of one PublishBatch.
const BATCH_MAX: usize = 10;
/// Messages kept of a topic.
const MESSAGES_KEPT: usize = 100;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// ARN.
    pub arn: String,
    /// `lambda`, `firehose`, `email` …
    pub protocol: String,
    /// An ARN, an address or a URL.
    pub endpoint: String,
    /// The message alone is delivered, without what surrounds it.
    pub raw: bool,
}

impl Subscription {
    /// Waits for a confirmation that cannot come here.
    fn is_pending(&self) -> bool {
        matches!(self.protocol.as_str(), "email" | "email-json" | "http" | "https")
    }
}

/// A message as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Message id.
    pub id: String,
    /// ARN of the topic.
    pub topic: String,
    /// Instant.
    pub at: VirtualTime,
    /// Subject.
    pub subject: Option<String>,
    /// Text by protocol, `default` for the others.
    texts: BTreeMap<String, String>,
    /// Attributes as in the request.
    attributes: Value,
}

impl Message {
    /// The text for a protocol.
    pub fn text(&self, protocol: &str) -> &str {
        self.texts.get(protocol).or_else(|| self.texts.get("default")).map_or("", String::as_str)
    }

    fn attributes(&self) -> Value {
        let shown = self.attributes.as_object().into_iter().flatten().map(|(name, value)| {
            let text = value["StringValue"].as_str().or(value["BinaryValue"].as_str()).unwrap_or_default();
            (name.clone(), json!({"Type": value["DataType"], "Value": text}))
        });
        Value::Object(shown.collect())
    }

    /// What a delivery stream gets.
    pub fn notification(&self, subscription: &Subscription) -> Arc<[u8]> {
        let text = self.text(&subscription.protocol);
        if subscription.raw {
            return text.as_bytes().into();
        }
        let mut shown = json!({"Type": "Notification", "MessageId": self.id, "TopicArn": self.topic});
        if let Some(subject) = &self.subject {
            shown["Subject"] = json!(subject);
        }
        shown["Message"] = json!(text);
        shown["Timestamp"] = json!(self.at.to_string());
        shown["UnsubscribeURL"] = json!(format!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={}", subscription.arn));
        if self.attributes.as_object().is_some_and(|attributes| !attributes.is_empty()) {
            shown["MessageAttributes"] = self.attributes();
        }
        shown.to_string().into_bytes().into()
    }

    /// The event of a function.
    pub fn event(&self, subscription: &Subscription) -> String {
        json!({"Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": self.topic,
                "Subject": self.subject,
                "Message": self.text("lambda"),
                "Timestamp": self.at.to_string(),
                "SignatureVersion": "1",
                "Signature": "EXAMPLE",
                "SigningCertUrl": "EXAMPLE",
                "UnsubscribeUrl": format!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={}", subscription.arn),
                "MessageAttributes": self.attributes(),
            },
        }]})
        .to_string()
    }
}

/// A topic.
#[derive(Debug, Clone, Default)]
pub struct Topic {
    /// Who gets what is published.
    pub subscriptions: Vec<Subscription>,
    /// Messages published so far.
    pub published: u64,
    /// The newest messages, newest last.
    pub messages: VecDeque<Message>,
    attributes: BTreeMap<String, String>,
}

/// The service.
#[derive(Debug, Clone)]
pub struct Sns {
    topics: BTreeMap<String, Topic>,
    seed: u64,
    /// Ids given so far.
    ids: u64,
    /// `arn:aws:sns:REGION:ACCOUNT:`.
    prefix: String,
    account: String,
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidParameter, format!("Invalid parameter: {}", text.into()))
}

fn missing(what: &str) -> ServiceError {
    ServiceError::new(ErrorCode::NotFound, format!("{what} does not exist"))
}

impl Sns {
    /// No topic yet.
    pub fn new(seed: u64, region: &str, account: &str) -> Self {
        Self { topics: BTreeMap::new(), seed, ids: 0, prefix: format!("arn:aws:sns:{region}:{account}:"), account: account.to_owned() }
    }

    /// A topic by name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        uuid(Substream::new(self.seed, &["sns"]).child(self.ids))
    }

    /// The topic's name in its ARN.
    fn name_of<'a>(&self, arn: &'a str) -> Result<&'a str, ServiceError> {
        if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
            return Err(invalid(format!("TopicArn Reason: An ARN must have at least 6 elements, not {}", arn.split(':').count())));
        }
        arn.strip_prefix(&self.prefix).filter(|name| self.topics.contains_key(*name)).ok_or_else(|| missing("Topic"))
    }

    /// Carries out an operation other than publishing.
    ///
    /// # Errors
    /// The service's own.
    pub fn call(&mut self, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        match call.operation.name {
            "CreateTopic" => {
                let name = text("Name");
                if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
                    return Err(invalid("Topic Name"));
                }
                let topic = self.topics.entry(name.to_owned()).or_default();
                for (key, value) in body["Attributes"].as_object().into_iter().flatten() {
                    topic.attributes.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
                }
                Ok(json!({"TopicArn": format!("{}{name}", self.prefix)}))
            }
            "DeleteTopic" => {
                // What is gone already is no error.
                self.topics.remove(text("TopicArn").strip_prefix(&self.prefix).unwrap_or_default());
                Ok(json!({}))
            }
            "ListTopics" => {
                Ok(json!({"Topics": self.topics.keys().map(|name| json!({"TopicArn": format!("{}{name}", self.prefix)})).collect::<Vec<_>>()}))
            }
            "GetTopicAttributes" => {
                let topic = &self.topics[self.name_of(text("TopicArn"))?];
                let pending = topic.subscriptions.iter().filter(|subscription| subscription.is_pending()).count();
                let mut attributes = json!({
                    "TopicArn": text("TopicArn"),
                    "Owner": self.account,
                    "SubscriptionsPending": pending.to_string(),
                    "SubscriptionsConfirmed": (topic.subscriptions.len() - pending).to_string(),
                    "SubscriptionsDeleted": "0",
                    "DisplayName": "",
                });
                for (name, value) in &topic.attributes {
                    attributes[name] = json!(value);
                }
                Ok(json!({"Attributes": attributes}))
            }
            "Subscribe" => self.subscribe(body),
            "Unsubscribe" => {
                let arn = text("SubscriptionArn");
                for topic in self.topics.values_mut() {
                    topic.subscriptions.retain(|subscription| subscription.arn != arn);
                }
                Ok(json!({}))
            }
            "ListSubscriptions" => {
                let all = self.topics.iter().flat_map(|(name, topic)| topic.subscriptions.iter().map(move |subscription| (name, subscription)));
                Ok(json!({"Subscriptions": all.map(|(name, subscription)| self.shown(name, subscription)).collect::<Vec<_>>()}))
            }
            "ListSubscriptionsByTopic" => {
                let name = self.name_of(text("TopicArn"))?;
                let list = self.topics[name].subscriptions.iter();
                Ok(json!({"Subscriptions": list.map(|subscription| self.shown(name, subscription)).collect::<Vec<_>>()}))
            }
            other => Err(ServiceError::not_simulated(other)),
        }
    }

    fn shown(&self, topic: &str, subscription: &Subscription) -> Value {
        let arn = if subscription.is_pending() { "PendingConfirmation" } else { &subscription.arn };
        json!({
            "SubscriptionArn": arn,
            "Owner": self.account,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "TopicArn": format!("{}{topic}", self.prefix),
        })
    }

    fn subscribe(&mut self, body: &Value) -> Result<Value, ServiceError> {
        const PROTOCOLS: [&str; 9] = ["application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"];
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let name = self.name_of(text("TopicArn"))?.to_owned();
        let (protocol, endpoint) = (text("Protocol"), text("Endpoint"));
        if !PROTOCOLS.contains(&protocol) {
            return Err(invalid(format!("Amazon SNS does not support this protocol string: {protocol}")));
        }
        let fits = match protocol {
            "lambda" => endpoint.starts_with("arn:aws:lambda:"),
            "firehose" => endpoint.starts_with("arn:aws:firehose:"),
            "sqs" => endpoint.starts_with("arn:aws:sqs:"),
            "email" | "email-json" => endpoint.contains('@'),
            "http" | "https" => endpoint.split_once("://").is_some_and(|(scheme, _)| scheme == protocol),
            _ => !endpoint.is_empty(),
        };
        if !fits {
            return Err(invalid(match protocol {
                "lambda" => "Lambda endpoint ARN".to_owned(),
                "firehose" => "Firehose endpoint ARN".to_owned(),
                "sqs" => "SQS endpoint ARN".to_owned(),
                "email" | "email-json" => "Email address".to_owned(),
                "http" | "https" => "Endpoint must match the specified protocol".to_owned(),
                _ => "Endpoint".to_owned(),
            }));
        }
        let raw = body["Attributes"]["RawMessageDelivery"].as_str() == Some("true");
        let known = self.topics[&name].subscriptions.iter().find(|known| known.protocol == protocol && known.endpoint == endpoint).cloned();
        let subscription = known.unwrap_or_else(|| {
            let id = self.id();
            let arn = format!("{}{name}:{id}", self.prefix);
            let made = Subscription { arn, protocol: protocol.to_owned(), endpoint: endpoint.to_owned(), raw };
            if let Some(topic) = self.topics.get_mut(&name) {
                topic.subscriptions.push(made.clone());
            }
            made
        });
        let tells = !subscription.is_pending() || body["ReturnSubscriptionArn"].as_bool() == Some(true);
        Ok(json!({"SubscriptionArn": if tells { subscription.arn.as_str() } else { "pending confirmation" }}))
    }

    /// Takes a message: what was published, and who gets it.
    ///
    /// # Errors
    /// The service's own.
    pub fn publish(&mut self, now: VirtualTime, topic_arn: &str, body: &Value) -> Result<(Message, Vec<Subscription>), ServiceError> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        if topic_arn.is_empty() {
            return Err(invalid("TopicArn or TargetArn Reason: no value for required parameter"));
        }
        let name = self.name_of(topic_arn)?.to_owned();
        let whole = text("Message");
        if whole.is_empty() {
            return Err(invalid("Empty message"));
        }
        if whole.len() > MESSAGE_MAX {
            return Err(invalid("Message too long"));
        }
        let subject = body["Subject"].as_str();
        if subject.is_some_and(|subject| subject.is_empty() || subject.chars().count() > SUBJECT_MAX || subject.chars().any(char::is_control)) {
            return Err(invalid("Subject"));
        }
        let texts = match text("MessageStructure") {
            "" => BTreeMap::from([("default".to_owned(), whole.to_owned())]),
            "json" => {
                let parsed: BTreeMap<String, Value> =
                    serde_json::from_str(whole).map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
                if !parsed.contains_key("default") {
                    return Err(invalid("Message Structure - No default entry in JSON message body"));
                }
                parsed.into_iter().filter_map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned()))).collect()
            }
            other => return Err(invalid(format!("MessageStructure Reason: Invalid message structure: {other}"))),
        };
        let message = Message {
            id: self.id(),
            topic: topic_arn.to_owned(),
            at: now,
            subject: subject.map(str::to_owned),
            texts,
            attributes: body["MessageAttributes"].clone(),
        };
        let Some(topic) = self.topics.get_mut(&name) else { return Err(missing("Topic")) };
        topic.published += 1;
        if topic.messages.len() == MESSAGES_KEPT {
            topic.messages.pop_front();
        }
        topic.messages.push_back(message.clone());
        Ok((message, topic.subscriptions.clone()))
    }
}

/// The entries of a PublishBatch.
///
/// # Errors
/// None, too many, or two of one id.
pub fn entries(body: &Value) -> Result<&[Value], ServiceError> {
    let entries = body["PublishBatchRequestEntries"].as_array().map_or(&[][..], Vec::as_slice);
    let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    let refused = |code, text: &str| Err(ServiceError::new(code, text));
    match entries.len() {
        0 => refused(ErrorCode::EmptyBatchRequest, "The batch request doesn't contain any entries."),
        more if more > BATCH_MAX => refused(ErrorCode::TooManyEntriesInBatchRequest, "The batch request contains more entries than permissible."),
        count if ids.len() < count => refused(ErrorCode::BatchEntryIdsNotDistinct, "Two or more batch entries in the request have the same Id."),
        _ => Ok(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sns: &mut Sns, operation: &str, body: Value) -> Result<Value, ServiceError> {
        sns.call(&Call::of("sns", operation, &body)?)
    }

    #[test]
    fn topics_take_subscriptions_and_messages_as_sns_does() {
        let mut sns = Sns::new(7, "us-east-1", "123456789012");
        let arn = "arn:aws:sns:us-east-1:123456789012:alarms";
        for _ in 0..2 {
            assert_eq!(call(&mut sns, "CreateTopic", json!({"Name": "alarms"})).expect("good")["TopicArn"], arn);
        }
        let subscribe = |sns: &mut Sns, protocol: &str, endpoint: &str| {
            call(sns, "Subscribe", json!({"TopicArn": arn, "Protocol": protocol, "Endpoint": endpoint}))
        };
        assert_eq!(subscribe(&mut sns, "email", "a@example.com").expect("good")["SubscriptionArn"], "pending confirmation");
        let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let first = subscribe(&mut sns, "lambda", function).expect("good");
        assert_eq!(subscribe(&mut sns, "lambda", function).expect("the same again"), first);
        assert_eq!(
            subscribe(&mut sns, "pigeon", "x").expect_err("unknown").message,
            "Invalid parameter: Amazon SNS does not support this protocol string: pigeon"
        );
        assert_eq!(subscribe(&mut sns, "lambda", "f").expect_err("no ARN").message, "Invalid parameter: Lambda endpoint ARN");
        let publish = |sns: &mut Sns, body: Value| sns.publish(VirtualTime::from_secs(1_567_000_000), arn, &body);
        let (message, subscriptions) =
            publish(&mut sns, json!({"Message": r#"{"default":"d","lambda":"l"}"#, "MessageStructure": "json"})).expect("good");
        assert_eq!((message.text("email"), message.text("lambda"), subscriptions.len()), ("d", "l", 2));
        let event: Value = serde_json::from_str(&message.event(&subscriptions[1])).expect("JSON");
        assert_eq!(event["Records"][0]["Sns"]["Message"], "l");
        assert_eq!(publish(&mut sns, json!({"Message": ""})).expect_err("empty").message, "Invalid parameter: Empty message");
        assert!(
            publish(&mut sns, json!({"Message": "{}", "MessageStructure": "json"})).expect_err("no default").message.contains("No default entry")
        );
        let gone = sns.publish(VirtualTime(0), "arn:aws:sns:us-east-1:123456789012:other", &json!({"Message": "x"})).expect_err("not there");
        assert_eq!((gone.code, gone.message.as_str()), (ErrorCode::NotFound, "Topic does not exist"));
        let attributes = call(&mut sns, "GetTopicAttributes", json!({"TopicArn": arn})).expect("there");
        assert_eq!(attributes["Attributes"]["SubscriptionsPending"], "1");
        call(&mut sns, "DeleteTopic", json!({"TopicArn": arn})).expect("good");
        assert_eq!(call(&mut sns, "ListTopics", json!({})).expect("good"), json!({"Topics": []}));
    }
}
