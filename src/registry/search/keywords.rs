//! What an image says of itself: words of the annotations of its manifest and of the labels in its configuration.

use std::collections::BTreeMap;

use oci::{Digest, Manifest};
use serde::Deserialize;

use crate::blobs::Location;
use crate::db::keywords::{self, Image};
use crate::registry::Registry;

/// A configuration of more bytes than this is left unread: one with labels has a few thousand.
const CONFIG: usize = 256 * 1024;
/// Of all that an image says at most this many bytes are kept.
const KEPT: usize = 2048;
/// Of one annotation or label at most this many characters.
const VALUE: usize = 256;

/// The part of a configuration that is looked at.
#[derive(Debug, Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Option<Labelled>,
}

#[derive(Debug, Default, Deserialize)]
struct Labelled {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// What the image of a manifest says of itself; of an index, what it says and what its first image says. Nothing where it
/// cannot be read: search does without.
pub async fn of(registry: &Registry, repository: i64, manifest: i64) -> Option<String> {
    let image = registry.db.read(move |tx| keywords::image(tx, manifest)).await.ok()??;
    let mut said = String::new();
    // A signature or the like says nothing of what the repository holds.
    let parsed = parse(&image).filter(|image| image.subject.is_none())?;
    say(&mut said, &parsed.annotations);
    let own = match parsed.manifests.first().map(|child| child.digest) {
        None => Some(parsed),
        Some(child) => {
            let image = registry.db.read(move |tx| keywords::child(tx, repository, &child)).await.ok()?;
            let parsed = image.as_ref().and_then(parse);
            if let Some(parsed) = &parsed {
                say(&mut said, &parsed.annotations);
            }
            parsed
        }
    };
    if let Some(config) = own.and_then(|image| image.config)
        && config.size <= CONFIG as u64
    {
        say(&mut said, &labels(registry, repository, config.digest).await.unwrap_or_default());
    }
    Some(said)
}

fn parse(image: &Image) -> Option<Manifest> {
    Manifest::parse(&image.content, Some(&image.media_type)).ok()
}

/// The labels of a configuration that the repository holds.
async fn labels(registry: &Registry, repository: i64, digest: Digest) -> Option<BTreeMap<String, String>> {
    let location = registry.db.read(move |tx| keywords::location(tx, repository, &digest)).await.ok()??;
    let reader = registry.blobs.open(&Location::parse(&location)?).await.ok()?;
    let bytes = reader.read(CONFIG).await.ok()??;
    serde_json::from_slice::<Configuration>(&bytes).ok()?.config?.labels
}

/// Adds what stands under each key, while there is room.
fn say(said: &mut String, pairs: &BTreeMap<String, String>) {
    for value in pairs.values() {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VALUE).collect();
        if said.len() + value.len() < KEPT {
            said.push_str(&value);
            said.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Configuration, KEPT, say};

    #[test]
    fn labels_are_read_from_whatever_else_there_is_and_bounded() {
        let text = r#"{"config":{"Labels":{"vendor":"Acme\u0000 Ltd"},"Env":null},"rootfs":{}}"#;
        let labels = serde_json::from_str::<Configuration>(text).unwrap().config.unwrap().labels.unwrap();
        let mut said = String::new();
        say(&mut said, &labels);
        assert_eq!(said, "Acme  Ltd ");
        for none in ["{}", r#"{"config":null}"#, r#"{"config":{"Labels":null}}"#] {
            let read = serde_json::from_str::<Configuration>(none).unwrap();
            assert!(read.config.and_then(|config| config.labels).is_none());
        }
        let many: BTreeMap<String, String> = (0..1000).map(|n| (n.to_string(), "é".repeat(9999))).collect();
        say(&mut said, &many);
        assert!(said.len() < KEPT + 1 && said.len() > KEPT / 2);
    }
}
