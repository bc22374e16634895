//! The run on screen: engine, player, view model, and what does not change during a run.

pub mod announce;
pub mod context;
pub mod details;
pub mod engine;
pub mod errand;
pub mod frame_times;
pub mod judged;
pub mod last_event;
pub mod moments;
pub mod pace;
pub mod player;
pub mod rate;
pub mod told;
pub mod view_model;
