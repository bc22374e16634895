//! The browser: address, JSON, parameters, handle for scripts, and small platform functions.

pub mod address;
pub mod browser;
pub mod files;
pub mod handle;
pub mod json;
pub mod kinds;
pub mod later_style;
pub mod offline;
pub mod options;
pub mod parameters;
pub mod room;
pub mod variants;
