//! A browser that looks at pages: it keeps cookies, and sends the forms that it was shown.

use std::collections::BTreeMap;

use super::accounts::PASSWORD;
use super::answer::Answer;
use super::client::{Call, Client};

/// A browser.
#[derive(Debug, Clone)]
pub struct Pages {
    client: Client,
    cookies: BTreeMap<String, String>,
    /// The token of the page that was looked at last.
    pub csrf: String,
    /// What it says it likes to read.
    pub language: &'static str,
}

impl Pages {
    /// A browser that nobody has used yet.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), cookies: BTreeMap::new(), csrf: String::new(), language: "en" }
    }

    /// Signs in by the form.
    pub async fn sign_in(client: &Client, user: &str) -> Self {
        let mut pages = Self::new(client);
        pages.get("/-/sign-in").await.expect(200);
        pages.submit("/-/sign-in", &[("name", user), ("password", PASSWORD)]).await.expect(303);
        pages.get("/").await.expect(200);
        pages
    }

    /// The cookie of the session, if there is one.
    pub fn session(&self) -> Option<&str> {
        self.cookies.get("havre_session").map(String::as_str)
    }

    fn with_cookies(&self, call: Call) -> Call {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = call.header("accept", "text/html").header("accept-language", self.language);
        if cookies.is_empty() { call } else { call.header("cookie", cookies.join("; ")) }
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = answer.text();
        if let Some(rest) = text.split("name=\"csrf\" value=\"").nth(1) {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
    }

    /// Looks at a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.with_cookies(self.client.get(path)).await;
        self.keep(&answer);
        answer
    }

    /// Sends a form with the token of the page that was looked at last.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send(path, &fields, "same-origin").await
    }

    /// Sends a form as a browser does that was told to by a page of `site` (`same-origin`, `cross-site` …).
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)], site: &str) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", oci::encode_component(name), oci::encode_component(value)))
            .collect();
        let call = self.client.post(path).header("content-type", "application/x-www-form-urlencoded");
        let answer = self.with_cookies(call.header("sec-fetch-site", site)).body(pairs.join("&")).await;
        self.keep(&answer);
        answer
    }
}
