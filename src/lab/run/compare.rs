//! Comparison of variants: messages per command, measured for every variant and cluster size.
//!
//! The measure is that of the papers: messages between replicas per command in the steady, failure-free case. The scenario's sites and
//! delays are kept; its faults, losses, jitter and clients are not. Protocol of a measurement: boot; wait for a leader and for quiescence;
//! one command from each site with clients, so that every client knows its contact; clear the counters; then commands one after the other,
//! each until the cluster is quiescent; divide the messages by the number of commands. Heartbeats do not depend on commands and are
//! reported apart, per second. A variant that agrees once gets one command, counted from the boot on.
//!
//! Where leaders are elected, the leader then crashes, and the messages and the time of the next election are measured. Where there is
//! something to read, a client of a new cluster reads, each time after the cluster has become quiescent. What does not apply to a variant is
//! reported as such.

pub use super::report::Figure;
use crate::core::node::Kind;
use crate::core::{LeaderModel, Micros, NodeId, Phase, RuleSet, Settings, Shots};
use crate::lab::document::check::read_settings;
use crate::lab::document::problem::{ProblemCollector, no_such};
use crate::lab::document::read::REPLICAS;
use crate::lab::{Checked, Problem, Problems, Quantity, Scenario, Value};
use crate::sim::{Action, Blueprint, ClientGroup, Pace};
use crate::universe::{self, Universe, Variant};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Commands measured for each cell of a variant that agrees on many.
pub const COMMANDS: u32 = 30;
/// Most events for one cell.
const MOST_EVENTS: u64 = 2_000_000;
/// Longest wait for anything, in longest round trips.
const PATIENCE: Micros = 500;

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
    /// Messages per read. Not applicable where there is nothing to read.
    pub reads: Figure<Reads>,
    /// The election after a crash of the leader. Not applicable where none is elected.
    pub election: Figure<Election>,
}

/// Reads of one client in the steady, failure-free case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reads {
    /// Number of reads.
    pub reads: u32,
    /// Messages between replicas without heartbeats.
    pub messages: u64,
    /// Messages per read.
    pub per_read: f64,
    /// Simulated time of all reads with the pauses between them, µs.
    pub time_us: Micros,
}

/// One election after a crash of the leader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Election {
    /// Messages that ask for votes or promises, and their answers, until the cluster was quiescent; those of failed attempts included.
    pub messages: u64,
    /// From the crash to the new leader, µs.
    pub time_us: Micros,
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
    /// Whether every command took exactly that many, apart from the kinds in `left_out`.
    pub exact: bool,
    /// Kinds of messages that were sent and that no formula speaks of: those that bring replicas up to date which were left behind
    /// ([`Phase::Transfer`]). Formulas say what it takes to have a command chosen, not until every replica knows.
    pub left_out: Vec<&'static str>,
}

/// Measures all cells of a comparison, in slices.
#[derive(Debug)]
pub struct CompareJob {
    scenario: Scenario,
    checked: Checked,
    settings: BTreeMap<String, Value>,
    tasks: Vec<(&'static Variant, u8)>,
    probe: Option<Probe>,
    cells: Vec<Cell>,
}

impl CompareJob {
    /// Prepares to measure each of `variants` (all variants, if empty) with each of `replicas`. Errors: unknown variants, cluster sizes out of
    /// bounds, and the problems of the scenario.
    pub fn new(scenario: &Scenario, variants: &[&str], replicas: &[u32]) -> Result<CompareJob, Problems> {
        CompareJob::with_settings(scenario, variants, replicas, BTreeMap::new())
    }

    /// Prepares to measure these variants on a checked scenario, each with a number of replicas: from 1 to [`REPLICAS`].
    pub fn of(scenario: &Scenario, checked: Checked, tasks: Vec<(&'static Variant, u8)>) -> CompareJob {
        let (scenario, settings) = (scenario.clone(), BTreeMap::new());
        CompareJob { scenario, checked, settings, tasks, probe: None, cells: Vec::new() }
    }

    /// [`CompareJob::new`] with settings for all variants that have them; they take precedence over the scenario's own. Errors, besides those of
    /// [`CompareJob::new`]: a setting that none of the variants has, or a value that one of them does not accept.
    pub fn with_settings(
        scenario: &Scenario,
        variants: &[&str],
        replicas: &[u32],
        settings: BTreeMap<String, Value>,
    ) -> Result<CompareJob, Problems> {
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
        if variants.is_empty() {
            chosen.extend(universe::variants());
        }
        for (key, value) in &settings {
            let keys = || chosen.iter().flat_map(|variant| variant.settings.iter().map(|setting| setting.key));
            if !chosen.is_empty() && !keys().any(|known| known == key) {
                let known: BTreeSet<&str> = keys().collect();
                problems.add(
                    format!("settings.{key}"),
                    value,
                    no_such(key, "settings of the variants compared", known),
                );
            }
        }
        problems.into_result(Some(()))?;
        let tasks = chosen.iter().flat_map(|variant| replicas.iter().map(|n| (*variant, *n as u8))).collect();
        let job = CompareJob { settings, ..CompareJob::of(scenario, scenario.check()?, tasks) };
        let mut problems = ProblemCollector::default();
        for variant in chosen {
            job.settings_of(variant, Settings::defaults(variant.settings), &mut problems);
        }
        problems.into_result(Some(job))
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
        let base = if own { self.checked.blueprint.settings.clone() } else { Settings::defaults(variant.settings) };
        let settings = self.settings_of(variant, base, &mut ProblemCollector::default());
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
        // Formulas for registers are for a proposer that goes on with its own: each site's client has a key of its own.
        let own_key = |(key, &site): (u16, &u8)| ClientGroup {
            site,
            pace: Pace::Closed { sessions: 0, think: 0 },
            first_key: key,
            retry: 4 * topology.round_trip_max(),
            ..ClientGroup::default()
        };
        let clients = match variant.card.agrees_on {
            Shots::Registers => (0..).zip(&asking).map(own_key).collect(),
            _ => Vec::new(),
        };
        let blueprint = Blueprint {
            topology,
            placement,
            settings,
            clients,
            ablated: RuleSet::EMPTY,
            seed: self.checked.blueprint.seed,
            ..Blueprint::default()
        };
        Probe::new(variant, blueprint, asking)
    }

    /// The settings of a variant: `base`, changed by those of the comparison that the variant has.
    fn settings_of(&self, variant: &Variant, base: Settings, problems: &mut ProblemCollector) -> Settings {
        let has = |key: &str| variant.settings.iter().any(|setting| setting.key == key);
        let own = self.settings.iter().filter(|(key, _)| has(key)).map(|(key, value)| (key.as_str(), value));
        read_settings(variant, base, own, problems)
    }
}

/// The stage of a measurement.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Until there is a leader, if the variant has any, and the cluster is quiescent.
    Settle,
    /// `asked` sites have sent their first command.
    Greet { asked: u32 },
    /// `asked` commands have been sent; counters were cleared at `since`, µs.
    Write { asked: u32, since: Micros },
    /// The leader `failed` crashed at `since`, µs; until there is another and the cluster is quiescent.
    Elect { failed: NodeId, since: Micros },
    /// In a new cluster: until the first read is answered, so that its client knows its contact, and the cluster is quiescent.
    FirstRead,
    /// Until all reads are answered; counters were cleared at `since`, µs.
    Read { since: Micros },
}

/// One measurement in progress.
struct Probe {
    universe: Box<dyn Universe>,
    variant: &'static Variant,
    blueprint: Blueprint,
    /// The longest round trip, µs.
    patience: Micros,
    /// The sites whose clients send commands, in turn.
    asking: Vec<u8>,
    stage: Stage,
    waiting_since: Micros,
    /// Whether every command so far took exactly as many messages as the formula says.
    even: bool,
    /// What has been measured so far.
    measured: Option<Measured>,
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
    fn new(variant: &'static Variant, blueprint: Blueprint, asking: Vec<u8>) -> Result<Probe, String> {
        let universe = boot(variant, &blueprint)?;
        let single = variant.card.agrees_on == Shots::Single;
        Ok(Probe {
            universe,
            variant,
            patience: blueprint.topology.round_trip_max(),
            asking,
            stage: if single { Stage::Write { asked: 0, since: 0 } } else { Stage::Settle },
            waiting_since: 0,
            even: true,
            measured: None,
            blueprint,
        })
    }

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
            if !self.universe.step_until(self.limit()) || self.universe.events() > MOST_EVENTS {
                match self.timed_out() {
                    Ok(None) => {}
                    Ok(Some(measured)) => return Some(Ok(measured)),
                    Err(says) => return Some(Err(says)),
                }
            }
        }
        None
    }

    /// The end of the present stage's time, µs.
    fn limit(&self) -> Micros {
        let commands = match self.stage {
            Stage::Read { .. } => Micros::from(COMMANDS),
            _ => 1,
        };
        self.waiting_since + PATIENCE * self.patience * commands
    }

    /// Whether the present stage has ended.
    fn ready(&self) -> bool {
        let answered = |commands: u64| self.universe.counts().answered >= commands;
        let led = self.universe.leader().is_some();
        let ended = match self.stage {
            Stage::Settle => match self.variant.card.leader {
                LeaderModel::Elected | LeaderModel::Fixed | LeaderModel::SelfAppointed => led,
                LeaderModel::None | LeaderModel::PerObject => true,
            },
            Stage::Greet { .. } | Stage::Write { .. } => true,
            Stage::Elect { failed, .. } => self.universe.leader().is_some_and(|leader| leader != failed),
            // A read that needs no leader may be answered before there is one; only an election is certain to show one.
            Stage::FirstRead => answered(1) && (led || self.variant.card.leader != LeaderModel::Elected),
            Stage::Read { .. } => answered(COMMANDS.into()),
        };
        ended && self.universe.is_quiet()
    }

    /// The present stage took too long.
    fn timed_out(&mut self) -> Result<Option<Measured>, String> {
        let waited = Quantity::from_micros(self.universe.time() - self.waiting_since);
        let no_leader = format!("no leader emerged within {waited}");
        let not_answered = format!("a command was not settled within {waited}");
        match (self.stage, &mut self.measured) {
            // Only an election is certain to show a leader.
            (Stage::Settle, _) if self.variant.card.leader != LeaderModel::Elected && self.universe.is_quiet() => {
                self.waiting_since = self.universe.time();
                self.stage = Stage::Greet { asked: 0 };
                Ok(None)
            }
            (Stage::Settle, _) => Err(no_leader),
            (Stage::Elect { .. }, Some(measured)) => {
                measured.election = Figure::Unmeasured { says: no_leader };
                self.start_reads()
            }
            (Stage::FirstRead | Stage::Read { .. }, Some(measured)) => {
                measured.reads = Figure::Unmeasured { says: not_answered };
                Ok(self.measured.take())
            }
            _ => Err(not_answered),
        }
    }

    /// Begins the next stage, or gives the result.
    fn next(&mut self) -> Result<Option<Measured>, String> {
        match self.stage {
            Stage::Settle => self.stage = Stage::Greet { asked: 0 },
            Stage::Greet { asked } if (asked as usize) < self.asking.len() => {
                self.ask(asked)?;
                self.stage = Stage::Greet { asked: asked + 1 };
            }
            Stage::Greet { .. } => {
                self.universe.clear_counts();
                self.stage = Stage::Write { asked: 0, since: self.universe.time() };
            }
            Stage::Write { asked, since } => {
                let messages = self.messages_of(|phase| phase != Phase::Transfer);
                self.even &= self.expected().is_none_or(|expected| messages == u64::from(asked * expected.per_command));
                if asked == self.commands() {
                    self.measured = Some(self.writes(since));
                    return self.start_election();
                }
                self.ask(asked)?;
                self.stage = Stage::Write { asked: asked + 1, since };
            }
            Stage::Elect { since, .. } => {
                let election = Election {
                    messages: self.messages_of(|phase| matches!(phase, Phase::Elect | Phase::Vote)),
                    time_us: self.new_leader_since().saturating_sub(since),
                };
                if let Some(measured) = &mut self.measured {
                    measured.election = Figure::Measured(election);
                }
                return self.start_reads();
            }
            Stage::FirstRead => {
                self.universe.clear_counts();
                self.stage = Stage::Read { since: self.universe.time() };
            }
            Stage::Read { since } => {
                let messages = self.messages();
                let reads = Reads {
                    reads: COMMANDS,
                    messages,
                    per_read: messages as f64 / f64::from(COMMANDS),
                    time_us: self.universe.time() - since,
                };
                if let Some(measured) = &mut self.measured {
                    measured.reads = Figure::Measured(reads);
                }
                return Ok(self.measured.take());
            }
        }
        Ok(None)
    }

    /// Crashes the leader, if the variant elects leaders of a log.
    fn start_election(&mut self) -> Result<Option<Measured>, String> {
        let elects = self.variant.card.leader == LeaderModel::Elected && self.variant.card.agrees_on != Shots::Single;
        // The only replica has no successor.
        let leader = self.universe.leader().filter(|_| elects && self.blueprint.placement.len() > 1);
        let Some(failed) = leader else { return self.start_reads() };
        self.universe.clear_counts();
        self.universe.act(Action::Crash(failed)).map_err(|refusal| refusal.to_string())?;
        self.stage = Stage::Elect { failed, since: self.universe.time() };
        Ok(None)
    }

    /// When the present leader began to lead, µs.
    fn new_leader_since(&self) -> Micros {
        let leader = self.universe.leader();
        let intervals = self.universe.leadership_intervals();
        intervals.iter().rev().find(|interval| Some(interval.node) == leader).map_or(0, |interval| interval.since)
    }

    /// Boots a new cluster whose client only reads, if there is anything to read.
    fn start_reads(&mut self) -> Result<Option<Measured>, String> {
        if !self.variant.card.agrees_on.executes() {
            return Ok(self.measured.take());
        }
        let reader = |site: u8, limit: u32| ClientGroup {
            site,
            // Long enough for the cluster to become quiescent between two reads.
            pace: Pace::Closed { sessions: 1, think: 10 * self.patience },
            read_percent: 100,
            limit,
            retry: (4 * self.patience).max(1_000_000),
            ..ClientGroup::default()
        };
        let clients = self.asking.first().map(|site| reader(*site, COMMANDS + 1)).into_iter().collect();
        self.universe = boot(self.variant, &Blueprint { clients, ..self.blueprint.clone() })?;
        self.waiting_since = 0;
        self.stage = Stage::FirstRead;
        Ok(None)
    }

    fn ask(&mut self, nth: u32) -> Result<(), String> {
        let site = self.asking[nth as usize % self.asking.len()];
        self.universe.act(Action::Request { site }).map_err(|refusal| refusal.to_string())
    }

    fn commands(&self) -> u32 {
        match self.variant.card.agrees_on {
            Shots::Single => 1,
            _ => COMMANDS,
        }
    }

    /// Messages so far by kind, without heartbeats.
    fn by_kind(&self) -> impl Iterator<Item = (&'static Kind, u64)> {
        let kinds = self.variant.kinds.iter().zip(self.universe.counts().by_kind());
        kinds.filter(|(kind, _)| kind.phase != Phase::Heartbeat)
    }

    fn messages_of(&self, phases: fn(Phase) -> bool) -> u64 {
        self.by_kind().filter(|(kind, _)| phases(kind.phase)).map(|(_, count)| count).sum()
    }

    fn messages(&self) -> u64 {
        self.messages_of(|_| true)
    }

    /// The first formula that applies to these settings.
    fn expected(&self) -> Option<Expected> {
        let replicas = self.blueprint.placement.len() as u32;
        self.variant.card.formulas.iter().find_map(|formula| {
            let per_command = (formula.count)(replicas, &self.blueprint.settings)?;
            let transfers = self.by_kind().filter(|(kind, count)| kind.phase == Phase::Transfer && *count > 0);
            Some(Expected {
                text: formula.text,
                source: formula.source,
                per_command,
                exact: self.even,
                left_out: transfers.map(|(kind, _)| kind.name).collect(),
            })
        })
    }

    /// The measurement of commands; elections and reads are not applicable until measured.
    fn writes(&self, since: Micros) -> Measured {
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
                .map(|(kind, messages)| KindShare { kind: kind.name, messages, per_command: share(messages) })
                .collect(),
            heartbeats_per_second: heartbeats as f64 * 1_000_000.0 / time_us.max(1) as f64,
            time_us,
            formula: self.expected(),
            reads: Figure::NotApplicable,
            election: Figure::NotApplicable,
        }
    }
}

/// Boots a cluster. Errors: a setting that does not fit the cluster.
fn boot(variant: &'static Variant, blueprint: &Blueprint) -> Result<Box<dyn Universe>, String> {
    variant.boot(blueprint).map_err(|error| Problem::of_protocol(error).to_string())
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
        if let Figure::Measured(reads) = &measured.reads {
            text.push_str(&format!("{variant},{n},one read,{},,,\n", reads.per_read));
        }
        if let Figure::Measured(election) = &measured.election {
            text.push_str(&format!("{variant},{n},one election,{},,,\n", election.messages));
        }
    }
    text
}
