//! Pictures of namespaces: five by five squares, the same on both sides, of a name's hash. Pure.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// How many hues the style sheet has for them.
const HUES: u8 = 12;
/// Squares on a side.
const SIDE: usize = 5;
/// The squares of the left half and of the middle, which make the whole.
const HALF: usize = SIDE * SIDE.div_ceil(2);

/// Draws the picture of a name, as an `svg` element in which nothing of the name stands.
pub(super) fn svg(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let hue = hash.first().map_or(0, |byte| byte % HUES);
    let bits: Vec<bool> = hash.iter().skip(1).flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect();
    let mut shown = window(&bits);
    // Too few squares, or nearly all of them, look like none: the next part of the hash decides then.
    let mut at = HALF;
    while !(5..=11).contains(&shown.iter().filter(|on| **on).count()) && at + HALF <= bits.len() {
        shown = window(bits.get(at..).unwrap_or_default());
        at += HALF;
    }
    let mut path = String::new();
    for (place, _) in shown.iter().enumerate().filter(|(_, on)| **on) {
        let (column, row) = (place / SIDE, place % SIDE);
        for x in [column, SIDE - 1 - column] {
            // The middle column is its own mirror.
            if x == column || column != SIDE / 2 {
                let _ = write!(path, "M{x} {row}h1v1h-1z");
            }
        }
    }
    format!("<svg class=\"hue-{hue}\" viewBox=\"-1 -1 7 7\" focusable=\"false\"><path d=\"{path}\"/></svg>")
}

fn window(bits: &[bool]) -> Vec<bool> {
    bits.iter().copied().take(HALF).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{HUES, svg};

    /// The squares that a picture shows.
    fn squares(svg: &str) -> BTreeSet<(i32, i32)> {
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let corners = path.split('M').skip(1).map(|part| part.split('h').next().unwrap().split_once(' ').unwrap());
        corners.map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).collect()
    }

    #[test]
    fn a_picture_is_the_names_own_is_symmetric_and_never_empty() {
        let names: Vec<String> = (0..500).map(|n| format!("name-{n}")).collect();
        let mut seen = BTreeSet::new();
        for name in &names {
            let picture = svg(name);
            assert_eq!(picture, svg(name));
            let squares = squares(&picture);
            assert!((5..=22).contains(&squares.len()), "{name}: {}", squares.len());
            assert!(squares.iter().all(|(x, y)| squares.contains(&(4 - x, *y)) && (0..5).contains(x)), "{name}");
            seen.insert(picture);
        }
        assert!(seen.len() > 490, "{} pictures of 500 names", seen.len());
        let hues: BTreeSet<&str> = seen.iter().map(|svg| svg.split('"').nth(1).unwrap()).collect();
        assert_eq!(hues.len(), usize::from(HUES));
        assert!(!svg("<script>\"'&").contains("script"));
    }

    #[test]
    fn the_style_sheet_has_every_hue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/css/81-organisation.css");
        let css = std::fs::read_to_string(path).unwrap();
        for hue in 0..HUES {
            assert!(css.contains(&format!(".hue-{hue} ")), "{hue}");
        }
    }
}
