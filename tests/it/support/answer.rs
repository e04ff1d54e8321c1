//! What came back, and what every answer has to be like.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn new(what: String, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { what, status, headers, body }
    }

    /// What stands on every answer, whatever it says.
    pub fn assert_common_headers(&self, request: &str) {
        assert_eq!(self.header("x-request-id").len(), 32, "{request}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{request}");
        let target = request.split_once(' ').map_or("", |(_, target)| target);
        if target == "/v2" || target.starts_with("/v2/") || target.starts_with("/v2?") {
            assert_eq!(self.header("docker-distribution-api-version"), "registry/2.0", "{request}");
        }
        // Relative, so that it is right behind every proxy.
        let ours = |location: &str| location.starts_with('/') && !location.starts_with("//");
        assert!(self.find("location").is_none_or(ours), "{self:?}");
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.what, String::from_utf8_lossy(&self.body));
        self
    }

    /// Expects the specification's error document with one error of this code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/json", "{}", answer.what);
        let document = answer.json();
        let errors = document["errors"].as_array().expect("a list of errors");
        assert_eq!(errors.len(), 1, "{document}");
        assert_eq!(errors[0]["code"], code, "{}: {document}", answer.what);
        assert!(errors[0]["message"].as_str().is_some_and(|message| message.len() > 10), "{document}");
        answer
    }

    /// The message of a refusal, which is all that docker prints.
    pub fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().expect("a message").to_owned()
    }

    /// The particulars of a refusal.
    pub fn detail(&self) -> Value {
        self.json()["errors"][0]["detail"].clone()
    }

    pub fn find(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of visible ASCII"))
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.find(name) {
            Some(value) => value,
            None => panic!("{}: no header {name}: {self:?}", self.what),
        }
    }

    /// Every value of a header, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("a header of visible ASCII")).collect()
    }

    #[track_caller]
    pub fn location(&self) -> String {
        self.header("location").to_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {:?}", self.what, self.body))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A member that is a string.
    #[track_caller]
    pub fn string(&self, member: &str) -> String {
        let document = self.json();
        document[member].as_str().unwrap_or_else(|| panic!("no string {member}: {document}")).to_owned()
    }

    /// The strings of a member that is a list.
    #[track_caller]
    pub fn strings(&self, member: &str) -> Vec<String> {
        let document = self.json();
        let list = document[member].as_array().unwrap_or_else(|| panic!("no list {member}: {document}"));
        list.iter().map(|entry| entry.as_str().expect("a string").to_owned()).collect()
    }

    /// Where the next page is (RFC 8288), from the form that the specification shows.
    pub fn next_page(&self) -> Option<String> {
        let link = self.find("link")?;
        let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        Some(target.unwrap_or_else(|| panic!("a link of another form: {link}")).to_owned())
    }
}
