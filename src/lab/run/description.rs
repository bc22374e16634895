//! A run at one moment in words: what runs, who leads and why, each replica, what is out of order, what is in flight, what clients get, what was
//! judged, what happened and lies ahead. The page's view in words, and `quorumscope state`. Everything is told from what any variant shows.

mod replicas;
mod spoken;

pub use spoken::Spoken;

use super::chapters::{Chapter, ChapterKind, chapters};
use super::report::finding_text;
use super::session::Session;
use crate::core::{LeaderModel, Micros, NodeId};
use crate::judge::{Finding, LeadershipInterval};
use crate::lab::Checked;
use crate::sim::Action;
use crate::sim::world::Flight;
use crate::universe::inspect::Inspector;
use crate::universe::words::{self, count, epoch, latency, list, moment_ms, nodes};
use crate::universe::{End, ReplyKind, Universe, narration};

/// Most messages in flight, past leaders, moments behind and moments ahead that are told one by one.
const FLIGHTS: usize = 6;
const EARLIER: usize = 3;
const BEHIND: usize = 6;
const AHEAD: usize = 3;
/// Latest answers of which the median is taken.
const RECENT: usize = 32;

/// A run at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// One part, under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The heading.
    pub title: &'static str,
    /// At least one line, of one or more sentences.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// The replica that it is about, if it is one.
    pub about: Option<NodeId>,
}

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line { text, about: None }
    }
}

/// Why a node came to lead, by the rules of its protocol; kept, because finding out means to replay.
#[derive(Clone, Debug, Default)]
pub struct WhyItLeads {
    of: Option<LeadershipInterval>,
    lines: Vec<String>,
}

impl WhyItLeads {
    fn lines(&mut self, session: &Session, leads: LeadershipInterval, inspector: &Inspector) -> &[String] {
        // The end of an interval is no part of its begin.
        let of = Some(LeadershipInterval { until: None, ..leads });
        if self.of != of {
            self.of = of;
            self.lines = why(session, &leads, inspector);
        }
        &self.lines
    }
}

fn why(session: &Session, leads: &LeadershipInterval, inspector: &Inspector) -> Vec<String> {
    let Some((replayed, _)) = session.step_of_leading(leads, inspector) else { return Vec::new() };
    let own = replayed.why.iter().filter(|why| why.node == leads.node).map(|why| format!("Why: {}", why.text));
    let rules = replayed.rules.iter().filter_map(|rule| inspector.wording.rules.get(usize::from(rule.0)));
    own.chain(rules.map(|rule| format!("By the rule “{}” ({}): {}", rule.title, rule.source, rule.says))).collect()
}

/// Describes the present moment of a session. `why` is kept from one description of a session to the next.
pub fn description(session: &Session, inspector: &Inspector, why: &mut WhyItLeads) -> Description {
    let places: Vec<&str> = session.checked().places.iter().map(|place| place.name.as_str()).collect();
    let describe = Describe { session, universe: session.universe(), places };
    let parts = [
        ("What runs", describe.scenario()),
        ("Now", describe.now()),
        ("Who leads", describe.leader(inspector, why)),
        ("Replicas", describe.replicas()),
        ("Out of order", describe.faults()),
        ("In flight", describe.flights()),
        ("Clients", describe.clients()),
        ("Properties", describe.properties()),
        ("What happened", describe.behind()),
        ("What lies ahead", describe.ahead()),
    ];
    let part = |(title, lines): (&'static str, Vec<Line>)| (!lines.is_empty()).then_some(Part { title, lines });
    Description { parts: parts.into_iter().filter_map(part).collect() }
}

/// A session to describe.
struct Describe<'a> {
    session: &'a Session,
    universe: &'a dyn Universe,
    /// Names of the sites.
    places: Vec<&'a str>,
}

impl Describe<'_> {
    fn place(&self, site: u8) -> &str {
        self.places.get(usize::from(site)).copied().unwrap_or("?")
    }

    fn word(&self) -> &'static str {
        self.universe.variant().card.epoch
    }

    fn scenario(&self) -> Vec<Line> {
        let (scenario, card) = (self.session.scenario(), self.universe.variant().card);
        let title = Some(&scenario.title).filter(|title| !title.is_empty()).map(|title| format!("{title}."));
        let about = Some(&scenario.about).filter(|about| !about.is_empty());
        let homes = (0..).zip(&self.places).filter_map(|(site, place)| {
            let here = (0..self.universe.nodes()).map(NodeId).filter(|id| self.universe.node(*id).site == site);
            let here: Vec<NodeId> = here.collect();
            (!here.is_empty()).then(|| format!("{} in {place}", nodes(here)))
        });
        let homes: Vec<String> = homes.collect();
        let without = self.session.checked().blueprint.ablated;
        let rules = self.universe.variant().rules();
        let without = without.iter().filter_map(|rule| rules.get(usize::from(rule.0)));
        let without =
            without.map(|rule| format!("The rule “{}” is taken away. {}", rule.title, rule.without.unwrap_or("")));
        let all = title.into_iter().chain(about.cloned());
        let all = all.chain([format!("{}: {}", card.title, card.says), format!("Replicas: {}.", homes.join("; "))]);
        all.chain(without).map(Line::from).collect()
    }

    fn now(&self) -> Vec<Line> {
        let (time, events) = (self.universe.time(), self.universe.events());
        vec![
            format!("{} since the start, after {}.", moment_ms(time), count(events as usize, "event")).into(),
            self.session.sentence().into(),
        ]
    }

    fn leader(&self, inspector: &Inspector, why: &mut WhyItLeads) -> Vec<Line> {
        let intervals = self.universe.leadership_intervals();
        let model = self.universe.variant().card.leader;
        if matches!(model, LeaderModel::None | LeaderModel::PerObject) {
            return self.many_leaders();
        }
        let now = self.universe.time();
        let site = |id: NodeId| self.place(self.universe.node(id).site);
        let leading = self.universe.leader();
        let present = intervals.iter().rev().find(|one| one.until.is_none() && Some(one.node) == leading).copied();
        let mut lines: Vec<Line> = Vec::new();
        match present {
            Some(leads) => {
                let (node, at) = (leads.node, epoch(self.word(), leads.epoch));
                let text = match leads.since {
                    0 => format!("Node {node:?}, in {}, leads {at}, from the start on.", site(node)),
                    since => format!(
                        "Node {node:?}, in {}, leads {at} since {}, for {}.",
                        site(node),
                        moment_ms(since),
                        latency(now - since)
                    ),
                };
                lines.push(Line { text, about: Some(node) });
                lines.extend(why.lines(self.session, leads, inspector).iter().cloned().map(Line::from));
            }
            None => lines.push("Nobody leads now.".to_owned().into()),
        }
        let past = intervals.iter().rev().filter(|one| Some(**one) != present).take(EARLIER);
        lines.extend(past.map(|one| {
            let (node, at) = (one.node, epoch(self.word(), one.epoch));
            let text = match one.until {
                Some(until) => {
                    format!("Before, node {node:?} led {at}, from {} to {}.", moment_ms(one.since), moment_ms(until))
                }
                None => format!("Node {node:?} takes itself for the leader of {at}, since {}.", moment_ms(one.since)),
            };
            text.into()
        }));
        lines
    }

    /// Who leads where there can be several: one line each.
    fn many_leaders(&self) -> Vec<Line> {
        let leading = (0..self.universe.nodes()).map(|id| self.universe.node(NodeId(id))).filter_map(|view| {
            let status = view.status.filter(|status| status.leads)?;
            let (at, place) = (epoch(self.word(), status.epoch), self.place(view.site));
            Some(Line { text: format!("Node {:?}, in {place}, leads {at}.", view.id), about: Some(view.id) })
        });
        let mut lines: Vec<Line> = leading.collect();
        if lines.is_empty() {
            lines.push(
                "No replica leads now; this protocol does not need one that leads all the others.".to_owned().into(),
            );
        }
        lines
    }

    fn replicas(&self) -> Vec<Line> {
        (0..self.universe.nodes()).map(NodeId).map(|id| self.replica(id)).collect()
    }

    fn faults(&self) -> Vec<Line> {
        let down = (0..self.universe.nodes()).map(NodeId).filter(|id| self.universe.node(*id).status.is_none());
        let down: Vec<NodeId> = down.collect();
        let are = if down.len() == 1 { "is" } else { "are" };
        let down = (!down.is_empty()).then(|| format!("N{} {are} down.", &nodes(down)[1..]));
        let domains = &self.session.checked().blueprint.domains;
        let is_cut =
            |site: u8| domains.of_site(site).is_some_and(|domain| self.universe.partitioned().contains(&domain));
        let sites = (0..).zip(&self.places).filter(|(site, _)| is_cut(*site));
        let sites = sites.map(|(_, place)| format!("{place} is cut off from all other places."));
        let all = down.into_iter().chain(sites).chain(narration::out_of_order(self.universe, &self.places));
        let mut lines: Vec<Line> = all.chain(narration::stuck(self.universe)).map(Line::from).collect();
        if lines.is_empty() {
            lines.push("Nothing is out of order.".to_owned().into());
        }
        lines
    }

    fn flights(&self) -> Vec<Line> {
        let mut flights = Vec::new();
        self.universe.flights(&mut flights);
        if flights.is_empty() {
            return vec!["No message is under way.".to_owned().into()];
        }
        let kinds = self.universe.variant().kinds;
        let of =
            |kind: usize| flights.iter().filter(move |flight| flight.kind.is_some_and(|it| usize::from(it.0) == kind));
        let mut counted: Vec<String> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| (of(i).count(), kind.name))
            .filter(|(number, _)| *number > 0)
            .map(|(number, name)| format!("{number} {name}"))
            .collect();
        let clients =
            |reply: bool| flights.iter().filter(|it| it.kind.is_none() && it.reply.is_some() == reply).count();
        for (number, one) in [(clients(false), "request"), (clients(true), "reply to a client")] {
            match number {
                0 => {}
                1 => counted.push(format!("1 {one}")),
                more if one == "request" => counted.push(format!("{more} requests of clients")),
                more => counted.push(format!("{more} replies to clients")),
            }
        }
        let held = flights.iter().filter(|flight| flight.held).count();
        let mut lines = vec![Line::from(format!("{} under way: {}.", count(flights.len(), "message"), list(&counted)))];
        if held > 0 {
            lines.push(
                format!("{} held back.", if held == 1 { "1 is".to_owned() } else { format!("{held} are") }).into(),
            );
        }
        flights.retain(|flight| !flight.held);
        flights.sort_by_key(|flight| flight.arrives);
        lines.extend(flights.iter().take(FLIGHTS).map(|flight| self.flight(flight)));
        lines
    }

    fn flight(&self, flight: &Flight) -> Line {
        let now = self.universe.time();
        let kind = flight.kind.and_then(|kind| self.universe.variant().kinds.get(usize::from(kind.0)));
        let name = match (kind, flight.reply) {
            (Some(kind), _) => kind.name,
            (None, None) => "A request",
            (None, Some(ReplyKind::Answered)) => "An answer",
            (None, Some(ReplyKind::Refused)) => "A refusal",
            (None, Some(ReplyKind::Redirected(_))) => "A redirection",
        };
        let end = |end: End| match end {
            End::Node(node) => format!("node {node:?}"),
            End::Client(site) => format!("a client in {}", self.place(site)),
        };
        let says = kind.map(|kind| format!(": node {} {}", end(flight.from).trim_start_matches("node "), kind.says));
        let when = match flight {
            Flight { will_drop: true, .. } => "gets lost".to_owned(),
            Flight { sent, .. } if *sent > now => format!("leaves in {}, once it is on the disk", latency(sent - now)),
            Flight { arrives, .. } => format!("arrives in {}", latency(arrives.saturating_sub(now))),
        };
        let slot =
            if flight.slot > 0 && kind.is_some() { format!(", about slot {}", flight.slot) } else { String::new() };
        let says = says.unwrap_or_default();
        format!("{name} from {} to {} {when}{slot}{says}.", end(flight.from), end(flight.to)).into()
    }

    fn clients(&self) -> Vec<Line> {
        let groups = &self.session.checked().blueprint.clients;
        let mut lines: Vec<Line> = Vec::new();
        for (site, samples) in (0..).zip(self.universe.samples()) {
            let answers = samples.iter().count();
            if answers == 0 && !groups.iter().any(|group| group.site == site) {
                continue;
            }
            let mut recent: Vec<Micros> = samples.iter().map(|(_, sample)| sample.latency).collect();
            let latest = recent.last().map(|last| format!(", the latest after {}", latency(*last))).unwrap_or_default();
            recent.drain(..recent.len().saturating_sub(RECENT));
            recent.sort_unstable();
            let median = recent.get(recent.len() / 2).filter(|_| recent.len() > 1);
            let median = median.map(|it| format!("; half of the latest within {}", latency(*it))).unwrap_or_default();
            let (requests, replies) = self.universe.client_cuts(site);
            let cut = requests.or(replies);
            let cut =
                if cut.is_empty() { String::new() } else { format!(" They are cut off from {}.", nodes(cut.iter())) };
            lines.push(format!("In {}: {}{latest}{median}.{cut}", self.place(site), count(answers, "answer")).into());
        }
        if !lines.is_empty() {
            let text = match self.universe.waiting() {
                0 => "No command waits for its answer.".to_owned(),
                1 => "1 command waits for its answer.".to_owned(),
                more => format!("{more} commands wait for their answers."),
            };
            lines.push(text.into());
        }
        lines
    }

    fn properties(&self) -> Vec<Line> {
        let card = self.universe.variant().card;
        let broken = self.universe.violations().iter().map(|violation| {
            let at = moment_ms(violation.at);
            format!("At {at}, event {}: {}", violation.event, narration::violation(violation, card)).into()
        });
        let all = self.universe.findings();
        let order = [Finding::NotPromised, Finding::Held, Finding::NeverExercised, Finding::NotApplicable];
        let with = order.into_iter().filter_map(|finding| {
            let names = all.iter().filter(|one| one.finding == finding).map(|one| one.property.to_owned());
            let names: Vec<String> = names.collect();
            let mut text = finding_text(finding).to_owned();
            text[..1].make_ascii_uppercase();
            (!names.is_empty()).then(|| format!("{text}: {}.", list(&names)).into())
        });
        broken.chain(with).collect()
    }

    fn behind(&self) -> Vec<Line> {
        let (checked, now) = (self.session.checked(), self.universe.time());
        let patience = 4 * checked.blueprint.topology.round_trip_max();
        let found = chapters(self.universe, patience).into_iter().map(|Chapter { at, what }| {
            let text = match what {
                ChapterKind::Leads(node, of) => format!("node {node:?} began to lead {}", epoch(self.word(), of)),
                ChapterKind::Leaderless => "nobody led any more".to_owned(),
                ChapterKind::Violated(property) => format!("{property} was violated"),
                ChapterKind::AnsweredAgain => "a client was answered again".to_owned(),
            };
            (at, text)
        });
        let done = self.session.interventions().iter().take(self.session.moment().interventions);
        let done = done.map(|done| (done.at, format!("by hand, {}", describe(checked, done.action))));
        let script = checked.blueprint.script.iter().filter(|timed| timed.at <= now);
        let script = script.map(|timed| (timed.at, format!("by the script, {}", describe(checked, timed.action))));
        let all = together(script.chain(done).chain(found).collect());
        all.iter().rev().take(BEHIND).map(|(at, text)| format!("{}: {text}.", moment_ms(*at)).into()).collect()
    }

    fn ahead(&self) -> Vec<Line> {
        let (checked, now) = (self.session.checked(), self.universe.time());
        let script = checked.blueprint.script.iter().filter(|timed| timed.at > now);
        let script = together(script.map(|timed| (timed.at, describe(checked, timed.action))).collect());
        let line = |(at, what): &(Micros, String)| {
            format!("At {}, in {}, by the script: {what}.", moment_ms(*at), latency(at - now)).into()
        };
        script.iter().take(AHEAD).map(line).collect()
    }
}

/// What happens at the same time as one text, in order of time.
fn together(mut all: Vec<(Micros, String)>) -> Vec<(Micros, String)> {
    all.sort_by_key(|(at, _)| *at);
    let mut told: Vec<(Micros, String)> = Vec::new();
    for (at, text) in all {
        match told.last_mut().filter(|last| last.0 == at) {
            Some((_, last)) => *last += &format!("; {text}"),
            None => told.push((at, text)),
        }
    }
    told
}

/// An action in words, with the names of sites.
pub fn describe(checked: &Checked, action: Action) -> String {
    let site = |site: u8| checked.places.get(usize::from(site)).map_or("?", |place| place.name.as_str());
    match action {
        Action::Domain { domain, fault } => {
            let Some(id) = checked.domains.get(usize::from(domain.0)) else { return action.to_string() };
            let name = checked.places.iter().find(|place| place.id == *id).map_or(id, |place| &place.name);
            format!("{fault} {name}")
        }
        Action::Move { node, site: to } => format!("move node {node:?} to {}", site(to)),
        Action::Add { site: at } => format!("add a replica in {}", site(at)),
        Action::Request { site: at } => format!("a client's request from {}", site(at)),
        Action::Split { from, to, both, replicas_only } => {
            let (ways, and) = if both { ("links between", "and") } else { ("ways from", "to") };
            let only = if replicas_only { ", but not for clients" } else { "" };
            format!("cut all {ways} {} {and} {}{only}", nodes(from.iter()), nodes(to.iter()))
        }
        Action::Join(one, other) => {
            format!("heal all links between {} and {}", nodes(one.iter()), nodes(other.iter()))
        }
        action => words::action(checked.variant, action).replace(['{', '}'], ""),
    }
}
