//! Partition templates: how a table's points are grouped on disk (contract, management-api section 3).

use std::collections::BTreeSet;

/// One part of a partition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// The value of a tag.
    Tag(String),
    /// The point's time, by this strftime format.
    Time(String),
    /// The hash of a tag's value, modulo a number of buckets.
    Bucket {
        /// The tag.
        tag: String,
        /// How many buckets.
        buckets: u32,
    },
}

/// How a table's points are grouped. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionTemplate(Vec<TemplatePart>);

/// Why parts make no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not between one and eight parts.
    #[error("a partition template has 1 to {max} parts, this one has {0}", max = PartitionTemplate::MAX_PARTS)]
    Count(usize),
    /// The same tag, or the time, twice.
    #[error("{0} may occur only once in a partition template")]
    Repeated(String),
    /// A tag with an empty name or the reserved name `time`.
    #[error("{0:?} cannot be a tag of a partition template: give the key of a tag, \"time\" is reserved")]
    Tag(String),
    /// Zero or too many buckets.
    #[error("a bucket part needs 1 to {max} buckets, not {0}", max = PartitionTemplate::MAX_BUCKETS)]
    Buckets(i64),
    /// Not one of the three documented formats.
    #[error("time format must be %Y-%m-%d, %Y-%m or %Y, not {0:?}")]
    TimeFormat(String),
}

impl PartitionTemplate {
    /// The most parts a template has.
    pub const MAX_PARTS: usize = 8;
    /// The most buckets a bucket part has (contract, X-API-8).
    pub const MAX_BUCKETS: u32 = 99_999;
    /// The time formats that exist.
    pub const TIME_FORMATS: [&'static str; 3] = ["%Y-%m-%d", "%Y-%m", "%Y"];

    /// The template of these parts.
    ///
    /// # Errors
    /// Every [`TemplateError`].
    pub fn new(parts: Vec<TemplatePart>) -> Result<Self, TemplateError> {
        if !(1..=Self::MAX_PARTS).contains(&parts.len()) {
            return Err(TemplateError::Count(parts.len()));
        }
        let mut seen = BTreeSet::new();
        for part in &parts {
            let key = match part {
                TemplatePart::Time(format) if Self::TIME_FORMATS.contains(&format.as_str()) => "time",
                TemplatePart::Time(format) => return Err(TemplateError::TimeFormat(format.clone())),
                TemplatePart::Bucket { buckets, .. } if !(1..=Self::MAX_BUCKETS).contains(buckets) => {
                    return Err(TemplateError::Buckets(i64::from(*buckets)));
                }
                TemplatePart::Tag(tag) | TemplatePart::Bucket { tag, .. }
                    if tag.is_empty() || tag == "time" =>
                {
                    return Err(TemplateError::Tag(tag.clone()));
                }
                TemplatePart::Tag(tag) | TemplatePart::Bucket { tag, .. } => tag,
            };
            if !seen.insert(key) {
                return Err(TemplateError::Repeated(key.to_owned()));
            }
        }
        Ok(Self(parts))
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_part() {
        let tag = |name: &str| TemplatePart::Tag(name.to_owned());
        let bucket = |buckets| TemplatePart::Bucket {
            tag: "c".to_owned(),
            buckets,
        };
        let wrong = [
            vec![],
            (0..9).map(|n| tag(&n.to_string())).collect(),
            vec![tag("a"), tag("a")],
            vec![tag("c"), bucket(3)],
            vec![tag("time")],
            vec![tag("")],
            vec![bucket(0)],
            vec![bucket(100_000)],
            vec![TemplatePart::Time("%H".to_owned())],
        ];
        let texts: Vec<String> = wrong
            .map(|parts| PartitionTemplate::new(parts).expect_err("refused").to_string())
            .into();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
