//! What fills the window.

mod carry_out;
mod keyboard;
pub mod lab;
pub mod opening;
mod voice;
