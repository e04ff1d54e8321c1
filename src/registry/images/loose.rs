//! JSON of any shape, looked at part by part: nothing of it becomes a structure but what is wanted, however much there is
//! and however deep it nests.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Some members of an object, unread.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    /// Name and text of each, in their order.
    pub found: Vec<(String, &'a str)>,
    /// How many more there are.
    pub more: usize,
}

impl<'a> Members<'a> {
    /// Reads at most `limit` members of an object with a name that is wanted; nothing where the text is no object.
    pub fn read(text: &'a str, limit: usize, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        struct Walk<F>(usize, F);
        impl<'a, F: Fn(&str) -> bool> Visitor<'a> for Walk<F> {
            type Value = Members<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<String>()? {
                    if !(self.1)(&name) {
                        map.next_value::<IgnoredAny>()?;
                    } else if members.found.len() == self.0 {
                        map.next_value::<IgnoredAny>()?;
                        members.more += 1;
                    } else {
                        members.found.push((name, map.next_value::<&RawValue>()?.get()));
                    }
                }
                Ok(members)
            }
        }
        serde_json::Deserializer::from_str(text).deserialize_map(Walk(limit, wanted)).ok()
    }

    /// The members of these names; none where the text is no object.
    pub fn named(text: &'a str, names: &[&str]) -> Self {
        // A name may stand there again and again: the last one counts, as it does for who runs the image.
        Self::read(text, 4 * names.len(), |name| names.contains(&name)).unwrap_or_default()
    }

    /// The text of a member.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.found.iter().rfind(|(found, _)| found == name).map(|(_, text)| *text).filter(|text| *text != "null")
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }
}

/// Reads at most `limit` elements of an array, and how many more there are; none where the text is no array.
pub(super) fn elements(text: &str, limit: usize) -> (Vec<&str>, usize) {
    struct Walk(usize);
    impl<'a> Visitor<'a> for Walk {
        type Value = (Vec<&'a str>, usize);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while found.len() < self.0 {
                match seq.next_element::<&RawValue>()? {
                    Some(element) => found.push(element.get()),
                    None => return Ok((found, 0)),
                }
            }
            let mut more = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                more += 1;
            }
            Ok((found, more))
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_seq(Walk(limit)).unwrap_or_default()
}

/// What a text stands for; nothing where it is no text, or an empty one.
pub(super) fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().filter(|text: &String| !text.is_empty())
}

/// A text, number or word as people read it; nothing for what has parts.
pub(super) fn scalar(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => text(json),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Members, elements, scalar};

    #[test]
    fn only_what_is_wanted_is_kept() {
        let json = r#"{"a":"1","b":[1,{"c":2}],"a":"2","d":null,"e":{}}"#;
        let members = Members::named(json, &["a", "b", "d"]);
        assert_eq!(members.text("a").as_deref(), Some("2"));
        assert_eq!((members.get("b"), members.get("d"), members.get("e")), (Some(r#"[1,{"c":2}]"#), None, None));
        let all = Members::read(json, 2, |_| true).unwrap();
        assert_eq!((all.found.len(), all.more), (2, 3));
        assert_eq!(elements("[1, \"a\", [], {}]", 2), (vec!["1", "\"a\""], 2));
        assert_eq!(
            ["\"x\"", "12", "true", "null", "[]"].map(scalar).map(Option::unwrap_or_default),
            ["x", "12", "true", "", ""]
        );
    }

    #[test]
    fn what_is_of_another_shape_is_nothing() {
        for json in ["", "[]", "12", "\"a\"", "{\"a\":", "{\"a\":1,}", "nul"] {
            assert!(Members::read(json, 9, |_| true).is_none(), "{json}");
        }
        assert_eq!(elements("{}", 9), (vec![], 0));
        let deep = format!("{{\"a\":{}{},\"b\":\"here\"}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(Members::named(&deep, &["b"]).text("b").as_deref(), Some("here"));
        let long = format!("[{}0]", "0,".repeat(1_000_000));
        assert_eq!(elements(&long, 3), (vec!["0"; 3], 999_998));
    }
}
