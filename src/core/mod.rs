//! Protocol vocabulary: ids, ballots, quorums, commands, log, messages, timers, rules, and [`Out`], the only interface through which a node
//! acts on the world.
//!
//! Independent of clock, random source, simulator and web.

pub mod ballot;
pub mod card;
pub mod command;
pub mod hash;
pub mod history;
pub mod ids;
pub mod instance;
pub mod log;
mod message_macro;
pub mod messages;
pub mod names;
pub mod node;
pub mod out;
pub mod patience;
pub mod quorum;
pub mod reasons;
pub mod rules;
pub mod settings;
mod show;
pub mod status;
pub mod timer;

pub use ballot::Ballot;
pub use card::{Card, Contact, Family, Faults, Formula, LeaderModel, Promises, Shots, TimingModel};
pub use command::{Answer, Command, Op, Outcome};
pub use history::HistoryVariables;
pub use ids::{ClientId, Micros, NodeId, Slot};
pub use instance::Instance;
pub use log::Log;
pub use messages::{Header, MessageId, MessageStore, MessageTable};
pub use names::{Exchange, Names};
pub use node::{
    Breach, HistoryInvariant, Invariant, Kind, KindId, Message, Node, Order, Phase, Protocol, SettingError, Setup, Step,
};
pub use out::{Effect, Out, Outbox, TimerId};
pub use patience::Patience;
pub use quorum::{Grid, NodeSet, QuorumSettings, QuorumSystem, Quorums, majority};
pub use reasons::{Fact, Reason, Sentence, Told};
pub use rules::{Rule, RuleId, RuleSet};
pub use settings::{Edition, Setting, SettingId, SettingKind, Settings, SharedSetting};
pub use status::{Blocked, EntryStatus, Epoch, LogStatus, NodeStatus, Tally};
pub use timer::{TimerKind, TimerName};
