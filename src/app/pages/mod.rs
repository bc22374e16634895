//! What fills the window.

pub mod lab;
