//! The pieces of the page, one a file. Each shows what it is given and says what is wanted; none decides anything.

pub mod client;
pub mod crown;
pub mod drag;
pub mod graticule;
pub mod icon;
pub mod island;
pub mod keys;
pub mod lanes;
pub mod legend;
pub mod replica;
pub mod size;
pub mod stage;
pub mod transport;
pub mod words;
