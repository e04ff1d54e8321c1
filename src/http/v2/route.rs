//! Turns a request's method, path and query into one [`Action`]: pure, and the only place that knows the paths of `/v2`.
//!
//! Paths are read from the right, because a repository's name has any number of components and its last ones may be
//! called `tags`, `blobs` or `manifests`.

use http::Method;
use oci::{Algorithm, Digest, ParseError, Query, Reference, RepositoryName, Tag};

use crate::blobs::UploadId;
use crate::telemetry::metrics::action;

/// At most this many `tag` parameters (distribution specification, pushing manifests with tags).
pub const MAX_TAG_PARAMETERS: usize = 50;

/// A repository as it was asked for, and as it is kept: `x` is an alias of `library/x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The name in the request, which answers echo.
    pub asked: RepositoryName,
    /// The name in the database.
    pub name: RepositoryName,
}

impl Repository {
    /// The name in the request, where it is another one than in the database.
    pub fn alias(&self) -> Option<&RepositoryName> {
        (self.asked != self.name).then_some(&self.asked)
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// How many entries the client wants.
    pub n: Option<usize>,
    /// The entry behind which the page begins.
    pub last: Option<String>,
}

/// What a request under `/v2` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `GET /v2/`
    Base,
    /// `GET /v2/_catalog`
    Catalog(PageQuery),
    /// `GET /v2/_oci/ext/discover`
    Discover,
    /// `GET /v2/<name>/tags/list`
    Tags(Repository, PageQuery),
    /// `GET /v2/<name>/manifests/<reference>`
    ManifestGet(Repository, Reference),
    /// `HEAD /v2/<name>/manifests/<reference>`
    ManifestHead(Repository, Reference),
    /// `PUT /v2/<name>/manifests/<reference>[?tag=…]`
    ManifestPut(Repository, Reference, Vec<Tag>),
    /// `DELETE /v2/<name>/manifests/<reference>`
    ManifestDelete(Repository, Reference),
    /// `GET /v2/<name>/blobs/<digest>`
    BlobGet(Repository, Digest),
    /// `HEAD /v2/<name>/blobs/<digest>`
    BlobHead(Repository, Digest),
    /// `DELETE /v2/<name>/blobs/<digest>`
    BlobDelete(Repository, Digest),
    /// `POST /v2/<name>/blobs/uploads/`
    UploadStart(Repository, Start),
    /// `GET /v2/<name>/blobs/uploads/<id>`
    UploadStatus(Repository, UploadId),
    /// `PATCH /v2/<name>/blobs/uploads/<id>`
    UploadPatch(Repository, UploadId),
    /// `PUT /v2/<name>/blobs/uploads/<id>?digest=…`
    UploadPut(Repository, UploadId, Digest),
    /// `DELETE /v2/<name>/blobs/uploads/<id>`
    UploadCancel(Repository, UploadId),
    /// `GET /v2/<name>/referrers/<digest>`
    Referrers(Repository, Digest, ReferrersQuery),
}

/// The ways an upload begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A session, hashed by the algorithm while its bytes arrive.
    Session(Algorithm),
    /// The whole blob in this request.
    Monolithic(Digest),
    /// No bytes at all: another repository has the blob.
    Mount {
        /// The blob.
        digest: Digest,
        /// The repository; any, when it is not named.
        from: Option<RepositoryName>,
    },
}

/// A page of referrers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferrersQuery {
    /// Only those of this artifact type.
    pub artifact_type: Option<String>,
    /// The digest behind which the page begins.
    pub last: Option<Digest>,
}

/// Why a request under `/v2` asks for nothing there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No such path.
    NotFound,
    /// The path exists for these methods only.
    Method(&'static str),
    /// The path or the query cannot be read.
    Syntax(ParseError),
    /// The upload's id is not one that a session can have.
    Upload,
    /// `n` is not a number.
    PageSize(String),
    /// More `tag` parameters than may be.
    TooManyTags(usize),
    /// The closing request of an upload lacks `digest`.
    DigestMissing,
    /// `tag` parameters stand beside a tag.
    TagsBesideTag,
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Syntax(error)
    }
}

impl Action {
    /// The index under which the action is counted, of [`crate::telemetry::metrics::ACTIONS`].
    pub fn index(&self) -> usize {
        match self {
            Self::Base => const { action("base") },
            Self::Catalog(_) => const { action("catalog") },
            Self::Discover => const { action("discover") },
            Self::Tags(..) => const { action("tags") },
            Self::ManifestGet(..) => const { action("manifest_get") },
            Self::ManifestHead(..) => const { action("manifest_head") },
            Self::ManifestPut(..) => const { action("manifest_put") },
            Self::ManifestDelete(..) => const { action("manifest_delete") },
            Self::BlobGet(..) => const { action("blob_get") },
            Self::BlobHead(..) => const { action("blob_head") },
            Self::BlobDelete(..) => const { action("blob_delete") },
            Self::UploadStart(..) => const { action("upload_start") },
            Self::UploadStatus(..) => const { action("upload_status") },
            Self::UploadPatch(..) => const { action("upload_patch") },
            Self::UploadPut(..) => const { action("upload_put") },
            Self::UploadCancel(..) => const { action("upload_cancel") },
            Self::Referrers(..) => const { action("referrers") },
        }
    }

    /// The repository it concerns.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Base | Self::Catalog(_) | Self::Discover => None,
            Self::Tags(repository, _)
            | Self::ManifestGet(repository, _)
            | Self::ManifestHead(repository, _)
            | Self::ManifestPut(repository, ..)
            | Self::ManifestDelete(repository, _)
            | Self::BlobGet(repository, _)
            | Self::BlobHead(repository, _)
            | Self::BlobDelete(repository, _)
            | Self::UploadStart(repository, _)
            | Self::UploadStatus(repository, _)
            | Self::UploadPatch(repository, _)
            | Self::UploadPut(repository, ..)
            | Self::UploadCancel(repository, _)
            | Self::Referrers(repository, ..) => Some(repository),
        }
    }

    /// The repository that it reads from, where it only reads.
    pub fn read_from(&mut self) -> Option<&mut Repository> {
        match self {
            Self::Tags(repository, _)
            | Self::ManifestGet(repository, _)
            | Self::ManifestHead(repository, _)
            | Self::BlobGet(repository, _)
            | Self::BlobHead(repository, _)
            | Self::Referrers(repository, ..) => Some(repository),
            Self::Base
            | Self::Catalog(_)
            | Self::Discover
            | Self::ManifestPut(..)
            | Self::ManifestDelete(..)
            | Self::BlobDelete(..)
            | Self::UploadStart(..)
            | Self::UploadStatus(..)
            | Self::UploadPatch(..)
            | Self::UploadPut(..)
            | Self::UploadCancel(..) => None,
        }
    }

    /// Whether it changes anything. What changes something runs to its end even when the client goes away.
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Self::ManifestPut(..)
                | Self::ManifestDelete(..)
                | Self::BlobDelete(..)
                | Self::UploadStart(..)
                | Self::UploadPatch(..)
                | Self::UploadPut(..)
                | Self::UploadCancel(..)
        )
    }
}

/// Reads a request. `path` begins with `/v2` and is percent-encoded as it came; `query` is without its `?`.
pub fn route(method: &Method, path: &str, query: Option<&str>) -> Result<Action, Refusal> {
    let decoded;
    let path = if path.contains('%') {
        let bytes = percent_encoding::percent_decode_str(path).decode_utf8();
        decoded = bytes.map_err(|_| Refusal::NotFound)?;
        &*decoded
    } else {
        path
    };
    let query = query.unwrap_or_default();
    // Before the query is read, which has a limit of its own: too many tags are an answer of the specification.
    let tags = query.split('&').filter(|pair| pair.starts_with("tag=")).count();
    if *method == Method::PUT && tags > MAX_TAG_PARAMETERS {
        return Err(Refusal::TooManyTags(tags));
    }
    let query = Query::parse(query)?;
    // No name, digest or type has a NUL, and not every database takes one in a text.
    if query.pairs().any(|(_, value)| value.contains('\0')) {
        return Err(ParseError::Query.into());
    }
    match path.strip_prefix("/v2").ok_or(Refusal::NotFound)? {
        "" | "/" => only_read(method, Action::Base),
        "/_catalog" => only_read(method, Action::Catalog(page(&query)?)),
        "/_oci/ext/discover" => only_read(method, Action::Discover),
        rest => in_repository(method, rest.strip_prefix('/').ok_or(Refusal::NotFound)?, &query),
    }
}

fn only_read(method: &Method, action: Action) -> Result<Action, Refusal> {
    if is_read(method) { Ok(action) } else { Err(Refusal::Method("GET, HEAD")) }
}

fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn in_repository(method: &Method, path: &str, query: &Query) -> Result<Action, Refusal> {
    let (front, last) = path.rsplit_once('/').ok_or(Refusal::NotFound)?;
    let (name, noun) = front.rsplit_once('/').ok_or(Refusal::NotFound)?;
    match noun {
        "tags" if last == "list" => only_read(method, Action::Tags(repository(name)?, page(query)?)),
        "manifests" => manifest(method, name, last, query),
        "referrers" => {
            let subject = Digest::parse(last)?;
            only_read(method, Action::Referrers(repository(name)?, subject, referrers(query)?))
        }
        "uploads" => match name.rsplit_once('/') {
            Some((name, "blobs")) if last.is_empty() => start(method, name, query),
            Some((name, "blobs")) => upload(method, name, last, query),
            _ => Err(Refusal::NotFound),
        },
        // `…/blobs/uploads` without the closing slash.
        "blobs" if last == "uploads" => start(method, name, query),
        "blobs" => blob(method, name, last),
        "ext" if last == "discover" && name.ends_with("/_oci") => only_read(method, Action::Discover),
        _ => Err(Refusal::NotFound),
    }
}

fn repository(name: &str) -> Result<Repository, Refusal> {
    let asked = RepositoryName::parse(name)?;
    let name = asked.canonical();
    Ok(Repository { asked, name })
}

fn manifest(method: &Method, name: &str, reference: &str, query: &Query) -> Result<Action, Refusal> {
    let repository = repository(name)?;
    let reference = Reference::parse(reference)?;
    match *method {
        Method::GET => Ok(Action::ManifestGet(repository, reference)),
        Method::HEAD => Ok(Action::ManifestHead(repository, reference)),
        Method::PUT => {
            let tags = tags(query)?;
            if matches!(reference, Reference::Tag(_)) && !tags.is_empty() {
                return Err(Refusal::TagsBesideTag);
            }
            Ok(Action::ManifestPut(repository, reference, tags))
        }
        Method::DELETE => Ok(Action::ManifestDelete(repository, reference)),
        _ => Err(Refusal::Method("GET, HEAD, PUT, DELETE")),
    }
}

fn tags(query: &Query) -> Result<Vec<Tag>, Refusal> {
    query.all("tag").map(|tag| Tag::parse(tag).map_err(Refusal::from)).collect()
}

fn blob(method: &Method, name: &str, digest: &str) -> Result<Action, Refusal> {
    let (repository, digest) = (repository(name)?, Digest::parse(digest)?);
    match *method {
        Method::GET => Ok(Action::BlobGet(repository, digest)),
        Method::HEAD => Ok(Action::BlobHead(repository, digest)),
        Method::DELETE => Ok(Action::BlobDelete(repository, digest)),
        _ => Err(Refusal::Method("GET, HEAD, DELETE")),
    }
}

fn start(method: &Method, name: &str, query: &Query) -> Result<Action, Refusal> {
    let repository = repository(name)?;
    if *method != Method::POST {
        return Err(Refusal::Method("POST"));
    }
    let start = if let Some(mount) = query.get("mount") {
        // A source that cannot exist is one that does not: the client is asked to upload.
        let from = query.get("from").map(RepositoryName::parse);
        let digest = Digest::parse(mount)?;
        match from {
            Some(Err(_)) => Start::Session(digest.algorithm()),
            from => Start::Mount { digest, from: from.and_then(Result::ok).map(|name| name.canonical()) },
        }
    } else if let Some(digest) = query.get("digest") {
        Start::Monolithic(Digest::parse(digest)?)
    } else {
        let algorithm = query.get("digest-algorithm").map(Algorithm::parse).transpose()?;
        Start::Session(algorithm.unwrap_or(Algorithm::Sha256))
    };
    Ok(Action::UploadStart(repository, start))
}

fn upload(method: &Method, name: &str, id: &str, query: &Query) -> Result<Action, Refusal> {
    let repository = repository(name)?;
    let id = UploadId::parse(id).ok_or(Refusal::Upload)?;
    match *method {
        Method::GET | Method::HEAD => Ok(Action::UploadStatus(repository, id)),
        Method::PATCH => Ok(Action::UploadPatch(repository, id)),
        Method::PUT => {
            let digest = query.get("digest").ok_or(Refusal::DigestMissing)?;
            Ok(Action::UploadPut(repository, id, Digest::parse(digest)?))
        }
        Method::DELETE => Ok(Action::UploadCancel(repository, id)),
        _ => Err(Refusal::Method("GET, PATCH, PUT, DELETE")),
    }
}

fn page(query: &Query) -> Result<PageQuery, Refusal> {
    let n = query.get("n").map(|n| n.parse::<usize>().map_err(|_| Refusal::PageSize(n.to_owned()))).transpose()?;
    Ok(PageQuery { n, last: query.get("last").map(str::to_owned) })
}

fn referrers(query: &Query) -> Result<ReferrersQuery, Refusal> {
    Ok(ReferrersQuery {
        artifact_type: query.get("artifactType").filter(|text| !text.is_empty()).map(str::to_owned),
        last: query.get("last").map(Digest::parse).transpose()?,
    })
}

#[cfg(test)]
mod tests;
