use rescind_domain::{
    AccountId, Actor, ClusterId, Database, DatabaseId, DatabaseLimits, DatabaseState, DatabaseToken,
    DatabaseTokenId, ManagementToken, ManagementTokenId, PartitionTemplate, Permission, Permissions, Rng,
    Secret, SecretKind, SecretPrefix, Table, TableId, TableState, TemplatePart, Timestamp, TokenState,
};
use rescind_wire as wire;
use rescind_wire::PathForm;
use serde::Serialize;

const CREATED: Timestamp = Timestamp::from_micros(1_703_180_848_000_000);
const ENDED: Timestamp = Timestamp::from_micros(1_710_274_650_063_000);

fn account() -> AccountId {
    AccountId::from_bytes([0x11; 16])
}

fn cluster() -> ClusterId {
    ClusterId::from_bytes([0x22; 16])
}

struct Zeros;

impl Rng for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn database_token(state: TokenState) -> DatabaseToken {
    let permission = |action: &str, resource: &str| Permission {
        action: action.parse().expect("action"),
        resource: resource.parse().expect("resource"),
    };
    DatabaseToken {
        id: DatabaseTokenId::from_bytes([0x33; 16]),
        account: account(),
        cluster: cluster(),
        description: "sensors".parse().expect("description"),
        permissions: Permissions::new([permission("read", "*"), permission("write", "home")]).expect("few"),
        prefix: SecretPrefix::stored("apiv1_000".to_owned()),
        created_at: CREATED,
        created_by: Actor::System,
        expires_at: Some(ENDED),
        state,
        last_used_at: Some(ENDED),
    }
}

fn management_token() -> ManagementToken {
    ManagementToken {
        id: ManagementTokenId::from_bytes([0x44; 16]),
        account: account(),
        description: "ci".parse().expect("description"),
        prefix: SecretPrefix::stored("M.V1.0000".to_owned()),
        created_at: CREATED,
        created_by: Actor::Operator,
        expires_at: None,
        state: TokenState::Active,
        last_used_at: None,
    }
}

fn database() -> Database {
    let parts = vec![
        TemplatePart::Time("%Y-%m".to_owned()),
        TemplatePart::Tag("room".to_owned()),
        TemplatePart::Bucket {
            tag: "sensor".to_owned(),
            buckets: 10,
        },
    ];
    Database {
        id: DatabaseId::new(7).expect("id"),
        account: account(),
        cluster: cluster(),
        name: "home".parse().expect("name"),
        limits: DatabaseLimits::default(),
        partition_template: Some(PartitionTemplate::new(parts).expect("template")),
        state: DatabaseState::Deleted { at: ENDED },
        created_at: CREATED,
    }
}

fn table() -> Table {
    Table {
        id: TableId::new(9).expect("id"),
        database: DatabaseId::new(7).expect("id"),
        name: "air".parse().expect("name"),
        max_columns: rescind_domain::MaxColumns::default(),
        partition_template: None,
        state: TableState::Active,
        created_at: CREATED,
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("serialises")
}

#[test]
fn database_tokens() {
    let revoked = TokenState::Revoked { at: ENDED };
    let shown = [
        json(&wire::DatabaseToken::of(
            &database_token(revoked),
            PathForm::Prefixed,
        )),
        json(&wire::DatabaseToken::of(
            &database_token(TokenState::Active),
            PathForm::Bare,
        )),
    ];
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn created_tokens_hold_their_secret_and_debug_does_not_show_it() {
    let secret = Secret::mint(SecretKind::Database, &Zeros);
    let token = database_token(TokenState::Active);
    let created = wire::CreatedDatabaseToken::of(&token, &secret, PathForm::Prefixed);
    let management = Secret::mint(SecretKind::Management, &Zeros);
    let other = wire::CreatedManagementToken::of(&management_token(), &management);
    for text in [format!("{created:?}"), format!("{other:?}")] {
        assert!(!text.contains(secret.expose()) && !text.contains(management.expose()));
    }
    insta::assert_snapshot!([json(&created), json(&other)].join("\n"));
    let read: wire::CreatedManagementToken = wire::decode(json(&other).as_bytes()).expect("reads back");
    assert_eq!(read, other);
}

#[test]
fn databases() {
    let form = PathForm::Prefixed;
    let documented = wire::Database::of(&database(), form);
    let details = wire::DatabaseDetails::of(&database(), form);
    let shown = [
        json(&documented),
        json(&documented.clone().without_template()),
        json(&wire::IdentifiedDatabase::of(&database(), PathForm::Bare)),
        json(&details),
    ];
    insta::assert_snapshot!(shown.join("\n"));
    let read: wire::DatabaseDetails = wire::decode(json(&details).as_bytes()).expect("reads back");
    assert_eq!(read, details);
}

#[test]
fn tables() {
    let name = "home".parse().expect("name");
    let shown = |form| wire::Table::of(&table(), account(), cluster(), &name, form);
    let texts = [
        json(&shown(PathForm::Prefixed)),
        json(&shown(PathForm::Bare).identified(table().id)),
        json(&shown(PathForm::Bare).detailed(&table())),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn an_answer_with_fields_of_a_newer_server_is_read() {
    let body = r#"{"code":404,"message":"not found","hint":"new"}"#;
    let error: wire::ErrorBody = wire::decode(body.as_bytes()).expect("reads");
    assert_eq!((error.code, error.message.as_str()), (404, "not found"));
}
