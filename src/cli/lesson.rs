//! `quorumscope lesson`: lessons listed, shown, and tried on many seeds.

use crate::progress::Progress;
use crate::table::Table;
use crate::{Stop, invalid, parallel, source};
use clap::Subcommand;
use quorumscope::lab::lesson::form::{Lesson, Which};
use quorumscope::lab::lesson::trial::{self, Trial, Tried};
use quorumscope::lab::lesson::{LESSONS, Ready, built_in, read};
use quorumscope::lab::problem::no_such;
use quorumscope::lab::{Problems, text};
use serde_json::json;
use std::io::Write;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

/// What to do with lessons.
#[derive(Subcommand)]
pub enum Command {
    /// List the built-in lessons
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a lesson: its question, its two runs, what happens, and its task
    Show {
        /// A .toml or .json file, or the key of a built-in lesson
        lesson: String,
        /// As JSON: the lesson, what happens, and the right prediction
        #[arg(long)]
        json: bool,
    },
    /// Try lessons: each on its own seed and on many more
    Check {
        /// .toml or .json files, or keys of built-in lessons; all that are built in unless said otherwise
        lessons: Vec<String>,
        /// How many seeds to try besides the lesson's own
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// How many seeds to run at the same time; as many as there are processors unless said otherwise
        #[arg(long)]
        jobs: Option<NonZero<u16>>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of lesson documents
    Schema,
}

/// Does it.
pub fn lesson(command: &Command, out: &mut impl Write) -> Result<ExitCode, Stop> {
    match command {
        Command::List { json } => list(*json, out),
        Command::Show { lesson, json } => show(lesson, *json, out),
        Command::Check { lessons, seeds, jobs, json } => check(lessons, *seeds, *jobs, *json, out),
        Command::Schema => crate::json(&read::schema(), out),
    }
}

/// Reads a lesson from a file or from those built in.
fn load(name: &str) -> Result<Ready, Stop> {
    let wrong = |problems: Problems| source::about(name, problems);
    let path = Path::new(name);
    if !path.exists() {
        let keys = LESSONS.iter().map(|lesson| lesson.key);
        let Some(file) = built_in(name) else {
            return Err(invalid(format!("there is no file \"{name}\"; {}", no_such(name, "built-in lessons", keys))));
        };
        return read::from_json(file.json).and_then(Lesson::check).map_err(wrong);
    }
    let content = source::read_file(path)?;
    let tree = match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => text::tree_from_json(&content),
        Some("toml") => text::tree_from_toml(&content),
        _ => return Err(invalid(format!("{name}: a lesson's file ends in .toml or .json"))),
    };
    tree.map_err(Problems::from).and_then(read::read).and_then(Lesson::check).map_err(wrong)
}

/// All built-in lessons with their keys, in the order of the course.
fn all() -> Result<Vec<(&'static str, Ready)>, Stop> {
    let mut lessons = LESSONS.iter().map(|file| Ok((file.key, load(file.key)?))).collect::<Result<Vec<_>, Stop>>()?;
    lessons.sort_by_key(|(_, ready)| ready.lesson.number);
    Ok(lessons)
}

fn list(json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let lessons = all()?;
    if json {
        let one = |(key, Ready { lesson, .. }): &(&str, Ready)| {
            json!({ "key": key, "number": lesson.number, "title": lesson.title, "question": lesson.question,
                    "minutes": lesson.minutes, "covers": lesson.covers, "next": lesson.next })
        };
        return crate::json(&lessons.iter().map(one).collect::<Vec<_>>(), out);
    }
    let mut table = Table::left();
    for (key, Ready { lesson, .. }) in &lessons {
        let minutes = format!("{} min", lesson.minutes);
        table.row([
            lesson.number.to_string(),
            (*key).to_owned(),
            minutes,
            lesson.title.clone(),
            lesson.covers.join(", "),
        ]);
    }
    table.write(out)?;
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let ready = load(name)?;
    let lesson = &ready.lesson;
    let runs = ready.play(None).map_err(|problem| source::about(name, problem.into()))?;
    let right = lesson.prediction.right(&runs).map_err(|why| invalid(format!("{name}: prediction: {why}")))?;
    let right = lesson.prediction.text(&right, &ready.place_names());
    let happened = lesson.happened(&runs);
    if json {
        return crate::json(&json!({ "lesson": lesson, "happened": happened, "right": right }), out);
    }
    writeln!(out, "{}. {} ({} minutes)", lesson.number, lesson.title, lesson.minutes)?;
    writeln!(out, "\n{}\n\n{}", lesson.question, lesson.about)?;
    for which in [Which::First, Which::Second] {
        let run = lesson.run(which);
        let changed = if run.set.is_empty() { String::new() } else { format!(" ({})", run.set.join(", ")) };
        writeln!(
            out,
            "\n{} run: {}{changed}. {}",
            if which == Which::First { "First" } else { "Second" },
            run.name,
            run.look
        )?;
    }
    writeln!(out, "\nPredict: {}", lesson.prediction.ask)?;
    for option in &lesson.prediction.options {
        writeln!(out, "  - {}", option.says)?;
    }
    writeln!(out, "\nRight: {right}\n\n{happened}\n\n{}", lesson.reason)?;
    writeln!(out, "\nBuild: {}", lesson.construct.ask)?;
    writeln!(out, "\nSources:")?;
    lesson.sources.iter().try_for_each(|source| writeln!(out, "  {source}"))?;
    Ok(ExitCode::SUCCESS)
}

fn check(
    names: &[String],
    seeds: u64,
    jobs: Option<NonZero<u16>>,
    json: bool,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let lessons: Vec<(String, Ready)> = match names {
        [] => all()?.into_iter().map(|(key, ready)| (key.to_owned(), ready)).collect(),
        names => names.iter().map(|name| Ok((name.clone(), load(name)?))).collect::<Result<_, Stop>>()?,
    };
    let mut all_well = true;
    let mut told = Vec::new();
    for (name, ready) in &lessons {
        let tried = try_one(name, ready, seeds, parallel::jobs(jobs))?;
        all_well &= tried.wrong.is_empty();
        if json {
            told.push(json!({ "lesson": name, "tried": tried }));
        } else {
            print(name, ready, &tried, out)?;
        }
    }
    if json {
        crate::json(&told, out)?;
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn try_one(name: &str, ready: &Ready, seeds: u64, jobs: usize) -> Result<Tried, Stop> {
    let wrong = |problems: Problems| source::about(name, problems);
    let mut trial = Trial::new(ready).map_err(wrong)?;
    let mut progress = Progress::new("trying");
    let command = format!("quorumscope lesson check '{name}' --seeds");
    let collect = |seed, held: Result<Vec<bool>, Problems>| match held {
        Ok(held) => {
            progress.set(seed * 1_000 / seeds);
            trial.add(seed, &held);
            ControlFlow::Continue(())
        }
        Err(problems) => ControlFlow::Break(wrong(problems)),
    };
    let again = move |seed: u64| format!("{command} {seed}");
    let work = |seed| trial::seed(ready, seed);
    let done = if seeds == 0 {
        ControlFlow::Continue(())
    } else {
        parallel::in_order(1..seeds + 1, jobs, again, work, collect)
    };
    progress.done();
    match done {
        ControlFlow::Break(stop) => Err(stop),
        ControlFlow::Continue(()) => Ok(trial.done()),
    }
}

fn print(name: &str, ready: &Ready, tried: &Tried, out: &mut impl Write) -> Result<(), Stop> {
    let well = if tried.wrong.is_empty() { "as it says" } else { "NOT as it says" };
    writeln!(out, "{name}: {well}, its own seed and {} more", tried.seeds)?;
    writeln!(out, "  right: {}", tried.right)?;
    for (claim, tried) in ready.lesson.claims.iter().zip(&tried.claims) {
        let how = format!("{:?}", claim.holds).to_lowercase();
        let pinned = claim.seed.map(|seed| format!(", with seed {seed}")).unwrap_or_default();
        writeln!(out, "  {how}{pinned}: {} of {}: {}", tried.held, tried.of, tried.says)?;
    }
    tried.wrong.iter().try_for_each(|wrong| writeln!(out, "  WRONG {wrong}"))?;
    Ok(())
}
