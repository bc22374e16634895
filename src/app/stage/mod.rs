//! The stage: where everything stands, and the picture of messages under way.

pub mod blob;
pub mod geometry;
pub mod layout;
pub mod painter;
pub mod palette;
pub mod round;
pub mod spread;
pub mod sprites;
