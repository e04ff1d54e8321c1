//! The statements that each engine is asked its own.
//!
//! The innermost query finds a bounded number by words alone; everything else, access above all, is decided of those.

use crate::db::access::readable;

/// A statement around the question that an engine is asked.
macro_rules! found {
    ($question:literal) => {
        concat!(
            "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified FROM (",
            $question,
            ") few JOIN repositories r ON r.id = few.id JOIN namespaces n ON n.id = r.namespace_id WHERE (",
            readable!(),
            ") AND (CAST($6 AS BIGINT) = 0 OR r.pushed_at >= $6) ORDER BY r.pulls DESC, r.id DESC LIMIT $7"
        )
    };
}

pub(super) const WORDS_FTS5: &str =
    found!("SELECT rowid AS id FROM repository_words WHERE repository_words MATCH $5 LIMIT 3000");

pub(super) const WORDS_TSVECTOR: &str = found!(
    "SELECT repository_id AS id FROM repository_words WHERE words @@ CAST(CAST($5 AS TEXT) AS tsquery) LIMIT 3000"
);

pub(super) const PARTS_FTS5: &str =
    found!("SELECT rowid AS id FROM repository_grams WHERE repository_grams MATCH $5 LIMIT 3000");

pub(super) const PARTS_TSVECTOR: &str = found!(
    "SELECT repository_id AS id FROM repository_words WHERE grams @@ CAST(CAST($5 AS TEXT) AS tsquery) LIMIT 3000"
);
