//! The site over a real socket: addresses, languages, what is escaped, limits, the API.

mod api;
mod pages;
mod server;
