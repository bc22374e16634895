//! From a scenario to a world's blueprint, or to all that is wrong with it.
//!
//! Everything is bounded here, so that no document, however odd, makes a run endless or takes all memory.

use super::Quantity;
use super::atlas::{self, Matrix};
use super::fault::{Names, ScriptCheck};
use super::machines::{by_itself, untimely};
use super::places::Layout;
use super::problem::{Complaints, Problem, Problems};
use super::quantity::milliseconds;
use super::scenario::{Recovery, Scenario, Value, ValueBytes};
use crate::core::card::Faults;
use crate::core::{Card, Micros, NodeSet, RuleId, RuleSet, SettingId, SettingKind, Settings};
use crate::sim::action::{Assumption, Timed};
use crate::sim::{self, Action, Blueprint, Sizes, Timing, Topology};
use crate::universe::{self, Universe, Variant};

/// Most replicas at the start.
pub const REPLICAS: usize = 15;
/// Most sites.
pub const SITES: usize = 32;
/// Longest time that a document may name: one day.
pub const LONGEST: Micros = 24 * 3_600_000_000;
/// Longest round trip, µs.
pub(super) const ROUND_TRIP: Micros = 60_000_000;
/// Bytes in a value, and the most.
const VALUE_BYTES: u32 = 100;
const MOST_VALUE_BYTES: u32 = 1 << 24;
/// Most faults in a script.
const FAULTS: usize = 1_000;
/// Longest text.
const TEXT: usize = 2_000;
/// Largest seed: what every reader of JSON can hold exactly.
const SEED: u64 = (1 << 53) - 1;

/// A scenario that makes sense.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The protocol.
    pub variant: &'static Variant,
    /// What a world is built from. Keeps no trace records; set [`Blueprint::keep_trace`] to see them.
    pub blueprint: Blueprint,
    /// The sites.
    pub places: Vec<Place>,
    /// The names of the failure domains, by [`DomainId`](crate::sim::DomainId).
    pub domains: Vec<String>,
    /// How long a run lasts, µs.
    pub duration: Micros,
    /// Answers before this time do not count in latencies, µs.
    pub warmup: Micros,
}

/// A site, as people know it.
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
    /// Boots the world.
    pub fn boot(&self) -> Result<Box<dyn Universe>, Problem> {
        self.variant.boot(&self.blueprint).map_err(|(key, says)| Problem {
            field: format!("settings.{key}"),
            value: String::new(),
            says: says.to_owned(),
        })
    }
}

impl Checked {
    /// The ids of the sites.
    pub fn sites(&self) -> Vec<&str> {
        self.places.iter().map(|place| place.id.as_str()).collect()
    }

    /// What things are called; `sites` are the ids of the sites.
    pub fn names<'a>(&'a self, sites: &'a [&'a str]) -> Names<'a> {
        Names { sites, domains: &self.domains, kinds: self.variant.kinds }
    }
}

impl Scenario {
    /// What the scenario says in the world's terms, or all that is wrong with it.
    pub fn check(&self) -> Result<Checked, Problems> {
        self.check_with(universe::variant(&self.variant))
    }

    /// The same, with the variant that the scenario names, if there is one: for the page, which has to load it first.
    pub fn check_with(&self, variant: Option<&'static Variant>) -> Result<Checked, Problems> {
        let mut wrong = Complaints::default();
        let checked = self.gather(variant, &mut wrong);
        let checked = wrong.unless(checked)?;
        // Some settings are wrong only together; that the protocol itself must say.
        checked.boot()?;
        Ok(checked)
    }

    fn gather(&self, variant: Option<&'static Variant>, wrong: &mut Complaints) -> Option<Checked> {
        for (field, text) in [("title", &self.title), ("about", &self.about)] {
            if text.len() > TEXT {
                wrong.add(field, text, format!("is too long; {TEXT} bytes would do"));
            }
        }
        if variant.is_none() {
            wrong.unknown("variant", &self.variant, "variants", universe::titles().iter().map(|(key, _)| *key));
        }
        let settings = variant.map(|variant| self.settings(variant, wrong));
        let ablated = variant.map(|variant| self.ablated(variant, wrong));
        let (places, mut topology) = self.sites(wrong);
        let ids: Vec<&str> = self.sites.iter().map(|site| site.id.as_str()).take(SITES).collect();
        let Layout { placement, domains, names } = self.lay_out(&ids, variant, wrong);
        topology.jitter_permille = share(&self.network.jitter, "network.jitter", 1_000, wrong);
        topology.loss_permille = share(&self.network.loss, "network.loss", 1_000, wrong);
        topology.processing = time(&self.network.processing, "network.processing", 0, 0, ROUND_TRIP, wrong);
        topology.cost = self.read_cost(wrong);
        topology.timing = self.read_timing(&topology, wrong);
        topology.disk = time(&self.disk, "disk", 0, 0, ROUND_TRIP, wrong);
        topology.value_bytes = self.sizes(wrong);
        let clients = self.workload(&ids, &topology, wrong);
        let kinds = variant.map_or(&[][..], |variant| variant.kinds);
        let script = self.script(Names { sites: &ids, domains: &names, kinds }, variant, topology.timing, wrong);
        let seed = self.seed.unwrap_or(1);
        if seed > SEED {
            wrong.add("seed", seed, format!("0 to {SEED} would do"));
        }
        let duration = time(&self.duration, "duration", 20_000_000, 1, LONGEST, wrong);
        let warmup = time(&self.warmup, "warmup", 0, 0, LONGEST, wrong);
        let recovery = self.recovery.as_ref().map(|recovery| recovery.read(duration, wrong));
        let (settings, ablated) = (settings?, ablated?);
        let mut blueprint = Blueprint {
            topology,
            placement,
            domains,
            clients,
            settings,
            ablated,
            seed,
            script,
            recovery,
            ..Blueprint::default()
        };
        blueprint.script.extend(by_itself(blueprint.topology.timing));
        let variant = variant?;
        self.follow(&blueprint, variant, wrong);
        Some(Checked { variant, blueprint, places, domains: names, duration, warmup })
    }

    fn sizes(&self, wrong: &mut Complaints) -> Sizes {
        let Some(ValueBytes { from, to }) = self.value_bytes else { return Sizes::all(VALUE_BYTES) };
        let mut read = |bytes, end: &str| {
            let field = if from == to { "value_bytes".to_owned() } else { format!("value_bytes.{end}") };
            whole(Some(bytes), &field, VALUE_BYTES, 0, MOST_VALUE_BYTES, wrong)
        };
        let sizes = Sizes { least: read(from, "from"), most: if from == to { from } else { read(to, "to") } };
        if from > to {
            wrong.add("value_bytes.to", to, format!("is less than \"from\"; {from} or more would do"));
        }
        sizes
    }

    fn settings(&self, variant: &Variant, wrong: &mut Complaints) -> Settings {
        let mut settings = Settings::defaults(variant.settings);
        for (key, value) in &self.settings {
            let Some(index) = variant.settings.iter().position(|setting| setting.key == key) else {
                let what = format!("settings of {}", variant.card.key);
                wrong.add(
                    format!("settings.{key}"),
                    value,
                    super::problem::no_such(key, &what, variant.settings.iter().map(|setting| setting.key)),
                );
                continue;
            };
            match setting(&variant.settings[index].kind, value) {
                Ok(number) => settings.set(SettingId(index as u8), number),
                Err(says) => wrong.add(format!("settings.{key}"), value, says),
            }
        }
        settings
    }

    fn ablated(&self, variant: &Variant, wrong: &mut Complaints) -> RuleSet {
        let mut ablated = RuleSet::EMPTY;
        let removable = || variant.rules().iter().filter(|rule| rule.without.is_some()).map(|rule| rule.key);
        for (i, key) in self.without.iter().enumerate() {
            match variant.rules().iter().position(|rule| rule.key == key) {
                Some(index) if variant.rules()[index].without.is_some() => ablated.add(RuleId(index as u8)),
                Some(_) => {
                    let says = format!(
                        "{} is nothing without this rule; those one can take away are {}",
                        variant.card.title,
                        removable().collect::<Vec<_>>().join(", ")
                    );
                    wrong.add(format!("without[{i}]"), format!("\"{key}\""), says);
                }
                None => {
                    let what = format!("rules of {} one can take away", variant.card.key);
                    wrong.unknown(format!("without[{i}]"), key, &what, removable());
                }
            }
        }
        ablated
    }

    /// The places and the delays between them. Where something is wrong the result is of the right size all the same.
    fn sites(&self, wrong: &mut Complaints) -> (Vec<Place>, Topology) {
        if self.sites.is_empty() {
            wrong.add("sites", "", "at least one site is needed");
        }
        if self.sites.len() > SITES {
            wrong.add("sites", format!("{} sites", self.sites.len()), format!("{SITES} are the most"));
        }
        let matrix = self.matrix.as_ref().and_then(|key| {
            let matrix = atlas::matrix(key);
            if matrix.is_none() {
                wrong.unknown("matrix", key, "tables", atlas::MATRICES.iter().map(|matrix| matrix.key));
            }
            matrix
        });
        match (&self.matrix, self.rtt_ms.is_empty()) {
            (None, true) => {
                wrong.add("matrix", "", "name a table (aws, gcp, pql) or give your own round trips in \"rtt_ms\"");
            }
            (Some(_), false) => {
                wrong.add("rtt_ms", "", "\"matrix\" gives the round trips already; leave one of the two out");
            }
            _ => {}
        }
        let mut places = Vec::new();
        for (i, site) in self.sites.iter().enumerate().take(SITES) {
            if site.id.is_empty() || site.id.len() > 60 {
                wrong.add(format!("sites[{i}].id"), format!("\"{}\"", site.id), "1 to 60 bytes would do");
            }
            if self.sites[..i].iter().any(|earlier| earlier.id == site.id) {
                wrong.add(format!("sites[{i}].id"), format!("\"{}\"", site.id), "stands here twice");
            }
            if let Some([latitude, longitude]) = site.position
                && !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude))
            {
                let value = format!("[{latitude}, {longitude}]");
                wrong.add(
                    format!("sites[{i}].position"),
                    value,
                    "a latitude from -90 to 90 and a longitude from -180 to 180 would do",
                );
            }
            let region = matrix.and_then(|matrix| matrix.region(&site.id)).map(|(_, region)| region);
            if let (Some(matrix), None) = (matrix, region) {
                let what = format!("regions of {}", matrix.key);
                wrong.unknown(format!("sites[{i}]"), &site.id, &what, matrix.regions.iter().map(|region| region.id));
            }
            let name = site.name.clone().or(region.map(|region| region.name.to_owned()));
            if name.as_ref().is_some_and(|name| name.len() > 200) {
                wrong.add(format!("sites[{i}].name"), name.as_deref().unwrap_or_default(), "200 bytes would do");
            }
            places.push(Place {
                id: site.id.clone(),
                name: name.unwrap_or_else(|| site.id.clone()),
                position: site.position.or(region.map(|region| region.position)),
            });
        }
        let round_trips = match matrix {
            Some(matrix) => self.built_in_round_trips(matrix, places.len()),
            None => self.own_round_trips(places.len(), wrong),
        };
        (places, Topology::from_round_trips(self.sites.len().min(SITES) as u8, &round_trips))
    }

    fn built_in_round_trips(&self, matrix: &Matrix, sites: usize) -> Vec<u32> {
        let all = matrix.round_trips();
        let row = |site: usize| matrix.region(&self.sites[site].id).map_or(0, |(row, _)| row);
        let trip = |(a, b)| all[row(a) * matrix.regions.len() + row(b)] as u32;
        (0..sites).flat_map(|a| (0..sites).map(move |b| (a, b))).map(trip).collect()
    }

    fn own_round_trips(&self, sites: usize, wrong: &mut Complaints) -> Vec<u32> {
        let mut trips = vec![1; sites * sites];
        if self.rtt_ms.is_empty() {
            return trips;
        }
        if self.rtt_ms.len() != self.sites.len() {
            let says = format!("a row for each of the {} sites would do", self.sites.len());
            wrong.add("rtt_ms", format!("{} rows", self.rtt_ms.len()), says);
        }
        for (a, row) in self.rtt_ms.iter().enumerate().take(sites) {
            if row.len() != self.sites.len() {
                let says = format!("a round trip to each of the {} sites would do", self.sites.len());
                wrong.add(format!("rtt_ms[{a}]"), format!("{} numbers", row.len()), says);
            }
            for (b, cell) in row.iter().enumerate().take(sites) {
                // Published matrices often leave out the distance within a site: 0 there is fine.
                let least = u64::from(a != b);
                // The number as written, read as a decimal: no rounding on the way.
                match milliseconds(&cell.to_string()) {
                    Ok(trip) if (least..=ROUND_TRIP).contains(&trip) => trips[a * sites + b] = trip as u32,
                    Ok(_) => {
                        let says = format!("0.001 to {} would do", ROUND_TRIP / 1_000);
                        wrong.add(format!("rtt_ms[{a}][{b}]"), cell, says);
                    }
                    Err(says) => wrong.add(format!("rtt_ms[{a}][{b}]"), cell, says),
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
        wrong: &mut Complaints,
    ) -> Vec<Timed> {
        if self.script.len() > FAULTS {
            wrong.add("script", format!("{} faults", self.script.len()), format!("{FAULTS} are the most"));
        }
        let joins = self.script.iter().filter(|fault| fault.action == "add").count();
        let nodes = self.replicas.len() + joins;
        let mut script = Vec::new();
        let mut byzantine = NodeSet::EMPTY;
        for (i, fault) in self.script.iter().enumerate().take(FAULTS) {
            let Some(timed) = fault.read(&format!("script[{i}]"), names, nodes, wrong) else { continue };
            let action = timed.action;
            if let (Some(assumption), Some(variant), false) = (action.breaks(), variant, self.beyond_model) {
                if let Action::Behaviour { node, .. } = action {
                    byzantine.add(node);
                }
                let borne = byzantine_tolerated(variant.card, self.replicas.len());
                if assumption != Assumption::Honesty || usize::from(byzantine.len()) > borne {
                    let says = format!(
                        "{} counts on it that {}; beyond_model = true lets the script go beyond that",
                        variant.card.title,
                        assumption.says()
                    );
                    wrong.add(format!("script[{i}].do"), format!("\"{}\"", fault.action), says);
                }
            }
            if let Some(says) = untimely(timing, timed) {
                wrong.add(format!("script[{i}].at"), &fault.at, says);
            }
            script.push(timed);
        }
        script
    }
}

impl Scenario {
    /// Complains about what makes no sense at its time, whatever the protocol does until then.
    fn follow(&self, blueprint: &Blueprint, variant: &Variant, wrong: &mut Complaints) {
        let script = &blueprint.script;
        // What could not be read is told already, and what comes after it may depend on it.
        if script.len() < self.script.len() {
            return;
        }
        let mut order: Vec<usize> = (0..script.len()).collect();
        order.sort_by_key(|index| script[*index].at);
        let mut script_check = ScriptCheck::new(variant.card, blueprint);
        for index in order {
            let Timed { at, action } = script[index];
            match script_check.objection(action) {
                Some(why) => {
                    let word = self.script.get(index).map_or("", |fault| &fault.action);
                    let says = format!("at {}: {why}", Quantity::from_micros(at));
                    wrong.add(format!("script[{index}].do"), format!("\"{word}\""), says);
                }
                None => script_check.take(action),
            }
        }
    }
}

impl Recovery {
    fn read(&self, duration: Micros, wrong: &mut Complaints) -> sim::world::Recovery {
        let mut given = |given: &Quantity, field: &str, least| {
            let given = Some(given.clone());
            time(&given, &format!("recovery.{field}"), least, least, LONGEST, wrong)
        };
        let (from, within) = (given(&self.from, "from", 0), given(&self.within, "within", 1));
        if from + within > duration {
            let says =
                format!("the run ends before that; a duration of {} would do", Quantity::from_micros(from + within));
            wrong.add("recovery", format!("{} and {} more", self.from, self.within), says);
        }
        sim::world::Recovery { from, within }
    }
}

/// How many of so many nodes may lie.
pub(super) fn byzantine_tolerated(card: &Card, replicas: usize) -> usize {
    match card.faults {
        // Fewer than a third.
        Faults::Byzantine => replicas.saturating_sub(1) / 3,
        Faults::CrashStop | Faults::CrashRecover => 0,
    }
}

/// The index of a site, 0 if there is no such site.
pub(super) fn site(ids: &[&str], id: &str, field: String, wrong: &mut Complaints) -> u8 {
    ids.iter().position(|known| *known == id).map_or_else(
        || {
            wrong.unknown(field, id, "sites", ids.iter().copied());
            0
        },
        |index| index as u8,
    )
}

pub(super) fn whole(
    given: Option<u32>,
    field: &str,
    default: u32,
    least: u32,
    most: u32,
    wrong: &mut Complaints,
) -> u32 {
    let number = given.unwrap_or(default);
    if !(least..=most).contains(&number) {
        wrong.add(field, number, format!("{least} to {most} would do"));
    }
    number.clamp(least, most)
}

pub(super) fn share(given: &Option<Quantity>, field: &str, most: u64, wrong: &mut Complaints) -> u16 {
    match given.as_ref().map(|share| (share, share.permille())) {
        None => 0,
        Some((_, Ok(permille))) if permille <= most => permille as u16,
        Some((share, Ok(_))) => {
            wrong.add(field, share, format!("0% to {} would do", Quantity::from_permille(most)));
            0
        }
        Some((share, Err(says))) => {
            wrong.add(field, share, says);
            0
        }
    }
}

pub(super) fn time(
    given: &Option<Quantity>,
    field: &str,
    default: Micros,
    least: Micros,
    most: Micros,
    wrong: &mut Complaints,
) -> Micros {
    match given.as_ref().map(|time| (time, time.micros())) {
        None => default,
        Some((_, Ok(micros))) if (least..=most).contains(&micros) => micros,
        Some((time, Ok(_))) => {
            wrong.add(field, time, between(least, most));
            default
        }
        Some((time, Err(says))) => {
            wrong.add(field, time, says);
            default
        }
    }
}

pub(super) fn between(least: Micros, most: Micros) -> String {
    format!("{} to {} would do", Quantity::from_micros(least), Quantity::from_micros(most))
}

/// What to say of a moment after [`LONGEST`].
pub(super) fn too_long() -> String {
    between(0, LONGEST)
}

/// A setting's value in the world's terms, or what would do.
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
