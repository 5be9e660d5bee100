//! Texts that somebody may type who wishes no good, or who merely has a long name for things.

/// Each is accepted as a description and must be shown as typed.
pub(crate) const TEXTS: [&str; 7] = [
    "<script>window.hacked = 1</script>",
    "\"><img src=x onerror=\"window.hacked = 2\">",
    "'-alert(1)-' {{7*7}} ${7*7} <%= 7*7 %>",
    "</textarea></dialog></table><h1>Sign in again</h1>",
    "\u{645}\u{62d}\u{637}\u{629} \u{5ea}\u{5d7}\u{5e0}\u{5d4} right to left",
    "\u{1f33b}\u{1f469}\u{200d}\u{1f4bb}\u{1f1e8}\u{1f1ed} sensors of the greenhouse",
    "a-very-long-description-without-a-single-space-that-somebody-generated-from-the-path-of-a-deployment-in-a-\
     cluster-far-away-and-nobody-ever-shortened-because-nobody-had-to-read-it-until-now-0123456789",
];
