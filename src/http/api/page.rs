//! Pages of lists: a cursor in, a cursor out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Refused;

/// Entries on a page when the client does not say.
const LIMIT: usize = 50;
/// Entries on a page at most.
const MAX_LIMIT: usize = 500;
/// Longest cursor that is read.
const MAX_CURSOR: usize = 1024;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What is on it, in order.
    pub items: Vec<T>,
    /// The cursor of the page that follows, as the parameter `after` takes it; null on the last page.
    pub next: Option<String>,
}

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The key behind which it begins; empty at the beginning.
    pub after: String,
    /// How many entries it has at most.
    pub limit: usize,
}

impl Cursor {
    pub fn parse(after: Option<&str>, limit: Option<&str>) -> Result<Self, Refused> {
        let limit = match limit {
            None => LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=MAX_LIMIT).contains(n))
                .ok_or_else(|| Refused::invalid(format!("limit is a whole number from 1 to {MAX_LIMIT}")))?,
        };
        let after = match after {
            None => String::new(),
            Some(text) => decode(text).ok_or_else(|| {
                Refused::invalid("after takes the `next` of an earlier page, as it was given".to_owned())
            })?,
        };
        Ok(Self { after, limit })
    }

    /// The key behind which it begins, where keys are numbers; 0 at the beginning.
    pub fn number(&self) -> Result<i64, Refused> {
        let wrong = || Refused::invalid("after takes the `next` of an earlier page, as it was given".to_owned());
        if self.after.is_empty() { Ok(0) } else { self.after.parse().map_err(|_| wrong()) }
    }

    /// Makes a page of a list that is whole and in the order of its keys.
    pub fn of_all<R, T>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> String, entry: impl FnMut(R) -> T) -> Page<T> {
        rows.retain(|row| key(row) > self.after);
        rows.sort_by_key(|row| key(row));
        rows.truncate(self.limit + 1);
        self.page(rows, key, entry)
    }

    /// Makes a page of what was asked for with one entry more than fits.
    pub fn page<R, T>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> String, entry: impl FnMut(R) -> T) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(key(row)));
        Page { items: rows.into_iter().map(entry).collect(), next }
    }
}

fn decode(text: &str) -> Option<String> {
    if text.len() > MAX_CURSOR {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    (!text.contains('\0')).then_some(text)
}
