//! Operation histories as JSON lines in the manner of Jepsen: one invocation or response a line.
//!
//! ```text
//! {"process": 0, "type": "invoke", "f": "write", "value": 1, "time": 10}
//! {"process": 0, "type": "ok", "f": "write", "value": 1, "time": 25}
//! ```
//!
//! `type` is `invoke`, `ok` (done), `fail` (not done, and never will be) or `info` (nobody knows). `key` tells objects apart and may be left
//! out where there is one only; `time` may be left out, for the order of lines counts. Other fields and the lines of Jepsen's `nemesis` are
//! ignored.

use super::problem::{Problem, no_such, shortened};
use crate::judge::linearizability::{Call, History, HistoryError, Model, Recorder, Value};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Longest line, bytes.
pub const LONGEST: usize = 1 << 20;

/// Reads a whole history.
pub fn read(text: &str, model: Model) -> Result<History, Problem> {
    let mut reader = Reader::new(model);
    text.lines().try_for_each(|line| reader.line(line))?;
    reader.finish()
}

/// Reads a history line by line.
pub struct Reader {
    model: Model,
    recorder: Recorder,
    /// Lines read.
    lines: u32,
    /// Lines that are part of the history.
    events: u32,
    /// For each process, the line of its invocation.
    asked: BTreeMap<u32, u32>,
    /// For each key, the first lines with a text appended and with a value that is none.
    texts: BTreeMap<u32, (Option<u32>, Option<u32>)>,
}

type Fields = Map<String, Json>;

impl Reader {
    /// Reads a history of such objects.
    pub fn new(model: Model) -> Reader {
        let recorder = Recorder::default();
        Reader { model, recorder, lines: 0, events: 0, asked: BTreeMap::new(), texts: BTreeMap::new() }
    }

    fn problem(&self, field: &str, value: impl ToString, says: impl Into<String>) -> Problem {
        let field = match field {
            "" => format!("line {}", self.lines),
            _ => format!("line {}: {field}", self.lines),
        };
        Problem { field, value: shortened(&value.to_string()), says: says.into() }
    }

    fn missing(&self, field: &str, what: &str) -> Problem {
        self.problem(field, "", format!("is missing; {what} would do"))
    }

    /// Reads the next line. The error names the line, the field, the value and what would do.
    pub fn line(&mut self, text: &str) -> Result<(), Problem> {
        self.lines = self.lines.saturating_add(1);
        let text = text.trim();
        if text.is_empty() {
            self.recorder.skip_event();
            return Ok(());
        }
        let fields: Fields = serde_json::from_str(text).map_err(|error| {
            let why = error.to_string();
            let why = why.split(" at line").next().unwrap_or_default();
            self.problem("", text, format!("is no event as a JSON object: {why}"))
        })?;
        let process = match fields.get("process") {
            Some(Json::String(name)) if name.trim_start_matches(':') == "nemesis" => {
                self.recorder.skip_event();
                return Ok(());
            }
            Some(name @ (Json::Number(_) | Json::String(_))) => name.to_string(),
            Some(other) => return Err(self.problem("process", other, "a number or a name would do")),
            None => return Err(self.missing("process", "a number or a name")),
        };
        let number = self.recorder.process(&process);
        let time = match fields.get("time") {
            None | Some(Json::Null) => None,
            Some(time) => {
                Some(time.as_u64().ok_or_else(|| self.problem("time", time, "a whole number from 0 up would do"))?)
            }
        };
        self.events += 1;
        let recorded = match self.word(&fields, "type", &["invoke", "ok", "fail", "info"])? {
            "invoke" => {
                self.not_waiting(&process, number)?;
                let (key, call) = self.invocation(&fields, &process)?;
                self.asked.insert(number, self.lines);
                self.recorder.invoke(number, key, call, time)
            }
            answer => {
                let (key, asked) = self.waiting(&process, number)?;
                self.same_as_asked(&fields, key, asked)?;
                match answer {
                    "ok" => {
                        let call = self.outcome(&fields, key, asked)?;
                        self.recorder.ok(number, call, time)
                    }
                    "fail" => self.recorder.fail(number, time),
                    _ => self.recorder.info(number, time),
                }
            }
        };
        recorded.map_err(|error| match error {
            HistoryError::TimeDecreases(before) => {
                let time = fields.get("time").cloned().unwrap_or_default();
                self.problem("time", time, format!("a line above has {before}, and times never go back"))
            }
            other => self.problem("", "", format!("process {process} {other}")),
        })
    }

    /// A field that holds one of these words.
    fn word<'a>(&self, fields: &Fields, field: &str, words: &[&'a str]) -> Result<&'a str, Problem> {
        let list = words.join(", ");
        let given = fields.get(field).ok_or_else(|| self.missing(field, &format!("one of {list}")))?;
        let name = given.as_str().ok_or_else(|| self.problem(field, given, format!("one of {list} would do")))?;
        let bare = name.trim_start_matches(':');
        let known = words.iter().find(|word| **word == bare).copied();
        known.ok_or_else(|| self.problem(field, given, no_such(bare, "possible words", words.iter().copied())))
    }

    fn not_waiting(&self, process: &str, number: u32) -> Result<(), Problem> {
        match self.asked.get(&number) {
            Some(line) if self.recorder.pending(number).is_some() => {
                let says = format!("still waits for the answer to line {line}; a process does one thing at a time");
                Err(self.problem("process", process, says))
            }
            _ => Ok(()),
        }
    }

    fn waiting(&self, process: &str, number: u32) -> Result<(u32, Call), Problem> {
        let says = "waits for no answer; an invoke of this process must come first";
        self.recorder.pending(number).ok_or_else(|| self.problem("process", process, says))
    }

    /// What is asked for.
    fn invocation(&mut self, fields: &Fields, process: &str) -> Result<(u32, Call), Problem> {
        let function = self.word(fields, "f", self.model.functions())?;
        let key = match fields.get("key") {
            Some(key @ (Json::Array(_) | Json::Object(_))) => {
                return Err(self.problem("key", key, "a text or a number would do"));
            }
            None | Some(Json::Null) if self.model == Model::KeyValue => {
                return Err(self.missing("key", "a text or a number"));
            }
            None => Json::Null.to_string(),
            Some(key) => key.to_string(),
        };
        let key = self.recorder.key(&key);
        let given = fields.get("value").filter(|value| !value.is_null());
        let call = match function {
            "read" | "get" | "dequeue" => {
                if let Some(value) = given {
                    return Err(self.problem(
                        "value",
                        value,
                        format!("a {function} has a value when it is answered; null would do"),
                    ));
                }
                if function == "dequeue" { Call::Dequeue(None) } else { Call::Read(None) }
            }
            "acquire" if self.model == Model::FencedLock => match given {
                Some(token) => {
                    return Err(self.problem("value", token, "a token is given with the answer; null would do"));
                }
                None => Call::Grant(None),
            },
            "release" if self.model == Model::FencedLock => Call::Release(self.token(given)?),
            "write" if self.model == Model::FencedLock => Call::Store(self.token(given)?),
            "acquire" => Call::CompareAndSet { expect: Value::NOTHING, value: self.recorder.value(process) },
            "release" => Call::CompareAndSet { expect: self.recorder.value(process), value: Value::NOTHING },
            "cas" => match given.and_then(Json::as_array).map(Vec::as_slice) {
                Some([expect, value]) => {
                    let (expect, value) = (expect.clone(), value.clone());
                    Call::CompareAndSet { expect: self.value(key, &expect)?, value: self.value(key, &value)? }
                }
                _ => {
                    let given = given.cloned().unwrap_or_default();
                    return Err(self.problem("value", given, "[OLD, NEW] would do"));
                }
            },
            "enqueue" => match given {
                Some(value) => Call::Enqueue(self.value(key, value)?),
                None => return Err(self.missing("value", "the item to put into the queue")),
            },
            "append" => match given {
                Some(text @ Json::String(_)) => {
                    self.texts.entry(key).or_default().0.get_or_insert(self.lines);
                    Call::Append(self.value(key, text)?)
                }
                other => {
                    let other = other.cloned().unwrap_or_default();
                    return Err(self.problem("value", other, "the text to append would do"));
                }
            },
            _ => match fields.get("value") {
                Some(value) => Call::Write(self.value(key, value)?),
                None => return Err(self.missing("value", "the value to write")),
            },
        };
        Ok((key, call))
    }

    /// The token of a lock.
    fn token(&self, given: Option<&Json>) -> Result<u32, Problem> {
        let token = given.ok_or_else(|| self.missing("value", "the token that acquiring the lock gave"))?;
        let number = token.as_u64().and_then(|token| u32::try_from(token).ok());
        number.ok_or_else(|| self.problem("value", token, format!("a token is a whole number, 0 to {}", u32::MAX)))
    }

    /// What is written to or read from a key. Where texts are appended to, all is text.
    fn value(&mut self, key: u32, value: &Json) -> Result<Value, Problem> {
        let lines = self.texts.entry(key).or_default();
        if !value.is_string() && !value.is_null() {
            lines.1.get_or_insert(self.lines);
        }
        if let (Some(append), Some(other)) = *lines {
            let says = format!(
                "line {append} appends to this key, and line {other} has a value that is no text; texts would do"
            );
            return Err(self.problem("value", value, says));
        }
        Ok(self.recorder.value(&value.to_string()))
    }

    /// An answer need not repeat what was asked, but must not contradict it.
    fn same_as_asked(&self, fields: &Fields, key: u32, asked: Call) -> Result<(), Problem> {
        let function = self.model.function(asked);
        if let Some(given) =
            fields.get("f").filter(|given| given.as_str().is_none_or(|f| f.trim_start_matches(':') != function))
        {
            return Err(self.problem("f", given, format!("this process waits for the answer to its {function}")));
        }
        let name = self.recorder.key_text(key);
        match fields.get("key").map(Json::to_string) {
            Some(given) if given != name => {
                Err(self.problem("key", given, format!("this process waits for an answer about {name}")))
            }
            _ => Ok(()),
        }
    }

    /// What came of it.
    fn outcome(&mut self, fields: &Fields, key: u32, asked: Call) -> Result<Call, Problem> {
        let given = fields.get("value");
        match asked {
            Call::Read(_) | Call::Dequeue(_) => {
                let Some(value) = given else {
                    return Err(self.missing("value", "what was found, or null if there was nothing,"));
                };
                let value = self.value(key, value)?;
                Ok(if matches!(asked, Call::Read(_)) { Call::Read(Some(value)) } else { Call::Dequeue(Some(value)) })
            }
            Call::Grant(_) => Ok(Call::Grant(Some(self.token(given)?))),
            _ => {
                let repeated = self.model.value(asked, self.recorder.values());
                match (given.filter(|value| !value.is_null()).map(Json::to_string), repeated) {
                    (Some(value), Some(asked)) if value != asked => {
                        let says = format!("{asked}, as asked, would do; what was not done is answered by a fail");
                        Err(self.problem("value", value, says))
                    }
                    _ => Ok(asked),
                }
            }
        }
    }

    /// The history; an error if there is nothing in it.
    pub fn finish(self) -> Result<History, Problem> {
        if self.events == 0 {
            return Err(Problem {
                field: String::new(),
                value: String::new(),
                says: "there is no event in it".to_owned(),
            });
        }
        Ok(self.recorder.finish())
    }
}

/// Writes a history in the words of `model`, an event a line. Whoever was never answered has no second line.
pub fn write(history: &History, model: Model) -> String {
    let mut lines = BTreeMap::new();
    let done = history.operations.iter().map(|operation| (operation, "ok"));
    for (operation, kind) in done.chain(history.failed.iter().map(|operation| (operation, "fail"))) {
        let (process, key) = (history.processes.text(operation.process), history.keys.text(operation.key));
        let f = model.function(operation.call);
        let line = |kind: &str, call: Call, time: u64| {
            let value = model.value(call, &history.values);
            let value = value.as_deref().unwrap_or("null");
            format!(
                "{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":{key},\"value\":{value},\"time\":{time}}}\n"
            )
        };
        lines.insert(
            operation.invocation.position,
            line("invoke", operation.call.as_invoked(), operation.invocation.time),
        );
        if let Some(response) = operation.response {
            lines.insert(response.position, line(kind, operation.call, response.time));
        }
    }
    lines.into_values().collect()
}
