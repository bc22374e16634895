//! Reading a lesson: from text to two checked scenarios, or to every problem in it.

use super::form::{Claim, Construct, Control, Holds, Lesson, Measure, Prediction, PredictionKind, RunText, Which};
use super::one_thing::differences;
use super::play::Stop;
use crate::core::Micros;
use crate::lab::document::assignment;
use crate::lab::fault;
use crate::lab::problem::{ProblemCollector, no_such};
use crate::lab::{Checked, Fault, Problem, Problems, Scenario, presets};
use crate::universe::{self, Variant};
use serde_json::Value;

/// Longest text of a lesson, bytes.
const TEXT: usize = 1_500;
/// Longest short text: a title, an answer.
const SHORT: usize = 200;
/// Most entries of any list in a lesson.
const MANY: usize = 24;
/// Most things to change in a lesson.
const CONTROLS: usize = 3;
/// Most values of one of them.
const VALUES: usize = 6;
/// Most actions of a built run.
pub const ACTIONS: u32 = 8;
/// The lines of the notes that a lesson can cover.
pub const LINES: std::ops::RangeInclusive<u32> = 3..=36;

/// A lesson that has been checked.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The lesson.
    pub lesson: Lesson,
    /// Its runs.
    pub runs: [ReadyRun; 2],
}

/// One of its runs.
#[derive(Clone, Debug)]
pub struct ReadyRun {
    /// The scenario.
    pub scenario: Scenario,
    /// The same in the simulator's terms.
    pub checked: Checked,
    /// Where it stops.
    pub stop: Stop,
}

/// Reads a lesson from parsed text. Errors: the first field of the wrong type, unknown or missing.
pub fn read(tree: Value) -> Result<Lesson, Problems> {
    Ok(crate::lab::read(tree)?)
}

/// The JSON Schema of lesson documents.
#[cfg(feature = "cli")]
pub fn schema() -> Value {
    schemars::schema_for!(Lesson).to_value()
}

/// Reads a lesson from JSON.
pub fn from_json(text: &str) -> Result<Lesson, Problems> {
    read(crate::lab::link::tree_from_json(text)?)
}

impl Which {
    /// Its index.
    pub fn index(self) -> usize {
        usize::from(self == Which::Second)
    }

    /// Its name in a lesson.
    pub fn name(self) -> &'static str {
        if self == Which::First { "first" } else { "second" }
    }
}

impl Measure {
    /// The run it is measured in, unless it says so itself.
    pub fn in_run(&self, default: Which) -> Which {
        self.run.unwrap_or(default)
    }
}

impl Lesson {
    /// One of its runs.
    pub fn run(&self, which: Which) -> &RunText {
        if which == Which::First { &self.first } else { &self.second }
    }

    /// The scenario of a run as a tree, with further assignments to values that it has.
    fn tree(&self, which: Which, more: &[String]) -> Result<Value, Problems> {
        let mut tree = match &self.scenario {
            Value::String(key) => match presets::preset(key) {
                Some(preset) => crate::lab::link::tree_from_json(preset.json)?,
                None => {
                    let keys = presets::PRESETS.iter().map(|preset| preset.key);
                    let says = no_such(key, "built-in scenarios", keys);
                    return Err(Problem::new("scenario", &format!("\"{key}\""), &says).into());
                }
            },
            tree => tree.clone(),
        };
        let run = self.run(which);
        let fields = self.set.iter().map(|one| ("set", one)).chain(run.set.iter().map(|one| (which.name(), one)));
        for (field, one) in
            fields.map(|(field, one)| (field.to_owned(), one)).chain(more.iter().map(|one| ("control".to_owned(), one)))
        {
            if one.starts_with("variant=") {
                // Settings are the variant's own.
                tree.as_object_mut().and_then(|fields| fields.remove("settings"));
            }
            assignment::set(&mut tree, one).map_err(|problem| {
                let Problem { field: within, value, says } = problem;
                Problem { field: format!("{field}: {within}"), value, says }
            })?;
        }
        if let Value::Object(fields) = &mut tree {
            fields.remove("try");
            fields.insert("title".to_owned(), self.run_title(&run.name).into());
            fields.insert("about".to_owned(), run.look.clone().into());
        }
        Ok(tree)
    }

    /// The scenario of a run, not checked yet, with further assignments.
    pub fn scenario(&self, which: Which, more: &[String]) -> Result<Scenario, Problems> {
        let within = |problem: Problem| named(which.name(), problem);
        Ok(crate::lab::read(self.tree(which, more)?).map_err(within)?)
    }

    /// Checks the whole lesson. Errors: every field that makes no sense.
    pub fn check(self) -> Result<Ready, Problems> {
        self.check_with(universe::variant)
    }

    /// The same with what finds variants: for the page, which has to load them first.
    pub fn check_with(self, variant: impl Fn(&str) -> Option<&'static Variant>) -> Result<Ready, Problems> {
        let mut problems = ProblemCollector::default();
        self.check_texts(&mut problems);
        problems.into_result(Some(()))?;
        let scenarios = [self.scenario(Which::First, &[])?, self.scenario(Which::Second, &[])?];
        let found = differences(&self.tree(Which::First, &[])?, &self.tree(Which::Second, &[])?);
        if found.len() != 1 {
            let what = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            let says = "the two runs must differ in exactly one thing: a setting, a rule, an entry of the script, the replicas, or the variant";
            return Err(Problem::new("second.set", &what, says).into());
        }
        let ready = |which: Which, scenario: Scenario| -> Result<ReadyRun, Problems> {
            let checked = scenario.check_with(variant(&scenario.variant)).map_err(|Problems(all, more)| {
                let named = all.into_iter().map(|problem| named(which.name(), problem));
                Problems(named.collect(), more)
            })?;
            let text = &self.run(which).stop;
            let stop = Stop::read(text, checked.duration)
                .map_err(|says| Problem::new(&format!("{}.stop", which.name()), &format!("\"{text}\""), &says))?;
            Ok(ReadyRun { scenario, checked, stop })
        };
        let [first, second] = scenarios;
        let runs = [ready(Which::First, first)?, ready(Which::Second, second)?];
        let mut problems = ProblemCollector::default();
        self.prediction.check(&runs, &mut problems);
        for (name, measure) in &self.figures {
            check_measure(measure, &format!("figures.{name}"), Which::First, false, &runs, &mut problems);
        }
        for (index, claim) in self.claims.iter().enumerate() {
            claim.check(&format!("claim[{index}]"), &runs, &mut problems);
        }
        self.construct.check(&runs, &mut problems);
        for (index, control) in self.controls.iter().enumerate() {
            self.check_control(control, &format!("control[{index}]"), &runs, &variant, &mut problems);
        }
        problems.into_result(Some(Ready { lesson: self, runs }))
    }

    fn check_texts(&self, problems: &mut ProblemCollector) {
        let long = [
            ("question", &self.question),
            ("about", &self.about),
            ("happened", &self.happened),
            ("reason", &self.reason),
            ("prediction.ask", &self.prediction.ask),
            ("construct.ask", &self.construct.ask),
        ];
        for (field, text) in long {
            match text.trim().len() {
                0 => problems.add(field, "", "is empty; a sentence or two would do"),
                TEXT.. => problems.add(field, text, format!("is too long; {TEXT} bytes would do")),
                _ => {}
            }
        }
        let options = self.prediction.options.iter().map(|option| ("prediction.option", &option.says));
        let short = [("title", &self.title), ("first.name", &self.first.name), ("second.name", &self.second.name)];
        for (field, text) in short.into_iter().chain(options) {
            if !(1..=SHORT).contains(&text.trim().len()) {
                problems.add(field, text, format!("1 to {SHORT} bytes would do"));
            }
        }
        let looks = [
            ("first.look", &self.first.look),
            ("second.look", &self.second.look),
            ("construct.hint", &self.construct.hint),
        ];
        let claims = self.claims.iter().map(|claim| ("claim.says", &claim.says));
        let sources = self.sources.iter().map(|source| ("sources", source));
        for (field, text) in looks.into_iter().chain(claims).chain(sources).filter(|(_, text)| text.len() > TEXT) {
            problems.add(field, text, format!("is too long; {TEXT} bytes would do"));
        }
        for (field, count) in [
            ("covers", self.covers.len()),
            ("set", self.set.len()),
            ("first.set", self.first.set.len()),
            ("second.set", self.second.set.len()),
            ("prediction.option", self.prediction.options.len()),
            ("figures", self.figures.len()),
            ("claim", self.claims.len()),
            ("sources", self.sources.len()),
            ("construct.only", self.construct.only.len()),
        ] {
            if count > MANY {
                problems.add(field, format!("{count} entries"), format!("{MANY} are the most"));
            }
        }
        if self.sources.is_empty() {
            problems.add("sources", "", "is empty; say where the reason can be read up");
        }
        if self.claims.is_empty() {
            problems.add("claim", "", "is empty; say what always holds, never does, or can happen");
        }
        if !(1..=30).contains(&self.minutes) {
            problems.add("minutes", self.minutes, "1 to 30 would do");
        }
        for line in &self.covers {
            let number = line.strip_prefix('L').and_then(|number| number.parse().ok());
            if number.is_none_or(|number: u32| !LINES.contains(&number)) {
                problems.add("covers", line, format!("\"L{}\" to \"L{}\" would do", LINES.start(), LINES.end()));
            }
        }
        self.check_sentences(problems);
    }

    /// Numbers in sentences come from the runs, and every placeholder has its figure.
    fn check_sentences(&self, problems: &mut ProblemCollector) {
        for (field, text) in [("happened", &self.happened), ("reason", &self.reason)] {
            let mut outside = String::new();
            for (index, part) in text.split('{').enumerate() {
                let Some((name, rest)) = part.split_once('}').filter(|_| index > 0) else {
                    outside.push_str(part);
                    continue;
                };
                outside.push_str(rest);
                if !self.figures.contains_key(name) {
                    problems.unknown(field, &format!("{{{name}}}"), "figures", self.figures.keys().map(String::as_str));
                }
            }
            if outside.chars().any(|c| c.is_ascii_digit()) {
                problems.add(field, text, "has a written number; a figure's {name} would do, as numbers are measured");
            }
        }
    }

    fn check_control(
        &self,
        control: &Control,
        path: &str,
        runs: &[ReadyRun; 2],
        variant: &impl Fn(&str) -> Option<&'static Variant>,
        problems: &mut ProblemCollector,
    ) {
        if self.controls.len() > CONTROLS {
            problems.add("control", format!("{} entries", self.controls.len()), format!("{CONTROLS} are the most"));
        }
        if !(2..=VALUES).contains(&control.values.len()) {
            problems.add(format!("{path}.values"), "", format!("2 to {VALUES} values would do"));
        }
        for value in control.values.iter().take(VALUES) {
            let mut taken = 0;
            for which in [Which::First, Which::Second] {
                let Some(more) = runs[which.index()].assignment(control, value) else { continue };
                taken += 1;
                let scenario = self.scenario(which, &[more]);
                let checked = scenario.and_then(|scenario| scenario.check_with(variant(&scenario.variant)));
                if let Err(wrong) = checked {
                    let says = wrong.lines().collect::<Vec<_>>().join("; ");
                    problems.add(format!("{path}.values"), value, says);
                    return;
                }
            }
            if taken == 0 {
                problems.add(format!("{path}.path"), &control.path, "neither run has such a setting");
                return;
            }
        }
    }
}

impl ReadyRun {
    /// What a control changes in this run; `None` if the run has no such setting.
    pub fn assignment(&self, control: &Control, value: &str) -> Option<String> {
        if let Some(setting) = control.path.strip_prefix("settings.") {
            self.checked.variant.settings.iter().find(|one| one.key == setting)?;
        }
        Some(format!("{}={value}", control.path))
    }
}

impl Ready {
    /// The names of the sites that a prediction chooses from.
    pub fn place_names(&self) -> Vec<&str> {
        let which = self.lesson.prediction.of.as_ref().and_then(|measure| measure.run).unwrap_or_default();
        self.runs[which.index()].checked.places.iter().map(|place| place.name.as_str()).collect()
    }
}

/// A problem in a part of the lesson.
pub(super) fn named(part: &str, Problem { field, value, says }: Problem) -> Problem {
    let field = if field.is_empty() { part.to_owned() } else { format!("{part}: {field}") };
    Problem { field, value, says }
}

/// Checks a measure in the run it is about.
fn check_measure(
    measure: &Measure,
    path: &str,
    default: Which,
    bounded: bool,
    runs: &[ReadyRun; 2],
    problems: &mut ProblemCollector,
) {
    measure.check(path, &runs[measure.in_run(default).index()].checked, bounded, problems);
}

impl Prediction {
    fn check(&self, runs: &[ReadyRun; 2], problems: &mut ProblemCollector) {
        let (listed, measured, tolerant) = match self.kind {
            PredictionKind::Choice | PredictionKind::Order => (true, false, false),
            PredictionKind::Number | PredictionKind::Moment => (false, true, true),
            PredictionKind::Place => (false, true, false),
        };
        if listed != (2..=8).contains(&self.options.len()) {
            let says = if listed { "2 to 8 options would do" } else { "this kind of prediction has no options" };
            problems.add("prediction.option", format!("{} options", self.options.len()), says);
        }
        for (field, given, wanted) in [("of", self.of.is_some(), measured), ("within", self.within.is_some(), tolerant)]
        {
            match (given, wanted) {
                (false, true) => problems.add(format!("prediction.{field}"), "", "is missing, and needed"),
                (true, false) => {
                    problems.add(format!("prediction.{field}"), "", "this kind of prediction has no such field")
                }
                _ => {}
            }
        }
        if let Some(measure) = &self.of {
            check_measure(measure, "prediction.of", Which::First, false, runs, problems);
            let unit = measure.measure.unit();
            if let Some(within) = &self.within
                && within.0.permille().is_err()
                && let Err(says) = unit.read(within)
            {
                problems.add("prediction.within", &within.0, says);
            }
            if self.kind == PredictionKind::Moment && unit != super::Unit::Time {
                problems.add("prediction.of", "", "a moment needs a measure of time, such as violated-at");
            }
        }
        for (index, option) in self.options.iter().enumerate() {
            let path = format!("prediction.option[{index}]");
            match (&option.of, self.kind) {
                (Some(measure), PredictionKind::Order) => {
                    check_measure(measure, &format!("{path}.of"), Which::First, false, runs, problems);
                }
                (None, PredictionKind::Order) => problems.add(format!("{path}.of"), "", "is missing, and needed"),
                (Some(_), _) => problems.add(format!("{path}.of"), "", "only what is put in order has it"),
                (None, _) if option.when.is_empty() => {
                    problems.add(format!("{path}.when"), "", "is empty; say when it is right")
                }
                _ => {}
            }
            for (nth, measure) in option.when.iter().enumerate() {
                check_measure(measure, &format!("{path}.when[{nth}]"), Which::First, true, runs, problems);
            }
        }
    }
}

impl Claim {
    fn check(&self, path: &str, runs: &[ReadyRun; 2], problems: &mut ProblemCollector) {
        if self.when.is_empty() {
            problems.add(format!("{path}.when"), "", "is empty; say what holds");
        }
        for (index, measure) in self.when.iter().enumerate() {
            let path = format!("{path}.when[{index}]");
            if measure.run.is_some_and(|run| run != self.run) {
                problems.add(format!("{path}.run"), "", "a claim is about one run, which the claim names");
            }
            measure.check(&path, &runs[self.run.index()].checked, true, problems);
        }
        let share = self.holds == Holds::Share;
        let bounds: Result<Vec<u64>, _> = self.between.iter().map(|bound| bound.permille()).collect();
        match bounds {
            Ok(bounds) if share && bounds.len() == 2 && bounds[0] <= bounds[1] => {}
            Ok(bounds) if !share && bounds.is_empty() => {}
            _ => problems.add(
                format!("{path}.between"),
                "",
                "two shares such as [\"20%\", \"30%\"] would do, for `share` alone",
            ),
        }
        if self.seed.is_some() && self.holds != Holds::Can {
            problems.add(format!("{path}.seed"), "", "only what can happen has a seed");
        }
    }
}

impl Construct {
    /// How many actions may be used.
    pub fn limit(&self) -> u32 {
        self.most.unwrap_or(ACTIONS)
    }

    /// When the goal is looked at, µs.
    pub fn time(&self) -> Micros {
        self.at.micros().unwrap_or(0)
    }

    /// Why a schedule may not be used, if it may not.
    pub fn objection(&self, schedule: &[Fault]) -> Option<String> {
        if schedule.len() > self.limit() as usize {
            return Some(format!("{} actions are too many; {} would do", schedule.len(), self.limit()));
        }
        let other = schedule.iter().find(|entry| !self.only.is_empty() && !self.only.contains(&entry.action))?;
        Some(format!("\"{}\" may not be used here; {} would do", other.action, self.only.join(", ")))
    }

    fn check(&self, runs: &[ReadyRun; 2], problems: &mut ProblemCollector) {
        let run = &runs[self.run.index()];
        if !(1..=ACTIONS).contains(&self.limit()) {
            problems.add("construct.most", self.limit(), format!("1 to {ACTIONS} would do"));
        }
        for word in self.only.iter().filter(|word| fault::words().all(|known| known != word.as_str())) {
            problems.unknown("construct.only", word, "words", fault::words());
        }
        match self.at.micros() {
            Ok(at) if (1..=run.checked.duration).contains(&at) => {}
            Ok(_) => problems.add(
                "construct.at",
                &self.at,
                format!(
                    "a time up to the run's duration, {}, would do",
                    crate::lab::Quantity::from_micros(run.checked.duration)
                ),
            ),
            Err(says) => problems.add("construct.at", &self.at, says),
        }
        if self.goal.is_empty() {
            problems.add("construct.goal", "", "is empty; say what must hold");
        }
        for (index, measure) in self.goal.iter().enumerate() {
            measure.check(&format!("construct.goal[{index}]"), &run.checked, true, problems);
        }
        if let Some(says) = self.objection(&self.example) {
            problems.add("construct.example", "", says);
        }
    }
}
