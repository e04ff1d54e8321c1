//! What is pushed: blobs, images, indexes, artifacts.

use bytes::Bytes;
use oci::media_type::{OCI_EMPTY, OCI_INDEX, OCI_MANIFEST};
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub fn sha256(bytes: &[u8]) -> Digest {
    Algorithm::Sha256.digest(bytes)
}

pub fn sha512(bytes: &[u8]) -> Digest {
    Algorithm::Sha512.digest(bytes)
}

/// Bytes of a length of which no two stretches are alike; another seed gives others.
pub fn blob(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = vec![0; len];
    for word in bytes.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        word.copy_from_slice(&state.to_le_bytes()[..word.len()]);
    }
    bytes.into()
}

/// The descriptor of a content.
pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes).to_string(), "size": bytes.len() })
}

/// A manifest that is put together member by member.
#[derive(Debug, Clone)]
pub struct Manifest(Value);

impl Manifest {
    /// An image of a config and layers.
    pub fn image(config: &[u8], layers: &[&[u8]]) -> Self {
        let layers: Vec<Value> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
        Self(json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(CONFIG, config),
            "layers": layers,
        }))
    }

    /// An index of manifests.
    pub fn index(children: &[&Self]) -> Self {
        let child = |child: &&Self| descriptor(&child.media_type(), &child.bytes());
        let children: Vec<Value> = children.iter().map(child).collect();
        Self(json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }))
    }

    /// An artifact without a config or layers of its own: both are the empty blob `{}`.
    pub fn artifact(artifact_type: &str) -> Self {
        Self(json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": descriptor(OCI_EMPTY, b"{}"),
            "layers": [descriptor(OCI_EMPTY, b"{}")],
        }))
    }

    /// Has it refer to another manifest.
    pub fn subject(self, subject: &Self) -> Self {
        self.with("subject", descriptor(&subject.media_type(), &subject.bytes()))
    }

    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.0["annotations"][key] = value.into();
        self
    }

    /// Sets any member.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0[member] = value.into();
        self
    }

    pub fn without(mut self, member: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(member);
        self
    }

    pub fn media_type(&self) -> String {
        self.0["mediaType"].as_str().unwrap().to_owned()
    }

    pub fn bytes(&self) -> Bytes {
        serde_json::to_vec(&self.0).unwrap().into()
    }

    pub fn digest(&self) -> Digest {
        sha256(&self.bytes())
    }
}

/// An image of one layer, small, and unlike any of another seed.
#[derive(Debug, Clone)]
pub struct Image {
    pub config: Bytes,
    pub layer: Bytes,
    pub manifest: Manifest,
}

impl Image {
    pub fn new(seed: &str) -> Self {
        let config = Bytes::from(json!({ "architecture": "amd64", "os": "linux", "seed": seed }).to_string());
        let layer = Bytes::from(format!("the layer of {seed}"));
        let manifest = Manifest::image(&config, &[&layer]);
        Self { config, layer, manifest }
    }

    pub fn digest(&self) -> Digest {
        self.manifest.digest()
    }
}
