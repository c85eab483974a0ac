//! The second API, `KinesisAnalytics_20180523`, for SQL applications: the same applications as through the first one, under other members.
//!
//! Every request is turned into one of the first API, so that there is one set of rules; roles that the first API wants with each resource are the
//! application's own here.

use serde_json::{Map, Value, json};

use super::application::{Application, invalid, processing_described, text};
use super::{Analytics, Env};
use crate::api::{Call, ServiceError};
use crate::engine::kinesis::Ctx;

/// The runtime of SQL applications.
const SQL: &str = "SQL-1_0";

impl Analytics {
    /// Carries out an operation of the second API.
    ///
    /// # Errors
    /// The service's own.
    pub fn call_v2(&mut self, ctx: &mut Ctx<'_>, env: &mut Env<'_>, call: &Call) -> Result<Value, ServiceError> {
        let (operation, body) = (call.operation.name, &call.body);
        let name = text(body, "ApplicationName").to_owned();
        let mut v1 = |analytics: &mut Self, operation: &str, body: &Value| {
            let call = Call::of("kinesisanalytics", operation, body)?;
            analytics.call(ctx, env, &call)
        };
        let version = self.application(&name).map_or(0, |application| application.version);
        match operation {
            "CreateApplication" => {
                let runtime = text(body, "RuntimeEnvironment");
                if runtime != SQL {
                    return Err(invalid(format!("RuntimeEnvironment: kinlab runs {SQL} applications; {runtime} is not simulated")));
                }
                let role = text(body, "ServiceExecutionRole");
                let (request, sources) = created(body, role);
                v1(self, operation, &Value::Object(request))?;
                for source in sources {
                    let version = self.application(&name).map_or(1, |application| application.version);
                    let add = json!({"ApplicationName": name, "CurrentApplicationVersionId": version, "ReferenceDataSource": source});
                    if let Err(error) = v1(self, "AddApplicationReferenceDataSource", &add) {
                        // All or nothing.
                        self.applications.remove(name.as_str());
                        return Err(error);
                    }
                }
                let application = self.find(&name)?;
                application.role = Some(role.to_owned());
                application.version = 1;
                self.detail_v2(&name)
            }
            "DescribeApplication" => self.detail_v2(&name),
            "ListApplications" => {
                let limit = body["Limit"].as_u64().unwrap_or(50) as usize;
                let after = text(body, "NextToken");
                let list: Vec<&Application> = self.applications().filter(|application| &*application.name > after).collect();
                let shown: Vec<Value> = list
                    .iter()
                    .take(limit)
                    .map(|application| {
                        json!({
                            "ApplicationName": &*application.name, "ApplicationARN": self.arn(&application.name),
                            "ApplicationStatus": application.status.name(), "ApplicationVersionId": application.version, "RuntimeEnvironment": SQL
                        })
                    })
                    .collect();
                let mut answer = json!({ "ApplicationSummaries": shown });
                if let Some(last) = list.get(limit.saturating_sub(1)).filter(|_| list.len() > limit) {
                    answer["NextToken"] = json!(&*last.name);
                }
                Ok(answer)
            }
            "StartApplication" => {
                let configurations: Vec<Value> = body["RunConfiguration"]["SqlRunConfigurations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|run| json!({"Id": run["InputId"], "InputStartingPositionConfiguration": run["InputStartingPositionConfiguration"]}))
                    .collect();
                let mut request = json!({ "ApplicationName": name });
                if !configurations.is_empty() {
                    request["InputConfigurations"] = json!(configurations);
                }
                v1(self, operation, &request)
            }
            "StopApplication" => v1(self, operation, &json!({ "ApplicationName": name })),
            "UpdateApplication" => {
                let change = &body["ApplicationConfigurationUpdate"];
                let mut update = change["SqlApplicationConfigurationUpdate"].as_object().cloned().unwrap_or_default();
                if let Some(code) = change["ApplicationCodeConfigurationUpdate"]["CodeContentUpdate"]["TextContentUpdate"].as_str() {
                    update.insert("ApplicationCodeUpdate".to_owned(), json!(code));
                }
                let known = body["CurrentApplicationVersionId"].as_u64().unwrap_or(version);
                v1(self, operation, &json!({"ApplicationName": name, "CurrentApplicationVersionId": known.max(1), "ApplicationUpdate": update}))?;
                if let Some(role) = body["ServiceExecutionRoleUpdate"].as_str() {
                    self.find(&name)?.role = Some(role.to_owned());
                }
                self.detail_v2(&name)
            }
            "DiscoverInputSchema" => v1(self, operation, &without(body, "ServiceExecutionRole")),
            "DeleteApplication" | "TagResource" | "UntagResource" | "ListTagsForResource" => v1(self, operation, body),
            // What adds or takes away a part answers with the new version and the parts of that kind.
            _ => {
                v1(self, operation, body)?;
                let application = self.find(&name)?;
                let version = application.version;
                let described = application.described();
                let mut answer = json!({"ApplicationARN": self.arn(&name), "ApplicationVersionId": version});
                if operation == "AddApplicationInputProcessingConfiguration" {
                    answer["InputId"] = body["InputId"].clone();
                    answer["InputProcessingConfigurationDescription"] = processing_described(&body["InputProcessingConfiguration"]);
                    return Ok(answer);
                }
                let parts = match operation {
                    "AddApplicationInput" => "InputDescriptions",
                    "AddApplicationOutput" => "OutputDescriptions",
                    "AddApplicationReferenceDataSource" => "ReferenceDataSourceDescriptions",
                    _ => "CloudWatchLoggingOptionDescriptions",
                };
                if operation.starts_with("Add") || parts == "CloudWatchLoggingOptionDescriptions" {
                    answer[parts] = described[parts].clone();
                }
                if let Some(object) = answer.as_object_mut() {
                    object.retain(|_, value| !value.is_null());
                }
                Ok(answer)
            }
        }
    }

    /// The application as the second API shows it.
    fn detail_v2(&mut self, name: &str) -> Result<Value, ServiceError> {
        let application = self.find(name)?;
        let mut shown = application.described();
        let mut sql = Map::new();
        for part in ["InputDescriptions", "OutputDescriptions", "ReferenceDataSourceDescriptions"] {
            if let Some(value) = shown.as_object_mut().and_then(|shown| shown.shift_remove(part)) {
                sql.insert(part.to_owned(), value);
            }
        }
        let code = shown.as_object_mut().and_then(|shown| shown.shift_remove("ApplicationCode")).unwrap_or_default();
        shown["RuntimeEnvironment"] = json!(SQL);
        shown["ServiceExecutionRole"] = json!(application.role.clone().unwrap_or_default());
        shown["ApplicationConfigurationDescription"] = json!({
            "SqlApplicationConfigurationDescription": sql,
            "ApplicationCodeConfigurationDescription": {
                "CodeContentType": "PLAINTEXT",
                "CodeContentDescription": {"TextContent": code}
            }
        });
        Ok(json!({ "ApplicationDetail": shown }))
    }
}

fn without(body: &Value, member: &str) -> Value {
    let mut object = body.as_object().cloned().unwrap_or_default();
    object.shift_remove(member);
    Value::Object(object)
}

/// The request of the first API that creates the same application, and its reference tables, which are added afterwards.
fn created(body: &Value, role: &str) -> (Map<String, Value>, Vec<Value>) {
    let configuration = &body["ApplicationConfiguration"];
    let sql = &configuration["SqlApplicationConfiguration"];
    let mut request = Map::new();
    for member in ["ApplicationName", "ApplicationDescription", "CloudWatchLoggingOptions", "Tags"] {
        if !body[member].is_null() {
            request.insert(member.to_owned(), body[member].clone());
        }
    }
    let with_role = |part: &Value| {
        let mut part = part.clone();
        for (member, value) in part.as_object_mut().into_iter().flatten() {
            if value["ResourceARN"].is_string() && value["RoleARN"].is_null() && member != "InputProcessingConfiguration" {
                value["RoleARN"] = json!(role);
            }
        }
        part
    };
    for member in ["Inputs", "Outputs"] {
        if let Some(parts) = sql[member].as_array() {
            request.insert(member.to_owned(), parts.iter().map(with_role).collect());
        }
    }
    if let Some(code) = configuration["ApplicationCodeConfiguration"]["CodeContent"]["TextContent"].as_str() {
        request.insert("ApplicationCode".to_owned(), json!(code));
    }
    (request, sql["ReferenceDataSources"].as_array().cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_become_those_of_the_first_api() {
        let body = json!({"ApplicationName": "a", "ApplicationConfiguration": {
            "SqlApplicationConfiguration": {
                "Outputs": [{"Name": "OUT", "KinesisStreamsOutput": {"ResourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/x"}, "DestinationSchema": {"RecordFormatType": "JSON"}}],
                "ReferenceDataSources": [{"TableName": "T"}]
            },
            "ApplicationCodeConfiguration": {"CodeContent": {"TextContent": "-- nothing"}, "CodeContentType": "PLAINTEXT"}
        }});
        let (request, sources) = created(&body, "arn:aws:iam::123456789012:role/r");
        assert_eq!(request["ApplicationCode"], "-- nothing");
        assert_eq!(request["Outputs"][0]["KinesisStreamsOutput"]["RoleARN"], "arn:aws:iam::123456789012:role/r");
        assert_eq!(sources.len(), 1);
    }
}
