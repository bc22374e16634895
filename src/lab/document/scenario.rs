//! The scenario document: protocol, sites, replicas, clients, network, faults and seed of a run.
//!
//! Optional fields have defaults, and stay absent when the document is written again, so that links are short.

use super::Quantity;
use super::fault::Fault;
use super::trial::Trial;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// A scenario: everything that determines a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What there is to see, in a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The key of the protocol variant; `quorumscope list` tells them all.
    pub variant: String,
    /// What the variant lets one choose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
    /// Replicas whose settings differ from those above, as in the middle of a rolling upgrade.
    #[serde(default, rename = "node", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeSettings>,
    /// Keys of the rules to take away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Where the distances come from: a built-in table of round trips (aws, gcp or pql). Leave it out to give your own in `rtt_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// The data centres; each an id, or an id with a name and a position.
    pub sites: Vec<Site>,
    /// Round trips in ms, a row for each site in the order of `sites`: row a, column b is measured from a to b. Three decimals at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rtt_ms: Vec<Vec<f64>>,
    /// The site of each replica. It may name the rack and the machine, too: `site/rack` or `site/rack/machine`.
    pub replicas: Vec<String>,
    /// What clients use the cluster for: kv (a key-value store), lock, queue, barrier, config or broadcast. Default: "kv".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who asks for what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<Clients>,
    /// How messages fare.
    #[serde(default, skip_serializing_if = "Network::is_plain")]
    pub network: Network,
    /// What messages cost the processors of replicas, those of clients included. Default: nothing.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub cost: Cost,
    /// How late messages may be. Default: asynchronous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// How long a write to the disk takes. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub disk: Option<Quantity>,
    /// Bytes in a command's value: a number, or `{ from = 16, to = 4096 }` for values of different sizes, all as likely. Default: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<ValueBytes>,
    /// What happens by itself at given times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<Fault>,
    /// The script may do what the protocol does not promise to survive, such as emptying a disk. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_model: bool,
    /// What must come true once the script's faults are over. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How often leadership may still change once it should have settled. Default: nothing is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<Stability>,
    /// All chance comes from this number. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How long a run lasts. Default: "20s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub duration: Option<Quantity>,
    /// When a page that shows the run begins to show it. Default: one second before the first fault of the script, else the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub opens: Option<Quantity>,
    /// What a page suggests to try, each with a question about what will happen.
    #[serde(default, rename = "try", skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
    /// Answers before this time do not count in latencies. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub warmup: Option<Quantity>,
}

/// Settings of one replica, in place of the scenario's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// The replica, counted from 1.
    pub id: u32,
    /// The settings that differ.
    pub settings: BTreeMap<String, Value>,
}

/// A data centre. Written as its id alone where there is no more to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// What the rest of the document calls it, such as `us-east-1`.
    pub id: String,
    /// What people call it, such as `Virginia`. Default: as in the built-in table, else the id.
    pub name: Option<String>,
    /// Latitude and longitude in degrees, for the map. Default: as in the built-in table.
    pub position: Option<[f64; 2]>,
    /// What the script calls the region it is in, if several sites can fail together.
    pub region: Option<String>,
}

/// Clients at one site that do the same. Give `rate` for clients that come and go, `sessions` for such that wait for their answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// The id of their site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// In place of a site: ids of sites, each with its weight, such as 3 for one with three times as many clients as one with 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// Closed loop: how many ask, each waiting for its answer before it asks again. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// Closed loop: the pause after an answer. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub think: Option<Quantity>,
    /// Open loop: how many commands arrive, such as "20/s", answered or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub rate: Option<Quantity>,
    /// The share of reads, in whole percent; the others write. To read is to take an item from a queue, to wait for a change of the
    /// configuration, or to get the next message of a broadcast. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub reads: Option<Quantity>,
    /// How many keys they use: of a store, or locks, queues, entries, topics. Default: 16 keys of a store, 1 of everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u32>,
    /// The first of the keys they use; the others follow. So groups of clients can have keys of their own. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_key: Option<u32>,
    /// Some keys are asked for more than others, by Zipf's law with this exponent, such as "0.99". Default: all alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub zipf: Option<Quantity>,
    /// One key is asked for this often, such as "20%", the others all alike. Default: all alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub hot: Option<Quantity>,
    /// Of the writes to a store, the share that replaces what the client last saw, if it is still there (compare-and-set). Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub swaps: Option<Quantity>,
    /// Of the writes to a store, the share that leaves it to each replica what to write, as a clock or a random number would. This is wrong,
    /// and shows why. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub nondeterministic: Option<Quantity>,
    /// For how long a lock or an item of a queue is held; whoever works longer renews a lock halfway. Whole milliseconds. Default: "2s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub lease: Option<Quantity>,
    /// How long a client works while it holds a lock or an item; or, on average, before it comes to a barrier. Default: "100ms".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub work: Option<Quantity>,
    /// How often a client stops in the middle of its work (a long garbage collection), and then goes on unaware. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub stalls: Option<Quantity>,
    /// For how long it then stops. Default: twice the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub stall: Option<Quantity>,
    /// How often a client dies in the middle of its work; it comes back after twice the lease. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub dies: Option<Quantity>,
    /// Whether what a lock guards refuses the token of an earlier holder. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fenced: Option<bool>,
    /// When they begin. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub start: Option<Quantity>,
    /// When they begin no more commands. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub stop: Option<Quantity>,
    /// How many commands they begin in all. Default: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<u32>,
    /// How long one waits for an answer before it asks another replica. Default: four of the longest round trips, at least "1s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub retry: Option<Quantity>,
}

/// How messages fare, apart from distance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Mean extra delay, as a share of the delay; exponential. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub jitter: Option<Quantity>,
    /// The share of messages that get lost. Default: "0%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub loss: Option<Quantity>,
    /// Time a replica takes to handle one message; messages queue for it. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub processing: Option<Quantity>,
}

/// What messages cost the processor of a replica; it does one thing after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Taking in one message, such as "20us". Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub receive: Option<Quantity>,
    /// Each 1,000 bytes of it. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub receive_kb: Option<Quantity>,
    /// Putting one message together. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub send: Option<Quantity>,
    /// Each 1,000 bytes of it. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub send_kb: Option<Quantity>,
}

impl Cost {
    fn is_nothing(&self) -> bool {
        *self == Cost::default()
    }
}

/// How late messages may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// `asynchronous`: any message may take any time. `synchronous`: none is lost, and none takes longer than `delta`.
    /// `partially-synchronous`: the same from the time `gst` on, which no replica knows.
    pub model: String,
    /// The longest a message may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub delta: Option<Quantity>,
    /// From when on that holds, since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub gst: Option<Quantity>,
    /// Mean of a random delay that comes to every message's own where there is no bound. Default: "0s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub spread: Option<Quantity>,
}

/// A time without faults: whoever waits for an answer gets it within a bound, and every member executes within it what was chosen before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// From when on, such as "12s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub from: Quantity,
    /// Within how long, such as "3s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub within: Quantity,
}

/// Leadership settles: from a stated time on, no more than so many nodes lead, one after the other or at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stability {
    /// From when on, such as "5s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub from: Quantity,
    /// How many leaders at most, the one in office at that time included. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub leaders: u32,
}

const fn one() -> u32 {
    1
}

const fn is_one(number: &u32) -> bool {
    *number == 1
}

impl Network {
    fn is_plain(&self) -> bool {
        *self == Network::default()
    }
}

/// How large the values of commands are, bytes. Written as one number where all are of the same size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValueBytes {
    /// The smallest.
    pub from: u32,
    /// The largest.
    pub to: u32,
}

impl From<u32> for ValueBytes {
    fn from(bytes: u32) -> ValueBytes {
        ValueBytes { from: bytes, to: bytes }
    }
}

impl From<(u32, u32)> for ValueBytes {
    fn from((from, to): (u32, u32)) -> ValueBytes {
        ValueBytes { from, to }
    }
}

/// The long way to write [`ValueBytes`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ValueBytesFields {
    /// The smallest.
    from: u32,
    /// The largest.
    to: u32,
}

impl Serialize for ValueBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            ValueBytes { from, to } if from == to => from.serialize(serializer),
            ValueBytes { from, to } => ValueBytesFields { from, to }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ValueBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ValueBytes, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ValueBytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or { from = 16, to = 4096 }")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<ValueBytes, E> {
                let bytes = u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))?;
                Ok(ValueBytes::from(bytes))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<ValueBytes, E> {
                let bytes = u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
                Ok(ValueBytes::from(bytes))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ValueBytes, A::Error> {
                let ValueBytesFields { from, to } =
                    ValueBytesFields::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(ValueBytes { from, to })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for ValueBytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ValueBytes".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (bytes, fields) = (generator.subschema_for::<u32>(), generator.subschema_for::<ValueBytesFields>());
        schemars::json_schema!({ "anyOf": [bytes, fields] })
    }
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Value {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A choice, or a time such as "150ms".
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a whole number or text")
            }
            fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Flag(flag))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Number(number))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
                Ok(i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Number))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Site {
    /// A site of a built-in table.
    pub fn named(id: &str) -> Site {
        Site { id: id.to_owned(), ..Site::default() }
    }
}

/// The long way to write a [`Site`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SiteFields {
    /// What the rest of the document calls it.
    id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Latitude and longitude in degrees, for the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<[f64; 2]>,
    /// What the script calls the region it is in, if several sites can fail together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Site { id, name, position, region } = self.clone();
        match (&name, &position, &region) {
            (None, None, None) => serializer.serialize_str(&id),
            _ => SiteFields { id, name, position, region }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Site {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Site, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Site;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a site, or its id, name and position")
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<Site, E> {
                Ok(Site::named(id))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Site, A::Error> {
                let SiteFields { id, name, position, region } =
                    SiteFields::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Site { id, name, position, region })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Site {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Site".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let fields = generator.subschema_for::<SiteFields>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, fields] })
    }
}
