//! Measuring messages per command, as a job; and its results, without what no panel shows.

use super::job::{News, Work};
use crate::web::variants;
use quorumscope::lab::compare::{Cell, CompareJob};
use quorumscope::lab::link;
use serde::{Deserialize, Serialize};

/// Events between two looks at the clock, where that is done in the page.
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
pub(super) struct Measuring {
    job: CompareJob,
    /// Cells that have been told; `None`: not even how many there are.
    told: Option<usize>,
}

/// Begins to measure these cells on this scenario. Variants that cannot be loaded are left out. Errors: a scenario that makes no sense.
pub(super) async fn begin(scenario: &str, cells: Vec<(String, u8)>) -> Result<Measuring, String> {
    let scenario = link::from_json(scenario).map_err(|problem| problem.to_string())?.scenario;
    let own = match variants::variant(&scenario.variant).await {
        Some(loaded) => Some(loaded.map_err(|missing| missing.to_string())?),
        None => None,
    };
    let checked = scenario.check_with(own).map_err(|problems| problems.to_string())?;
    let mut tasks = Vec::new();
    for (key, replicas) in cells {
        if let Some(Ok(variant)) = variants::variant(&key).await {
            tasks.push((variant, replicas));
        }
    }
    Ok(Measuring { job: CompareJob::of(&scenario, checked, tasks), told: None })
}

impl Work for Measuring {
    fn advance(&mut self) -> Vec<News> {
        let of = self.job.len() as u64;
        let Some(told) = self.told.replace(self.job.cells().len()) else {
            self.told = Some(0);
            return vec![News::Progress(0, of)];
        };
        let done = self.job.advance(EVENTS);
        let cells = &self.job.cells()[told..];
        self.told = Some(told + cells.len());
        let mut news: Vec<News> = cells.iter().map(|cell| News::Measured(cell.into())).collect();
        if !news.is_empty() {
            news.push(News::Progress(self.job.cells().len() as u64, of));
        }
        news.extend(done.then_some(News::Done));
        news
    }
}
