//! Passwords through the use cases: taken as they are typed, and good until they are changed.

use std::time::Duration;

use rescind_authority::{Error, SignInError};
use rescind_domain::Role;

use crate::house::House;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Any script, any length, any spaces: nothing is folded, trimmed or cut off, neither when it is set nor when it is
/// compared.
#[tokio::test]
async fn a_password_is_taken_as_it_is_typed_and_never_expires() {
    let house = House::new().await;
    let longest: String = ('a'..='z').cycle().step_by(7).take(1_024).collect();
    for (name, password, other) in [
        ("ascii", "  Quiet otter, 9 rivers ", "Quiet otter, 9 rivers"),
        ("case", "Quiet Otter, 9 Rivers", "quiet otter, 9 rivers"),
        ("script", "тихая выдра и 9 рек 🦦", "тихая выдра и 9 рек 🦤"),
        (
            "composed",
            "stille Brücke, 9 Flüsse",
            "stille Bru\u{308}cke, 9 Flu\u{308}sse",
        ),
        ("long", longest.as_str(), &longest[..1_023]),
    ] {
        let email = format!("{name}@example.com");
        let invited = house.invite(&email, Role::Member).await;
        house.accept(&invited.secret, password).await.expect(name);
        house.clock.advance(5 * YEAR);
        let wrong = house.sign_in(&email, other).await;
        assert!(matches!(wrong, Err(SignInError::Wrong)), "{name}");
        house.sign_in(&email, password).await.expect(name);
    }
    let invited = house.invite("longer@example.com", Role::Member).await;
    let longer = house.accept(&invited.secret, &format!("{longest}k")).await;
    assert!(
        matches!(
            longer,
            Err(Error::Invalid {
                field: "password",
                ..
            })
        ),
        "what is too long is refused, not cut off"
    );
}
