//! What kinds of things are called.

use crate::http::web::view::View;
use crate::registry::images::{Attachment, Kind};

/// What a manifest is called.
pub fn kind(v: &View, kind: &Kind) -> String {
    match kind {
        Kind::Index => v.t("image-kind-index"),
        Kind::Image => v.t("image-kind-image"),
        Kind::Chart => v.t("image-kind-chart"),
        Kind::Wasm => v.t("image-kind-wasm"),
        Kind::Model => v.t("image-kind-model"),
        Kind::Files => v.t("image-kind-files"),
        Kind::Attachment(kind) => attachment(v, kind),
    }
}

/// What is attached is called.
pub fn attachment(v: &View, kind: &Attachment) -> String {
    match kind {
        Attachment::CosignSignature => v.t("image-attached-cosign"),
        Attachment::NotationSignature => v.t("image-attached-notation"),
        Attachment::Spdx => v.t("image-attached-spdx"),
        Attachment::CycloneDx => v.t("image-attached-cyclonedx"),
        Attachment::Sbom => v.t("image-attached-sbom"),
        Attachment::Provenance => v.t("image-attached-provenance"),
        Attachment::Vulnerabilities => v.t("image-attached-vulnerabilities"),
        Attachment::Vex => v.t("image-attached-vex"),
        Attachment::Attestation => v.t("image-attached-attestation"),
        Attachment::Bundle => v.t("image-attached-bundle"),
        Attachment::Other(name) if name.is_empty() => v.t("image-attached-other"),
        Attachment::Other(name) => name.clone(),
    }
}

/// What a media type stands for, in words; nothing where its own name has to do.
pub fn media_type(v: &View, media_type: &str) -> Option<String> {
    let has = |part: &str| media_type.contains(part);
    let key = if has("gguf") || has("safetensors") || has("image.model") || has("model.weight") {
        "image-file-weights"
    } else if has("license") {
        "image-file-license"
    } else if has("image.template") || has("image.params") || has("image.system") || has("model.weight.config") {
        "image-file-settings"
    } else if has("image.adapter") || has("lora") {
        "image-file-adapter"
    } else if has("image.projector") || has("mmproj") {
        "image-file-projector"
    } else if has("wasm") {
        "image-file-wasm"
    } else if has("helm.chart.provenance") {
        "image-file-provenance"
    } else if has("helm.chart.content") {
        "image-file-chart"
    } else if has("in-toto") || has("dsse") {
        "image-attached-attestation"
    } else if has("simplesigning") {
        "image-attached-cosign"
    } else if has("json") {
        "image-file-json"
    } else if has("tar") {
        "image-file-archive"
    } else if media_type.starts_with("text/") {
        "image-file-text"
    } else {
        return None;
    };
    Some(v.t(key))
}

/// Whether what is attached is a signature.
pub fn is_signature(kind: &Attachment) -> bool {
    matches!(kind, Attachment::CosignSignature | Attachment::NotationSignature)
}
