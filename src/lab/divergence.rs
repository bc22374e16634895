//! Where two runs part: their first differing event.
//!
//! Two runs of the same document never part, on any machine. Two that should be alike and are not (another setting that should not matter,
//! another version, another seed) are best understood where they first differ, for all that comes later is a consequence.

use super::problem::{Problem, Problems};
use super::run::Run;
use super::session::Document;
use crate::universe::Transcript;
use std::collections::VecDeque;

/// Two runs up to where they part, and a little further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many steps are the same in both.
    pub steps: u64,
    /// The last of them, as told.
    pub common: Vec<String>,
    /// How one goes on.
    pub left: Vec<String>,
    /// How the other does.
    pub right: Vec<String>,
}

/// Which of two runs something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Left,
    /// The second.
    Right,
}

/// One of the runs, told step by step.
struct Told {
    run: Run,
    transcript: Transcript,
}

impl Told {
    fn new(document: &Document) -> Result<Told, Problems> {
        let mut run = Run::new(document)?;
        let transcript = run.tell();
        Ok(Told { run, transcript })
    }

    /// The next step; `None` at the end. Time that passes without an event is no step.
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

/// Runs both and finds their first difference, with `context` steps before it and after it. `Ok(None)`: there is none. An error tells in which
/// of them something makes no sense.
pub fn first_difference(
    left: &Document,
    right: &Document,
    context: usize,
) -> Result<Option<Divergence>, (Side, Problems)> {
    let in_left = |problem: Problem| (Side::Left, Problems::from(problem));
    let in_right = |problem: Problem| (Side::Right, Problems::from(problem));
    let mut a = Told::new(left).map_err(|problems| (Side::Left, problems))?;
    let mut b = Told::new(right).map_err(|problems| (Side::Right, problems))?;
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
