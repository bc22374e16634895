//! Checking a scenario: from the document to the blueprint of a simulation, or to every problem in it.
//!
//! Every number and every list is bounded here, so that the time and the memory of a run are bounded whatever the document says.

use super::Quantity;
use super::atlas::{self, Matrix};
use super::fault::{Names, ScriptCheck};
use super::places::Layout;
use super::problem::{Problem, ProblemCollector, Problems};
use super::quantity::milliseconds;
use super::read::{LONGEST, REPLICAS, ROUND_TRIP, between, share, time, whole};
use super::scenario::{NodeSettings, Recovery, Scenario, Stability, Value, ValueBytes};
use super::timing::{scheduled_by_timing_model, timing_objection};
use crate::core::settings::EDITION;
use crate::core::{
    Edition, LeaderModel, Micros, NodeId, NodeSet, RuleId, RuleSet, SettingId, SettingKind, Settings, Setup,
};
use crate::sim::action::{Assumption, Timed};
use crate::sim::{self, Action, Blueprint, Sizes, Timing, Topology};
use crate::universe::{self, Universe, Variant};

/// Most sites of a scenario.
pub const SITES: usize = 32;
/// Bytes in a command's value, unless the scenario says otherwise.
const VALUE_BYTES: u32 = 100;
/// Most bytes in a command's value.
const MOST_VALUE_BYTES: u32 = 1 << 24;
/// Most entries of a script.
const FAULTS: usize = 1_000;
/// Longest title or description, bytes.
const TEXT: usize = 2_000;
/// Largest seed: the largest integer that every reader of JSON holds exactly.
const SEED: u64 = (1 << 53) - 1;

/// A scenario that has been checked, in the simulator's terms.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The protocol.
    pub variant: &'static Variant,
    /// What the simulation is built from. It keeps no trace records; set [`Blueprint::keep_trace`] to see them.
    pub blueprint: Blueprint,
    /// The sites, in the order of the scenario.
    pub places: Vec<Place>,
    /// The names of the failure domains, by [`DomainId`](crate::sim::DomainId).
    pub domains: Vec<String>,
    /// How long a run lasts, µs.
    pub duration: Micros,
    /// Answers before this time do not count in latencies, µs.
    pub warmup: Micros,
    /// When a page begins to show the run, µs; 0 if the scenario has nothing to say of it.
    pub opens: Micros,
}

/// A site as shown: id, name and position.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its id in the scenario.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Latitude and longitude in degrees, if known.
    pub position: Option<[f64; 2]>,
}

impl Checked {
    /// Builds the simulation and boots its nodes. Errors: settings that contradict each other, which the protocol itself finds.
    pub fn boot(&self) -> Result<Box<dyn Universe>, Problem> {
        self.variant.boot(&self.blueprint).map_err(Problem::of_protocol)
    }
}

impl Checked {
    /// The ids of the sites, in order.
    pub fn sites(&self) -> Vec<&str> {
        self.places.iter().map(|place| place.id.as_str()).collect()
    }

    /// The names by which a fault refers to sites, failure domains and kinds of messages; `sites` is [`Checked::sites`].
    pub fn names<'a>(&'a self, sites: &'a [&'a str]) -> Names<'a> {
        Names { sites, domains: &self.domains, kinds: self.variant.kinds, timers: self.variant.timers() }
    }
}

impl Scenario {
    /// Checks the whole scenario. Errors: every field that makes no sense, in the order of the document.
    pub fn check(&self) -> Result<Checked, Problems> {
        self.check_with(universe::variant(&self.variant))
    }

    /// The same with the variant that the scenario names, if there is one: for the page, which has to load it first.
    pub fn check_with(&self, variant: Option<&'static Variant>) -> Result<Checked, Problems> {
        let mut problems = ProblemCollector::default();
        let checked = self.blueprint(variant, &mut problems);
        let checked = problems.into_result(checked)?;
        // Whether settings contradict each other is known to the protocol alone. Those of each node must do for a whole cluster.
        Checked { blueprint: Blueprint { overrides: Vec::new(), ..checked.blueprint.clone() }, ..checked.clone() }
            .boot()?;
        for (i, (_, settings)) in checked.blueprint.overrides.iter().enumerate() {
            let uniform = Blueprint { settings: settings.clone(), overrides: Vec::new(), ..checked.blueprint.clone() };
            checked.variant.boot(&uniform).map_err(|(key, says)| Problem {
                field: format!("node[{i}].settings.{key}"),
                value: String::new(),
                says: says.to_owned(),
            })?;
        }
        Ok(checked)
    }

    fn blueprint(&self, variant: Option<&'static Variant>, problems: &mut ProblemCollector) -> Option<Checked> {
        for (field, text) in [("title", &self.title), ("about", &self.about)] {
            if text.len() > TEXT {
                problems.add(field, text, format!("is too long; {TEXT} bytes would do"));
            }
        }
        if variant.is_none() {
            problems.unknown("variant", &self.variant, "variants", universe::titles().iter().map(|(key, ..)| *key));
        }
        let given = || self.settings.iter().map(|(key, value)| (key.as_str(), value));
        let settings =
            variant.map(|variant| read_settings(variant, Settings::defaults(variant.settings), given(), problems));
        let base = settings.clone().unwrap_or_default();
        let overrides = variant.map_or_else(Vec::new, |variant| self.overrides(variant, &base, problems));
        let ablated = variant.map(|variant| self.ablated(variant, problems));
        let (places, mut topology) = self.sites(problems);
        let ids: Vec<&str> = self.sites.iter().map(|site| site.id.as_str()).take(SITES).collect();
        let Layout { placement, domains, names } = self.lay_out(&ids, variant, ablated.unwrap_or_default(), problems);
        topology.jitter_permille = share(&self.network.jitter, "network.jitter", 1_000, problems);
        topology.loss_permille = share(&self.network.loss, "network.loss", 1_000, problems);
        topology.processing = time(&self.network.processing, "network.processing", 0, 0, ROUND_TRIP, problems);
        topology.cost = self.read_cost(problems);
        topology.timing = self.read_timing(&topology, problems);
        topology.disk = time(&self.disk, "disk", 0, 0, ROUND_TRIP, problems);
        topology.value_bytes = self.sizes(problems);
        let clients = self.workload(&ids, &topology, problems);
        let kinds = variant.map_or(&[][..], |variant| variant.kinds);
        let timers = variant.map_or(&[][..], Variant::timers);
        let setup = Setup {
            replicas: placement.len() as u8,
            rtt_max: topology.round_trip_max(),
            settings: base,
            ablated: ablated.unwrap_or_default(),
        };
        let tolerated = variant.map_or(0, |variant| (variant.byzantine)(&setup));
        let names_of = Names { sites: &ids, domains: &names, kinds, timers };
        let script = self.script(names_of, variant, topology.timing, tolerated, problems);
        let seed = self.seed.unwrap_or(1);
        if seed > SEED {
            problems.add("seed", seed, format!("0 to {SEED} would do"));
        }
        let duration = time(&self.duration, "duration", 20_000_000, 1, LONGEST, problems);
        let warmup = time(&self.warmup, "warmup", 0, 0, LONGEST, problems);
        let opens = self.opens.as_ref().map(|_| time(&self.opens, "opens", 0, 0, LONGEST, problems));
        self.check_trials(Names { sites: &ids, domains: &names, kinds, timers }, problems);
        let recovery = self.recovery.as_ref().map(|recovery| recovery.read(duration, problems));
        let stability = self.stability.as_ref().map(|stability| stability.read(variant, duration, problems));
        let (settings, ablated) = (settings?, ablated?);
        let mut blueprint = Blueprint {
            topology,
            placement,
            domains,
            clients,
            settings,
            overrides,
            ablated,
            seed,
            script,
            recovery,
            stability,
            ..Blueprint::default()
        };
        blueprint.script.extend(scheduled_by_timing_model(blueprint.topology.timing));
        let variant = variant?;
        self.check_script_order(&blueprint, variant, problems);
        let opens = opens.unwrap_or_else(|| before_first_fault(&blueprint.script));
        Some(Checked { variant, blueprint, places, domains: names, duration, warmup, opens })
    }

    fn sizes(&self, problems: &mut ProblemCollector) -> Sizes {
        let Some(ValueBytes { from, to }) = self.value_bytes else { return Sizes::all(VALUE_BYTES) };
        let mut read = |bytes, end: &str| {
            let field = if from == to { "value_bytes".to_owned() } else { format!("value_bytes.{end}") };
            whole(Some(bytes), &field, VALUE_BYTES, 0, MOST_VALUE_BYTES, problems)
        };
        let sizes = Sizes { least: read(from, "from"), most: if from == to { from } else { read(to, "to") } };
        if from > to {
            problems.add("value_bytes.to", to, format!("is less than \"from\"; {from} or more would do"));
        }
        sizes
    }

    /// The settings of the replicas that have some of their own.
    fn overrides(
        &self,
        variant: &Variant,
        base: &Settings,
        problems: &mut ProblemCollector,
    ) -> Vec<(NodeId, Settings)> {
        let mut overrides: Vec<(NodeId, Settings)> = Vec::new();
        let replicas = self.replicas.len().min(REPLICAS);
        if self.nodes.len() > replicas {
            problems.add(
                "node",
                format!("{} entries", self.nodes.len()),
                format!("one for each replica at most: {replicas}"),
            );
        }
        for (i, NodeSettings { id, settings }) in self.nodes.iter().enumerate().take(replicas) {
            let node = match usize::try_from(*id) {
                Ok(number) if (1..=replicas).contains(&number) => NodeId(number as u8 - 1),
                _ => {
                    problems.add(format!("node[{i}].id"), id, format!("the replicas are 1 to {replicas}"));
                    continue;
                }
            };
            if overrides.iter().any(|(other, _)| *other == node) {
                problems.add(
                    format!("node[{i}].id"),
                    id,
                    "stands here twice; put all settings of a replica into one entry",
                );
            }
            let given = || settings.iter().map(|(key, value)| (key.as_str(), value));
            let mut own = ProblemCollector::default();
            overrides.push((node, read_settings(variant, base.clone(), given(), &mut own)));
            if edition(variant, given()).is_some_and(|edition| !edition.without.is_empty()) {
                let says = "it does without a rule, and nodes do so together: in the settings of all it would do";
                own.add(format!("settings.{EDITION}"), &settings[EDITION], says);
            }
            problems.add_within(&format!("node[{i}]"), own);
        }
        overrides
    }

    fn ablated(&self, variant: &Variant, problems: &mut ProblemCollector) -> RuleSet {
        let mut ablated = RuleSet::EMPTY;
        if let Some(edition) = edition(variant, self.settings.iter().map(|(key, value)| (key.as_str(), value))) {
            edition.without.iter().for_each(|rule| ablated.add(*rule));
        }
        let removable = || variant.rules().iter().filter(|rule| rule.without.is_some()).map(|rule| rule.key);
        let most = variant.rules().len();
        if self.without.len() > most {
            problems.add("without", format!("{} rules", self.without.len()), format!("{most} are the most"));
        }
        for (i, key) in self.without.iter().enumerate().take(most) {
            match variant.rules().iter().position(|rule| rule.key == key) {
                Some(index) if variant.rules()[index].without.is_some() => ablated.add(RuleId(index as u8)),
                Some(_) => problems.add_with(format!("without[{i}]"), format!("\"{key}\""), || {
                    format!(
                        "{} is nothing without this rule; those one can take away are {}",
                        variant.card.title,
                        removable().collect::<Vec<_>>().join(", ")
                    )
                }),
                None => {
                    let what = format!("rules of {} one can take away", variant.card.key);
                    problems.unknown(format!("without[{i}]"), key, &what, removable());
                }
            }
        }
        ablated
    }

    /// Sites and the round trips between them. Invariant: as many places as sites in the topology, even where there are problems.
    fn sites(&self, problems: &mut ProblemCollector) -> (Vec<Place>, Topology) {
        if self.sites.is_empty() {
            problems.add("sites", "", "at least one site is needed");
        }
        if self.sites.len() > SITES {
            problems.add("sites", format!("{} sites", self.sites.len()), format!("{SITES} are the most"));
        }
        let matrix = self.matrix.as_ref().and_then(|key| {
            let matrix = atlas::matrix(key);
            if matrix.is_none() {
                problems.unknown("matrix", key, "tables", atlas::MATRICES.iter().map(|matrix| matrix.key));
            }
            matrix
        });
        match (&self.matrix, self.rtt_ms.is_empty()) {
            (None, true) => {
                problems.add("matrix", "", "name a table (aws, gcp, pql) or give your own round trips in \"rtt_ms\"");
            }
            (Some(_), false) => {
                problems.add("rtt_ms", "", "\"matrix\" gives the round trips already; leave one of the two out");
            }
            _ => {}
        }
        let mut places = Vec::new();
        for (i, site) in self.sites.iter().enumerate().take(SITES) {
            if site.id.is_empty() || site.id.len() > 60 {
                problems.add(format!("sites[{i}].id"), format!("\"{}\"", site.id), "1 to 60 bytes would do");
            }
            if self.sites[..i].iter().any(|earlier| earlier.id == site.id) {
                problems.add(format!("sites[{i}].id"), format!("\"{}\"", site.id), "stands here twice");
            }
            if let Some([latitude, longitude]) = site.position
                && !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude))
            {
                let value = format!("[{latitude}, {longitude}]");
                problems.add(
                    format!("sites[{i}].position"),
                    value,
                    "a latitude from -90 to 90 and a longitude from -180 to 180 would do",
                );
            }
            let region = matrix.and_then(|matrix| matrix.region(&site.id)).map(|(_, region)| region);
            if let (Some(matrix), None) = (matrix, region) {
                let what = format!("regions of {}", matrix.key);
                problems.unknown(format!("sites[{i}]"), &site.id, &what, matrix.regions.iter().map(|region| region.id));
            }
            let name = site.name.clone().or(region.map(|region| region.name.to_owned()));
            if name.as_ref().is_some_and(|name| name.len() > 200) {
                problems.add(format!("sites[{i}].name"), name.as_deref().unwrap_or_default(), "200 bytes would do");
            }
            places.push(Place {
                id: site.id.clone(),
                name: name.unwrap_or_else(|| site.id.clone()),
                position: site.position.or(region.map(|region| region.position)),
            });
        }
        let round_trips = match matrix {
            Some(matrix) => self.built_in_round_trips(matrix, places.len()),
            None => self.own_round_trips(places.len(), problems),
        };
        (places, Topology::from_round_trips(self.sites.len().min(SITES) as u8, &round_trips))
    }

    fn built_in_round_trips(&self, matrix: &Matrix, sites: usize) -> Vec<u32> {
        let all = matrix.round_trips();
        let row = |site: usize| matrix.region(&self.sites[site].id).map_or(0, |(row, _)| row);
        let trip = |(a, b)| all[row(a) * matrix.regions.len() + row(b)] as u32;
        (0..sites).flat_map(|a| (0..sites).map(move |b| (a, b))).map(trip).collect()
    }

    fn own_round_trips(&self, sites: usize, problems: &mut ProblemCollector) -> Vec<u32> {
        let mut trips = vec![1; sites * sites];
        if self.rtt_ms.is_empty() {
            return trips;
        }
        if self.rtt_ms.len() != self.sites.len() {
            let says = format!("a row for each of the {} sites would do", self.sites.len());
            problems.add("rtt_ms", format!("{} rows", self.rtt_ms.len()), says);
        }
        for (a, row) in self.rtt_ms.iter().enumerate().take(sites) {
            if row.len() != self.sites.len() {
                let says = format!("a round trip to each of the {} sites would do", self.sites.len());
                problems.add(format!("rtt_ms[{a}]"), format!("{} numbers", row.len()), says);
            }
            for (b, cell) in row.iter().enumerate().take(sites) {
                // Published matrices often leave out the round trip within a site, so 0 is accepted there.
                let least = u64::from(a != b);
                // The shortest decimal that gives this float is what was written; it is read as a decimal, without rounding.
                match milliseconds(&cell.to_string()) {
                    Ok(trip) if (least..=ROUND_TRIP).contains(&trip) => trips[a * sites + b] = trip as u32,
                    Ok(_) => {
                        let says = format!("0.001 to {} would do", ROUND_TRIP / 1_000);
                        problems.add(format!("rtt_ms[{a}][{b}]"), cell, says);
                    }
                    Err(says) => problems.add(format!("rtt_ms[{a}][{b}]"), cell, says),
                }
            }
        }
        trips
    }

    fn script(
        &self,
        names: Names<'_>,
        variant: Option<&Variant>,
        timing: Timing,
        tolerated: u8,
        problems: &mut ProblemCollector,
    ) -> Vec<Timed> {
        if self.script.len() > FAULTS {
            problems.add("script", format!("{} faults", self.script.len()), format!("{FAULTS} are the most"));
        }
        let joins = self.script.iter().filter(|fault| fault.action == "add").count();
        let nodes = self.replicas.len() + joins;
        let mut script = Vec::new();
        let mut byzantine = NodeSet::EMPTY;
        // Each may be another node.
        let mut byzantine_by_role = 0;
        for (i, fault) in self.script.iter().enumerate().take(FAULTS) {
            let Some(timed) = fault.read(&format!("script[{i}]"), names, nodes, problems) else { continue };
            let action = timed.action;
            if let (Some(assumption), Some(variant), false) = (action.breaks(), variant, self.beyond_model) {
                match action {
                    Action::Behaviour { .. } if timed.roles.node.is_some() => byzantine_by_role += 1,
                    Action::Behaviour { node, .. } => {
                        byzantine.add(node);
                    }
                    _ => {}
                }
                let borne = usize::from(tolerated);
                if assumption != Assumption::Honesty || usize::from(byzantine.len()) + byzantine_by_role > borne {
                    let says = format!(
                        "{} counts on it that {}; beyond_model = true lets the script go beyond that",
                        variant.card.title,
                        assumption.says()
                    );
                    problems.add(format!("script[{i}].do"), format!("\"{}\"", fault.action), says);
                }
            }
            if let Some(says) = timing_objection(timing, timed) {
                problems.add(format!("script[{i}].at"), &fault.at, says);
            }
            script.push(timed);
        }
        script
    }
}

impl Scenario {
    /// Reports script entries that contradict those before them, whatever the protocol does.
    fn check_script_order(&self, blueprint: &Blueprint, variant: &Variant, problems: &mut ProblemCollector) {
        let script = &blueprint.script;
        // Entries that could not be read are reported already, and later ones may depend on them.
        if script.len() < self.script.len() {
            return;
        }
        let mut order: Vec<usize> = (0..script.len()).collect();
        order.sort_by_key(|index| script[*index].at);
        let mut script_check = ScriptCheck::new(variant.card, blueprint);
        for index in order {
            let Timed { at, action, roles } = script[index];
            if !roles.is_empty() {
                script_check.apply_by_role(action);
                continue;
            }
            match script_check.objection(action) {
                Some(why) => {
                    let word = self.script.get(index).map_or("", |fault| &fault.action);
                    let says = format!("at {}: {why}", Quantity::from_micros(at));
                    problems.add(format!("script[{index}].do"), format!("\"{word}\""), says);
                }
                None => script_check.apply(action),
            }
        }
    }
}

impl Recovery {
    fn read(&self, duration: Micros, problems: &mut ProblemCollector) -> sim::world::Recovery {
        let mut given = |given: &Quantity, field: &str, least| {
            let given = Some(given.clone());
            time(&given, &format!("recovery.{field}"), least, least, LONGEST, problems)
        };
        let (from, within) = (given(&self.from, "from", 0), given(&self.within, "within", 1));
        if from + within > duration {
            let says =
                format!("the run ends before that; a duration of {} would do", Quantity::from_micros(from + within));
            problems.add("recovery", format!("{} and {} more", self.from, self.within), says);
        }
        sim::world::Recovery { from, within }
    }
}

impl Stability {
    fn read(
        &self,
        variant: Option<&Variant>,
        duration: Micros,
        problems: &mut ProblemCollector,
    ) -> sim::world::Stability {
        let from = time(&Some(self.from.clone()), "stability.from", 0, 0, LONGEST, problems);
        if from >= duration {
            let says = format!("the run ends before that; a duration of more than {} would do", self.from);
            problems.add("stability.from", &self.from, says);
        }
        if self.leaders == 0 {
            problems.add("stability.leaders", 0, "1 or more would do".to_owned());
        }
        if let Some(variant) = variant.filter(|variant| variant.card.leader != LeaderModel::Elected) {
            let says = format!("{} elects no leader; without it the scenario would do", variant.card.title);
            problems.add("stability", &self.from, says);
        }
        sim::world::Stability { from, leaders: self.leaders }
    }
}

/// One second before the first fault of a script after its start, µs; 0 if there is none.
fn before_first_fault(script: &[Timed]) -> Micros {
    let faults = script.iter().filter(|timed| timed.at > 0 && timed.action.is_fault());
    faults.map(|timed| timed.at).min().map_or(0, |at| at.saturating_sub(1_000_000))
}

/// The edition of a variant that is chosen, if one is.
pub(in crate::lab) fn edition<'a>(
    variant: &Variant,
    mut given: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Option<&'static Edition> {
    let (_, value) = given.find(|(key, _)| *key == EDITION)?;
    let setting = variant.settings.iter().find(|setting| setting.key == EDITION)?;
    let (SettingKind::Choice { options, .. }, Value::Text(chosen)) = (&setting.kind, value) else { return None };
    variant.editions.get(options.iter().position(|option| option == chosen)?)
}

/// Changes `settings` of a variant by those given; an edition among them comes first, so that the others take precedence. Problems: unknown keys, and values that are not accepted.
pub(in crate::lab) fn read_settings<'a>(
    variant: &Variant,
    mut settings: Settings,
    given: impl Iterator<Item = (&'a str, &'a Value)>,
    problems: &mut ProblemCollector,
) -> Settings {
    let given: Vec<_> = given.collect();
    if let Some(edition) = edition(variant, given.iter().copied()) {
        edition.settings.iter().for_each(|(id, value)| settings.set(*id, *value));
    }
    for (key, value) in given {
        let Some(index) = variant.settings.iter().position(|setting| setting.key == key) else {
            let what = || format!("settings of {}", variant.card.key);
            let known = variant.settings.iter().map(|setting| setting.key);
            problems.add_with(format!("settings.{key}"), value, || super::problem::no_such(key, &what(), known));
            continue;
        };
        match setting(&variant.settings[index].kind, value) {
            Ok(number) => settings.set(SettingId(index as u8), number),
            Err(says) => problems.add(format!("settings.{key}"), value, says),
        }
    }
    settings
}

/// The number that stands for a setting's value. Errors: what would be accepted.
fn setting(kind: &SettingKind, value: &Value) -> Result<u64, String> {
    match (kind, value) {
        (SettingKind::Flag { .. }, Value::Flag(flag)) => Ok(u64::from(*flag)),
        (SettingKind::Flag { .. }, _) => Err("true or false would do".to_owned()),
        (SettingKind::Choice { options, .. }, Value::Text(text)) => options
            .iter()
            .position(|option| option == text)
            .map(|index| index as u64)
            .ok_or_else(|| super::problem::no_such(text, "choices", options.iter().copied())),
        (SettingKind::Choice { options, .. }, _) => Err(format!("one of {} would do", options.join(", "))),
        (SettingKind::Count { min, max, .. }, Value::Number(number))
            if (i64::from(*min)..=i64::from(*max)).contains(number) =>
        {
            Ok(*number as u64)
        }
        (SettingKind::Count { min, max, .. }, _) => Err(format!("a whole number from {min} to {max} would do")),
        (SettingKind::Duration { min, max }, Value::Text(text)) => match Quantity::from(text.as_str()).micros() {
            Ok(micros) if (*min..=*max).contains(&micros) => Ok(micros),
            Ok(_) => Err(between(*min, *max)),
            Err(says) => Err(says.to_owned()),
        },
        (SettingKind::Duration { min, max }, _) => Err(format!(
            "a time from {} to {}, with its unit, would do",
            Quantity::from_micros(*min),
            Quantity::from_micros(*max)
        )),
    }
}
