//! Sizes as people write them: `4 MiB`, `1GB`, `65536`.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
///
/// Read from a whole number, or a number with a unit: `B`, the powers of 1024 `KiB MiB GiB TiB PiB`, or the powers of
/// 1000 `kB MB GB TB PB`, in any case. A number with a unit may have a fraction (`1.5 GiB`), as long as it makes whole
/// bytes. A letter alone (`4M`) is refused, because programs do not agree on which power it means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// Why a text is not a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    /// It does not begin with a number.
    #[error("expected a number of bytes or a number with a unit, such as 4 MiB")]
    Number,
    /// The unit is not known.
    #[error("unknown unit, expected one of B, KiB, MiB, GiB, TiB, PiB, kB, MB, GB, TB, PB")]
    Unit,
    /// It is no whole number of bytes.
    #[error("not a whole number of bytes")]
    Fraction,
    /// It does not fit into 64 bits.
    #[error("too large")]
    TooLarge,
}

/// The units in which sizes are printed, largest first.
const BINARY: [(&str, u64); 5] =
    [("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Further units that are read.
const DECIMAL: [(&str, u64); 6] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
];

/// More digits behind the point than this cannot make whole bytes of any unit.
const MAX_FRACTION_DIGITS: usize = 15;

impl ByteSize {
    /// Returns that many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns that many times 1024 bytes.
    #[must_use]
    pub const fn kib(kib: u32) -> Self {
        Self((kib as u64) << 10)
    }

    /// Returns that many times 1024² bytes.
    #[must_use]
    pub const fn mib(mib: u32) -> Self {
        Self((mib as u64) << 20)
    }

    /// Returns the number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Returns the number of bytes for what is held in memory; the largest `usize` where it does not fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<ByteSize> for u64 {
    fn from(size: ByteSize) -> Self {
        size.0
    }
}

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim_start();
        let scale = if unit.is_empty() { 1 } else { scale_of(unit)? };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || number.ends_with('.') || fraction.contains('.') {
            return Err(InvalidSize::Number);
        }
        multiply(whole, fraction.trim_end_matches('0'), scale).map(Self)
    }
}

fn scale_of(unit: &str) -> Result<u64, InvalidSize> {
    let known = BINARY.iter().chain(&DECIMAL).find(|(name, _)| name.eq_ignore_ascii_case(unit));
    known.map(|(_, scale)| *scale).ok_or(InvalidSize::Unit)
}

/// Returns `whole.fraction × scale`, exactly.
fn multiply(whole: &str, fraction: &str, scale: u64) -> Result<u64, InvalidSize> {
    let whole: u64 = whole.parse().map_err(|_| InvalidSize::TooLarge)?;
    let whole = whole.checked_mul(scale).ok_or(InvalidSize::TooLarge)?;
    if fraction.is_empty() {
        return Ok(whole);
    }
    if fraction.len() > MAX_FRACTION_DIGITS {
        return Err(InvalidSize::Fraction);
    }
    let digits: u128 = fraction.parse().map_err(|_| InvalidSize::Number)?;
    let product = digits * u128::from(scale);
    let divisor = fraction.chars().fold(1_u128, |divisor, _| divisor * 10);
    if !product.is_multiple_of(divisor) {
        return Err(InvalidSize::Fraction);
    }
    let part = u64::try_from(product / divisor).map_err(|_| InvalidSize::TooLarge)?;
    whole.checked_add(part).ok_or(InvalidSize::TooLarge)
}

/// Prints the largest binary unit that needs no fraction, so that reading it again gives the same size.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = BINARY.iter().find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale));
        let (name, scale) = unit.copied().unwrap_or(("B", 1));
        write!(f, "{} {name}", self.0 / scale)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        let cases = [
            ("0", 0),
            ("65536", 65_536),
            ("1 B", 1),
            ("4 MiB", 4 << 20),
            ("4MiB", 4 << 20),
            ("4 mib", 4 << 20),
            ("1GB", 1_000_000_000),
            ("32 KiB", 32 << 10),
            ("1.5 GiB", 3 << 29),
            ("0.5 kB", 500),
            ("2.50 kB", 2_500),
            (" 10 TiB ", 10 << 40),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let cases = [
            ("", InvalidSize::Number),
            ("MiB", InvalidSize::Number),
            ("-1", InvalidSize::Unit),
            ("4M", InvalidSize::Unit),
            ("4 MiB 3 KiB", InvalidSize::Unit),
            ("1.", InvalidSize::Number),
            (".5 KiB", InvalidSize::Number),
            ("1.2.3 KiB", InvalidSize::Number),
            ("1.5", InvalidSize::Fraction),
            ("0.3 KiB", InvalidSize::Fraction),
            ("18446744073709551616", InvalidSize::TooLarge),
            ("16384 PiB", InvalidSize::TooLarge),
            ("0.00000000000000001 PB", InvalidSize::Fraction),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<ByteSize>(), Err(error), "{text}");
        }
    }

    #[test]
    fn sizes_are_printed_in_the_largest_whole_unit() {
        for (bytes, text) in
            [(0, "0 B"), (1_500, "1500 B"), (4 << 20, "4 MiB"), (1536 << 20, "1536 MiB"), (1 << 50, "1 PiB")]
        {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(bytes: u64) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9. kKmMgGtTpPiIbB+-]{0,40}|.{0,40}") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
