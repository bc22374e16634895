//! The engine: plays a session in real time, steps, seeks, and switches branches.

use super::pace::Pace;
use super::rate::Rate;
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::lab::session::{Difference, FARTHEST};
use quorumscope::sim::{Action, Refusal};

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
    /// Speed.
    pub pace: Pace,
    playing: bool,
    /// Whether playing has ended by itself, and nobody knows yet.
    ended: bool,
    /// Simulated time that is due but less than a µs. It paces the picture and never decides an event.
    remainder: f64,
}

impl Engine {
    /// An engine for a session, paused.
    pub fn new(RunStart { session, rate }: RunStart) -> Engine {
        Engine { session, rate, number: 0, pace: Pace::default(), playing: false, ended: false, remainder: 0.0 }
    }

    /// Replaces the session; the speed stays.
    pub fn load(&mut self, RunStart { session, rate }: RunStart) {
        self.session = session;
        self.rate = rate;
        self.number += 1;
        self.remainder = 0.0;
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
        let until = match self.pace.micros_per_ms() {
            Some(speed) => {
                self.remainder += elapsed.min(LONGEST_FRAME) * speed;
                let whole = self.remainder.floor();
                self.remainder -= whole;
                self.time() + whole as Micros
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

    /// Goes back to the start.
    pub fn restart(&mut self) {
        self.remainder = 0.0;
        self.session.restart();
    }

    /// Acts on the run now. The error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.session.act(action)
    }
}
