//! Tags and resource policies of streams and fan-out consumers.

use std::collections::BTreeMap;

use crate::api::ServiceError;
use crate::api::kinesis::{
    AddTagsToStreamRequest, DeleteResourcePolicyRequest, GetResourcePolicyRequest, GetResourcePolicyResponse, ListTagsForResourceRequest,
    ListTagsForResourceResponse, ListTagsForStreamRequest, ListTagsForStreamResponse, PutResourcePolicyRequest, RemoveTagsFromStreamRequest, Tag,
    TagResourceRequest, UntagResourceRequest,
};

use super::Kinesis;

/// Tags of one resource at most.
const TAGS_MAX: usize = 50;
/// Tags of one page at most.
const TAGS_PAGE: usize = 50;

fn add(tags: &mut BTreeMap<String, String>, more: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if let Some(key) = more.keys().find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(ServiceError::invalid_argument(format!("Tag key {key} is reserved: keys must not start with aws:")));
    }
    let total = tags.len() + more.keys().filter(|key| !tags.contains_key(*key)).count();
    if total > TAGS_MAX {
        return Err(ServiceError::invalid_argument(format!("A resource can have at most {TAGS_MAX} tags. This request would make {total}.")));
    }
    tags.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(())
}

fn tag((key, value): (&String, &String)) -> Tag {
    Tag { key: key.clone(), value: Some(value.clone()) }
}

impl Kinesis {
    /// Tags of the stream or consumer that an ARN names.
    fn tags_of(&mut self, arn: &str) -> Result<&mut BTreeMap<String, String>, ServiceError> {
        if arn.contains("/consumer/") {
            return self.consumer_by_arn_mut(arn).map(|consumer| &mut consumer.tags);
        }
        self.find_mut(None, Some(arn)).map(|stream| &mut stream.tags)
    }

    fn policy_of(&mut self, arn: &str) -> Result<&mut Option<String>, ServiceError> {
        if arn.contains("/consumer/") {
            return self.consumer_by_arn_mut(arn).map(|consumer| &mut consumer.policy);
        }
        self.find_mut(None, Some(arn)).map(|stream| &mut stream.policy)
    }

    pub(super) fn add_tags(&mut self, q: &AddTagsToStreamRequest) -> Result<(), ServiceError> {
        add(&mut self.find_mut(q.stream_name.as_deref(), q.stream_arn.as_deref())?.tags, &q.tags)
    }

    pub(super) fn remove_tags(&mut self, q: &RemoveTagsFromStreamRequest) -> Result<(), ServiceError> {
        let stream = self.find_mut(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        stream.tags.retain(|key, _| !q.tag_keys.contains(key));
        Ok(())
    }

    pub(super) fn list_tags(&mut self, q: &ListTagsForStreamRequest) -> Result<ListTagsForStreamResponse, ServiceError> {
        let stream = self.find(q.stream_name.as_deref(), q.stream_arn.as_deref())?;
        let page = q.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(TAGS_PAGE).clamp(1, TAGS_PAGE);
        let mut rest = stream.tags.iter().filter(|(key, _)| q.exclusive_start_tag_key.as_ref().is_none_or(|after| *key > after));
        let tags: Vec<Tag> = rest.by_ref().take(page).map(tag).collect();
        Ok(ListTagsForStreamResponse { tags, has_more_tags: rest.next().is_some() })
    }

    pub(super) fn tag_resource(&mut self, q: &TagResourceRequest) -> Result<(), ServiceError> {
        add(self.tags_of(&q.resource_arn)?, &q.tags)
    }

    pub(super) fn untag_resource(&mut self, q: &UntagResourceRequest) -> Result<(), ServiceError> {
        self.tags_of(&q.resource_arn)?.retain(|key, _| !q.tag_keys.contains(key));
        Ok(())
    }

    pub(super) fn list_tags_for_resource(&mut self, q: &ListTagsForResourceRequest) -> Result<ListTagsForResourceResponse, ServiceError> {
        let tags = self.tags_of(&q.resource_arn)?.iter().map(tag).collect();
        Ok(ListTagsForResourceResponse { tags: Some(tags) })
    }

    pub(super) fn put_policy(&mut self, q: &PutResourcePolicyRequest) -> Result<(), ServiceError> {
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&q.policy).is_err() {
            return Err(ServiceError::invalid_argument("The resource policy is not a JSON document."));
        }
        *self.policy_of(&q.resource_arn)? = Some(q.policy.clone());
        Ok(())
    }

    pub(super) fn get_policy(&mut self, q: &GetResourcePolicyRequest) -> Result<GetResourcePolicyResponse, ServiceError> {
        let policy = self.policy_of(&q.resource_arn)?.clone().unwrap_or_else(|| "{}".to_owned());
        Ok(GetResourcePolicyResponse { policy })
    }

    pub(super) fn delete_policy(&mut self, q: &DeleteResourcePolicyRequest) -> Result<(), ServiceError> {
        let arn = &q.resource_arn;
        if self.policy_of(arn)?.take().is_none() {
            return Err(ServiceError::resource_not_found(format!("No policy found for resource {arn}.")));
        }
        Ok(())
    }
}
