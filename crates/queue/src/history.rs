//! The story of each message, in order, for people.
