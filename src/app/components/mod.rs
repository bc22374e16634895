//! The pieces of the page, one a file. Each shows what it is given and says what is wanted; none decides anything.

pub mod client;
pub mod controls;
pub mod crown;
pub mod drag;
pub mod draw;
pub mod graticule;
pub mod header;
pub mod help;
pub mod island;
pub mod lanes;
pub mod latency;
pub mod legend;
pub mod measurements;
pub mod menu;
pub mod messages;
pub mod notice;
pub mod per_command;
pub mod replica;
pub mod sentence;
pub mod setup;
pub mod sheet;
pub mod size;
pub mod stage;
pub mod timeline;
pub mod transport;
pub mod words;
