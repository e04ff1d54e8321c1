//! Reading of JSON objects member by member, so that an error can say where it stands.
//!
//! Two parsers may read one document differently: one takes the first of two equal keys and another the
//! last, and Go's takes `Layers` for `layers`. A document that would be read differently by the registry
//! and by those who pull it is refused here (the lesson of CVE-2021-41190).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::manifest::{MAX_DEPTH, MAX_DESCRIPTORS, MAX_ITEMS, ManifestError};

/// A place in a document, written as `layers[3].digest`.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Root,
    Member(&'static str),
    Element(usize),
}

impl<'p> Place<'p> {
    /// The document itself.
    pub(crate) const ROOT: Place<'static> = Place { parent: None, step: Step::Root };

    /// The member of this name of the object here.
    pub(crate) const fn member(&'p self, name: &'static str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// The element of this index of the array here.
    pub(crate) const fn element(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Element(index) }
    }

    /// The error that something else was expected here.
    pub(crate) fn expected(&self, expected: &'static str) -> ManifestError {
        ManifestError::Expected { place: self.to_string(), expected }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if let (Step::Member(_), false) = (self.step, matches!(parent.step, Step::Root)) {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => f.write_str(name),
            Step::Element(index) => write!(f, "[{index}]"),
        }
    }
}

/// What of a document may still be kept, so that a small text cannot become a large structure.
pub(crate) struct Budget {
    descriptors: usize,
    items: usize,
}

impl Budget {
    /// The budget of one document.
    pub(crate) const fn new() -> Self {
        Self { descriptors: MAX_DESCRIPTORS, items: MAX_ITEMS }
    }

    /// Counts descriptors.
    pub(crate) fn take_descriptors(&mut self, count: usize) -> Result<(), ManifestError> {
        self.descriptors = self.descriptors.checked_sub(count).ok_or(ManifestError::TooManyDescriptors)?;
        Ok(())
    }

    /// Counts annotations and addresses.
    fn take_items(&mut self, count: usize) -> Result<(), ManifestError> {
        self.items = self.items.checked_sub(count).ok_or(ManifestError::TooManyItems)?;
        Ok(())
    }
}

/// The members of an object that have one of `N` names, unread.
pub(crate) struct Members<'a, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<&'a RawValue>; N],
    /// The first known name that stood twice, or whose like stood in other letters.
    ambiguous: Option<&'static str>,
}

impl<'a, const N: usize> Members<'a, N> {
    /// Reads a text that is one object and nothing after it; members of other names are skipped.
    pub(crate) fn read(
        text: &'a str,
        names: &'static [&'static str; N],
        place: &Place<'_>,
    ) -> Result<Self, ManifestError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = MembersSeed(names)
            .deserialize(&mut deserializer)
            .and_then(|members| deserializer.end().map(|()| members))
            .map_err(|error| match error.classify() {
                serde_json::error::Category::Data => place.expected("an object"),
                _ => ManifestError::Json(error.to_string()),
            })?;
        match members.ambiguous {
            Some(name) => Err(ManifestError::AmbiguousKey { place: place.member(name).to_string() }),
            None => Ok(members),
        }
    }

    /// Whether the object has this member, whatever its value.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.raw(name).is_some()
    }

    /// The text of a member that is there and not null.
    pub(crate) fn get(&self, name: &'static str) -> Option<&'a str> {
        self.raw(name).map(RawValue::get).filter(|text| *text != "null")
    }

    fn raw(&self, name: &'static str) -> Option<&'a RawValue> {
        let index = self.names.iter().position(|known| *known == name)?;
        self.values[index]
    }

    /// A string; `None` when absent or null.
    pub(crate) fn string(&self, name: &'static str, place: &Place<'_>) -> Result<Option<String>, ManifestError> {
        self.get(name).map(serde_json::from_str).transpose().map_err(|_| place.member(name).expected("a string"))
    }

    /// A media type or an artifact type: at most 255 printable ASCII characters. Absent, null and empty
    /// are the same, as they are to the programs that write and read manifests.
    ///
    /// No closer look is taken: types outside RFC 6838 are in use, and nothing hangs on their grammar.
    pub(crate) fn type_name(&self, name: &'static str, place: &Place<'_>) -> Result<Option<String>, ManifestError> {
        let Some(text) = self.string(name, place)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if !printable || text.len() > crate::media_type::MAX_MEDIA_TYPE_LEN {
            return Err(place.member(name).expected("a media type of at most 255 printable ASCII characters"));
        }
        Ok(Some(text))
    }

    /// An object of strings; empty when absent or null.
    pub(crate) fn string_map(
        &self,
        name: &'static str,
        place: &Place<'_>,
        budget: &mut Budget,
    ) -> Result<BTreeMap<String, String>, ManifestError> {
        let place = place.member(name);
        let Some(text) = self.get(name) else {
            return Ok(BTreeMap::new());
        };
        let mut reading = StringMap { left: budget.items, outcome: MapOutcome::Whole, map: BTreeMap::new() };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_map(&mut reading).map_err(|_| place.expected("an object whose values are strings"))?;
        budget.take_items(reading.map.len())?;
        match reading.outcome {
            MapOutcome::Whole => Ok(reading.map),
            MapOutcome::TooLong => Err(ManifestError::TooManyItems),
            MapOutcome::Ambiguous => Err(ManifestError::AmbiguousKey { place: format!("{place}.*") }),
        }
    }

    /// An array of strings; empty when absent or null.
    pub(crate) fn string_list(
        &self,
        name: &'static str,
        place: &Place<'_>,
        budget: &mut Budget,
    ) -> Result<Vec<String>, ManifestError> {
        let elements = self.list(name, place, budget.items)?.ok_or(ManifestError::TooManyItems)?;
        budget.take_items(elements.len())?;
        let place = place.member(name);
        elements
            .into_iter()
            .enumerate()
            .map(|(index, text)| serde_json::from_str(text).map_err(|_| place.element(index).expected("a string")))
            .collect()
    }

    /// The texts of an array's elements, empty when absent or null; `None` when there are more than `max`.
    pub(crate) fn list(
        &self,
        name: &'static str,
        place: &Place<'_>,
        max: usize,
    ) -> Result<Option<Vec<&'a str>>, ManifestError> {
        let Some(text) = self.get(name) else {
            return Ok(Some(Vec::new()));
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_seq(ListVisitor { max }).map_err(|_| place.member(name).expected("an array"))
    }
}

struct MembersSeed<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for MembersSeed<N> {
    type Value = Members<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for MembersSeed<N> {
    type Value = Members<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { names: self.0, values: [None; N], ambiguous: None };
        while let Some(key) = map.next_key_seed(KeySeed(self.0))? {
            let repeated = match key {
                Key::Known(index) => {
                    let value = map.next_value::<&RawValue>()?;
                    members.values[index].replace(value).is_some().then_some(index)
                }
                Key::Lookalike(index) => {
                    map.next_value::<IgnoredAny>()?;
                    Some(index)
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            if let (None, Some(index)) = (members.ambiguous, repeated) {
                members.ambiguous = Some(self.0[index]);
            }
        }
        Ok(members)
    }
}

/// What a key is to the registry.
enum Key {
    Known(usize),
    /// Another text, that Go's parser takes for the known one.
    Lookalike(usize),
    Other,
}

struct KeySeed<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for KeySeed<N> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for KeySeed<N> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        if let Some(index) = self.0.iter().position(|name| *name == key) {
            return Ok(Key::Known(index));
        }
        let lookalike = self.0.iter().position(|name| folds_to(key, name));
        Ok(lookalike.map_or(Key::Other, Key::Lookalike))
    }
}

/// Whether two keys are equal but for case, as Unicode's simple folding has it for ASCII letters: two
/// letters beyond ASCII fold to one, the long s and the Kelvin sign.
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

/// Collects the elements of an array, up to a number.
struct ListVisitor {
    max: usize,
}

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Option<Vec<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element::<&RawValue>()? {
            if elements.len() == self.max {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            elements.push(element.get());
        }
        Ok(Some(elements))
    }
}

/// Collects an object of strings, up to a number of them.
struct StringMap {
    left: usize,
    outcome: MapOutcome,
    map: BTreeMap<String, String>,
}

enum MapOutcome {
    Whole,
    TooLong,
    Ambiguous,
}

impl<'de> Visitor<'de> for &mut StringMap {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose values are strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if self.map.len() == self.left {
                self.outcome = MapOutcome::TooLong;
                break;
            }
            if self.map.insert(key, value).is_some() {
                self.outcome = MapOutcome::Ambiguous;
                break;
            }
        }
        // What is left is skipped: the object was already seen to be well formed.
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Refuses a text that nests deeper than [`MAX_DEPTH`], before any parser sees it.
///
/// Our own parser skips what it does not know without recursion; those of clients do recurse, and a
/// stored manifest reaches all of them.
pub(crate) fn check_depth(text: &str) -> Result<(), ManifestError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if escaped {
            escaped = false;
        } else if in_string {
            escaped = byte == b'\\';
            in_string = byte != b'"';
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err(ManifestError::TooDeep);
            }
        }
    }
    Ok(())
}
