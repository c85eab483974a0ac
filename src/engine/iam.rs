//! Roles and their policies: as much of IAM as decides whether a role may put records.
//!
//! Only roles that were created here are judged; a role that exists nowhere but in an ARN may do everything (see `docs/fidelity.md`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::time::VirtualTime;

/// A role.
#[derive(Debug, Clone, Default)]
pub struct Role {
    /// Who may take it.
    pub trust: Value,
    /// Inline policies by name.
    pub policies: BTreeMap<String, Value>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// When it was created.
    pub created: VirtualTime,
}

/// The roles of the account.
#[derive(Debug, Clone, Default)]
pub struct Iam {
    roles: BTreeMap<String, Role>,
}

/// Whether a pattern with `*` and `?` matches, as in policies; without case.
fn wild(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if let Some((at, seen)) = star {
            p = at + 1;
            t = seen + 1;
            star = Some((at, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl Iam {
    /// A role by name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Whether the role of an ARN may carry out `action` (`firehose:PutRecordBatch`).
    pub fn allows(&self, role_arn: &str, action: &str) -> bool {
        let Some(role) = self.roles.get(role_arn.rsplit('/').next().unwrap_or_default()) else { return true };
        let service = action.split(':').next().unwrap_or_default();
        let managed = role.attached.iter().any(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
            name == "administratoraccess" || name == "poweruseraccess" || (name.contains(service) && name.contains("fullaccess"))
        });
        let mut allowed = managed;
        for policy in role.policies.values() {
            let statements = match &policy["Statement"] {
                Value::Array(items) => items.iter().collect(),
                one => vec![one],
            };
            for statement in statements {
                if texts(&statement["Action"]).iter().any(|pattern| wild(pattern, action)) {
                    if statement["Effect"] == "Deny" {
                        return false;
                    }
                    allowed |= statement["Effect"] == "Allow";
                }
            }
        }
        allowed
    }

    fn find(&mut self, name: &str) -> Result<&mut Role, ServiceError> {
        let text = format!("The role with name {name} cannot be found.");
        self.roles.get_mut(name).ok_or_else(|| ServiceError::new(ErrorCode::NoSuchEntity, text))
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// IAM's own.
    pub fn call(&mut self, now: VirtualTime, account: &str, call: &Call) -> Result<Value, ServiceError> {
        let text = |name: &str| call.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = text("RoleName");
        let document = |member: &str| {
            serde_json::from_str::<Value>(text(member)).map_err(|error| ServiceError::validation(format!("Syntax errors in policy: {error}")))
        };
        let shown = |name: &str, role: &Role| {
            json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{:0>16}", name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")),
                "Arn": format!("arn:aws:iam::{account}:role/{name}"), "CreateDate": role.created.to_string(), "AssumeRolePolicyDocument": role.trust})
        };
        match call.operation.name {
            "CreateRole" => {
                if self.roles.contains_key(name) {
                    return Err(ServiceError::new(ErrorCode::EntityAlreadyExists, format!("Role with name {name} already exists.")));
                }
                let role = Role { trust: document("AssumeRolePolicyDocument")?, created: now, ..Role::default() };
                let answer = json!({"Role": shown(name, &role)});
                self.roles.insert(name.to_owned(), role);
                Ok(answer)
            }
            "DeleteRole" => {
                self.find(name)?;
                self.roles.remove(name);
                Ok(json!({}))
            }
            "GetRole" => self.find(name).map(|role| json!({"Role": shown(name, role)})),
            "ListRoles" => Ok(json!({"Roles": self.roles.iter().map(|(name, role)| shown(name, role)).collect::<Vec<_>>()})),
            "PutRolePolicy" => {
                let policy = document("PolicyDocument")?;
                self.find(name)?.policies.insert(text("PolicyName").to_owned(), policy);
                Ok(json!({}))
            }
            "DeleteRolePolicy" => {
                self.find(name)?.policies.remove(text("PolicyName"));
                Ok(json!({}))
            }
            "AttachRolePolicy" => {
                self.find(name)?.attached.push(text("PolicyArn").to_owned());
                Ok(json!({}))
            }
            other => Err(ServiceError::not_simulated(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_allow_and_deny() {
        let mut iam = Iam::default();
        let call =
            |iam: &mut Iam, operation: &str, body: Value| iam.call(VirtualTime(0), "123456789012", &Call::of("iam", operation, &body).expect("good"));
        call(&mut iam, "CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": "{}"})).expect("free");
        let arn = "arn:aws:iam::123456789012:role/r";
        assert!(!iam.allows(arn, "firehose:PutRecordBatch"));
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"firehose:Put*","Resource":"*"}}"#;
        call(&mut iam, "PutRolePolicy", json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": policy})).expect("there");
        assert!(iam.allows(arn, "firehose:PutRecordBatch") && !iam.allows(arn, "s3:PutObject"));
        assert!(iam.allows("arn:aws:iam::123456789012:role/elsewhere", "s3:PutObject"));
        assert!(call(&mut iam, "CreateRole", json!({"RoleName": "q", "AssumeRolePolicyDocument": "{"})).is_err());
    }
}
