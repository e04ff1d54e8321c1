//! Which page a path names. Pure: no look-up, no decision.
//!
//! System pages stand below `/-/`, which no name begins with. What stands before a later `/-/` is a name: of one component
//! it is a namespace where such a page is declared, otherwise a repository.

use std::pin::Pin;

use http::Method;
use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::failure::Failure;
use super::visit::Visit;

/// Longest path that is looked at. A repository's name has at most 255 bytes, a tag 128.
const MAX_PATH: usize = 2048;

/// What answers for a page.
pub(super) type Handler = fn(Visit) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// A page, or the form of one.
pub(super) struct Route {
    /// Whether it changes something: then by POST, otherwise by GET.
    pub changes: bool,
    /// `/-/…`, `/{namespace}/-/…` or `/{repository}/-/…`; other `{names}` stand for one segment.
    pub path: &'static str,
    /// What answers.
    pub handler: Handler,
}

impl Route {
    /// A page that is looked at.
    pub const fn get(path: &'static str, handler: Handler) -> Self {
        Self { changes: false, path, handler }
    }

    /// A form that is sent.
    pub const fn post(path: &'static str, handler: Handler) -> Self {
        Self { changes: true, path, handler }
    }
}

/// What stands in the path for the names of the pattern.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found(Vec<(&'static str, String)>);

impl Found {
    /// What stands there for a name; empty where the pattern has no such name.
    pub fn argument(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| *found == name).map_or("", |(_, value)| value)
    }
}

/// Why no route was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// There is no such page.
    Path,
    /// The page is looked at, or sent, but not this way.
    Method {
        /// What is taken.
        allow: &'static str,
    },
}

/// A path, taken apart.
struct Segments {
    /// The components of the name before `/-/`.
    name: Vec<String>,
    /// What follows `/-/`; nothing where there is no such part.
    rest: Option<Vec<String>>,
}

fn segments(path: &str) -> Option<Segments> {
    if path.len() > MAX_PATH {
        return None;
    }
    let mut name = Vec::new();
    let mut rest = None;
    for segment in path.strip_prefix('/')?.split('/') {
        let segment = percent_decode_str(segment).decode_utf8().ok()?;
        if segment.contains(['\0', '/']) {
            return None;
        }
        match &mut rest {
            None if segment == "-" => rest = Some(Vec::new()),
            None => name.push(segment.into_owned()),
            Some(rest) => rest.push(segment.into_owned()),
        }
    }
    // A slash at the end leads to the same page.
    if let Some(last) = rest.as_mut().or(Some(&mut name))
        && last.last().is_some_and(String::is_empty)
    {
        last.pop();
    }
    Some(Segments { name, rest })
}

/// Finds the route of a path.
pub(super) fn find<'r>(
    routes: impl Iterator<Item = &'r Route>,
    method: &Method,
    path: &str,
) -> Result<(&'r Route, Found), NotFound> {
    let changes = match *method {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => return Err(NotFound::Method { allow: "GET, HEAD, POST" }),
    };
    let segments = segments(path).ok_or(NotFound::Path)?;
    let mut other = None;
    let mut repository = None;
    for route in routes {
        let Some(found) = matches(route.path, &segments) else { continue };
        if route.changes != changes {
            other = Some(if route.changes { "POST" } else { "GET, HEAD" });
        } else if route.path.starts_with("/{repository}") {
            repository = repository.or(Some((route, found)));
        } else {
            return Ok((route, found));
        }
    }
    repository.ok_or_else(|| other.map_or(NotFound::Path, |allow| NotFound::Method { allow }))
}

fn matches(pattern: &'static str, segments: &Segments) -> Option<Found> {
    let mut found = Found::default();
    let (name, rest) = match pattern.split_once("/-") {
        Some((name, rest)) => (name, Some(rest.trim_start_matches('/'))),
        None => (pattern, None),
    };
    match (name.trim_start_matches('/'), segments.name.as_slice()) {
        ("", []) => {}
        ("{namespace}", [one]) => found.0.push(("namespace", one.clone())),
        ("{repository}", [_, ..]) => found.0.push(("repository", segments.name.join("/"))),
        _ => return None,
    }
    let (pattern, rest) = match (rest, &segments.rest) {
        (None, None) => return Some(found),
        (Some(pattern), Some(rest)) => (pattern, rest),
        _ => return None,
    };
    let wanted: Vec<&'static str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if wanted.len() != rest.len() {
        return None;
    }
    for (wanted, given) in wanted.into_iter().zip(rest) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !given.is_empty() => found.0.push((name, given.clone())),
            None if wanted == given => {}
            _ => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Found, NotFound, Route, find};

    fn nothing(
        _: super::Visit,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<super::Answer, super::Failure>> + Send>> {
        Box::pin(async { Err(super::Failure::NotFound) })
    }

    const ROUTES: [Route; 8] = [
        Route::get("/", nothing),
        Route::get("/-/search", nothing),
        Route::get("/-/users/{user}", nothing),
        Route::get("/{repository}", nothing),
        Route::get("/{namespace}", nothing),
        Route::get("/{repository}/-/tags/{tag}", nothing),
        Route::post("/{repository}/-/settings", nothing),
        Route::get("/{namespace}/-/settings", nothing),
    ];

    type Arguments = Vec<(&'static str, String)>;

    fn found(method: &Method, path: &str) -> Result<(&'static str, Arguments), NotFound> {
        find(ROUTES.iter(), method, path).map(|(route, Found(arguments))| (route.path, arguments))
    }

    #[test]
    fn a_path_leads_to_one_page() {
        let get = |path| {
            found(&Method::GET, path).map(|(pattern, arguments)| {
                let values: Vec<String> = arguments.into_iter().map(|(_, value)| value).collect();
                (pattern, values.join(" "))
            })
        };
        for (path, pattern, values) in [
            ("/", "/", ""),
            ("/-/search", "/-/search", ""),
            ("/-/search/", "/-/search", ""),
            ("/-/users/ann", "/-/users/{user}", "ann"),
            ("/acme", "/{namespace}", "acme"),
            ("/acme/", "/{namespace}", "acme"),
            ("/acme/app", "/{repository}", "acme/app"),
            ("/acme/team/app/-/tags/1.0", "/{repository}/-/tags/{tag}", "acme/team/app 1.0"),
            ("/app/-/tags/v%201", "/{repository}/-/tags/{tag}", "app v 1"),
            ("/acme/-/settings", "/{namespace}/-/settings", "acme"),
        ] {
            assert_eq!(get(path), Ok((pattern, values.to_owned())), "{path}");
        }
    }

    #[test]
    fn what_is_no_page_is_none() {
        for path in ["", "x", "/-", "/-/users/", "/a/-/tags/b/c", "/a%2Fb/-/tags/x%00", "/%ff", "/a/-/tags/x%2Fy"] {
            assert_eq!(found(&Method::GET, path), Err(NotFound::Path), "{path}");
        }
        assert_eq!(found(&Method::GET, &format!("/{}", "a/".repeat(2000))), Err(NotFound::Path));
        let only_post = NotFound::Method { allow: "POST" };
        assert_eq!(found(&Method::GET, "/a/b/-/settings"), Err(only_post));
        assert!(matches!(found(&Method::POST, "/-/search"), Err(NotFound::Method { allow: "GET, HEAD" })));
        assert!(matches!(found(&Method::PUT, "/"), Err(NotFound::Method { .. })));
    }
}
