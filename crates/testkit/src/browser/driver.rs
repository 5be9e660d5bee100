//! The program chromedriver, one per browser.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::output::Printed;

/// Started by a shell that ends it when its own stdin closes: so that nothing is left behind even by a test that was
/// killed and could not clean up.
const SCRIPT: &str = r#"chromedriver --port=0 & driver=$!; read -r end; kill "$driver"; wait "$driver""#;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running chromedriver; dropping it ends it.
pub(super) struct Driver {
    shell: Child,
    url: String,
}

impl Driver {
    pub(super) fn start() -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let printed = Printed::default();
        printed.collect(shell.stderr.take().expect("stderr is a pipe"));
        let lines = printed.lines(shell.stdout.take().expect("stdout is a pipe"));
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            if let Some(port) = port(&line) {
                let url = format!("http://127.0.0.1:{port}");
                return Self { shell, url };
            }
        }
        drop(shell.stdin.take());
        let _ = shell.wait();
        panic!(
            "chromedriver did not start; `cargo xtask test --only packages` installs Debian's chromium and \
             chromium-driver. It printed:\n{}",
            printed.text()
        );
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The port in the line by which chromedriver says that it listens.
fn port(line: &str) -> Option<u16> {
    let rest = line.split_once("started successfully on port ")?.1;
    rest.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_says_so() {
        assert_eq!(
            port("ChromeDriver was started successfully on port 40123."),
            Some(40123)
        );
        assert_eq!(port("Starting ChromeDriver 156 on port 0"), None);
    }
}
