//! Pictures of pages, for people to look at.

use std::path::PathBuf;
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::Browser;
use super::session::Fault;

/// The tallest picture that is taken, in CSS pixels.
const TALLEST: f64 = 4000.0;

impl Browser {
    /// Writes a picture of the whole page, or of what is seen while a dialog is open, to `screenshots/NAME.png` in the
    /// build directory.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    pub fn screenshot(&self, name: &str) {
        let taken = self.expect("take a picture", self.picture());
        let path = directory().join(format!("{name}.png"));
        let parent = path.parent().expect("a file is in a directory");
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, taken))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }

    /// The picture's bytes, a PNG.
    pub(super) fn picture(&self) -> Result<Vec<u8>, Fault> {
        const EXTENT: &str = "const page = document.documentElement, dialog = document.querySelector('dialog:modal'); \
             return [page.clientWidth, dialog ? page.clientHeight : page.scrollHeight]";
        let extent = self.session.run(EXTENT, &json!([]))?;
        let (width, height) = (
            extent[0].as_f64().unwrap_or(1.0),
            extent[1].as_f64().unwrap_or(1.0),
        );
        let asked = json!({
            "format": "png",
            "captureBeyondViewport": true,
            "clip": { "x": 0, "y": 0, "width": width, "height": height.min(TALLEST), "scale": 1 },
        });
        let taken = self.session.devtools("Page.captureScreenshot", &asked)?;
        let text = taken["data"].as_str().unwrap_or_default();
        Ok(BASE64_STANDARD
            .decode(text)
            .expect("the browser encodes pictures as base64"))
    }
}

/// `screenshots` in the build directory: a test runs as `<target>/<profile>/deps/<name>-<hash>`.
pub(super) fn directory() -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    let target = test
        .ancestors()
        .nth(3)
        .expect("a test lies in the build directory");
    target.join("screenshots")
}
