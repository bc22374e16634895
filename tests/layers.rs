//! Module structure, as ARCHITECTURE.md draws it: layers depend downwards only, no dependency circle across folders, what each layer must not
//! contain, size and heads of files.

#![cfg(not(target_arch = "wasm32"))]

#[path = "common/module_graph.rs"]
mod module_graph;

use module_graph::{Edges, Graph, circles, room};
use quorumscope::universe;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the lowest up. A layer may use itself and those before it; `app`, `search` and `cli` are side by side on top.
const LAYERS: &[&str] = &["core", "services", "protocols", "sim", "judge", "universe", "lab"];
const FRONT_ENDS: &[&str] = &["app", "search", "cli"];

/// Layers whose plain data types the façade and the lab return, so that the front ends may name them.
const NAMED_BY_FRONT_ENDS: &[&str] = &["core", "sim", "judge"];

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

/// The text without its test module, which is last in a file, and without comment lines.
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
fn layers_depend_downwards_only() {
    let mut wrong = Vec::new();
    for (height, name) in LAYERS.iter().enumerate() {
        for (path, text) in layer(name) {
            for above in LAYERS[height + 1..].iter().chain(FRONT_ENDS) {
                // The registry of variants is a macro with paths that the façade expands; it depends on nothing above.
                if uses(&text, above) {
                    wrong.push(format!("{}: {name} uses {above}, which is above it", path.display()));
                }
            }
        }
    }
    for name in FRONT_ENDS {
        for (path, text) in layer(name) {
            for below in LAYERS
                .iter()
                .filter(|below| !["universe", "lab"].contains(below) && !NAMED_BY_FRONT_ENDS.contains(below))
            {
                if uses(&text, below) {
                    wrong.push(format!("{}: {name} uses {below}, past the façade", path.display()));
                }
            }
            for other in FRONT_ENDS.iter().filter(|other| *other != name) {
                if uses(&text, other) {
                    wrong.push(format!("{}: {name} uses {other}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Layers, words that they must not contain, and why.
const FORBIDDEN: &[(&[&str], &[&str], &str)] = &[
    (
        &["core", "services", "protocols"],
        &["Instant", "SystemTime", "std::time"],
        "nodes have no clock; they set timers",
    ),
    (&["core", "services", "protocols"], &["Rng", "rand::"], "nodes have no random source; the world has"),
    (&["core", "services", "protocols", "sim", "judge"], &["f32", "f64"], "no float decides an event"),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab"],
        &["HashMap", "HashSet", "RandomState"],
        "hash order differs between platforms",
    ),
    (&["core", "services", "protocols"], &["format!", "println!", "write!", "to_string("], "node code formats no text"),
    (&["sim", "judge", "universe", "lab"], &["Instant", "SystemTime"], "simulated time only"),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab"],
        &["web_sys", "js_sys", "wasm_bindgen", "std::thread", "std::net"],
        "the library has no web, threads or network",
    ),
    (
        &["core", "services", "protocols", "sim", "judge", "universe", "lab", "app", "search", "cli"],
        &["unsafe ", "static mut", "thread_local!", "todo!", "unimplemented!", "dbg!"],
        "nowhere",
    ),
];

#[test]
fn layers_contain_no_forbidden_words() {
    let mut wrong = Vec::new();
    for (layers, words, why) in FORBIDDEN {
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
fn node_state_has_no_usize() {
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
fn app_and_cli_name_no_protocol() {
    let mut wrong = Vec::new();
    for name in FRONT_ENDS {
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
fn source_files_begin_with_a_module_head() {
    let all = LAYERS.iter().chain(FRONT_ENDS).flat_map(|name| {
        let mut found = Vec::new();
        files(&Path::new("src").join(name), &mut found);
        found
    });
    let without: Vec<PathBuf> =
        all.filter(|path| !fs::read_to_string(path).expect("readable").starts_with("//!")).collect();
    assert!(without.is_empty(), "without a module head: {without:?}");
}

/// Dependencies that close a circle between files of different folders and are still there: file, file it uses. The list may only shrink; an
/// entry that closes no circle fails the test.
const KNOWN_CIRCLES: &[(&str, &str)] = &[];

/// Circles of the dependency graph that reach over more than one folder.
fn circles_across_folders(edges: &Edges) -> Vec<Vec<PathBuf>> {
    let rooms = |circle: &[PathBuf]| circle.iter().map(|file| room(file)).collect::<BTreeSet<PathBuf>>().len();
    circles(edges).into_iter().filter(|circle| rooms(circle) > 1).collect()
}

#[test]
fn files_of_different_folders_form_no_dependency_circle() {
    let all = Graph::read(without_tests).edges();
    let mut edges = all.clone();
    for (file, used) in KNOWN_CIRCLES {
        let (file, used) = (PathBuf::from(file), PathBuf::from(used));
        let closes = circles_across_folders(&all).iter().any(|circle| circle.contains(&file) && circle.contains(&used));
        let present = edges.get_mut(&file).is_some_and(|uses| uses.remove(&used));
        assert!(closes && present, "{} → {} closes no circle: take it off the list", file.display(), used.display());
    }
    let report = |circle: &Vec<PathBuf>| {
        let lines = circle.iter().map(|file| {
            let uses = edges[file].iter().filter(|other| circle.contains(other));
            let uses: Vec<String> = uses.map(|other| other.display().to_string()).collect();
            format!("  {} uses {}", file.display(), uses.join(", "))
        });
        format!("{} files:\n{}", circle.len(), lines.collect::<Vec<_>>().join("\n"))
    };
    let found: Vec<String> = circles_across_folders(&edges).iter().map(report).collect();
    assert!(found.is_empty(), "dependency circles across folders:\n{}", found.join("\n"));
}

/// Files above the limit that are still there. The list may only shrink.
const KNOWN_LONG_FILES: &[&str] = &[];

/// Greatest number of lines in a source file.
const MAX_LINES: usize = 620;

#[test]
fn source_files_have_about_600_lines_at_most() {
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    let lines = |path: &PathBuf| fs::read_to_string(path).expect("readable").lines().count();
    let long: Vec<String> =
        all.iter().filter(|path| lines(path) > MAX_LINES).map(|path| path.display().to_string()).collect();
    assert_eq!(long, KNOWN_LONG_FILES, "files of more than {MAX_LINES} lines, and those known");
}
