//! Forms as browsers send them.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use url::form_urlencoded;

use super::failure::Failure;

/// Most fields of a form.
const MAX_FIELDS: usize = 500;

/// The fields of a form, in their order.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(parts: &Parts, body: &[u8]) -> Result<Self, Failure> {
        let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::Form);
        }
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if fields.len() == MAX_FIELDS {
                return Err(Failure::Form);
            }
            // PostgreSQL takes no text with it, and nobody types it.
            if name.contains('\0') || value.contains('\0') {
                return Err(Failure::Form);
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// The first field of this name; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first field of this name without the spaces around it; nothing where it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty())
    }

    /// Every field of this name.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::Form;

    fn form(media_type: &str, body: &str) -> Option<Form> {
        let (parts, ()) = Request::builder().header("content-type", media_type).body(()).unwrap().into_parts();
        Form::parse(&parts, body.as_bytes()).ok()
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let found = form("application/x-www-form-urlencoded; charset=UTF-8", "a=1+2&b=%C3%A9&a=%20&c").unwrap();
        assert_eq!([found.get("a"), found.get("b"), found.get("c"), found.get("d")], ["1 2", "é", "", ""]);
        assert_eq!(found.all("a").collect::<Vec<_>>(), ["1 2", " "]);
        assert_eq!((found.text("c"), found.text("a"), found.is_ticked("c")), (None, Some("1 2"), true));
        assert!(form("text/plain", "a=1").is_none());
        assert!(form("application/x-www-form-urlencoded", "a=b%00").is_none());
        assert!(form("application/x-www-form-urlencoded", &"a&".repeat(501)).is_none());
    }
}
