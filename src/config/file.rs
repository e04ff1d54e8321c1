//! Reads options from a TOML file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::shorten;
use super::nearest::nearest;
use super::option::Setting;
use super::{ByteSize, Literal, Origin, Problem, find, options};

/// More than this is not read: a configuration is short, and the path may be a device.
const MAX_FILE: ByteSize = ByteSize::mib(1);

/// Reads what the file sets; what is wrong goes to `problems`.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let text = match read_text(path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            problems.push(Problem::TooLarge { path: path.to_owned(), limit: MAX_FILE });
            return Vec::new();
        }
        Err(source) => {
            problems.push(Problem::Unreadable { path: path.to_owned(), source });
            return Vec::new();
        }
    };
    let mut reader = Reader { path: Arc::from(path), text: &text, problems, settings: Vec::new() };
    reader.document();
    reader.settings
}

/// Returns the text of the file; `None` if it is too large.
fn read_text(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE.bytes() + 1).read_to_string(&mut text)?;
    Ok((text.len() as u64 <= MAX_FILE.bytes()).then_some(text))
}

struct Reader<'a> {
    path: Arc<Path>,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    settings: Vec<Setting>,
}

impl Reader<'_> {
    fn document(&mut self) {
        match DeTable::parse(self.text) {
            Ok(table) => {
                self.table("", table.get_ref());
                // The parser sorts by key; a reader of messages goes through the file from top to
                // bottom.
                self.settings.sort_by_key(|setting| line_of(&setting.origin));
            }
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = shorten(&error.message().replace('\n', ", "));
                self.problems.push(Problem::Syntax { origin: self.origin(offset), message });
            }
        }
    }

    /// Reads the keys of a table. `prefix` is the section with its dot, empty for the document itself.
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let origin = self.origin(name.span().start);
            if let Some(option) = find(&key) {
                self.settings.push(Setting { option, literal: literal(value.get_ref()), origin });
            } else if let Some(first) = first_key_of(&key) {
                self.section(first, value, origin);
            } else {
                self.unknown(&key, value, origin);
            }
        }
    }

    fn section(&mut self, first_key: &'static str, value: &Spanned<DeValue<'_>>, origin: Origin) {
        let (section, example) = first_key.split_once('.').unwrap_or((first_key, first_key));
        match value.get_ref() {
            DeValue::Table(table) => self.table(&format!("{section}."), table),
            _ => self.problems.push(Problem::NotASection { origin, section, example }),
        }
    }

    /// Reports an unknown key. Of an unknown section each key is reported, for each has a nearest one of its own.
    fn unknown(&mut self, key: &str, value: &Spanned<DeValue<'_>>, origin: Origin) {
        if let DeValue::Table(table) = value.get_ref()
            && !table.is_empty()
            && !key.contains('.')
        {
            return self.table(&format!("{key}."), table);
        }
        let known = options().iter().map(|option| option.key);
        self.problems.push(Problem::UnknownKey {
            origin,
            nearest: nearest(key, '.', known).map(str::to_owned),
            key: shorten(&key.escape_debug().to_string()),
        });
    }

    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File { path: Arc::clone(&self.path), line }
    }
}

/// Returns the first key of the section that is called `name`, if there is such a section.
fn first_key_of(name: &str) -> Option<&'static str> {
    options().iter().find(|option| !name.is_empty() && option.section() == name).map(|option| option.key)
}

fn line_of(origin: &Origin) -> usize {
    match origin {
        Origin::File { line, .. } => *line,
        _ => 0,
    }
}

fn literal(value: &DeValue<'_>) -> Literal {
    match value {
        DeValue::String(text) => Literal::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Literal::Integer(integer),
            Err(_) => Literal::Other("an integer out of range"),
        },
        DeValue::Boolean(boolean) => Literal::Boolean(*boolean),
        DeValue::Array(items) => Literal::List(items.iter().map(|item| literal(item.get_ref())).collect()),
        DeValue::Float(_) => Literal::Other("a number with a fraction"),
        DeValue::Datetime(_) => Literal::Other("a date"),
        DeValue::Table(_) => Literal::Other("a table"),
    }
}
