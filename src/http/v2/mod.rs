//! The registry API: routes a request, calls the rule, renders its outcome.

mod access;
mod answer;
mod blobs;
mod body;
mod denial;
mod error;
mod former;
mod lists;
mod manifests;
mod referrers;
mod route;
mod uploads;

pub(super) use access::presented;
pub(super) use denial::message;

use std::sync::Arc;

use http::header::HeaderValue;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use oci::{ErrorCode, RepositoryName};

use crate::app::limits::Class;
use crate::auth::rate::Quota;
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::http::limits::{self, TooMany};
use crate::registry::Error;
use crate::telemetry::metrics::action;
use body::Upload;
use error::Failure;
use route::{Action, Repository};

/// Answers a request below `/v2`; returns the index of its action for the metrics beside the answer.
pub async fn handle(mut exchange: Exchange, request: Request<Incoming>) -> (usize, Response<Body>) {
    let (parts, incoming) = request.into_parts();
    let body = Upload::new(incoming, &parts, exchange.app.metrics.bytes_received.clone());
    let (index, mut response) = match route::route(&parts.method, parts.uri.path(), parts.uri.query()) {
        Err(refusal) => {
            let response = Failure::from(refusal).render();
            body.drain().await;
            (const { action("other") }, response)
        }
        Ok(mut action) => {
            let index = action.index();
            // Boxed, since what it takes lives only until the decision.
            let admitted = Box::pin(access::admit(&mut exchange, &mut action, &parts.headers)).await;
            let response = match admitted.map(|()| count(&exchange, &action)) {
                Ok(Ok(quota)) => {
                    let mut response = dispatch(exchange, action, parts, body).await;
                    if let Some(quota) = quota {
                        limits::mark(response.headers_mut(), &quota);
                    }
                    response
                }
                Ok(Err(too_many)) => {
                    let response = one_too_many(&too_many);
                    body.drain().await;
                    response
                }
                Err(error) => {
                    let response = Refused::Rule(error).render(&exchange);
                    body.drain().await;
                    response
                }
            };
            (index, response)
        }
    };
    response.headers_mut().insert(answer::API_VERSION, HeaderValue::from_static("registry/2.0"));
    (index, response)
}

/// Takes what an action takes of the caller's share; says what is left where there is a limit.
fn count(exchange: &Exchange, action: &Action) -> Result<Option<Quota>, TooMany> {
    match limit_of(action) {
        Counted::Takes(class) => limits::take(exchange, class),
        Counted::Shows(class) => Ok(limits::peek(exchange, class)),
        Counted::Not => Ok(None),
    }
}

fn one_too_many(too_many: &TooMany) -> Response<Body> {
    let message = &*too_many.message;
    let mut response = Failure::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message).render();
    too_many.mark(&mut response);
    response
}

/// How an action stands to the rate limits.
enum Counted {
    /// It takes one from the share.
    Takes(Class),
    /// It tells what is left, and takes nothing.
    Shows(Class),
    /// It follows from what was counted, or costs little.
    Not,
}

fn limit_of(action: &Action) -> Counted {
    match action {
        Action::ManifestGet(..) => Counted::Takes(Class::Pull),
        Action::ManifestHead(..) => Counted::Shows(Class::Pull),
        Action::ManifestPut(..) | Action::ManifestDelete(..) | Action::BlobDelete(..) | Action::UploadStart(..) => {
            Counted::Takes(Class::Push)
        }
        Action::Catalog(_) | Action::Tags(..) | Action::Referrers(..) => Counted::Takes(Class::Api),
        Action::Base
        | Action::Discover
        | Action::BlobGet(..)
        | Action::BlobHead(..)
        | Action::UploadStatus(..)
        | Action::UploadPatch(..)
        | Action::UploadPut(..)
        | Action::UploadCancel(..) => Counted::Not,
    }
}

async fn dispatch(exchange: Exchange, action: Action, parts: http::request::Parts, body: Upload) -> Response<Body> {
    if !action.is_change() {
        return perform(&exchange, action, &parts, body).await;
    }
    // On a task of its own: a client that goes away drops the request's future, but what was begun is brought to its
    // end, and a broken upload still records how far it came.
    let request_id = Arc::clone(&exchange.ctx.request_id);
    let task = tokio::spawn(async move { perform(&exchange, action, &parts, body).await });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%request_id, %error, "a request panicked");
        answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

async fn perform(
    exchange: &Exchange,
    action: Action,
    parts: &http::request::Parts,
    mut body: Upload,
) -> Response<Body> {
    let headers = &parts.headers;
    let alias = action.repository().and_then(Repository::alias).cloned();
    // What receives a body is boxed: a look-up should not carry the room for it.
    let result = match action {
        Action::Base => Ok(lists::base()),
        Action::Discover => Ok(lists::discover()),
        Action::Catalog(page) => lists::catalog(exchange, &page).await,
        Action::Tags(..)
        | Action::ManifestGet(..)
        | Action::ManifestHead(..)
        | Action::BlobGet(..)
        | Action::BlobHead(..)
        | Action::Referrers(..) => read(exchange, action, headers).await,
        Action::ManifestPut(repository, reference, tags) => {
            Box::pin(manifests::put(exchange, repository, reference, tags, headers, &mut body)).await
        }
        Action::ManifestDelete(repository, reference) => manifests::delete(exchange, &repository, &reference).await,
        Action::BlobDelete(repository, digest) => blobs::delete(exchange, &repository, digest).await,
        Action::UploadStart(repository, start) => {
            Box::pin(uploads::start(exchange, &repository, start, headers, &mut body)).await
        }
        Action::UploadStatus(repository, id) => uploads::status(exchange, &repository, id).await,
        Action::UploadPatch(repository, id) => {
            Box::pin(uploads::patch(exchange, &repository, id, headers, &mut body)).await
        }
        Action::UploadPut(repository, id, digest) => {
            Box::pin(uploads::put(exchange, &repository, id, digest, headers, &mut body)).await
        }
        Action::UploadCancel(repository, id) => uploads::cancel(exchange, &repository, id).await,
    };
    match result {
        Ok(response) => response,
        Err(refused) => {
            let refused = match &alias {
                Some(asked) => refused.naming(asked),
                None => refused,
            };
            let response = refused.render(exchange);
            // A client that is still sending would otherwise see its connection reset before it reads the answer.
            body.drain().await;
            response
        }
    }
}

/// Reads from a repository, also by a name that it had before.
async fn read(exchange: &Exchange, mut action: Action, headers: &HeaderMap) -> Result<Response<Body>, Refused> {
    match read_from(exchange, &action, headers).await {
        Err(Refused::Rule(Error::NameUnknown(name))) => {
            let mut again = former::again(exchange);
            if Box::pin(former::follow(&mut again, &mut action)).await? {
                return read_from(&again, &action, headers).await;
            }
            match action {
                // A subject may come later than its referrers, and its repository too.
                Action::Referrers(_, _, query) => Ok(referrers::none(&query)),
                _ => Err(Error::NameUnknown(name).into()),
            }
        }
        result => result,
    }
}

async fn read_from(exchange: &Exchange, action: &Action, headers: &HeaderMap) -> Result<Response<Body>, Refused> {
    match action {
        Action::Tags(repository, page) => lists::tags(exchange, repository, page).await,
        Action::ManifestGet(repository, reference) => manifests::get(exchange, repository, reference, headers).await,
        Action::ManifestHead(repository, reference) => manifests::head(exchange, repository, reference, headers).await,
        Action::BlobGet(repository, digest) => blobs::get(exchange, repository, *digest, headers).await,
        Action::BlobHead(repository, digest) => blobs::head(exchange, repository, *digest, headers).await,
        Action::Referrers(repository, subject, query) => referrers::list(exchange, repository, *subject, query).await,
        Action::Base
        | Action::Catalog(_)
        | Action::Discover
        | Action::ManifestPut(..)
        | Action::ManifestDelete(..)
        | Action::BlobDelete(..)
        | Action::UploadStart(..)
        | Action::UploadStatus(..)
        | Action::UploadPatch(..)
        | Action::UploadPut(..)
        | Action::UploadCancel(..) => Err(route::Refusal::NotFound.into()),
    }
}

/// Renders an error of the rules as the registry API does.
pub(super) fn refuse(exchange: &Exchange, error: &Error) -> Response<Body> {
    Refused::Rule(error.clone()).render(exchange)
}

/// Why an action was not performed.
#[derive(Debug)]
enum Refused {
    /// A rule refused or failed.
    Rule(Error),
    /// The same, in an upload of which the answer has to say where it stands.
    Upload { error: Error, location: String },
    /// The request cannot be read.
    Request(Box<Failure>),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<route::Refusal> for Refused {
    fn from(refusal: route::Refusal) -> Self {
        Self::Request(Box::new(refusal.into()))
    }
}

impl From<oci::ParseError> for Refused {
    fn from(error: oci::ParseError) -> Self {
        route::Refusal::from(error).into()
    }
}

impl Refused {
    /// Names the repository as the client did: it may not know that its name is an alias.
    fn naming(self, asked: &RepositoryName) -> Self {
        match self {
            Self::Rule(error) => Self::Rule(error.naming(asked)),
            Self::Upload { error, location } => Self::Upload { error: error.naming(asked), location },
            Self::Request(failure) => Self::Request(failure),
        }
    }

    fn render(&self, exchange: &Exchange) -> Response<Body> {
        let (host, request_id) = (&*exchange.host, &*exchange.ctx.request_id);
        match self {
            Self::Rule(error @ Error::Denied(denial)) => {
                let response = error::failure(error, host, request_id).render();
                denial::with_headers(response, denial, exchange.scheme, host)
            }
            Self::Rule(error) => error::failure(error, host, request_id).render(),
            Self::Request(failure) => failure.render(),
            Self::Upload { error, location } => {
                let mut response = error::failure(error, host, request_id).render();
                match error {
                    Error::ChunkOutOfOrder { received, .. } => {
                        uploads::set_progress(&mut response, location, *received);
                        response
                    }
                    // Taken away while the bytes came.
                    Error::Denied(denial) => denial::with_headers(response, denial, exchange.scheme, host),
                    _ => response,
                }
            }
        }
    }
}
