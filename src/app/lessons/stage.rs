//! Runs of a lesson on the stage: loaded into the laboratory's player, at a speed at which they can be followed, up to where they stop.

use crate::run::engine::RunStart;
use crate::run::errand;
use crate::run::pace::Pace;
use crate::run::player::Shared;
use quorumscope::core::Micros;
use quorumscope::lab::session::Goal;
use quorumscope::lab::{Checked, Fault, Problems, Scenario, Session};

/// Parts of a run that each last long enough to be followed: so a run takes some 20 s.
const PARTS: u64 = 12;

/// A run on the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnStage {
    /// The number of its session.
    number: u32,
    /// Where it stops, µs.
    stop: Micros,
}

impl OnStage {
    /// Shows a run from its start; it stops at `stop`, µs.
    pub fn show(
        player: &Shared,
        scenario: Scenario,
        checked: Checked,
        stop: Micros,
        plays: bool,
    ) -> Result<OnStage, Problems> {
        let mut session = Session::of(scenario, checked)?;
        session.keep_copies();
        let mut player = player.borrow_mut();
        player.engine.load(RunStart::from(session));
        player.engine.choose_pace(Pace::for_way(stop / PARTS));
        player.engine.play(plays);
        player.invalidate();
        Ok(OnStage { number: player.engine.number(), stop })
    }

    /// Whether it still is on the stage.
    pub fn is_there(self, player: &Shared) -> bool {
        player.borrow().engine.number() == self.number
    }

    /// Stops it where it stops, if it is there now. True: it has come there, or another run is on the stage.
    pub fn look(self, player: &Shared) -> bool {
        if !self.is_there(player) {
            return true;
        }
        let mut player = player.borrow_mut();
        if player.engine.time() < self.stop {
            return false;
        }
        if player.engine.playing() {
            player.engine.pause();
            player.engine.with(|session| session.go(Goal::Time(self.stop)));
            player.invalidate();
        }
        true
    }

    /// Goes to where it stops at once.
    pub fn skip(self, player: &Shared) {
        if self.is_there(player) {
            let mut player = player.borrow_mut();
            player.engine.pause();
            errand::go(&mut player.engine, Goal::Time(self.stop));
            player.invalidate();
        }
    }

    /// What was done by hand to it so far, as entries of a script.
    pub fn schedule(self, player: &Shared) -> Vec<Fault> {
        let player = player.borrow();
        let document = player.engine.session().document();
        document.interventions.into_iter().map(|intervention| intervention.what).collect()
    }
}
