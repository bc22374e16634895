//! The model checker as a job.

use super::{Explored, News, Subject, Verdict, ViolatingRun, Work};
use crate::lab::counterexample::{Counterexample, reproduce};
use crate::lab::document::link;
use crate::lab::explore::{Exploration, ExploreRequest};
use crate::lab::session::MEMORY;
use crate::universe::search::{FindingVerdict, Search};

/// States in one slice.
const SLICE: u32 = 500;

/// States between two reports of progress.
const TELL: u32 = 10_000;

struct Exploring {
    search: Search,
    exploration: Exploration,
    most: u32,
    /// States when progress was last told.
    told: u32,
}

/// Begins an exploration. Errors: all that is wrong with what is asked.
pub(super) fn begin(of: &Subject, replicas: usize, bounds: &[String]) -> Result<Box<dyn Work>, String> {
    let request = ExploreRequest {
        variant: of.variant.clone(),
        replicas,
        without: of.without.clone(),
        settings: of.settings.clone(),
        bounds: bounds.to_vec(),
        property: None,
        via: Vec::new(),
    };
    let exploration = request.check().map_err(|problems| problems.to_string())?;
    let search = exploration.start().map_err(|problem| problem.to_string())?;
    let most = exploration.query.bounds.states;
    Ok(Box::new(Exploring { search, exploration, most, told: 0 }))
}

impl Work for Exploring {
    fn advance(&mut self, tell: &mut dyn FnMut(News)) {
        let over = self.search.advance(SLICE) || self.search.bytes() > MEMORY;
        let states = self.search.states();
        if over || states - self.told >= TELL {
            self.told = states;
            tell(News::Progress(states.into(), self.most.into()));
        }
        if over {
            tell(News::Explored(self.explored()));
            tell(News::Done);
        }
    }

    fn extent(&self) -> u64 {
        self.most.into()
    }
}

impl Exploring {
    fn explored(&mut self) -> Explored {
        let finding = self.search.finding();
        let trace = self.search.trace();
        let run = finding.violation.as_ref().map(|violation| {
            let Counterexample { document, at, event } = reproduce(&self.exploration, &trace, violation)?;
            let (property, says) = (violation.property.to_owned(), violation.says.to_owned());
            let faults = document.scenario.script.len();
            let document = link::written(&document);
            Ok(Box::new(ViolatingRun { document, property, says, at, event, faults, shrunk: true }))
        });
        Explored {
            verdict: match finding.verdict {
                FindingVerdict::Safe => Verdict::Safe,
                FindingVerdict::Violated => Verdict::Violated,
                FindingVerdict::Undecided => Verdict::Undecided,
            },
            states: finding.states,
            depth: finding.depth,
            bounds: self.exploration.bounds.iter().map(|bound| (bound.key.to_owned(), bound.value.clone())).collect(),
            cut: finding.cut.into_iter().map(str::to_owned).collect(),
            violation: finding
                .violation
                .map(|violation| (violation.property.to_owned(), violation.says.to_owned(), violation.nodes)),
            trace: finding.trace.into_iter().map(|line| (line.event, line.does)).collect(),
            run,
        }
    }
}
