//! The browser: what the page asks of it, in one place.

pub mod browser;
