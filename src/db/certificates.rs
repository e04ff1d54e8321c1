//! Certificates that ACME gave, the accounts they were asked for with, and what authorities are about to ask.

use super::{Error, Row, Tx};

/// A certificate, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRow {
    /// The chain, PEM, the server's own certificate first.
    pub chain: String,
    /// Its private key, sealed.
    pub sealed_key: Vec<u8>,
    /// From when on it holds.
    pub not_before: i64,
    /// Until when it holds.
    pub not_after: i64,
    /// When it was kept, which tells it from the one before.
    pub issued_at: i64,
}

fn certificate(mut row: Row) -> Result<CertificateRow, Error> {
    Ok(CertificateRow {
        chain: row.text(0)?,
        sealed_key: row.bytes(1)?,
        not_before: row.int(2)?,
        not_after: row.int(3)?,
        issued_at: row.int(4)?,
    })
}

/// Finds the certificate that an authority gave for a domain.
pub fn find(tx: &mut Tx<'_>, directory: &str, domain: &str) -> Result<Option<CertificateRow>, Error> {
    let row = tx.first(
        "SELECT chain, sealed_key, not_before, not_after, issued_at FROM acme_certificates \
         WHERE directory = $1 AND domain = $2",
        &[directory.into(), domain.into()],
    )?;
    row.map(certificate).transpose()
}

/// Lists the certificates that other authorities gave for a domain and that hold beyond `now`, the newest first, with the
/// directory of each. They are few.
pub fn of_others(
    tx: &mut Tx<'_>,
    directory: &str,
    domain: &str,
    now: i64,
) -> Result<Vec<(CertificateRow, String)>, Error> {
    let rows = tx.query(
        "SELECT chain, sealed_key, not_before, not_after, issued_at, directory FROM acme_certificates \
         WHERE domain = $2 AND directory <> $1 AND not_after > $3 ORDER BY issued_at DESC",
        &[directory.into(), domain.into(), now.into()],
    )?;
    let found = |mut row: Row| {
        let directory = row.text(5)?;
        Ok((certificate(row)?, directory))
    };
    rows.into_iter().map(found).collect()
}

/// Keeps a certificate, in the place of the one before.
pub fn put(tx: &mut Tx<'_>, directory: &str, domain: &str, new: &CertificateRow) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO acme_certificates (directory, domain, chain, sealed_key, not_before, not_after, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (directory, domain) DO UPDATE SET chain = $3, \
         sealed_key = $4, not_before = $5, not_after = $6, issued_at = $7",
        &[
            directory.into(),
            domain.into(),
            new.chain.as_str().into(),
            new.sealed_key.clone().into(),
            new.not_before.into(),
            new.not_after.into(),
            new.issued_at.into(),
        ],
    )?;
    Ok(())
}

/// How many certificates and accounts are kept: what another master key could not open.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let certificates = tx.one("SELECT COUNT(*) FROM acme_certificates", &[])?.int(0)?;
    Ok(certificates + tx.one("SELECT COUNT(*) FROM acme_accounts", &[])?.int(0)?)
}

/// Lists the sealed keys of all certificates, with the authority and the domain of each. They are few.
pub fn sealed_keys(tx: &mut Tx<'_>) -> Result<Vec<(String, String, Vec<u8>)>, Error> {
    let rows = tx.query("SELECT directory, domain, sealed_key FROM acme_certificates", &[])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?, row.bytes(2)?))).collect()
}

/// Lists all accounts, sealed, with the authority of each. They are few.
pub fn accounts(tx: &mut Tx<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let rows = tx.query("SELECT directory, sealed FROM acme_accounts", &[])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.bytes(1)?))).collect()
}

/// Forgets a certificate; another one may be asked for at once.
pub fn delete(tx: &mut Tx<'_>, directory: &str, domain: &str) -> Result<(), Error> {
    let by = [directory.into(), domain.into()];
    tx.execute("DELETE FROM acme_certificates WHERE directory = $1 AND domain = $2", &by)?;
    tx.execute("UPDATE acme_orders SET next_at = 0 WHERE directory = $1 AND domain = $2", &by)?;
    Ok(())
}

/// Finds the account at an authority, sealed.
pub fn account(tx: &mut Tx<'_>, directory: &str) -> Result<Option<Vec<u8>>, Error> {
    let row = tx.first("SELECT sealed FROM acme_accounts WHERE directory = $1", &[directory.into()])?;
    row.map(|mut row| row.bytes(0)).transpose()
}

/// Keeps an account, unless there is one.
pub fn put_account(tx: &mut Tx<'_>, directory: &str, sealed: Vec<u8>, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO acme_accounts (directory, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[directory.into(), sealed.into(), now.into()],
    )?;
    Ok(())
}

/// Forgets an account.
pub fn delete_account(tx: &mut Tx<'_>, directory: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM acme_accounts WHERE directory = $1", &[directory.into()])?;
    Ok(())
}

/// What is known of the order for a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderRow {
    /// Who carries it out; nothing once that succeeded or failed.
    pub holder: Option<String>,
    /// Until when nobody else does.
    pub lease_until: i64,
    /// How often it failed since it last succeeded.
    pub failures: i64,
    /// Before when nobody tries again. Negated where a certificate is to be obtained then whether one is due or not.
    pub next_at: i64,
    /// Why it failed last.
    pub error: Option<String>,
}

fn order_row(mut row: Row) -> Result<OrderRow, Error> {
    Ok(OrderRow {
        holder: row.opt_text(0)?,
        lease_until: row.int(1)?,
        failures: row.int(2)?,
        next_at: row.int(3)?,
        error: row.opt_text(4)?,
    })
}

/// Finds what is known of the order for a domain.
pub fn order(tx: &mut Tx<'_>, directory: &str, domain: &str) -> Result<Option<OrderRow>, Error> {
    let row = tx.first(
        "SELECT holder, lease_until, failures, next_at, error FROM acme_orders WHERE directory = $1 AND domain = $2",
        &[directory.into(), domain.into()],
    )?;
    row.map(order_row).transpose()
}

/// The same, so that nobody else changes it before the transaction ends; made where there is none.
pub fn lock_order(tx: &mut Tx<'_>, directory: &str, domain: &str) -> Result<OrderRow, Error> {
    let of = [directory.into(), domain.into()];
    tx.execute(
        "INSERT INTO acme_orders (directory, domain, lease_until, failures, next_at) VALUES ($1, $2, 0, 0, 0) \
         ON CONFLICT DO NOTHING",
        &of,
    )?;
    let row = tx.one(
        "SELECT holder, lease_until, failures, next_at, error FROM acme_orders WHERE directory = $1 AND domain = $2 \
         FOR UPDATE",
        &of,
    )?;
    order_row(row)
}

/// Gives `holder` the lease on a domain's order until `until`, and notes how often the order failed.
pub fn take(
    tx: &mut Tx<'_>,
    (directory, domain): (&str, &str),
    holder: &str,
    until: i64,
    failures: i64,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE acme_orders SET holder = $3, lease_until = $4, failures = $5 WHERE directory = $1 AND domain = $2",
        &[directory.into(), domain.into(), holder.into(), until.into(), failures.into()],
    )?;
    Ok(())
}

/// Ends the lease of an order that succeeded, if `holder` has it; nobody asks again before `next_at`. Tells whether it had.
pub fn release(tx: &mut Tx<'_>, (directory, domain): (&str, &str), holder: &str, next_at: i64) -> Result<bool, Error> {
    let released = tx.execute(
        "UPDATE acme_orders SET holder = NULL, lease_until = 0, failures = 0, next_at = $4, error = NULL \
         WHERE directory = $1 AND domain = $2 AND holder = $3",
        &[directory.into(), domain.into(), holder.into(), next_at.into()],
    )?;
    Ok(released > 0)
}

/// Ends the lease of an order that failed, if `holder` has it; nobody tries again before `next_at`, unless that is not
/// `seen` any more, since somebody asked for it meanwhile. Tells whether it had.
pub fn postpone(
    tx: &mut Tx<'_>,
    (directory, domain): (&str, &str),
    holder: &str,
    (seen, next_at): (i64, i64),
    error: &str,
) -> Result<bool, Error> {
    let postponed = tx.execute(
        "UPDATE acme_orders SET holder = NULL, lease_until = 0, failures = failures + 1, error = $6, \
         next_at = CASE WHEN next_at = $4 THEN CAST($5 AS BIGINT) ELSE next_at END \
         WHERE directory = $1 AND domain = $2 AND holder = $3",
        &[directory.into(), domain.into(), holder.into(), seen.into(), next_at.into(), error.into()],
    )?;
    Ok(postponed > 0)
}

/// Has a certificate obtained from `now` on, whether one is due or not; tells whether anybody ever asked for one.
pub fn force(tx: &mut Tx<'_>, directory: &str, domain: &str, now: i64) -> Result<bool, Error> {
    let forced = tx.execute(
        "UPDATE acme_orders SET next_at = $3 WHERE directory = $1 AND domain = $2",
        &[directory.into(), domain.into(), now.saturating_neg().into()],
    )?;
    Ok(forced > 0)
}

/// Keeps what an authority is about to ask for, in the place of what it was to ask before.
pub fn put_challenge(
    tx: &mut Tx<'_>,
    (token, kind): (&str, &str),
    domain: &str,
    key_authorization: &str,
    expires_at: i64,
) -> Result<(), Error> {
    tx.execute("DELETE FROM acme_challenges WHERE domain = $1 AND kind = $2", &[domain.into(), kind.into()])?;
    tx.execute(
        "INSERT INTO acme_challenges (token, kind, domain, key_authorization, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (token, kind) DO UPDATE SET domain = $3, key_authorization = $4, expires_at = $5",
        &[token.into(), kind.into(), domain.into(), key_authorization.into(), expires_at.into()],
    )?;
    Ok(())
}

/// Finds the answer to a challenge by its token.
pub fn by_token(tx: &mut Tx<'_>, token: &str, kind: &str, now: i64) -> Result<Option<String>, Error> {
    let row = tx.first(
        "SELECT key_authorization FROM acme_challenges WHERE token = $1 AND kind = $2 AND expires_at > $3",
        &[token.into(), kind.into(), now.into()],
    )?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Finds the answer to the latest challenge for a domain.
pub fn by_domain(tx: &mut Tx<'_>, domain: &str, kind: &str, now: i64) -> Result<Option<String>, Error> {
    let row = tx.first(
        "SELECT key_authorization FROM acme_challenges WHERE domain = $1 AND kind = $2 AND expires_at > $3 \
         ORDER BY expires_at DESC LIMIT 1",
        &[domain.into(), kind.into(), now.into()],
    )?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Forgets the challenges for a domain, and those that are over.
pub fn delete_challenges(tx: &mut Tx<'_>, domain: &str, now: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM acme_challenges WHERE domain = $1", &[domain.into()])?;
    tx.execute("DELETE FROM acme_challenges WHERE expires_at <= $1", &[now.into()])?;
    Ok(())
}
