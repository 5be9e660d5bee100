//! Invitations.

use rescind_catalog::{Error, Page};
use rescind_domain::{
    Act, Actor, Invitation, InvitationId, InvitationState, Role, Secret, SecretHash, SecretKind, UserId,
};

use crate::stage::{NOW, Stage};

/// An invitation of an hour that is not kept yet.
pub(crate) fn invitation(stage: &Stage, email: &str) -> (Invitation, SecretHash) {
    let invitation = Invitation {
        id: InvitationId::mint(&stage.rng),
        account: stage.account,
        email: email.parse().expect("an address"),
        first_name: "Ada".to_owned(),
        last_name: String::new(),
        role: Role::Member,
        created_at: NOW,
        created_by: Actor::Operator,
        expires_at: NOW.plus_micros(3_600_000_000),
        state: InvitationState::Pending,
    };
    let secret = Secret::mint(SecretKind::Invitation, &stage.rng);
    (invitation, secret.hash())
}

async fn invite(stage: &Stage, email: &str, after: i64) -> (Invitation, SecretHash) {
    let (mut invitation, secret) = invitation(stage, email);
    invitation.created_at = NOW.plus_micros(after);
    let mut act = stage.begin().await;
    act.insert_invitation(&invitation, &secret)
        .await
        .expect("invitation");
    stage.commit(act, Act::UserUpdate, invitation.id, None).await;
    (invitation, secret)
}

/// What whoever opens the link does: whether it was the first.
async fn accept(stage: &Stage, secret: &SecretHash) -> Result<Option<UserId>, Error> {
    let mut act = stage.begin().await;
    let mut invitation = act.invitation_by_secret(secret).await?.expect("known");
    let user = stage.user(invitation.email.as_str());
    let Ok(accepted) = invitation.state.accept(NOW, user.id) else {
        act.rollback().await?;
        return Ok(None);
    };
    invitation.state = accepted;
    act.update_invitation(&invitation).await?;
    act.insert_user(&user).await?;
    stage.commit(act, Act::UserCreate, user.id, None).await;
    Ok(Some(user.id))
}

pub(crate) async fn an_invitation_is_accepted_once(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (invitation, secret) = invite(&stage, "Ada@example.com", 0).await;
    let found = catalog.invitation_by_secret(&secret).await?.expect("kept");
    assert_eq!(
        (found.id, found.email.as_str(), found.role, found.state),
        (
            invitation.id,
            "Ada@example.com",
            Role::Member,
            InvitationState::Pending
        )
    );
    assert_eq!((found.first_name.as_str(), found.last_name.as_str()), ("Ada", ""));
    assert_eq!(
        (found.created_by, found.expires_at),
        (Actor::Operator, invitation.expires_at)
    );

    let tries = (0..6).map(|_| accept(&stage, &secret));
    let accepted = futures::future::try_join_all(tries).await?;
    let winners: Vec<UserId> = accepted.into_iter().flatten().collect();
    let [winner] = winners[..] else {
        panic!("one of all who try is let in, not {winners:?}")
    };
    let found = catalog.invitation(stage.account, invitation.id).await?;
    assert_eq!(
        found.expect("kept").state,
        InvitationState::Accepted {
            at: NOW,
            user: winner
        }
    );
    assert!(catalog.user(stage.account, winner).await?.is_some());
    Ok(())
}

pub(crate) async fn an_invitation_is_withdrawn(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let mut ids = Vec::new();
    for after in 0..5 {
        ids.push(invite(&stage, "ada@example.com", after).await);
    }
    let (mut withdrawn, secret) = ids.remove(0);
    let mut act = stage.begin().await;
    withdrawn.state = withdrawn.state.revoke(NOW).expect("first");
    act.update_invitation(&withdrawn).await?;
    stage.commit(act, Act::UserUpdate, withdrawn.id, None).await;
    assert!(accept(&stage, &secret).await?.is_none());
    let found = catalog.invitation_by_secret(&secret).await?.expect("kept");
    assert_eq!(found.state, InvitationState::Revoked { at: NOW });

    let mut page = Page {
        limit: 2,
        count: true,
        ..Page::default()
    };
    let mut listed = Vec::new();
    loop {
        let part = catalog.invitations(stage.account, &page).await?;
        assert_eq!(part.total, Some(5));
        listed.extend(part.items.iter().map(|invitation| invitation.id));
        match part.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    let newest_first: Vec<_> = ids.iter().rev().map(|(invitation, _)| invitation.id).collect();
    assert_eq!(listed, [newest_first, vec![withdrawn.id]].concat());
    let elsewhere = rescind_domain::AccountId::mint(&stage.rng);
    assert!(catalog.invitation(elsewhere, withdrawn.id).await?.is_none());
    Ok(())
}
