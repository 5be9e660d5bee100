//! Commands that act beside running nodes: what they tell of these.

use rescind_testkit::{Outcome, ServerSetup, Signal};

use crate::house::{assert_scrubbed, postgres, rescind_with_stdin};
use crate::visitors::{Visitor, link};

#[test]
fn guests_tell_what_the_nodes_make_of_it() {
    let postgres = postgres();
    let url = postgres.url();
    let node = |name: &str| {
        let setup = ServerSetup::default().catalog(&url);
        setup.arg("--node-name").arg(name).arg("--lease-ttl").arg("5s")
    };
    let mut first = node("node-1").start();
    let user = |arguments: &[&str], stdin: &str| -> Outcome {
        let all = [&["user"], arguments, &["--catalog", url.as_str()]].concat();
        rescind_with_stdin(&all, stdin)
    };
    let grace = "grace@example.org";
    let invite = ["invite", grace, "--role", "member"];
    let invited = user(&invite, "");
    assert_scrubbed!("guest_1_invite", &invited);
    assert!(invited.stdout.starts_with(first.url()), "{invited}");
    let visitor = Visitor::new(&first);
    assert_eq!(visitor.accept(&link(&invited.stdout)).status, 303);
    let password = "correct horse battery staple\n";
    assert_scrubbed!("guest_2_passwd", user(&["passwd", grace], password));
    assert_scrubbed!("guest_3_disable", user(&["disable", grace], ""));
    assert_scrubbed!("guest_4_enable", user(&["enable", grace], ""));

    let mut second = node("node-2").joining(&first).start();
    let disabled = user(&["disable", grace], "");
    assert_eq!(disabled.code, 0, "{disabled}");
    assert!(
        disabled.stderr.starts_with("refused on 2 of 2 nodes after "),
        "{disabled}"
    );
    for name in ["node-1", "node-2"] {
        assert!(
            disabled.stderr.contains(&format!("{name} applied ")),
            "{disabled}"
        );
    }
    second.signal(Signal::STOP);
    let deleted = user(&["delete", grace], "");
    second.signal(Signal::CONT);
    assert_eq!(deleted.code, 0, "{deleted}");
    assert!(
        deleted.stderr.starts_with("refused on 2 of 2 nodes after "),
        "{deleted}"
    );
    assert!(deleted.stderr.contains("node-2 lapsed"), "{deleted}");

    // Nobody is left whose address a link could have.
    second.stop();
    first.stop();
    assert_scrubbed!("guest_5_no_address", user(&invite, ""));
    let told = user(
        &[&invite[..], &["--public-url", "https://rescind.example.org"]].concat(),
        "",
    );
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told}");
    assert!(
        told.stdout
            .starts_with("https://rescind.example.org/invitations/I.V1."),
        "{told}"
    );
    let directory = first.data_dir().to_str().expect("UTF-8");
    let by_its_last_start = user(&[&invite[..], &["--data-dir", directory]].concat(), "");
    assert!(
        by_its_last_start.stdout.starts_with(first.url()),
        "{by_its_last_start}"
    );
}
