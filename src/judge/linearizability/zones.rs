//! Registers to which no value is written twice, in n log n steps: Gibbons and Korach, "Testing Shared Memories", SIAM Journal on
//! Computing 26(4), 1997, §4.
//!
//! A value's *cluster* is its write and all reads of it; in any order they stand together. The *zone* of a cluster lies between the first
//! answer and the last invocation in it. It is *forward* if that answer comes first: the register must hold the value throughout.
//! It is *backward* if all operations of the cluster overlap: there is a moment in the zone when the value can come and go. An order exists
//! if and only if no read was answered before its write began, no two forward zones overlap, and no backward zone lies within a forward one.

use super::history::{Call, Value};
use super::search::Act;
use std::collections::BTreeMap;

/// What the method finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is an order.
    Order,
    /// There is none, because of these operations alone.
    Conflict(Vec<Act>),
}

/// The operations on one value.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// The write; `None` for the value that was there from the start.
    write: Option<Act>,
    /// The operation answered first, and when.
    answered: (i64, Option<Act>),
    /// The operation invoked last, and when.
    invoked: (i64, Option<Act>),
}

impl Cluster {
    fn written_by(write: Act) -> Cluster {
        let answered = write.to.map_or(i64::MAX, i64::from);
        Cluster { write: Some(write), answered: (answered, Some(write)), invoked: (i64::from(write.from), Some(write)) }
    }

    fn is_forward(&self) -> bool {
        self.answered.0 < self.invoked.0
    }

    fn low(&self) -> i64 {
        self.answered.0.min(self.invoked.0)
    }

    fn high(&self) -> i64 {
        self.answered.0.max(self.invoked.0)
    }

    fn conflict(&self, other: &Cluster) -> Found {
        let acts = [self, other].into_iter().flat_map(|cluster| [cluster.write, cluster.answered.1, cluster.invoked.1]);
        conflict(acts.flatten())
    }
}

/// These operations, which have no order.
pub(super) fn conflict(acts: impl IntoIterator<Item = Act>) -> Found {
    let mut acts: Vec<Act> = acts.into_iter().collect();
    acts.sort_unstable_by_key(|act| act.from);
    acts.dedup();
    Found::Conflict(acts)
}

/// Judges a register that holds nothing at first. `None`: the method does not apply, for something else is done than reading and writing,
/// or a value is written twice. `acts` are sorted by `from`.
pub fn judge(acts: &[Act]) -> Option<Found> {
    let start = Cluster { write: None, answered: (-1, None), invoked: (-2, None) };
    let mut clusters = BTreeMap::from([(Value::NOTHING, start)]);
    for act in acts {
        match act.call {
            Call::Read(_) => {}
            Call::Write(value) if !clusters.contains_key(&value) => {
                clusters.insert(value, Cluster::written_by(*act));
            }
            _ => return None,
        }
    }
    let mut read = std::collections::BTreeSet::new();
    for act in acts {
        let (Call::Read(Some(value)), Some(to)) = (act.call, act.to) else { continue };
        let Some(cluster) = clusters.get_mut(&value) else { return Some(conflict([*act])) };
        if let Some(write) = cluster.write.filter(|write| to < write.from) {
            return Some(conflict([*act, write]));
        }
        cluster.answered = [cluster.answered, (i64::from(to), Some(*act))].into_iter().min_by_key(|(at, _)| *at)?;
        cluster.invoked = [cluster.invoked, (i64::from(act.from), Some(*act))].into_iter().max_by_key(|(at, _)| *at)?;
        read.insert(value);
    }
    // A write without an answer that nobody has seen need not have taken effect.
    clusters.retain(|value, cluster| cluster.write.is_none_or(|write| write.to.is_some()) || read.contains(value));
    let (mut forward, backward): (Vec<Cluster>, Vec<Cluster>) = clusters.into_values().partition(Cluster::is_forward);
    forward.sort_unstable_by_key(Cluster::low);
    if let Some(pair) = forward.windows(2).find(|pair| pair[1].low() < pair[0].high()) {
        return Some(pair[0].conflict(&pair[1]));
    }
    for cluster in &backward {
        let before = forward.partition_point(|zone| zone.low() < cluster.low());
        if let Some(zone) = before.checked_sub(1).map(|last| &forward[last])
            && cluster.high() < zone.high()
        {
            return Some(zone.conflict(cluster));
        }
    }
    Some(Found::Order)
}
