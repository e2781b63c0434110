//! The site over a real socket: addresses, languages, what is escaped, limits, what is kept
//! and compressed, the API.

mod api;
mod connections;
mod kept;
mod openapi;
mod pages;
mod server;
