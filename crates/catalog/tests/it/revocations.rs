//! Revocations of very many tokens.

use std::collections::BTreeSet;

use rescind_catalog::{AuditQuery, AuditVerdict, ChangeKind, Error, Feed, Page, Revocable, Use};
use rescind_domain::{Act, DatabaseTokenId, ManagementTokenId, Revision, TokenState};

use crate::stage::{NOW, Stage};

/// More than go into one statement.
const MANY: usize = 10_001;

/// What could fall out of a list that is one text.
const DESCRIPTION: &str = r#"'"], [\"null\", 7] \\ é 😀 $1"#;

pub(crate) async fn very_many_tokens_are_revoked_in_one_act(stage: Stage) -> Result<(), Error> {
    let ids = tokens(&stage, MANY).await?;
    let unknown = DatabaseTokenId::mint(&stage.rng);
    let mut act = stage.begin().await;
    let mut asked = ids.clone();
    asked.push(unknown);
    let found = act.revocable_database_tokens(&asked).await?;
    assert_eq!(
        found.iter().map(|one| one.id).collect::<BTreeSet<_>>(),
        ids.iter().copied().collect()
    );
    assert!(found.iter().all(|one| one.owner == stage.cluster
        && one.description.as_str() == DESCRIPTION
        && one.state == TokenState::Active));
    act.revoke_database_tokens(&ids, NOW).await?;
    let entries = ids.iter().map(|id| {
        let mut entry = stage.entry(Act::DatabaseTokenRevoke, id, vec![ChangeKind::DatabaseToken(*id)]);
        entry.details = vec![("description".to_owned(), DESCRIPTION.to_owned())];
        entry
    });
    let committed = act.commit_all(entries.collect()).await?;
    let events = MANY as i64 + 2;
    assert_eq!(
        (committed.revision, committed.sequence),
        (Some(Revision::new(1)), events)
    );
    assert!(stage.database_grants().await.is_empty());
    let verdict = stage.catalog.verify_audit().await?;
    assert!(matches!(verdict, AuditVerdict::Intact { events: all, .. } if all == events));
    let newest = AuditQuery {
        page: Page::first(1),
        ..AuditQuery::all(stage.account)
    };
    let last = stage.catalog.audit_events(&newest).await?.items.remove(0);
    assert_eq!(last.subject, ids[MANY - 1].to_string());
    assert_eq!(last.details[0].1, DESCRIPTION);
    let all = 2 * MANY as u32;
    let Feed::Changes { changes, more, .. } = stage.catalog.changes_after(Revision::new(0), all).await?
    else {
        panic!("nothing was pruned")
    };
    let changed: BTreeSet<ChangeKind> = changes.iter().map(|change| change.what).collect();
    assert_eq!(changed, ids.into_iter().map(ChangeKind::DatabaseToken).collect());
    assert!(
        changes
            .iter()
            .all(|change| change.revision == Revision::new(1) && change.is_gone)
    );
    assert!(!more);
    Ok(())
}

pub(crate) async fn what_was_revoked_before_is_not_revoked_again(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.management_token("old");
    let mut act = stage.begin().await;
    act.insert_management_token(&token, &secret).await?;
    act.revoke_management_tokens(&[token.id], NOW).await?;
    let change = ChangeKind::ManagementToken(token.id);
    stage
        .commit(act, Act::ManagementTokenRevoke, token.id, Some(change))
        .await;
    let mut act = stage.begin().await;
    let found = act.revocable_management_tokens(&[token.id]).await?;
    let expected = Revocable {
        id: token.id,
        owner: stage.account,
        description: token.description,
        created_by: token.created_by,
        state: TokenState::Revoked { at: NOW },
    };
    assert_eq!(found, [expected]);
    let later = NOW.plus_micros(1);
    let again = act.revoke_management_tokens(&[token.id], later).await;
    assert!(matches!(again, Err(Error::Missing { .. })), "{again:?}");
    drop(act);
    let mut act = stage.begin().await;
    let unknown = ManagementTokenId::mint(&stage.rng);
    let none = act.revoke_management_tokens(&[unknown], later).await;
    assert!(matches!(none, Err(Error::Missing { .. })), "{none:?}");
    Ok(())
}

/// Uses are written outside the ledger's lock. Rows that two statements lock in different orders would be a deadlock, of
/// which PostgreSQL ends one side.
pub(crate) async fn revoking_many_and_noting_their_use_do_not_stop_each_other(
    stage: Stage,
) -> Result<(), Error> {
    let ids = tokens(&stage, 2_000).await?;
    let uses: Vec<_> = ids
        .iter()
        .map(|id| Use {
            id: *id,
            at: NOW,
            client: None,
        })
        .collect();
    let flush = async {
        for round in 0..20 {
            let uses: Vec<_> = uses
                .iter()
                .map(|one| Use {
                    at: NOW.plus_micros(round),
                    ..one.clone()
                })
                .collect();
            stage.catalog.record_last_used(&uses, &[], &[]).await?;
        }
        Ok::<_, Error>(())
    };
    let revoke = async {
        for _ in 0..20 {
            let mut act = stage.begin().await;
            // As they come, which is no order at all.
            act.revocable_database_tokens(&ids).await?;
            act.revoke_database_tokens(&ids, NOW).await?;
            act.rollback().await?;
        }
        Ok::<_, Error>(())
    };
    let (flushed, revoked) = futures::join!(flush, revoke);
    flushed?;
    revoked
}

async fn tokens(stage: &Stage, count: usize) -> Result<Vec<DatabaseTokenId>, Error> {
    let mut act = stage.begin().await;
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let (token, secret) = stage.token(DESCRIPTION, &[]);
        act.insert_database_token(&token, &secret).await?;
        ids.push(token.id);
    }
    act.commit_all(Vec::new()).await?;
    Ok(ids)
}
