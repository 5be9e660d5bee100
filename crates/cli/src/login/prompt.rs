//! What the person reads who is to approve a login.

use std::io::{self, Write};

use rescind_wire::DeviceAuthorization;

use crate::output::tables::printable;

/// Says on stderr where to approve the login to `origin`, and by which code it is known.
pub(crate) fn show(origin: &str, authorization: &DeviceAuthorization) {
    // Without stderr nobody can be told; the browser may still have opened.
    let _ = io::stderr()
        .lock()
        .write_all(text(origin, authorization).as_bytes());
}

fn text(origin: &str, authorization: &DeviceAuthorization) -> String {
    let (page, action) = match &authorization.verification_uri_complete {
        Some(page) => (page, "check that it shows this code"),
        None => (&authorization.verification_uri, "enter this code"),
    };
    format!(
        "To log in to {}, open this page in a browser:\n\n  {}\n\nand {action}:\n\n  {}\n\nWaiting {} at most for the approval.\n",
        printable(origin),
        printable(page),
        printable(&authorization.user_code),
        lifetime(authorization.expires_in)
    )
}

fn lifetime(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_is_told_where_and_what() {
        let body = r#"{"device_code":"D.V1.hidden","user_code":"WDJB-MJHT","verification_uri":"https://x/device",
            "verification_uri_complete":"https://x/device?user_code=WDJB-MJHT","expires_in":600}"#;
        let mut authorization: DeviceAuthorization = serde_json::from_str(body).expect("complete");
        let complete = text("https://x", &authorization);
        authorization.verification_uri_complete = None;
        authorization.expires_in = 119;
        authorization.user_code = "\u{1b}[2JX".to_owned();
        insta::assert_snapshot!(complete + "---\n" + &text("https://x", &authorization));
    }
}
