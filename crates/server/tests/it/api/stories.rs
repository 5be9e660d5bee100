//! Every route on its happy path, and the refusals that belong to its story, as conversations.

use std::time::Duration;

use super::world::{Transcript, World};

#[tokio::test]
async fn a_database_token_from_creation_to_revocation() {
    let world = World::new().await;
    let mut told = Transcript::of(&world);
    let tokens = format!("{}/tokens", world.prefix());
    let permissions = r#"[{"action":"write","resource":"*"},{"action":"read","resource":"weather/station"}]"#;
    let body = format!(
        r#"{{"description":"station","permissions":{permissions},"expiresAt":"2026-12-31T23:59:59+0100","expirationType":"datetime"}}"#
    );
    let created = told.ask("POST", &tokens, &body).await.json();
    let token = format!("{tokens}/{}", created["id"].as_str().expect("an id"));
    told.ask("GET", &token, "").await;
    world.clock.advance(Duration::from_millis(1_500));
    told.ask("PATCH", &token, r#"{"permissions":[]}"#).await;
    told.ask("PATCH", &token, r#"{"description":"nothing"}"#).await;
    told.ask("GET", &tokens, "").await;
    told.ask("DELETE", &token, "").await;
    world.clock.advance(Duration::from_secs(1));
    told.ask("DELETE", &token, "").await;
    told.ask("GET", &token, "").await;
    told.ask("PATCH", &token, r#"{"description":"back"}"#).await;
    insta::assert_snapshot!(told.text());
}

#[tokio::test]
async fn a_database_token_without_the_prefix() {
    let world = World::new().await;
    let mut told = Transcript::of(&world);
    let created = told.ask("POST", "/tokens/", r#"{"description":""}"#).await.json();
    let token = format!("/tokens/{}", created["id"].as_str().expect("an id"));
    told.ask("GET", &token, "").await;
    told.ask(
        "PATCH",
        &format!("{token}/"),
        r#"{"permissions":[{"action":"read","resource":"*"}]}"#,
    )
    .await;
    told.ask("GET", "/tokens", "").await;
    told.ask("DELETE", &token, "").await;
    insta::assert_snapshot!(told.text());
}

#[tokio::test]
async fn a_database_from_creation_to_restoration() {
    let world = World::new().await;
    let mut told = Transcript::of(&world);
    let databases = format!("{}/databases", world.prefix());
    told.ask("POST", &databases, r#"{"name":"a"}"#).await;
    let template =
        r#"[{"type":"time","value":"%Y"},{"type":"bucket","value":{"tagName":"c","numberOfBuckets":10}}]"#;
    let body = format!(
        r#"{{"name":"weather/station","maxTables":100,"maxColumnsPerTable":50,"retentionPeriod":300000000000,"partitionTemplate":{template}}}"#
    );
    told.ask("POST", &databases, &body).await;
    told.ask("POST", &databases, r#"{"name":"a"}"#).await;
    told.ask("GET", &databases, "").await;
    // The slash in the name travels encoded; the path is decoded after routing.
    let station = format!("{databases}/weather%2Fstation");
    told.ask("PATCH", &station, r#"{"retentionPeriod":0}"#).await;
    told.ask("PUT", &format!("{station}/rename"), r#"{"name":"a"}"#)
        .await;
    let renamed = told
        .ask("PUT", &format!("{station}/rename"), r#"{"name":"sky"}"#)
        .await
        .json();
    let id = &renamed["id"];
    told.ask("PATCH", &station, r#"{"maxTables":1}"#).await;
    told.ask("PUT", &format!("{databases}/{id}/undelete"), "").await;
    told.ask("DELETE", &format!("{databases}/sky"), "").await;
    told.ask("GET", &databases, "").await;
    told.ask("GET", &format!("{databases}?details=true&status=all"), "")
        .await;
    told.ask("PUT", &format!("{databases}/{id}/undelete"), "").await;
    told.ask("GET", &format!("{databases}?details=true"), "").await;
    told.ask("DELETE", &format!("{databases}/sky"), "").await;
    world.clock.advance(Duration::from_secs(7 * 86_400));
    told.ask("PUT", &format!("{databases}/{id}/undelete"), "").await;
    insta::assert_snapshot!(told.text());
}

#[tokio::test]
async fn a_database_without_the_prefix() {
    let world = World::new().await;
    let mut told = Transcript::of(&world);
    told.ask("POST", "/databases", r#"{"name":"a"}"#).await;
    told.ask("GET", "/databases/", "").await;
    told.ask("PATCH", "/databases/a", r#"{"maxTables":7}"#).await;
    let renamed = told
        .ask("PUT", "/databases/a/rename", r#"{"name":"b"}"#)
        .await
        .json();
    told.ask("DELETE", "/databases/b/", "").await;
    told.ask("GET", "/databases?details=true&status=deleted", "")
        .await;
    told.ask("PUT", &format!("/databases/{}/undelete/", renamed["id"]), "")
        .await;
    insta::assert_snapshot!(told.text());
}

#[tokio::test]
async fn a_table_from_creation_to_restoration() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"a/b"}"#).await;
    let mut told = Transcript::of(&world);
    for tables in [
        format!("{}/databases/a%2Fb/tables", world.prefix()),
        "/databases/a%2fb/tables".to_owned(),
    ] {
        told.ask("POST", &format!("{tables}/"), r#"{"name":"wind"}"#)
            .await;
        told.ask(
            "POST",
            &tables,
            r#"{"name":"rain","partitionTemplate":[{"type":"tag","value":"plátanos"}]}"#,
        )
        .await;
        told.ask("POST", &tables, r#"{"name":"rain"}"#).await;
        let renamed = told
            .ask("PUT", &format!("{tables}/rain/rename"), r#"{"name":"hail"}"#)
            .await
            .json();
        told.ask("PUT", &format!("{tables}/hail/rename"), r#"{"name":"wind"}"#)
            .await;
        told.ask("DELETE", &format!("{tables}/hail"), "").await;
        told.ask("GET", &format!("{tables}?status=all"), "").await;
        told.ask("PUT", &format!("{tables}/{}/undelete", renamed["id"]), "")
            .await;
        told.ask("GET", &tables, "").await;
        told.ask("DELETE", &format!("{tables}/hail"), "").await;
        told.ask("DELETE", &format!("{tables}/wind"), "").await;
        told.ask("GET", &tables, "").await;
    }
    insta::assert_snapshot!(told.text());
}

#[tokio::test]
async fn a_table_that_a_write_named_can_be_deleted() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"a"}"#).await;
    let answer = world
        .ask("DELETE", "/databases/a/tables/caf%C3%A9%20au%20lait", "")
        .await;
    assert_eq!(answer.message(), "table café au lait not found");
}

#[tokio::test]
async fn a_management_token_from_creation_to_revocation() {
    let world = World::new().await;
    let mut told = Transcript::of(&world);
    let tokens = format!("/accounts/{}/management-tokens", world.account);
    let body = r#"{"description":"CI","expiresAt":"2026-06-01T00:00:00Z"}"#;
    let created = told.ask("POST", &tokens, body).await.json();
    told.ask("POST", "/management-tokens", "{}").await;
    let token = format!("{tokens}/{}", created["id"].as_str().expect("an id"));
    told.ask("GET", &token, "").await;
    told.ask("GET", &tokens, "").await;
    told.ask("DELETE", &token, "").await;
    told.ask(
        "DELETE",
        &token.replace(&format!("/accounts/{}", world.account), ""),
        "",
    )
    .await;
    told.ask("GET", "/management-tokens?status=revoked", "").await;
    insta::assert_snapshot!(told.text());
    let secret = created["token"].as_str().expect("a secret");
    let authorization = format!("Bearer {secret}");
    let refused = world
        .send("GET", "/tokens", &[("authorization", &authorization)], "")
        .await;
    assert_eq!(refused.message(), "the token was revoked");
}

#[tokio::test]
async fn a_token_may_revoke_itself() {
    let world = World::new().await;
    let list = world.ask("GET", "/management-tokens", "").await.json();
    let own = format!("/management-tokens/{}", list[0]["id"].as_str().expect("an id"));
    assert_eq!(world.ask("DELETE", &own, "").await.status, 204);
    let refused = world.ask("GET", &own, "").await;
    assert_eq!(
        (refused.status.as_u16(), refused.message()),
        (401, "the token was revoked".to_owned())
    );
    assert_eq!(
        refused.header("www-authenticate"),
        Some(r#"Bearer realm="rescind", error="invalid_token", error_description="the token was revoked""#)
    );
}

#[tokio::test]
async fn accounts_clusters_nodes_and_the_audit_log() {
    let world = World::new().await;
    world.make("/databases", r#"{"name":"a"}"#).await;
    world.make("/tokens", r#"{"description":"t"}"#).await;
    let mut told = Transcript::of(&world);
    let account = format!("/accounts/{}", world.account);
    for path in [
        "/accounts".to_owned(),
        account.clone(),
        format!("{account}/clusters"),
        world.prefix(),
        "/clusters/".to_owned(),
        format!("/clusters/{}", world.cluster),
        "/nodes".to_owned(),
        format!("{account}/audit-events"),
        "/audit-events?act=database.create&order=asc".to_owned(),
    ] {
        told.ask("GET", &path, "").await;
    }
    insta::assert_snapshot!(told.text());
}
