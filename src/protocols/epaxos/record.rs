//! What a replica keeps of each instance (the paper's `cmds` array), and which instances interfere with a command.

use crate::core::{Ballot, Command, Instance, Log, NodeId, Slot};
use std::sync::Arc;

/// A command with its attributes: what the replicas agree on in an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// The command γ; a no-op where recovery has found that nothing can have been committed.
    pub command: Command,
    /// Its sequence number: greater than that of every interfering command known where it was chosen.
    pub seq: u32,
    /// Its dependencies, by owner: it depends on all instances of that owner up to this slot.
    pub deps: Vec<Slot>,
}

impl Value {
    /// The no-op, which depends on nothing.
    pub fn noop() -> Arc<Value> {
        Arc::new(Value { command: Command::NOOP, seq: 0, deps: Vec::new() })
    }

    /// Whether an instance is among the dependencies.
    pub fn depends_on(&self, at: Instance) -> bool {
        self.deps.get(owner_place(at)).is_some_and(|last| at.slot <= *last)
    }

    /// Whether the attributes are the same as those of `other`, for the same command.
    pub fn same_attributes(&self, other: &Value) -> bool {
        self.seq == other.seq && self.deps == other.deps
    }

    /// The union of the dependencies, and the greatest sequence number.
    pub fn merge(&mut self, other: &Value) {
        self.seq = self.seq.max(other.seq);
        for (own, its) in self.deps.iter_mut().zip(&other.deps) {
            *own = (*own).max(*its);
        }
    }

    /// Bytes on the wire besides the command.
    pub fn bytes(&self) -> u32 {
        4 + 4 * self.deps.len() as u32
    }

    /// The same attributes with another command: what a Byzantine node could send.
    pub fn tampered(&self) -> Option<Arc<Value>> {
        Some(Arc::new(Value { command: self.command.tampered(), ..self.clone() }))
    }
}

/// Whether two commands interfere: they are about the same object, and one of them changes it.
pub fn interfere(one: Command, other: Command) -> bool {
    let object = one.op.object();
    object.is_some() && object == other.op.object() && !(one.op.is_read() && other.op.is_read())
}

/// The owner of an instance: its first command leader. Lanes are numbered from 1, as nodes are shown.
pub fn owner(at: Instance) -> NodeId {
    NodeId((at.lane - 1) as u8)
}

/// The place of an instance's owner in a list of replicas.
pub fn owner_place(at: Instance) -> usize {
    usize::from(at.lane - 1)
}

/// How far an instance is at a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing accepted.
    #[default]
    Initial,
    /// In ballot 0, with this replica's own dependencies added.
    PreAccepted,
    /// In a ballot's Accept phase.
    Accepted,
    /// For ever.
    Committed,
}

/// One instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// The highest ballot promised (EPaxos*: `bal`). Invariant: `accepted <= promised`.
    pub promised: Ballot,
    /// The ballot in which `value` was accepted (EPaxos*: `abal`), the second of the two ballots.
    pub accepted: Ballot,
    /// How far it is.
    pub phase: Phase,
    /// What is pre-accepted, accepted or committed; `None` before that.
    pub value: Option<Arc<Value>>,
    /// What the owner proposed (EPaxos*: `initCmd`, `initDep`), where it is known.
    pub initial: Option<Arc<Value>>,
}

impl Record {
    /// The committed value.
    pub fn committed(&self) -> Option<&Arc<Value>> {
        self.value.as_ref().filter(|_| self.phase == Phase::Committed)
    }

    /// Whether the owner's attributes were accepted here as they were.
    pub fn is_unchanged(&self) -> bool {
        matches!((&self.value, &self.initial), (Some(value), Some(initial)) if value.same_attributes(initial))
    }
}

/// Durable state: all instances, by owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// A lane for each owner; none before the first instance.
    pub lanes: Vec<Log<Record>>,
}

impl Disk {
    /// An instance, if anything is known of it.
    pub fn get(&self, at: Instance) -> Option<&Record> {
        self.lanes.get(owner_place(at))?.get(at.slot)
    }

    /// An instance, to be changed.
    pub fn record(&mut self, at: Instance, replicas: u8) -> &mut Record {
        if self.lanes.is_empty() {
            self.lanes.resize(usize::from(replicas), Log::default());
        }
        let lane = &mut self.lanes[owner_place(at)];
        while lane.last() < at.slot {
            lane.push(Record::default());
        }
        lane.get_mut(at.slot).expect("the lane reaches as far")
    }

    /// The last slot of an owner.
    pub fn last(&self, place: usize) -> Slot {
        self.lanes.get(place).map_or(0, Log::last)
    }
}

/// The latest commands about one object that one owner leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Latest {
    /// The last slot of any of them, and the greatest sequence number.
    any: (Slot, u32),
    /// The same of those that change the object.
    change: (Slot, u32),
}

impl Latest {
    /// The last one that interferes with `value`, and the greatest sequence number of any.
    fn of(&self, value: &Value) -> (Slot, u32) {
        if value.command.op.is_read() { self.change } else { self.any }
    }
}

/// What is known to interfere, by object and owner. Only ever grows: a dependency too many does no harm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interference {
    objects: Vec<Vec<Latest>>,
}

impl Interference {
    /// Takes in what an instance may become.
    pub fn note(&mut self, at: Instance, value: &Value) {
        let Some(object) = value.command.op.object() else { return };
        let object = usize::from(object);
        if self.objects.len() <= object {
            self.objects.resize(object + 1, Vec::new());
        }
        let owners = &mut self.objects[object];
        if owners.len() < usize::from(at.lane) {
            owners.resize(usize::from(at.lane), Latest::default());
        }
        let raise = |(slot, seq): &mut (Slot, u32)| (*slot, *seq) = ((*slot).max(at.slot), (*seq).max(value.seq));
        let latest = &mut owners[owner_place(at)];
        raise(&mut latest.any);
        if !value.command.op.is_read() {
            raise(&mut latest.change);
        }
    }

    /// The last instance of an owner that may interfere with `value`; 0 if there is none.
    pub fn last(&self, value: &Value, place: usize) -> Slot {
        let object = value.command.op.object().and_then(|object| self.objects.get(usize::from(object)));
        object.and_then(|owners| owners.get(place)).map_or(0, |latest| latest.of(value).0)
    }

    /// Adds to the attributes of `value` all that interferes with it here. Dependencies on the owner's own instances are left as the owner
    /// gave them, if `at` tells which it is: it knew all of them, and its later ones depend on this one.
    pub fn add_to(&self, value: &mut Value, at: Option<Instance>) {
        let Some(object) = value.command.op.object() else { return };
        let Some(owners) = self.objects.get(usize::from(object)) else { return };
        for (place, latest) in owners.iter().enumerate() {
            if at.is_some_and(|at| owner_place(at) == place) {
                continue;
            }
            let (slot, seq) = latest.of(value);
            if slot > 0 {
                value.deps[place] = value.deps[place].max(slot);
                value.seq = value.seq.max(seq + 1);
            }
        }
    }
}
