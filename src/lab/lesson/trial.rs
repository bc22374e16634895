//! A lesson tried on its own seed and on many others: what never happens, what can, and how often.

use super::form::{Holds, Which};
use super::read::{Ready, named};
use crate::lab::Problems;
use serde::Serialize;

/// Fewest seeds whose share says something.
const SHARE_SEEDS: u64 = 100;

/// What came of trying a lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// What happened with the lesson's own seed, in words.
    pub happened: String,
    /// The right answer, in words.
    pub right: String,
    /// Seeds tried besides the lesson's own.
    pub seeds: u64,
    /// What came of each claim.
    pub claims: Vec<TriedClaim>,
    /// Everything that is not as the lesson says. Empty: all well.
    pub wrong: Vec<String>,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TriedClaim {
    /// The claim.
    pub says: String,
    /// With how many seeds it held, of those tried.
    pub held: u64,
    /// How many were tried.
    pub of: u64,
    /// The first seed with which it held, and the first with which it did not.
    pub held_with: Option<u64>,
    /// See `held_with`.
    pub failed_with: Option<u64>,
}

/// Tells for one seed which claims held, for those asked for.
pub fn seed(ready: &Ready, seed: u64) -> Result<Vec<bool>, Problems> {
    let mut played = [None, None];
    let mut held = Vec::new();
    for claim in &ready.lesson.claims {
        let run = &mut played[claim.run.index()];
        if run.is_none() {
            *run = Some(ready.runs[claim.run.index()].play(Some(seed))?);
        }
        held.push(run.as_ref().is_some_and(|run| claim.when.iter().all(|measure| measure.holds(run))));
    }
    Ok(held)
}

/// Collects what each seed tells.
#[derive(Debug)]
pub struct Trial<'a> {
    ready: &'a Ready,
    tried: Tried,
}

impl<'a> Trial<'a> {
    /// Tries the lesson with its own seed: prediction, sentences, pinned seeds and the task.
    pub fn new(ready: &'a Ready) -> Result<Trial<'a>, Problems> {
        let lesson = &ready.lesson;
        let runs = ready.play(None)?;
        let mut wrong = Vec::new();
        let right = match lesson.prediction.right(&runs) {
            Ok(right) => lesson.prediction.text(&right, &ready.place_names()),
            Err(why) => {
                wrong.push(format!("prediction: {why}"));
                String::new()
            }
        };
        for (name, measure) in &lesson.figures {
            if measure.value(&runs[measure.in_run(Which::First).index()]).is_none() {
                wrong.push(format!("figures.{name}: there is nothing to measure"));
            }
        }
        for (index, claim) in lesson.claims.iter().enumerate().filter(|(_, claim)| claim.holds == Holds::Can) {
            let seed = claim.seed.or(ready.runs[0].scenario.seed).unwrap_or(1);
            let played = ready.runs[claim.run.index()].play(Some(seed))?;
            if !claim.when.iter().all(|measure| measure.holds(&played)) {
                wrong.push(format!("claim[{index}]: does not happen with seed {seed}: {}", claim.says));
            }
        }
        let construct = &lesson.construct;
        if ready.reaches(&[])? {
            wrong.push("construct: the goal is reached without doing anything".to_owned());
        }
        let in_example = |Problems(all, more)| {
            Problems(all.into_iter().map(|problem| named("construct.example", problem)).collect(), more)
        };
        if !ready.reaches(&construct.example).map_err(in_example)? {
            wrong.push("construct.example: does not reach the goal".to_owned());
        }
        let claim =
            |says: &String| TriedClaim { says: says.clone(), held: 0, of: 0, held_with: None, failed_with: None };
        let claims = lesson.claims.iter().map(|one| claim(&one.says)).collect();
        Ok(Trial { ready, tried: Tried { happened: lesson.happened(&runs), right, seeds: 0, claims, wrong } })
    }

    /// Takes what one seed told.
    pub fn add(&mut self, seed: u64, held: &[bool]) {
        self.tried.seeds += 1;
        for (claim, held) in self.tried.claims.iter_mut().zip(held) {
            claim.of += 1;
            claim.held += u64::from(*held);
            let first = if *held { &mut claim.held_with } else { &mut claim.failed_with };
            first.get_or_insert(seed);
        }
    }

    /// What came of it.
    pub fn done(mut self) -> Tried {
        for (index, (claim, tried)) in self.ready.lesson.claims.iter().zip(&self.tried.claims).enumerate() {
            let told = |seed: Option<u64>| seed.map(|seed| format!("seed {seed}")).unwrap_or_default();
            let says = &claim.says;
            let wrong = match claim.holds {
                Holds::Always if tried.held < tried.of => {
                    format!("does not always hold: not with {}: {says}", told(tried.failed_with))
                }
                Holds::Never if tried.held > 0 => format!("happens: with {}: {says}", told(tried.held_with)),
                Holds::Share if tried.of >= SHARE_SEEDS => {
                    let bounds: Vec<u64> = claim.between.iter().filter_map(|bound| bound.permille().ok()).collect();
                    let share = tried.held * 1_000 / tried.of;
                    if (bounds[0]..=bounds[1]).contains(&share) {
                        continue;
                    }
                    format!("holds with {} of {} seeds: {says}", tried.held, tried.of)
                }
                _ => continue,
            };
            self.tried.wrong.push(format!("claim[{index}]: {wrong}"));
        }
        self.tried
    }
}
