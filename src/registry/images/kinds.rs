//! What a manifest is, and what is attached to it, by the media types that programs agreed on.

/// What a manifest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Several manifests, one for each platform.
    Index,
    /// A container image.
    Image,
    /// A Helm chart.
    Chart,
    /// A module of WebAssembly.
    Wasm,
    /// A model of machine learning.
    Model,
    /// What says something of another manifest.
    Attachment(Attachment),
    /// Files of any kind.
    Files,
}

/// What says something of another manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attachment {
    /// A signature made by cosign.
    CosignSignature,
    /// A signature made by notation.
    NotationSignature,
    /// A list of what is in it, as SPDX.
    Spdx,
    /// A list of what is in it, as CycloneDX.
    CycloneDx,
    /// A list of what is in it, of another kind.
    Sbom,
    /// How it was built: in-toto with a predicate of SLSA.
    Provenance,
    /// Known vulnerabilities.
    Vulnerabilities,
    /// Which vulnerabilities do not matter.
    Vex,
    /// Any other statement of in-toto.
    Attestation,
    /// A bundle of Sigstore that says no more.
    Bundle,
    /// Something else: its artifact type.
    Other(String),
}

impl Attachment {
    /// What an artifact type, or else a media type, and the type of a statement's predicate stand for.
    pub fn of(artifact_type: &str, predicate: Option<&str>) -> Self {
        Self::known(artifact_type, predicate).unwrap_or_else(|| Self::Other(artifact_type.to_owned()))
    }

    /// The same; nothing for a type that is not known.
    pub fn known(artifact_type: &str, predicate: Option<&str>) -> Option<Self> {
        let kind = artifact_type.split([';', ' ']).next().unwrap_or_default().to_ascii_lowercase();
        let has = |part: &str| kind.contains(part);
        Some(if has("dev.cosign") && (has(".sig") || has("simplesigning")) {
            Self::CosignSignature
        } else if has("cncf.notary.signature") {
            Self::NotationSignature
        } else if let Some(predicate) = predicate {
            Self::of_predicate(predicate)
        } else if has("spdx") {
            Self::Spdx
        } else if has("cyclonedx") {
            Self::CycloneDx
        } else if has("openvex") || has("vex+json") {
            Self::Vex
        } else if has("sarif") || has("vulnerab") || has("trivy") {
            Self::Vulnerabilities
        } else if has("sbom") || has("syft") {
            Self::Sbom
        } else if has("provenance") {
            Self::Provenance
        } else if has("in-toto") || has("dsse.envelope") || (has("dev.cosign") && has(".att")) {
            Self::Attestation
        } else if has("dev.sigstore.bundle") {
            Self::Bundle
        } else {
            return None;
        })
    }

    /// What a statement of in-toto says.
    pub fn of_predicate(predicate: &str) -> Self {
        let predicate = predicate.to_ascii_lowercase();
        let has = |part: &str| predicate.contains(part);
        if has("spdx") {
            Self::Spdx
        } else if has("cyclonedx") {
            Self::CycloneDx
        } else if has("slsa.dev/provenance") || has("provenance") {
            Self::Provenance
        } else if has("openvex") || has("/vex") {
            Self::Vex
        } else if has("vuln") || has("scai") {
            Self::Vulnerabilities
        } else if has("cosign/sign/") {
            Self::CosignSignature
        } else {
            Self::Attestation
        }
    }

    /// What cosign of old said by the end of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Some(match tag.rsplit_once('.')?.1 {
            "sig" => Self::CosignSignature,
            "att" => Self::Attestation,
            "sbom" => Self::Sbom,
            _ => return None,
        })
    }
}

/// What a manifest without children is, by its artifact type, and the media types of its config and its layers.
pub(super) fn of_manifest<'a>(artifact_type: &str, config: &str, mut layers: impl Iterator<Item = &'a str>) -> Kind {
    if artifact_type.contains("cncf.helm") || config.contains("cncf.helm.config") {
        return Kind::Chart;
    }
    let model = ["docker.ai.", "cncf.model.", "kitops.modelkit", "ollama."];
    let is_model = |text: &str| model.iter().any(|part| text.contains(part));
    let is_wasm = |text: &str| text.contains("wasm");
    if is_model(artifact_type) || is_model(config) {
        return Kind::Model;
    }
    if is_wasm(artifact_type) || is_wasm(config) {
        return Kind::Wasm;
    }
    if let Some(kind) = Attachment::known(artifact_type, None) {
        return Kind::Attachment(kind);
    }
    let image = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
    let first = layers.next().unwrap_or_default();
    // Ollama calls its config one of Docker's, and cosign of old one of an image.
    if is_model(first) {
        return Kind::Model;
    }
    if let Some(kind) = Attachment::known(first, None).filter(|_| !first.contains("image.")) {
        return Kind::Attachment(kind);
    }
    if image.contains(&config) && (artifact_type.is_empty() || artifact_type == config) {
        return Kind::Image;
    }
    if is_wasm(first) { Kind::Wasm } else { Kind::Files }
}

#[cfg(test)]
mod tests {
    use super::{Attachment, Kind, of_manifest};

    const IMAGE: &str = "application/vnd.oci.image.config.v1+json";
    const EMPTY: &str = "application/vnd.oci.empty.v1+json";

    #[test]
    fn attachments_are_told_by_their_types() {
        for (artifact_type, predicate, expected) in [
            ("application/vnd.dev.cosign.artifact.sig.v1+json", None, Attachment::CosignSignature),
            ("application/vnd.dev.cosign.simplesigning.v1+json", None, Attachment::CosignSignature),
            ("application/vnd.cncf.notary.signature", None, Attachment::NotationSignature),
            ("application/spdx+json", None, Attachment::Spdx),
            ("text/spdx", None, Attachment::Spdx),
            ("application/vnd.cyclonedx+json;version=1.5", None, Attachment::CycloneDx),
            ("application/vnd.in-toto+json", Some("https://slsa.dev/provenance/v1"), Attachment::Provenance),
            ("application/vnd.in-toto+json", Some("https://spdx.dev/Document"), Attachment::Spdx),
            ("application/vnd.in-toto+json", Some("https://example.org/review"), Attachment::Attestation),
            ("application/vnd.in-toto+json", None, Attachment::Attestation),
            ("application/vnd.dev.sigstore.bundle.v0.3+json", Some("https://cyclonedx.org/bom"), Attachment::CycloneDx),
            (
                "application/vnd.dev.sigstore.bundle.v0.3+json",
                Some("https://sigstore.dev/cosign/sign/v1"),
                Attachment::CosignSignature,
            ),
            ("application/vnd.dev.sigstore.bundle.v0.3+json", None, Attachment::Bundle),
            ("application/sarif+json", None, Attachment::Vulnerabilities),
            ("application/x-own", None, Attachment::Other("application/x-own".to_owned())),
            ("", None, Attachment::Other(String::new())),
        ] {
            assert_eq!(Attachment::of(artifact_type, predicate), expected, "{artifact_type} {predicate:?}");
        }
        assert_eq!(Attachment::of_tag("sha256-0a.sig"), Some(Attachment::CosignSignature));
        assert_eq!(Attachment::of_tag("latest"), None);
    }

    #[test]
    fn manifests_are_told_by_their_types() {
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        for (artifact_type, config, first, expected) in [
            (IMAGE, IMAGE, layer, Kind::Image),
            ("", "application/vnd.docker.container.image.v1+json", layer, Kind::Image),
            (
                "application/vnd.cncf.helm.config.v1+json",
                "application/vnd.cncf.helm.config.v1+json",
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                Kind::Chart,
            ),
            (
                "application/vnd.wasm.config.v0+json",
                "application/vnd.wasm.config.v0+json",
                "application/wasm",
                Kind::Wasm,
            ),
            ("", EMPTY, "application/wasm", Kind::Wasm),
            (IMAGE, IMAGE, "application/vnd.ollama.image.model", Kind::Model),
            ("application/vnd.docker.ai.model.config.v0.1+json", "", "application/vnd.docker.ai.gguf.v3", Kind::Model),
            (
                IMAGE,
                IMAGE,
                "application/vnd.dev.cosign.simplesigning.v1+json",
                Kind::Attachment(Attachment::CosignSignature),
            ),
            (IMAGE, IMAGE, "application/vnd.in-toto+json", Kind::Attachment(Attachment::Attestation)),
            ("application/spdx+json", EMPTY, EMPTY, Kind::Attachment(Attachment::Spdx)),
            ("application/x-own", EMPTY, "text/plain", Kind::Files),
            (EMPTY, EMPTY, EMPTY, Kind::Files),
        ] {
            assert_eq!(of_manifest(artifact_type, config, [first].into_iter()), expected, "{artifact_type} {first}");
        }
    }
}
