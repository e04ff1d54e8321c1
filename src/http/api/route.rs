//! How a route is declared, and how a request finds it.

use std::pin::Pin;

use http::Method;
use oci::{Query, RepositoryName};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::call::{Call, Reply};
use super::page::Page;
use super::problem::Refused;
use crate::auth::{Pattern, Permissions};
use crate::registry::access::manage::Target;

/// Longest body, where a route does not say.
const MAX_BODY: usize = 64 * 1024;

/// What a route does when the caller may.
pub(super) type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Result<Reply, Refused>> + Send>>;

/// The schemas of a document, each with its name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A type by the name of its schema, which it adds to those of the document.
pub(super) type SchemaOf = fn(&mut Schemas) -> String;

fn schema_of<T: ToSchema>(schemas: &mut Schemas) -> String {
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    T::schemas(schemas);
    name
}

/// The same for a page of a type: what it is a page of is not added by itself.
fn page_of<T: ToSchema>(schemas: &mut Schemas) -> String {
    let name = format!("PageOf{}", schema_of::<T>(schemas));
    schemas.push((name.clone(), Page::<T>::schema()));
    name
}

/// What the caller must be allowed to manage. The names in the path or the query say which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// No account: for those who have none yet, or cannot get into theirs.
    Nothing,
    /// Any credential that holds.
    Anybody,
    /// A session, whether or not the second factor was shown yet; the user's own, where the path names one.
    Session,
    /// The whole instance.
    Instance,
    /// The account `{user}`: one's own, or as an administrator.
    Account,
    /// All of `{namespace}`.
    Namespace,
    /// What the parameter `on` matches.
    On,
    /// The repository `{repository}`.
    Repository,
}

/// A parameter of the query.
#[derive(Debug)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub required: bool,
}

/// A route.
pub(super) struct Route {
    pub method: Method,
    /// The path below the base, with `{names}`; `{repository}` is all that follows.
    pub path: &'static str,
    pub group: &'static str,
    pub summary: &'static str,
    pub needs: Needs,
    /// What the caller must be allowed to do there.
    pub takes: Permissions,
    pub query: &'static [Parameter],
    pub paged: bool,
    pub body: Option<SchemaOf>,
    /// Longest body, in bytes.
    pub body_limit: usize,
    pub status: u16,
    /// Whether it may be sent twice, and then answers 200 with what is there.
    pub repeatable: bool,
    pub answer: Option<SchemaOf>,
    pub handler: Handler,
}

impl Route {
    pub const fn new(
        method: Method,
        path: &'static str,
        summary: &'static str,
        needs: Needs,
        takes: Permissions,
        handler: Handler,
    ) -> Self {
        Self {
            method,
            path,
            group: "",
            summary,
            needs,
            takes,
            query: &[],
            paged: false,
            body: None,
            body_limit: MAX_BODY,
            status: 200,
            repeatable: false,
            answer: None,
            handler,
        }
    }

    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    pub const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// It answers with pages of a list.
    pub const fn pages<T: ToSchema>(mut self) -> Self {
        self.paged = true;
        self.answer = Some(page_of::<T>);
        self
    }

    pub const fn takes_body<T: ToSchema>(mut self) -> Self {
        self.body = Some(schema_of::<T>);
        self
    }

    /// Its body may be longer than others.
    pub const fn body_up_to(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    pub const fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        self.status = status;
        self.answer = Some(schema_of::<T>);
        self
    }

    /// It answers 201 with what it made, and 200 with what was so already.
    pub const fn makes<T: ToSchema>(mut self) -> Self {
        self.repeatable = true;
        self.answers::<T>(201)
    }

    pub const fn answers_nothing(mut self) -> Self {
        self.status = 204;
        self
    }

    /// Whether it may change something.
    pub fn changes(&self) -> bool {
        self.method != Method::GET
    }

    /// What the caller must be allowed to manage for this request.
    pub fn target(&self, found: &Found) -> Result<Target, Refused> {
        let pattern = |text: &str| Pattern::parse(text).ok_or_else(|| Refused::pattern(text));
        Ok(match self.needs {
            Needs::Nothing => Target::Nothing,
            Needs::Anybody => Target::Anybody,
            Needs::Session => Target::Session(Some(found.argument("user").to_owned()).filter(|user| !user.is_empty())),
            Needs::Instance => Target::Instance,
            Needs::Account => Target::Account(found.argument("user").to_owned()),
            Needs::Namespace => Target::Over(Pattern::namespace(found.argument("namespace"))),
            Needs::On => Target::Over(pattern(found.query.get("on").unwrap_or_default())?),
            Needs::Repository => Target::Repository(found.repository()?),
        })
    }
}

/// What a request says besides its body.
#[derive(Debug)]
pub(super) struct Found {
    arguments: Vec<(&'static str, String)>,
    pub query: Query,
}

impl Found {
    /// What stands in the path for `{name}`.
    pub fn argument(&self, name: &str) -> &str {
        self.arguments.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The repository of the path, by its canonical name: `app` stands for `library/app`.
    pub fn repository(&self) -> Result<RepositoryName, Refused> {
        let text = self.argument("repository");
        let name =
            RepositoryName::parse(text).map_err(|_| Refused::invalid(format!("{text:?} names no repository")))?;
        Ok(name.canonical())
    }
}

/// Finds the route of a request.
pub(super) fn find(
    routes: impl Iterator<Item = &'static Route>,
    method: &Method,
    path: &str,
    query: &str,
) -> Result<(&'static Route, Found), Refused> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let mut allowed = Vec::new();
    for route in routes {
        let Some(arguments) = matches(route.path, path)? else { continue };
        if route.method == *method {
            let query = Query::parse(query).map_err(|error| Refused::invalid(error.to_string()))?;
            return Ok((route, Found { arguments, query }));
        }
        allowed.push(route.method.as_str());
    }
    if allowed.is_empty() { Err(Refused::NoRoute) } else { Err(Refused::Method(allowed.join(", "))) }
}

/// A parameter that is misspelt would otherwise be as if it had not been given.
pub(super) fn check_query(route: &Route, query: &Query) -> Result<(), Refused> {
    let paging = if route.paged { &["after", "limit"][..] } else { &[] };
    let known = || route.query.iter().map(|parameter| parameter.name).chain(paging.iter().copied());
    if let Some((name, _)) = query.pairs().find(|(name, _)| known().all(|known| known != *name)) {
        let known: Vec<&str> = known().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Refused::invalid(format!("there is no parameter {name:?} here; there are: {known}")));
    }
    match route.query.iter().find(|parameter| parameter.required && query.get(parameter.name).is_none()) {
        Some(missing) => Err(Refused::invalid(format!("the parameter {} is missing: {}", missing.name, missing.about))),
        None => Ok(()),
    }
}

/// Compares a path with a template; what stands for its names is decoded after the path was split.
fn matches(template: &'static str, path: &str) -> Result<Option<Vec<(&'static str, String)>>, Refused> {
    let mut arguments = Vec::new();
    let mut rest = path.split('/');
    for part in template.split('/') {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let Some(segment) = rest.next() else { return Ok(None) };
        match name {
            Some("repository") => {
                let mut whole = segment.to_owned();
                for more in rest.by_ref() {
                    whole.push('/');
                    whole.push_str(more);
                }
                arguments.push(("repository", decoded(&whole)?));
            }
            Some(name) => arguments.push((name, decoded(segment)?)),
            None if part == segment => {}
            None => return Ok(None),
        }
    }
    let empty = arguments.iter().any(|(_, value)| value.is_empty());
    Ok((rest.next().is_none() && !empty).then_some(arguments))
}

fn decoded(segment: &str) -> Result<String, Refused> {
    let text = percent_encoding::percent_decode_str(segment).decode_utf8();
    let text = text.map_err(|_| Refused::invalid("the path is not UTF-8".to_owned()))?;
    if text.len() > 512 || text.chars().any(char::is_control) {
        return Err(Refused::invalid("a name in the path is too long, or holds control characters".to_owned()));
    }
    Ok(text.into_owned())
}
