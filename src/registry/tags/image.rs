//! What one image is, read from its manifest and configuration: its layers, how it runs, what it says of itself.
//!
//! Nothing here counts as a pull. Everything that is read was written by strangers: it is bounded, and what cannot be read is
//! left out, for the page is about the rest too.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use oci::{Descriptor, Digest, Manifest, Platform, Reference, RepositoryName};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::blobs::Reader;
use crate::db::Tx;
use crate::db::manifests::{self, ManifestRow};
use crate::registry::{Ctx, Error, Registry, blobs};

/// Longest configuration that is read, in bytes.
const MAX_CONFIG: u64 = 4 * 1024 * 1024;
/// Longest manifest that is summed up, in bytes: a thousand layers take less.
const MAX_MANIFEST: usize = 256 * 1024;
/// Most children of an index that are looked at.
pub(in crate::registry) const CHILDREN: usize = 64;
/// Longest word of a platform.
const MAX_WORD: usize = 32;

/// The media types of configurations of images.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

pub(in crate::registry) fn parse(row: &ManifestRow) -> Option<Manifest> {
    let bounded = row.content.len() <= MAX_MANIFEST;
    bounded.then(|| Manifest::parse(&row.content, Some(&row.media_type)).ok()).flatten()
}

pub(in crate::registry) fn size_of(manifest: &Manifest) -> u64 {
    let parts = manifest.config.iter().chain(&manifest.layers);
    parts.fold(0, |sum: u64, part| sum.saturating_add(part.size))
}

/// Whether a manifest is a container's image.
pub(in crate::registry) fn is_image(manifest: &Manifest) -> bool {
    manifest.config.as_ref().is_some_and(|config| CONFIGS.contains(&config.media_type.as_str()))
}

pub(in crate::registry) async fn children(
    registry: &Registry,
    manifest_id: i64,
) -> Result<HashMap<Digest, ManifestRow>, Error> {
    let load = move |tx: &mut Tx<'_>| manifests::children(tx, manifest_id, MAX_MANIFEST as i64, CHILDREN as i64 * 2);
    Ok(registry.db.scan(load).await?.into_iter().map(|row| (row.digest, row)).collect())
}

/// What build tools put into an index beside its images: provenance, lists of parts.
pub(in crate::registry) fn is_attestation(descriptor: &Descriptor) -> bool {
    descriptor.annotations.contains_key("vnd.docker.reference.type")
        || descriptor.platform.as_ref().is_some_and(|platform| platform.os.as_deref() == Some("unknown"))
}

pub(in crate::registry) fn platform_of(platform: &Platform) -> Option<String> {
    words(platform.os.as_deref(), platform.architecture.as_deref(), platform.variant.as_deref())
}

/// A platform in words; nothing where they are none that anybody writes.
fn words(os: Option<&str>, architecture: Option<&str>, variant: Option<&str>) -> Option<String> {
    let plain = |word: &&str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !word.is_empty() && word.len() <= MAX_WORD && word.bytes().all(fits)
    };
    let mut text = format!("{}/{}", os.filter(plain)?, architecture.filter(plain)?);
    if let Some(variant) = variant.filter(plain) {
        text.push('/');
        text.push_str(variant);
    }
    Some(text)
}

/// The configuration of an image, as far as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Configuration {
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    variant: Option<String>,
    /// When the image was made, as it says itself.
    #[serde(default)]
    pub created: Option<String>,
    #[serde(default)]
    config: Option<Execution>,
}

/// How a container of an image runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Execution {
    user: Option<String>,
    exposed_ports: Option<BTreeMap<String, Ignored>>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    stop_signal: Option<String>,
    volumes: Option<BTreeMap<String, Ignored>>,
}

/// A value of no interest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A setting of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The program.
    Entrypoint,
    /// Its arguments.
    Command,
    /// The directory it starts in.
    Directory,
    /// The user it runs as.
    User,
    /// What it listens on.
    Ports,
    /// Where it keeps data.
    Volumes,
    /// What stops it.
    Signal,
    /// A variable of its environment.
    Variable,
    /// A label.
    Label,
}

impl Configuration {
    /// What it runs on.
    #[must_use]
    pub fn platform(&self) -> Option<String> {
        words(self.os.as_deref(), self.architecture.as_deref(), self.variant.as_deref())
    }

    /// A label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// Every setting: what it is, its name where it has one, and its value. Values that look secret are not among them.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<(Setting, String), Value> {
        let mut all = BTreeMap::new();
        let Some(config) = &self.config else { return all };
        let mut set = |setting, name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                all.insert((setting, name.to_owned()), Value::Shown(value));
            }
        };
        let list = |list: &Option<Vec<String>>| list.as_ref().and_then(|list| serde_json::to_string(list).ok());
        let keys = |map: &Option<BTreeMap<String, Ignored>>| {
            map.as_ref().map(|map| map.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        set(Setting::Entrypoint, "", list(&config.entrypoint));
        set(Setting::Command, "", list(&config.cmd));
        set(Setting::Directory, "", config.working_dir.clone());
        set(Setting::User, "", config.user.clone());
        set(Setting::Ports, "", keys(&config.exposed_ports));
        set(Setting::Volumes, "", keys(&config.volumes));
        set(Setting::Signal, "", config.stop_signal.clone());
        for (name, value) in config.labels.iter().flatten() {
            set(Setting::Label, name, Some(value.clone()));
        }
        for pair in config.env.iter().flatten() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = if is_secret(name) { Value::Masked } else { Value::Shown(value.to_owned()) };
            all.insert((Setting::Variable, name.to_owned()), value);
        }
        all
    }
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// What anybody who may read the image may see.
    Shown(String),
    /// One that looks secret. It is no secret to who pulls the image, but need not be on a screen.
    Masked,
}

/// Whether the name of a variable says that its value is a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "api_key",
        "private",
        "credential",
        "auth",
        "access_key",
        "license_key",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) || name.ends_with("_key") || name.ends_with("_pass") || name == "key"
}

/// Reads the configuration of an image; nothing where it is not there, or is none.
pub(in crate::registry) async fn configuration(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    manifest: &Manifest,
) -> Result<Option<Configuration>, Error> {
    let Some(descriptor) = &manifest.config else { return Ok(None) };
    let content = read(registry, ctx, repository, &descriptor.digest, MAX_CONFIG).await?;
    Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
}

/// Reads a whole blob of a repository that has at most `limit` bytes; nothing where it cannot be had.
async fn read(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digest: &Digest,
    limit: u64,
) -> Result<Option<Bytes>, Error> {
    let blob = match blobs::find(registry, ctx, repository, digest).await {
        Ok(blob) if blob.size <= limit => blob,
        Ok(_) | Err(Error::BlobUnknown { .. } | Error::BlobDamaged(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let reader = match blobs::open(registry, ctx, &blob).await {
        Ok(reader) => reader,
        Err(Error::BlobDamaged(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    match reader {
        Reader::Memory(bytes) => Ok(Some(bytes)),
        Reader::File { file, len } => {
            let read = move || {
                let mut bytes = vec![0; usize::try_from(len).ok()?];
                file.read_exact_at(&mut bytes, 0).ok()?;
                Some(Bytes::from(bytes))
            };
            Ok(tokio::task::spawn_blocking(read).await.ok().flatten())
        }
    }
}

/// What an image says of itself, in the words of the image specification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Where its source is.
    pub source: Option<String>,
    /// Where it is described.
    pub documentation: Option<String>,
    /// Where to learn more.
    pub url: Option<String>,
    /// Under which licences it stands.
    pub licenses: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// Longest note that is shown, in bytes.
const MAX_NOTE: usize = 2 * 1024;
/// Longest description that is shown, in bytes.
const MAX_DESCRIPTION: usize = 64 * 1024;

/// Reads what an image says of itself: its annotations, of an index those of the image for most machines after its own, and
/// the labels of the configuration, where many build tools write them.
pub async fn notes(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Notes, Error> {
    let (name, digest) = (repository.clone(), *digest);
    let row = registry.db.read(move |tx: &mut Tx<'_>| manifests::by_digest(tx, &name, &digest)).await?;
    let Some((row, manifest)) = row.and_then(|row| parse(&row).map(|manifest| (row, manifest))) else {
        return Ok(Notes::default());
    };
    let mut annotations = vec![manifest.annotations.clone()];
    let image = match manifest.kind.is_index() {
        false => Some(manifest),
        true => {
            let children = children(registry, row.keys.manifest).await?;
            let chosen = preferred(&manifest, None).and_then(|child| children.get(&child.digest));
            chosen.and_then(parse)
        }
    };
    let mut config = None;
    if let Some(image) = image {
        config = if is_image(&image) { configuration(registry, ctx, repository, &image).await? } else { None };
        annotations.push(image.annotations);
    }
    let note = |name: &str, limit: usize| {
        let name = format!("org.opencontainers.image.{name}");
        let annotated = annotations.iter().find_map(|map| map.get(&name)).map(String::as_str);
        let text = annotated.or_else(|| config.as_ref().and_then(|config| config.label(&name)))?;
        let text = text.trim();
        Some(cut(text, limit).to_owned()).filter(|text| !text.is_empty())
    };
    Ok(Notes {
        source: note("source", MAX_NOTE),
        documentation: note("documentation", MAX_NOTE),
        url: note("url", MAX_NOTE),
        licenses: note("licenses", MAX_NOTE),
        description: note("description", MAX_DESCRIPTION),
    })
}

/// The beginning of a text, of at most so many bytes.
#[must_use]
pub fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// The image of an index for a platform, or else for most machines, or else the first.
fn preferred<'m>(index: &'m Manifest, platform: Option<&str>) -> Option<&'m Descriptor> {
    let images = || index.manifests.iter().filter(|child| !is_attestation(child)).take(CHILDREN);
    let on = |wanted: &str| {
        images().find(|child| child.platform.as_ref().and_then(platform_of).is_some_and(|found| found == wanted))
    };
    platform.and_then(on).or_else(|| on("linux/amd64")).or_else(|| images().next())
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes a pull of it takes.
    pub size: u64,
}

/// One image, for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The digest of what was asked for, which may be an index.
    pub digest: Digest,
    /// What it runs on.
    pub platform: Option<String>,
    /// What it could be had for.
    pub platforms: Vec<String>,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// How many bytes a pull takes.
    pub size: u64,
    /// Its configuration, where it could be read.
    pub configuration: Configuration,
}

/// Finds an image without pulling it; of an index, that for a platform.
pub async fn find(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    reference: &Reference,
    platform: Option<&str>,
) -> Result<Image, Error> {
    let unknown = || Error::ManifestUnknown { repository: repository.clone(), reference: reference.clone() };
    let (name, wanted) = (repository.clone(), reference.clone());
    let look = move |tx: &mut Tx<'_>| match &wanted {
        Reference::Tag(tag) => manifests::by_tag(tx, &name, tag),
        Reference::Digest(digest) => manifests::by_digest(tx, &name, digest),
    };
    let row = registry.db.read(look).await?.ok_or_else(unknown)?;
    let mut image = Image {
        digest: row.digest,
        platform: None,
        platforms: Vec::new(),
        layers: Vec::new(),
        size: 0,
        configuration: Configuration::default(),
    };
    let manifest = match parse(&row) {
        Some(index) if index.kind.is_index() => {
            let images = index.manifests.iter().filter(|child| !is_attestation(child)).take(CHILDREN);
            image.platforms = images.filter_map(|child| child.platform.as_ref().and_then(platform_of)).collect();
            let Some(child) = preferred(&index, platform) else { return Ok(image) };
            image.platform = child.platform.as_ref().and_then(platform_of);
            children(registry, row.keys.manifest).await?.get(&child.digest).and_then(parse)
        }
        found => found,
    };
    let Some(manifest) = manifest else { return Ok(image) };
    image.size = size_of(&manifest);
    image.layers = manifest.layers.iter().map(|layer| Layer { digest: layer.digest, size: layer.size }).collect();
    if is_image(&manifest)
        && let Some(configuration) = configuration(registry, ctx, repository, &manifest).await?
    {
        image.platform = image.platform.or_else(|| configuration.platform());
        image.configuration = configuration;
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::{Configuration, Setting, Value, cut, is_secret, words};

    #[test]
    fn a_platform_is_made_of_plain_words_only() {
        assert_eq!(words(Some("linux"), Some("arm64"), Some("v8")).unwrap(), "linux/arm64/v8");
        assert_eq!(words(Some("linux"), Some("amd64"), Some("<b>")).unwrap(), "linux/amd64");
        assert_eq!(words(Some("linux"), Some("a\u{202e}"), None), None);
        assert_eq!(words(Some(""), Some("amd64"), None), None);
        assert_eq!(words(Some("linux"), Some(&"a".repeat(99)), None), None);
    }

    #[test]
    fn values_that_look_secret_are_masked() {
        for name in ["DB_PASSWORD", "API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "KEY", "BASIC_AUTH"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["PATH", "KEYBOARD", "HOME", "VERSION"] {
            assert!(!is_secret(name), "{name}");
        }
        let text = r#"{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/bin","TOKEN=abc","X"],"Cmd":null,
            "Entrypoint":["/a","b"],"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}},"Other":[1]},"history":[]}"#;
        let configuration: Configuration = serde_json::from_str(text).unwrap();
        assert_eq!(configuration.platform().unwrap(), "linux/amd64");
        let settings = configuration.settings();
        let value = |setting, name: &str| settings.get(&(setting, name.to_owned())).cloned();
        assert_eq!(value(Setting::Variable, "TOKEN"), Some(Value::Masked));
        assert_eq!(value(Setting::Variable, "PATH"), Some(Value::Shown("/bin".to_owned())));
        assert_eq!(value(Setting::Entrypoint, ""), Some(Value::Shown("[\"/a\",\"b\"]".to_owned())));
        assert_eq!(value(Setting::Ports, ""), Some(Value::Shown("80/tcp".to_owned())));
        assert_eq!(value(Setting::Command, ""), None);
        assert_eq!(configuration.label("a"), Some("b"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!([cut("abc", 2), cut("aé", 2), cut("a", 9), cut("é", 0)], ["ab", "a", "a", ""]);
    }
}
