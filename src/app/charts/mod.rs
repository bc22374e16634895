//! Charts: stacked bars and columns, dots over time, and the table behind a chart. Each has a text for screen readers.

pub mod bars;
pub mod columns;
pub mod scale;
pub mod strip;
pub mod table;
