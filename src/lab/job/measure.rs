//! Measuring messages per command, as a job; and its results, without what no panel shows.

use super::{News, Work};
use crate::lab::compare::{Cell, CompareJob};
use serde::{Deserialize, Serialize};

/// Events in one slice.
const EVENTS: u64 = 256;

/// One variant with one number of replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Key of the variant.
    pub variant: String,
    /// How many replicas.
    pub replicas: u8,
    /// What was counted, or why nothing was.
    pub counts: Result<Counts, String>,
}

/// Messages for one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them, without heartbeats.
    pub per_command: f64,
    /// By name of kind, in the variant's order.
    pub by_kind: Vec<(String, f64)>,
    /// The published formula that applies, if there is one.
    pub formula: Option<Formula>,
}

/// A published count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// As printed, such as `2(n−1)`.
    pub text: String,
    /// Paper and section.
    pub source: String,
    /// Its value for this number of replicas.
    pub per_command: u32,
}

impl From<&Cell> for Measurement {
    fn from(cell: &Cell) -> Measurement {
        let counts = match &cell.measured {
            Some(measured) => Ok(Counts {
                per_command: measured.per_command,
                by_kind: measured.by_kind.iter().map(|share| (share.kind.to_owned(), share.per_command)).collect(),
                formula: measured.formula.as_ref().map(|formula| Formula {
                    text: formula.text.to_owned(),
                    source: formula.source.to_owned(),
                    per_command: formula.per_command,
                }),
            }),
            None => Err(cell.says.clone().unwrap_or_default()),
        };
        Measurement { variant: cell.variant.to_owned(), replicas: cell.replicas, counts }
    }
}

/// Measuring under way.
struct Measuring {
    job: CompareJob,
    /// Cells that have been told.
    told: usize,
}

/// Measures all cells of a comparison.
pub fn measuring(job: CompareJob) -> Box<dyn Work> {
    Box::new(Measuring { job, told: 0 })
}

impl Work for Measuring {
    fn advance(&mut self, tell: &mut dyn FnMut(News)) {
        let done = self.job.advance(EVENTS);
        let cells = &self.job.cells()[self.told..];
        if !cells.is_empty() {
            cells.iter().for_each(|cell| tell(News::Measured(cell.into())));
            self.told += cells.len();
            tell(News::Progress(self.told as u64, self.extent()));
        }
        if done {
            tell(News::Done);
        }
    }

    fn extent(&self) -> u64 {
        self.job.len() as u64
    }
}
