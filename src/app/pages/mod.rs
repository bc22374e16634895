//! What fills the window.

pub mod actions;
mod apply_action;
mod keyboard;
pub mod lab;
mod narration;
pub mod opening;
