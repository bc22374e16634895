//! What fills the window.

mod apply_action;
mod keyboard;
pub mod lab;
mod narration;
pub mod opening;
