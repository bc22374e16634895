//! The browser: what the page asks of it, in one place.

pub mod address;
pub mod browser;
pub mod handle;
pub mod json;
pub mod options;
