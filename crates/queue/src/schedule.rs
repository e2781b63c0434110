//! In memory: whose turn it is, by due time and destination.
