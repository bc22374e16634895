//! Progress of a follower as the leader tracks it: matchIndex, nextIndex, how entries are sent, and when they are sent again (paper, figure 2;
//! dissertation §10.2).

use crate::core::Slot;

/// How entries are sent to one follower; the states have the names of etcd's `tracker/progress.go`.
///
/// ```text
///                    refused, or lost
///   Probe ──────▶ Snapshot ◀────────── Replicate
///     agreement       │                    ▲
///     is found        └─── acknowledged ───┘
/// ```
///
/// Whether it is `Replicate` or `Snapshot` after an acknowledgement, `Server::send_append` decides by what is missing from `next` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProgressState {
    /// Where the logs agree is not known. No entries are sent; heartbeats carry prevLogIndex = next − 1, and their answers lead on.
    #[default]
    Probe,
    /// Stop and wait: a snapshot, or one batch, is under way from `next` on. Nothing else is sent before it is acknowledged.
    Snapshot,
    /// Pipelining (dissertation §10.2.2): every new entry is sent at once, and `next` moves on without waiting for the answer.
    Replicate,
}

/// What the leader knows of one follower.
///
/// Invariants, for peers: `matched < next`; in `Replicate`, `next` is one past the end of the leader's log; `matched` and `confirmed` never
/// fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// matchIndex: its log is known to equal the leader's up to here.
    pub matched: Slot,
    /// nextIndex: the slot of the first entry to send next.
    pub next: Slot,
    /// How entries are sent to it.
    pub state: ProgressState,
    /// In `Snapshot`: the last slot of what is under way.
    pub sent: Slot,
    /// The highest round of heartbeats that it has answered.
    pub confirmed: u32,
    /// When what is under way counts as lost.
    pub check: LossCheck,
}

/// The retransmission check of one follower. How long an answer takes depends on sizes, bandwidths, disks and queues that nobody knows. So no
/// time is guessed: a heartbeat that is sent later takes the same way, waits in the same queues and for the same disk. Once *that* is answered, and
/// what was sent before it is not acknowledged, that was lost.
///
/// Messages can overtake each other. So the heartbeat is sent a longest round trip later; twice as long after each retransmission, and
/// gradually less again (Karn and Partridge, Improving Round-Trip Time Estimates, 1987, on backing off where a late answer looks like none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LossCheck {
    /// The slot that must be acknowledged; the check is over once it is.
    due: Slot,
    /// Heartbeat intervals left before the heartbeat that counts.
    wait: u32,
    /// The round of that heartbeat; 0 before it is sent.
    round: u32,
    /// Heartbeat intervals to wait next time, if more than the shortest.
    patience: u32,
}

/// How many times the shortest wait the longest is.
const MOST_PATIENCE: u32 = 64;

impl Progress {
    /// Begins a heartbeat interval: goes on with a check or, if something is under way, begins one. `last` is the end of the leader's log, `round`
    /// the round of heartbeats that is sent now, `shortest` the longest round trip in heartbeat intervals.
    pub fn tick(&mut self, last: Slot, round: u32, shortest: u32) {
        let check = &mut self.check;
        if check.due > self.matched {
            check.wait = check.wait.saturating_sub(1);
            if check.wait == 0 && check.round == 0 {
                check.round = round;
            }
            return;
        }
        if check.due > 0 {
            check.patience -= check.patience.div_ceil(8);
        }
        let due = match self.state {
            ProgressState::Replicate if self.matched < last => self.matched + 1,
            ProgressState::Snapshot => self.sent,
            _ => 0,
        };
        *check = LossCheck { due, wait: check.patience.max(shortest), round: 0, patience: check.patience };
    }

    /// Takes note of an answer to a heartbeat of `round`; tells whether by that what is under way was lost, so that it is to be sent again.
    pub fn is_lost(&mut self, round: u32, shortest: u32) -> bool {
        let check = &mut self.check;
        let lost = check.due > self.matched && check.round > 0 && round >= check.round;
        if lost {
            check.patience = (2 * check.patience.max(shortest)).min(MOST_PATIENCE * shortest);
        }
        lost
    }

    /// A snapshot or batch up to `sent` is under way from now on, and nothing else.
    pub fn stop_and_wait(&mut self, sent: Slot) {
        self.state = ProgressState::Snapshot;
        self.sent = sent;
        self.check.due = 0;
    }

    /// The slot up to which it needs no entries, in a log that begins at `first`.
    pub fn needs_after(&self, first: Slot) -> Slot {
        match self.state {
            ProgressState::Snapshot if self.next < first => self.sent,
            ProgressState::Snapshot => self.next - 1,
            _ => Slot::MAX,
        }
    }
}
