//! Errors in documents: the field, its value, and what would be accepted.

use crate::core::SettingError;
use crate::universe::words::thousands;
use std::fmt;

/// One error in a document or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the field, such as `clients[1].rate` (lists count from 0). Empty: the document as a whole.
    pub field: String,
    /// The value found, shortened. Empty: none.
    pub value: String,
    /// What is wrong with it, and what would be accepted.
    pub says: String,
}

/// Most problems that are told; how many there are beyond these is told as a number.
pub const MOST_TOLD: usize = 20;
/// Most characters of a value, or of a name in a message.
const WORD: usize = 60;
/// Most characters of a field's path.
const PATH: usize = 120;
/// Most characters of what is said about it.
const SENTENCE: usize = 800;

/// The errors in a document, in the order of its fields: the first [`MOST_TOLD`], and how many more there are. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>, pub usize);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field.as_str(), self.value.as_str()) {
            ("", _) => f.write_str(&self.says),
            (field, "") => write!(f, "{field}: {}", self.says),
            (field, value) => write!(f, "{field}: {value}: {}", self.says),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}

impl Problems {
    /// One line for each problem told, and one for those that are not.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.1 > 0).then(|| format!("and {} more", thousands(self.1 as u64)));
        self.0.iter().map(Problem::to_string).chain(more)
    }

    /// How many problems there are.
    pub fn count(&self) -> usize {
        self.0.len() + self.1
    }
}

impl Problem {
    /// A problem whose words stay readable, whatever stands in the document.
    pub(in crate::lab) fn new(field: &str, value: &str, says: &str) -> Problem {
        Problem { field: cut(field, PATH), value: shortened(value), says: cut(says, SENTENCE) }
    }

    /// A problem of the document as a whole.
    pub fn whole(says: impl Into<String>) -> Problem {
        Problem { field: String::new(), value: String::new(), says: says.into() }
    }

    /// What a protocol says does not fit: one of its settings, or the number of `replicas`.
    pub fn of_protocol((key, says): SettingError) -> Problem {
        let field = if key == "replicas" { key.to_owned() } else { format!("settings.{key}") };
        Problem { field, value: String::new(), says: says.to_owned() }
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem], 0)
    }
}

/// Collects problems while a document is checked, so that all of them are counted and the first are told.
#[derive(Debug, Default)]
pub(in crate::lab) struct ProblemCollector(Vec<Problem>, usize);

impl ProblemCollector {
    /// Adds a problem: `value` at `field` is not accepted; `says` tells what would be.
    pub fn add(&mut self, field: impl fmt::Display, value: impl fmt::Display, says: impl Into<String>) {
        if self.has_room() {
            self.0.push(Problem::new(&field.to_string(), &value.to_string(), &says.into()));
        }
    }

    /// The same where it takes some work to say what would be accepted: it is done only if the problem is told.
    pub fn add_with(&mut self, field: impl fmt::Display, value: impl fmt::Display, says: impl FnOnce() -> String) {
        if self.has_room() {
            self.0.push(Problem::new(&field.to_string(), &value.to_string(), &says()));
        }
    }

    /// Adds a problem: `name` at `field` is none of `known`. `what` is what `known` are called, such as `sites`.
    pub fn unknown<'a>(
        &mut self,
        field: impl fmt::Display,
        name: &str,
        what: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        if self.has_room() {
            self.0.push(Problem::new(&field.to_string(), &format!("\"{name}\""), &no_such(name, what, known)));
        }
    }

    /// Whether one more problem is told; otherwise it is counted.
    fn has_room(&mut self) -> bool {
        let room = self.0.len() < MOST_TOLD;
        self.1 += usize::from(!room);
        room
    }

    /// Adds the problems of a part of the document, found at `path`.
    pub fn add_within(&mut self, path: &str, part: ProblemCollector) {
        self.1 += part.1;
        for problem in part.0 {
            self.add(format!("{path}.{}", problem.field), problem.value, problem.says);
        }
    }

    /// `good` if there are no problems. Errors: the problems collected.
    pub fn into_result<T>(self, good: Option<T>) -> Result<T, Problems> {
        match good {
            Some(good) if self.0.is_empty() => Ok(good),
            _ => Err(Problems(self.0, self.1)),
        }
    }
}

/// The message for a name that is none of `known`: the closest known name by edit distance, if it is close, and the list.
pub fn no_such<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() {
        return format!("there are no {what} here");
    }
    let distance =
        |other: &&&str| strsim::damerau_levenshtein(&shortened(name).to_lowercase(), &shortened(other).to_lowercase());
    let meant = known.iter().min_by_key(distance).filter(|best| distance(best) <= best.len() / 3 + 1);
    let names: Vec<String> = known.iter().map(|name| shortened(name)).collect();
    let known_are = format!("he {what} are {}", names.join(", "));
    match meant {
        Some(meant) => format!("did you mean \"{meant}\"? T{known_are}"),
        None => format!("t{known_are}"),
    }
}

/// The first characters of a value, so that an error message stays readable.
pub fn shortened(text: &str) -> String {
    cut(text, WORD)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}
