//! The shape of the house, as ARCHITECTURE.md draws it: layers point downwards only, and some things are absent.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::universe;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A layer may use itself and those before it; `app` and `cli` stand side by side on top.
const LAYERS: &[&str] = &["core", "services", "protocols", "sim", "judge", "universe", "lab"];
const WINDOWS: &[&str] = &["app", "cli"];

/// Plain words of lower layers that the façade and the lab hand out, and that the windows may therefore name.
const VOCABULARY: &[&str] = &["core", "sim", "judge"];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The files of one layer with their text, tests left out.
fn layer(name: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&Path::new("src").join(name), &mut found);
    let single = Path::new("src").join(format!("{name}.rs"));
    if single.exists() {
        found.push(single);
    }
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("tests"));
    found.retain(|path| !is_test(path));
    found.into_iter().map(|path| (path.clone(), without_tests(&fs::read_to_string(path).expect("readable")))).collect()
}

/// Cuts off the test module, which stands last in a file, and drops comments.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn uses(text: &str, layer: &str) -> bool {
    ["crate::", "quorumscope::"].iter().any(|root| {
        text.match_indices(&format!("{root}{layer}")).any(|(at, found)| {
            !text[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

#[test]
fn layers_point_downwards() {
    let mut wrong = Vec::new();
    for (height, name) in LAYERS.iter().enumerate() {
        for (path, text) in layer(name) {
            for above in LAYERS[height + 1..].iter().chain(WINDOWS) {
                // The registry is a list of paths for the façade to fill in; it uses nothing of it.
                if uses(&text, above) {
                    wrong.push(format!("{}: {name} uses {above}, which is above it", path.display()));
                }
            }
        }
    }
    for name in WINDOWS {
        for (path, text) in layer(name) {
            for below in
                LAYERS.iter().filter(|below| !["universe", "lab"].contains(below) && !VOCABULARY.contains(below))
            {
                if uses(&text, below) {
                    wrong.push(format!("{}: {name} uses {below}, behind the façade's back", path.display()));
                }
            }
            for other in WINDOWS.iter().filter(|other| *other != name) {
                if uses(&text, other) {
                    wrong.push(format!("{}: {name} uses {other}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Words that a layer must not contain, and why.
const ABSENCES: &[(&[&str], &[&str], &str)] = &[
    (
        &["core", "services", "protocols"],
        &["Instant", "SystemTime", "std::time"],
        "a node has no clock; it sets timers",
    ),
    (&["core", "services", "protocols"], &["Rng", "rand::"], "a node draws nothing; the world does"),
    (&["core", "services", "protocols", "sim", "judge"], &["f32", "f64"], "no float decides an event"),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab"],
        &["HashMap", "HashSet", "RandomState"],
        "the order of a hash is not the same everywhere",
    ),
    (
        &["core", "services", "protocols"],
        &["format!", "println!", "write!", "to_string("],
        "nodes speak in messages, not in text",
    ),
    (&["sim", "judge", "universe", "lab"], &["Instant", "SystemTime"], "simulated time only"),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab"],
        &["web_sys", "js_sys", "wasm_bindgen", "std::thread", "std::net"],
        "the library knows no web, no threads, no network",
    ),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab", "app", "cli"],
        &["unsafe ", "static mut", "thread_local!", "todo!", "unimplemented!", "dbg!"],
        "nowhere",
    ),
];

#[test]
fn absences_hold() {
    let mut wrong = Vec::new();
    for (layers, words, why) in ABSENCES {
        for name in *layers {
            for (path, text) in layer(name) {
                if path.ends_with("core/show.rs") {
                    continue;
                }
                for word in *words {
                    let hit = text.match_indices(word).any(|(at, _)| {
                        let before = text[..at].chars().next_back();
                        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                    });
                    if hit {
                        wrong.push(format!("{}: {word} ({why})", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_usize_in_a_nodes_state() {
    let mut wrong = Vec::new();
    for name in ["core", "services", "protocols"] {
        for (path, text) in layer(name) {
            let mut inside = false;
            for line in text.lines() {
                let line = line.trim_start_matches("    ");
                if line.contains("struct ") && line.ends_with('{') {
                    inside = true;
                } else if line.starts_with('}') {
                    inside = false;
                }
                if inside && line.contains("usize") {
                    wrong.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "32 bits in a browser, 64 on a server:\n{}", wrong.join("\n"));
}

#[test]
fn the_windows_name_no_protocol() {
    let mut wrong = Vec::new();
    for name in WINDOWS {
        for (path, text) in layer(name) {
            for variant in universe::variants() {
                for word in [variant.card.key, variant.card.title] {
                    if text.contains(&format!("\"{word}\"")) || text.contains(&format!("{word} ")) && word.len() > 5 {
                        wrong.push(format!("{}: names {word}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let all = LAYERS.iter().chain(WINDOWS).flat_map(|name| {
        let mut found = Vec::new();
        files(&Path::new("src").join(name), &mut found);
        found
    });
    let silent: Vec<PathBuf> =
        all.filter(|path| !fs::read_to_string(path).expect("readable").starts_with("//!")).collect();
    assert!(silent.is_empty(), "{silent:?}");
}
