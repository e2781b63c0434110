//! The API of the protocol floor, one binary.

mod pair;
