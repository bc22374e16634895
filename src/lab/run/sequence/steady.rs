//! The chart of the normal case, of any variant: one command in the steady, failure-free state.
//!
//! A small cluster with equal distances boots and goes on until there is a leader, if the variant has any, and everything is quiet. One
//! command makes the client known; then the chart is made of a second one, until everything is quiet again. A variant that agrees once is
//! shown from its first and only request on.

use super::chart::Chart;
use super::recorder::{Filter, Recorder, TooLarge};
use crate::core::{LeaderModel, Micros, NodeId, Settings, Shots};
use crate::lab::Problem;
use crate::sim::{Action, Blueprint, ClientGroup, Pace, Topology};
use crate::universe::inspect::Inspector;
use crate::universe::{Universe, Variant};

/// Round trips within a site and between two, µs.
const ROUND_TRIPS: (u32, u32) = (4_000, 20_000);
/// Most events of such a run.
const MOST_EVENTS: u64 = 200_000;
/// Longest wait for anything, µs.
const PATIENCE: Micros = 20_000_000;
/// Pause between the first command and the one that is shown, µs.
const REST: Micros = 1_000_000;
/// How many replicas it shows, unless the variant needs more or cannot have as many.
const REPLICAS: u8 = 3;

/// A run of a variant in the making of its chart.
struct Steady {
    universe: Box<dyn Universe>,
}

/// Charts one command of a variant. The error says why there is nothing to show.
pub fn chart(variant: &'static Variant, inspector: &Inspector) -> Result<Chart, String> {
    let most = variant.card.min_replicas.max(REPLICAS);
    let replicas = (variant.card.min_replicas..=most).rev();
    let mut refused = String::new();
    for replicas in replicas {
        match boot(variant, replicas) {
            Ok(universe) => return Steady { universe }.record(inspector),
            Err(says) => refused = says,
        }
    }
    Err(refused)
}

/// A site for each replica.
fn boot(variant: &'static Variant, replicas: u8) -> Result<Box<dyn Universe>, String> {
    let (within, between) = ROUND_TRIPS;
    let round_trips = (0..replicas).flat_map(|a| (0..replicas).map(move |b| if a == b { within } else { between }));
    let topology = Topology::from_round_trips(replicas, &round_trips.collect::<Vec<u32>>());
    // Registers are for clients that have one of their own.
    let clients = match variant.card.agrees_on {
        Shots::Registers => vec![ClientGroup {
            pace: Pace::Closed { sessions: 0, think: 0 },
            retry: 4 * topology.round_trip_max(),
            ..ClientGroup::default()
        }],
        _ => Vec::new(),
    };
    let blueprint = Blueprint {
        topology,
        placement: (0..replicas).collect(),
        settings: Settings::defaults(variant.settings),
        clients,
        keep_trace: 4_096,
        seed: 1,
        ..Blueprint::default()
    };
    variant.boot(&blueprint).map_err(|error| Problem::of_protocol(error).to_string())
}

impl Steady {
    fn record(mut self, inspector: &Inspector) -> Result<Chart, String> {
        let card = self.universe.variant().card;
        let leads = matches!(card.leader, LeaderModel::Elected | LeaderModel::Fixed | LeaderModel::SelfAppointed);
        let single = card.agrees_on == Shots::Single;
        if !single {
            self.settle(|universe| !leads || universe.leader().is_some(), &mut None)?;
            self.ask()?;
            self.settle(|_| true, &mut None)?;
            // Everybody learns of the first command, by heartbeats if that is the way.
            let learned = self.universe.time() + REST;
            while self.universe.step_until(learned) && self.universe.events() <= MOST_EVENTS {}
            self.settle(|_| true, &mut None)?;
        }
        let from = self.universe.time();
        let places = (b'a'..).take(usize::from(self.universe.nodes())).map(|letter| char::from(letter).to_string());
        let title = format!("{}: one command, nothing fails", card.title);
        let filter = Filter { heartbeats: false, ..Filter::default() };
        let mut recorder = Some(Recorder::new(&mut *self.universe, inspector, &title, places.collect(), filter));
        self.ask()?;
        let too_large = |error: TooLarge| error.to_string();
        if let Some(recorder) = &mut recorder {
            recorder.observe(&*self.universe).map_err(too_large)?;
        }
        self.settle(|universe| universe.counts().answered > 0 || single, &mut recorder)?;
        let (quiet, mut told) = (self.universe.time(), recorder.clone());
        // The others may learn of it from what is sent anyway, a little later.
        let limit = quiet + REST;
        let mut until = quiet;
        while !self.all_know() && self.universe.step_until(limit) {
            if let Some(recorder) = &mut recorder {
                recorder.observe(&*self.universe).map_err(too_large)?;
            }
        }
        if self.all_know() {
            (until, told) = (self.universe.time(), recorder);
        }
        let mut chart = told.ok_or("nothing was recorded")?.finish(&*self.universe, from, until);
        chart.origin = from;
        Ok(chart)
    }

    /// Whether all replicas know the same part of the log to be chosen.
    fn all_know(&self) -> bool {
        let committed = |node: u8| self.universe.node(NodeId(node)).status.map(|status| status.log.committed);
        (1..self.universe.nodes()).all(|node| committed(node) == committed(0))
    }

    /// One command, asked for beside the leader, if there is one.
    fn ask(&mut self) -> Result<(), String> {
        let leader = self.universe.leader();
        let site = leader.map_or(0, |leader| self.universe.node(leader).site);
        self.universe.act(Action::Request { site }).map_err(|refusal| refusal.to_string())
    }

    /// Goes on until `ready` and everything is quiet.
    fn settle(&mut self, ready: impl Fn(&dyn Universe) -> bool, recorder: &mut Option<Recorder>) -> Result<(), String> {
        let limit = self.universe.time() + PATIENCE;
        while !(ready(&*self.universe) && self.universe.is_quiet()) {
            if !self.universe.step_until(limit) || self.universe.events() > MOST_EVENTS {
                // What appoints itself may stay without a leader.
                return match self.universe.is_quiet() {
                    true => Ok(()),
                    false => Err("it does not come to rest".to_owned()),
                };
            }
            if let Some(recorder) = recorder {
                recorder.observe(&*self.universe).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }
}
