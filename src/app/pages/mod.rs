//! Pages: the laboratory, how it opens a run, performs actions, handles keys and narrates.

pub mod actions;
mod apply_action;
mod frame;
mod keyboard;
pub mod lab;
mod narration;
pub mod opening;
