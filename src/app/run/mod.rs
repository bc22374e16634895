//! The run on screen: how time goes by in it, what it looks like now, and the loop that paints it.

pub mod engine;
pub mod film;
pub mod ground;
pub mod happened;
pub mod pace;
pub mod probe;
pub mod rate;
pub mod shown;

pub use engine::Engine;
pub use film::{Film, Shared};
pub use ground::Ground;
pub use pace::Pace;
pub use shown::Shown;
