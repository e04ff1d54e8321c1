use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{RootCertStore, client::WebPkiServerVerifier};

use super::authority::Authority;
use super::*;

/// 2026-01-01.
const NOW: i64 = 1_767_225_600_000_000;

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Whether a client that trusts `authority` would accept `certificate` for `name`, a year after [`NOW`].
fn accepted(authority: &str, certificate: &str, name: &str) -> bool {
    use rustls::client::danger::ServerCertVerifier as _;
    let mut roots = RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let now = Duration::from_micros(NOW as u64) + Duration::from_hours(365 * 24);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&der(certificate), &[], &name, &[], UnixTime::since_unix_epoch(now)).is_ok()
}

#[test]
fn a_certificate_of_the_local_authority_is_accepted_for_its_names_alone() {
    let authority = Authority::make(NOW).unwrap();
    let names = ["registry.test".to_owned(), "192.0.2.7".to_owned(), "::1".to_owned()];
    let signed = authority.sign(&names, NOW).unwrap();
    certified(&signed.certificate, &signed.key).unwrap();
    for name in ["registry.test", "192.0.2.7", "::1"] {
        assert!(accepted(authority.certificate(), &signed.certificate, name), "{name}");
    }
    assert!(!accepted(authority.certificate(), &signed.certificate, "other.test"));
    let other = Authority::make(NOW).unwrap();
    assert!(!accepted(other.certificate(), &signed.certificate, "registry.test"));
}

#[test]
fn an_authority_that_is_taken_up_again_signs_as_before() {
    let made = Authority::make(NOW).unwrap();
    let again = Authority::read(made.certificate(), &made.key()).unwrap();
    let signed = again.sign(&["registry.test".to_owned()], NOW).unwrap();
    assert!(accepted(made.certificate(), &signed.certificate, "registry.test"));
    let other = Authority::make(NOW).unwrap();
    assert!(matches!(Authority::read(made.certificate(), &other.key()), Err(PkiError::Authority)));
}

#[test]
fn the_dates_of_a_certificate_are_read_and_anything_else_is_not_one() {
    let authority = Authority::make(NOW).unwrap();
    let signed = authority.sign(&["registry.test".to_owned()], NOW).unwrap();
    let (hour, day) = (3_600_000_000, 86_400_000_000);
    let expected = Validity { not_before: NOW - hour, not_after: NOW + 396 * day };
    assert_eq!(validity_of(&signed.certificate).unwrap(), expected);
    // Beyond 2049 the other kind of time is used.
    let late = 2_600_000_000_000_000;
    let signed = authority.sign(&["registry.test".to_owned()], late).unwrap();
    assert_eq!(validity_of(&signed.certificate).unwrap().not_before, late - hour);
    let bytes = der(&signed.certificate);
    let whole = validity(&bytes);
    for end in 0..bytes.len() {
        let cut = validity(&bytes[..end]);
        assert!(cut.is_none() || cut == whole, "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 0x81;
        let _ = validity(&changed);
    }
    assert!(validity_of("no certificate").is_err());
}

#[test]
fn a_key_that_belongs_to_another_certificate_is_refused() {
    let authority = Authority::make(NOW).unwrap();
    let [one, two] = [0, 1].map(|_| authority.sign(&["registry.test".to_owned()], NOW).unwrap());
    assert!(certified(&one.certificate, &two.key).is_err());
    assert!(matches!(certified("", &one.key), Err(PkiError::Unreadable)));
}
