//! One request for a page: who asks, for what, with which form.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, header};
use oci::{Query, RepositoryName};

use super::failure::Failure;
use super::form::Form;
use super::route::Found;
use super::view::{Notice, View, Viewer};
use super::words;
use crate::auth::seal::random;
use crate::auth::surface::{self, Kind, Shown, Surface};
use crate::auth::{Pattern, Permissions, Proof, Secret, SecretKind, csrf};
use crate::config::SignUp;
use crate::http::cookie;
use crate::http::exchange::Exchange;
use crate::registry::access::manage::{Target, admit_to};
use crate::registry::access::{self, Denial, Why};
use crate::registry::accounts::Language;
use crate::registry::{Account, Ctx, Error, Identity, Registry};

/// The cookie with the language that a reader chose.
const LANGUAGE: &str = "havre_lang";
/// The cookie with the colours that a reader chose.
const THEME: &str = "havre_theme";
/// How long a choice is remembered, in seconds.
const REMEMBERED: i64 = 365 * 24 * 3600;

/// The session that a browser shows.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Its secret, where there is one that holds.
    pub secret: Option<Secret>,
    /// Why it opens nothing yet: the second factor is to be shown, or to be set up.
    pub pending: Option<Why>,
    /// Whether the browser holds a cookie that is over.
    pub over: bool,
}

/// One request for a page.
pub(super) struct Visit {
    pub exchange: Exchange,
    pub session: Session,
    pub proof: Arc<Proof>,
    pub query: Query,
    pub form: Form,
    pub found: Found,
    headers: HeaderMap,
    path: String,
    nonce: String,
}

impl Visit {
    /// A visit of somebody who is not known yet.
    pub fn new(exchange: Exchange, parts: &Parts) -> Self {
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        Self {
            session: Session::default(),
            proof: exchange.app.registry.access.anonymous(),
            // A query that cannot be read says nothing.
            query: Query::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default(),
            form: Form::default(),
            found: Found::default(),
            headers: parts.headers.clone(),
            path,
            nonce: random::<16>().iter().map(|byte| format!("{byte:02x}")).collect(),
            exchange,
        }
    }

    /// Finds out who asks.
    pub async fn identify(&mut self) -> Result<(), Failure> {
        self.exchange.ctx.identity = Identity::Anonymous;
        self.exchange.ctx.credential = None;
        (self.session, self.proof) = identify(&mut self.exchange, &self.headers).await?;
        Ok(())
    }

    pub fn registry(&self) -> &Registry {
        &self.exchange.app.registry
    }

    pub fn ctx(&self) -> &Ctx {
        &self.exchange.ctx
    }

    /// The path and query, as they came.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the path for `{name}`.
    pub fn argument(&self, name: &str) -> &str {
        self.found.argument(name)
    }

    /// A parameter of the query; empty where there is none.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.get(name).unwrap_or_default()
    }

    /// The user who is signed in; who is not is asked to.
    pub fn user(&self) -> Result<Arc<Account>, Failure> {
        match &self.ctx().identity {
            Identity::User(account) => Ok(Arc::clone(account)),
            _ => Err(Denial::of(self.session.pending.unwrap_or(Why::SignIn)).into()),
        }
    }

    /// The repository of the path, where the caller may do what takes `needed`.
    pub async fn repository(&mut self, needed: Permissions) -> Result<RepositoryName, Failure> {
        let name = RepositoryName::parse(self.argument("repository")).map_err(|_| Failure::NotFound)?.canonical();
        self.admit(&name, needed).await?;
        Ok(name)
    }

    /// Lets the caller do in a repository what takes `needed`, or says why not.
    pub async fn admit(&mut self, name: &RepositoryName, needed: Permissions) -> Result<(), Failure> {
        let (app, proof) = (Arc::clone(&self.exchange.app), Arc::clone(&self.proof));
        Ok(access::admit(&app.registry, &mut self.exchange.ctx, &proof, name, needed).await?)
    }

    /// Whether the caller may do in a repository what takes `needed`: for what a page offers.
    pub async fn may(&self, name: &RepositoryName, needed: Permissions) -> Result<bool, Failure> {
        let mut ctx = self.ctx().clone();
        allowed(access::admit(self.registry(), &mut ctx, &self.proof, name, needed).await)
    }

    /// Lets the caller manage what takes `needed`, or says why not. What is then done is decided about once more in its own
    /// transaction.
    pub async fn manage(&mut self, target: Target, needed: Permissions) -> Result<(), Failure> {
        let (app, proof) = (Arc::clone(&self.exchange.app), Arc::clone(&self.proof));
        Ok(Box::pin(admit_to(&app.registry, &mut self.exchange.ctx, &proof, &target, needed)).await?)
    }

    /// Whether the caller may manage what takes `needed`: for what a page offers.
    pub async fn may_manage(&self, target: Target, needed: Permissions) -> Result<bool, Failure> {
        let mut ctx = self.ctx().clone();
        allowed(Box::pin(admit_to(self.registry(), &mut ctx, &self.proof, &target, needed)).await)
    }

    /// All that the caller may do in everything that a pattern matches: for what a page offers.
    pub async fn rights_over(&self, pattern: Pattern) -> Result<Permissions, Failure> {
        let (mut ctx, target) = (self.ctx().clone(), Target::Over(pattern));
        let admitted = Box::pin(admit_to(self.registry(), &mut ctx, &self.proof, &target, Permissions::NONE)).await;
        Ok(if allowed(admitted)? { ctx.hands_on } else { Permissions::NONE })
    }

    /// What every page knows.
    pub fn view(&self) -> View {
        let ctx = self.ctx();
        let language = self.language();
        let user = match &ctx.identity {
            Identity::User(account) => Some(Viewer { name: account.name.to_string(), admin: account.admin }),
            _ => None,
        };
        let mut view = View {
            lang: language.as_str(),
            language,
            theme: theme(self.cookie(THEME).unwrap_or_default()),
            nonce: self.nonce.clone(),
            host: self.exchange.host.clone(),
            scheme: self.exchange.scheme,
            csrf: self.session.secret.as_ref().map(csrf::token).unwrap_or_default(),
            user,
            path: self.path.clone(),
            open: self.registry().access.open,
            banner: self.registry().instance.settings().banner.clone(),
            notice: None,
            sign_up: self.registry().people.sign_up == SignUp::Open,
            now: ctx.now,
        };
        view.notice = self.notice(&view);
        view
    }

    /// What was done, told by a word in the query that stands for a text of ours: no link makes us say something else.
    fn notice(&self, view: &View) -> Option<Notice> {
        let done = self.query.get("done").filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))?;
        let text = words::find(view.language, &format!("done-{done}"), None)?;
        Some(Notice { kind: "success", text })
    }

    fn language(&self) -> Language {
        let chosen = self.cookie(LANGUAGE).and_then(words::language);
        chosen.or_else(|| words::preferred(&self.headers)).unwrap_or_default()
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The cookie that remembers a choice.
    pub fn remember_language(&self, language: Language) -> String {
        self.remember(LANGUAGE, language.as_str())
    }

    /// The cookie that remembers a choice.
    pub fn remember_theme(&self, word: &str) -> String {
        self.remember(THEME, theme(word))
    }

    fn remember(&self, name: &str, value: &str) -> String {
        let secure = if self.exchange.scheme == "https" { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={REMEMBERED}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The cookie that holds the secret of a session until it ends.
    pub fn session_cookie(&self, opened: &access::sessions::Opened) -> String {
        let seconds = opened.expires_at.saturating_sub(self.ctx().now) / 1_000_000;
        cookie::set(self.exchange.scheme, Some(&opened.secret), seconds)
    }

    /// The cookie that has a browser forget its session.
    pub fn no_session_cookie(&self) -> String {
        cookie::set(self.exchange.scheme, None, 0)
    }

    /// Whether the form was sent from a page of ours, by the browser of who looked at it.
    pub fn is_our_form(&self) -> bool {
        is_same_origin(&self.headers, self.exchange.scheme, &self.exchange.host)
            && self.session.secret.as_ref().is_none_or(|secret| csrf::matches(secret, self.form.get("csrf").as_bytes()))
    }
}

/// A path of ours to go on to, as it stands in a field or a parameter; any other address leads home.
pub(super) fn back(to: &str) -> String {
    let inner = to.strip_prefix('/').filter(|rest| !rest.starts_with(['/', '\\']));
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if inner.is_some() && plain && to.len() <= 2048 { to.to_owned() } else { "/".to_owned() }
}

fn theme(word: &str) -> &'static str {
    match word {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    }
}

fn allowed(outcome: Result<(), Error>) -> Result<bool, Failure> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Error::Denied(_) | Error::NameUnknown(_) | Error::Account(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What browsers tell of where a request comes from (Fetch Metadata, and `Origin` of RFC 6454); what tells nothing is no
/// browser, and has no cookie of somebody else.
fn is_same_origin(headers: &HeaderMap, scheme: &str, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").is_some_and(|(s, h)| s == scheme && h == host),
        (None, None) => true,
    }
}

async fn identify(exchange: &mut Exchange, headers: &HeaderMap) -> Result<(Session, Arc<Proof>), Failure> {
    let app = Arc::clone(&exchange.app);
    let registry = &app.registry;
    let nobody = registry.access.anonymous();
    let Some(secret) = cookie::read(headers, exchange.scheme).filter(|_| !registry.access.open) else {
        return Ok((Session::default(), nobody));
    };
    let kind = Kind::Secret(secret.kind());
    if secret.kind() != SecretKind::Session || !surface::opens(kind, Surface::Pages, Shown::Cookie) {
        return Ok((Session { over: true, ..Session::default() }, nobody));
    }
    let found = match access::sessions::find(registry, &exchange.ctx, &secret, false).await {
        Ok(proof) => access::admit_anybody(registry, &mut exchange.ctx, &proof, false).await.map(|()| proof),
        Err(error) => Err(error),
    };
    match found {
        Ok(proof) => Ok((Session { secret: Some(secret), ..Session::default() }, proof)),
        Err(Error::Denied(denial)) => Ok(match denial.why {
            Why::FactorPending | Why::FactorMissing => {
                // It opens nothing but what is about itself; pages show what anybody may see.
                let proof = access::sessions::find(registry, &exchange.ctx, &secret, true).await?;
                (Session { secret: Some(secret), pending: Some(denial.why), over: false }, proof)
            }
            _ => (Session { over: true, ..Session::default() }, nobody),
        }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::HeaderValue;

    use super::{back, is_same_origin};

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in ["/", "/acme/app?done=x&q=%20", "/-/search?q=a#b"] {
            assert_eq!(back(ours), ours);
        }
        for other in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/\tx", "javascript:x"]
        {
            assert_eq!(back(other), "/", "{other:?}");
        }
        assert_eq!(back(&format!("/{}", "a".repeat(3000))), "/");
    }

    #[test]
    fn a_form_of_another_site_is_told_from_ours() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        for (pairs, expected) in [
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://havre.example")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "https://havre.example")], true),
            (&[("origin", "http://havre.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[], true),
        ] {
            assert_eq!(is_same_origin(&headers(pairs), "https", "havre.example"), expected, "{pairs:?}");
        }
    }
}
