//! Who works at the demo's company: invited over the management API, accepted at the Admin UI.

use rescind_domain::Rng;

use crate::demo::management::Management;
use crate::demo::profile::Profile;
use crate::demo::visitor::Visitor;
use crate::failure::Failure;

/// The administrator, whom the first start made.
pub(crate) const ADMINISTRATOR: Person = Person {
    email: "ada@example.com",
    name: ("Ada", "Byron"),
    role: "admin",
};
/// Creates tokens for databases.
pub(crate) const MEMBER: Person = Person {
    email: "noor@example.com",
    name: ("Noor", "Haddad"),
    role: "member",
};
/// Looks at everything and changes nothing.
pub(crate) const AUDITOR: Person = Person {
    email: "kenji@example.com",
    name: ("Kenji", "Mori"),
    role: "auditor",
};
/// Has not answered yet.
pub(crate) const INVITED: Person = Person {
    email: "maria@example.com",
    name: ("Maria", "Silva"),
    role: "member",
};

/// Somebody.
pub(crate) struct Person {
    /// How the person signs in.
    pub(crate) email: &'static str,
    name: (&'static str, &'static str),
    role: &'static str,
}

impl Person {
    /// Sends the invitation and gives the path of its link.
    pub(crate) fn invite(&self, management: &Management) -> Result<String, Failure> {
        management.invite(self.email, self.name, self.role)
    }

    /// Follows the link and sets a password; is signed in from then on.
    pub(crate) fn accept(&self, url: &str, link: &str, password: &str) -> Result<Visitor, Failure> {
        let mut visitor = Visitor::new(url, "demo-browser/1.0");
        let fields = [
            ("first_name", self.name.0),
            ("last_name", self.name.1),
            ("password", password),
            ("password_again", password),
        ];
        let what = format!("accepting the invitation of {}", self.email);
        visitor.fill_in(&what, (link, link), &fields)?;
        Ok(visitor)
    }
}

impl Visitor {
    /// Makes a database token by the dialog and gives its secret.
    pub(crate) fn make_token(
        &mut self,
        profile: &Profile,
        description: &str,
        (database, may_write): (&str, bool),
    ) -> Result<String, Failure> {
        let path = format!("/clusters/{}/database-tokens/new", profile.cluster);
        let mut fields = vec![
            ("description", description),
            ("permissions", "1"),
            ("database-0", database),
            ("read-0", "1"),
        ];
        if may_write {
            fields.push(("write-0", "1"));
        }
        let what = "creating a database token";
        let page = self.fill_in(what, (&path, &path), &fields)?.body;
        let secret = page.split_once("apiv1_").map(|(_, rest)| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
            format!("apiv1_{}", &rest[..end.unwrap_or(rest.len())])
        });
        secret.ok_or_else(|| Failure::new(format!("{what}: the page shows no secret")))
    }

    /// Leaves.
    pub(crate) fn sign_out(mut self) -> Result<(), Failure> {
        self.fill_in("logging out", ("/profile", "/sign-out"), &[])?;
        Ok(())
    }
}

/// A password that can be read from one screen and typed at another: 75 random bits.
pub(crate) fn draw_password(rng: &dyn Rng) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 15];
    rng.fill(&mut bytes);
    let letters: Vec<char> = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (at, byte) in (0_u8..).zip(bytes) {
                *byte = at.wrapping_mul(31);
            }
        }
    }

    #[test]
    fn a_password_has_three_groups_without_letters_that_look_alike() {
        let password = draw_password(&Counting);
        assert_eq!(password, "0zyxw-vtsrq-pnmkj");
    }
}
