//! Partition templates (contract, management-api section 3).

use rescind_domain as domain;
use serde::{Deserialize, Serialize};

use crate::FieldError;

/// One part of a partition template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "value",
    rename_all = "lowercase",
    deny_unknown_fields
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TemplatePart {
    /// The value of the tag with this key.
    Tag(String),
    /// The point's time, by this strftime format.
    Time(String),
    /// The hash of a tag's value, modulo a number of buckets.
    Bucket(Bucket),
}

/// What a bucket part says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bucket {
    /// The tag's key.
    pub tag_name: String,
    /// How many buckets: 1 to 99999.
    #[cfg_attr(feature = "openapi", schema(value_type = i32, minimum = 1, maximum = 100_000))]
    pub number_of_buckets: i64,
}

impl From<&domain::TemplatePart> for TemplatePart {
    fn from(part: &domain::TemplatePart) -> Self {
        match part {
            domain::TemplatePart::Tag(tag) => Self::Tag(tag.clone()),
            domain::TemplatePart::Time(format) => Self::Time(format.clone()),
            domain::TemplatePart::Bucket { tag, buckets } => Self::Bucket(Bucket {
                tag_name: tag.clone(),
                number_of_buckets: i64::from(*buckets),
            }),
        }
    }
}

/// A template as a list of parts; `None` stays `None`.
pub(crate) fn parts_of(template: Option<&domain::PartitionTemplate>) -> Option<Vec<TemplatePart>> {
    template.map(|template| template.parts().iter().map(TemplatePart::from).collect())
}

/// The template that a request's field `partitionTemplate` describes.
pub(crate) fn parse_parts(
    parts: Option<Vec<TemplatePart>>,
) -> Result<Option<domain::PartitionTemplate>, FieldError> {
    let part = |part| match part {
        TemplatePart::Tag(tag) => Ok(domain::TemplatePart::Tag(tag)),
        TemplatePart::Time(format) => Ok(domain::TemplatePart::Time(format)),
        TemplatePart::Bucket(bucket) => match u32::try_from(bucket.number_of_buckets) {
            Ok(buckets) => Ok(domain::TemplatePart::Bucket {
                tag: bucket.tag_name,
                buckets,
            }),
            Err(_) => Err(domain::TemplateError::Buckets(bucket.number_of_buckets)),
        },
    };
    let Some(parts) = parts else { return Ok(None) };
    parts
        .into_iter()
        .map(part)
        .collect::<Result<_, _>>()
        .and_then(domain::PartitionTemplate::new)
        .map(Some)
        .map_err(FieldError::of("partitionTemplate"))
}
