//! Certificates that nodes share: which is kept, who renews it and when, and what is answered to an authority that asks
//! whether a domain is ours.

use std::sync::Arc;
use std::time::Duration;

use super::{Ctx, Error, Event, Registry};
use crate::auth::seal::MasterKey;
use crate::config;
use crate::db::certificates::{self, CertificateRow, OrderRow};
use crate::db::{self, Tx};

/// How long a node may take for one order before another one takes it over.
pub const LEASE: Duration = Duration::from_mins(5);
/// How long an authority may take to ask for the answer to a challenge.
const CHALLENGE_LIFETIME: Duration = Duration::from_mins(15);
/// How long after the first failure an order is tried again; four times as long after each further one. Let's Encrypt
/// allows five failures an hour.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_hours(6);
/// How long after a success nobody asks again, at most: a clock that is wrong, or an authority whose certificates are as
/// good as over, must not have us ask without pause.
const LONGEST_REST: Duration = Duration::from_hours(1);
/// What part of a certificate's lifetime that is, at most.
const RESTS_IN_LIFETIME: i64 = 10;
/// What is told of an order that nobody ended.
const CUT_OFF: &str = "the server ended in the middle of the order, more than once; its log may tell why";

/// How a domain is shown to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A file, fetched over plain HTTP from port 80 (RFC 8555, 8.3).
    Http,
    /// A certificate, shown in a handshake on port 443 (RFC 8737).
    TlsAlpn,
}

impl Proof {
    /// The name of the challenge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
        }
    }
}

/// A certificate with its private key. Not `Debug`: the key is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, PEM, the server's own certificate first.
    pub chain: String,
    /// The private key, PEM.
    pub key: String,
    /// From when on it holds.
    pub not_before: i64,
    /// Until when it holds.
    pub not_after: i64,
}

/// A certificate that is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// The certificate.
    pub certificate: Certificate,
    /// When it was kept, which tells it from the one before.
    pub issued_at: i64,
}

/// What there is of a certificate, for who looks after the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Until when the certificate holds; nothing where there is none yet.
    pub not_after: Option<i64>,
    /// How often it could not be obtained or renewed, since that last succeeded.
    pub failures: u32,
    /// When that is tried again at the earliest; nothing where it is not due.
    pub next_at: Option<i64>,
    /// Why it failed last.
    pub error: Option<String>,
    /// Whether somebody asked for it to be renewed, due or not.
    pub asked: bool,
}

/// An order that this node may carry out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    /// How often it failed before.
    pub failures: u32,
    /// When the certificate was kept that is to be replaced.
    replaces: Option<i64>,
    /// From when on the order could be tried, as the row had it.
    next_at: i64,
}

/// When a certificate is renewed: a third of its lifetime before it ends.
#[must_use]
pub fn renew_at(not_before: i64, not_after: i64) -> i64 {
    not_after - (not_after - not_before).max(0) / 3
}

/// How long to wait after `failures` tries that failed, before anything is added so that nodes do not march in step.
#[must_use]
pub fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(4_u32.saturating_pow(failures.min(8))).min(LONGEST_WAIT)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn key_purpose(directory: &str, domain: &str) -> String {
    format!("certificate of {domain} by {directory}")
}

fn account_purpose(directory: &str) -> String {
    format!("acme account at {directory}")
}

/// Finds the certificate that an authority gave for a domain.
pub async fn find(registry: &Registry, directory: &str, domain: &str) -> Result<Option<Kept>, Error> {
    let (by, of) = (directory.to_owned(), domain.to_owned());
    let Some(row) = registry.db.read(move |tx| certificates::find(tx, &by, &of)).await? else { return Ok(None) };
    let issued_at = row.issued_at;
    Ok(Some(Kept { certificate: opened(registry.access.master()?, directory, domain, row)?, issued_at }))
}

/// Finds the newest certificate of a domain that another authority gave and that still holds. One of an authority for
/// trying out is none: nobody trusts it.
pub async fn of_another(
    registry: &Registry,
    now: i64,
    directory: &str,
    domain: &str,
) -> Result<Option<Certificate>, Error> {
    let (by, of) = (directory.to_owned(), domain.to_owned());
    let others = registry.db.scan(move |tx| certificates::of_others(tx, &by, &of, now)).await?;
    let master = registry.access.master()?;
    let mut trusted = others.into_iter().filter(|(_, by)| !config::is_for_trials(by));
    // One that another master key sealed is of no use, and no reason to stop.
    Ok(trusted.find_map(|(row, by)| opened(master, &by, domain, row).ok()))
}

fn opened(master: &MasterKey, directory: &str, domain: &str, row: CertificateRow) -> Result<Certificate, Error> {
    let key = open_text(master, &key_purpose(directory, domain), &row.sealed_key)?;
    Ok(Certificate { chain: row.chain, key, not_before: row.not_before, not_after: row.not_after })
}

/// Tells how a certificate is doing.
pub async fn status(registry: &Registry, directory: &str, domain: &str) -> Result<Status, Error> {
    let (by, of) = (directory.to_owned(), domain.to_owned());
    let look = move |tx: &mut Tx<'_>| {
        Ok::<_, db::Error>((certificates::find(tx, &by, &of)?, certificates::order(tx, &by, &of)?))
    };
    let (kept, order) = registry.db.read(look).await?;
    let order = order.unwrap_or_default();
    Ok(Status {
        not_after: kept.map(|kept| kept.not_after),
        failures: counted(order.failures),
        next_at: (order.failures > 0 || order.next_at < 0).then(|| order.next_at.saturating_abs()),
        error: order.error,
        asked: order.next_at < 0,
    })
}

fn counted(failures: i64) -> u32 {
    u32::try_from(failures).unwrap_or(u32::MAX)
}

fn open_text(master: &MasterKey, purpose: &str, sealed: &[u8]) -> Result<String, Error> {
    let opened = master.open(purpose, sealed).map_err(|_| Error::MasterKey)?;
    String::from_utf8(opened).map_err(|_| Error::MasterKey)
}

/// Takes the order of a certificate that is due, or that somebody asked for, unless another node has it or it is too early
/// to try again. A certificate that was kept at `unusable` counts as none.
///
/// An order that was taken and never ended was cut off by a crash, maybe by what the order itself does. It is gone on with
/// once; from the second time on it waits like any other failure.
pub async fn claim(
    registry: &Registry,
    now: i64,
    directory: &str,
    domain: &str,
    unusable: Option<i64>,
) -> Result<Option<Claim>, Error> {
    // Read first: a write waits for the disk, and most looks find nothing to do.
    let (by, of, node) = (directory.to_owned(), domain.to_owned(), Arc::clone(&registry.node));
    let look = move |tx: &mut Tx<'_>| {
        let order = certificates::order(tx, &by, &of)?.unwrap_or_default();
        Ok::<_, db::Error>(due(tx, &order, (&by, &of), &node, now, unusable)?.is_some())
    };
    if !registry.db.read(look).await? {
        return Ok(None);
    }
    let (by, of, node) = (directory.to_owned(), domain.to_owned(), Arc::clone(&registry.node));
    let take = move |tx: &mut Tx<'_>| {
        // Looked at again under the lock: another node may have renewed it since we saw that it is due.
        let order = certificates::lock_order(tx, &by, &of)?;
        let Some(mut claim) = due(tx, &order, (&by, &of), &node, now, unusable)? else { return Ok(None) };
        let until = now.saturating_add(micros(LEASE));
        if order.holder.is_some() && claim.failures > 0 {
            certificates::take(tx, (&by, &of), &node, until, order.failures)?;
            let next_at = claim.again_at(now, wait_after(claim.failures));
            certificates::postpone(tx, (&by, &of), &node, (claim.next_at, next_at), CUT_OFF)?;
            return Ok(None);
        }
        if order.holder.is_some() {
            claim.failures = 1;
        }
        certificates::take(tx, (&by, &of), &node, until, claim.failures.into())?;
        Ok::<_, db::Error>(Some(claim))
    };
    Ok(registry.db.write(take).await?)
}

/// What `node` may order now, if anything.
fn due(
    tx: &mut Tx<'_>,
    order: &OrderRow,
    (directory, domain): (&str, &str),
    node: &str,
    now: i64,
    unusable: Option<i64>,
) -> Result<Option<Claim>, db::Error> {
    let elsewhere = order.holder.as_deref().is_some_and(|holder| holder != node) && now < order.lease_until;
    if elsewhere || now < order.next_at.saturating_abs() {
        return Ok(None);
    }
    let kept = certificates::find(tx, directory, domain)?;
    let good = kept.as_ref().filter(|kept| Some(kept.issued_at) != unusable);
    let fresh = good.is_some_and(|good| now < renew_at(good.not_before, good.not_after));
    let asked = order.next_at < 0;
    let claim = Claim {
        failures: counted(order.failures),
        replaces: kept.as_ref().map(|kept| kept.issued_at),
        next_at: order.next_at,
    };
    Ok((asked || !fresh).then_some(claim))
}

impl Claim {
    /// When the order may be tried again after a failure, as the row has it: what was asked for stays asked for.
    fn again_at(self, now: i64, wait: Duration) -> i64 {
        let at = now.saturating_add(micros(wait));
        if self.next_at < 0 { at.saturating_neg() } else { at }
    }
}

/// Has a certificate obtained as soon as possible: before it is due, and without waiting until it may be tried again.
/// Tells whether any server ever asked for it: where none did, none would.
pub async fn renew(registry: &Registry, ctx: &Ctx, directory: &str, domain: &str) -> Result<bool, Error> {
    let (by, of, ctx) = (directory.to_owned(), domain.to_owned(), ctx.clone());
    let renew = move |tx: &mut Tx<'_>| {
        if !certificates::force(tx, &by, &of, ctx.now)? {
            return Ok(false);
        }
        let detail = serde_json::json!({ "domain": of, "directory": by }).to_string();
        ctx.record(tx, &Event { kind: "certificate.renew", detail: Some(detail), ..Event::default() })?;
        Ok::<_, db::Error>(true)
    };
    Ok(registry.db.write(renew).await?)
}

/// Keeps a certificate that an authority gave, for all nodes.
///
/// It may come late, when the node that obtained it could not keep it at once. What another one kept meanwhile is only
/// replaced by a certificate that holds longer.
pub async fn keep(
    registry: &Registry,
    ctx: &Ctx,
    directory: &str,
    domain: &str,
    claim: Claim,
    new: Certificate,
) -> Result<(), Error> {
    let sealed_key = registry.access.master()?.seal(&key_purpose(directory, domain), new.key.as_bytes());
    let (chain, not_before, not_after) = (new.chain, new.not_before, new.not_after);
    let row = CertificateRow { chain, sealed_key, not_before, not_after, issued_at: ctx.now };
    let rest = (not_after.saturating_sub(not_before) / RESTS_IN_LIFETIME).clamp(0, micros(LONGEST_REST));
    let (by, of, node) = (directory.to_owned(), domain.to_owned(), Arc::clone(&registry.node));
    let ctx = ctx.clone();
    let keep = move |tx: &mut Tx<'_>| {
        certificates::lock_order(tx, &by, &of)?;
        let kept = certificates::find(tx, &by, &of)?;
        if kept.is_none_or(|kept| Some(kept.issued_at) == claim.replaces || kept.not_after <= row.not_after) {
            certificates::put(tx, &by, &of, &row)?;
        }
        if certificates::release(tx, (&by, &of), &node, ctx.now.saturating_add(rest))? {
            certificates::delete_challenges(tx, &of, ctx.now)?;
        }
        let detail = serde_json::json!({ "domain": of, "directory": by, "not_after": row.not_after }).to_string();
        let event = Event { kind: "certificate.issue", detail: Some(detail), ..Event::default() };
        ctx.record(tx, &event)?;
        Ok::<_, db::Error>(())
    };
    Ok(registry.db.write(keep).await?)
}

/// Notes that an order failed, if this node still has it. Nobody tries again before `wait` is over; the certificate that is
/// kept stays.
pub async fn postpone(
    registry: &Registry,
    now: i64,
    directory: &str,
    domain: &str,
    claim: Claim,
    wait: Duration,
    why: &str,
) -> Result<(), Error> {
    let (by, of, why) = (directory.to_owned(), domain.to_owned(), why.to_owned());
    let (node, next_at) = (Arc::clone(&registry.node), claim.again_at(now, wait));
    let postpone = move |tx: &mut Tx<'_>| {
        if certificates::postpone(tx, (&by, &of), &node, (claim.next_at, next_at), &why)? {
            certificates::delete_challenges(tx, &of, now)?;
        }
        Ok::<_, db::Error>(())
    };
    Ok(registry.db.write(postpone).await?)
}

/// Notes what an authority is about to ask for, so that whichever node it reaches has the answer. What it was to ask before
/// is over.
pub async fn expect(
    registry: &Registry,
    now: i64,
    domain: &str,
    (proof, token): (Proof, &str),
    key_authorization: &str,
) -> Result<(), Error> {
    let (of, token, answer) = (domain.to_owned(), token.to_owned(), key_authorization.to_owned());
    let expires_at = now.saturating_add(micros(CHALLENGE_LIFETIME));
    let expect =
        move |tx: &mut Tx<'_>| certificates::put_challenge(tx, (&token, proof.as_str()), &of, &answer, expires_at);
    Ok(registry.db.write(expect).await?)
}

/// Finds what is answered to an authority that asks for `token` over HTTP.
pub async fn answer_over_http(registry: &Registry, now: i64, token: &str) -> Result<Option<String>, Error> {
    let token = token.to_owned();
    Ok(registry.db.read(move |tx| certificates::by_token(tx, &token, Proof::Http.as_str(), now)).await?)
}

/// Finds what is answered to an authority that asks for `domain` in a TLS handshake.
pub async fn answer_over_tls(registry: &Registry, now: i64, domain: &str) -> Result<Option<String>, Error> {
    let domain = domain.to_owned();
    Ok(registry.db.read(move |tx| certificates::by_domain(tx, &domain, Proof::TlsAlpn.as_str(), now)).await?)
}

/// Finds the account at an authority, as it was kept.
pub async fn account(registry: &Registry, directory: &str) -> Result<Option<String>, Error> {
    let by = directory.to_owned();
    let Some(sealed) = registry.db.read(move |tx| certificates::account(tx, &by)).await? else { return Ok(None) };
    open_text(registry.access.master()?, &account_purpose(directory), &sealed).map(Some)
}

/// Keeps an account, unless another node has kept one already; returns the one that is kept.
pub async fn keep_account(registry: &Registry, now: i64, directory: &str, account: &str) -> Result<String, Error> {
    let master = registry.access.master()?;
    let sealed = master.seal(&account_purpose(directory), account.as_bytes());
    let by = directory.to_owned();
    let keep = move |tx: &mut Tx<'_>| {
        certificates::put_account(tx, &by, sealed.clone(), now)?;
        certificates::account(tx, &by)
    };
    let kept = registry.db.write::<_, db::Error, _>(keep).await?.ok_or(Error::MasterKey)?;
    open_text(master, &account_purpose(directory), &kept)
}

/// Forgets an account that its authority does not know any more, unless another one is kept meanwhile.
pub async fn forget_account(registry: &Registry, directory: &str, account: &str) -> Result<(), Error> {
    let (by, account, access) = (directory.to_owned(), account.to_owned(), Arc::clone(&registry.access));
    let forget = move |tx: &mut Tx<'_>| {
        let Some(sealed) = certificates::account(tx, &by)? else { return Ok(()) };
        if open_text(access.master()?, &account_purpose(&by), &sealed)? == account {
            certificates::delete_account(tx, &by)?;
        }
        Ok::<_, Error>(())
    };
    registry.db.write(forget).await
}

/// What a master key that was lost has sealed: certificates, by authority and domain, and accounts, by authority.
#[derive(Clone)]
pub(super) struct Lost {
    certificates: Vec<(String, String)>,
    accounts: Vec<String>,
}

/// Finds what is kept and cannot be opened with `master`.
pub(super) async fn lost(registry: &Registry, master: &MasterKey) -> Result<Lost, Error> {
    let look = |tx: &mut Tx<'_>| Ok::<_, db::Error>((certificates::sealed_keys(tx)?, certificates::accounts(tx)?));
    let (keys, accounts) = registry.db.scan(look).await?;
    let keys = keys.into_iter().filter(|(by, of, sealed)| master.open(&key_purpose(by, of), sealed).is_err());
    let accounts = accounts.into_iter().filter(|(by, sealed)| master.open(&account_purpose(by), sealed).is_err());
    Ok(Lost {
        certificates: keys.map(|(by, of, _)| (by, of)).collect(),
        accounts: accounts.map(|(by, _)| by).collect(),
    })
}

/// Forgets what was lost, so that it is asked for anew.
pub(super) fn forget(tx: &mut Tx<'_>, lost: &Lost) -> Result<(), db::Error> {
    lost.certificates.iter().try_for_each(|(by, of)| certificates::delete(tx, by, of))?;
    lost.accounts.iter().try_for_each(|by| certificates::delete_account(tx, by))
}
