//! How clients reach the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::ByteSize;
use super::concern::concern;

/// The address that is served when none is named: this machine only.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

concern! {
    /// How clients reach the server.
    pub struct Server in server {
        /// Addresses and ports to listen on. Port 0 takes a free one and logs which. Beyond loopback,
        /// passwords need protection: TLS, a trusted proxy that has it, or `server.insecure_http`.
        listen: Vec<SocketAddr> = vec![LOOPBACK],
            flag = "--listen", alias = "HAVRE_LISTEN", example = "0.0.0.0:5000, [::]:5000";
        /// URL under which clients see the server, when it stands behind a proxy. Without it, the `Host` of the request
        /// is used, and `Forwarded` headers of trusted proxies.
        public_url: Option<Url> = None, flag = "--public-url", example = "https://registry.example.org";
        /// Proxies, as addresses or networks, whose `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and
        /// `Forwarded` headers are believed. From anyone else these headers are ignored.
        trusted_proxies: Vec<IpNet> = Vec::new(), example = "127.0.0.1, 10.0.0.0/8";
        /// PEM file with the certificate chain. With it and `server.tls_key`, the server speaks TLS; both files are
        /// read again when they change.
        tls_cert: Option<PathBuf> = None, flag = "--tls-cert", example = "/etc/havre/tls.crt";
        /// PEM file with the private key of `server.tls_cert`.
        tls_key: Option<PathBuf> = None, flag = "--tls-key", example = "/etc/havre/tls.key";
        /// Most connections open at once. Further ones wait until one ends.
        max_connections: usize = 10_000, within = 1..=1_000_000, example = "50000";
        /// How long a connection may stay without a byte in either direction. There is no limit on how long a transfer
        /// that advances may take.
        idle_timeout: Duration = Duration::from_secs(60),
            within = Duration::from_secs(1)..=Duration::from_hours(24), example = "2m";
        /// How long a client may take to send the head of a request.
        header_timeout: Duration = Duration::from_secs(10),
            within = Duration::from_secs(1)..=Duration::from_hours(1), example = "30s";
        /// How long transfers may go on after the server was told to stop.
        shutdown_timeout: Duration = Duration::from_secs(30),
            within = Duration::ZERO..=Duration::from_hours(24), example = "5m";
        /// Largest head of a request, request line and headers together.
        max_header_bytes: ByteSize = ByteSize::kib(32),
            within = ByteSize::kib(8)..=ByteSize::mib(1), example = "64 KiB";
        /// Whether anyone who reaches the server may read and write everything, without an account. Meant for trials and
        /// closed networks.
        open: bool = false, flag = "--open";
        /// Whether passwords and tokens may cross a network unprotected: accepts plain HTTP beyond loopback without a
        /// trusted proxy.
        insecure_http: bool = false, flag = "--insecure-http";
    }
}

impl Server {
    /// The host of `server.public_url`, as it stands in the names of images.
    #[must_use]
    pub fn public_host(&self) -> Option<String> {
        let url = self.public_url.as_ref()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}
