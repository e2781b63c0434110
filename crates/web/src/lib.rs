//! The reference as web pages and as JSON: what replies mean, in the reader's language.
//!
//! Pages are made from the knowledge in `reply`; nothing that a reader pastes is kept.
//! Start reading at [`address`] (which page is where) and `pages`.

pub mod address;
mod api;
mod assets;
mod connections;
mod drawing;
pub mod export;
mod headers;
mod kept;
#[cfg(test)]
mod leftover;
mod negotiate;
mod pages;
mod rate;
mod search;
mod site;
mod sitemap;
mod trouble;

pub use connections::Patience;
pub use site::{Site, router, serve};
