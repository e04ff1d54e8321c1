//! Access: who asks, what is known of them, and whether they may.
//!
//! Every request reads the epoch first. What was found out at the same epoch still holds; at another one, everything is
//! looked up anew: so a role that is taken, a token that is revoked or a user who is deactivated is refused at the next
//! request, on every node.

pub mod explain;
pub mod former;
mod issue;
mod keys;
pub mod manage;
pub(super) mod second_factor;
pub mod sessions;
mod sign_in;
mod standing;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use oci::RepositoryName;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

pub use issue::{Issued, issue, refresh};
pub use keys::{Replaced, load_keys, replace_keys};
pub use sign_in::{authenticate, authenticate_secret, check_password};
pub use standing::Who;

use super::context::{Held, Identity};
use super::{Ctx, Error, Registry};
use crate::auth::bearer::SigningKey;
use crate::auth::limit::Throttle;
use crate::auth::password::Memory;
use crate::auth::policy::{self, Decision};
use crate::auth::seal::MasterKey;
use crate::auth::{Permissions, Proof};
use crate::config;
use crate::db::access::Viewer;
use crate::db::{Tx, epoch};
use standing::Standing;

/// At most this many passwords are hashed at once: each takes 19 MiB and a core for a while.
const HASHES_AT_ONCE: usize = 2;
/// How long a password waits for its turn to be hashed before the client is told to come again.
const HASHING_QUEUE: Duration = Duration::from_secs(10);
/// How many tokens that were verified are remembered.
const TOKENS_REMEMBERED: usize = 4 * 1024;
/// How many decisions are remembered.
const STANDINGS_REMEMBERED: usize = 16 * 1024;

/// What access is decided with: the keys, and what may be remembered between requests.
pub struct Access {
    /// Whether anyone who reaches the server may do everything.
    pub open: bool,
    /// How long a token of `/token` holds.
    token_lifetime: Duration,
    /// The key under which secrets in the database are sealed.
    master: Option<MasterKey>,
    /// The keys under which tokens are signed, the newest first.
    keys: ArcSwap<Vec<SigningKey>>,
    /// When they were last read because a token named one that was not there, in microseconds since 1970.
    keys_sought: AtomicI64,
    /// Tokens that were verified, by their text.
    verified: Cache<Arc<str>, Arc<Proof>>,
    /// What was found out of a principal in a repository.
    standings: Cache<(Arc<str>, RepositoryName), Arc<Standing>>,
    passwords: Mutex<Memory>,
    throttle: Mutex<Throttle>,
    /// Counts what is asked for without an account: sign-ups, links by mail.
    requests: Mutex<Throttle>,
    /// Counts wrong codes of second factors.
    codes: Mutex<Throttle>,
    /// Counts wrong recovery codes, apart: who waits for what others guess still signs in with one.
    recovery_codes: Mutex<Throttle>,
    /// Whether every user has to have a second factor.
    requires_factor: bool,
    /// How long a session holds that nobody uses.
    session_idle: Duration,
    /// How long a session holds.
    session_lifetime: Duration,
    hashing: Semaphore,
    anonymous: Arc<Proof>,
}

impl Access {
    /// For a server that is open to anyone who reaches it.
    #[must_use]
    pub fn open() -> Self {
        Self::new(true, &config::Auth::default(), None)
    }

    /// For a server with accounts. Without a master key, no token can be signed: for commands beside a server.
    #[must_use]
    pub fn new(open: bool, settings: &config::Auth, master: Option<MasterKey>) -> Self {
        Self {
            open,
            token_lifetime: settings.token_lifetime,
            requires_factor: settings.require_second_factor,
            session_idle: settings.session_idle,
            session_lifetime: settings.session_lifetime,
            master,
            keys: ArcSwap::default(),
            keys_sought: AtomicI64::new(i64::MIN),
            verified: Cache::new(TOKENS_REMEMBERED),
            standings: Cache::new(STANDINGS_REMEMBERED),
            passwords: Mutex::default(),
            throttle: Mutex::default(),
            requests: Mutex::default(),
            codes: Mutex::new(Throttle::for_codes()),
            recovery_codes: Mutex::new(Throttle::for_recovery_codes()),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            anonymous: Arc::new(Proof::anonymous()),
        }
    }

    /// The proof of who has shown nothing.
    #[must_use]
    pub fn anonymous(&self) -> Arc<Proof> {
        Arc::clone(&self.anonymous)
    }

    /// Whether it is a user who lacks the second factor that everybody has to have.
    fn lacks_factor(&self, identity: &Identity) -> bool {
        self.requires_factor && standing::lacks_factor(identity)
    }

    /// The key under which secrets are sealed.
    pub(super) fn master(&self) -> Result<&MasterKey, Error> {
        self.master.as_ref().ok_or(Error::MasterKey)
    }

    /// Counts a request of somebody unknown about `subject`; who asks too often has to wait.
    pub(super) fn count_request(&self, ctx: &Ctx, subject: &str) -> Result<(), Error> {
        let mut requests = lock(&self.requests);
        if let Some(wait) = requests.wait(subject, ctx.address, ctx.now) {
            return Err(Denial::of(Why::Throttled(wait)).into());
        }
        requests.charge(subject, ctx.address, ctx.now);
        Ok(())
    }

    /// Waits for a turn to hash a password.
    pub(super) async fn hashing_turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        let turn = tokio::time::timeout(HASHING_QUEUE, self.hashing.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| Denial::of(Why::Throttled(HASHING_QUEUE)).into())
    }
}

/// A mutex whose contents are whole at any time, so that a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why somebody was refused. What there is to do about it depends on who asks for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub why: Why,
    /// The repository, as it was asked for; nothing where none was.
    pub repository: Option<RepositoryName>,
    /// What the action takes.
    pub needed: Permissions,
    /// The name of who asks, once it is proved.
    pub name: Option<Arc<str>>,
}

/// Why somebody was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody is signed in.
    SignIn,
    /// Name and password, or name and token, do not belong together.
    WrongCredentials,
    /// The `Authorization` header cannot be read.
    Malformed,
    /// The token has expired.
    Expired,
    /// What the token was made from was revoked, disabled or changed, or it was never one.
    Over,
    /// The credential does not reach that far.
    BeyondCredential,
    /// It may be seen, and no more.
    Forbidden,
    /// It may not be known whether there is such a repository.
    Hidden,
    /// The account has a second factor: its password alone opens nothing here, a token does.
    TokenInstead,
    /// Everybody has to have a second factor, and the user has none.
    FactorMissing,
    /// The namespace asks for a second factor, and the user, who would be let in with one, has none.
    FactorWanted,
    /// The code of the second factor was not shown yet.
    FactorPending,
    /// It takes a session in which password, and second factor, were shown a short while ago.
    ProveAgain,
    /// The registry is open to anyone, so that nobody's accounts can be managed.
    Open,
    /// Nothing may be changed at the moment: an administrator has set it so.
    ReadOnly,
    /// Too many attempts; this long from now another one is looked at.
    Throttled(Duration),
}

impl Denial {
    /// A refusal before anything was asked for.
    #[must_use]
    pub fn of(why: Why) -> Self {
        Self { why, repository: None, needed: Permissions::NONE, name: None }
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Self::Denied(Box::new(denial))
    }
}

/// Decides whether the caller may do what takes `needed` in a repository, by its canonical name, and writes into `ctx` who
/// the caller is.
pub async fn admit(
    registry: &Registry,
    ctx: &mut Ctx,
    proof: &Arc<Proof>,
    name: &RepositoryName,
    needed: Permissions,
) -> Result<(), Error> {
    if registry.access.open {
        return Ok(());
    }
    let Some(standing) = standing::of(registry, proof, name, ctx.now).await? else {
        return Err(Denial { repository: Some(name.clone()), needed, ..Denial::of(Why::Over) }.into());
    };
    ctx.identity = standing.identity.clone();
    ctx.credential = Some(Arc::new(Held {
        proof: Arc::clone(proof),
        reach: standing.reach,
        token: standing.token,
        epoch: standing.epoch,
        requires_factor: registry.access.requires_factor,
    }));
    if registry.access.lacks_factor(&standing.identity) {
        let who = standing.identity.name();
        return Err(Denial { repository: Some(name.clone()), needed, name: who, why: Why::FactorMissing }.into());
    }
    decide(&standing, proof, name, needed)?;
    refuse_read_only(registry, needed).map_err(|denial| Denial { repository: Some(name.clone()), ..denial }.into())
}

/// Refuses what changes something while nothing may be changed.
fn refuse_read_only(registry: &Registry, needed: Permissions) -> Result<(), Denial> {
    let looks = Permissions::READ | Permissions::ACTIVITY;
    match registry.instance.settings().read_only && !looks.contains(needed) {
        true => Err(Denial { needed, ..Denial::of(Why::ReadOnly) }),
        false => Ok(()),
    }
}

/// Decides once more, within the transaction that ends a long request: a right may have been taken away since it began.
/// That its token has expired meanwhile does not matter.
pub(super) fn admit_again(tx: &mut Tx<'_>, ctx: &Ctx, name: &RepositoryName, needed: Permissions) -> Result<(), Error> {
    let Some(held) = &ctx.credential else { return Ok(()) };
    let epoch = epoch::current(tx)?;
    let denial = |why| Denial { repository: Some(name.clone()), needed, ..Denial::of(why) };
    if epoch == held.epoch {
        return if sessions::is_there(tx, &held.proof)? { Ok(()) } else { Err(denial(Why::Over).into()) };
    }
    match standing::load(tx, &held.proof, name, epoch, ctx.now)? {
        Some((standing, _)) if held.requires_factor && standing::lacks_factor(&standing.identity) => {
            Err(Denial { name: standing.identity.name(), ..denial(Why::FactorMissing) }.into())
        }
        Some((standing, _)) => decide(&standing, &held.proof, name, needed),
        None => Err(denial(Why::Over).into()),
    }
}

fn decide(standing: &Standing, proof: &Proof, name: &RepositoryName, needed: Permissions) -> Result<(), Error> {
    let reach = standing.reach & proof.bound.on(name);
    let why = match policy::check(standing.signed_in, standing.rights, reach, needed) {
        Decision::Allow => return Ok(()),
        // Who would be let in with one is told so: that tells nothing which the role does not.
        _ if policy::check(standing.signed_in, standing.with_factor, reach, needed) == Decision::Allow => {
            Why::FactorWanted
        }
        Decision::SignIn => Why::SignIn,
        Decision::BeyondCredential => Why::BeyondCredential,
        Decision::Forbidden => Why::Forbidden,
        Decision::Hidden => Why::Hidden,
    };
    let (repository, name) = (Some(name.clone()), standing.identity.name());
    Err(Denial { why, repository, needed, name }.into())
}

/// Lets anyone through who has shown any token or credential, and writes into `ctx` who that is: for what belongs to no
/// repository. With `catalog`, the token must have been asked for it.
pub async fn admit_anybody(registry: &Registry, ctx: &mut Ctx, proof: &Arc<Proof>, catalog: bool) -> Result<(), Error> {
    if registry.access.open {
        return Ok(());
    }
    let needed = if catalog { Permissions::READ } else { Permissions::NONE };
    let denial = |why| Denial { needed, ..Denial::of(why) };
    // A token for nobody proves that the client speaks the protocol; nothing at all does not.
    if proof.is_anonymous() && proof.bound == crate::auth::scope::Bound::Unbounded {
        return Err(denial(Why::SignIn).into());
    }
    let Some(who) = standing::who(registry, proof, ctx.now).await? else {
        return Err(denial(Why::Over).into());
    };
    if registry.access.lacks_factor(&who.identity) {
        return Err(Denial { name: who.identity.name(), ..denial(Why::FactorMissing) }.into());
    }
    if catalog && !(proof.bound.on_catalog() & who.reach).contains(Permissions::READ) {
        return Err(Denial { name: who.identity.name(), ..denial(Why::BeyondCredential) }.into());
    }
    ctx.identity = who.identity;
    let requires_factor = registry.access.requires_factor;
    let (reach, token) = (who.reach, who.token);
    ctx.credential = Some(Arc::new(Held { proof: Arc::clone(proof), reach, token, epoch: 0, requires_factor }));
    Ok(())
}

impl Registry {
    /// Whose eyes a list is for.
    #[must_use]
    pub fn viewer(&self, ctx: &Ctx) -> Viewer {
        if self.access.open { Viewer::ALL } else { ctx.viewer() }
    }
}
