//! The run on screen: how time goes by in it, what it looks like now, and the loop that paints it.

pub mod context;
pub mod engine;
pub mod last_event;
pub mod pace;
pub mod player;
pub mod probe;
pub mod rate;
pub mod view;

pub use context::RunContext;
pub use engine::Engine;
pub use pace::Pace;
pub use player::{Player, Shared};
pub use view::ViewModel;
