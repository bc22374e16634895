//! What fills the window.

pub mod actions;
mod carry_out;
mod keyboard;
pub mod lab;
pub mod opening;
mod voice;
