//! The search for secrets where none may be.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// How many bytes of a secret are compared first: few enough for every secret, many enough to miss almost always.
const SCENT: usize = 4;

/// One line for each secret that `bytes` hold, naming it by its first nine characters. One pass, whatever the number
/// of secrets: data directories are large and tests mint many.
pub(crate) fn find_in_text(place: &str, bytes: &[u8], secrets: &[String]) -> Vec<String> {
    let mut by_scent: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for secret in secrets {
        let scent = essence(secret).get(..SCENT).expect("a secret has a random part");
        by_scent.entry(scent).or_default().push(secret);
    }
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for (at, window) in bytes.windows(SCENT).enumerate() {
        let candidates = by_scent.get(window).into_iter().flatten().copied();
        found.extend(candidates.filter(|secret| bytes[at..].starts_with(essence(secret))));
    }
    let named = found
        .iter()
        .map(|secret| format!("{place} holds the secret {}…", &secret[..secret.len().min(9)]));
    named.collect()
}

/// Every file below a directory and what it holds. A file that vanishes meanwhile is passed over.
pub(crate) fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(here) = left.pop() {
        for entry in fs::read_dir(&here).into_iter().flatten().flatten() {
            let path = entry.path();
            match fs::read(&path) {
                Ok(bytes) => found.push((path, bytes)),
                Err(_) if path.is_dir() => left.push(path),
                Err(_) => {}
            }
        }
    }
    found
}

/// The random part: a secret without its public prefix is as good as the whole.
fn essence(secret: &str) -> &[u8] {
    let stripped = ["apiv1_", "M.V1."]
        .iter()
        .find_map(|prefix| secret.strip_prefix(prefix));
    stripped.unwrap_or(secret).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_any_file_with_or_without_its_prefix_and_not_repeated() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("deep")).expect("made");
        let (whole, bare, absent) = ("apiv1_ABCDEFGHIJ", "M.V1.KLMNOPQRST", "apiv1_UVWXYZ0123");
        fs::write(directory.path().join("a"), format!("x{whole}y")).expect("written");
        fs::write(directory.path().join("deep/b"), b"\xff\0KLMNOPQRST").expect("written");
        let secrets = [whole, bare, absent].map(str::to_owned);
        let mut places: Vec<String> = files(directory.path())
            .iter()
            .flat_map(|(path, bytes)| {
                let name = path.file_name().expect("a name").to_string_lossy();
                find_in_text(&name, bytes, &secrets)
            })
            .collect();
        places.sort();
        assert_eq!(
            places,
            ["a holds the secret apiv1_ABC…", "b holds the secret M.V1.KLMN…"]
        );
    }
}
