//! The style sheet, the script and the mark, within the binary. Their URLs hold their hash, so that browsers keep them for
//! good and never show an old one.

use std::sync::LazyLock;

use bytes::Bytes;
use http::Method;
use sha2::{Digest as _, Sha256};

use super::answer::Answer;

/// One file that browsers fetch.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: Bytes,
    hash: String,
}

impl Asset {
    fn new(name: &'static str, media_type: &'static str, parts: &[&str]) -> Self {
        let content = parts.concat();
        let hash = Sha256::digest(content.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { name, media_type, content: content.into(), hash }
    }
}

/// Each file under the name by which pages know it.
static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        Asset::new("app.css", "text/css; charset=utf-8", STYLES),
        Asset::new("app.js", "text/javascript; charset=utf-8", SCRIPTS),
        Asset::new("icons.svg", "image/svg+xml", &[include_str!("../../../assets/icons.svg")]),
        Asset::new("favicon.svg", "image/svg+xml", &[include_str!("../../../assets/favicon.svg")]),
        Asset::new("mark.svg", "image/svg+xml", &[include_str!("../../../assets/mark.svg")]),
    ]
});

const STYLES: &[&str] = &[
    include_str!("../../../assets/css/10-tokens.css"),
    include_str!("../../../assets/css/20-base.css"),
    include_str!("../../../assets/css/30-layout.css"),
    include_str!("../../../assets/css/40-forms.css"),
    include_str!("../../../assets/css/50-tables.css"),
    include_str!("../../../assets/css/60-components.css"),
    include_str!("../../../assets/css/70-pages.css"),
    include_str!("../../../assets/css/80-explore.css"),
    include_str!("../../../assets/css/81-account.css"),
    include_str!("../../../assets/css/81-image.css"),
    include_str!("../../../assets/css/81-organisation.css"),
    include_str!("../../../assets/css/82-repository.css"),
    include_str!("../../../assets/css/90-print.css"),
];

const SCRIPTS: &[&str] = &[
    include_str!("../../../assets/js/10-base.js"),
    include_str!("../../../assets/js/20-copy.js"),
    include_str!("../../../assets/js/30-commands.js"),
    include_str!("../../../assets/js/40-search.js"),
    include_str!("../../../assets/js/50-preferences.js"),
    include_str!("../../../assets/js/60-forms.js"),
    include_str!("../../../assets/js/70-times.js"),
];

/// The path of an asset, as pages name it.
pub(super) fn url(name: &str) -> String {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    found.map_or_else(String::new, |asset| format!("/-/assets/{}/{name}", asset.hash))
}

/// The answer for an asset, if it is one that is asked for. One of an earlier version is answered with that of today, and not
/// kept.
pub(super) fn find(method: &Method, path: &str) -> Option<Answer> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let (hash, name) = match path {
        "/favicon.ico" => ("", "favicon.svg"),
        _ => path.strip_prefix("/-/assets/")?.split_once('/')?,
    };
    let asset = ASSETS.iter().find(|asset| asset.name == name)?;
    Some(Answer::asset(asset.media_type, asset.content.clone(), asset.hash == hash))
}
