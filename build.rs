//! Finds the built-in scenarios: every `scenarios/*.json`. Those named in `scenarios/order.txt` come first, in that order, the others
//! after them by name. So a variant's scenarios are files and nothing else.
//!
//! Lessons likewise: every `lessons/*.json`, by name.
//!
//! And has the linker leave its relocations in the page's program: they tell `scripts/split.mjs`, which divides it into chunks, who uses what.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let scenarios = root.join("scenarios");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let order = fs::read_to_string(scenarios.join("order.txt")).expect("scenarios/order.txt can be read");
    let order: Vec<&str> = order.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let place = |key: &str| order.iter().position(|name| *name == key).unwrap_or(order.len());
    let mut keys: Vec<String> = fs::read_dir(&scenarios)
        .expect("scenarios/ can be read")
        .filter_map(|entry| key(&entry.ok()?.path()))
        .collect();
    for name in &order {
        assert!(keys.iter().any(|key| key == name), "scenarios/order.txt names {name}, but there is no {name}.json");
    }
    keys.sort_by_key(|key| (place(key), key.clone()));
    let entry = |key: &String| {
        let path = scenarios.join(key).with_extension("json");
        format!("    Preset {{ key: {key:?}, json: include_str!({:?}) }},\n", path.display().to_string())
    };
    let list: String = keys.iter().map(entry).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // A program that stays whole, of a debug build (scripts/split.mjs) or of the page in one file (scripts/single.mjs, with the feature `search`),
        // exports its table; that of a divided one is exported by wasm-split-cli.
        let whole = env::var("PROFILE").is_ok_and(|profile| profile == "debug")
            || env::var_os("CARGO_FEATURE_SEARCH").is_some();
        let switch = if whole { "--export-table" } else { "--emit-relocs" };
        println!("cargo::rustc-link-arg-bin=quorumscope-app={switch}");
    }
    fs::write(out.join("presets.rs"), format!("&[\n{list}]\n")).expect("the list can be written");
    let lessons = root.join("lessons");
    println!("cargo::rerun-if-changed={}", lessons.display());
    let mut keys: Vec<String> =
        fs::read_dir(&lessons).expect("lessons/ can be read").filter_map(|entry| key(&entry.ok()?.path())).collect();
    keys.sort();
    let entry = |key: &String| {
        let path = lessons.join(key).with_extension("json");
        format!("    File {{ key: {key:?}, json: include_str!({:?}) }},\n", path.display().to_string())
    };
    let list: String = keys.iter().map(entry).collect();
    fs::write(out.join("lessons.rs"), format!("&[\n{list}]\n")).expect("the list can be written");
}

/// The key of a scenario: the name of its JSON file without the extension.
fn key(path: &Path) -> Option<String> {
    let json = path.extension().is_some_and(|extension| extension == "json");
    json.then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
}
