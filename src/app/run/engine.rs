//! The engine: plays a session in real time, steps, seeks, and switches branches.

use super::moments::{LookAhead, Moment};
use super::pace::Pace;
use super::rate::Rate;
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::run::trial::{self, UnderWay};
use quorumscope::lab::session::{Difference, FARTHEST};
use quorumscope::sim::{Action, Refusal};
use std::rc::Rc;

/// Most time of a frame for executing events, ms. The rest is for painting and input.
const BUDGET: f64 = 7.0;
/// Events between two readings of the clock.
const SLICE: u64 = 128;
/// Most real time that one frame accounts for, ms: after a pause of the browser the run continues without a leap.
const LONGEST_FRAME: f64 = 100.0;

/// Most time for running ahead to a moment, ms.
const LONGEST_SEEK: f64 = 1_000.0;

/// A session to play from its present moment.
pub struct RunStart {
    /// The run.
    pub session: Session,
    /// Messages per command so far.
    pub rate: Rate,
}

impl From<Session> for RunStart {
    fn from(session: Session) -> RunStart {
        RunStart { session, rate: Rate::default() }
    }
}

/// A session that can play.
pub struct Engine {
    session: Session,
    /// Messages per command when it was loaded.
    rate: Rate,
    /// Number of the session, counted from 0.
    number: u32,
    /// Speed, away from moments that matter.
    pace: Pace,
    /// Whether a person has chosen it; then it stays.
    chosen_pace: bool,
    /// Whether the run slows down around moments that matter.
    pub slows_down: bool,
    /// The moments that matter, in order, as far as they are known.
    pub moments: Rc<[Moment]>,
    /// What finds them; `None` before the chunk for actions is loaded.
    look_ahead: Option<LookAhead>,
    playing: bool,
    /// Whether playing has ended by itself, and nobody knows yet.
    ended: bool,
    /// Simulated time that is due but less than a µs. It paces the picture and never decides an event.
    remainder: f64,
}

impl Engine {
    /// An engine for a session, paused.
    pub fn new(RunStart { session, rate }: RunStart) -> Engine {
        let mut engine = Engine {
            session,
            rate,
            number: 0,
            pace: Pace::default(),
            chosen_pace: false,
            slows_down: true,
            moments: Rc::new([]),
            look_ahead: None,
            playing: false,
            ended: false,
            remainder: 0.0,
        };
        engine.fit_pace();
        engine
    }

    /// A speed that fits the scenario, unless a person has chosen one: where something is going to happen, faster until then.
    fn fit_pace(&mut self) {
        if !self.chosen_pace {
            let eventful = self.session.checked().opens > 0;
            self.pace = Pace::at(self.slow_pace().index() + if eventful { 2 } else { 0 });
        }
    }

    /// The speed at which messages can be followed.
    fn slow_pace(&self) -> Pace {
        Pace::for_way(self.way())
    }

    /// The longest round trip or, if that takes longer, a write to a disk, µs.
    fn way(&self) -> Micros {
        let topology = &self.session.checked().blueprint.topology;
        let pairs = (0..topology.sites).flat_map(|a| (0..topology.sites).map(move |b| (a, b)));
        pairs.map(|(a, b)| topology.round_trip(a, b)).max().unwrap_or(0).max(topology.disk)
    }

    /// The speed away from moments that matter.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Sets it.
    pub fn choose_pace(&mut self, pace: Pace) {
        (self.pace, self.chosen_pace) = (pace, true);
    }

    /// How long before a moment that matters the run slows down, µs.
    pub fn lead(&self) -> Micros {
        (2 * self.way()).clamp(5_000, 200_000)
    }

    /// The speed at this moment.
    pub fn present_pace(&self) -> Pace {
        let slow = self.slow_pace();
        let near = |moment: &Moment| {
            let (now, lead) = (self.time(), self.lead());
            moment.at <= now + lead && now < moment.at + 2 * lead
        };
        let slows = self.slows_down && self.pace > slow && self.pace < Pace::at(Pace::LAST);
        if slows && self.moments.iter().any(near) { slow } else { self.pace }
    }

    /// The next time at which the speed changes, so that no frame leaps over it.
    fn next_slow_down(&self) -> Micros {
        let begins = self.moments.iter().map(|moment| moment.at.saturating_sub(self.lead()));
        let next = begins.filter(|at| *at > self.time()).min();
        next.filter(|_| self.slows_down && self.pace < Pace::at(Pace::LAST)).unwrap_or(Micros::MAX)
    }

    /// Looks a little ahead for moments that matter. True: there is something new.
    pub fn look_ahead(&mut self) -> bool {
        let found = self.look_ahead.as_mut().and_then(|look| look(self.number, &self.session));
        let is_new = found.is_some();
        self.moments = found.unwrap_or_else(|| self.moments.clone());
        is_new
    }

    /// Replaces the session; a speed that a person has chosen stays.
    pub fn load(&mut self, RunStart { session, rate }: RunStart) {
        self.session = session;
        self.rate = rate;
        self.number += 1;
        self.remainder = 0.0;
        self.moments = Rc::new([]);
        self.fit_pace();
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Messages per command when the session was loaded.
    pub fn first_rate(&self) -> Rate {
        self.rate.clone()
    }

    /// Number of the session; differs for every session loaded.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Has the run do all that is asked from now on: act, and go back quickly.
    pub fn complete(&mut self) {
        self.session.complete();
        self.look_ahead = Some(super::moments::look_ahead());
    }

    /// µs since the start.
    pub fn time(&self) -> Micros {
        self.session.universe().time()
    }

    /// Whether it plays.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Plays or pauses.
    pub fn play(&mut self, playing: bool) {
        self.playing = playing && !self.at_the_end();
    }

    /// Whether the run goes no further: it is as long as a link can describe, too large, or its time stands still.
    pub fn at_the_end(&self) -> bool {
        self.session.moment().event >= FARTHEST || self.session.stopped().is_some()
    }

    /// Whether playing has ended by itself since this was asked last.
    pub fn has_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// Why the run goes no further, for a notice.
    pub fn ending(&self) -> String {
        match self.session.stopped() {
            Some(stopped) => {
                format!("The run does not go on, {stopped}. It is kept: go back in time, or begin a smaller scenario.")
            }
            None if self.at_the_end() => "The run is as long as a link can describe. Start it again.".to_owned(),
            None => "Nothing is left to happen.".to_owned(),
        }
    }

    /// Plays for `elapsed` ms of real time, or less if the machine cannot keep up.
    pub fn advance(&mut self, elapsed: f64) {
        if !self.playing {
            return;
        }
        let until = match self.present_pace().micros_per_ms() {
            Some(speed) => {
                self.remainder += elapsed.min(LONGEST_FRAME) * speed;
                let whole = self.remainder.floor();
                self.remainder -= whole;
                (self.time() + whole as Micros).min(self.next_slow_down())
            }
            None => Micros::MAX,
        };
        let deadline = browser::now() + BUDGET;
        let mut ran = SLICE;
        while ran == SLICE && browser::now() < deadline {
            ran = self.session.run_until(until, SLICE);
        }
        // At top speed there is no time to wait for: with fewer events than asked for, nothing is left to happen.
        let idle = until == Micros::MAX && ran < SLICE;
        if self.at_the_end() || idle {
            self.playing = false;
            self.ended = true;
        }
    }

    /// Pauses, and executes the next event. False when nothing is left.
    pub fn step(&mut self) -> bool {
        self.playing = false;
        self.session.step()
    }

    /// Pauses, and goes back one event.
    pub fn back(&mut self) {
        self.playing = false;
        self.session.back();
    }

    /// Goes to a time, µs since the start. Beyond what has been run, it gets as far as can be computed in a second.
    pub fn seek(&mut self, time: Micros) {
        self.remainder = 0.0;
        self.session.seek_time(time.min(self.session.reached().at));
        let deadline = browser::now() + LONGEST_SEEK;
        while self.time() < time && self.session.run_until(time, SLICE) == SLICE && browser::now() < deadline {}
    }

    /// Pauses, and goes to the moment after an event, by number.
    pub fn seek_event(&mut self, event: u64) {
        self.playing = false;
        self.remainder = 0.0;
        self.session.seek(event);
    }

    /// Pauses, and switches to another branch. Returns where it first differs from the one that was left.
    pub fn switch(&mut self, branch: usize) -> Option<Difference> {
        let left = self.session.branch().number;
        self.playing = false;
        self.remainder = 0.0;
        (self.session.switch(branch) && branch != left).then(|| self.session.first_difference(left))?
    }

    /// Goes back to where the page began to show the scenario or, from there, to its start.
    pub fn restart(&mut self) {
        self.remainder = 0.0;
        let opens = self.session.checked().opens;
        let to = if self.time() > opens { opens } else { 0 };
        self.session.restart();
        // At time 0 events wait that have not happened at the start.
        if to > 0 {
            self.seek(to);
        }
    }

    /// Does what a trial says, now.
    pub fn try_out(&mut self, trial: &Trial) -> Result<UnderWay, Refusal> {
        trial::begin(&mut self.session, trial)
    }

    /// Acts on the run now. The error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.session.act(action)
    }
}
