use crate::stub::{ACCOUNT, Answer, Asked, Ctl, Ended, Stub};

const ID: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const UNKNOWN: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

fn answer(asked: &Asked) -> Answer {
    match asked.method.as_str() {
        "DELETE" => Answer::done(),
        _ if asked.target.ends_with(UNKNOWN) => Answer::error(404, "no such token"),
        _ if asked.target.contains("/management-tokens/") => Answer::json(
            200,
            format!(
                r#"{{"id":"{ID}","accountId":"{ACCOUNT}","description":"ci","prefix":"M.V1.nAHw",
                "createdAt":"2024-01-01T00:00:00.000Z","createdBy":"operator"}}"#
            ),
        ),
        _ => Answer::json(
            200,
            format!(
                r#"{{"id":"{ID}","description":"sensors","permissions":[],"createdAt":"2024-01-01T00:00:00.000Z"}}"#
            ),
        ),
    }
}

fn ask(arguments: &[&str], input: &str) -> (Ended, usize) {
    let stub = Stub::serve(answer);
    let ended = Ctl::new(stub.port).run_with(arguments, input);
    let deletions = stub
        .lines()
        .iter()
        .filter(|line| line.starts_with("DELETE"))
        .count();
    (ended, deletions)
}

const COMMANDS: &[&[&str]] = &[
    &["token", "revoke", ID, UNKNOWN],
    &["management", "revoke", ID, UNKNOWN],
    &["database", "delete", "home", "a/b"],
    &["table", "delete", "home", "air"],
];

#[test]
fn one_question_names_everything() {
    let mut text = String::new();
    for arguments in COMMANDS {
        let (ended, _) = ask(arguments, "y\n");
        text.push_str(&format!(
            "$ echo y | influxctl {}\n{}\n",
            arguments.join(" "),
            ended.text()
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn only_yes_is_yes() {
    for arguments in COMMANDS {
        for input in ["y\n", "Y\n", "yes\n", " y \r\n", "y"] {
            let (ended, deletions) = ask(arguments, input);
            assert_eq!(ended.code, 0, "{arguments:?} {input:?} {}", ended.stderr);
            assert!(deletions > 0);
        }
        for input in ["", "\n", "n\n", "no\n", "YES\n", "yep\n", "\ny\n"] {
            let (ended, deletions) = ask(arguments, input);
            assert_eq!(
                (ended.code, deletions, ended.stdout.as_str()),
                (3, 0, ""),
                "{arguments:?} {input:?}"
            );
            assert!(
                ended
                    .stderr
                    .ends_with("error\tnot confirmed: nothing was changed\n")
            );
        }
    }
}

#[test]
fn force_asks_nothing() {
    for arguments in COMMANDS {
        let (ended, deletions) = ask(&[arguments, ["--force"].as_slice()].concat(), "");
        assert!(!ended.stderr.contains('?'), "{}", ended.stderr);
        assert!(deletions > 0);
    }
}
