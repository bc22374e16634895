//! Random runs.
use super::*;
