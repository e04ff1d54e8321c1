//! One order at an authority, from the account to the certificate (RFC 8555, section 7.4).

use std::time::Duration;

use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, ExternalAccountKey, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};

use super::client::{Client, Enough, is_https};
use super::failure::{Failure, Step};
use super::{Acme, pki};
use crate::clock;
use crate::registry::certificates::{self, Certificate, Proof};

/// How long the authority may take for each of the two steps that it works on by itself.
const PATIENCE: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(Duration::from_secs(100));
/// The longest token that is kept for an authority, in bytes.
const MAX_TOKEN: usize = 256;
/// The largest chain that is kept, and presented in every handshake: in bytes, and in certificates.
const MAX_CHAIN: usize = 64 * 1024;
const MAX_CHAIN_LENGTH: usize = 10;

/// Obtains a certificate for a domain.
pub(super) async fn order(acme: &Acme, domain: &str, proof: Proof) -> Result<Certificate, Failure> {
    let enough = Enough::default();
    let ordered = Box::pin(order_at(acme, &enough, domain, proof)).await;
    ordered.map_err(|failure| failure.waiting(enough.wait()))
}

async fn order_at(acme: &Acme, enough: &Enough, domain: &str, proof: Proof) -> Result<Certificate, Failure> {
    let account = Box::pin(account(acme, enough)).await?;
    let result = Box::pin(order_with(acme, &account.opened, domain, proof)).await;
    if let Err(failure) = &result
        && failure.is_of_account()
    {
        certificates::forget_account(&acme.app.registry, &acme.directory, &account.kept).await?;
    }
    result
}

async fn order_with(acme: &Acme, account: &Account, domain: &str, proof: Proof) -> Result<Certificate, Failure> {
    let identifiers = [Identifier::Dns(domain.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(Failure::at(Step::Order))?;
    if order.state().status == OrderStatus::Pending {
        prove(acme, &mut order, domain, proof).await?;
    }
    let (request, key) = pki::request(domain)?;
    order.finalize_csr(&request).await.map_err(Failure::at(Step::Other))?;
    let chain = order.poll_certificate(&PATIENCE).await.map_err(Failure::at(Step::Other))?;
    if chain.len() > MAX_CHAIN || chain.matches("-----BEGIN CERTIFICATE-----").count() > MAX_CHAIN_LENGTH {
        return Err(Failure::of(&format!(
            "the authority gave more than {MAX_CHAIN_LENGTH} certificates or {} KiB at once",
            MAX_CHAIN / 1024
        )));
    }
    // Read before it is kept: what cannot be presented is no certificate.
    pki::certified(&chain, &key)?;
    let validity = pki::validity_of(&chain)?;
    Ok(Certificate { chain, key, not_before: validity.not_before, not_after: validity.not_after })
}

/// Shows the authority that the domain is ours.
async fn prove(acme: &Acme, order: &mut Order, domain: &str, proof: Proof) -> Result<(), Failure> {
    let kind = kind(proof);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(Failure::at(Step::Other))?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let Some(mut challenge) = authorization.challenge(kind.clone()) else {
            return Err(Failure::of(&format!("the authority does not offer {}", proof.as_str())));
        };
        let token = challenge.token.clone();
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(Failure::of("the authority's challenge has no token that can be kept"));
        }
        let answer = challenge.key_authorization();
        // Before the authority hears that it may ask, and for whichever node it reaches.
        let now = clock::now();
        certificates::expect(&acme.app.registry, now, domain, (proof, &token), answer.as_str()).await?;
        challenge.set_ready().await.map_err(Failure::at(Step::Other))?;
    }
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => Ok(()),
        Ok(_) => Err(refusal(order, &kind).await.unwrap_or_else(|| Failure::of("the authority refused the order"))),
        Err(error) => Err(refusal(order, &kind).await.unwrap_or_else(|| Failure::at(Step::Other)(error))),
    }
}

fn kind(proof: Proof) -> ChallengeType {
    match proof {
        Proof::Http => ChallengeType::Http01,
        Proof::TlsAlpn => ChallengeType::TlsAlpn01,
    }
}

/// What the authority says of a challenge that failed: the order itself often says nothing.
async fn refusal(order: &mut Order, kind: &ChallengeType) -> Option<Failure> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let state = authorization.refresh().await.ok()?;
        let asked = state.challenges.iter().filter(|challenge| challenge.r#type == *kind);
        if let Some(problem) = asked.filter_map(|challenge| challenge.error.as_ref()).next() {
            return Some(Failure::of_problem(Step::Challenge, problem));
        }
    }
    None
}

struct Opened {
    opened: Account,
    /// As it is kept.
    kept: String,
}

/// Opens the account at the authority, and makes it where there is none.
async fn account(acme: &Acme, enough: &Enough) -> Result<Opened, Failure> {
    let registry = &acme.app.registry;
    let turn = acme.account.lock().await;
    if let Some(kept) = certificates::account(registry, &acme.directory).await? {
        match serde_json::from_str(&kept) {
            Ok(credentials) => {
                // Nobody has to wait while the authority is spoken to.
                drop(turn);
                return open(acme, enough, kept, credentials).await;
            }
            Err(_) => {
                // Not the error: it may repeat what it read, and that is a secret.
                tracing::warn!(authority = acme.directory, "the account that is kept cannot be read; making another");
                certificates::forget_account(registry, &acme.directory, &kept).await?;
            }
        }
    }
    let config = &acme.app.config.acme;
    let contact: Vec<String> = config.email.iter().map(|address| format!("mailto:{address}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let bound = config.external_account().map(|(id, key)| ExternalAccountKey::new(id, &key));
    let made = builder(acme, enough)?.create(&new, acme.directory.clone(), bound.as_ref()).await;
    let (opened, credentials) = made.map_err(Failure::at(Step::Account))?;
    let credentials = serde_json::to_string(&credentials).map_err(|error| Failure::of(&error.to_string()))?;
    let kept = certificates::keep_account(registry, clock::now(), &acme.directory, &credentials).await?;
    drop(turn);
    tracing::info!(authority = acme.directory, "made an account at the authority");
    // Of two nodes that made one at the same moment, the second takes that of the first.
    if kept == credentials {
        return Ok(Opened { opened, kept });
    }
    let credentials =
        serde_json::from_str(&kept).map_err(|_| Failure::of("the account that is kept cannot be read"))?;
    open(acme, enough, kept, credentials).await
}

async fn open(acme: &Acme, enough: &Enough, kept: String, credentials: AccountCredentials) -> Result<Opened, Failure> {
    let opened = builder(acme, enough)?.from_credentials(credentials).await.map_err(Failure::at(Step::Other))?;
    Ok(Opened { opened, kept })
}

fn builder(acme: &Acme, enough: &Enough) -> Result<AccountBuilder, Failure> {
    if !is_https(&acme.directory) {
        return Err(Failure::of("acme.directory is no URL that can be asked"));
    }
    let client = Client::new(acme.app.config.acme.ca_file.as_deref(), enough)?;
    Ok(Account::builder_with_http(Box::new(client)))
}
