//! Every failure × every family of endpoints, in one snapshot.

use std::fmt::Write;
use std::time::Duration;

use rescind_domain::{Action, Ask, DatabaseGrant, Forbidden, Permissions, SecretError, SecretKind, Tether};

use super::*;

fn line(line: usize, message: &str, original: &str) -> LineError {
    LineError {
        line,
        message: message.to_owned(),
        original: original.to_owned(),
    }
}

fn two_lines() -> Vec<LineError> {
    vec![
        line(2, "No fields were provided", "mem,host=a"),
        line(5, "Unable to parse timestamp value 'x'", "mem v=1 x"),
    ]
}

fn refusals() -> Vec<Failure> {
    let forbidden = Forbidden {
        action: Action::Write,
        database: "home".parse().expect("a name"),
    };
    vec![
        NoCredential::Missing.into(),
        NoCredential::Malformed.into(),
        Refusal::Malformed(SecretError::Form).into(),
        Refusal::Malformed(SecretError::Checksum).into(),
        Refusal::Unknown.into(),
        Refusal::Revoked.into(),
        Refusal::Expired.into(),
        Refusal::WrongKind {
            presented: SecretKind::Management,
            wanted: SecretKind::Database,
        }
        .into(),
        Refusal::Forbidden(forbidden).into(),
        Failure::Forbidden {
            action: Action::Read,
            database: "a b".to_owned(),
        },
        Refusal::Unavailable.into(),
        Refusal::Closed.into(),
        Failure::Interrupted,
    ]
}

fn mistakes() -> Vec<Failure> {
    vec![
        Failure::DatabaseNotFound("home".to_owned()),
        Failure::Invalid("missing field `db`".to_owned()),
        Failure::EmptyWrite,
        Failure::UnsupportedEncoding,
        Failure::NotAcceptable,
        Failure::MethodNotAllowed,
        BodyError::TooLarge { limit: 52_428_800 }.into(),
        BodyError::Busy.into(),
        BodyError::Stalled(Duration::from_secs(30)).into(),
        BodyError::Broken.into(),
        BodyError::Gzip.into(),
    ]
}

fn upstream_errors() -> Vec<Failure> {
    let rejected = |stored| {
        UpstreamError::LinesRejected {
            lines: two_lines(),
            total_rejected: 2,
            stored,
        }
        .into()
    };
    vec![
        rejected(0),
        rejected(3),
        Failure::BatchRejected {
            lines: two_lines(),
            total: 2,
        },
        UpstreamError::OutsideRetention {
            lines: two_lines(),
            total_rejected: 2,
        }
        .into(),
        UpstreamError::Invalid("Error during planning: table 'public.iox.x' not found".to_owned()).into(),
        UpstreamError::NotImplemented("CREATE TABLE".to_owned()).into(),
        UpstreamError::Overloaded {
            retry_after: Duration::from_millis(2_500),
        }
        .into(),
        UpstreamError::TooLarge("a write may have at most 5 bytes".to_owned()).into(),
        UpstreamError::OutOfMemory("the query needs more than 64 MiB of memory".to_owned()).into(),
        UpstreamError::Cut.into(),
        UpstreamError::Unavailable("the log cannot be written: try again".to_owned()).into(),
        UpstreamError::Internal("a secret detail".into()).into(),
    ]
}

async fn render(failure: &Failure, endpoint: Endpoint) -> String {
    let response = of_failure(failure, endpoint);
    let mut headers: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("  {name}: {value:?}"))
        .collect();
    headers.sort();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    format!(
        "{status}\n{}\n  {}\n",
        headers.join("\n"),
        String::from_utf8_lossy(&body)
    )
}

#[tokio::test]
async fn every_failure_has_its_answer() {
    let mut all = String::new();
    for failure in refusals().into_iter().chain(mistakes()).chain(upstream_errors()) {
        writeln!(all, "## {failure:?}").expect("written");
        let mut former = None;
        for endpoint in Endpoint::ALL {
            let answer = render(&failure, endpoint).await;
            if former.as_ref() == Some(&answer) {
                writeln!(all, "{}: the same", endpoint.path()).expect("written");
            } else {
                write!(all, "{}: {answer}", endpoint.path()).expect("written");
            }
            former = Some(answer);
        }
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn reports_are_bounded() {
    let long = "é".repeat(10_000);
    let lines = (1..=150).map(|number| line(number, "bad", &long)).collect();
    let failure = UpstreamError::LinesRejected {
        lines,
        total_rejected: 4_000,
        stored: 0,
    }
    .into();
    let coded = render(&failure, Endpoint::WriteV2).await;
    assert!(
        coded.contains("line 100 (1-based)") && !coded.contains("line 101 "),
        "{coded}"
    );
    assert!(coded.contains("and 3900 further lines"), "{coded}");
    let v3 = render(&failure, Endpoint::WriteV3).await;
    assert!(
        v3.contains(r#""line_number":100,"#) && !v3.contains(r#""line_number":101,"#),
        "{v3}"
    );
    assert!(v3.len() < 100 * (MOST_OF_A_LINE + 100));
}

#[derive(Debug)]
struct Loose;

impl Tether for Loose {
    fn is_cut(&self) -> bool {
        false
    }
}

#[test]
fn a_forbidden_name_reads_alike_possible_or_not() {
    let grant = DatabaseGrant {
        token: rescind_domain::DatabaseTokenId::mint(&rescind_testkit::SeededRng::default()),
        cluster: rescind_domain::ClusterId::mint(&rescind_testkit::SeededRng::default()),
        permissions: std::sync::Arc::new(Permissions::default()),
        expires_at: None,
    };
    let ask = Ask {
        action: Action::Read,
        database: &"home".parse().expect("a name"),
    };
    let refusal = rescind_domain::decide(&grant, ask, std::sync::Arc::new(Loose)).expect_err("forbidden");
    let impossible = Failure::Forbidden {
        action: Action::Read,
        database: "home".to_owned(),
    };
    assert_eq!(refusal.to_string(), impossible.to_string());
}
