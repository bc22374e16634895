//! A run that one can stop, act on, go back in, and share.
//!
//! A run is a scenario and the deeds done by hand, nothing else: the same two give the same events, so a moment of a run is a
//! document, and going back is starting from an earlier copy and doing the same again.

mod branch;

pub use branch::{BRANCHES, Branch, Difference};

use super::fault::Fault;
use super::problem::{Complaints, Problem, Problems};
use super::scenario::Scenario;
use super::{Checked, Quantity, check};
use crate::core::Micros;
use crate::sim::{Action, Refusal};
use crate::universe::Universe;
use branch::Checkpoint;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// Trace records a session keeps to show: what happened last, however much that was. Every copy has them, too.
const KEEP_TRACE: usize = 256;
/// Most copies of the universe that a session keeps to go to, so that its memory is bounded.
const CHECKPOINTS: usize = 512;
/// Events between two copies, at first; doubled whenever there are too many copies.
const SPACING: u64 = 128;
/// Most events after which a document's moment may lie: some seconds of computing.
pub const FARTHEST: u64 = 50_000_000;
/// Most deeds of a document.
const DEEDS: usize = 10_000;

/// Something done by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// How many events had happened.
    pub event: u64,
    /// When, µs since the start.
    pub at: Micros,
    /// What.
    pub action: Action,
}

/// A point of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many events have happened.
    pub event: u64,
    /// How many deeds have been done.
    pub deeds: usize,
    /// µs since the start.
    pub at: Micros,
}

/// A run in progress.
pub struct Session {
    scenario: Scenario,
    checked: Checked,
    universe: Box<dyn Universe>,
    /// The present branch.
    branch: Branch,
    /// The other ones, the one left last at the end.
    others: Vec<Branch>,
    /// How many deeds of the present branch have been done by now.
    done: usize,
    /// Whether to make copies to go back to.
    copies: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("scenario", &self.scenario)
            .field("moment", &self.moment())
            .finish_non_exhaustive()
    }
}

/// The deeds of a document do not fit the run: it was made by hand, or by another version.
pub(super) struct Astray(pub String);

impl Session {
    /// Starts a run.
    pub fn new(scenario: Scenario) -> Result<Session, Problems> {
        let checked = scenario.check()?;
        let mut session = Session::of(scenario, checked)?;
        session.keep_copies();
        Ok(session)
    }

    /// Starts the run of a scenario that was checked before. It keeps no copies: going back starts from the start.
    pub fn of(scenario: Scenario, mut checked: Checked) -> Result<Session, Problem> {
        checked.blueprint.keep_trace = KEEP_TRACE;
        let universe = checked.boot()?;
        Ok(Session {
            scenario,
            checked,
            universe,
            branch: Branch::default(),
            others: Vec::new(),
            done: 0,
            copies: false,
        })
    }

    /// Keeps copies to go back to, from now on.
    pub fn keep_copies(&mut self) {
        self.copies = true;
    }

    /// What is run.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What the scenario means.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// The world at the present moment.
    pub fn universe(&self) -> &dyn Universe {
        &*self.universe
    }

    /// What was done by hand, later deeds of this run included.
    pub fn deeds(&self) -> &[Deed] {
        &self.branch.deeds
    }

    /// The present moment.
    pub fn moment(&self) -> Moment {
        Moment { event: self.universe.events(), deeds: self.done, at: self.universe.time() }
    }

    /// The farthest moment that this run has been at.
    pub fn reached(&self) -> Moment {
        self.branch.reached
    }

    /// What happens now, in a plain sentence or two.
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.checked.places.iter().map(|place| place.name.as_str()).collect();
        self.universe.sentence(&names)
    }

    /// Has the world keep what clients ask and are told. To be called at the start.
    #[cfg(feature = "cli")]
    pub(super) fn overheard(mut self) -> Session {
        self.universe.overhear();
        self
    }

    /// Begins to tell the run, from here on.
    #[cfg(feature = "cli")]
    pub(super) fn tell(&mut self) -> crate::universe::Transcript {
        crate::universe::Transcript::of(&mut *self.universe)
    }

    /// Lets the next thing happen: an event, or a deed that was done here before. False when nothing is left to happen.
    pub fn step(&mut self) -> bool {
        self.step_until(Micros::MAX)
    }

    /// Runs until `time`, µs since the start, or for `most` events. Tells how many events that took; if fewer than `most`, it is `time` now.
    pub fn run_until(&mut self, time: Micros, most: u64) -> u64 {
        let before = self.universe.events();
        while self.universe.events() - before < most && self.step_until(time) {}
        self.universe.events() - before
    }

    fn step_until(&mut self, limit: Micros) -> bool {
        match self.advance(limit) {
            Ok(happened) => happened,
            // Deeds are kept only when they were done here once, so they fit; were one not to, the run would go on without.
            Err(Astray(_)) => {
                self.branch.deeds.truncate(self.done);
                self.step_until(limit)
            }
        }
    }

    /// Lets the next thing happen, if that is until `limit`; otherwise only time moves on.
    pub(super) fn advance(&mut self, limit: Micros) -> Result<bool, Astray> {
        let due = self.branch.deeds.get(self.done).filter(|deed| deed.event <= self.universe.events()).copied();
        let happened = match due {
            Some(deed) if deed.at <= limit => {
                self.repeat(deed)?;
                true
            }
            _ => self.universe.step_until(limit),
        };
        self.note();
        Ok(happened)
    }

    fn repeat(&mut self, deed: Deed) -> Result<(), Astray> {
        let misfit =
            || Astray("the run is not where it was when this was done; was the link made by another version?".into());
        if deed.event != self.universe.events() || deed.at < self.universe.time() {
            return Err(misfit());
        }
        // Other events may be due at this very time; the deed came before them.
        if deed.at > self.universe.time() && self.universe.step_until(deed.at) {
            return Err(misfit());
        }
        self.universe.act(deed.action).map_err(|Refusal(why)| Astray(why))?;
        self.done += 1;
        Ok(())
    }

    /// Keeps track of how far the run has come, and now and then a copy of it.
    fn note(&mut self) {
        let now = self.moment();
        if (now.event, now.deeds, now.at)
            > (self.branch.reached.event, self.branch.reached.deeds, self.branch.reached.at)
        {
            self.branch.reached = now;
        }
        let last = self.branch.checkpoints.last().map_or(0, |checkpoint| checkpoint.moment.event);
        if !self.copies || now.event < last + self.branch.spacing {
            return;
        }
        // Whoever goes to an event finds the deeds done right after it still to come.
        if self.done.checked_sub(1).is_some_and(|last| self.branch.deeds[last].event == now.event) {
            return;
        }
        self.branch.checkpoints.push(Rc::new(Checkpoint { moment: now, universe: self.universe.fork() }));
        if self.branch.checkpoints.len() > CHECKPOINTS {
            let mut odd = false;
            self.branch.checkpoints.retain(|_| {
                odd = !odd;
                odd
            });
            self.branch.spacing *= 2;
        }
    }

    /// Does something now. Where more had happened before going back, this begins another branch. An error says why not; then nothing has
    /// changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        let (event, at) = (self.universe.events(), self.universe.time());
        let now = self.moment();
        self.universe.act(action)?;
        if self.branch.reached.event > now.event || self.branch.deeds.len() > self.done {
            self.part(now);
        }
        self.branch.deeds.push(Deed { event, at, action });
        self.done += 1;
        self.branch.reached = self.moment();
        Ok(())
    }

    /// Goes to where so many events have happened; deeds done right there are still to come. Going on from the farthest moment runs the
    /// world; should nothing be left to happen, this ends early.
    pub fn seek(&mut self, event: u64) {
        let event = event.min(FARTHEST);
        self.jump(self.universe.events() < event, |moment| moment.event <= event);
        while self.universe.events() < event && self.step() {}
    }

    /// Goes to a time, µs since the start.
    pub fn seek_time(&mut self, time: Micros) {
        self.jump(self.universe.time() < time, |moment| moment.at < time);
        while self.step_until(time) {}
    }

    /// Undoes the last thing that happened, a deed or an event.
    pub fn back(&mut self) {
        let now = self.moment();
        match self.done.checked_sub(1).map(|last| self.branch.deeds[last]) {
            Some(deed) if deed.event == now.event => {
                self.go_to(Moment { event: deed.event, deeds: self.done - 1, at: deed.at })
            }
            _ => {
                // Deeds done before this event happened stay done.
                self.seek(now.event.saturating_sub(1));
                while self.done < now.deeds && self.step() {}
            }
        }
    }

    /// Starts the scenario again, without what was done by hand.
    pub fn restart(&mut self) {
        self.branch = Branch::default();
        self.others.clear();
        self.start_over();
    }

    /// Takes up the latest copy that is `early` enough, or the start; or stays, if this moment is `early` too and later than that.
    fn jump(&mut self, early_now: bool, early: impl Fn(&Moment) -> bool) {
        let count = self.branch.checkpoints.partition_point(|checkpoint| early(&checkpoint.moment));
        let latest = self.branch.checkpoints[..count].last();
        if early_now && latest.is_none_or(|checkpoint| checkpoint.moment.event <= self.universe.events()) {
            return;
        }
        (self.universe, self.done) = match latest {
            Some(checkpoint) => (checkpoint.universe.fork(), checkpoint.moment.deeds),
            None => return self.start_over(),
        };
    }

    fn start_over(&mut self) {
        self.universe = self.checked.boot().expect("it has started before");
        self.done = 0;
    }

    /// Goes to a moment at which this run has been.
    fn go_to(&mut self, moment: Moment) {
        let now = self.moment();
        if now.event != moment.event || now.deeds > moment.deeds || now.at > moment.at {
            self.seek(moment.event);
        }
        while self.done < moment.deeds && self.step() {}
        if self.universe.time() < moment.at {
            self.universe.step_until(moment.at);
        }
    }

    /// The run up to here, to be opened elsewhere.
    pub fn document(&self) -> Document {
        let sites = self.checked.sites();
        let names = self.checked.names(&sites);
        let deed = |deed: &Deed| DeedText { event: deed.event, what: Fault::new(deed.at, deed.action, names) };
        let now = self.moment();
        let moment = MomentText { event: now.event, deeds: now.deeds, at: Quantity::from_micros(now.at) };
        Document {
            scenario: self.scenario.clone(),
            deeds: self.branch.deeds.iter().map(deed).collect(),
            moment: (now != Moment::default()).then_some(moment),
        }
    }

    /// The run of a document at its start, with all deeds still to come, and the moment that the document describes.
    pub(super) fn load(document: &Document, checked: Checked) -> Result<(Session, Option<Moment>), Problems> {
        let mut session = Session::of(document.scenario.clone(), checked)?;
        session.keep_copies();
        let (deeds, moment) = document.check(&session.checked)?;
        session.branch.deeds = deeds;
        Ok((session, moment))
    }

    /// Goes to the moment that a document describes. Takes as long as the run takes; to do it in slices, use [`Replay`].
    pub fn open(document: &Document) -> Result<Session, Problems> {
        let mut replay = Replay::new(document)?;
        while !replay.advance(FARTHEST)? {}
        Ok(replay.into_session())
    }
}

/// A moment of a run, as written: what a link carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What is run.
    pub scenario: Scenario,
    /// What was done by hand, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deeds: Vec<DeedText>,
    /// Where the run stands. Default: at its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<MomentText>,
}

/// A deed, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeedText {
    /// How many events had happened.
    pub event: u64,
    /// What was done, and when.
    pub what: Fault,
}

/// A moment, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MomentText {
    /// How many events have happened.
    pub event: u64,
    /// How many deeds have been done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deeds: usize,
    /// When, since the start.
    pub at: Quantity,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl From<Scenario> for Document {
    fn from(scenario: Scenario) -> Document {
        Document { scenario, deeds: Vec::new(), moment: None }
    }
}

impl Document {
    /// The deeds and the moment, or all that is wrong with them.
    fn check(&self, checked: &Checked) -> Result<(Vec<Deed>, Option<Moment>), Problems> {
        let mut wrong = Complaints::default();
        if self.deeds.len() > DEEDS {
            wrong.add("deeds", format!("{} deeds", self.deeds.len()), format!("{DEEDS} are the most"));
        }
        let sites = checked.sites();
        let names = checked.names(&sites);
        let mut deeds: Vec<Deed> = Vec::new();
        for (i, deed) in self.deeds.iter().take(DEEDS).enumerate() {
            let Some(timed) = deed.what.read(&format!("deeds[{i}].what"), names, usize::MAX, &mut wrong) else {
                continue;
            };
            let read = Deed { event: deed.event, at: timed.at, action: timed.action };
            if deeds.last().is_some_and(|last| last.event > read.event || last.at > read.at) {
                wrong.add(format!("deeds[{i}]"), "", "comes before the deed listed before it; order them by time");
            }
            distance(&format!("deeds[{i}].event"), deed.event, &mut wrong);
            deeds.push(read);
        }
        let mut moment = None;
        if let Some(text) = &self.moment {
            distance("moment.event", text.event, &mut wrong);
            if text.deeds > self.deeds.len() {
                wrong.add("moment.deeds", text.deeds, format!("0 to {} would do", self.deeds.len()));
            }
            match text.at.micros() {
                Ok(at) if at <= check::LONGEST => moment = Some(Moment { event: text.event, deeds: text.deeds, at }),
                Ok(_) => wrong.add("moment.at", &text.at, check::too_long()),
                Err(says) => wrong.add("moment.at", &text.at, says),
            }
        }
        wrong.unless(Some((deeds, moment)))
    }
}

fn distance(field: &str, event: u64, wrong: &mut Complaints) {
    if event > FARTHEST {
        wrong.add(field, event, format!("is too far to go to; 0 to {FARTHEST} would do"));
    }
}

/// Opens a document bit by bit, for a page that must not stand still meanwhile.
#[derive(Debug)]
pub struct Replay {
    session: Session,
    moment: Moment,
}

impl Replay {
    /// Starts at the start.
    pub fn new(document: &Document) -> Result<Replay, Problems> {
        Replay::of(document, document.scenario.check()?)
    }

    /// Starts at the start of a document whose scenario was checked before.
    pub fn of(document: &Document, checked: Checked) -> Result<Replay, Problems> {
        let (session, moment) = Session::load(document, checked)?;
        Ok(Replay { session, moment: moment.unwrap_or_default() })
    }

    /// Goes on for about this many events. True when the moment is reached. Every deed is done once on the way, later ones too, so that
    /// it is known to be possible.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let until = self.session.universe.events().saturating_add(events.max(1));
        while self.session.done < self.session.branch.deeds.len() || self.session.universe.events() < self.moment.event
        {
            if self.session.universe.events() >= until {
                return Ok(false);
            }
            let nth = self.session.done;
            let limit = self.session.branch.deeds.get(nth).map_or(Micros::MAX, |deed| deed.at);
            match self.session.advance(limit) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(
                        self.astray("nothing is left to happen before that; was the link made by another version?")
                    );
                }
                Err(Astray(says)) => {
                    return Err(Problem { field: format!("deeds[{nth}]"), value: String::new(), says });
                }
            }
        }
        self.session.go_to(self.moment);
        match self.session.moment() == self.moment {
            true => Ok(true),
            false => Err(self.astray("the run never is at this moment; was the link made by another version?")),
        }
    }

    /// How far it has come, in parts of a thousand.
    pub fn permille(&self) -> u64 {
        let last = self.session.branch.deeds.last().map_or(0, |deed| deed.event);
        self.session.universe.events() * 1_000 / last.max(self.moment.event).max(1)
    }

    /// The session, at the moment reached.
    pub fn into_session(self) -> Session {
        self.session
    }

    fn astray(&self, says: &str) -> Problem {
        let Moment { event, at, .. } = self.moment;
        let value = format!("event {event} at {}", Quantity::from_micros(at));
        Problem { field: "moment".to_owned(), value, says: says.to_owned() }
    }
}
