//! Opening a page in the browser of whoever sits in front of the machine.

use std::process::{Command, Stdio};

/// Opens `url`, if there is a desktop with somebody at it. Whether it worked cannot be told: the page's address is
/// shown in any case.
pub(crate) fn open(url: &str, variable: impl Fn(&str) -> Option<String>) {
    for words in commands(url, variable) {
        if let Some((program, arguments)) = words.split_first()
            && start(program, arguments)
        {
            return;
        }
    }
}

/// The commands to try, one after the other.
fn commands(url: &str, variable: impl Fn(&str) -> Option<String>) -> Vec<Vec<String>> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if let Some(browsers) = given("BROWSER") {
        return browsers
            .split(':')
            .filter_map(|browser| with_address(browser, url))
            .collect();
    }
    if cfg!(target_os = "macos") {
        vec![line(&["open", url])]
    } else if cfg!(windows) {
        vec![line(&["rundll32", "url.dll,FileProtocolHandler", url])]
    } else if given("DISPLAY").or_else(|| given("WAYLAND_DISPLAY")).is_some() {
        vec![line(&["xdg-open", url])]
    } else {
        vec![]
    }
}

/// One entry of `$BROWSER`: words, with the address in place of `%s`, or at the end.
fn with_address(browser: &str, url: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = browser
        .split_whitespace()
        .map(|word| word.replace("%s", url))
        .collect();
    if !browser.contains("%s") {
        words.push(url.to_owned());
    }
    (!browser.trim().is_empty()).then_some(words)
}

/// Starts a program that outlives this one, and says whether it could be started.
fn start(program: &str, arguments: &[String]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // An interrupt of this program does not close the browser.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://x/device?user_code=A";

    fn with(pairs: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        commands(URL, variable)
            .into_iter()
            .map(|words| words.join(" "))
            .collect()
    }

    #[test]
    fn the_users_browser_comes_first() {
        assert_eq!(
            with(&[("BROWSER", "firefox -P work %s:w3m: "), ("DISPLAY", ":0")]),
            [format!("firefox -P work {URL}"), format!("w3m {URL}")]
        );
    }

    #[test]
    fn without_a_desktop_nothing_is_opened() {
        if cfg!(target_os = "linux") {
            assert!(with(&[]).is_empty());
            assert!(with(&[("BROWSER", ""), ("DISPLAY", "")]).is_empty());
            assert_eq!(
                with(&[("WAYLAND_DISPLAY", "wayland-0")]),
                [format!("xdg-open {URL}")]
            );
        }
    }

    #[test]
    fn the_first_browser_that_starts_gets_the_page() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let (script, opened) = (directory.path().join("browser"), directory.path().join("opened"));
        let text = format!(
            "#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n",
            opened.display()
        );
        std::fs::write(&script, text).expect("written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("set");
        let browsers = format!("/no/such/browser:{}", script.display());
        open(URL, |name| (name == "BROWSER").then(|| browsers.clone()));
        let page = (0..3_000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            std::fs::read_to_string(&opened).ok()
        });
        assert_eq!(page.as_deref(), Some(URL));
    }
}
