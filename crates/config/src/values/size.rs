//! Sizes in octets: `4096`, `50MiB`, `1G`.

use super::{number, text, toml_string, wrong};
use crate::expected::Expected;
use crate::fault::Fault;
use crate::field::{Given, Setting};

/// A number of octets, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// Units with their octets. A single letter counts in powers of 1024, as quotas do.
const UNITS: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("K", 1 << 10),
    ("k", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("T", 1 << 40),
    ("B", 1),
    ("", 1),
];

impl Size {
    /// So many octets.
    pub const fn octets(octets: u64) -> Size {
        Size(octets)
    }

    /// So many MiB.
    pub const fn mebibytes(count: u64) -> Size {
        Size(count << 20)
    }

    /// Reads `50MiB`. `None` where it is no size, zero, or too large to count.
    pub fn parse(text: &str) -> Option<Size> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(unit_at);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        let octets = count.parse::<u64>().ok()?.checked_mul(*factor)?;
        (octets > 0).then_some(Size(octets))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fits = |(_, octets): &&(&str, u64)| self.0.is_multiple_of(*octets);
        match UNITS[..4].iter().rev().find(fits) {
            Some((unit, octets)) => write!(f, "{}{unit}", self.0 / octets),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Setting for Size {
    const EXPECTED: Expected = Expected::Size;

    fn read(given: &Given<'_>) -> Result<Size, Fault> {
        let size = match number(given) {
            Some(octets) => Some(Size(octets)).filter(|size| size.0 > 0),
            None => Size::parse(text::<Size>(given)?),
        };
        size.ok_or_else(|| wrong::<Size>(given))
    }

    fn show(&self) -> String {
        toml_string(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_kinds_of_units() {
        let check = |written: &str, octets| assert_eq!(Size::parse(written), Some(Size(octets)));
        check("50MiB", 52_428_800);
        check("1G", 1 << 30);
        check("1 GB", 1_000_000_000);
        check("4096", 4096);
        for wrong in ["", "0", "MiB", "-1", "1.5G", "5 parsecs", "99999999999T"] {
            assert_eq!(Size::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        assert_eq!(Size(52_428_800).to_string(), "50MiB");
        assert_eq!(Size(4097).to_string(), "4097");
    }
}
