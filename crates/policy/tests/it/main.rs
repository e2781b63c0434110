//! The public face of the policy: questions in, decisions out.

mod decisions;
