//! Invitations: to an account, to a role in an organisation, or to both.

use std::sync::Arc;

use serde_json::json;

use super::{AccountError, changed, namespace, sign_up, unknown, user, users, within};
use crate::auth::{Pattern, Permissions};
use crate::config::SignUp as Policy;
use crate::db::invitations;
pub use crate::db::invitations::InvitationRow;
use crate::db::roles::{self, Holder};
use crate::db::users::{self as rows, NewUser};
use crate::db::{Tx, access};
use crate::mail::{Language, Letter};
use crate::registry::access::{Denial, Why};
use crate::registry::{Account, Ctx, Error, Identity, Registry, mails};

/// How long an invitation holds, in microseconds.
const HOLDS: i64 = 7 * 24 * 3600 * 1_000_000;

/// Whom to invite to what.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The address that is invited.
    pub email: String,
    /// The name that the account shall have; the invited person chooses where there is none.
    pub name: Option<String>,
    /// An organisation, and the role to be held on all of it.
    pub role: Option<(String, String)>,
    /// The language of the mail.
    pub language: Language,
}

/// An invitation that was made. Not `Debug`: the link opens an account, and is shown now and never again.
pub struct Invited {
    /// Its public id.
    pub id: String,
    /// What the invited person follows.
    pub link: String,
    /// From when on it cannot be accepted.
    pub expires_at: i64,
    /// Whether a mail with the link is on its way.
    pub mailed: bool,
}

/// Invites somebody. Administrators invite to anything; members of an organisation who may choose its members invite to
/// roles there that allow no more than theirs.
pub async fn create(registry: &Registry, ctx: &Ctx, invite: Invite) -> Result<Invited, Error> {
    let email = users::email(&invite.email)?;
    if let Some(name) = &invite.name {
        crate::auth::account_name::check(name).map_err(|why| AccountError::Name { name: name.clone(), why })?;
    }
    // An invitation makes accounts: whether members of organisations may do that is the operator's to say.
    if registry.people.sign_up == Policy::Off && matches!(&ctx.identity, Identity::User(account) if !account.admin) {
        return Err(AccountError::NotOffered("members invite once the operator sets auth.sign_up to `invite`").into());
    }
    let (secret, link) = mails::link(&registry.people, "invitation");
    let organisation = invite.role.as_ref().map(|(organisation, _)| organisation.clone());
    let letter = Letter::Invite { organisation, link: link.clone() };
    let mail = mails::seal(registry, &email, invite.language, letter)?;
    let (ctx, hash, mailed) = (ctx.clone(), secret.hash(), mail.is_some());
    let expires_at = ctx.now.saturating_add(HOLDS);
    let insert = move |tx: &mut Tx<'_>| {
        may_invite(tx, &ctx, invite.role.as_ref().map(|(organisation, role)| (organisation.as_str(), role.as_str())))?;
        let (organisation, role) = invite.role.clone().unzip();
        let new = InvitationRow {
            id: 0,
            public_id: String::new(),
            email: email.clone(),
            name: invite.name.clone(),
            organisation: organisation.clone(),
            role: role.clone(),
            invited_by: match &ctx.identity {
                Identity::User(account) => Some(account.id),
                Identity::Anonymous | Identity::System | Identity::Robot(_) => None,
            },
            created_at: ctx.now,
            expires_at,
        };
        let id = invitations::insert(tx, &new, hash)?;
        mails::queue(tx, mail.as_ref(), ctx.now)?;
        changed(
            tx,
            &ctx,
            "invitation.create",
            &json!({ "invitation": id, "organisation": organisation, "role": role }),
        )?;
        Ok::<_, Error>(id)
    };
    let id = registry.db.write(insert).await?;
    Ok(Invited { id, link, expires_at, mailed })
}

/// Whether the caller may invite to a role in an organisation, or, without one, to the instance.
fn may_invite(tx: &mut Tx<'_>, ctx: &Ctx, to: Option<(&str, &str)>) -> Result<(), Error> {
    let role = match to {
        Some((organisation, role)) => {
            let namespace = namespace(tx, organisation)?;
            let found = roles::find(tx, namespace.id, role)?.ok_or_else(|| unknown("role", role))?;
            Some((namespace, Permissions::from_bits(found.permissions)))
        }
        None => None,
    };
    if let Some((_, needed)) = &role {
        within(ctx, *needed)?;
    }
    let refused = || Err(Denial::of(Why::Forbidden).into());
    match (&ctx.identity, role) {
        (Identity::System, _) => Ok(()),
        (Identity::User(account), _) if account.admin => Ok(()),
        (Identity::User(account), Some((namespace, needed))) => {
            let whole = Pattern::namespace(&namespace.name);
            let held = access::held_by_user(tx, namespace.id, account.id)?;
            let held = held.into_iter().filter(|held| !held.exact && held.pattern == whole.text());
            let all: Permissions = held.map(|held| Permissions::from_bits(held.permissions)).collect();
            // What is held there does not count without the second factor that the organisation asks for.
            let counts = account.second_factor || !namespace.require_second_factor;
            if counts && all.contains(Permissions::MEMBERS) && all.contains(needed) { Ok(()) } else { refused() }
        }
        (Identity::User(_) | Identity::Robot(_) | Identity::Anonymous, _) => refused(),
    }
}

/// Lists invitations behind the key `after`: all of them for administrators, those of an organisation for its own.
pub async fn list(
    registry: &Registry,
    ctx: &Ctx,
    organisation: Option<&str>,
    after: i64,
    limit: usize,
) -> Result<Vec<InvitationRow>, Error> {
    let (ctx, organisation, limit) = (ctx.clone(), organisation.map(str::to_owned), limit as i64);
    let list = move |tx: &mut Tx<'_>| {
        may_invite(tx, &ctx, organisation.as_deref().map(|name| (name, "limited-guest")))?;
        let page = match &organisation {
            Some(name) => invitations::list_of(tx, name, after, limit)?,
            None => invitations::list(tx, after, limit)?,
        };
        Ok::<_, Error>(page)
    };
    registry.db.scan(list).await
}

/// Takes an invitation back, by its public id; with an organisation, one to that.
pub async fn revoke(registry: &Registry, ctx: &Ctx, organisation: Option<&str>, id: &str) -> Result<(), Error> {
    let (ctx, organisation, id) = (ctx.clone(), organisation.map(str::to_owned), id.to_owned());
    let revoke = move |tx: &mut Tx<'_>| {
        let row = invitations::by_public_id(tx, &id)?
            .filter(|row| organisation.is_none() || row.organisation == organisation)
            .ok_or_else(|| unknown("invitation", &id))?;
        may_invite(tx, &ctx, row.organisation.as_deref().map(|name| (name, "limited-guest")))?;
        invitations::delete(tx, row.id)?;
        changed(tx, &ctx, "invitation.revoke", &json!({ "invitation": id }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(revoke).await
}

/// What an invitation is to, for who holds its link.
pub async fn show(registry: &Registry, ctx: &Ctx, secret: &str) -> Result<InvitationRow, Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    let find = move |tx: &mut Tx<'_>| Ok::<_, Error>(invitations::by_secret(tx, hash, now)?.ok_or(AccountError::Link)?);
    registry.db.read(find).await
}

/// Accepts an invitation by making an account, whose address was shown by following the link; returns its name.
pub async fn accept_new(registry: &Registry, ctx: &Ctx, secret: &str, new: sign_up::SignUp) -> Result<String, Error> {
    let hash = mails::read(secret)?;
    let shown = show(registry, ctx, secret).await?;
    let name = shown.name.unwrap_or(new.name);
    sign_up::check(&name, &new.password, &shown.email, new.display_name.as_deref())?;
    let password = sign_up::hash(registry, new.password).await?;
    let ctx = ctx.clone();
    let accept = move |tx: &mut Tx<'_>| {
        let row = invitations::take(tx, hash, ctx.now)?.ok_or(AccountError::Link)?;
        let user = NewUser {
            name: &name,
            email: Some(&row.email),
            display_name: new.display_name.as_deref(),
            admin: false,
            password_hash: Some(&password),
        };
        let id = sign_up::make(tx, &ctx, &user, new.language.as_str(), "invitation")?;
        bind(tx, &ctx, &row, id)?;
        Ok::<_, Error>(name.clone())
    };
    registry.db.write(accept).await
}

/// Accepts an invitation as a user who is signed in.
pub async fn accept(registry: &Registry, ctx: &Ctx, secret: &str, name: &str) -> Result<(), Error> {
    let (hash, ctx, name) = (mails::read(secret)?, ctx.clone(), name.to_owned());
    let accept = move |tx: &mut Tx<'_>| {
        let user = user(tx, &name)?;
        let row = invitations::take(tx, hash, ctx.now)?.ok_or(AccountError::Link)?;
        bind(tx, &ctx, &row, user.id)
    };
    registry.db.write(accept).await
}

/// Who invited, while that user is active.
fn inviter_of(tx: &mut Tx<'_>, id: i64) -> Result<Option<Identity>, Error> {
    let Some(public_id) = rows::public_id(tx, id)? else { return Ok(None) };
    let row = rows::by_public_id(tx, &public_id)?.filter(rows::UserRow::is_active);
    Ok(row.map(|row| Identity::User(Arc::new(Account::of(&row)))))
}

/// Gives what an invitation promises.
fn bind(tx: &mut Tx<'_>, ctx: &Ctx, row: &InvitationRow, user_id: i64) -> Result<(), Error> {
    let (Some(organisation), Some(role)) = (&row.organisation, &row.role) else { return Ok(()) };
    // Whoever invited may have lost the right to, or the role have grown.
    if let Some(inviter) = row.invited_by {
        let inviter = inviter_of(tx, inviter)?.ok_or(AccountError::Link)?;
        may_invite(tx, &Ctx { identity: inviter, ..Ctx::system(ctx.now) }, Some((organisation, role)))
            .map_err(|_| AccountError::Link)?;
    }
    let namespace = namespace(tx, organisation)?;
    let found = roles::find(tx, namespace.id, role)?.ok_or_else(|| unknown("role", role))?;
    let whole = Pattern::namespace(organisation);
    roles::grant(tx, namespace.id, found.id, Holder::User(user_id), (whole.text(), false), ctx.now)?;
    let detail = json!({ "invitation": row.public_id, "organisation": organisation, "role": role });
    changed(tx, ctx, "invitation.accept", &detail)?;
    Ok(())
}
