//! The way back for who has lost the password, and the change of one's e-mail address: by links that open once.

use std::sync::Arc;

use serde_json::json;

use super::{AccountError, changed, sign_up, user, users};
use crate::auth::password;
use crate::db::links::{self, LinkRow};
use crate::db::users::{self as rows, UserRow};
use crate::db::{Db, Tx, outbox};
use crate::mail::{Language, Letter};
use crate::registry::access::manage::still_may;
use crate::registry::access::{Access, sessions};
use crate::registry::{Ctx, Error, People, Registry, mails};

/// How long a link for another password holds, in microseconds.
const RESET_HOLDS: i64 = 3600 * 1_000_000;
/// How long a link to an address holds, in microseconds.
const EMAIL_HOLDS: i64 = 24 * 3600 * 1_000_000;

fn language(tag: Option<&str>) -> Language {
    Language::of(tag.unwrap_or_default())
}

/// Asks for a link by name or e-mail address. Whether there is such an account is not told: it is looked up after the
/// answer.
pub fn request(registry: &Registry, ctx: &Ctx, who: &str) -> Result<(), Error> {
    // No text column of PostgreSQL takes a NUL.
    let who: String = who.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(254).collect();
    if !registry.people.mail {
        return Err(
            AccountError::NotOffered("no mails are sent here; ask the operator for `havre user reset-link`").into()
        );
    }
    registry.access.count_request(ctx, &who)?;
    let post =
        Post { db: Arc::clone(&registry.db), access: Arc::clone(&registry.access), people: registry.people.clone() };
    let ctx = ctx.clone();
    tokio::spawn(async move {
        if let Err(error) = Box::pin(send(&post, &ctx, who)).await {
            tracing::warn!(%error, "cannot send a link for another password");
        }
    });
    Ok(())
}

/// What of the registry a link takes.
struct Post {
    db: Arc<Db>,
    access: Arc<Access>,
    people: People,
}

/// Sends a link for another password, where there is such an account.
async fn send(post: &Post, ctx: &Ctx, who: String) -> Result<(), Error> {
    let find = move |tx: &mut Tx<'_>| {
        let found = if who.contains('@') { rows::by_email(tx, &who)? } else { rows::by_name(tx, &who)? };
        let Some(row) = found.filter(UserRow::is_active) else { return Ok(None) };
        let (tag, verified) = rows::mail_facts(tx, row.id)?;
        Ok::<_, Error>(verified.map(|_| (row, tag)))
    };
    let Some((row, tag)) = post.db.read(find).await? else { return Ok(()) };
    let Some(email) = row.email.clone() else { return Ok(()) };
    let (secret, link) = mails::link(&post.people, "reset");
    let letter = Letter::Reset { name: row.name.clone(), link };
    let mail = mails::seal_with(&post.access, &post.people, &email, language(tag.as_deref()), letter)?;
    let (ctx, hash) = (ctx.clone(), secret.hash());
    let insert = move |tx: &mut Tx<'_>| {
        keep(tx, &ctx, &row, hash)?;
        mails::queue(tx, mail.as_ref(), ctx.now)?;
        Ok::<_, Error>(())
    };
    post.db.write(insert).await
}

fn keep(tx: &mut Tx<'_>, ctx: &Ctx, row: &UserRow, hash: [u8; 32]) -> Result<(), Error> {
    let link = LinkRow { user_id: row.id, email: None, password_version: row.password_version };
    links::replace(tx, "reset", &link, hash, ctx.now, ctx.now.saturating_add(RESET_HOLDS))?;
    let detail = Some(json!({ "user": row.public_id }).to_string());
    ctx.record(tx, &crate::registry::Event { kind: "user.reset_link", detail, ..Default::default() })?;
    Ok(())
}

/// Makes a link for another password, for an operator to hand over.
pub async fn link(registry: &Registry, ctx: &Ctx, name: &str) -> Result<String, Error> {
    let (secret, text) = mails::link(&registry.people, "reset");
    let (ctx, hash, name) = (ctx.clone(), secret.hash(), name.to_owned());
    let insert = move |tx: &mut Tx<'_>| {
        let row = user(tx, &name)?;
        keep(tx, &ctx, &row, hash)
    };
    registry.db.write(insert).await?;
    Ok(text)
}

/// The user of a link, while it holds.
fn opened(tx: &mut Tx<'_>, kind: &'static str, hash: [u8; 32], now: i64) -> Result<(LinkRow, UserRow), Error> {
    let link = links::find(tx, kind, hash, now)?.ok_or(AccountError::Link)?;
    let row = rows::by_id(tx, link.user_id)?.filter(UserRow::is_active);
    let row = row.filter(|row| row.password_version == link.password_version).ok_or(AccountError::Link)?;
    Ok((link, row))
}

/// Whose password a link is about, while it holds; looking uses nothing up.
pub async fn of_reset(registry: &Registry, ctx: &Ctx, secret: &str) -> Result<String, Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    registry.db.read(move |tx| Ok::<_, Error>(opened(tx, "reset", hash, now)?.1.name)).await
}

/// Whose address a link changes, and to which, while it holds; looking uses nothing up.
pub async fn of_email(registry: &Registry, ctx: &Ctx, secret: &str) -> Result<(String, String), Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let (link, row) = opened(tx, "email", hash, now)?;
        Ok::<_, Error>((row.name, link.email.ok_or(AccountError::Link)?))
    };
    registry.db.read(find).await
}

/// Chooses another password by a link; what the earlier one proved proves nothing any more. Returns the user's name.
pub async fn complete(registry: &Registry, ctx: &Ctx, secret: &str, given: String) -> Result<String, Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let (_, row) = opened(tx, "reset", hash, now)?;
        let (tag, _) = rows::mail_facts(tx, row.id)?;
        Ok::<_, Error>((row, tag))
    };
    let (row, tag) = registry.db.read(find).await?;
    password::check(&given, &row.name, row.email.as_deref()).map_err(AccountError::from)?;
    let hashed = sign_up::hash(registry, given).await?;
    let letter = Letter::PasswordChanged { name: row.name.clone() };
    let note = match &row.email {
        Some(email) => mails::seal(registry, email, language(tag.as_deref()), letter)?,
        None => None,
    };
    let ctx = ctx.clone();
    let change = move |tx: &mut Tx<'_>| {
        let (_, row) = opened(tx, "reset", hash, ctx.now)?;
        // Of two who follow it at once, one finds it gone.
        if !links::delete(tx, hash)? {
            return Err(AccountError::Link.into());
        }
        let version = rows::set_password(tx, row.id, &hashed, ctx.now)?;
        sessions::end_others(tx, &ctx, row.id, Some(version))?;
        links::delete_of(tx, row.id)?;
        mails::queue(tx, note.as_ref(), ctx.now)?;
        changed(tx, &ctx, "user.password", &json!({ "user": row.public_id, "by": "link" }))?;
        Ok::<_, Error>(row.name)
    };
    registry.db.write(change).await
}

/// Begins the change of a user's e-mail address: a link goes to the new one. Whether somebody else has it is not told. Whose
/// mails come to the new one gets another password by them, so that it takes as much as to change the second factor.
pub async fn change_email(registry: &Registry, ctx: &Ctx, name: &str, email: &str) -> Result<(), Error> {
    let email = users::email(email)?;
    if !registry.people.mail {
        return Err(AccountError::NotOffered("an address is shown to be yours by mail, and none are sent here").into());
    }
    let owned = name.to_owned();
    let find = move |tx: &mut Tx<'_>| {
        let row = user(tx, &owned)?;
        let (tag, _) = rows::mail_facts(tx, row.id)?;
        Ok::<_, Error>((row, tag))
    };
    let (row, tag) = registry.db.read(find).await?;
    sessions::refuse_to_reopen(registry, ctx, &row).await?;
    registry.access.count_request(ctx, name)?;
    let (secret, link) = mails::link(&registry.people, "confirm-email");
    let letter = Letter::VerifyEmail { name: row.name.clone(), link };
    let mail = mails::seal(registry, &email, language(tag.as_deref()), letter)?;
    let (ctx, hash) = (ctx.clone(), secret.hash());
    let insert = move |tx: &mut Tx<'_>| {
        still_may(tx, &ctx)?;
        let link = LinkRow { user_id: row.id, email: Some(email.clone()), password_version: row.password_version };
        links::replace(tx, "email", &link, hash, ctx.now, ctx.now.saturating_add(EMAIL_HOLDS))?;
        mails::queue(tx, mail.as_ref(), ctx.now)?;
        Ok::<_, Error>(())
    };
    registry.db.write(insert).await
}

/// Ends the change of an address by the link that was sent there; a note goes to the old one. Returns the user's name.
pub async fn confirm_email(registry: &Registry, ctx: &Ctx, secret: &str) -> Result<String, Error> {
    let (hash, now) = (mails::read(secret)?, ctx.now);
    let find = move |tx: &mut Tx<'_>| {
        let (_, row) = opened(tx, "email", hash, now)?;
        let (tag, _) = rows::mail_facts(tx, row.id)?;
        Ok::<_, Error>((row, tag))
    };
    let (row, tag) = registry.db.read(find).await?;
    let note = match &row.email {
        Some(old) => {
            mails::seal(registry, old, language(tag.as_deref()), Letter::EmailChanged { name: row.name.clone() })?
        }
        None => None,
    };
    let ctx = ctx.clone();
    let change = move |tx: &mut Tx<'_>| {
        let (link, row) = opened(tx, "email", hash, ctx.now)?;
        let email = link.email.ok_or(AccountError::Link)?;
        if !links::delete(tx, hash)? || rows::email_is_taken(tx, &email)? {
            return Err(AccountError::Link.into());
        }
        if let Some(old) = &row.email {
            // What was on its way to the old address would open the account there: links of a reset among it.
            links::delete_of(tx, row.id)?;
            outbox::delete_to(tx, old)?;
        }
        rows::set_email(tx, row.id, &email, ctx.now)?;
        mails::queue(tx, note.as_ref(), ctx.now)?;
        changed(tx, &ctx, "user.email", &json!({ "user": row.public_id }))?;
        Ok::<_, Error>(row.name)
    };
    registry.db.write(change).await
}
