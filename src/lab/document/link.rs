//! Documents from JSON and from links: the one reader of the page and of the command.
//!
//! A link's fragment is `#s=1.` and the document's JSON, deflated and in base64url. What comes from outside is bounded before anything is made of
//! it: bytes while they are unpacked, depth and number of values while they are read.

use super::problem::{Problem, Problems, shortened};
use super::read::read;
use super::recorded_run::RecordedRun;
use super::scenario::Scenario;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// Largest document, bytes (unpacked).
pub const LARGEST: usize = 1 << 22;
/// Longest packed document in a link, characters.
const LONGEST_LINK: usize = 1 << 20;
/// Most values in a document: numbers, texts, lists and whatever else has a place of its own.
const MOST_VALUES: usize = 250_000;
/// Most lists and fields that a value can be within.
const DEEPEST: usize = 32;

/// The key in a link's fragment, with the version of the format after it.
pub const LINK: &str = "s=1.";

/// Whether the text is a link rather than the name of a file.
pub fn is_link(text: &str) -> bool {
    text.starts_with(LINK) || text.contains(&format!("#{LINK}"))
}

/// Decodes a link, or its fragment `#s=1.…`. Unpacking ends as soon as there are more than [`LARGEST`] bytes.
pub fn tree_from_link(link: &str) -> Result<Value, Problem> {
    let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment).trim();
    let Some(payload) = fragment.split('&').find_map(|part| part.strip_prefix(LINK)) else {
        return Err(Problem::whole(format!("this is no link to a run: one has #{LINK}… in it")));
    };
    if payload.len() > LONGEST_LINK {
        return Err(Problem::whole(format!("this link is too long: {LONGEST_LINK} characters are the most")));
    }
    let broken = || Problem::whole("this link is damaged; was all of it copied?");
    let packed = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| broken())?;
    let bytes = decompress_to_vec_with_limit(&packed, LARGEST).map_err(|stopped| match stopped.status {
        TINFLStatus::HasMoreOutput => {
            Problem::whole(format!("this link holds too much: {LARGEST} bytes are the most that a document has"))
        }
        _ => broken(),
    })?;
    // What is no text at all was not written by anybody; what is, but no JSON, is told with its place.
    tree_from_json(std::str::from_utf8(&bytes).map_err(|_| broken())?)
}

/// Parses JSON. Errors: text that is no JSON, or has more values or is deeper than any document, or says something twice.
pub fn tree_from_json(text: &str) -> Result<Value, Problem> {
    if text.len() > LARGEST {
        return Err(Problem::whole(format!("this is too large: {LARGEST} bytes are the most that a document has")));
    }
    let mut source = serde_json::Deserializer::from_str(text);
    let wrong = |error: serde_json::Error| Problem::whole(format!("this is not JSON: {error}"));
    let tree = tree(&mut source, wrong)?;
    source.end().map_err(wrong)?;
    Ok(tree)
}

/// Reads a tree of values; `wrong` tells what is wrong where the text itself is.
pub(super) fn tree<'de, D: Deserializer<'de>>(
    source: D,
    wrong: impl FnOnce(D::Error) -> Problem,
) -> Result<Value, Problem> {
    let mut track = serde_path_to_error::Track::new();
    let mut limits = Limits { left: MOST_VALUES, refused: None };
    let read =
        Tree { limits: &mut limits, depth: 0 }.deserialize(serde_path_to_error::Deserializer::new(source, &mut track));
    read.map_err(|error| match limits.refused {
        Some((value, says)) => {
            let path = track.path().to_string();
            Problem::new(if path == "." { "" } else { &path }, &value, &says)
        }
        None => wrong(error),
    })
}

/// Reads a document from parsed text: a scenario, or a recorded run.
pub fn document(tree: Value) -> Result<RecordedRun, Problems> {
    match tree.get("scenario") {
        Some(_) => Ok(read(tree)?),
        None => Ok(RecordedRun::from(read::<Scenario, _>(tree)?)),
    }
}

/// Reads a document from JSON.
pub fn from_json(text: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_json(text)?)
}

/// Reads a document from a link.
pub fn from_link(link: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_link(link)?)
}

/// Writes a document as JSON for a link; a run at its start, to which nothing was done, is just its scenario.
pub fn written(document: &RecordedRun) -> String {
    let untouched = document.interventions.is_empty() && document.moment.is_none();
    let json = if untouched { serde_json::to_string(&document.scenario) } else { serde_json::to_string(document) };
    json.expect("a document has text keys only")
}

/// What a document may still hold, and why it is refused.
struct Limits {
    /// How many more values there may be.
    left: usize,
    /// The value that is refused, and what would do.
    refused: Option<(String, String)>,
}

/// Reads one value with all that is in it.
struct Tree<'a> {
    limits: &'a mut Limits,
    depth: usize,
}

impl Tree<'_> {
    /// The reader of a value within this one.
    fn within(&mut self) -> Tree<'_> {
        Tree { limits: self.limits, depth: self.depth + 1 }
    }

    /// Refuses a value; the error itself is never seen.
    fn refuse<T, E: Error>(self, value: impl fmt::Display, says: impl Into<String>) -> Result<T, E> {
        self.limits.refused = Some((value.to_string(), says.into()));
        Err(E::custom("refused"))
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        if self.depth > DEEPEST {
            return self.refuse("", format!("lists and fields are nested too deep here: {DEEPEST} levels would do"));
        }
        let Some(left) = self.limits.left.checked_sub(1) else {
            return self.refuse("", format!("this document has too many values; {MOST_VALUES} would do"));
        };
        self.limits.left = left;
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::from(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        // TOML can write what JSON cannot.
        match serde_json::Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => self.refuse(number.to_string().to_lowercase(), "a number would do"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.within())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Value, A::Error> {
        let mut values = serde_json::Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            // How the reader of TOML hands over a date or a time of day.
            if name.starts_with("$__toml_private") {
                return self.refuse("", "is a date or a time of day; a text in quotes would do");
            }
            if values.contains_key(&name) {
                return self.refuse("", format!("\"{}\" is given twice; leave one of the two out", shortened(&name)));
            }
            let value = fields.next_value_seed(self.within())?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}
