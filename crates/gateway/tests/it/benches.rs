//! What benchmarks compare with: a gateway that admits everything.

use rescind_domain::{Action, Ask, Secret, SecretKind};
use rescind_testkit::SeededRng;

use crate::house::House;

#[tokio::test]
async fn a_gateway_for_benchmarks_checks_nothing_and_does_the_rest() {
    let house = House::new().await;
    let token = house.token(&[("write", "home")]).await;
    let home = "home".parse().expect("a name");
    let ask = Ask {
        action: Action::Write,
        database: &home,
    };
    let admission = house
        .authority
        .admit(token.secret.expose().as_bytes(), ask)
        .expect("admitted");
    let unknown = Secret::mint(SecretKind::Database, &SeededRng::new(99));
    assert_eq!(
        house.post("/write?db=home", &unknown, "m v=1").await.status(),
        401
    );
    let house = house.always_admitting(admission);
    assert_eq!(
        house.post("/write?db=home", &unknown, "m v=1").await.status(),
        204
    );
    assert_eq!(house.upstream.calls(), [r#"write home Nanosecond "m v=1""#]);
}
