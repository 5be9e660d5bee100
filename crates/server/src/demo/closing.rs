//! What the terminal says when all is set up: where to go, who to be, what to try.

use crate::demo::installation::Installation;
use crate::demo::people::{ADMINISTRATOR, AUDITOR, MEMBER};
use crate::demo::samples::SAMPLES;
use crate::demo::stage::Stage;
use crate::failure::Failure;

/// Prints it.
pub(crate) fn print(stage: &Stage, url: &str, installation: &Installation) -> Result<(), Failure> {
    stage.say("")?;
    stage.title("Now see it live")?;
    stage.say(
        "\nA small company has moved in. Its programs are at work, each with a database token of its own:\n",
    )?;
    let width = |of: fn(&crate::demo::samples::Sample) -> &str| {
        SAMPLES
            .iter()
            .map(|sample| of(sample).len())
            .max()
            .unwrap_or_default()
    };
    let (names, tokens) = (width(|sample| sample.name), width(|sample| sample.description));
    for sample in &SAMPLES {
        stage.say(format!(
            "   {:names$}   {:tokens$}   {}",
            sample.name, sample.description, sample.does
        ))?;
    }
    let password = &installation.password;
    stage.say(format!(
        "\n   Admin UI   {}\n   Log in     {} with the password {}\n   Others     {} (Member) and {} (Auditor), with the \
         same password",
        stage.bold(url),
        stage.bold(ADMINISTRATOR.email),
        stage.bold(password),
        MEMBER.email,
        AUDITOR.email,
    ))?;
    let (Some(sample), Some(token)) = (SAMPLES.first(), installation.tokens.first()) else {
        return Ok(());
    };
    stage.say(format!(
        "\nTry this: open Database Tokens, find \"{}\", Revoke Token. Watch this terminal.\nOr revoke it from a second \
         terminal:\n",
        sample.description
    ))?;
    stage.command(&format!(
        "influxctl --config {} token revoke --force {}",
        installation.profile.path.display(),
        token.id
    ))?;
    stage.say("\nCtrl-C ends the server and its clients and deletes their data.\n")
}
