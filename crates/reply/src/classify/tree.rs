//! A radix tree of literals: which of them stand at one place of a text, in one walk.
//!
//! It is built when first asked, in well under a millisecond for thousands of
//! literals, where an automaton over all places would take ten.

use std::ops::Range;

/// Octets by which a literal is looked up at once; below, the tree goes on.
const KEY: usize = 3;
/// Most octets of a node's label: with its first one, they are compared as one number.
const MAX_LABEL: usize = 7;
/// Octets that stand behind a text that is walked, so that its end needs no look.
pub(super) const PADDING: usize = MAX_LABEL + 1;

/// The tree. A literal's number is its place in the order of all.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The first octets of the nodes' labels, by node: siblings stand together.
    keys: Vec<u8>,
    /// The nodes below the first three octets, by their hash: key and node.
    slots: Vec<(u32, u32)>,
    /// Whether a literal begins with an octet, by a bit for the lower five bits of the
    /// next one.
    pairs: [u32; 256],
    /// Whether a literal may begin with three octets, by a bit for the lower five bits of
    /// each: small enough to stay at hand, while `slots` is not.
    begins: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Node {
    /// The octets that follow the first one, the earliest lowest.
    label: u64,
    first_child: u32,
    /// The literal that ends here, or [`NONE`].
    literal: u32,
    /// Which octets its children may begin with, by their lower five bits.
    below: u32,
    label_len: u8,
    children: u8,
}

const NONE: u32 = u32::MAX;

/// By a label's length, which octets of a number it fills.
const MASKS: [u64; MAX_LABEL + 1] = {
    let mut masks = [0; MAX_LABEL + 1];
    let mut len = 1;
    while len <= MAX_LABEL {
        masks[len] = masks[len - 1] << 8 | 0xff;
        len += 1;
    }
    masks
};

/// A node whose children are still to be made: literals `low..high` agree up to `depth`.
struct Open {
    node: usize,
    low: usize,
    high: usize,
    depth: usize,
}

/// The first three octets as one number: never 0, which marks an empty slot.
fn key(octets: &[u8]) -> u32 {
    u32::from(octets[0]) | u32::from(octets[1]) << 8 | u32::from(octets[2]) << 16
}

/// The bit of `octet` where its lower five bits tell enough.
#[inline]
fn bit(octet: u8) -> u32 {
    1 << (octet & 31)
}

/// Where the first three octets have their bit in [`Tree::begins`].
fn place(octets: &[u8]) -> (usize, u32) {
    let [first, second, third] = [octets[0], octets[1], octets[2]].map(|octet| octet & 31);
    (usize::from(first) << 5 | usize::from(second), 1 << third)
}

/// How many beginnings of three octets `literals` have, which are in order.
fn beginnings(literals: &[&str]) -> usize {
    literals.chunk_by(|a, b| a.as_bytes().get(..KEY) == b.as_bytes().get(..KEY)).count()
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new(&[])
    }
}

impl Tree {
    /// A tree of `literals`, which are in order, different, and at most 255 octets long.
    /// Those of less than three octets are never found.
    pub(super) fn new(literals: &[&str]) -> Tree {
        let mut tree = Tree {
            nodes: Vec::with_capacity(literals.len() * 2),
            keys: Vec::with_capacity(literals.len() * 2),
            slots: vec![(0, 0); (beginnings(literals) * 2).next_power_of_two()],
            pairs: [0; 256],
            begins: vec![0; 1 << 10],
        };
        let mut open = Vec::new();
        let mut low = 0;
        while low < literals.len() {
            low = tree.root(literals, low, &mut open);
        }
        while let Some(Open { node, low, high, depth }) = open.pop() {
            let (first_child, before) = (tree.nodes.len(), open.len());
            tree.siblings(literals, low..high, depth, &mut open);
            let below = tree.keys[first_child..].iter().fold(0, |below, key| below | bit(*key));
            let node = &mut tree.nodes[node];
            (node.first_child, node.below) = (first_child as u32, below);
            node.children = (open.len() - before) as u8;
        }
        tree
    }

    /// Makes the node of the literals that begin as `low` does; returns the next one.
    fn root(&mut self, literals: &[&str], low: usize, open: &mut Vec<Open>) -> usize {
        let first = literals[low].as_bytes();
        if first.len() < KEY {
            return low + 1;
        }
        self.pairs[first[0] as usize] |= bit(first[1]);
        let (word, bit) = place(first);
        self.begins[word] |= bit;
        let same = |literal: &&&str| literal.as_bytes().get(..KEY) == first.get(..KEY);
        let count = literals[low..].iter().take_while(same).count();
        let slot = self.slot(key(first));
        self.slots[slot] = (key(first), self.nodes.len() as u32);
        self.node(literals, low..low + count, KEY - 1, open);
        low + count
    }

    /// The slot of `key`, or the empty one where it belongs.
    #[inline]
    fn slot(&self, key: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = (key.wrapping_mul(0x9e37_79b1) >> 12) as usize & mask;
        while self.slots[slot].0 != 0 && self.slots[slot].0 != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Makes a node for each octet that stands at `depth` in the literals of `range`.
    fn siblings(
        &mut self,
        literals: &[&str],
        range: Range<usize>,
        depth: usize,
        open: &mut Vec<Open>,
    ) {
        let mut low = range.start;
        while low < range.end {
            let first = literals[low].as_bytes();
            let same = |literal: &&&str| literal.as_bytes()[depth] == first[depth];
            let count = literals[low..range.end].iter().take_while(same).count();
            self.node(literals, low..low + count, depth, open);
            low += count;
        }
    }

    /// Makes the node of the literals of `range`, which agree up to and with `depth`.
    fn node(&mut self, literals: &[&str], range: Range<usize>, depth: usize, open: &mut Vec<Open>) {
        let (low, high) = (range.start, range.end);
        let (first, last) = (literals[low].as_bytes(), literals[high - 1].as_bytes());
        let shared = first.iter().zip(last).skip(depth).take_while(|(a, b)| a == b).count();
        let end = depth + shared.min(MAX_LABEL + 1);
        let is_end = first.len() == end;
        let node = self.nodes.len();
        open.push(Open { node, low: low + usize::from(is_end), high, depth: end });
        self.keys.push(first[depth]);
        self.nodes.push(Node {
            label: first[depth + 1..end]
                .iter()
                .rfold(0, |label, octet| label << 8 | u64::from(*octet)),
            first_child: 0,
            literal: if is_end { low as u32 } else { NONE },
            below: 0,
            label_len: (end - depth - 1) as u8,
            children: 0,
        });
    }

    /// Whether a literal begins with the octet.
    pub(super) fn may_begin(&self, first: u8) -> bool {
        self.pairs[first as usize] != 0
    }

    /// Whether some literal may begin with the two octets: seldom wrong.
    #[inline]
    pub(super) fn may_begin_with(&self, first: u8, second: u8) -> bool {
        self.pairs[first as usize] & bit(second) != 0
    }

    /// Tells every literal that stands at `at` in `text` and where it ends, the shortest
    /// first. Behind the text stand [`PADDING`] octets that are in no literal.
    #[inline]
    pub(super) fn walk(&self, text: &[u8], at: usize, mut found: impl FnMut(u32, usize)) {
        let Some(start) = text.get(at..at + KEY) else { return };
        let (word, bit_of_third) = place(start);
        if self.begins[word] & bit_of_third == 0 {
            return;
        }
        let (key, mut next) = self.slots[self.slot(key(start))];
        if key == 0 {
            return;
        }
        let mut at = at + KEY;
        while let Some(node) = self.nodes.get(next as usize)
            && let Some(ahead) = text.get(at..).and_then(|ahead| ahead.first_chunk())
        {
            let ahead = u64::from_le_bytes(*ahead);
            let len = usize::from(node.label_len) & MAX_LABEL;
            if (ahead ^ node.label) & MASKS[len] != 0 {
                return;
            }
            at += len;
            if node.literal != NONE {
                found(node.literal, at);
            }
            let key = (ahead >> (len * 8)) as u8;
            if node.below & bit(key) == 0 {
                return;
            }
            let first = node.first_child as usize;
            let children = &self.keys[first..first + node.children as usize];
            let Some(child) = children.iter().position(|child| *child == key) else { return };
            next = (first + child) as u32;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_at_a_place_is_found() {
        let literals = [
            "unknown",
            "unknown to this server and to us",
            "us",
            "use",
            "user",
            "user unknown",
            "é",
            "éa",
        ];
        let tree = Tree::new(&literals);
        let found = |text: &str, at: usize| {
            let mut found = Vec::new();
            let padded = [text.as_bytes(), &[0; PADDING]].concat();
            tree.walk(&padded, at, |literal, end| {
                assert_eq!(literals[literal as usize], &text[at..end]);
                found.push(&text[at..end]);
            });
            found.join("|")
        };
        assert_eq!(found("user unknown", 0), "use|user|user unknown");
        assert_eq!(found("user unknow", 0), "use|user");
        assert_eq!(found("user unknown", 5), "unknown");
        let long = "unknown to this server and to us";
        assert_eq!(found(long, 0), format!("unknown|{long}"));
        assert_eq!(found("unknown to this server and to them", 0), "unknown");
        assert_eq!(found("éa", 0), "éa");
        assert_eq!(found("uzer", 0), "");
    }
}
