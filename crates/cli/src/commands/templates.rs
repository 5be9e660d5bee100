//! The `--template-…` flags of databases and tables (contract, influxctl section 7.1).

use clap::Args;
use rescind_domain as domain;
use rescind_wire::TemplatePart;

use crate::exit::Failure;

/// How points are grouped on disk.
#[derive(Args)]
pub(crate) struct TemplateArgs {
    /// Group by this tag; can be repeated
    #[arg(long, value_name = "TAG")]
    template_tag: Vec<String>,
    /// Group by this tag's values in N buckets; can be repeated
    #[arg(long, value_name = "TAG,N")]
    template_tag_bucket: Vec<String>,
    /// Group by time: %Y-%m-%d, %Y-%m or %Y; needed with the other template flags
    #[arg(long, value_name = "FORMAT")]
    template_timeformat: Option<String>,
}

impl TemplateArgs {
    /// The template that the flags describe; `None` without flags.
    ///
    /// # Errors
    /// Tags without a time format (contract, X-CLI-12), and what makes no template.
    pub(crate) fn parts(&self) -> Result<Option<Vec<TemplatePart>>, Failure> {
        let Some(format) = &self.template_timeformat else {
            if self.template_tag.is_empty() && self.template_tag_bucket.is_empty() {
                return Ok(None);
            }
            let message = "--template-tag and --template-tag-bucket need --template-timeformat";
            return Err(Failure::Usage(message.to_owned()));
        };
        let time = domain::TemplatePart::Time(format.clone());
        let tags = self.template_tag.iter().cloned().map(domain::TemplatePart::Tag);
        let mut parts: Vec<_> = std::iter::once(time).chain(tags).collect();
        for text in &self.template_tag_bucket {
            parts.push(bucket(text)?);
        }
        domain::PartitionTemplate::new(parts)
            .map(|template| Some(template.parts().iter().map(TemplatePart::from).collect()))
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

fn bucket(text: &str) -> Result<domain::TemplatePart, Failure> {
    // The number comes last: a tag's key may hold a comma.
    let (tag, number) = text.rsplit_once(',').unwrap_or((text, ""));
    let wrong = |_| {
        Failure::Usage(format!(
            "--template-tag-bucket must be TAG,N such as sensor,100, not {text:?}"
        ))
    };
    Ok(domain::TemplatePart::Bucket {
        tag: tag.to_owned(),
        buckets: number.trim().parse().map_err(wrong)?,
    })
}
