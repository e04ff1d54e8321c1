//! Who the client is, and what it called this server, when there are proxies between the two.
//!
//! What a proxy says is believed only when the connection comes from one that the configuration trusts. Lists are
//! read from the right, where the nearest proxy wrote, and no further than the first address that is not trusted:
//! all that stands to the left of it may be the client's own invention.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The most entries of a list that are looked at, from the right. No chain of proxies is longer.
const MAX_HOPS: usize = 32;
/// The longest host that is believed, in bytes: a name of 253 and a port.
const MAX_HOST_BYTES: usize = 260;

/// What a client used to speak to the outermost proxy, or to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Returns the scheme as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What the client called this server, from which absolute links are made when no public URL is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// How the client reached it.
    pub scheme: Scheme,
    /// The host, and the port if it is not the scheme's own; nothing if the client named none that is valid.
    pub host: Option<Authority>,
}

/// Returns the address of the client: the peer, or what trusted proxies say in `X-Forwarded-For` or `Forwarded`
/// (RFC 7239).
///
/// When both headers are there and do not agree, one of them went through a proxy that does not know it and may be
/// forged: then neither is believed.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let plain = headers.contains_key(X_FORWARDED_FOR).then(|| walk(peer, forwarded_for(headers), trusted));
    let standard = headers.contains_key(header::FORWARDED).then(|| walk(peer, forwarded_nodes(headers), trusted));
    match (plain, standard) {
        (None, None) => peer,
        (Some(found), None) | (None, Some(found)) => found.address,
        (Some(one), Some(other)) if one.address == other.address => one.address,
        (Some(_), Some(_)) => peer,
    }
}

/// Returns scheme and host as the client knows them: from `X-Forwarded-Proto` and `X-Forwarded-Host`, else from
/// `Forwarded`, when the peer is trusted; from the connection and the request otherwise.
///
/// `authority` is that of the request target, which HTTP/2 has in place of `Host`.
pub fn origin(
    peer: IpAddr,
    tls: bool,
    authority: Option<&Authority>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Origin {
    let peer = peer.to_canonical();
    let own = Origin {
        scheme: if tls { Scheme::Https } else { Scheme::Http },
        host: authority
            .and_then(|authority| host(authority.as_str()))
            .or_else(|| headers.get(header::HOST).and_then(|value| host(value.to_str().ok()?))),
    };
    if !is_trusted(peer, trusted) {
        return own;
    }
    let said = if headers.contains_key(X_FORWARDED_PROTO) || headers.contains_key(X_FORWARDED_HOST) {
        said_plainly(peer, headers, trusted)
    } else {
        said_by_standard(peer, headers, trusted)
    };
    Origin { scheme: said.0.unwrap_or(own.scheme), host: said.1.or(own.host) }
}

/// What proxies say of the scheme and the host.
type Said = (Option<Scheme>, Option<Authority>);

fn said_plainly(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Said {
    // Each proxy either appends its entry or overwrites the lot: so the entry that belongs to the client's own
    // connection is as far from the right as the client's address, or the leftmost there is.
    let depth = walk(peer, forwarded_for(headers), trusted).depth;
    let entry = |name| list(headers, &name).take(depth + 1).last();
    (entry(X_FORWARDED_PROTO).and_then(scheme), entry(X_FORWARDED_HOST).and_then(host))
}

fn said_by_standard(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Said {
    let depth = walk(peer, forwarded_nodes(headers), trusted).depth;
    let Some(element) = list(headers, &header::FORWARDED).nth(depth) else {
        return (None, None);
    };
    (parameter(element, "proto").and_then(scheme), parameter(element, "host").and_then(host))
}

/// Where a walk along the proxies ended.
struct Found {
    /// The first address that is not trusted, or the last of all.
    address: IpAddr,
    /// How many entries to the left of the rightmost the one stands that led there.
    depth: usize,
}

/// Follows the addresses from the nearest proxy outwards; `None` among them is one that cannot be read.
fn walk(peer: IpAddr, addresses: impl Iterator<Item = Option<IpAddr>>, trusted: &[IpNet]) -> Found {
    let mut found = Found { address: peer, depth: 0 };
    for (depth, address) in addresses.enumerate() {
        let Some(address) = address.map(|address| address.to_canonical()) else {
            break;
        };
        found = Found { address, depth };
        if !is_trusted(address, trusted) {
            break;
        }
    }
    found
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    list(headers, &X_FORWARDED_FOR).map(node)
}

fn forwarded_nodes(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    list(headers, &header::FORWARDED).map(|element| parameter(element, "for").and_then(node))
}

/// Returns the entries of a list that may be spread over several headers, from the right. What is not ASCII reads as
/// an empty entry, so that it is not skipped.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let values: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect();
    values.into_iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim).take(MAX_HOPS)
}

/// Returns a parameter of one element of `Forwarded`, without its quotes.
///
/// A quoted value with a comma, a semicolon or an escape in it is not understood; no address, scheme or host needs one.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) =
        pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(value),
    }
}

/// Parses an address with or without a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse().ok().map(IpAddr::V6)
}

fn scheme(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::Https)
    } else if text.eq_ignore_ascii_case("http") {
        Some(Scheme::Http)
    } else {
        None
    }
}

/// Parses a host with or without a port; user information and whatever else an authority may hold is refused.
fn host(text: &str) -> Option<Authority> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if text.is_empty() || text.len() > MAX_HOST_BYTES || !text.bytes().all(plain) {
        return None;
    }
    let authority = Authority::from_str(text).ok()?;
    (!authority.host().is_empty()).then_some(authority)
}

#[cfg(test)]
mod tests;
