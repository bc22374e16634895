//! Messages for one command, for every variant and cluster size, measured one by one.
//!
//! What is measured is what the papers count: messages between replicas for one command when nothing fails. So the scenario's
//! places and delays are kept, and its faults, losses, jitter and clients are not. The cluster boots, a leader emerges, each place with
//! clients asks once so that all know whom to ask, everything falls quiet; then the counters start, commands are asked one after
//! the other, each until everything is quiet again, and what was sent is divided by their number. Heartbeats go on with or without
//! commands and are told apart. A variant that agrees only once gets one command, counted from the boot on.

use super::problem::{Complaints, Problem, Problems};
use super::scenario::Scenario;
use super::{Checked, Quantity, check};
use crate::core::{Micros, Phase, RuleSet, Settings, Shots};
use crate::sim::{Action, Blueprint};
use crate::universe::{self, Universe, Variant};
use serde::Serialize;

/// Commands measured for each cell of a variant that agrees on many.
pub const COMMANDS: u32 = 30;
/// Most events for one cell.
const MOST_EVENTS: u64 = 2_000_000;
/// Longest wait for anything, in longest round trips.
const PATIENCE: Micros = 500;
/// How long to wait for a leader, in longest round trips, before taking it that this variant has none.
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
    /// What was measured, if it could be.
    pub measured: Option<Measured>,
    /// Why not, otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Commands asked.
    pub commands: u32,
    /// Messages between replicas, heartbeats not among them.
    pub messages: u64,
    /// Messages for one command.
    pub per_command: f64,
    /// By kind, where there were any; in the variant's own order.
    pub by_kind: Vec<KindShare>,
    /// Heartbeats in a second of simulated time.
    pub heartbeats_per_second: f64,
    /// Simulated time all commands took, one after the other, µs.
    pub time_us: Micros,
    /// What the literature says, where it says something.
    pub formula: Option<Expected>,
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindShare {
    /// The paper's verb, as in [`Variant::kinds`].
    pub kind: &'static str,
    /// For all commands.
    pub messages: u64,
    /// For one.
    pub per_command: f64,
}

/// A published count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// As printed, such as `2(n−1)`.
    pub text: &'static str,
    /// Paper and section.
    pub source: &'static str,
    /// For this number of replicas.
    pub per_command: u32,
    /// Whether exactly so many were measured, for every command.
    pub exact: bool,
}

/// Measures many cells, bit by bit.
#[derive(Debug)]
pub struct CompareJob {
    scenario: Scenario,
    checked: Checked,
    tasks: Vec<(&'static Variant, u8)>,
    probe: Option<Probe>,
    cells: Vec<Cell>,
}

impl CompareJob {
    /// Will measure each of `variants` (all there are, if empty) with each of `replicas`.
    pub fn new(scenario: &Scenario, variants: &[&str], replicas: &[u32]) -> Result<CompareJob, Problems> {
        let mut wrong = Complaints::default();
        let mut chosen: Vec<&'static Variant> = Vec::new();
        for key in variants {
            match universe::variant(key) {
                Some(variant) => chosen.push(variant),
                None => wrong.unknown("variants", key, "variants", universe::variants().iter().map(|v| v.card.key)),
            }
        }
        for n in replicas.iter().filter(|n| !(1..=check::REPLICAS as u32).contains(n)) {
            wrong.add("replicas", n, format!("1 to {} would do", check::REPLICAS));
        }
        wrong.unless(Some(()))?;
        if variants.is_empty() {
            chosen.extend(universe::variants());
        }
        Ok(CompareJob::of(scenario, scenario.check()?, &chosen, replicas))
    }

    /// Will measure these variants on a scenario that was checked before, with each of `replicas`: from 1 to [`check::REPLICAS`].
    pub fn of(scenario: &Scenario, checked: Checked, variants: &[&'static Variant], replicas: &[u32]) -> CompareJob {
        let tasks = variants.iter().flat_map(|variant| replicas.iter().map(|n| (*variant, *n as u8))).collect();
        CompareJob { scenario: scenario.clone(), checked, tasks, probe: None, cells: Vec::new() }
    }

    /// Goes on for about so many events. True when all is measured.
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

    /// What has been measured so far, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many cells there will be.
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

/// Where a measurement stands.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Until somebody leads and all is quiet.
    Settle,
    /// So many places have asked once.
    Greet { asked: u32 },
    /// So many commands have been asked; counting began at `since`, µs.
    Measure { asked: u32, since: Micros },
}

/// One measurement under way.
struct Probe {
    universe: Box<dyn Universe>,
    variant: &'static Variant,
    settings: Settings,
    replicas: u8,
    /// The longest round trip, µs.
    patience: Micros,
    /// The sites that ask, in turn.
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
    /// Goes on, taking its events from `left`. `None`: it is not finished yet.
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

    /// Whether what was waited for is there.
    fn ready(&self) -> bool {
        match self.stage {
            Stage::Settle => {
                let settled = self.universe.leader().is_some() || self.universe.time() > LEADERLESS * self.patience;
                settled && self.universe.is_quiet()
            }
            _ => self.universe.is_quiet(),
        }
    }

    /// Asks the next command, or tells the result.
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
            Shots::Log => COMMANDS,
        }
    }

    /// Messages so far, by kind, heartbeats left out.
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

/// The cells as a table: a line for each kind of message, and one for their sum with the formula beside it.
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
