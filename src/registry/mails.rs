//! Mails: queued in the transaction of the change they tell of, and sent after it.
//!
//! A mail is sent at least once: who sends it takes its row for a while, and removes the row afterwards. If the process
//! ends in between, the mail is sent again.

use std::sync::Arc;

use crate::auth::seal::random;
use crate::auth::{Secret, SecretKind};
use crate::db::users::{self, UserRow};
use crate::db::{self, Tx, invitations, links, outbox, sign_ups};
use crate::mail::{Envelope, FactorNews, Language, Letter};
use crate::registry::access::Access;
use crate::registry::{Ctx, Error, People, Registry};

/// For what mails are sealed.
const PURPOSE: &str = "mail";
/// How long who took a mail has to send it, in microseconds.
const TAKEN: i64 = 5 * 60 * 1_000_000;
/// Times that a mail is tried.
const ATTEMPTS: i64 = 8;
/// The wait after the first failure, in microseconds; it doubles, and doubles again, with each further one.
const FIRST_WAIT: i64 = 15 * 1_000_000;

/// A new link: its secret, and what it looks like.
pub(super) fn link(people: &People, path: &str) -> (Secret, String) {
    let secret = Secret::new(SecretKind::Link, random());
    let text = format!("{}/-/account/{path}?token={}", people.base, secret.reveal());
    (secret, text)
}

/// Reads the secret of a link.
pub(super) fn read(text: &str) -> Result<[u8; 32], Error> {
    let secret = Secret::parse(text).filter(|secret| secret.kind() == SecretKind::Link);
    Ok(secret.ok_or(super::accounts::AccountError::Link)?.hash())
}

/// A mail that is ready to be queued.
#[derive(Clone)]
pub(super) struct Sealed {
    to: String,
    bytes: Vec<u8>,
}

/// Seals a mail; nothing where no mails are sent.
pub(super) fn seal(registry: &Registry, to: &str, language: Language, letter: Letter) -> Result<Option<Sealed>, Error> {
    seal_with(&registry.access, &registry.people, to, language, letter)
}

/// As [`seal`], for what goes on after the answer.
pub(super) fn seal_with(
    access: &Access,
    people: &People,
    to: &str,
    language: Language,
    letter: Letter,
) -> Result<Option<Sealed>, Error> {
    if !people.mail {
        return Ok(None);
    }
    let envelope = Envelope { to: to.to_owned(), language, host: people.host.clone(), letter };
    let text = serde_json::to_vec(&envelope).map_err(|error| db::Error::new(db::Kind::Internal, error.to_string()))?;
    Ok(Some(Sealed { to: to.to_owned(), bytes: access.master()?.seal(PURPOSE, &text) }))
}

/// Has a mail sent once this transaction is committed.
pub(super) fn queue(tx: &mut Tx<'_>, mail: Option<&Sealed>, now: i64) -> Result<(), db::Error> {
    mail.map_or(Ok(()), |mail| outbox::insert(tx, &mail.to, mail.bytes.clone(), now))
}

/// What tells users of changes to their account, in the transaction of the change.
#[derive(Clone)]
pub(super) struct Notes {
    /// With what mails are sealed.
    pub(super) access: Arc<Access>,
    people: People,
}

impl Notes {
    pub(super) fn of(registry: &Registry) -> Self {
        Self { access: Arc::clone(&registry.access), people: registry.people.clone() }
    }

    /// Has a user told, who has an address, what happened to the second factor, where mails are sent. A command that has no
    /// key tells nobody, and yet does what it was asked for.
    pub(super) fn tell(&self, tx: &mut Tx<'_>, user: &UserRow, news: FactorNews, now: i64) -> Result<(), Error> {
        let Some(email) = user.email.as_deref().filter(|_| self.people.mail && self.access.master().is_ok()) else {
            return Ok(());
        };
        let (tag, _) = users::mail_facts(tx, user.id)?;
        let language = Language::of(tag.as_deref().unwrap_or_default());
        let letter = Letter::SecondFactor { name: user.name.clone(), news };
        let mail = seal_with(&self.access, &self.people, email, language, letter)?;
        Ok(queue(tx, mail.as_ref(), now)?)
    }
}

/// Tells a user that many codes were wrong. That it cannot be told does not change the answer.
pub(super) async fn warn_of_wrong_codes(registry: &Registry, ctx: &Ctx, user: &UserRow) {
    let (notes, user, now) = (Notes::of(registry), user.clone(), ctx.now);
    let tell = move |tx: &mut Tx<'_>| notes.tell(tx, &user, FactorNews::WrongCodes, now);
    if let Err(error) = registry.db.write(tell).await {
        tracing::warn!(%error, "cannot tell a user of wrong codes");
    }
}

/// A mail that was taken to be sent.
pub struct Due {
    id: i64,
    attempts: i64,
    /// The mail.
    pub envelope: Envelope,
}

/// Takes the mail that is due first, for five minutes.
pub async fn take(registry: &Registry, ctx: &Ctx) -> Result<Option<Due>, Error> {
    let now = ctx.now;
    loop {
        let taken = registry.db.write(move |tx| outbox::take(tx, now, now.saturating_add(TAKEN))).await?;
        let Some(row) = taken else { return Ok(None) };
        let opened = registry.access.master()?.open(PURPOSE, &row.sealed).ok();
        let envelope = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(envelope) = envelope {
            return Ok(Some(Due { id: row.id, attempts: row.attempts, envelope }));
        }
        tracing::warn!(mail = row.id, "a mail cannot be opened with this master key and is dropped");
        registry.db.write(move |tx| outbox::delete(tx, row.id)).await?;
    }
}

/// Removes a mail that was sent.
pub async fn sent(registry: &Registry, due: &Due) -> Result<(), Error> {
    let id = due.id;
    Ok(registry.db.write(move |tx| outbox::delete(tx, id)).await?)
}

/// Has a mail tried again later, or gives it up; tells whether it was given up.
pub async fn failed(registry: &Registry, ctx: &Ctx, due: &Due, for_good: bool) -> Result<bool, Error> {
    let (id, attempts, now) = (due.id, due.attempts, ctx.now);
    if for_good || attempts >= ATTEMPTS {
        registry.db.write(move |tx| outbox::delete(tx, id)).await?;
        return Ok(true);
    }
    let wait = FIRST_WAIT << (2 * attempts.clamp(1, ATTEMPTS) - 2);
    registry.db.write(move |tx| outbox::postpone(tx, id, now.saturating_add(wait))).await?;
    Ok(false)
}

/// Forgets sign-ups, invitations and links that have expired.
pub async fn expire(registry: &Registry, ctx: &Ctx) -> Result<(), Error> {
    let now = ctx.now;
    let expire = move |tx: &mut Tx<'_>| {
        sign_ups::expire(tx, now)?;
        invitations::expire(tx, now)?;
        links::expire(tx, now)
    };
    Ok(registry.db.write_soft(expire).await?)
}
