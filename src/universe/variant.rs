//! Variants: what one needs to know of a protocol before running it, and the list of all.

#[cfg(feature = "cli")]
use super::search;
use super::{Cluster, Universe};
use crate::core::node::{Kind, Message, Node, Protocol, SettingError, Setup};
use crate::core::{Card, Rule, Setting};
#[cfg(feature = "cli")]
use crate::judge::explore::Query;
use crate::sim::replicas::{Replicas, ReplicasOf};
use crate::sim::world::MakeReplicas;
use crate::sim::{Blueprint, World};

/// What one needs to know of a variant before running it.
#[derive(Debug)]
pub struct Variant {
    /// Title, paper, formula.
    pub card: &'static Card,
    /// See [`rules`](Variant::rules). A function, so that the page's first picture can do without all that text.
    rules: fn() -> &'static [Rule],
    /// What a scenario may choose.
    pub settings: &'static [Setting],
    /// What its replicas send each other.
    pub kinds: &'static [Kind],
    /// Makes the replicas of a cluster of it.
    pub replicas: MakeReplicas,
    /// Sets out to look at all that a small cluster of it can do. The error names a setting and what would do.
    #[cfg(feature = "cli")]
    pub explore: fn(&Query) -> Result<search::Search, SettingError>,
    /// Whether it must make progress while so many replicas are healthy.
    #[cfg(feature = "cli")]
    pub live: fn(&Setup, u8) -> bool,
    /// If its safety counts on clocks: how much faster one may run than another, in millionths.
    #[cfg(feature = "cli")]
    pub clocks: fn(&Setup) -> Option<u32>,
    /// The names of the properties that must hold.
    #[cfg(feature = "cli")]
    pub properties: fn() -> Vec<&'static str>,
}

macro_rules! catalogue {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$(variant_of::<$protocol>()),*]
    };
}

macro_rules! titles {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$((<$protocol as Protocol>::CARD.key, <$protocol as Protocol>::CARD.title)),*]
    };
}

/// Every variant there is, in the order of the registry.
pub fn variants() -> &'static [Variant] {
    static VARIANTS: &[Variant] = crate::variants!(catalogue);
    VARIANTS
}

/// Key and title of every variant, in the order of the registry: all that the page's first picture shows of most of them.
pub fn titles() -> &'static [(&'static str, &'static str)] {
    crate::variants!(titles)
}

/// The variant of the scenario that the page begins with.
pub fn first() -> &'static Variant {
    const { &variant_of::<crate::protocols::First>() }
}

/// A variant by its type. In the page only the chunk of that variant may ask for it.
pub fn of<P: Protocol>() -> &'static Variant {
    const { &variant_of::<P>() }
}

/// The variant with this key, such as `raft`.
pub fn variant(key: &str) -> Option<&'static Variant> {
    variants().iter().find(|variant| variant.card.key == key)
}

impl Variant {
    /// What it demands.
    pub fn rules(&self) -> &'static [Rule] {
        (self.rules)()
    }

    /// Boots a cluster of it. The error names a setting and what would do.
    pub fn boot(&'static self, blueprint: &Blueprint) -> Result<Box<dyn Universe>, SettingError> {
        Ok(Box::new(Cluster::new(self, blueprint)?))
    }

    /// The same for a blueprint without script, processing costs and timing model. Nothing can be done to this cluster before
    /// [`allow_faults`](trait.Universe.html#method.allow_faults).
    pub fn boot_without_faults(&'static self, blueprint: &Blueprint) -> Result<Box<dyn Universe>, SettingError> {
        let world = World::without_faults(blueprint, self.replicas)?;
        Ok(Box::new(Cluster::around(self, world, blueprint, None)))
    }
}

fn rules<P: Protocol>() -> &'static [Rule] {
    P::RULES
}

fn replicas<P: Protocol>(setup: &Setup) -> Result<Box<dyn Replicas>, SettingError> {
    Ok(Box::new(ReplicasOf::<P>::new(setup)?))
}

/// The variant that a protocol is.
pub(super) const fn variant_of<P: Protocol>() -> Variant {
    Variant {
        card: &P::CARD,
        rules: rules::<P>,
        settings: P::SETTINGS,
        kinds: <P::Node as Node>::Msg::KINDS,
        replicas: replicas::<P>,
        #[cfg(feature = "cli")]
        explore: search::explore::<P>,
        #[cfg(feature = "cli")]
        live: P::live,
        #[cfg(feature = "cli")]
        clocks: P::clocks,
        #[cfg(feature = "cli")]
        properties: search::properties::<P>,
    }
}
