//! Lessons: each reads, is what it says on its own seed and on some more, and says it in plain words. `quorumscope lesson check` tries 200 seeds.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::lab::Fault;
use quorumscope::lab::lesson::form::{Holds, Lesson, Which};
use quorumscope::lab::lesson::trial::{self, Trial};
use quorumscope::lab::lesson::{LESSONS, Ready, read};
use quorumscope::lab::text;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Seeds tried here; `lesson check` tries 200.
const SEEDS: u64 = 3;

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn tree(path: &PathBuf) -> Value {
    let content = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text::tree_from_toml(&content).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
}

/// The files of the lessons, by name.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir("lessons").expect("lessons/ is there");
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    found.sort();
    found
}

/// All built-in lessons with their keys, in the order of the course.
fn lessons() -> Vec<(&'static str, Ready)> {
    let load = |json: &str| read::from_json(json).and_then(Lesson::check);
    let all =
        LESSONS.iter().map(|file| (file.key, load(file.json).unwrap_or_else(|wrong| panic!("{}: {wrong}", file.key))));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(_, ready)| ready.lesson.number);
    all
}

/// A lesson of the course, as a tree to change.
fn first_tree() -> Value {
    tree(&PathBuf::from("lessons/shoot-the-other.toml"))
}

/// `UPDATE=1 cargo test --test lessons` writes the twins anew; build again afterwards.
#[test]
fn built_in_lesson_equals_its_json_file() {
    let mut keys = Vec::new();
    for path in files() {
        let (twin, json) = (path.with_extension("json"), format!("{}\n", tree(&path)));
        if updating() {
            fs::write(&twin, &json).expect("writable");
        }
        assert_eq!(fs::read_to_string(&twin).unwrap_or_default(), json, "{}", twin.display());
        keys.push(path.file_stem().expect("a name").to_string_lossy().into_owned());
    }
    let listed: Vec<&str> = LESSONS.iter().map(|lesson| lesson.key).collect();
    assert_eq!(listed, keys, "the twins just written are built in by the next build: run this once more");
}

#[test]
fn lesson_is_what_it_says_on_its_own_seed_and_on_some_more() {
    for (key, ready) in lessons() {
        let mut tried = Trial::new(&ready).unwrap_or_else(|wrong| panic!("{key}: {wrong}"));
        for seed in 1..=SEEDS {
            tried.add(seed, &trial::seed(&ready, seed).unwrap_or_else(|wrong| panic!("{key}: {wrong}")));
        }
        assert_eq!(tried.done().wrong, Vec::<String>::new(), "{key}");
    }
}

#[test]
fn lessons_follow_each_other_in_a_ring_and_have_numbers_of_their_own() {
    let all = lessons();
    let keys: BTreeSet<&str> = all.iter().map(|(key, _)| *key).collect();
    let numbers: BTreeSet<u32> = all.iter().map(|(_, ready)| ready.lesson.number).collect();
    assert_eq!(numbers.len(), all.len());
    for (index, (key, ready)) in all.iter().enumerate() {
        let next = ready.lesson.next.as_deref();
        assert!(next.is_some_and(|next| keys.contains(next)), "{key}: {next:?}");
        assert_eq!(next, Some(all[(index + 1) % all.len()].0), "{key}");
        assert!((3..=8).contains(&ready.lesson.minutes), "{key}");
    }
}

/// Flesch and Kincaid's grade level, with syllables counted as groups of vowels.
fn grade(text: &str) -> f64 {
    let sentences = text.matches(['.', '?', '!', ':', ';']).count().max(1);
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).collect();
    let syllables = |word: &&str| {
        let lower = word.to_lowercase();
        let letters: Vec<char> = lower.chars().filter(|c| c.is_alphabetic()).collect();
        let vowel = |c: char| "aeiouy".contains(c);
        let groups = letters.windows(2).filter(|pair| vowel(pair[1]) && !vowel(pair[0])).count();
        let silent = letters.len() > 3 && letters.ends_with(&['e']) && !letters.ends_with(&['l', 'e']);
        (groups + usize::from(letters.first().is_some_and(|c| vowel(*c)))).saturating_sub(usize::from(silent)).max(1)
    };
    let count: usize = words.iter().map(syllables).sum();
    0.39 * words.len() as f64 / sentences as f64 + 11.8 * count as f64 / words.len() as f64 - 15.59
}

/// All that a learner reads of a lesson.
fn words(lesson: &Lesson) -> String {
    let Lesson { question, about, happened, reason, prediction, construct, .. } = lesson;
    [question, about, happened, reason, &prediction.ask, &construct.ask, &construct.hint].map(String::as_str).join(" ")
}

#[test]
fn lesson_reads_as_easily_as_a_text_for_the_eighth_grade() {
    for (key, ready) in lessons() {
        let grade = grade(&words(&ready.lesson));
        assert!(grade <= 8.0, "{key}: grade {grade:.1}");
    }
}

#[test]
fn lesson_in_json_is_small() {
    for lesson in LESSONS {
        // Brotli makes less than half of it; the budget is 12 KB.
        assert!(lesson.json.len() < 24_000, "{}: {}", lesson.key, lesson.json.len());
    }
}

/// What is changed in a lesson, and what the error says of it.
#[test]
fn lesson_that_makes_no_sense_is_refused_with_field_value_and_suggestion() {
    let wrong = [
        ("minuets=5", "minuets: is no field; did you mean \"minutes\"?"),
        ("minutes=90", "minutes: 90: 1 to 30 would do"),
        ("covers[0]=L99", "covers: L99: \"L3\" to \"L36\" would do"),
        ("scenario=heartbeat-pare", "scenario: \"heartbeat-pare\": did you mean \"heartbeat-pair\"?"),
        ("scenario=5", "first: 5: fields with values would do"),
        ("second.set=[]", "second.set: nothing: the two runs must differ in exactly one thing"),
        ("second.set[1]=seed=7", "second.set: seed, variant: the two runs must differ in exactly one thing"),
        ("second.set=[\"variant=rafd\"]", "second: variant: \"rafd\": did you mean \"raft\"?"),
        ("set=[\"settings.timeout=long\"]", "first: settings.timeout: \"long\": a time with its unit would do"),
        ("first.stop=later", "first.stop: \"later\": a time such as \"9s\", or one of the moments chosen"),
        ("first.stop=99s", "first.stop: \"99s\": a time up to the run's duration, 10s, would do"),
        ("happened=It took 5 seconds.", "happened: It took 5 seconds.: has a written number"),
        ("happened={rong} of {primaries}", "happened: \"{rong}\": did you mean \"wrong\"?"),
        ("figures.wrong.property=Agrement", "figures.wrong.property: \"Agrement\": did you mean \"Agreement\"?"),
        ("figures.primaries.site=us-east-1", "figures.primaries.site: this measure takes nothing"),
        ("figures.primaries.is=2", "figures.primaries: is a condition"),
        ("figures.primaries.measure=leeders", "figures.primaries.measure: unknown variant `leeders`"),
        ("prediction.option=[]", "prediction.option: 0 options: 2 to 8 options would do"),
        ("prediction.within=5%", "prediction.within: this kind of prediction has no such field"),
        ("prediction.option[0].when=[]", "prediction.option[0].when: is empty"),
        ("claim[0].when[0].is=many", "claim[0].when[0].is: many: a whole number from 0 up would do"),
        ("claim[0].between=[\"1%\", \"2%\"]", "claim[0].between: two shares"),
        ("claim[4].seed=3", "claim[4].seed: only what can happen has a seed"),
        ("construct.most=0", "construct.most: 0: 1 to 8 would do"),
        ("construct.only[0]=slou", "construct.only: \"slou\": did you mean \"slow\"?"),
        (
            "construct.example[0].do=cut",
            "construct.example: \"cut\" may not be used here; slow, loss, pause, continue would do",
        ),
        ("construct.at=1h", "construct.at: 1h: a time up to the run's duration, 10s, would do"),
        ("control[0].path=settings.tymeout", "control[0].path: settings.tymeout: neither run has such a setting"),
        ("control[0].values=[\"never\", \"1s\"]", "control[0].values: never: "),
    ];
    for (change, says) in wrong {
        let mut tree = first_tree();
        text::set(&mut tree, change).expect("a path of the lesson");
        let found = match read::read(tree).and_then(Lesson::check) {
            Ok(_) => panic!("{change} was accepted"),
            Err(problems) => problems.to_string(),
        };
        assert!(found.contains(says), "{change}\n  says {found}\n  and not {says}");
    }
}

#[test]
fn trial_tells_claims_answers_and_tasks_that_the_runs_do_not_bear_out() {
    let wrong = [
        ("claim[0].seed=6", "does not happen with seed 6"),
        ("claim[5].when[0].is=1", "does not always hold: not with seed 1"),
        ("claim[4].when[0].at_least=1", "happens: with seed 1"),
        ("prediction.option[2].when[0].is=1", "prediction: no option is right"),
        ("prediction.option[0].when[0].is=2", "prediction: two options are right"),
        ("construct.goal[0].at_least=3", "construct.example: does not reach the goal"),
        ("construct.goal[0].at_least=1", "construct: the goal is reached without doing anything"),
        ("figures.wrong.property=Applied prefix", "figures.wrong: there is nothing to measure"),
    ];
    for (change, says) in wrong {
        let mut tree = first_tree();
        text::set(&mut tree, change).expect("a path of the lesson");
        let ready = read::read(tree).and_then(Lesson::check).unwrap_or_else(|problems| panic!("{change}: {problems}"));
        let mut tried = Trial::new(&ready).expect("it runs");
        tried.add(1, &trial::seed(&ready, 1).expect("it runs"));
        let found = tried.done().wrong;
        assert!(found.iter().any(|one| one.contains(says)), "{change}: {found:?}");
    }
}

#[test]
fn share_is_judged_over_many_seeds() {
    let ready = lessons().remove(0).1;
    let nth = ready.lesson.claims.iter().position(|claim| claim.holds == Holds::Share).expect("a share");
    let held =
        |yes: bool| (0..ready.lesson.claims.len()).map(|claim| claim == nth && yes || claim == 5).collect::<Vec<_>>();
    for (of_four, well) in [(1, true), (2, false), (0, false)] {
        let mut tried = Trial::new(&ready).expect("it runs");
        (1..=200).for_each(|seed| tried.add(seed, &held(seed % 4 < of_four)));
        let about_it = |wrong: &String| wrong.contains(&format!("claim[{nth}]"));
        assert_eq!(!tried.done().wrong.iter().any(about_it), well, "{of_four} of four");
    }
}

#[test]
fn schedule_of_a_task_is_bounded_and_uses_what_is_allowed() {
    let ready = lessons().remove(0).1;
    let cut = Fault { at: "2s".into(), action: "cut".to_owned(), from: None, ..Fault::default() };
    let says = ready.reaches(std::slice::from_ref(&cut)).expect_err("it may not be used").to_string();
    assert!(says.contains("\"cut\" may not be used here"), "{says}");
    let says = ready.reaches(&vec![cut; 9]).expect_err("too many").to_string();
    assert!(says.contains("9 actions are too many; 3 would do"), "{says}");
    assert_eq!(ready.lesson.run(Which::Second).name, "Raft on the same two servers");
}

/// The paths of all values in a tree.
fn paths(tree: &Value, path: &str, found: &mut Vec<String>) {
    match tree {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            paths(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| paths(value, &format!("{path}[{index}]"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn lesson_with_any_odd_value_is_read_or_refused_and_never_panics() {
    let mut all = Vec::new();
    paths(&first_tree(), "", &mut all);
    assert!(all.len() > 60, "{}", all.len());
    for (nth, path) in all.iter().enumerate() {
        // Each path with two of the values, in turn.
        for odd in ["-1", "18446744073709551615", "[]", "{\"a\": 1}", "x", "", "{}}{"].iter().cycle().skip(nth).take(2)
        {
            let mut tree = first_tree();
            text::set(&mut tree, &format!("{path}={odd}")).expect("a path of the lesson");
            if let Err(problems) = read::read(tree).and_then(Lesson::check) {
                assert!(!problems.to_string().is_empty(), "{path}={odd}");
            }
        }
    }
}

/// A line of the notes, as `docs/lines.toml` has it.
struct Line {
    number: u64,
    says: String,
    scenarios: Vec<String>,
}

fn lines() -> Vec<Line> {
    let all = tree(&PathBuf::from("docs/lines.toml"));
    let all = all["line"].as_array().expect("lines").iter().map(|line| Line {
        number: line["number"].as_u64().expect("a number"),
        says: line["says"].as_str().expect("a text").to_owned(),
        scenarios: line["scenarios"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|key| key.as_str().expect("a key").to_owned())
            .collect(),
    });
    all.collect()
}

/// The page about the lessons.
fn coverage() -> String {
    let all = lessons();
    let mut page = "# The lessons\n\nMade from `lessons/` and `lines.toml` by `tests/lessons.rs`; change those, and run\n`UPDATE=1 cargo test --test lessons`. \
                    `quorumscope lesson check` tries what each says on its own seed and on 200 more.\n[Writing a lesson](writing-a-lesson.md) tells how to write one.\n\n\
                    | | lesson | question | minutes | school grade (Flesch and Kincaid) |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (key, Ready { lesson, .. }) in &all {
        let Lesson { number, title, question, minutes, .. } = lesson;
        let grade = grade(&words(lesson));
        page += &format!("| {number} | [{title}](../lessons/{key}.toml) | {question} | {minutes} | {grade:.1} |\n");
    }
    page += "\n## Every line of the notes\n\nWhere each line of the notes can be tried: in lessons, and in built-in scenarios.\n\n\
             | line | about | lessons | scenarios |\n| --- | --- | --- | --- |\n";
    for Line { number, says, scenarios } in lines() {
        let covers = |ready: &Ready| ready.lesson.covers.contains(&format!("L{number}"));
        let titles: Vec<String> = all
            .iter()
            .filter(|(_, ready)| covers(ready))
            .map(|(key, ready)| format!("[{}](../lessons/{key}.toml)", ready.lesson.title))
            .collect();
        let scenarios: Vec<String> = scenarios.iter().map(|key| format!("[{key}](../scenarios/{key}.toml)")).collect();
        page += &format!("| L{number} | {says} | {} | {} |\n", titles.join(", "), scenarios.join(", "));
    }
    page
}

/// `UPDATE=1 cargo test --test lessons` writes it anew.
#[test]
fn page_about_lessons_is_what_the_lessons_say() {
    let page = coverage();
    if updating() {
        fs::write("docs/lessons.md", &page).expect("writable");
    }
    assert_eq!(fs::read_to_string("docs/lessons.md").unwrap_or_default(), page);
}

#[test]
fn every_line_of_the_notes_can_be_tried() {
    let lines = lines();
    assert!(lines.iter().map(|line| line.number).eq(3..=36));
    let covered: BTreeSet<String> = lessons().iter().flat_map(|(_, ready)| ready.lesson.covers.clone()).collect();
    for Line { number, scenarios, .. } in &lines {
        for key in scenarios {
            assert!(quorumscope::lab::presets::preset(key).is_some(), "L{number}: {key}");
        }
        assert!(!scenarios.is_empty() || covered.contains(&format!("L{number}")), "L{number}");
    }
}

/// The lesson that `docs/writing-a-lesson.md` writes is one that reads, and is as it says.
#[test]
fn lesson_of_the_guide_is_what_it_says() {
    let guide = fs::read_to_string("docs/writing-a-lesson.md").expect("readable");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let tree = text::tree_from_toml(&blocks.concat()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let example = fs::read_to_string("docs/course-example/slow-link.toml").expect("readable");
    assert_eq!(text::tree_from_toml(&example).as_ref(), Ok(&tree), "the course page has the same lesson");
    let ready = read::read(tree).and_then(Lesson::check).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut tried = Trial::new(&ready).unwrap_or_else(|wrong| panic!("{wrong}"));
    for seed in 1..=SEEDS {
        tried.add(seed, &trial::seed(&ready, seed).unwrap_or_else(|wrong| panic!("{wrong}")));
    }
    assert_eq!(tried.done().wrong, Vec::<String>::new());
}
