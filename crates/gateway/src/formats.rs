//! Formats of query answers, and how a request chooses one (contract, core-wire section 5).

use crate::failures::Failure;

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// One array of objects.
    #[default]
    Json,
    /// One object per line.
    JsonLines,
    /// One array per line, after a line that names and types the columns. Ours: no other server has it, and only its
    /// name asks for it.
    TypedJsonLines,
    /// Comma-separated values with a header.
    Csv,
    /// A table for people.
    Pretty,
    /// An Apache Parquet file.
    Parquet,
}

impl Format {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines | Self::TypedJsonLines => "application/jsonl",
            Self::Csv => "text/csv",
            Self::Pretty => "text/plain; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// By name if the request names one, else by its `Accept` header, else JSON.
    pub(crate) fn choose(name: Option<&str>, accept: Option<&str>) -> Result<Self, Failure> {
        match (name, accept) {
            (Some(name), _) => Self::named(name),
            (None, Some(accept)) => Self::accepted(accept).ok_or(Failure::NotAcceptable),
            (None, None) => Ok(Self::default()),
        }
    }

    fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "json" => Ok(Self::Json),
            "jsonl" | "json_lines" => Ok(Self::JsonLines),
            "typed_jsonl" => Ok(Self::TypedJsonLines),
            "csv" => Ok(Self::Csv),
            "pretty" => Ok(Self::Pretty),
            "parquet" => Ok(Self::Parquet),
            other => {
                let other: String = other.chars().take(32).collect();
                let reason =
                    format!("format: {other:?} is none of json, jsonl, typed_jsonl, csv, pretty, parquet");
                Err(Failure::Invalid(reason))
            }
        }
    }

    /// The most wanted one that exists; of equally wanted ones the first (RFC 9110 section 12.5.1).
    fn accepted(accept: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let Some(format) = parts.next().and_then(Self::of_range) else {
                continue;
            };
            let weight = parts.find_map(weight).unwrap_or(1_000);
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, format));
            }
        }
        best.map(|(_, format)| format)
    }

    fn of_range(range: &str) -> Option<Self> {
        match range.to_ascii_lowercase().as_str() {
            // Browsers ask for HTML; an empty header asks for nothing.
            "" | "*/*" | "application/*" | "application/json" | "text/html" => Some(Self::Json),
            "application/jsonl" | "application/x-ndjson" => Some(Self::JsonLines),
            "text/csv" | "application/csv" | "text/*" => Some(Self::Csv),
            "text/plain" => Some(Self::Pretty),
            "application/vnd.apache.parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The weight of `q=0.5`, in thousandths; nonsense weighs nothing.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value: f32 = value.trim().parse().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000"
    )]
    let thousandths = (value.clamp(0.0, 1.0) * 1_000.0) as u16;
    Some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_beats_the_header() {
        assert_eq!(
            Format::choose(Some("csv"), Some("application/json")).ok(),
            Some(Format::Csv)
        );
        assert_eq!(
            Format::choose(Some("json_lines"), None).ok(),
            Some(Format::JsonLines)
        );
        assert_eq!(
            Format::choose(Some("typed_jsonl"), None).ok(),
            Some(Format::TypedJsonLines)
        );
        assert_eq!(Format::choose(None, None).ok(), Some(Format::Json));
        assert!(Format::choose(Some("JSON"), None).is_err());
        assert!(Format::choose(Some(""), Some("text/csv")).is_err());
    }

    #[test]
    fn the_header_is_understood_as_http_means_it() {
        use Format::{Csv, Json, JsonLines, Parquet, Pretty};
        let cases = [
            ("application/json", Some(Json)),
            ("application/json, text/plain, */*", Some(Json)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Json),
            ),
            ("text/csv;q=0.5, application/jsonl", Some(JsonLines)),
            ("text/csv; q=0.9, application/json;q=0.8", Some(Csv)),
            ("text/csv;header=present;q=0.1, text/plain;q=0.2", Some(Pretty)),
            ("image/png, application/vnd.apache.parquet", Some(Parquet)),
            ("TEXT/CSV", Some(Csv)),
            ("text/csv;q=x, */*;q=0.1", Some(Json)),
            ("*/*;q=0", None),
            ("image/png", None),
            ("", Some(Json)),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::accepted(accept), expected, "{accept:?}");
        }
    }
}
