//! Comparison of variants: messages per command, measured for every variant and cluster size.
//!
//! The measure is that of the papers: messages between replicas per command in the steady, failure-free case. The scenario's sites and
//! delays are kept; its faults, losses, jitter and clients are not. Protocol of a measurement: boot; wait for a leader and for quiescence;
//! one command from each site with clients, so that every client knows its contact; clear the counters; then commands one after the other,
//! each until the cluster is quiescent; divide the messages by the number of commands. Heartbeats do not depend on commands and are
//! reported apart, per second. A variant that agrees once gets one command, counted from the boot on.

use crate::core::{Micros, Phase, RuleSet, Settings, Shots};
use crate::lab::document::problem::ProblemCollector;
use crate::lab::document::read::REPLICAS;
use crate::lab::{Checked, Problem, Problems, Quantity, Scenario};
use crate::sim::{Action, Blueprint};
use crate::universe::{self, Universe, Variant};
use serde::Serialize;

/// Commands measured for each cell of a variant that agrees on many.
pub const COMMANDS: u32 = 30;
/// Most events for one cell.
const MOST_EVENTS: u64 = 2_000_000;
/// Longest wait for anything, in longest round trips.
const PATIENCE: Micros = 500;
/// Longest wait for a leader, in longest round trips; after that the variant is measured without one.
const LEADERLESS: Micros = 100;

/// One variant with one number of replicas.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Key of the variant.
    pub variant: &'static str,
    /// Its title.
    pub title: &'static str,
    /// How many replicas.
    pub replicas: u8,
    /// The measurement, if there is one.
    pub measured: Option<Measured>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// The result of one measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Number of commands.
    pub commands: u32,
    /// Messages between replicas without heartbeats.
    pub messages: u64,
    /// Messages per command.
    pub per_command: f64,
    /// By kind, where there were any, in the variant's order.
    pub by_kind: Vec<KindShare>,
    /// Heartbeats per second of simulated time.
    pub heartbeats_per_second: f64,
    /// Simulated time of all commands, one after the other, µs.
    pub time_us: Micros,
    /// The published formula that applies, if there is one.
    pub formula: Option<Expected>,
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindShare {
    /// Its name, as in [`Variant::kinds`].
    pub kind: &'static str,
    /// Number of messages.
    pub messages: u64,
    /// Messages per command.
    pub per_command: f64,
}

/// A published count, beside the measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// As printed, such as `2(n−1)`.
    pub text: &'static str,
    /// Paper and section.
    pub source: &'static str,
    /// Its value for this number of replicas.
    pub per_command: u32,
    /// Whether every command took exactly that many.
    pub exact: bool,
}

/// Measures all cells of a comparison, in slices.
#[derive(Debug)]
pub struct CompareJob {
    scenario: Scenario,
    checked: Checked,
    tasks: Vec<(&'static Variant, u8)>,
    probe: Option<Probe>,
    cells: Vec<Cell>,
}

impl CompareJob {
    /// Prepares to measure each of `variants` (all variants, if empty) with each of `replicas`. Errors: unknown variants, cluster sizes out of
    /// bounds, and the problems of the scenario.
    pub fn new(scenario: &Scenario, variants: &[&str], replicas: &[u32]) -> Result<CompareJob, Problems> {
        let mut problems = ProblemCollector::default();
        let mut chosen: Vec<&'static Variant> = Vec::new();
        for key in variants {
            match universe::variant(key) {
                Some(variant) => chosen.push(variant),
                None => problems.unknown("variants", key, "variants", universe::variants().iter().map(|v| v.card.key)),
            }
        }
        for n in replicas.iter().filter(|n| !(1..=REPLICAS as u32).contains(n)) {
            problems.add("replicas", n, format!("1 to {} would do", REPLICAS));
        }
        problems.into_result(Some(()))?;
        if variants.is_empty() {
            chosen.extend(universe::variants());
        }
        let tasks = chosen.iter().flat_map(|variant| replicas.iter().map(|n| (*variant, *n as u8))).collect();
        Ok(CompareJob { scenario: scenario.clone(), checked: scenario.check()?, tasks, probe: None, cells: Vec::new() })
    }

    /// Runs for about `events` events. True: all cells are measured.
    pub fn advance(&mut self, events: u64) -> bool {
        let mut left = events.max(1);
        while left > 0 {
            let Some(&(variant, replicas)) = self.tasks.get(self.cells.len()) else { return true };
            let result = match &mut self.probe {
                None => match self.start(variant, replicas) {
                    Ok(probe) => {
                        self.probe = Some(probe);
                        continue;
                    }
                    Err(says) => Some(Err(says)),
                },
                Some(probe) => probe.advance(&mut left),
            };
            if let Some(result) = result {
                self.probe = None;
                let (measured, says) = match result {
                    Ok(measured) => (Some(measured), None),
                    Err(says) => (None, Some(says)),
                };
                let card = variant.card;
                self.cells.push(Cell { variant: card.key, title: card.title, replicas, measured, says });
            }
        }
        self.cells.len() == self.tasks.len()
    }

    /// The cells measured so far, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The number of cells of the comparison.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is nothing to measure.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn start(&self, variant: &'static Variant, replicas: u8) -> Result<Probe, String> {
        if replicas < variant.card.min_replicas {
            return Err(format!("needs at least {} replicas", variant.card.min_replicas));
        }
        let own = variant.card.key == self.scenario.variant;
        let settings = if own { self.checked.blueprint.settings.clone() } else { Settings::defaults(variant.settings) };
        let mut topology = self.checked.blueprint.topology.clone();
        topology.jitter_permille = 0;
        topology.loss_permille = 0;
        // Where the scenario has no more replicas, its sites take further ones in turn.
        let sites = (0..topology.sites).cycle();
        let placement =
            self.checked.blueprint.placement.iter().copied().chain(sites).take(usize::from(replicas)).collect();
        let mut asking: Vec<u8> = Vec::new();
        for group in &self.checked.blueprint.clients {
            if !asking.contains(&group.site) {
                asking.push(group.site);
            }
        }
        if asking.is_empty() {
            asking.extend(self.checked.blueprint.placement.first());
        }
        let blueprint = Blueprint {
            topology,
            placement,
            settings: settings.clone(),
            ablated: RuleSet::EMPTY,
            seed: self.checked.blueprint.seed,
            ..Blueprint::default()
        };
        let setting_error =
            |(key, says)| Problem { field: format!("settings.{key}"), value: String::new(), says: String::from(says) };
        let universe = variant.boot(&blueprint).map_err(|error| setting_error(error).to_string())?;
        Ok(Probe {
            universe,
            variant,
            settings,
            replicas,
            patience: blueprint.topology.round_trip_max(),
            asking,
            stage: if variant.card.shots == Shots::Single {
                Stage::Measure { asked: 0, since: 0 }
            } else {
                Stage::Settle
            },
            waiting_since: 0,
            even: true,
        })
    }
}

/// The stage of a measurement.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Until there is a leader and the cluster is quiescent.
    Settle,
    /// `asked` sites have sent their first command.
    Greet { asked: u32 },
    /// `asked` commands have been sent; counters were cleared at `since`, µs.
    Measure { asked: u32, since: Micros },
}

/// One measurement in progress.
struct Probe {
    universe: Box<dyn Universe>,
    variant: &'static Variant,
    settings: Settings,
    replicas: u8,
    /// The longest round trip, µs.
    patience: Micros,
    /// The sites whose clients send commands, in turn.
    asking: Vec<u8>,
    stage: Stage,
    waiting_since: Micros,
    /// Whether every command so far took exactly as many messages as the formula says.
    even: bool,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe")
            .field("variant", &self.variant.card.key)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl Probe {
    /// Runs on, taking its events from `left`. `None`: it is not finished.
    fn advance(&mut self, left: &mut u64) -> Option<Result<Measured, String>> {
        while *left > 0 {
            *left -= 1;
            if self.ready() {
                self.waiting_since = self.universe.time();
                match self.next() {
                    Ok(None) => {}
                    Ok(Some(measured)) => return Some(Ok(measured)),
                    Err(says) => return Some(Err(says)),
                }
                continue;
            }
            let limit = self.waiting_since + PATIENCE * self.patience;
            if !self.universe.step_until(limit) || self.universe.events() > MOST_EVENTS {
                let waited = Quantity::from_micros(self.universe.time() - self.waiting_since);
                return Some(Err(match self.stage {
                    Stage::Settle => format!("nobody came to lead within {waited}"),
                    _ => format!("a command was not settled within {waited}"),
                }));
            }
        }
        None
    }

    /// Whether the present stage has ended.
    fn ready(&self) -> bool {
        match self.stage {
            Stage::Settle => {
                let settled = self.universe.leader().is_some() || self.universe.time() > LEADERLESS * self.patience;
                settled && self.universe.is_quiet()
            }
            _ => self.universe.is_quiet(),
        }
    }

    /// Sends the next command, or gives the result.
    fn next(&mut self) -> Result<Option<Measured>, String> {
        self.stage = match self.stage {
            Stage::Settle => Stage::Greet { asked: 0 },
            Stage::Greet { asked } if (asked as usize) < self.asking.len() => {
                self.ask(asked)?;
                Stage::Greet { asked: asked + 1 }
            }
            Stage::Greet { .. } => {
                self.universe.clear_counts();
                Stage::Measure { asked: 0, since: self.universe.time() }
            }
            Stage::Measure { asked, since } => {
                self.even &=
                    self.expected().is_none_or(|expected| self.messages() == u64::from(asked * expected.per_command));
                if asked == self.commands() {
                    return Ok(Some(self.measured(since)));
                }
                self.ask(asked)?;
                Stage::Measure { asked: asked + 1, since }
            }
        };
        Ok(None)
    }

    fn ask(&mut self, nth: u32) -> Result<(), String> {
        let site = self.asking[nth as usize % self.asking.len()];
        self.universe.act(Action::Request { site }).map_err(|refusal| refusal.to_string())
    }

    fn commands(&self) -> u32 {
        match self.variant.card.shots {
            Shots::Single => 1,
            _ => COMMANDS,
        }
    }

    /// Messages so far by kind, without heartbeats.
    fn by_kind(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = self.variant.kinds.iter().zip(self.universe.counts().by_kind());
        kinds.filter(|(kind, _)| kind.phase != Phase::Heartbeat).map(|(kind, count)| (kind.name, count))
    }

    fn messages(&self) -> u64 {
        self.by_kind().map(|(_, count)| count).sum()
    }

    /// The first formula that applies to these settings.
    fn expected(&self) -> Option<Expected> {
        self.variant.card.formulas.iter().find_map(|formula| {
            let per_command = (formula.count)(u32::from(self.replicas), &self.settings)?;
            Some(Expected { text: formula.text, source: formula.source, per_command, exact: self.even })
        })
    }

    fn measured(&self, since: Micros) -> Measured {
        let commands = self.commands();
        let share = |count: u64| count as f64 / f64::from(commands);
        let messages = self.messages();
        let heartbeats = self.universe.counts().messages() - messages;
        let time_us = self.universe.time() - since;
        let by_kind = self.by_kind().filter(|(_, count)| *count > 0);
        Measured {
            commands,
            messages,
            per_command: share(messages),
            by_kind: by_kind
                .map(|(kind, messages)| KindShare { kind, messages, per_command: share(messages) })
                .collect(),
            heartbeats_per_second: heartbeats as f64 * 1_000_000.0 / time_us.max(1) as f64,
            time_us,
            formula: self.expected(),
        }
    }
}

/// The cells as CSV: a line for each kind of message, and one for their sum with the formula.
pub fn csv(cells: &[Cell]) -> String {
    let mut text = String::from("variant,replicas,kind,messages_per_command,formula,expected,exact\n");
    for cell in cells {
        let Some(measured) = &cell.measured else { continue };
        let (variant, n) = (cell.variant, cell.replicas);
        for KindShare { kind, per_command, .. } in &measured.by_kind {
            text.push_str(&format!("{variant},{n},{kind},{per_command},,,\n"));
        }
        let formula = match &measured.formula {
            Some(formula) => format!("\"{}\",{},{}", formula.text, formula.per_command, formula.exact),
            None => ",,".to_owned(),
        };
        text.push_str(&format!("{variant},{n},total,{},{formula}\n", measured.per_command));
    }
    text
}
