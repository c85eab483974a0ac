//! What is published to a topic goes to its subscribers.

use serde_json::{Value, json};

use super::Services;
use crate::api::{Call, ServiceError};
use crate::engine::kinesis::Ctx;
use crate::engine::lambda::function::Program;
use crate::engine::sns;

/// Characters of a message that the journal shows.
const SHOWN: usize = 200;

impl Services {
    /// Publish and PublishBatch.
    ///
    /// # Errors
    /// SNS's own.
    pub(super) fn publish(&mut self, ctx: &mut Ctx<'_>, call: &Call) -> Result<Value, ServiceError> {
        let body = &call.body;
        if call.operation.name == "Publish" {
            let topic = body["TopicArn"].as_str().or(body["TargetArn"].as_str()).unwrap_or_default();
            return self.publish_one(ctx, topic, body).map(|id| json!({"MessageId": id}));
        }
        let topic = body["TopicArn"].as_str().unwrap_or_default();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for entry in sns::entries(body)? {
            match self.publish_one(ctx, topic, entry) {
                Ok(id) => good.push(json!({"Id": entry["Id"], "MessageId": id})),
                Err(error) => bad.push(json!({"Id": entry["Id"], "Code": error.code.name(), "Message": error.message, "SenderFault": true})),
            }
        }
        Ok(json!({"Successful": good, "Failed": bad}))
    }

    /// Publishes one message: its id.
    ///
    /// # Errors
    /// SNS's own.
    pub(super) fn publish_one(&mut self, ctx: &mut Ctx<'_>, topic: &str, body: &Value) -> Result<String, ServiceError> {
        let (message, subscriptions) = self.sns.publish(ctx.now, topic, body)?;
        let resource = format!("topic {}", topic.rsplit(':').next().unwrap_or_default());
        let who: Vec<String> =
            subscriptions.iter().map(|to| format!("{} {}", to.protocol, to.endpoint.rsplit(':').next().unwrap_or_default())).collect();
        let text: String = message.text("default").chars().take(SHOWN).collect();
        let to = if who.is_empty() { "nobody".to_owned() } else { who.join(", ") };
        ctx.journal.push(ctx.now, resource.clone(), "published", format!("to {to}: {text}"), false);
        for subscription in &subscriptions {
            let problem = match subscription.protocol.as_str() {
                "lambda" => {
                    let native = match self.lambda.function(&subscription.endpoint).map(|function| &function.program) {
                        Some(Program::Rule(rule)) => Some(vec![rule.keeps(message.text("lambda").as_bytes())]),
                        Some(_) => None,
                        None => {
                            ctx.journal.push(
                                ctx.now,
                                resource.clone(),
                                "undelivered",
                                format!("there is no function {}", subscription.endpoint),
                                true,
                            );
                            continue;
                        }
                    };
                    self.lambda.call_later(ctx, &subscription.endpoint, message.event(subscription).into(), native);
                    None
                }
                "firehose" => {
                    let name = subscription.endpoint.rsplit('/').next().unwrap_or_default();
                    let (firehose, mut env) = self.apart();
                    match firehose.put_batch(ctx, &mut env, name, &[message.notification(subscription)]) {
                        Ok(passed) if passed == [true] => None,
                        Ok(_) => Some(format!("delivery stream {name} throttles")),
                        Err(error) => Some(error.message),
                    }
                }
                _ => None,
            };
            if let Some(problem) = problem {
                ctx.journal.push(ctx.now, resource.clone(), "undelivered", problem, true);
            }
        }
        Ok(message.id)
    }
}
