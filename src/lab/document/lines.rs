//! Documents as JSON for people to edit: what is short stands on one line, such as an entry of the script, and problems are found again by line.

use super::link::{document, tree_from_json};
use super::problem::{Problem, Problems};
use super::recorded_run::RecordedRun;
use super::scenario::Scenario;

/// Most characters of a value that stands on one line.
const WIDTH: usize = 120;

/// Writes a scenario, one entry of the script a line.
pub fn to_lines(scenario: &Scenario) -> String {
    let compact = serde_json::to_string(scenario).expect("a scenario has text keys only");
    let mut text = String::new();
    Value::of(&compact).write(&compact, 0, &mut text);
    text.push('\n');
    text
}

/// Reads a document. Errors: its problems, each with its line.
pub fn from_lines(text: &str) -> Result<RecordedRun, Vec<(usize, Problem)>> {
    let read = tree_from_json(text).map_err(Problems::from).and_then(document);
    read.map_err(|problems| locate(text, problems))
}

/// The problems of a document, each with the line that it is in, from 1. A field that is missing is where it would have to stand.
pub fn locate(text: &str, problems: Problems) -> Vec<(usize, Problem)> {
    let tree = tree_from_json(text).is_ok().then(|| Value::of(text));
    let line = |problem: &Problem| match &tree {
        Some(tree) => 1 + text[..tree.find(&problem.field)].matches('\n').count(),
        None => line_in(&problem.says),
    };
    problems.0.into_iter().map(|problem| (line(&problem), problem)).collect()
}

/// The line that the reader of JSON names in what it says.
fn line_in(says: &str) -> usize {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    says.rsplit_once(" at line ").and_then(|(_, rest)| digits(rest)).unwrap_or(1)
}

/// A value in a text that is JSON: where it begins and ends, and what is in it.
struct Value {
    start: usize,
    end: usize,
    /// Elements, with their names if they are fields and with the place at which they begin, names included.
    parts: Vec<(String, usize, Value)>,
}

impl Value {
    /// The value that a text holds.
    fn of(text: &str) -> Value {
        let mut at = 0;
        Value::read(text.as_bytes(), &mut at)
    }

    fn read(text: &[u8], at: &mut usize) -> Value {
        skip(text, at);
        let start = *at;
        let mut parts = Vec::new();
        match text.get(start) {
            Some(b'{' | b'[') => {
                let is_object = text[start] == b'{';
                *at += 1;
                loop {
                    skip(text, at);
                    match text.get(*at) {
                        None => break,
                        Some(b'}' | b']') => {
                            *at += 1;
                            break;
                        }
                        Some(b',') => *at += 1,
                        Some(_) => {
                            let begins = *at;
                            let name = if is_object { name(text, at) } else { String::new() };
                            parts.push((name, begins, Value::read(text, at)));
                        }
                    }
                }
            }
            Some(b'"') => string(text, at),
            _ => {
                while text.get(*at).is_some_and(|byte| !b",]} \t\r\n".contains(byte)) {
                    *at += 1;
                }
            }
        }
        Value { start, end: *at, parts }
    }

    /// Where the value at a path such as `script[3].node` begins; as far along the path as there is such a value.
    fn find(&self, path: &str) -> usize {
        // A run is a scenario and more.
        let own = self.parts.iter().any(|(name, ..)| path.split(['.', '[']).next() == Some(name));
        let scenario = self.parts.iter().find(|(name, ..)| !own && name == "scenario");
        let (mut place, mut value) = scenario.map_or((self.start, self), |(_, begins, value)| (*begins, value));
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match step.strip_suffix(']') {
                Some(index) => index.parse().ok().and_then(|index: usize| value.parts.get(index)),
                None => value.parts.iter().find(|(name, ..)| name == step),
            };
            let Some((_, begins, found)) = next else { break };
            (place, value) = (*begins, found);
        }
        place
    }

    /// Writes it, on one line if it is short; not the document itself, nor its lists of entries.
    fn write(&self, text: &str, depth: usize, out: &mut String) {
        let compact = &text[self.start..self.end];
        let (open, close) = (&compact[..1], &compact[compact.len() - 1..]);
        if self.parts.is_empty() {
            return out.push_str(compact);
        }
        let entries = depth == 1 && compact.starts_with("[{");
        let is_short = depth > 0 && !entries && compact.len() <= WIDTH;
        let indent = |depth: usize| format!("\n{}", "  ".repeat(depth));
        out.push_str(open);
        for (place, (name, _, value)) in self.parts.iter().enumerate() {
            let between = match (is_short, open) {
                (false, _) => indent(depth + 1),
                (true, "{") => " ".to_owned(),
                (true, _) => if place == 0 { "" } else { " " }.to_owned(),
            };
            out.push_str(if place == 0 { "" } else { "," });
            out.push_str(&between);
            if open == "{" {
                // Names of fields need no escapes, but those of weights and settings may.
                out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                out.push_str(": ");
            }
            value.write(text, depth + 1, out);
        }
        match (is_short, open) {
            (false, _) => out.push_str(&indent(depth)),
            (true, "{") => out.push(' '),
            (true, _) => {}
        }
        out.push_str(close);
    }
}

fn skip(text: &[u8], at: &mut usize) {
    while text.get(*at).is_some_and(u8::is_ascii_whitespace) {
        *at += 1;
    }
}

fn string(text: &[u8], at: &mut usize) {
    *at += 1;
    while let Some(byte) = text.get(*at) {
        *at += if *byte == b'\\' { 2 } else { 1 };
        if *byte == b'"' {
            break;
        }
    }
}

/// The name of a field, and the colon after it.
fn name(text: &[u8], at: &mut usize) -> String {
    let start = *at;
    string(text, at);
    let name = serde_json::from_slice(&text[start..(*at).min(text.len())]).unwrap_or_default();
    skip(text, at);
    *at += 1;
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::presets::PRESETS;

    #[test]
    fn every_built_in_scenario_reads_back_equal_from_its_lines() {
        for preset in PRESETS {
            let scenario = super::super::link::from_json(preset.json).expect("it is a document").scenario;
            let text = to_lines(&scenario);
            assert!(
                text.lines().all(|line| line.trim_start().len() < 2 * WIDTH
                    || line.contains("\"about\"")
                    || line.contains("look")),
                "{text}"
            );
            let again = from_lines(&text).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
            assert_eq!(again.scenario, scenario);
        }
    }

    const TEXT: &str = r#"{
  "variant": "raft",
  "sites": ["a", { "id": "b" }],
  "rtt_ms": [[1, 2], [2, 1]],
  "replicas": ["a", "b", "a"],
  "script": [
    { "at": "1s", "do": "crash", "node": 1 },
    { "at": "2s", "do": "restart", "node": "a { \" }" },
    { "at": "3s", "do": "crash", "node": 9 }
  ]
}
"#;

    #[test]
    fn problem_is_found_at_its_line() {
        let lines = |text: &str| match from_lines(text) {
            Err(problems) => problems.into_iter().map(|(line, problem)| (line, problem.field)).collect::<Vec<_>>(),
            Ok(document) => {
                let wrong = document.scenario.check().expect_err("something is wrong");
                locate(text, wrong).into_iter().map(|(line, problem)| (line, problem.field)).collect()
            }
        };
        assert_eq!(lines(TEXT), [(8, "script[1].node".to_owned())]);
        let number = TEXT.replace(r#""a { \" }""#, "1");
        assert_eq!(lines(&number), [(9, "script[2].node".to_owned())]);
        let missing = number.replace("\"do\": \"restart\", ", "");
        assert_eq!(lines(&missing), [(8, "script[1].do".to_owned())]);
        let unknown = number.replace("\"rtt_ms\"", "\"rtt\"");
        assert_eq!(lines(&unknown), [(4, "rtt".to_owned())]);
        assert_eq!(lines(&number.replace("\"node\": 1 },", "\"node\": 1 ")), [(8, String::new())]);
        assert_eq!(lines(""), [(1, String::new())]);
        let run = format!("{{ \"scenario\":\n{number} }}");
        assert_eq!(lines(&run), [(10, "script[2].node".to_owned())]);
    }

    #[test]
    fn script_stands_one_entry_a_line() {
        let document = from_lines(&TEXT.replace(r#""a { \" }""#, "1")).expect("it can be read");
        let text = to_lines(&document.scenario);
        assert!(text.contains("\n    { \"at\": \"2s\", \"do\": \"restart\", \"node\": 1 },\n"), "{text}");
        assert!(text.contains("\n  \"replicas\": [\"a\", \"b\", \"a\"],\n"), "{text}");
    }
}
