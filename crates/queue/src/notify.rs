//! Which notification is due, and to whom: pure.
