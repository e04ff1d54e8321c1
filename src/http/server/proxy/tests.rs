//! Tables of what is believed from whom.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn trusted() -> Vec<IpNet> {
    ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"].map(|net| net.parse().unwrap()).to_vec()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let lines =
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
    let mut headers = HeaderMap::new();
    lines.for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
    client_address(peer.parse().unwrap(), &headers(lines), &trusted()).to_string()
}

const XFF: &str = "x-forwarded-for";
const FWD: &str = "forwarded";

#[test]
fn address_of_the_client() {
    type Row<'a> = (&'a str, &'a str, &'a [(&'static str, &'a str)], &'a str);
    let rows: &[Row<'_>] = &[
        ("no header", "10.0.0.1", &[], "10.0.0.1"),
        ("peer not trusted", "203.0.113.9", &[(XFF, "198.51.100.1")], "203.0.113.9"),
        ("peer not trusted, standard", "203.0.113.9", &[(FWD, "for=198.51.100.1")], "203.0.113.9"),
        ("one proxy", "10.0.0.1", &[(XFF, "198.51.100.1")], "198.51.100.1"),
        ("forged entry on the left", "10.0.0.1", &[(XFF, "1.2.3.4, 198.51.100.1")], "198.51.100.1"),
        ("two proxies", "10.0.0.1", &[(XFF, "198.51.100.1, 10.0.0.2")], "198.51.100.1"),
        ("forged trusted entry", "10.0.0.1", &[(XFF, "10.9.9.9, 198.51.100.1, 10.0.0.2")], "198.51.100.1"),
        ("two headers", "10.0.0.1", &[(XFF, "1.2.3.4"), (XFF, "198.51.100.1,10.0.0.2")], "198.51.100.1"),
        ("all trusted", "10.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        ("with port", "10.0.0.1", &[(XFF, "198.51.100.1:4711")], "198.51.100.1"),
        ("IPv6", "fd00::1", &[(XFF, "2001:db8::7")], "2001:db8::7"),
        ("IPv6 in brackets", "fd00::1", &[(XFF, "[2001:db8::7]")], "2001:db8::7"),
        ("IPv6 with port", "fd00::1", &[(XFF, "[2001:db8::7]:4711")], "2001:db8::7"),
        ("IPv4 in IPv6, peer", "::ffff:10.0.0.1", &[(XFF, "198.51.100.1")], "198.51.100.1"),
        ("IPv4 in IPv6, hop", "10.0.0.1", &[(XFF, "198.51.100.1, ::ffff:10.0.0.2")], "198.51.100.1"),
        ("rubbish", "10.0.0.1", &[(XFF, "what?")], "10.0.0.1"),
        ("rubbish hides what is left of it", "10.0.0.1", &[(XFF, "1.2.3.4, what?, 10.0.0.2")], "10.0.0.2"),
        ("empty", "10.0.0.1", &[(XFF, "")], "10.0.0.1"),
        ("empty entry", "10.0.0.1", &[(XFF, "1.2.3.4,,10.0.0.2")], "10.0.0.2"),
        ("standard", "10.0.0.1", &[(FWD, "for=198.51.100.1;proto=https")], "198.51.100.1"),
        ("standard, quoted", "10.0.0.1", &[(FWD, "For=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
        ("standard, chain", "10.0.0.1", &[(FWD, "for=1.2.3.4, for=198.51.100.1;by=_x, for=10.0.0.2")], "198.51.100.1"),
        ("standard, hidden", "10.0.0.1", &[(FWD, "for=1.2.3.4, for=_hidden")], "10.0.0.1"),
        ("standard, unknown", "10.0.0.1", &[(FWD, "for=unknown")], "10.0.0.1"),
        ("standard without for", "10.0.0.1", &[(FWD, "proto=https")], "10.0.0.1"),
        ("standard, broken quote", "10.0.0.1", &[(FWD, "for=\"1.2.3.4")], "10.0.0.1"),
        ("both agree", "10.0.0.1", &[(XFF, "198.51.100.1"), (FWD, "for=198.51.100.1")], "198.51.100.1"),
        ("both differ", "10.0.0.1", &[(XFF, "198.51.100.1"), (FWD, "for=1.2.3.4")], "10.0.0.1"),
    ];
    for (name, peer, lines, expected) in rows {
        assert_eq!(client(peer, lines), *expected, "{name}");
    }
}

#[test]
fn nobody_is_trusted_by_default() {
    let address = client_address("127.0.0.1".parse().unwrap(), &headers(&[(XFF, "1.2.3.4")]), &[]);
    assert_eq!(address.to_string(), "127.0.0.1");
}

#[test]
fn endless_chain_is_not_followed() {
    let chain = format!("198.51.100.1{}", ", 10.0.0.2".repeat(5000));
    assert_eq!(client("10.0.0.1", &[(XFF, &chain)]), "10.0.0.2");
}

#[test]
fn bytes_that_are_not_ascii_end_the_walk() {
    let mut lines = headers(&[(XFF, "1.2.3.4")]);
    lines.append(X_FORWARDED_FOR, HeaderValue::from_bytes(b"\xff\xfe, 198.51.100.1").unwrap());
    let address = client_address("10.0.0.1".parse().unwrap(), &lines, &trusted());
    assert_eq!(address.to_string(), "10.0.0.1");
}

fn name(peer: &str, tls: bool, lines: &[(&'static str, &str)]) -> String {
    let origin = origin(peer.parse().unwrap(), tls, None, &headers(lines), &trusted());
    let host = origin.host.map_or("-".to_owned(), |host| host.to_string());
    format!("{}://{host}", origin.scheme.as_str())
}

const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";

#[test]
fn name_of_the_server() {
    type Row<'a> = (&'a str, &'a str, &'a [(&'static str, &'a str)], &'a str);
    let near = "10.0.0.1";
    let rows: &[Row<'_>] = &[
        ("own host", near, &[("host", "reg.example:5000")], "http://reg.example:5000"),
        ("none", near, &[], "http://-"),
        ("peer not trusted", "1.2.3.4", &[("host", "a"), (PROTO, "https"), (HOST, "evil")], "http://a"),
        ("peer not trusted, standard", "1.2.3.4", &[("host", "a"), (FWD, "proto=https;host=evil")], "http://a"),
        ("both", near, &[("host", "a"), (PROTO, "https"), (HOST, "reg.example")], "https://reg.example"),
        ("scheme only", near, &[("host", "a"), (PROTO, "HTTPS")], "https://a"),
        ("host only", near, &[("host", "a"), (HOST, "reg.example:8443")], "http://reg.example:8443"),
        ("unknown scheme", near, &[("host", "a"), (PROTO, "gopher")], "http://a"),
        ("appended after a forgery", near, &[("host", "a"), (PROTO, "https, http"), (XFF, "1.2.3.4")], "http://a"),
        ("two proxies append", near, &[("host", "a"), (PROTO, "https, http"), (XFF, "1.2.3.4, 10.0.0.2")], "https://a"),
        ("two proxies, one entry", near, &[("host", "a"), (PROTO, "https"), (XFF, "1.2.3.4, 10.0.0.2")], "https://a"),
        ("user information", near, &[("host", "a"), (HOST, "user@evil")], "http://a"),
        ("path", near, &[("host", "a"), (HOST, "evil/x")], "http://a"),
        ("space", near, &[("host", "a"), (HOST, "evil x")], "http://a"),
        ("markup", near, &[("host", "<script>")], "http://-"),
        ("only a port", near, &[("host", ":80")], "http://-"),
        ("IPv6", near, &[("host", "[2001:db8::1]:5000")], "http://[2001:db8::1]:5000"),
        (
            "standard",
            near,
            &[("host", "a"), (FWD, "for=1.2.3.4;proto=https;host=\"reg.example:1\"")],
            "https://reg.example:1",
        ),
        (
            "standard, outermost trusted entry",
            near,
            &[
                ("host", "a"),
                (FWD, "for=9.9.9.9;host=evil, for=1.2.3.4;proto=https;host=reg, for=10.0.0.2;proto=http;host=b"),
            ],
            "https://reg",
        ),
    ];
    for (what, peer, lines, expected) in rows {
        assert_eq!(name(peer, false, lines), *expected, "{what}");
    }
    assert_eq!(name("1.2.3.4", true, &[("host", "a")]), "https://a");
}

#[test]
fn authority_of_the_target_comes_before_host() {
    let authority = Authority::from_static("reg.example");
    let origin = origin("1.2.3.4".parse().unwrap(), true, Some(&authority), &headers(&[("host", "other")]), &[]);
    assert_eq!(origin.host, Some(authority));
}

#[test]
fn over_long_host_is_refused() {
    assert_eq!(host(&"a".repeat(MAX_HOST_BYTES + 1)), None);
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(plain in "[ -~]{0,200}", standard in "[ -~]{0,200}", host in "[ -~]{0,80}") {
        let lines = headers(&[(XFF, &plain), (FWD, &standard), (HOST, &host), (PROTO, &plain), ("host", &host)]);
        let peer = "10.0.0.1".parse().unwrap();
        let _ = client_address(peer, &lines, &trusted());
        let _ = origin(peer, true, None, &lines, &trusted());
    }

    #[test]
    fn client_of_an_unknown_peer_is_the_peer(value in "[ -~]{0,200}") {
        prop_assert_eq!(client("203.0.113.1", &[(XFF, &value), (FWD, &value)]), "203.0.113.1");
    }
}
