//! Certificates that the server obtains by itself: presented to clients, renewed in time, shared with other nodes.

mod failure;
mod order;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;
use tokio::task::JoinSet;

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
/// How long an order may take. Less than the lease on it, so that two nodes never ask at once.
const ORDER_TIME: Duration = Duration::from_mins(4);
/// How often it is tried to keep a certificate that was given, and how long is waited in between. One that is lost has to be
/// asked for again, and authorities give few of the same.
const KEEP_TRIES: u32 = 20;
const KEEP_PAUSE: Duration = Duration::from_secs(2);

/// Why certificates cannot be looked after.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The registry cannot tell what is kept, or keep what is new.
    #[error(transparent)]
    Registry(#[from] Error),
    /// A certificate cannot be made or used.
    #[error(transparent)]
    Pki(#[from] PkiError),
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
    /// Taken while an account is opened or made, so that two domains do not make two.
    account: tokio::sync::Mutex<()>,
}

/// A certificate that is presented.
#[derive(Clone)]
struct Held {
    chain: Arc<str>,
    pair: Arc<CertifiedKey>,
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
            account: tokio::sync::Mutex::default(),
        };
        for domain in &acme.domains {
            match acme.find(domain).await? {
                Some(_) => {}
                None => tracing::info!(
                    domain,
                    authority = acme.directory,
                    "there is no certificate yet; it is being asked for, and until then clients refuse to connect"
                ),
            }
        }
        Ok(Some(Arc::new(acme)))
    }

    /// Obtains and renews, until it is dropped.
    pub async fn keep_forever(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        for domain in self.domains.clone() {
            let acme = Arc::clone(&self);
            tasks.spawn(async move { acme.keep_domain(&domain).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn keep_domain(&self, domain: &str) {
        let mut failing = false;
        loop {
            let pause = match Box::pin(self.look_after(domain)).await {
                Ok(pause) => {
                    failing = false;
                    pause
                }
                Err(error) => {
                    if !failing {
                        tracing::error!(domain, %error, "the certificate cannot be looked after; trying again");
                    }
                    failing = true;
                    EVERY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Does what is to be done for a domain now; returns when to look again.
    async fn look_after(&self, domain: &str) -> Result<Duration, AcmeError> {
        let now = clock::now();
        if let Some(kept) = self.find(domain).await? {
            let due = certificates::renew_at(kept.not_before, kept.not_after);
            if now < due {
                return Ok(Duration::from_micros(due.abs_diff(now)).min(EVERY));
            }
        }
        let Some(claim) = certificates::claim(&self.app.registry, now, &self.directory, domain).await? else {
            return Ok(EVERY);
        };
        let settings = &self.app.config.acme;
        let proof = proof(settings.challenge, settings.http, claim.failures);
        let ordered = tokio::time::timeout(ORDER_TIME, Box::pin(order::order(self, domain, proof))).await;
        match ordered.unwrap_or_else(|_| Err(Failure::of("the authority took too long"))) {
            Ok(new) => self.keep(domain, proof, new).await?,
            Err(failure) => self.postpone(domain, claim, proof, &failure).await?,
        }
        Ok(EVERY)
    }

    /// Finds what is kept for a domain, and presents it.
    async fn find(&self, domain: &str) -> Result<Option<Certificate>, AcmeError> {
        let kept = certificates::find(&self.app.registry, &self.directory, domain).await?;
        match &kept {
            Some(kept) => self.present(domain, kept)?,
            None => self.app.metrics.certificate(domain, 0),
        }
        Ok(kept)
    }

    fn present(&self, domain: &str, new: &Certificate) -> Result<(), PkiError> {
        self.app.metrics.certificate(domain, new.not_after / 1_000_000);
        if self.held.load().get(domain).is_some_and(|held| *held.chain == *new.chain) {
            return Ok(());
        }
        let held = Held { chain: new.chain.as_str().into(), pair: pki::certified(&new.chain, &new.key)? };
        self.held.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(domain.to_owned(), held.clone());
            all
        });
        tracing::info!(domain, until = %date(new.not_after), "the certificate is presented");
        Ok(())
    }

    async fn keep(&self, domain: &str, proof: Proof, new: Certificate) -> Result<(), AcmeError> {
        tracing::info!(domain, challenge = proof.as_str(), until = %date(new.not_after), "obtained a certificate");
        // Also where it cannot be kept: this node has it.
        self.present(domain, &new)?;
        let mut tries = 0;
        loop {
            let ctx = Ctx::system(clock::now());
            let kept = certificates::keep(&self.app.registry, &ctx, &self.directory, domain, new.clone()).await;
            tries += 1;
            match kept {
                Ok(()) => return Ok(()),
                Err(error) if tries >= KEEP_TRIES => return Err(error.into()),
                Err(error) => tracing::warn!(domain, %error, "the new certificate cannot be kept yet; trying again"),
            }
            tokio::time::sleep(KEEP_PAUSE).await;
        }
    }

    async fn postpone(&self, domain: &str, claim: Claim, proof: Proof, failure: &Failure) -> Result<(), AcmeError> {
        let wait = spread(certificates::wait_after(claim.failures).max(failure.least_wait));
        let (challenge, why) = (proof.as_str(), &*failure.why);
        tracing::warn!(
            domain,
            challenge,
            next_try_in_seconds = wait.as_secs(),
            "no certificate was obtained: {why}{}",
            failure.hint(domain, proof)
        );
        certificates::postpone(&self.app.registry, clock::now(), &self.directory, domain, wait, why).await?;
        Ok(())
    }
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
            let found = certificates::answer_over_tls(&self.app.registry, clock::now(), &name).await;
            let answer =
                found.inspect_err(|error| tracing::warn!(%error, "an authority cannot be answered")).ok()??;
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

    #[test]
    fn waits_are_spread_by_a_quarter_at_most() {
        let waits: Vec<_> = (0..200).map(|_| spread(Duration::from_secs(1000)).as_secs()).collect();
        assert!(waits.iter().all(|wait| (1000..=1250).contains(wait)));
        assert!(waits.iter().max() > waits.iter().min());
    }
}
