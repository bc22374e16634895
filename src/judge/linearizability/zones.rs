//! Gibbons–Korach zones: linearizability of registers to which no value is written twice, in O(n log n) (Gibbons and Korach, "Testing
//! Shared Memories", SIAM Journal on Computing 26(4), 1997, §4).
//!
//! A value's *cluster* is its write and all reads of it; in any linearization they are adjacent. The *zone* of a cluster lies between its
//! first response and its last invocation. It is *forward* if that response comes first: the register must hold the value throughout. It is
//! *backward* if all operations of the cluster overlap: the value can come and go at one moment in the zone. A linearization exists if and
//! only if no read responded before its write was invoked, no two forward zones overlap, and no backward zone lies within a forward one.

use super::history::{Call, KeyOperation, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Result of a check without search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is a linearization.
    Linearizable,
    /// There is none, because of these operations alone.
    Conflict(Vec<KeyOperation>),
}

/// The operations on one value.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// The write; `None` for the initial value.
    write: Option<KeyOperation>,
    /// Position of the first response, and its operation.
    first_response: (i64, Option<KeyOperation>),
    /// Position of the last invocation, and its operation.
    last_invocation: (i64, Option<KeyOperation>),
}

impl Cluster {
    fn written_by(write: KeyOperation) -> Cluster {
        let response = write.response.map_or(i64::MAX, i64::from);
        Cluster {
            write: Some(write),
            first_response: (response, Some(write)),
            last_invocation: (i64::from(write.invocation), Some(write)),
        }
    }

    fn is_forward(&self) -> bool {
        self.first_response.0 < self.last_invocation.0
    }

    /// The zone's lower end.
    fn low(&self) -> i64 {
        self.first_response.0.min(self.last_invocation.0)
    }

    /// The zone's upper end.
    fn high(&self) -> i64 {
        self.first_response.0.max(self.last_invocation.0)
    }

    fn conflict(&self, other: &Cluster) -> Decision {
        let operations = [self, other]
            .into_iter()
            .flat_map(|cluster| [cluster.write, cluster.first_response.1, cluster.last_invocation.1]);
        conflict(operations.flatten())
    }
}

/// The decision that these operations have no linearization.
pub(super) fn conflict(operations: impl IntoIterator<Item = KeyOperation>) -> Decision {
    let mut operations: Vec<KeyOperation> = operations.into_iter().collect();
    operations.sort_unstable_by_key(|operation| operation.invocation);
    operations.dedup();
    Decision::Conflict(operations)
}

/// Checks a register that holds [`Value::NOTHING`] at first. `None`: the method does not apply, because there are other operations than
/// reads and writes, or a value is written twice. `operations` are sorted by invocation.
pub fn check(operations: &[KeyOperation]) -> Option<Decision> {
    let initial = Cluster { write: None, first_response: (-1, None), last_invocation: (-2, None) };
    let mut clusters = BTreeMap::from([(Value::NOTHING, initial)]);
    for operation in operations {
        match operation.call {
            Call::Read(_) => {}
            Call::Write(value) if !clusters.contains_key(&value) => {
                clusters.insert(value, Cluster::written_by(*operation));
            }
            _ => return None,
        }
    }
    let mut read = BTreeSet::new();
    for operation in operations {
        let (Call::Read(Some(value)), Some(response)) = (operation.call, operation.response) else { continue };
        let Some(cluster) = clusters.get_mut(&value) else { return Some(conflict([*operation])) };
        if let Some(write) = cluster.write.filter(|write| response < write.invocation) {
            return Some(conflict([*operation, write]));
        }
        let responded = (i64::from(response), Some(*operation));
        let invoked = (i64::from(operation.invocation), Some(*operation));
        cluster.first_response = [cluster.first_response, responded].into_iter().min_by_key(|(at, _)| *at)?;
        cluster.last_invocation = [cluster.last_invocation, invoked].into_iter().max_by_key(|(at, _)| *at)?;
        read.insert(value);
    }
    // A pending write whose value nobody read need not have taken effect.
    clusters
        .retain(|value, cluster| cluster.write.is_none_or(|write| write.response.is_some()) || read.contains(value));
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
    Some(Decision::Linearizable)
}
