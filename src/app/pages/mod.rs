//! Pages: the laboratory, how it opens a run, performs actions, handles keys and narrates.

mod actions;
mod apply_action;
mod chunks;
mod entries;
pub mod first;
mod frame;
mod keyboard;
pub mod lab;
mod listeners;
mod loading;
mod lock;
mod narration;
pub mod opening;
mod prefetch;
mod presentation;
mod view_groups;
