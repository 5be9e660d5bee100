//! `rescind demo` tells the truth and ends well.

use crate::house::rescind;

#[test]
fn the_story_ends_with_the_refusal_and_the_receipt() {
    let told = rescind(&["demo", "--exit"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told}");
    let mut filters = crate::house::filters();
    filters.extend([
        (r"/\S*/rescind-demo-\w+", "[DEMO]"),
        (
            r"after \d+ ms, revision \d+",
            "after [MS] ms, revision [REVISION]",
        ),
        (r"apiv1_\w{3}…", "apiv1_xxx…"),
    ]);
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!("demo_story", told.stdout); });
    assert!(!told.stdout.contains('\u{1b}'), "colour without a terminal");
}

#[test]
fn a_step_that_fails_is_told() {
    // The port is out of bounds for everybody but root, and there is no such address here.
    let failed = rescind(&["demo", "--exit", "--listen", "192.0.2.1:1"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{failed}");
    assert!(
        failed.stderr.starts_with("error: cannot listen on 192.0.2.1:1: "),
        "{failed}"
    );
}
