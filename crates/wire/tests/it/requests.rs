use rescind_wire::{
    CreateDatabase, CreateDatabaseToken, CreateManagementToken, CreateTable, FieldError, Page,
    RenameDatabase, UpdateDatabase, UpdateDatabaseToken, decode,
};
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Write as _};

fn refusals<T: DeserializeOwned, P: Debug>(
    parse: impl Fn(T) -> Result<P, FieldError>,
    bodies: &[&str],
) -> String {
    let mut text = String::new();
    for body in bodies {
        let refusal = decode(body.as_bytes())
            .and_then(&parse)
            .expect_err("must be refused");
        writeln!(text, "{body}\n  {refusal}").expect("writes");
    }
    text
}

#[test]
fn database_token_requests() {
    insta::assert_snapshot!(refusals(
        CreateDatabaseToken::parse,
        &[
            "",
            "[1]",
            r#"["a"]"#,
            "{",
            "{}",
            "{} {}",
            r#"{"description":1}"#,
            r#"{"description":null}"#,
            r#"{"description":"a","description":"b"}"#,
            r#"{"description":"a","expiresAt:":"2030-01-01T00:00:00Z"}"#,
            r#"{"description":"a","permissions":null}"#,
            r#"{"description":"a","permissions":[{"action":"drop","resource":"x"}]}"#,
            r#"{"description":"a","permissions":[{"action":"read","resource":"x"},{"action":"read","resource":"a b"}]}"#,
            r#"{"description":"a","permissions":[{"action":"read"}]}"#,
            r#"{"description":"a","permissions":[{"action":"read","resource":"x","id":"y"}]}"#,
            r#"{"description":"a","expiresAt":"tomorrow"}"#,
            r#"{"description":"a","expiresAt":1700000000}"#,
            r#"{"description":"a","expirationType":"never"}"#,
            r#"{"description":"a","expirationType":"datetime"}"#,
            r#"{"description":"a","expirationType":"noExpiration","expiresAt":"2030-01-01T00:00:00Z"}"#,
        ],
    ));
    insta::assert_snapshot!(refusals(
        UpdateDatabaseToken::parse,
        &[
            "{}",
            r#"{"expiresAt":"2030-01-01T00:00:00Z"}"#,
            r#"{"permissions":{}}"#
        ],
    ));
}

#[test]
fn management_token_requests() {
    insta::assert_snapshot!(refusals(
        CreateManagementToken::parse,
        &[
            r#"{"description":""}"#,
            r#"{"expiresAt":"2030-01-01"}"#,
            r#"{"name":"x"}"#
        ],
    ));
}

#[test]
fn database_requests() {
    insta::assert_snapshot!(refusals(
        CreateDatabase::parse,
        &[
            r#"{"name":""}"#,
            r#"{"name":"-a"}"#,
            r#"{"name":"a","maxTables":0}"#,
            r#"{"name":"a","maxTables":1.5}"#,
            r#"{"name":"a","maxTables":"5"}"#,
            r#"{"name":"a","maxTables":3000000000}"#,
            r#"{"name":"a","maxTables":9223372036854775808}"#,
            r#"{"name":"a","maxColumnsPerTable":1001}"#,
            r#"{"name":"a","retentionPeriod":-1}"#,
            r#"{"name":"a","retentionPeriod":1e30}"#,
            r#"{"name":"a","partitionTemplate":[]}"#,
            r#"{"name":"a","partitionTemplate":[{"type":"tag"}]}"#,
            r#"{"name":"a","partitionTemplate":[{"type":"hash","value":"x"}]}"#,
            r#"{"name":"a","partitionTemplate":[{"type":"bucket","value":{"tagName":"x","numberOfBuckets":100000}}]}"#,
            r#"{"name":"a","partitionTemplate":[{"type":"bucket","value":{"tagName":"x","numberOfBuckets":-1}}]}"#,
            r#"{"name":"a","partitionTemplate":[{"type":"bucket","value":{"tagName":"x"}}]}"#,
        ],
    ));
    insta::assert_snapshot!(refusals(
        UpdateDatabase::parse,
        &["{}", r#"{"name":"x"}"#, r#"{"maxTables":null}"#]
    ));
    insta::assert_snapshot!(refusals(RenameDatabase::parse, &[r#"{"name":"a b"}"#, "{}"]));
    insta::assert_snapshot!(refusals(
        CreateTable::parse,
        &[r#"{"name":"iox_a"}"#, r#"{"name":"a/b"}"#]
    ));
}

#[test]
fn documented_requests_are_understood() {
    let body = r#"{"description":"d","expirationType":"datetime","expiresAt":"2030-01-01T01:00:00+0100",
        "permissions":[{"action":"write","resource":"db"},{"action":"read","resource":"*"}]}"#;
    let token = decode::<CreateDatabaseToken>(body.as_bytes())
        .and_then(CreateDatabaseToken::parse)
        .expect("valid");
    assert_eq!(token.permissions.len(), 2);
    assert_eq!(
        token.expires_at.map(|at| at.to_string()).as_deref(),
        Some("2030-01-01T00:00:00Z")
    );

    let body = r#"{"name":"db","maxTables":300,"maxColumnsPerTable":150,"retentionPeriod":600000000000,
        "partitionTemplate":[{"type":"tag","value":"a"},{"type":"time","value":"%Y"},
            {"type":"bucket","value":{"tagName":"c","numberOfBuckets":10}}]}"#;
    let database = decode::<CreateDatabase>(body.as_bytes())
        .and_then(CreateDatabase::parse)
        .expect("valid");
    assert_eq!(database.limits.max_tables.get(), 300);
    assert_eq!(database.limits.retention.nanos(), 600_000_000_000);
    assert_eq!(database.partition_template.map(|t| t.parts().len()), Some(3));
}

#[test]
fn a_page_is_bounded() {
    assert!(Page::parse(Some(0), None).is_err());
    assert!(Page::parse(Some(1_001), None).is_err());
    assert!(Page::parse(Some(1_000), None).is_ok());
}
