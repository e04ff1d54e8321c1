//! Certificates that the server obtains by itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use url::Url;

use super::concern::{choice, concern};
use super::value::{Value, parse_list, print_list};
use super::{Config, Hidden, Literal, Origins, Problem};

/// Where clients look for a registry with a certificate.
pub(super) const HTTPS_PORT: u16 = 443;
/// Let's Encrypt, and its authority for trying out.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// Whether the authority of a directory is one for trying out, whose certificates no client trusts.
#[must_use]
pub fn is_for_trials(directory: &str) -> bool {
    directory == LETS_ENCRYPT_STAGING
        || directory.parse::<Url>().is_ok_and(|url| url.host_str().is_some_and(|host| host.contains("staging")))
}

/// Returns every address of this machine, with that port.
pub(super) fn anywhere(port: u16) -> Vec<SocketAddr> {
    [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)].map(|ip| SocketAddr::new(ip, port)).to_vec()
}

concern! {
    /// Certificates that the server obtains by itself (ACME).
    pub struct Acme in acme {
        /// Domains of the server. For each it obtains and renews a certificate by ACME, from Let's Encrypt unless
        /// `acme.directory` names another authority, whose terms of service you agree to by this. The server then
        /// listens on port 443, unless `server.listen` says otherwise.
        domains: Vec<DomainName> = Vec::new(), flag = "--domain", example = "registry.example.org";
        /// E-mail address that the authority may write to.
        email: Option<Contact> = None, flag = "--acme-email", example = "admin@example.org";
        /// Whether certificates come from Let's Encrypt's staging authority, which has higher limits and which no client
        /// trusts: for trying out.
        staging: bool = false, flag = "--acme-staging";
        /// Directory of another authority: an https URL.
        directory: Option<Url> = None, example = "https://ca.example.org/acme/acme/directory";
        /// PEM file with the certificate that the authority's own server is trusted by, where the system does not.
        ca_file: Option<PathBuf> = None, example = "/etc/havre/acme-ca.crt";
        /// How a domain is shown to be ours: `tls-alpn-01` on port 443, `http-01` on port 80, or `auto`: by turns,
        /// until one succeeds.
        challenge: ChallengeChoice = ChallengeChoice::Auto;
        /// Whether `acme.http_listen` is listened on, when there is a domain.
        http: bool = true;
        /// Addresses for plain HTTP, where the authority's questions (`http-01`) are answered and everything else is
        /// sent on to https.
        http_listen: Vec<SocketAddr> = anywhere(80), example = "0.0.0.0:80";
        /// Id of the key by which an authority knows its customers (external account binding).
        eab_key_id: Option<Hidden> = None;
        /// That key, in base64url, as the authority shows it.
        eab_key: Option<Hidden> = None, example = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    }
}

choice! {
    /// How a domain is shown to be ours.
    pub enum ChallengeChoice {
        /// By turns.
        Auto = "auto",
        /// By a certificate in a handshake.
        TlsAlpn = "tls-alpn-01",
        /// By a file over plain HTTP.
        Http = "http-01",
    }
}

impl Acme {
    /// The domains, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for domain in &self.domains {
            if !names.contains(&domain.0) {
                names.push(domain.0.clone());
            }
        }
        names
    }

    /// The directory of the authority.
    #[must_use]
    pub fn directory_url(&self) -> String {
        let known = if self.staging { LETS_ENCRYPT_STAGING } else { LETS_ENCRYPT };
        self.directory.as_ref().map_or_else(|| known.to_owned(), ToString::to_string)
    }

    /// The key by which the authority knows its customer: its id, and its bytes.
    #[must_use]
    pub fn external_account(&self) -> Option<(String, Vec<u8>)> {
        let (id, key) = self.eab_key_id.as_ref().zip(self.eab_key.as_ref())?;
        Some((id.reveal().to_owned(), decode(key)?))
    }
}

/// Authorities show the key with or without padding.
fn decode(key: &Hidden) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(key.reveal().trim_end_matches('=')).ok().filter(|bytes| !bytes.is_empty())
}

impl Config {
    /// The first domain, as it stands in the names of images.
    pub(super) fn acme_host(&self) -> Option<String> {
        self.acme.domains.first().map(|domain| self.with_port(domain))
    }

    /// A domain with the port that is listened on, where it is not the usual one. Of several the usual one, else one that
    /// others than this machine reach.
    pub(super) fn with_port(&self, domain: &DomainName) -> String {
        let all = &self.server.listen;
        let usual = all.iter().find(|address| address.port() == HTTPS_PORT);
        let open = || all.iter().find(|address| !address.ip().is_loopback());
        match usual.or_else(open).or_else(|| all.first()).map_or(HTTPS_PORT, SocketAddr::port) {
            HTTPS_PORT => domain.to_string(),
            port => format!("{domain}:{port}"),
        }
    }

    /// Refuses two sources of certificates, and what cannot lead to one.
    pub(super) fn check_acme(&self, origins: &Origins, problems: &mut Vec<Problem>) {
        let acme = &self.acme;
        let clashes = [
            (
                !acme.domains.is_empty() && self.server.tls_cert.is_some(),
                ("acme.domains", "server.tls_cert", "the certificate comes from one of the two"),
            ),
            (
                !acme.domains.is_empty() && self.server.public_url.as_ref().is_some_and(|url| url.scheme() == "http"),
                ("server.public_url", "acme.domains", "with a certificate it is an https URL"),
            ),
            (acme.staging && acme.directory.is_some(), ("acme.staging", "acme.directory", "each names an authority")),
            (
                acme.directory.as_ref().is_some_and(|url| url.scheme() != "https"),
                ("acme.directory", "http", "authorities are spoken to by https only"),
            ),
            (
                acme.challenge == ChallengeChoice::Http && !acme.http,
                ("acme.http", "acme.challenge", "`http-01` is answered over plain HTTP"),
            ),
        ];
        for (_, (given, other, why)) in clashes.into_iter().filter(|(clash, _)| *clash) {
            problems.push(Problem::Clash { origin: origins.get(given).clone(), given, other, why });
        }
        let (id, key) = (acme.eab_key_id.is_some(), acme.eab_key.is_some());
        for (alone, given, missing) in
            [(id && !key, "acme.eab_key_id", "acme.eab_key"), (key && !id, "acme.eab_key", "acme.eab_key_id")]
        {
            if alone {
                problems.push(Problem::Alone { origin: origins.get(given).clone(), given, missing });
            }
        }
        if acme.eab_key.as_ref().is_some_and(|key| decode(key).is_none()) {
            problems.push(Problem::Invalid {
                origin: origins.get("acme.eab_key").clone(),
                key: "acme.eab_key",
                given: None,
                expected: "the key in base64url, as the authority shows it".to_owned(),
                example: Literal::from("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"),
            });
        }
    }
}

/// A domain that a certificate can be for: lower case, without a wildcard, no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        };
        let address = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        (text.len() <= 253 && text.split('.').all(label) && !address).then_some(Self(text))
    }
}

impl DomainName {
    /// Whether `host` names it, in whatever case.
    pub(super) fn is(&self, host: &str) -> bool {
        self.0.eq_ignore_ascii_case(host)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for Vec<DomainName> {
    const KIND: &'static str = "a list of domains, without wildcards or addresses";
    const EXAMPLE: &'static str = "registry.example.org";
    const PLACEHOLDER: &'static str = "DOMAIN";
    const LIST: bool = true;

    fn parse(literal: &Literal) -> Option<Self> {
        parse_list(literal, DomainName::parse)
    }

    fn literal(&self) -> Literal {
        print_list(self)
    }
}

/// An e-mail address, as far as an authority looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(String);

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An empty text stands for none.
impl Value for Option<Contact> {
    const KIND: &'static str = "an e-mail address";
    const EXAMPLE: &'static str = "admin@example.org";
    const PLACEHOLDER: &'static str = "ADDRESS";

    fn parse(literal: &Literal) -> Option<Self> {
        let text = literal.text()?;
        if text.is_empty() {
            return Some(None);
        }
        let plain = text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b",?&<>".contains(&byte));
        let (name, host) = text.split_once('@')?;
        (plain && !name.is_empty() && !host.is_empty() && !host.contains('@')).then(|| Some(Contact(text.to_owned())))
    }

    fn literal(&self) -> Literal {
        Literal::Text(self.as_ref().map_or_else(String::new, ToString::to_string))
    }
}
