//! What stands in a segment, in the octets in which its footer lists it: for each record
//! its offset, octets, kind and digest, behind one another. A million of them are read at
//! a start, so nothing is taken apart before it is asked for.

use super::{Entry, Place};

/// Octets of an entry before its digest.
const ENTRY_OCTETS: usize = 11;

/// The records of one segment, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    segment: u32,
    content: Vec<u8>,
}

impl Listing {
    /// Of a segment without records.
    pub fn new(segment: u32) -> Listing {
        Listing { segment, content: Vec::new() }
    }

    /// Of the content of a footer; `None` where it is none.
    pub fn parse(segment: u32, content: Vec<u8>) -> Option<Listing> {
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            (_, rest) = split_entry(segment, rest)?;
        }
        Some(Listing { segment, content })
    }

    /// Adds a record behind the others. A digest of more than 65,535 octets is left out.
    pub fn push(&mut self, place: Place, kind: u8, digest: &[u8]) {
        self.content.extend_from_slice(&place.offset.to_le_bytes());
        self.content.extend_from_slice(&place.octets.to_le_bytes());
        self.content.push(kind);
        let octets = u16::try_from(digest.len()).unwrap_or(0);
        self.content.extend_from_slice(&octets.to_le_bytes());
        self.content.extend_from_slice(&digest[..usize::from(octets)]);
    }

    /// The content of the footer.
    pub fn octets(&self) -> &[u8] {
        &self.content
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Entries<'_> {
        self.iter_from(0)
    }

    /// Those from `at` on, which is 0 or what [`Entries::at`] said.
    pub fn iter_from(&self, at: usize) -> Entries<'_> {
        Entries { listing: self, at }
    }
}

impl<'a> IntoIterator for &'a Listing {
    type Item = Entry<'a>;
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

/// Goes through a [`Listing`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    listing: &'a Listing,
    at: usize,
}

impl Entries<'_> {
    /// Where it is, for [`Listing::iter_from`].
    pub fn at(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let rest = self.listing.content.get(self.at..)?;
        let (entry, rest) = split_entry(self.listing.segment, rest)?;
        self.at = self.listing.content.len() - rest.len();
        Some(entry)
    }
}

/// Octets that one more record with a digest of `digest` octets adds to a listing.
pub const fn growth(digest: usize) -> usize {
    ENTRY_OCTETS + digest
}

/// The first entry, and what comes behind it.
fn split_entry(segment: u32, octets: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (head, rest) = octets.split_first_chunk::<ENTRY_OCTETS>()?;
    let [a, b, c, d, e, f, g, h, kind, low, high] = *head;
    let (offset, octets) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let (digest, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))?;
    let place = Place { segment, offset, octets };
    Some((Entry { place, kind, digest }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_pushed_is_read_back(
            records in prop::collection::vec(
                (any::<u32>(), any::<u32>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)),
                0..20,
            )
        ) {
            let mut listing = Listing::new(7);
            for (offset, octets, kind, digest) in &records {
                listing.push(Place { segment: 7, offset: *offset, octets: *octets }, *kind, digest);
            }
            let read = Listing::parse(7, listing.octets().to_vec());
            prop_assert_eq!(read.as_ref(), Some(&listing));
            let found: Vec<_> = listing
                .iter()
                .map(|e| (e.place.offset, e.place.octets, e.kind, e.digest.to_vec()))
                .collect();
            prop_assert_eq!(&found, &records);
            let mut entries = listing.iter();
            while entries.next().is_some() {
                let behind = listing.iter_from(entries.at());
                prop_assert!(behind.eq(entries.clone()));
            }
        }

        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>) {
            if let Some(listing) = Listing::parse(1, octets.clone()) {
                prop_assert_eq!(listing.octets(), octets);
            }
        }
    }
}
