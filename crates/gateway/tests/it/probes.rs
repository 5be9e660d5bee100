//! `/ping` and `/health`, without a token.

use axum::body::Body;
use http::Request;

use crate::house::{House, told};

async fn probe(house: &House, method: &str, path: &str) -> axum::response::Response {
    house
        .send(
            Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty())
                .expect("a request"),
        )
        .await
}

#[tokio::test]
async fn ping_answers_everybody() {
    let house = House::new().await;
    for method in ["GET", "HEAD", "POST"] {
        let response = probe(&house, method, "/ping").await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["x-influxdb-build"], "rescind");
        assert_eq!(
            response.headers()["x-influxdb-version"],
            env!("CARGO_PKG_VERSION")
        );
    }
}

#[tokio::test]
async fn health_tells_whether_requests_can_be_admitted() {
    let house = House::new().await;
    let mut told_so = vec![told(probe(&house, "GET", "/health").await).await];
    assert_eq!(probe(&house, "HEAD", "/health").await.status(), 200);
    house.lose_track().await;
    told_so.push(told(probe(&house, "GET", "/health").await).await);
    insta::assert_snapshot!(told_so.join("\n").replace(env!("CARGO_PKG_VERSION"), "[version]"));
}
