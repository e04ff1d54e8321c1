//! Words that are written nearly the same.

use super::words;
use crate::registry::explore::ListedRow;

/// How far what is known of a repository is from the words; nothing where one of them is not even nearly there.
pub(super) fn far(row: &ListedRow, wanted: &[String]) -> Option<usize> {
    let mut there = words::of(&row.name);
    there.extend(words::of(row.description.as_deref().unwrap_or_default()));
    let mut sum = 0;
    for word in wanted {
        let near = there.iter().filter_map(|other| near(word, other)).min();
        // A part of a name is as good as a letter that is wrong.
        sum += near.or_else(|| (word.len() >= 3 && row.name.contains(word.as_str())).then_some(1))?;
    }
    Some(sum)
}

/// How many letters are wrong, if few enough.
fn near(word: &str, other: &str) -> Option<usize> {
    let (word, other): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
    if other.starts_with(&word) {
        return Some(0);
    }
    let bearable = match word.len() {
        0..=3 => return None,
        4..=7 => 1,
        _ => 2,
    };
    // Who is still typing has not come to the end of the word.
    let begun = other.get(..word.len()).map(|begun| letters_wrong(&word, begun));
    let wrong = letters_wrong(&word, &other).min(begun.unwrap_or(usize::MAX));
    (wrong <= bearable).then_some(wrong)
}

/// How many letters to add, take away, put in another's place or change with their neighbour make one word of the other.
fn letters_wrong(one: &[char], other: &[char]) -> usize {
    // Three rows of the table at a time: how far each beginning of one is from each beginning of the other.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = Vec::with_capacity(other.len() + 1);
        row.push(i + 1);
        for (j, b) in other.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, j) + usize::from(a != b);
            let mut best = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use super::{letters_wrong, near};

    #[test]
    fn wrong_letters_are_counted() {
        let count = |one: &str, other: &str| {
            letters_wrong(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>())
        };
        for (one, other, expected) in [
            ("nginx", "nginx", 0),
            ("ngnix", "nginx", 1),
            ("ngin", "nginx", 1),
            ("nginxx", "nginx", 1),
            ("bginx", "nginx", 1),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kubernets", "kubernetes", 1),
            ("kuebrnetse", "kubernetes", 2),
            ("cat", "dog", 3),
        ] {
            assert_eq!((count(one, other), count(other, one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn a_short_word_is_not_taken_for_another() {
        assert_eq!(near("api", "app"), None);
        assert_eq!(near("api", "apis"), Some(0));
        assert_eq!(near("ngnix", "nginx"), Some(1));
        assert_eq!(near("ngxni", "nginx"), None);
        assert_eq!(near("postgers", "postgresql"), Some(1));
    }
}
