//! Images that run nothing and yet are real: layers that are archives, configurations that tell how they were made.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use oci::Algorithm;
use serde_json::{Value, json};

use super::client::Client;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// What an image is like.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    /// The program in it.
    pub program: &'static str,
    /// Its version.
    pub version: String,
    /// What it is built upon; images on the same base share its layer.
    pub base: &'static str,
    /// How many kilobytes the program takes.
    pub kilobytes: usize,
    /// How many days ago it was built.
    pub days: i64,
    /// Where its source is.
    pub source: String,
    /// What it is.
    pub description: &'static str,
}

/// Bytes that look like nothing and are the same every time (xorshift of Marsaglia, 2003).
fn noise(seed: &str, bytes: usize) -> Vec<u8> {
    let mut state = seed
        .bytes()
        .fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        | 1;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(bytes);
    out
}

/// An archive of files (ustar of POSIX.1-1988).
fn archive(files: &[(&str, &[u8])]) -> Bytes {
    let mut out = Vec::new();
    for (name, content) in files {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, text: &[u8]| {
            for (to, from) in header.iter_mut().skip(at).zip(text) {
                *to = *from;
            }
        };
        put(0, name.as_bytes());
        put(100, b"0000755\x000000000\x000000000\x00");
        put(124, format!("{:011o}\0", content.len()).as_bytes());
        put(136, b"00000000000\x00        0");
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        let text = format!("{sum:06o}\0 ");
        for (to, from) in header.iter_mut().skip(148).zip(text.as_bytes()) {
            *to = *from;
        }
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out.into()
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": Algorithm::Sha256.digest(content).to_string(), "size": content.len() })
}

/// The base of an image: what several share.
fn base(name: &str, architecture: &str) -> Bytes {
    let release = format!("NAME=\"{name}\"\nID={name}\n");
    let kilobytes = if name == "alpine" { 900 } else { 2_600 };
    let library = noise(&format!("{name} {architecture}"), kilobytes * 1000);
    archive(&[("etc/os-release", release.as_bytes()), ("usr/lib/libc.so", &library)])
}

fn built(spec: &Spec) -> String {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * spec.days);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Pushes an image for one platform by its digest; returns its descriptor.
async fn push_platform(
    client: &mut Client,
    repository: &str,
    spec: &Spec,
    platform: (&str, &str, Option<&str>),
) -> anyhow::Result<Value> {
    let (os, architecture, variant) = platform;
    let name = format!("{} {} {architecture}", spec.program, spec.version);
    let bottom = base(spec.base, architecture);
    let program = noise(&name, spec.kilobytes * 1000);
    let path = format!("app/{}", spec.program);
    let top = archive(&[(&path, &program), ("app/VERSION", spec.version.as_bytes())]);
    let created = built(spec);
    let mut config = json!({
        "created": created,
        "os": os,
        "architecture": architecture,
        "config": {
            "User": "1000:1000",
            "ExposedPorts": { "8080/tcp": {} },
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                format!("APP_VERSION={}", spec.version),
                "API_TOKEN=not-a-real-secret",
            ],
            "Entrypoint": [format!("/app/{}", spec.program)],
            "Cmd": ["serve"],
            "WorkingDir": "/app",
            "Labels": {
                "org.opencontainers.image.title": spec.program,
                "org.opencontainers.image.version": spec.version,
                "org.opencontainers.image.source": spec.source,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [Algorithm::Sha256.digest(&bottom).to_string(), Algorithm::Sha256.digest(&top).to_string()] },
        "history": [
            { "created": created, "created_by": format!("ADD {}-rootfs.tar / # buildkit", spec.base), "comment": "buildkit.dockerfile.v0" },
            { "created": created, "created_by": format!("ENV APP_VERSION={}", spec.version), "empty_layer": true },
            { "created": created, "created_by": format!("COPY target/release/{} /app/ # buildkit", spec.program), "comment": "buildkit.dockerfile.v0" },
            { "created": created, "created_by": format!("ENTRYPOINT [\"/app/{}\"]", spec.program), "empty_layer": true },
        ],
    });
    if let Some(variant) = variant {
        config["variant"] = json!(variant);
    }
    let config = Bytes::from(config.to_string());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &bottom), descriptor(LAYER, &top)],
        "annotations": {
            "org.opencontainers.image.created": created,
            "org.opencontainers.image.description": spec.description,
            "org.opencontainers.image.documentation": format!("{}/wiki", spec.source),
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.source": spec.source,
            "org.opencontainers.image.version": spec.version,
        },
    });
    let manifest = Bytes::from(manifest.to_string());
    let mut described = descriptor(MANIFEST, &manifest);
    for blob in [bottom, top, config] {
        client.push_blob(repository, blob).await?;
    }
    client.push_manifest(repository, &Algorithm::Sha256.digest(&manifest).to_string(), MANIFEST, manifest).await?;
    described["platform"] = json!({ "os": os, "architecture": architecture });
    if let Some(variant) = variant {
        described["platform"]["variant"] = json!(variant);
    }
    Ok(described)
}

/// Pushes an image for several platforms under tags; returns the digest of the index.
pub(super) async fn push(
    client: &mut Client,
    repository: &str,
    spec: &Spec,
    tags: &[String],
) -> anyhow::Result<String> {
    let mut children = Vec::new();
    for platform in [("linux", "amd64", None), ("linux", "arm64", Some("v8"))] {
        children.push(push_platform(client, repository, spec, platform).await?);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": children,
        "annotations": {
            "org.opencontainers.image.created": built(spec),
            "org.opencontainers.image.description": spec.description,
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.source": spec.source,
            "org.opencontainers.image.version": spec.version,
        },
    });
    let index = Bytes::from(index.to_string());
    for tag in tags {
        client.push_manifest(repository, tag, INDEX, index.clone()).await?;
    }
    Ok(Algorithm::Sha256.digest(&index).to_string())
}

/// Pushes what refers to an image: a document of a kind, such as a list of what is in it.
pub(super) async fn attach(
    client: &mut Client,
    repository: &str,
    subject: &str,
    size: usize,
    kind: &str,
    document: &Value,
) -> anyhow::Result<()> {
    let content = Bytes::from(document.to_string());
    let empty = Bytes::from_static(b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": descriptor(EMPTY, &empty),
        "layers": [descriptor(kind, &content)],
        "subject": { "mediaType": INDEX, "digest": subject, "size": size },
        "annotations": { "org.opencontainers.image.created": Timestamp::now().to_string() },
    });
    let manifest = Bytes::from(manifest.to_string());
    for blob in [content, empty] {
        client.push_blob(repository, blob).await?;
    }
    client.push_manifest(repository, &Algorithm::Sha256.digest(&manifest).to_string(), MANIFEST, manifest).await
}

/// Pushes files that are no image.
pub(super) async fn push_files(
    client: &mut Client,
    repository: &str,
    tag: &str,
    kind: &str,
    files: &[(&str, Vec<u8>)],
) -> anyhow::Result<()> {
    let empty = Bytes::from_static(b"{}");
    client.push_blob(repository, empty.clone()).await?;
    let mut layers = Vec::new();
    for (name, content) in files {
        let mut layer = descriptor("application/octet-stream", content);
        layer["annotations"] = json!({ "org.opencontainers.image.title": name });
        layers.push(layer);
        client.push_blob(repository, content.clone().into()).await?;
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": descriptor(EMPTY, &empty),
        "layers": layers,
    });
    client.push_manifest(repository, tag, MANIFEST, Bytes::from(manifest.to_string())).await
}

#[cfg(test)]
mod tests {
    use super::{archive, noise};

    #[test]
    fn noise_is_the_same_every_time_and_as_long_as_asked_for() {
        assert_eq!(noise("a", 1001), noise("a", 1001));
        assert_ne!(noise("a", 16), noise("b", 16));
        assert_eq!([noise("a", 0).len(), noise("a", 7).len()], [0, 7]);
    }

    #[test]
    fn an_archive_is_made_of_blocks_and_its_sums_are_right() {
        let bytes = archive(&[("a/b", b"hello"), ("c", b"")]);
        assert_eq!(bytes.len(), 512 * 3 + 1024);
        for at in [0, 1024] {
            let header = &bytes[at..at + 512];
            let sum = u32::from_str_radix(std::str::from_utf8(&header[148..154]).unwrap(), 8).unwrap();
            let seen: u32 = header
                .iter()
                .enumerate()
                .map(|(i, byte)| if (148..156).contains(&i) { 32 } else { u32::from(*byte) })
                .sum();
            assert_eq!(sum, seen);
        }
        assert_eq!(&bytes[512..517], b"hello");
    }
}
