//! What the templates of an image show, each value as a text where its form is decided here.

use oci::{Digest, RepositoryName, encode_component};

use super::words;
use crate::http::web::view::View;
use crate::registry::images::{
    Attached, Attachment, Child, Config, Found, Image, Kind, List, Named, Part, Preview, SHARED_AT_MOST, Tree, platform,
};

/// From this many characters on, an instruction is folded.
const LONG: usize = 240;
/// Most platforms whose chips stand in a row.
const CHIPS: usize = 100;

/// One step of the way to this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    pub text: String,
    pub href: String,
}

/// A page of the same thing.
pub struct Tab {
    pub text: String,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

/// A manifest, and where its page is.
pub struct Link {
    pub digest: String,
    pub href: String,
}

impl Link {
    pub fn to(name: &RepositoryName, digest: &Digest) -> Self {
        Self { digest: digest.to_string(), href: path_of(name, digest) }
    }
}

/// A line of a list of facts.
pub struct Fact {
    pub term: String,
    pub text: String,
}

/// A line of the configuration: values as they are typed, or a moment.
pub struct Setting {
    pub term: String,
    pub values: Vec<String>,
    /// Whether it is a moment, and which.
    pub moment: bool,
    pub at: i64,
}

/// The same act with one of several tools.
pub struct Variant {
    pub tool: &'static str,
    pub text: String,
}

/// A child of an index as a chip.
pub struct Chip {
    pub text: String,
    pub href: String,
    pub current: bool,
}

/// The child that is shown.
pub struct Shown {
    pub platform: String,
    pub link: Link,
    pub bytes: i64,
}

/// A stretch of the bar of layers.
pub struct Segment {
    pub x: String,
    pub width: String,
    pub label: String,
    pub kind: &'static str,
}

/// A layer, an instruction, or both.
pub struct Layer {
    /// Whether it made a layer, and of how many bytes.
    pub layer: bool,
    pub bytes: i64,
    pub digest: String,
    /// The instruction, or the beginning of a long one.
    pub instruction: String,
    /// The whole of a long one.
    pub whole: Option<String>,
    pub shared: Option<String>,
}

/// The layers of an image.
pub struct Layers {
    pub label: String,
    pub segments: Vec<Segment>,
    pub rows: Vec<Layer>,
    /// Bytes that others hold as well, and bytes that lie only here.
    pub base: i64,
    pub own: i64,
    /// What is left out, or does not fit together.
    pub notes: Vec<String>,
}

/// A file of an artifact.
pub struct File {
    pub name: String,
    pub kind: String,
    pub bytes: i64,
    pub digest: String,
    /// Where it can be fetched without signing in.
    pub href: Option<String>,
}

/// What is attached.
pub struct Node {
    pub words: Vec<String>,
    pub signature: bool,
    pub link: Link,
    /// Whether it is known when it was pushed, and when.
    pub dated: bool,
    pub at: i64,
    pub tag: Option<String>,
    pub about: Option<String>,
    pub below: Vec<Self>,
}

/// The head of every page of an image.
pub struct Head {
    pub title: String,
    pub crumbs: Vec<Crumb>,
    pub digest: String,
    pub path: String,
    pub kind: String,
    /// Whether its size is known, and which.
    pub sized: bool,
    pub bytes: i64,
    pub layers: Option<String>,
    pub pushed_at: i64,
    pub pulls: Option<String>,
    pub pulled_at: i64,
    pub tags: Vec<Crumb>,
    pub more_tags: bool,
    pub tabs: Vec<Tab>,
    pub delete: Option<String>,
}

impl Head {
    pub fn new(v: &View, name: &RepositoryName, image: &Image, show: &str, may_delete: bool) -> Self {
        let path = path_of(name, &image.digest);
        let outline = &image.outline;
        let tab = |key: &'static str, which: &str| Tab {
            text: v.t(key),
            href: if which.is_empty() { path.clone() } else { format!("{path}?show={which}") },
            current: which == show,
            count: None,
        };
        let mut tabs = vec![tab("image-overview", ""), tab("image-manifest", "manifest")];
        if outline.config.is_some() {
            tabs.push(tab("image-config", "config"));
        }
        let tags = image.tags.iter();
        Self {
            title: format!("{name} @ {}", short(&image.digest)),
            crumbs: crumbs(name, None),
            digest: image.digest.to_string(),
            kind: words::kind(v, &outline.kind),
            sized: outline.kind != Kind::Index,
            bytes: int(outline.bytes),
            layers: (outline.kind == Kind::Image).then(|| v.tn("image-layers-count", outline.layer_count())),
            pushed_at: image.pushed_at,
            pulls: image.pulls.map(|(count, _)| v.tn("image-pulls", count.pulls.saturating_add(count.child_pulls))),
            pulled_at: image.pulls.map_or(0, |(_, at)| at),
            tags: tags.map(|tag| Crumb { text: tag.clone(), href: format!("/{name}/-/tags/{tag}") }).collect(),
            more_tags: image.more_tags,
            tabs,
            delete: may_delete.then(|| format!("{path}/delete")),
            path,
        }
    }
}

/// What the page tells below its head.
#[derive(Default)]
pub struct Body {
    pub platforms: Vec<Chip>,
    pub has_more_platforms: bool,
    pub more_platforms: String,
    pub child: Option<Shown>,
    pub absent: Option<String>,
    pub pull: Vec<Variant>,
    pub layers: Option<Layers>,
    pub settings: Vec<Setting>,
    pub environment: Vec<Named>,
    pub more_environment: usize,
    pub labels: Vec<Named>,
    pub more_labels: usize,
    /// Why there is no configuration.
    pub no_config: Option<String>,
    pub files: Vec<File>,
    pub more_files: usize,
    pub facts: Vec<Named>,
    /// What a chart tells of itself, rendered and sanitised, and what can be set.
    pub readme: Option<String>,
    pub values: Option<String>,
    pub attached: Vec<Node>,
    pub more_attached: bool,
    pub annotations: Vec<Named>,
    pub more_annotations: usize,
    pub subject: Option<Link>,
    pub parents: Vec<Link>,
}

impl Body {
    /// Tells what an image consists of and how it runs; of an artifact, its files and what its config says.
    pub fn tell(&mut self, v: &View, name: &RepositoryName, image: &Image, shared: &[usize], open: bool) {
        let outline = &image.outline;
        let config = image.config.read().map(AsRef::as_ref);
        match outline.kind {
            Kind::Index => {}
            Kind::Image => {
                self.layers = Some(layers(v, image, config, shared));
                match &image.config {
                    Found::Read(config) => self.run(v, config),
                    Found::TooLong => self.no_config = Some(v.t("image-config-long")),
                    Found::None | Found::Missing => self.no_config = Some(v.t("image-config-missing")),
                }
            }
            Kind::Chart | Kind::Wasm | Kind::Model | Kind::Attachment(_) | Kind::Files => {
                self.files = outline.layers.shown.iter().map(|part| file(v, name, part, open)).collect();
                self.more_files = outline.layers.more;
                if let Some(config) = config {
                    self.facts.clone_from(&config.facts.shown);
                }
            }
        }
    }

    fn run(&mut self, v: &View, config: &Config) {
        let mut add = |key: &'static str, values: Vec<String>| {
            if !values.is_empty() {
                self.settings.push(Setting { term: v.t(key), values, moment: false, at: 0 });
            }
        };
        let one = |text: &Option<String>| text.iter().cloned().collect::<Vec<_>>();
        let version = config.os_version.iter().map(|version| format!("({version})"));
        let platform: Vec<String> = platform(&config.platform).into_iter().chain(version).collect();
        add("image-platform", if platform.is_empty() { Vec::new() } else { vec![platform.join(" ")] });
        add("image-entrypoint", command(v, &config.entrypoint));
        add("image-command", command(v, &config.command));
        add("image-user", one(&config.user));
        add("image-directory", one(&config.working_directory));
        add("image-ports", several(v, &config.ports));
        add("image-volumes", several(v, &config.volumes));
        add("image-stop-signal", one(&config.stop_signal));
        add("image-health", command(v, &config.health));
        add("image-author", one(&config.author));
        if let Some(at) = config.created {
            self.settings.push(Setting { term: v.t("image-created"), values: Vec::new(), moment: true, at });
        }
        self.environment.clone_from(&config.environment.shown);
        self.more_environment = config.environment.more;
        self.labels.clone_from(&config.labels.shown);
        self.more_labels = config.labels.more;
    }
}

/// A size as the templates take it.
fn int(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn short(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{}:{}", digest.algorithm(), hex.get(..12).unwrap_or(&hex))
}

/// The page of a manifest.
pub fn path_of(name: &RepositoryName, digest: &Digest) -> String {
    format!("/{name}/-/images/{digest}")
}

/// The parts of a repository's name: its namespace, and the rest.
pub fn crumbs(name: &RepositoryName, last: Option<String>) -> Vec<Crumb> {
    let namespace = name.namespace();
    let rest = name.as_str().strip_prefix(namespace).unwrap_or_default().trim_start_matches('/');
    let mut crumbs = vec![Crumb { text: namespace.to_owned(), href: format!("/{namespace}") }];
    if !rest.is_empty() {
        crumbs.push(Crumb { text: rest.to_owned(), href: format!("/{name}") });
    }
    crumbs.extend(last.map(|text| Crumb { text, href: String::new() }));
    crumbs
}

pub fn links(name: &RepositoryName, digests: &[Digest]) -> Vec<Link> {
    digests.iter().map(|digest| Link::to(name, digest)).collect()
}

pub fn named(list: &List<Named>) -> Vec<Named> {
    list.shown.clone()
}

/// The children of an index that run on something, as chips that choose which is shown.
pub fn platforms(name: &RepositoryName, image: &Image, chosen: Option<&Child>) -> Vec<Chip> {
    let mut seen = Vec::new();
    let mut chips = Vec::new();
    for child in image.outline.runnable().take(CHIPS) {
        let known = child.platform.clone().filter(|platform| !seen.contains(platform));
        let href = match &known {
            Some(platform) => format!("{}?platform={}", path_of(name, &image.digest), encode_component(platform)),
            // A second child for the same platform, or one for none, is looked at by itself.
            None => path_of(name, &child.digest),
        };
        seen.extend(known);
        let text =
            child.platform.clone().or_else(|| child.artifact_type.clone()).unwrap_or_else(|| short(&child.digest));
        chips.push(Chip { text, href, current: chosen.is_some_and(|chosen| std::ptr::eq(chosen, child)) });
    }
    chips
}

pub fn child(v: &View, name: &RepositoryName, child: &Child, image: &Image) -> Shown {
    Shown {
        platform: child.platform.clone().unwrap_or_else(|| words::kind(v, &image.outline.kind)),
        link: Link::to(name, &child.digest),
        bytes: int(image.outline.bytes),
    }
}

/// How it is fetched by its digest, by the tools that understand it.
pub fn pull(v: &View, name: &RepositoryName, image: &Image) -> Vec<Variant> {
    let reference = format!("{}/{name}@{}", v.host, image.digest);
    match image.outline.kind {
        Kind::Index | Kind::Image => vec![
            Variant { tool: "docker", text: format!("docker pull {reference}") },
            Variant { tool: "podman", text: format!("podman pull {reference}") },
        ],
        Kind::Chart => vec![Variant { tool: "helm", text: format!("helm pull oci://{reference}") }],
        Kind::Model | Kind::Wasm | Kind::Attachment(_) | Kind::Files => {
            vec![Variant { tool: "oras", text: format!("oras pull {reference}") }]
        }
    }
}

fn command(v: &View, list: &List<String>) -> Vec<String> {
    if list.is_empty() {
        return Vec::new();
    }
    let mut values = vec![serde_json::to_string(&list.shown).unwrap_or_default()];
    if list.more > 0 {
        values.push(v.tn("image-more", list.more));
    }
    values
}

fn several(v: &View, list: &List<String>) -> Vec<String> {
    let more = (list.more > 0).then(|| v.tn("image-more", list.more));
    list.shown.iter().cloned().chain(more).collect()
}

fn layers(v: &View, image: &Image, config: Option<&Config>, shared: &[usize]) -> Layers {
    let outline = &image.outline;
    let parts = &outline.layers.shown;
    let total: u64 = parts.iter().fold(0, |sum, part| sum.saturating_add(part.size));
    let shares = |at: usize| shared.get(at).copied().unwrap_or_default();
    let (steps, more_steps) = config.map_or((&[][..], 0), |config| (&config.history.shown, config.history.more));
    let whole = more_steps == 0 && outline.layers.more == 0;
    let fits = whole && steps.iter().filter(|step| !step.empty).count() == parts.len();
    let mut rows = Vec::new();
    if fits {
        let mut next = parts.iter().enumerate();
        for step in steps {
            let part = if step.empty { None } else { next.next() };
            rows.push(row(v, part.map(|(at, part)| (part, shares(at))), &step.instruction));
        }
    } else {
        rows.extend(parts.iter().enumerate().map(|(at, part)| row(v, Some((part, shares(at))), "")));
        rows.extend(steps.iter().map(|step| row(v, None, &step.instruction)));
    }
    let mut notes = Vec::new();
    if !fits && !steps.is_empty() {
        notes.push(v.t("image-layers-unlike"));
    }
    if outline.layers.more + more_steps > 0 {
        notes.push(v.tn("image-more", outline.layers.more + more_steps));
    }
    let mut segments = Vec::new();
    let mut before: u64 = 0;
    for (at, part) in parts.iter().enumerate() {
        let instruction = steps.iter().filter(|step| !step.empty).nth(at).filter(|_| fits);
        let instruction = instruction.map(|step| beginning(&step.instruction, 80)).unwrap_or_default();
        segments.push(Segment {
            x: v.percent(before, total),
            width: v.percent(part.size, total),
            label: format!("{} {instruction}", v.size(part.size)),
            kind: if shares(at) > 0 { "base" } else { "own" },
        });
        before = before.saturating_add(part.size);
    }
    let base = parts.iter().enumerate().filter(|(at, _)| shares(*at) > 0);
    let base = base.fold(0, |sum: u64, (_, part)| sum.saturating_add(part.size));
    let count = v.tn("image-layers-count", outline.layer_count());
    let label = v.tx("image-layers-label", &[("layers", &count), ("size", &v.size(total))]);
    Layers { label, segments, rows, base: int(base), own: int(total - base), notes }
}

fn row(v: &View, part: Option<(&Part, usize)>, instruction: &str) -> Layer {
    let long = instruction.chars().count() > LONG;
    let shared = part.map_or(0, |(_, shared)| shared);
    Layer {
        layer: part.is_some(),
        bytes: part.map_or(0, |(part, _)| int(part.size)),
        digest: part.map(|(part, _)| part.digest.to_string()).unwrap_or_default(),
        instruction: if long { beginning(instruction, LONG) } else { instruction.to_owned() },
        whole: long.then(|| instruction.to_owned()),
        shared: match shared {
            0 => None,
            SHARED_AT_MOST.. => Some(v.tn("image-shared-many", shared)),
            _ => Some(v.tn("image-shared", shared)),
        },
    }
}

fn beginning(text: &str, limit: usize) -> String {
    let mut out: String = text.chars().take(limit).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out.replace('\n', " ")
}

fn file(v: &View, name: &RepositoryName, part: &Part, open: bool) -> File {
    let statement = part.predicate.as_deref().map(Attachment::of_predicate);
    let kind = statement.map(|kind| words::attachment(v, &kind)).or_else(|| words::media_type(v, &part.media_type));
    File {
        name: part.title.clone().unwrap_or_else(|| short(&part.digest)),
        kind: kind.map_or_else(|| part.media_type.clone(), |kind| format!("{kind} ({})", part.media_type)),
        bytes: int(part.size),
        digest: part.digest.to_string(),
        href: open.then(|| format!("/v2/{name}/blobs/{}", part.digest)),
    }
}

pub fn attached(v: &View, name: &RepositoryName, image: &Image, tree: &Tree) -> Vec<Node> {
    tree.attached.iter().map(|one| node(v, name, image, one)).collect()
}

fn node(v: &View, name: &RepositoryName, image: &Image, one: &Attached) -> Node {
    let about = one.about.map(|about| {
        let child = image.outline.children.shown.iter().find(|child| child.digest == about);
        child.and_then(|child| child.platform.clone()).unwrap_or_else(|| short(&about))
    });
    Node {
        words: one.kinds.iter().map(|kind| words::attachment(v, kind)).collect(),
        signature: one.kinds.iter().any(words::is_signature),
        link: Link::to(name, &one.digest),
        dated: one.pushed_at.is_some(),
        at: one.pushed_at.unwrap_or_default(),
        tag: one.tag.clone(),
        about,
        below: one.attached.iter().map(|one| node(v, name, image, one)).collect(),
    }
}

/// What goes with a manifest, and what stays.
pub fn goes(v: &View, preview: &Preview) -> Vec<Fact> {
    let fact = |key: &'static str, text: String| Fact { term: v.t(key), text };
    let tags = preview.tags.len() + usize::from(preview.more_tags);
    let mut facts = vec![fact("image-goes-tags", v.number(tags) + if preview.more_tags { "+" } else { "" })];
    if preview.children > 0 {
        facts.push(fact("image-stays-children", v.number(preview.children)));
    }
    if preview.attached > 0 {
        facts.push(fact("image-stays-attached", v.number(preview.attached)));
    }
    let (pulls, last) = match preview.pulls {
        Some((count, at)) => (count.pulls.saturating_add(count.child_pulls), Some(v.ago(at))),
        None => (0, None),
    };
    let pulled = v.tn("image-pulls", pulls);
    facts.push(fact("image-goes-pulls", last.map_or(pulled.clone(), |last| format!("{pulled}, {last}"))));
    facts.push(fact("image-goes-bytes", v.size(preview.bytes)));
    facts
}

#[cfg(test)]
mod tests {
    use oci::RepositoryName;

    use super::{beginning, crumbs};

    #[test]
    fn a_name_leads_to_its_namespace_and_itself() {
        let of = |name: &str| {
            let crumbs = crumbs(&RepositoryName::parse(name).unwrap(), None);
            crumbs.into_iter().map(|crumb| format!("{} {}", crumb.text, crumb.href)).collect::<Vec<_>>()
        };
        assert_eq!(of("acme/team/app"), ["acme /acme", "team/app /acme/team/app"]);
        assert_eq!(of("acme"), ["acme /acme"]);
    }

    #[test]
    fn a_beginning_is_cut_between_characters() {
        assert_eq!(beginning("éé\né", 3), "éé …");
        assert_eq!(beginning("abc", 3), "abc");
    }
}
