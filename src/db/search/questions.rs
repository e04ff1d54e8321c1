//! What an engine is asked, written out of words of letters and digits.

use super::{How, Shelves, Wanted};

fn joined(words: &[String], quote: &str, joint: &str) -> String {
    words.iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(joint)
}

/// The first two characters of a word.
fn beginning(word: &str) -> String {
    word.chars().take(2).collect()
}

/// The names of shelves, in each group of which one must match.
fn shelf_names(shelves: &Shelves) -> Vec<Vec<String>> {
    let mut groups = Vec::new();
    if let Some(only) = shelves.only {
        groups.push(vec![format!("shelf{only}")]);
    }
    if !shelves.all {
        let own = shelves.namespaces.iter().map(|id| format!("shelf{id}"));
        let internal = shelves.internal.then(|| "shelfinternal".to_owned());
        groups.push(std::iter::once("shelfpublic".to_owned()).chain(internal).chain(own).collect());
    }
    groups
}

/// The question in the words of SQLite's FTS5.
pub(super) fn in_fts5(wanted: &Wanted<'_>) -> String {
    let word = |word: &String| match wanted.how {
        How::Whole => format!("(name : \"{word}\")"),
        How::Begins => format!("(name : \"{word}\" *)"),
        How::Anywhere => format!("({{name rest}} : \"{word}\" *)"),
        How::Alike => format!("(({{name rest}} : \"{word}\" *) OR (name : \"{}\" *))", beginning(word)),
    };
    let groups =
        shelf_names(wanted.shelves).into_iter().map(|names| format!("(shelf : ({}))", joined(&names, "\"", " OR ")));
    wanted.words.iter().map(word).chain(groups).collect::<Vec<_>>().join(" AND ")
}

/// The question in the words of PostgreSQL's tsquery.
pub(super) fn in_tsquery(wanted: &Wanted<'_>) -> String {
    let word = |word: &String| match wanted.how {
        How::Whole => format!("'n{word}'"),
        How::Begins => format!("'n{word}':*"),
        How::Anywhere => format!("('n{word}':* | 'r{word}':*)"),
        How::Alike => format!("('n{word}':* | 'r{word}':* | 'n{}':*)", beginning(word)),
    };
    let groups = shelf_names(wanted.shelves).into_iter().map(|names| format!("({})", joined(&names, "'", " | ")));
    wanted.words.iter().map(word).chain(groups).collect::<Vec<_>>().join(" & ")
}

/// Each three characters of a word that follow each other.
fn grams(part: &str) -> Vec<String> {
    let characters: Vec<char> = part.chars().collect();
    characters.windows(3).map(|gram| gram.iter().collect()).collect()
}

/// The same about parts of names, for FTS5.
pub(super) fn parts_in_fts5(part: &str) -> String {
    joined(&grams(part), "\"", " AND ")
}

/// The same about parts of names, for tsquery.
pub(super) fn parts_in_tsquery(part: &str) -> String {
    joined(&grams(part), "'", " & ")
}

#[cfg(test)]
mod tests {
    use super::{in_fts5, in_tsquery, parts_in_fts5, parts_in_tsquery};
    use crate::db::search::{How, Shelves, Wanted};

    #[test]
    fn a_question_says_the_same_to_both_engines() {
        let words = ["api".to_owned(), "v2".to_owned()];
        let shelves = Shelves { internal: true, namespaces: vec![7], only: Some(9), ..Shelves::default() };
        let wanted = |how| Wanted { words: &words, how, shelves: &shelves, since: 0, limit: 1 };
        assert_eq!(
            in_fts5(&wanted(How::Begins)),
            "(name : \"api\" *) AND (name : \"v2\" *) AND (shelf : (\"shelf9\")) \
             AND (shelf : (\"shelfpublic\" OR \"shelfinternal\" OR \"shelf7\"))"
        );
        assert_eq!(
            in_tsquery(&wanted(How::Begins)),
            "'napi':* & 'nv2':* & ('shelf9') & ('shelfpublic' | 'shelfinternal' | 'shelf7')"
        );
        assert_eq!(
            (parts_in_fts5("prox"), parts_in_tsquery("prox")),
            ("\"pro\" AND \"rox\"".to_owned(), "'pro' & 'rox'".to_owned())
        );
        assert_eq!(parts_in_fts5("pr"), "");
    }
}
