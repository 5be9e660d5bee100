//! The part of a form that says how a table is partitioned (contract, admin-ui section 5), and the same in words.

use rescind_domain::{PartitionTemplate, TemplateError, TemplatePart};

use crate::errors::sentence;
use crate::fields::Fields;
use crate::problems::Problems;

/// Besides the time, which always is a part.
pub(super) const MOST_PARTS: usize = PartitionTemplate::MAX_PARTS - 1;

/// What is sent for a time format, and its words.
pub(super) const TIME_FORMATS: [(&str, &str); 3] = [
    ("%Y-%m-%d", "%Y-%m-%d (Daily)"),
    ("%Y-%m", "%Y-%m (Monthly)"),
    ("%Y", "%Y (Yearly)"),
];

/// A part as it stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PartRow {
    /// Whether it is a bucket part, not a tag part.
    pub(super) is_bucket: bool,
    /// The tag.
    pub(super) tag: String,
    /// How many buckets.
    pub(super) buckets: String,
}

/// The fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partitioning {
    /// Whether it is not as the database says.
    pub(super) is_custom: bool,
    /// How time is a part.
    pub(super) time: String,
    /// The other parts.
    pub(super) rows: Vec<PartRow>,
}

impl Partitioning {
    /// As the database says.
    pub(super) fn blank() -> Self {
        Self {
            is_custom: false,
            time: TIME_FORMATS[0].0.to_owned(),
            rows: vec![PartRow::default()],
        }
    }

    /// What was typed, and whether a button only rearranged the rows.
    pub(super) fn read(fields: &Fields) -> (Self, bool) {
        let removed = fields.number("remove");
        let is_more = fields.is_on("add");
        let number = fields.number("parts").unwrap_or(0);
        let (kinds, buckets) = (fields.rows_of("type"), fields.rows_of("buckets"));
        // The script takes rows away without renumbering the others.
        let tags = fields.rows_of("tag").into_iter();
        let typed = tags.filter(|(at, _)| *at < number && removed != Some(*at));
        let mut rows: Vec<PartRow> = typed
            .map(|(at, tag)| PartRow {
                is_bucket: kinds.get(&at).is_some_and(|kind| kind.trim() == "bucket"),
                tag: tag.trim().to_owned(),
                buckets: buckets.get(&at).unwrap_or(&"").trim().to_owned(),
            })
            .take(MOST_PARTS)
            .collect();
        if is_more && rows.len() < MOST_PARTS {
            rows.push(PartRow::default());
        }
        let typed = Self {
            is_custom: fields.is_on("custom"),
            time: fields.given("time").unwrap_or(TIME_FORMATS[0].0).to_owned(),
            rows,
        };
        (typed, is_more || removed.is_some())
    }

    /// The template meant, or nothing for the database's; notes what is wrong with it. Rows left empty count as not there.
    pub(super) fn template(&self, problems: &mut Problems) -> Option<PartitionTemplate> {
        if !self.is_custom {
            return None;
        }
        let mut parts = vec![TemplatePart::Time(self.time.clone())];
        for row in &self.rows {
            match (row.is_bucket, row.tag.as_str(), row.buckets.as_str()) {
                (false, "", _) | (true, "", "") => {}
                (true, "", _) => {
                    problems.add("parts", "Enter the name of the tag that the buckets are of.");
                    return None;
                }
                (false, tag, _) => parts.push(TemplatePart::Tag(tag.to_owned())),
                (true, tag, number) => {
                    let Ok(buckets) = number.parse() else {
                        problems.add(
                            "parts",
                            format!(
                                "Enter for {tag} how many buckets, from 1 to {}.",
                                PartitionTemplate::MAX_BUCKETS
                            ),
                        );
                        return None;
                    };
                    parts.push(TemplatePart::Bucket {
                        tag: tag.to_owned(),
                        buckets,
                    });
                }
            }
        }
        let template = PartitionTemplate::new(parts);
        let told = template.map_err(|error| match error {
            TemplateError::Repeated(tag) => format!("Use each tag once: {tag} is there twice."),
            other => sentence(&other.to_string()),
        });
        problems.take("parts", told)
    }
}

/// `time %Y-%m, tag room, 10 buckets of tag station`.
pub(super) fn in_words(template: &PartitionTemplate) -> String {
    let parts = template.parts().iter().map(|part| match part {
        TemplatePart::Time(format) => format!("time {format}"),
        TemplatePart::Tag(tag) => format!("tag {tag}"),
        TemplatePart::Bucket { tag, buckets } => format!("{buckets} buckets of tag {tag}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> (Partitioning, bool) {
        Partitioning::read(&Fields::parse(typed.as_bytes()))
    }

    #[test]
    fn rows_make_a_template() {
        let (typed, is_rearranged) = read(
            "custom=1&time=%25Y-%25m&parts=4&type-0=tag&tag-0=room&buckets-0=&type-1=tag&tag-1=&type-3=bucket&tag-3=station&buckets-3=10",
        );
        assert!(!is_rearranged);
        let template = typed.template(&mut Problems::default()).expect("good");
        assert_eq!(
            in_words(&template),
            "time %Y-%m, tag room, 10 buckets of tag station"
        );
        let (typed, _) = read("parts=1&type-0=tag&tag-0=room");
        assert_eq!(typed.template(&mut Problems::default()), None);
    }

    #[test]
    fn buttons_add_and_remove_rows_up_to_seven() {
        let (typed, is_rearranged) = read("custom=1&parts=1&type-0=tag&tag-0=a&add=1");
        assert!(is_rearranged);
        assert_eq!(typed.rows.len(), 2);
        let (typed, is_rearranged) = read("custom=1&parts=2&tag-0=a&tag-1=b&remove=0");
        assert!(is_rearranged);
        assert_eq!(typed.rows[0].tag, "b");
        let many: String = (0..9).map(|at| format!("&tag-{at}=t{at}")).collect();
        assert_eq!(read(&format!("parts=9&add=1{many}")).0.rows.len(), 7);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = [
            "time=x",
            "parts=1&type-0=tag&tag-0=time",
            "parts=2&tag-0=a&tag-1=a",
            "parts=1&type-0=bucket&tag-0=a&buckets-0=many",
            "parts=1&type-0=bucket&tag-0=a&buckets-0=0",
            "parts=1&type-0=bucket&tag-0=&buckets-0=3",
        ];
        let told = wrong.map(|typed| {
            let mut problems = Problems::default();
            assert_eq!(read(&format!("custom=1&{typed}")).0.template(&mut problems), None);
            problems.of_field("parts").to_owned()
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
