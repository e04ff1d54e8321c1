//! Certificates that the server obtains by itself: presented to clients, renewed in time, shared with other nodes.

mod client;
mod failure;
mod order;
mod questions;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use questions::Questions;

use super::App;
use crate::auth::seal::random;
use crate::clock;
use crate::config::ChallengeChoice;
use crate::pki::{self, Certificates, PkiError};
use crate::registry::certificates::{self, Certificate, Claim, Proof};
use crate::registry::{Ctx, Error};
use failure::Failure;

/// How often it is looked whether a certificate is due, or another node has renewed it.
const EVERY: Duration = Duration::from_secs(2);
/// The longest pause after a look that failed.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How long an order may take. Less than the lease on it, so that two nodes never ask at once.
const ORDER_TIME: Duration = Duration::from_mins(4);
/// How many orders are under way at once: a first start with many domains is one client to the authority.
const ORDERS: usize = 4;

/// Why certificates cannot be looked after.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The registry cannot tell what is kept.
    #[error(transparent)]
    Registry(#[from] Error),
    /// A certificate cannot be made or used.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// What was obtained cannot be kept.
    #[error("a certificate was obtained and cannot be kept yet: {0}")]
    Unsaved(#[source] Error),
    /// The program panicked.
    #[error("a fault of the program, please report it: {0}")]
    Fault(String),
}

/// The certificates of the configured domains.
pub struct Acme {
    app: Arc<App>,
    /// The authority's directory: what it gave is kept under its name.
    directory: String,
    domains: Vec<String>,
    /// What is presented for a domain that has no certificate yet.
    stand_in: Arc<CertifiedKey>,
    held: ArcSwap<HashMap<String, Held>>,
    /// What was obtained and could not be kept yet, by domain. One that is lost has to be asked for again, and authorities
    /// give few of the same.
    unsaved: Mutex<HashMap<String, Unsaved>>,
    /// Taken while an account is made, so that two domains do not make two.
    account: tokio::sync::Mutex<()>,
    orders: Semaphore,
    questions: Questions,
}

/// A certificate that is presented.
#[derive(Clone)]
struct Held {
    chain: Arc<str>,
    pair: Arc<CertifiedKey>,
}

/// A certificate that is not kept yet, and the order that it comes from.
#[derive(Clone)]
struct Unsaved {
    claim: Claim,
    certificate: Certificate,
}

/// What is kept and cannot be used.
struct Unusable {
    issued_at: i64,
    error: PkiError,
}

impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acme").field("domains", &self.domains).finish_non_exhaustive()
    }
}

impl Acme {
    /// Takes up what is kept for the configured domains; nothing where there is no domain.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or what is kept was sealed with another master key.
    pub async fn start(app: &Arc<App>) -> Result<Option<Arc<Self>>, AcmeError> {
        let domains = app.config.acme.names();
        if domains.is_empty() {
            return Ok(None);
        }
        let acme = Self {
            app: Arc::clone(app),
            directory: app.config.acme.directory_url(),
            stand_in: pki::stand_in(&domains, clock::now())?,
            domains,
            held: ArcSwap::default(),
            unsaved: Mutex::default(),
            account: tokio::sync::Mutex::default(),
            orders: Semaphore::new(ORDERS),
            questions: Questions::new(Proof::TlsAlpn),
        };
        for domain in &acme.domains {
            // What cannot be used is told when another one is asked for.
            acme.find(domain).await?;
            if !acme.held.load().contains_key(domain) {
                tracing::info!(
                    domain,
                    authority = acme.directory,
                    "there is no certificate yet; it is being asked for, and until then clients refuse to connect"
                );
            }
        }
        Ok(Some(Arc::new(acme)))
    }

    /// Obtains and renews, until it is dropped.
    pub async fn keep_forever(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        for domain in self.domains.clone() {
            tasks.spawn(Arc::clone(&self).keep_domain(domain));
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn keep_domain(self: Arc<Self>, domain: String) {
        let mut failed = 0;
        loop {
            let (acme, of) = (Arc::clone(&self), domain.clone());
            let looked = alone(async move { Box::pin(acme.look_after(&of)).await }).await;
            let pause = match looked.flatten() {
                Ok(()) => {
                    failed = 0;
                    EVERY
                }
                Err(error) => {
                    failed += 1;
                    let pause = pause_after(failed);
                    let next = pause.as_secs();
                    tracing::error!(domain, %error, next_look_in_seconds = next, "the certificate cannot be looked after");
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Does what is to be done for a domain now.
    async fn look_after(self: &Arc<Self>, domain: &str) -> Result<(), AcmeError> {
        // Before anything is asked for again.
        self.save(domain).await?;
        let unusable = self.find(domain).await?;
        // Who finds no room comes again with the next look.
        let Ok(_turn) = self.orders.try_acquire() else { return Ok(()) };
        let (registry, kept_at) = (&self.app.registry, unusable.as_ref().map(|unusable| unusable.issued_at));
        let claim = certificates::claim(registry, clock::now(), &self.directory, domain, kept_at).await?;
        let Some(claim) = claim else { return Ok(()) };
        if let Some(Unusable { error, .. }) = unusable {
            tracing::warn!(domain, %error, "the certificate that is kept cannot be used; asking for another one");
        }
        let settings = &self.app.config.acme;
        let proof = proof(settings.challenge, settings.http, claim.failures);
        match self.order(domain, proof).await {
            Ok(certificate) => {
                let until = date(certificate.not_after);
                tracing::info!(domain, challenge = proof.as_str(), %until, "obtained a certificate");
                // Also while it cannot be kept: this node has it.
                self.present(domain, &certificate)?;
                self.unsaved().insert(domain.to_owned(), Unsaved { claim, certificate });
                self.save(domain).await
            }
            Err(failure) => self.postpone(domain, claim, proof, &failure).await,
        }
    }

    async fn order(self: &Arc<Self>, domain: &str, proof: Proof) -> Result<Certificate, Failure> {
        let (acme, of) = (Arc::clone(self), domain.to_owned());
        let ordered = alone(async move { Box::pin(order::order(&acme, &of, proof)).await });
        let new = match tokio::time::timeout(ORDER_TIME, ordered).await {
            Ok(Ok(ordered)) => ordered?,
            // The library has its faults, and what an authority answers may lead to one.
            Ok(Err(fault)) => return Err(Failure::of(&fault.to_string())),
            Err(_) => return Err(Failure::of("the authority took too long")),
        };
        // It would be ordered again without pause.
        if certificates::renew_at(new.not_before, new.not_after) <= clock::now() {
            return Err(Failure::of_due(&date(new.not_after)));
        }
        Ok(new)
    }

    /// Finds what is kept for a domain, and presents it; returns it where it cannot be used.
    async fn find(&self, domain: &str) -> Result<Option<Unusable>, AcmeError> {
        let kept = certificates::find(&self.app.registry, &self.directory, domain).await?;
        let unusable = match kept {
            Some(kept) => match self.present(domain, &kept.certificate) {
                Ok(()) => return Ok(None),
                Err(error) => Some(Unusable { issued_at: kept.issued_at, error }),
            },
            None => None,
        };
        if !self.held.load().contains_key(domain) {
            self.app.metrics.certificate(domain, 0);
            self.present_of_another(domain).await?;
        }
        Ok(unusable)
    }

    /// Presents what another authority gave, so that a change of the authority does not turn clients away.
    async fn present_of_another(&self, domain: &str) -> Result<(), AcmeError> {
        let found = certificates::of_another(&self.app.registry, clock::now(), &self.directory, domain).await?;
        if let Some(found) = found {
            match self.present(domain, &found) {
                Ok(()) => tracing::info!(domain, "it is of the authority before, until this one gives one"),
                Err(error) => tracing::debug!(domain, %error, "what another authority gave cannot be used"),
            }
        }
        Ok(())
    }

    fn present(&self, domain: &str, new: &Certificate) -> Result<(), PkiError> {
        let ends = new.not_after / 1_000_000;
        if self.held.load().get(domain).is_some_and(|held| *held.chain == *new.chain) {
            self.app.metrics.certificate(domain, ends);
            return Ok(());
        }
        let held = Held { chain: new.chain.as_str().into(), pair: pki::certified(&new.chain, &new.key)? };
        self.app.metrics.certificate(domain, ends);
        self.held.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(domain.to_owned(), held.clone());
            all
        });
        tracing::info!(domain, until = %date(new.not_after), "the certificate is presented");
        Ok(())
    }

    fn unsaved(&self) -> MutexGuard<'_, HashMap<String, Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was obtained and is not kept yet.
    async fn save(&self, domain: &str) -> Result<(), AcmeError> {
        let unsaved = self.unsaved().get(domain).cloned();
        let Some(Unsaved { claim, certificate }) = unsaved else { return Ok(()) };
        let ctx = Ctx::system(clock::now());
        let kept = certificates::keep(&self.app.registry, &ctx, &self.directory, domain, claim, certificate).await;
        kept.map_err(AcmeError::Unsaved)?;
        self.unsaved().remove(domain);
        Ok(())
    }

    async fn postpone(&self, domain: &str, claim: Claim, proof: Proof, failure: &Failure) -> Result<(), AcmeError> {
        let wait = spread(certificates::wait_after(claim.failures).max(failure.least_wait));
        let (challenge, authority) = (proof.as_str(), &self.directory);
        let why = format!("{}{}", failure.why, failure.hint(domain, proof));
        tracing::warn!(
            domain,
            authority,
            challenge,
            next_try_in_seconds = wait.as_secs(),
            "no certificate was obtained: {why}; to try again at once: havre tls renew --domain {domain}"
        );
        let now = clock::now();
        certificates::postpone(&self.app.registry, now, &self.directory, domain, claim, wait, &why).await?;
        Ok(())
    }
}

/// Does work in a task of its own, which ends with us: a panic in it is an answer like any other.
async fn alone<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, AcmeError> {
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(done) => done.map_err(|error| AcmeError::Fault(error.to_string())),
        None => Err(AcmeError::Fault("a task is gone".to_owned())),
    }
}

/// How long is waited after so many looks in a row that failed.
fn pause_after(failed: u32) -> Duration {
    EVERY.saturating_mul(2_u32.saturating_pow(failed)).min(LONGEST_PAUSE)
}

/// How a domain is shown to be ours after so many failures.
fn proof(choice: ChallengeChoice, http: bool, failures: u32) -> Proof {
    match choice {
        ChallengeChoice::TlsAlpn => Proof::TlsAlpn,
        ChallengeChoice::Http => Proof::Http,
        ChallengeChoice::Auto if failures % 2 == 1 && http => Proof::Http,
        ChallengeChoice::Auto => Proof::TlsAlpn,
    }
}

/// Adds up to a quarter, so that nodes and servers that failed together do not come again together.
fn spread(wait: Duration) -> Duration {
    wait + wait.mul_f64(f64::from(u8::from_be_bytes(random())) / 1024.0)
}

fn date(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |at| at.strftime("%F").to_string())
}

impl Certificates for Acme {
    fn resolve(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name.map(str::to_ascii_lowercase);
        let held = self.held.load();
        let own = self.domains.iter().find(|domain| Some(domain.as_str()) == name.as_deref());
        // A client that names none, or an address, is shown the first one that there is.
        let shown = match own {
            Some(domain) => held.get(domain),
            None => self.domains.iter().find_map(|domain| held.get(domain)),
        };
        Some(Arc::clone(shown.map_or(&self.stand_in, |held| &held.pair)))
    }

    fn challenge<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Option<Arc<CertifiedKey>>> + Send + 'a>> {
        Box::pin(async move {
            let name = name.to_ascii_lowercase();
            if !self.domains.contains(&name) {
                return None;
            }
            let now = clock::now();
            let look_up = certificates::answer_over_tls(&self.app.registry, now, &name);
            let answer = self.questions.answer(now, look_up).await.ok()??;
            pki::answer(&name, &answer).inspect_err(|error| tracing::warn!(%error, "no answer can be made")).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_challenge_fails_the_other_is_tried_unless_one_was_chosen() {
        let tried = |choice, http| [0, 1, 2].map(|failures| proof(choice, http, failures));
        assert_eq!(tried(ChallengeChoice::Auto, true), [Proof::TlsAlpn, Proof::Http, Proof::TlsAlpn]);
        assert_eq!(tried(ChallengeChoice::Auto, false), [Proof::TlsAlpn; 3]);
        assert_eq!(tried(ChallengeChoice::TlsAlpn, true), [Proof::TlsAlpn; 3]);
        assert_eq!(tried(ChallengeChoice::Http, true), [Proof::Http; 3]);
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_like_any_other() {
        assert_eq!(alone(async { 1 }).await.unwrap(), 1);
        let work = async { assert!(clock::now() < 0, "the library is wrong") };
        let fault = alone(work).await.unwrap_err().to_string();
        assert!(fault.contains("the library is wrong"), "{fault}");
    }

    #[test]
    fn looks_that_fail_become_rare() {
        let pauses = [1, 2, 3, 7, 8, 99].map(|failed| pause_after(failed).as_secs());
        assert_eq!(pauses, [4, 8, 16, 256, 300, 300]);
    }

    #[test]
    fn waits_are_spread_by_a_quarter_at_most() {
        let waits: Vec<_> = (0..200).map(|_| spread(Duration::from_secs(1000)).as_secs()).collect();
        assert!(waits.iter().all(|wait| (1000..=1250).contains(wait)));
        assert!(waits.iter().max() > waits.iter().min());
    }
}
