//! What this machine calls itself: whoever approves a login sees it.

/// The longest name that is sent, in characters.
const MAX_CHARS: usize = 100;

/// The host name; `None` when it has none.
pub(crate) fn name() -> Option<String> {
    let name = told();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
    (!name.trim().is_empty()).then_some(name)
}

#[cfg(unix)]
fn told() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn told() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
