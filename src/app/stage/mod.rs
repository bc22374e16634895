//! The stage: map, replicas, links and messages in flight, with dragging and menus.

pub mod condition;
mod description;
mod drag;
pub mod faults;
pub mod forecast;
mod gestures;
pub mod layout;
pub mod legend;
mod link_conditions;
pub mod map;
mod measure;
mod menu;
pub mod painter;
mod replica;
mod site;
mod site_links;
mod site_placement;
pub mod sprites;
