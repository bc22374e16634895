//! Sequence charts in `docs/variants/`: of every variant that of the normal case, and those that `docs/variants/charts/*.toml` ask for. All are
//! made from runs. After a change that is meant to change what happens: `UPDATE=1 cargo test --test charts`, and look at the difference.
//!
//! A chart is asked for by a file with these fields; its name begins with the key of the variant:
//! * `title`;
//! * `transcript`, a file in `tests/transcripts/` whose scenario is run and whose head says what happens, or `scenario`, a built-in one, and `says`;
//! * `from`, `until`: the part that is shown; times in the chart are told since `from`;
//! * `nodes`, `heartbeats`: optionally the nodes shown (all), and whether heartbeats that change nothing are shown (no).
//!
//! What another test has measured of a variant, and written to `docs/variants/measured/KEY.md`, becomes the end of its page.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::{NodeId, NodeSet, Phase, Settings};
use quorumscope::lab::run::Run;
use quorumscope::lab::run::sequence::chart::Fate;
use quorumscope::lab::run::sequence::{Chart, Filter, drawing, of_run, steady, svg, terminal, text};
use quorumscope::lab::{Document, Quantity, Scenario, presets, read};
use quorumscope::universe::{self, End, Variant};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const FOLDER: &str = "docs/variants";

/// A file that asks for a chart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    title: String,
    transcript: Option<String>,
    scenario: Option<String>,
    #[serde(default)]
    says: String,
    from: String,
    until: String,
    #[serde(default)]
    nodes: Vec<u8>,
    #[serde(default)]
    heartbeats: bool,
}

/// A chart with its name and what it shows, in the words of who asked for it.
struct Made {
    name: String,
    says: String,
    chart: Chart,
}

fn micros(text: &str) -> u64 {
    Quantity::from(text).micros().expect("a time")
}

/// Head and scenario of a golden transcript.
fn transcript(name: &str) -> (String, Scenario) {
    let file = fs::read_to_string(format!("tests/transcripts/{name}.txt")).expect("a transcript");
    let head: Vec<&str> = file.lines().take_while(|line| line.starts_with('#')).collect();
    let head = head.join(" ").replace("# ", "");
    let (_, rest) = file.split_once("\nscenario\n").expect("a scenario");
    let (scenario, _) = rest.split_once("\n----\n").expect("its end");
    (head, read(toml::Deserializer::parse(scenario).expect("TOML")).expect("a scenario"))
}

fn asked(path: &Path) -> (Made, &'static Variant) {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let asked: Asked = toml::from_str(&fs::read_to_string(path).expect("readable")).expect("what a chart file says");
    let (says, scenario) = match (&asked.transcript, &asked.scenario) {
        (Some(transcript_name), None) => transcript(transcript_name),
        (None, Some(key)) => {
            let preset = presets::preset(key).expect("a built-in scenario");
            (asked.says.clone(), read(&mut serde_json::Deserializer::from_str(preset.json)).expect("a scenario"))
        }
        _ => panic!("{name}: either a transcript or a scenario"),
    };
    let variant = universe::variant(&scenario.variant).expect("a variant");
    assert!(name.starts_with(&format!("{}-", variant.card.key)), "{name} is a chart of {}", variant.card.key);
    let mut nodes = NodeSet::EMPTY;
    asked.nodes.iter().for_each(|node| _ = nodes.add(NodeId(node - 1)));
    let filter = Filter { nodes: (!asked.nodes.is_empty()).then_some(nodes), heartbeats: asked.heartbeats };
    let mut run = Run::new(&Document::from(scenario)).expect("it runs");
    let mut chart = of_run(&mut run, micros(&asked.from), micros(&asked.until), filter)
        .unwrap_or_else(|problem| panic!("{name}: {problem}"));
    chart.origin = chart.from;
    chart.title = format!("{}: {}", variant.card.title, asked.title);
    let says = if asked.says.is_empty() { says } else { asked.says };
    (Made { name, says, chart }, variant)
}

fn normal(variant: &'static Variant) -> Chart {
    steady::chart(variant, &variant.inspector).unwrap_or_else(|says| panic!("{}: {says}", variant.card.key))
}

/// All charts, by the key of their variant: that of the normal case first.
fn charts() -> BTreeMap<&'static str, Vec<Made>> {
    let mut all: BTreeMap<&str, Vec<Made>> = BTreeMap::new();
    for variant in universe::variants() {
        let says =
            "One command, nothing fails, all distances are the same. Heartbeats that change nothing are left out.";
        let (name, chart) = (format!("{}-normal", variant.card.key), normal(variant));
        all.entry(variant.card.key).or_default().push(Made { name, says: says.to_owned(), chart });
    }
    let entries = fs::read_dir(format!("{FOLDER}/charts")).expect("a folder");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    for path in paths {
        let (made, variant) = asked(&path);
        all.entry(variant.card.key).or_default().push(made);
    }
    all
}

/// The page of a variant.
fn page(variant: &Variant, charts: &[Made]) -> String {
    let card = variant.card;
    let mut page =
        format!("<!-- Written by UPDATE=1 cargo test --test charts -->\n# {}\n\n{}\n\n", card.title, card.says);
    let _ = writeln!(page, "* **Paper:** {}", card.paper);
    let _ = writeln!(page, "* **Optimises:** {}", card.optimises);
    let _ = writeln!(page, "* **Fewest replicas:** {}", card.min_replicas);
    for formula in card.formulas {
        let _ = writeln!(page, "* **Messages per command:** {} ({})", formula.text, formula.source);
    }
    let kinds: Vec<String> = variant.kinds.iter().map(|kind| format!("{} ({})", kind.name, kind.says)).collect();
    let _ = writeln!(page, "* **Messages:** {}", kinds.join(", "));
    let _ = writeln!(page, "\n`quorumscope list {}` tells its settings and its rules.", card.key);
    for Made { name, says, chart } in charts {
        let title = chart.title.split_once(": ").map_or(chart.title.as_str(), |(_, title)| title);
        let mut first = title.chars();
        let title: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
        let _ = writeln!(page, "\n## {title}\n\n{says}\n");
        let _ = writeln!(page, "![{}](charts/{name}.svg)\n", drawing::draw(chart).description);
        let _ = writeln!(page, "<details><summary>The same in sentences</summary>\n");
        for sentence in text::sentences(chart) {
            let _ = writeln!(page, "* {}", sentence.replace('<', "&lt;"));
        }
        let _ = writeln!(page, "\n</details>");
    }
    match fs::read_to_string(format!("{FOLDER}/measured/{}.md", card.key)) {
        Ok(measured) => page + "\n" + &measured,
        Err(_) => page,
    }
}

/// The list of all variants.
fn index(charts: &BTreeMap<&'static str, Vec<Made>>) -> String {
    let mut index = String::from(
        "<!-- Written by UPDATE=1 cargo test --test charts -->\n# Variants\n\nEvery chart is made from a run: nothing in it is drawn by hand, and a test makes \
         all of them again. `quorumscope sequence` draws any part of any run; a file in `charts/` asks for one more chart here, as the head of \
         `tests/charts.rs` says.\n",
    );
    let mut variants: Vec<&Variant> = universe::variants().iter().collect();
    variants.sort_by_key(|variant| variant.card.family);
    let mut family = None;
    for variant in variants {
        let card = variant.card;
        if family.replace(card.family) != Some(card.family) {
            let _ = writeln!(
                index,
                "\n## {}\n\n| variant | paper | messages per command | charts |\n| --- | --- | --- | --- |",
                card.family.title()
            );
        }
        let links = |made: &Made| {
            let title = made.chart.title.split_once(": ").map_or("", |(_, title)| title).to_owned();
            format!("[{title}](charts/{}.svg)", made.name)
        };
        let links: Vec<String> = charts[card.key].iter().map(links).collect();
        let formula = card.formulas.first().map_or("", |formula| formula.text);
        let _ = writeln!(
            index,
            "| [{}]({}.md) | {} | {formula} | {} |",
            card.title,
            card.key,
            card.paper,
            links.join(", ")
        );
    }
    index
}

#[test]
fn charts_in_documentation_are_those_of_the_runs() {
    let charts = charts();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    files.insert("README.md".to_owned(), index(&charts));
    for variant in universe::variants() {
        let made = &charts[variant.card.key];
        files.insert(format!("{}.md", variant.card.key), page(variant, made));
        for Made { name, chart, .. } in made {
            files.insert(format!("charts/{name}.svg"), svg::document(&drawing::draw(chart), svg::Theme::Auto));
        }
    }
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for (name, text) in &files {
        let path = format!("{FOLDER}/{name}");
        if update {
            fs::write(&path, text).expect("writable");
        } else if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            wrong.push(path);
        }
    }
    for folder in [FOLDER.to_owned(), format!("{FOLDER}/charts")] {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(FOLDER).expect("below it").to_string_lossy().into_owned();
            let generated = name.ends_with(".svg") || name.ends_with(".md");
            if generated && !files.contains_key(&name) {
                wrong.push(format!("{} is of nothing that there is", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not as the runs are, UPDATE=1 cargo test --test charts writes them: {wrong:#?}");
}

#[test]
fn normal_case_chart_has_as_many_messages_as_the_formula_says() {
    let mut looked = 0;
    for variant in universe::variants() {
        let chart = normal(variant);
        let replicas = chart.lanes.iter().filter(|lane| matches!(lane.end, End::Node(_))).count() as u32;
        let settings = Settings::defaults(variant.settings);
        let formula = variant.card.formulas.iter().find_map(|formula| (formula.count)(replicas, &settings));
        let Some(expected) = formula else { continue };
        let counts = |message: &&quorumscope::lab::run::sequence::chart::Message| {
            let between = matches!((message.from, message.to), (End::Node(_), End::Node(_)));
            between && !matches!(message.phase, Some(Phase::Heartbeat | Phase::Transfer))
        };
        let count = chart.messages.iter().filter(counts).count();
        assert_eq!(count, expected as usize, "{}", variant.card.key);
        looked += 1;
    }
    assert!(looked > 5, "{looked} variants have a formula");
}

#[test]
fn every_message_arrives_at_a_lane_after_it_was_sent_and_has_the_paper_s_name() {
    for made in charts().into_values().flatten() {
        let Made { name, chart, .. } = made;
        assert!(!chart.messages.is_empty(), "{name}");
        for message in &chart.messages {
            assert!(message.sent < message.ended, "{name}: {message:?}");
            assert!(chart.lane(message.from).is_some() && chart.lane(message.to).is_some(), "{name}: {message:?}");
            assert!(message.fate == Fate::UnderWay || message.ended.at <= chart.until, "{name}: {message:?}");
            let known = universe::variants().iter().flat_map(|variant| variant.kinds);
            let kind = message.label.split([' ', ',']).next().unwrap_or_default();
            assert!(message.phase.is_none() || known.clone().any(|known| known.name == kind), "{name}: {message:?}");
        }
    }
}

#[test]
fn chart_in_characters_and_in_sentences_tells_every_message() {
    for made in charts().into_values().flatten() {
        let Made { name, chart, .. } = made;
        let sentences = text::sentences(&chart).join("\n");
        let lines = terminal::lines(&chart).join("\n");
        for message in &chart.messages {
            assert!(sentences.contains(&message.label), "{name}: {} is not in\n{sentences}", message.label);
            let start: String = message.label.chars().take(8).collect();
            assert!(lines.contains(&start), "{name}: {start} is not in\n{lines}");
        }
    }
}
