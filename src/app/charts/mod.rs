//! Charts, small and our own: a scale, bars, dots, and the table behind them. Every chart can be read without seeing it.

pub mod bars;
pub mod columns;
pub mod scale;
pub mod strip;
pub mod table;
