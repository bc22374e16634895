//! What the runs of a lesson say: which prediction was right, what happened in words, whether a built run reaches its goal.

use super::form::{Amount, Lesson, Measure, Pick, Prediction, PredictionKind, Which};
use super::play::{Played, Stop};
use super::read::{Ready, ReadyRun};
use crate::lab::{Checked, Fault, Problem, Problems, Scenario};
#[cfg(feature = "cli")]
use crate::universe;
use crate::universe::Variant;

/// What was predicted, or what is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One of the options, or a site of the run, by index.
    Index(usize),
    /// A number in the measure's unit; a moment, µs.
    Number(u64),
    /// The options in order, by index.
    Order(Vec<usize>),
}

/// Both runs, where they stop.
pub type Both = [Played; 2];

fn holds(when: &[Measure], default: Which, runs: &Both) -> bool {
    when.iter().all(|measure| measure.holds(&runs[measure.in_run(default).index()]))
}

fn value(measure: &Measure, runs: &Both) -> Option<u64> {
    measure.value(&runs[measure.in_run(Which::First).index()])
}

impl Prediction {
    /// The right answer. Errors: why the runs do not tell it.
    pub fn right(&self, runs: &Both) -> Result<Answer, String> {
        match self.kind {
            PredictionKind::Choice => {
                let fits: Vec<usize> = (0..self.options.len())
                    .filter(|option| holds(&self.options[*option].when, Which::First, runs))
                    .collect();
                match fits.as_slice() {
                    [one] => Ok(Answer::Index(*one)),
                    [] => Err("no option is right".to_owned()),
                    [first, second, ..] => Err(format!(
                        "two options are right: \"{}\" and \"{}\"",
                        self.options[*first].says, self.options[*second].says
                    )),
                }
            }
            PredictionKind::Number | PredictionKind::Moment => {
                let found = self.of.as_ref().and_then(|measure| value(measure, runs));
                found.map(Answer::Number).ok_or_else(|| "there is nothing to measure".to_owned())
            }
            PredictionKind::Order => {
                let measured = |option: &super::form::Choice| value(option.of.as_ref()?, runs);
                let values: Option<Vec<u64>> = self.options.iter().map(measured).collect();
                let values = values.ok_or_else(|| "one of the options cannot be measured".to_owned())?;
                let mut order: Vec<usize> = (0..values.len()).collect();
                order.sort_by_key(|option| values[*option]);
                if order.windows(2).any(|pair| values[pair[0]] == values[pair[1]]) {
                    return Err("two options are alike".to_owned());
                }
                if self.pick == Pick::Most {
                    order.reverse();
                }
                Ok(Answer::Order(order))
            }
            PredictionKind::Place => {
                let measure = self.of.as_ref().ok_or("there is nothing to measure")?;
                let run = &runs[measure.in_run(Which::First).index()];
                let at = |id: &str| Measure { site: Some(id.to_owned()), ..measure.clone() }.value(run);
                let sites = run.checked().sites();
                let found: Vec<(u64, usize)> =
                    sites.iter().enumerate().filter_map(|(index, id)| Some((at(id)?, index))).collect();
                let best = match self.pick {
                    Pick::Most => found.iter().max(),
                    Pick::Least => found.iter().min(),
                };
                let (most, index) = *best.ok_or("no site can be measured")?;
                match found.iter().filter(|(value, _)| *value == most).count() {
                    1 => Ok(Answer::Index(index)),
                    _ => Err("two sites are alike".to_owned()),
                }
            }
        }
    }

    /// Whether a prediction was right.
    pub fn is_right(&self, predicted: &Answer, right: &Answer) -> bool {
        match (predicted, right) {
            (Answer::Number(predicted), Answer::Number(right)) => predicted.abs_diff(*right) <= self.tolerance(*right),
            _ => predicted == right,
        }
    }

    /// How far off a number may be.
    fn tolerance(&self, right: u64) -> u64 {
        let Some(Amount(within)) = &self.within else { return 0 };
        let unit = self.of.as_ref().map(|measure| measure.measure.unit());
        match (within.permille(), unit) {
            (Ok(permille), Some(unit)) if unit != super::Unit::Share => right * permille / 1_000,
            (_, Some(unit)) => unit.read(&Amount(within.clone())).unwrap_or(0),
            _ => 0,
        }
    }

    /// An answer in words. `sites` are the names of the sites of the run it is about.
    pub fn text(&self, answer: &Answer, sites: &[&str]) -> String {
        match (answer, self.kind) {
            (Answer::Index(index), PredictionKind::Place) => sites.get(*index).copied().unwrap_or_default().to_owned(),
            (Answer::Index(index), _) => self.options.get(*index).map_or_else(String::new, |one| one.says.clone()),
            (Answer::Number(value), _) => {
                self.of.as_ref().map_or_else(|| value.to_string(), |measure| measure.measure.unit().text(*value))
            }
            (Answer::Order(order), _) => {
                let says: Vec<&str> =
                    order.iter().filter_map(|one| Some(self.options.get(*one)?.says.as_str())).collect();
                says.join("; ")
            }
        }
    }
}

impl Lesson {
    /// What happened, with every figure in its place.
    pub fn happened(&self, runs: &Both) -> String {
        let mut text = self.happened.clone();
        for (name, measure) in &self.figures {
            let figure = measure.text(&runs[measure.in_run(Which::First).index()]);
            text = text.replace(&format!("{{{name}}}"), &figure);
        }
        text
    }
}

impl Ready {
    /// Both runs with another seed, where they stop. Errors: the run takes too long.
    pub fn play(&self, seed: Option<u64>) -> Result<Both, Problem> {
        Ok([self.runs[0].play(seed)?, self.runs[1].play(seed)?])
    }

    /// The scenario of the task with a schedule. Errors: why the schedule may not be used, or what makes no sense in it.
    pub fn construct(&self, schedule: &[Fault]) -> Result<Scenario, Problems> {
        let construct = &self.lesson.construct;
        if let Some(says) = construct.objection(schedule) {
            return Err(Problem::new("script", "", &says).into());
        }
        let mut scenario = self.runs[construct.run.index()].scenario.clone();
        if !construct.keep {
            scenario.script.clear();
        }
        scenario.script.extend(schedule.iter().cloned());
        scenario.title = self.lesson.run_title("your run");
        Ok(scenario)
    }

    /// The run of the task with a schedule, at its start.
    pub fn begin_construct(
        &self,
        schedule: &[Fault],
        variant: impl Fn(&str) -> Option<&'static Variant>,
    ) -> Result<Played, Problems> {
        let scenario = self.construct(schedule)?;
        let checked = scenario.check_with(variant(&scenario.variant))?;
        Ok(Played::new(scenario, checked, Stop::At(self.lesson.construct.time()))?)
    }

    /// Whether a schedule reaches the goal. Errors: what makes no sense in it.
    #[cfg(feature = "cli")]
    pub fn reaches(&self, schedule: &[Fault]) -> Result<bool, Problems> {
        let played = self.begin_construct(schedule, universe::variant)?.to_stop()?;
        Ok(self.is_goal(&played))
    }

    /// Whether a run that was built reaches the goal.
    pub fn is_goal(&self, played: &Played) -> bool {
        self.lesson.construct.goal.iter().all(|measure| measure.holds(played))
    }
}

impl ReadyRun {
    /// The run at its start, with another seed.
    pub fn begin(&self, seed: Option<u64>) -> Result<Played, Problem> {
        let mut checked: Checked = self.checked.clone();
        let mut scenario = self.scenario.clone();
        if let Some(seed) = seed {
            checked.blueprint.seed = seed;
            scenario.seed = Some(seed);
        }
        Played::new(scenario, checked, self.stop)
    }

    /// The run with another seed, where it stops.
    pub fn play(&self, seed: Option<u64>) -> Result<Played, Problem> {
        self.begin(seed)?.to_stop()
    }
}
