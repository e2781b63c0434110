//! A radix tree of literals: which of them stand at one place of a text, in one walk.
//!
//! It is built when first asked, in well under a millisecond for thousands of
//! literals, where an automaton over all places would take ten.

use std::ops::Range;

/// Octets by which a literal is looked up at once; below, the tree goes on.
const KEY: usize = 3;

/// The tree. A literal's number is its place in the order of all.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The first octets of the nodes' labels, by node: siblings stand together.
    keys: Vec<u8>,
    /// The octets of the labels that follow the first ones.
    labels: Vec<u8>,
    /// The nodes below the first three octets, by their hash: key and node.
    slots: Vec<(u32, u32)>,
    /// Whether a literal begins with an octet.
    firsts: [bool; 256],
    /// Whether a literal may begin with three octets, by a bit for the lower five bits of
    /// each: small enough to stay at hand, while `slots` is not.
    begins: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Node {
    /// Where its label stands in `labels`.
    label: u32,
    first_child: u32,
    /// The literal that ends here, or [`NONE`].
    literal: u32,
    label_len: u8,
    children: u8,
}

const NONE: u32 = u32::MAX;

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
            labels: Vec::with_capacity(literals.len() * 8),
            slots: vec![(0, 0); (beginnings(literals) * 2).next_power_of_two()],
            firsts: [false; 256],
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
            tree.nodes[node].first_child = first_child as u32;
            tree.nodes[node].children = (open.len() - before) as u8;
        }
        tree
    }

    /// Makes the node of the literals that begin as `low` does; returns the next one.
    fn root(&mut self, literals: &[&str], low: usize, open: &mut Vec<Open>) -> usize {
        let first = literals[low].as_bytes();
        if first.len() < KEY {
            return low + 1;
        }
        self.firsts[first[0] as usize] = true;
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
        let end = depth + shared;
        let is_end = first.len() == end;
        let node = self.nodes.len();
        open.push(Open { node, low: low + usize::from(is_end), high, depth: end });
        self.keys.push(first[depth]);
        self.nodes.push(Node {
            label: self.labels.len() as u32,
            first_child: 0,
            literal: if is_end { low as u32 } else { NONE },
            label_len: (shared - 1) as u8,
            children: 0,
        });
        self.labels.extend_from_slice(&first[depth + 1..end]);
    }

    /// Whether some literal begins with `octet`.
    #[inline]
    pub(super) fn may_begin_with(&self, octet: u8) -> bool {
        self.firsts[octet as usize]
    }

    /// Tells every literal that stands at `at` in `text` and where it ends, the shortest first.
    #[inline]
    pub(super) fn walk(&self, text: &[u8], at: usize, mut found: impl FnMut(u32, usize)) {
        let Some(start) = text.get(at..at + KEY) else { return };
        let (word, bit) = place(start);
        if self.begins[word] & bit == 0 {
            return;
        }
        let (key, mut next) = self.slots[self.slot(key(start))];
        if key == 0 {
            return;
        }
        let mut at = at + KEY;
        while let Some(node) = self.nodes.get(next as usize) {
            let label = node.label as usize;
            for octet in &self.labels[label..label + node.label_len as usize] {
                if text.get(at) != Some(octet) {
                    return;
                }
                at += 1;
            }
            if node.literal != NONE {
                found(node.literal, at);
            }
            let Some(key) = text.get(at) else { return };
            let first = node.first_child as usize;
            let children = &self.keys[first..first + node.children as usize];
            let Some(child) = children.iter().position(|child| child == key) else { return };
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
        let literals = ["unknown", "us", "use", "user", "user unknown", "é", "éa"];
        let tree = Tree::new(&literals);
        let found = |text: &str, at: usize| {
            let mut found = Vec::new();
            tree.walk(text.as_bytes(), at, |literal, end| {
                assert_eq!(literals[literal as usize], &text[at..end]);
                found.push(&text[at..end]);
            });
            found.join("|")
        };
        assert_eq!(found("user unknown", 0), "use|user|user unknown");
        assert_eq!(found("user unknow", 0), "use|user");
        assert_eq!(found("user unknown", 5), "unknown");
        assert_eq!(found("éa", 0), "éa");
        assert_eq!(found("uzer", 0), "");
    }
}
