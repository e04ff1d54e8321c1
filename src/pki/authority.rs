//! An authority of one's own, for machines that no public one vouches for.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData as _,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest as _, Sha256};

use super::{PkiError, date, named};

const DAY: Duration = Duration::from_hours(24);
/// How long an authority holds: it is trusted by hand on every machine, so not often.
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3652);
/// How long a server's certificate holds. Apple's systems refuse more than 398 days, the hour before it included.
const SERVER_LIFETIME: Duration = DAY.saturating_mul(396);

/// An authority: its certificate and its key.
pub struct Authority {
    certificate: String,
    key: KeyPair,
}

/// A certificate and its key, both PEM.
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl Authority {
    /// Makes an authority that can sign certificates of servers and no further authority.
    ///
    /// # Errors
    ///
    /// When no key can be made.
    pub fn make(now: i64) -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = params_of(&key);
        date(&mut params, now, AUTHORITY_LIFETIME);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, key })
    }

    /// Takes up an authority that was made before.
    ///
    /// # Errors
    ///
    /// When one of the two cannot be read, or they do not belong together.
    pub fn read(certificate: &str, key: &str) -> Result<Self, PkiError> {
        let key = KeyPair::from_pem(key)?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())?;
        let public = key.der_bytes();
        if !der.windows(public.len()).any(|window| window == public) {
            return Err(PkiError::Authority);
        }
        Ok(Self { certificate: certificate.to_owned(), key })
    }

    /// The certificate, PEM: what clients have to trust.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The private key, PEM.
    #[must_use]
    pub fn key(&self) -> String {
        self.key.serialize_pem()
    }

    /// Makes a certificate of a server for these names and addresses.
    ///
    /// # Errors
    ///
    /// When one of them cannot stand in a certificate.
    pub fn sign(&self, names: &[String], now: i64) -> Result<Signed, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(names.first().map_or("havre", String::as_str));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        date(&mut params, now, SERVER_LIFETIME);
        let issuer = Issuer::new(params_of(&self.key), &self.key);
        let certificate = params.signed_by(&key, &issuer)?;
        Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// What is said of an authority. Its name follows from its key, so that it need not be read from its certificate.
fn params_of(key: &KeyPair) -> CertificateParams {
    let digest = Sha256::digest(key.der_bytes());
    let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Havre local authority {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
