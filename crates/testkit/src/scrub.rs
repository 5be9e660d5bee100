//! What differs from run to run, replaced in snapshots.

/// Filters for `insta`: secrets, UUIDs, moments and ports become placeholders of a fixed width.
///
/// ```text
/// insta::with_settings!({ filters => rescind_testkit::scrub() }, { insta::assert_snapshot!(outcome) });
/// ```
pub fn scrub() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"apiv1_[0-9A-Za-z]{64}", "apiv1_[SECRET]"),
        (r"M\.V1\.[0-9A-Za-z]{64}", "M.V1.[SECRET]"),
        // A prefix as lists show it keeps its width, so that the columns of a table stay where they are.
        (r"\bapiv1_[0-9A-Za-z]{3}\b", "apiv1_xxx"),
        (r"\bM\.V1\.[0-9A-Za-z]{4}\b", "M.V1.xxxx"),
        (
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            "00000000-0000-4000-8000-000000000000",
        ),
        (
            r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d",
            "2000-01-01${1}00:00:00",
        ),
        (r"(:\d\d)\.\d{1,9}(Z|[+-]\d\d:?\d\d)", "${1}.[FRACTION]${2}"),
        (r#"("seconds": ?)\d{9,11}"#, "${1}[SECONDS]"),
        (r#"("nanos": ?)\d+"#, "${1}[NANOS]"),
        (r"(?i)(rescind-revision: )\d+", "${1}[REVISION]"),
        (r"(?i)(rescind-effective-ms: )[\d.]+", "${1}[MS]"),
        (r"\b(127\.0\.0\.1|localhost):\d+", "${1}:[PORT]"),
        (r"(/private)?(/var)?/tmp/\.tmp[0-9A-Za-z]+", "[DIR]"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRng;
    use rescind_domain::{DatabaseTokenId, Secret, SecretKind};

    fn page(seed: u64) -> String {
        let rng = SeededRng::new(seed);
        let secrets = [SecretKind::Database, SecretKind::Management].map(|kind| Secret::mint(kind, &rng));
        let [token, manager] = secrets;
        format!(
            "{} {}\n| {} | {} |\n{}\n2026-01-0{seed}T03:04:05.12345{seed}Z 2026-01-0{seed} 03:04:05\n\
             {{\"seconds\":170000000{seed},\"nanos\": {seed}}}\nready http://127.0.0.1:4000{seed}\n/tmp/.tmpAb{seed}/x\n",
            token.expose(),
            manager.expose(),
            token.prefix().as_str(),
            manager.prefix().as_str(),
            DatabaseTokenId::mint(&rng),
        )
    }

    #[test]
    fn two_runs_look_alike() {
        assert_ne!(page(1), page(2));
        for seed in [1, 2] {
            insta::with_settings!({ filters => scrub() }, {
                insta::assert_snapshot!("two_runs_look_alike", page(seed));
            });
        }
    }
}
