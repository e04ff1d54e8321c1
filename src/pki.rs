//! Certificates and keys as values: made, read, paired. Knows no files, no database and no network.

pub mod authority;
mod validity;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

pub use validity::{Validity, validity};

/// Why a certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// It cannot be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A text is not PEM of the right kind.
    #[error("this is not a certificate and its key in PEM")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The certificate and the key are unusable or do not belong together.
    #[error("a certificate and its key cannot be used together")]
    Pair(#[from] rustls::Error),
    /// There is no certificate, or one whose dates cannot be read.
    #[error("there is no certificate that can be read")]
    Unreadable,
    /// The key is not that of the authority.
    #[error("the authority's certificate and its key do not belong together")]
    Authority,
}

/// Certificates that a listener presents, which may change while it runs.
pub trait Certificates: fmt::Debug + Send + Sync {
    /// Returns the certificate for the name that a client asks for. Names that are not known get one all the same.
    fn resolve(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>>;

    /// Returns the certificate that answers an authority's challenge for a name (RFC 8737), while one is pending.
    fn challenge<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Option<Arc<CertifiedKey>>> + Send + 'a>>;
}

/// Pairs a chain with its private key, both PEM.
///
/// # Errors
///
/// When one cannot be read, or they do not belong together.
pub fn certified(chain: &str, key: &str) -> Result<Arc<CertifiedKey>, PkiError> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err(PkiError::Unreadable);
    }
    pair(chain, PrivateKeyDer::from_pem_slice(key.as_bytes())?)
}

fn pair(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<CertifiedKey>, PkiError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider)?))
}

/// Reads from when until when the first certificate of a chain holds.
///
/// # Errors
///
/// When there is none, or its dates cannot be read.
pub fn validity_of(chain: &str) -> Result<Validity, PkiError> {
    let first = CertificateDer::from_pem_slice(chain.as_bytes())?;
    validity(&first).ok_or(PkiError::Unreadable)
}

/// Makes a key and asks with it for a certificate of `domain`: the request (DER) and the key (PEM).
///
/// # Errors
///
/// When the name cannot stand in a certificate.
pub fn request(domain: &str) -> Result<(Vec<u8>, String), PkiError> {
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    let key = KeyPair::generate()?;
    let request = params.serialize_request(&key)?;
    Ok((request.der().to_vec(), key.serialize_pem()))
}

/// Makes the certificate that answers a challenge for `domain` in a handshake (RFC 8737, section 3).
///
/// # Errors
///
/// When the name cannot stand in a certificate.
pub fn answer(domain: &str, key_authorization: &str) -> Result<Arc<CertifiedKey>, PkiError> {
    let mut params = CertificateParams::new([domain.to_owned()])?;
    let digest = Sha256::digest(key_authorization.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_slice())];
    self_signed(&params)
}

/// Makes the certificate that is presented while there is no other: clients refuse it, and its name says why.
///
/// # Errors
///
/// When a name cannot stand in a certificate.
pub fn stand_in(domains: &[String], now: i64) -> Result<Arc<CertifiedKey>, PkiError> {
    let mut params = CertificateParams::new(domains)?;
    params.distinguished_name = named("Havre, waiting for its certificate");
    date(&mut params, now, Duration::from_hours(30 * 24));
    self_signed(&params)
}

fn self_signed(params: &CertificateParams) -> Result<Arc<CertifiedKey>, PkiError> {
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| PkiError::Unreadable)?;
    // Not compared with each other, as a pair from elsewhere is: the answer to a challenge holds an extension that has to be
    // understood, and who compares does not understand it.
    let private = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], private)))
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// Has a certificate hold from an hour before `now`, for clocks that are late, until `lifetime` after it.
fn date(params: &mut CertificateParams, now: i64, lifetime: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_secs(u64::try_from(now / 1_000_000).unwrap_or(0));
    params.not_before = epoch + now.saturating_sub(Duration::from_hours(1));
    params.not_after = epoch + now + lifetime;
}

#[cfg(test)]
mod tests;
