//! Divergence of two runs: the first event in which they differ.
//!
//! Two runs of the same document never differ, on any machine. For two runs that do (another setting, version or seed), all differences
//! after the first are its consequences.

use super::Run;
use crate::lab::{Document, Problem, Problems};
use crate::universe::Transcript;
use std::collections::VecDeque;
use std::fmt;

/// The first difference of two runs, with its context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The number of equal steps from the start.
    pub steps: u64,
    /// The last of them, as text.
    pub common: Vec<String>,
    /// The next steps of the left run.
    pub left: Vec<String>,
    /// The next steps of the right run.
    pub right: Vec<String>,
}

/// One of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Left,
    /// The second.
    Right,
}

/// A run with its transcript.
struct NarratedRun {
    run: Run,
    transcript: Transcript,
}

impl NarratedRun {
    fn new(document: &Document) -> Result<NarratedRun, Problems> {
        let mut run = Run::new(document)?;
        let transcript = run.transcript();
        Ok(NarratedRun { run, transcript })
    }

    /// The text of the next step; `None` at the end. Time that passes without an event is no step.
    fn step(&mut self) -> Result<Option<String>, Problem> {
        loop {
            let ended = self.run.step()?;
            let text = self.transcript.tell(self.run.session().universe());
            match (text.is_empty(), ended) {
                (false, _) => return Ok(Some(text)),
                (true, true) => return Ok(None),
                (true, false) => {}
            }
        }
    }

    fn steps(&mut self, first: Option<String>, most: usize) -> Result<Vec<String>, Problem> {
        let mut steps: Vec<String> = first.into_iter().collect();
        while !steps.is_empty() && steps.len() < most {
            match self.step()? {
                Some(step) => steps.push(step),
                None => break,
            }
        }
        Ok(steps)
    }
}

/// An error in the document of one of the two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DivergenceError {
    /// Which run.
    pub side: Side,
    /// The problems of its document.
    pub problems: Problems,
}

impl fmt::Display for DivergenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Left => "left",
            Side::Right => "right",
        };
        write!(f, "the {side} run: {}", self.problems)
    }
}

impl std::error::Error for DivergenceError {}

/// Runs both and finds their first difference, with `context` steps before and after it. `Ok(None)`: there is none. Errors: the problems of
/// one of the documents.
pub fn first_difference(
    left: &Document,
    right: &Document,
    context: usize,
) -> Result<Option<Divergence>, DivergenceError> {
    let error = |side: Side| move |problems: Problems| DivergenceError { side, problems };
    let in_left = |problem: Problem| error(Side::Left)(Problems::from(problem));
    let in_right = |problem: Problem| error(Side::Right)(Problems::from(problem));
    let mut a = NarratedRun::new(left).map_err(error(Side::Left))?;
    let mut b = NarratedRun::new(right).map_err(error(Side::Right))?;
    let mut common = VecDeque::new();
    for steps in 0.. {
        let (one, other) = (a.step().map_err(in_left)?, b.step().map_err(in_right)?);
        if one != other {
            let left = a.steps(one, context + 1).map_err(in_left)?;
            let right = b.steps(other, context + 1).map_err(in_right)?;
            return Ok(Some(Divergence { steps, common: common.into(), left, right }));
        }
        let Some(step) = one else { break };
        common.push_back(step);
        if common.len() > context {
            common.pop_front();
        }
    }
    Ok(None)
}
