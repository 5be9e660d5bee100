use clap::Command;

use crate::stub::Ctl;

/// Every group and command, as the words that lead to it.
fn paths(command: &Command, prefix: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![prefix.to_vec()];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path = [prefix, &[sub.get_name().to_owned()]].concat();
        all.extend(paths(sub, &path));
    }
    all
}

#[test]
fn every_command_explains_itself() {
    let ctl = Ctl::new(0);
    let mut text = String::new();
    for path in paths(&influxctl::command(), &[]) {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let ended = ctl.run(&arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
        text.push_str(&format!(
            "# influxctl {}\n\n{}\n",
            arguments.join(" "),
            ended.stdout
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn help_and_h_are_commands_of_every_group() {
    let ctl = Ctl::new(0);
    let flag = ctl.run(&["token", "revoke", "--help"]).stdout;
    for arguments in [
        ["help", "token", "revoke"].as_slice(),
        &["h", "token", "revoke"],
        &["token", "help", "revoke"],
        &["token", "h", "revoke"],
        &["token", "help", "delete"],
    ] {
        let ended = ctl.run(arguments);
        assert_eq!((ended.code, &ended.stdout), (0, &flag), "{arguments:?}");
    }
    assert_eq!(ctl.run(&["help"]).stdout, ctl.run(&["--help"]).stdout);
    assert_eq!(
        ctl.run(&["table", "h", "iceberg"]).stdout,
        ctl.run(&["table", "iceberg", "help"]).stdout
    );
    assert_eq!(ctl.run(&["help", "nonsense"]).code, 2);
}

#[test]
fn version_needs_no_configuration() {
    let ended = Ctl::with_config(0, "nonsense").run(&["version"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(
        ended
            .stdout
            .starts_with(concat!("influxctl ", env!("CARGO_PKG_VERSION"), " ("))
    );
    assert!(ended.stdout.contains(std::env::consts::ARCH));
}
