//! Dependency graph of the source files under `src/`, read from their `use` declarations and qualified paths, and its circles.
//!
//! A name that a module only re-exports counts as a dependency on the file that defines it. Declaring or re-exporting a child module is no
//! dependency; using it is. Test modules and comments are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module: its path from the crate's root module, such as `["src/lib.rs", "sim", "world"]`.
type ModulePath = Vec<String>;

/// For each file, the files it depends on.
pub type Edges = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// A module's file, the names it imports, and the paths it mentions.
struct Module {
    file: PathBuf,
    text: String,
    /// Imported names with the paths they stand for; `*` for globs.
    imports: Vec<(String, Vec<String>)>,
    /// Paths mentioned, except in `pub use`.
    mentioned: Vec<Vec<String>>,
}

/// The files of all crates in `src/`, and which file depends on which.
pub struct Graph {
    modules: BTreeMap<ModulePath, Module>,
}

/// The crates' root modules, and the folders of their modules.
const ROOTS: [(&str, &str); 3] =
    [("src/lib.rs", "src"), ("src/app/main.rs", "src/app"), ("src/cli/main.rs", "src/cli")];

impl Graph {
    /// Reads all modules reachable from the crates' roots. `strip` removes comments and test modules from a file's text.
    pub fn read(strip: impl Fn(&str) -> String) -> Graph {
        let mut graph = Graph { modules: BTreeMap::new() };
        for (root, folder) in ROOTS {
            graph.read_module(vec![root.to_owned()], Path::new(root), Path::new(folder), &strip);
        }
        graph
    }

    fn read_module(&mut self, path: ModulePath, file: &Path, folder: &Path, strip: &impl Fn(&str) -> String) {
        let text = strip(&fs::read_to_string(file).expect("a readable source file"));
        for child in declared_modules(&text) {
            let inner = folder.join(&child);
            let flat = folder.join(format!("{child}.rs"));
            let file = if flat.exists() { flat } else { inner.join("mod.rs") };
            if file.exists() {
                self.read_module([path.clone(), vec![child]].concat(), &file, &inner, strip);
            }
        }
        let (mut imports, mut mentioned) = (Vec::new(), Vec::new());
        for (declaration, exported) in use_declarations(&text) {
            for (name, path) in expand(&declaration) {
                if !exported {
                    mentioned.push(path.clone());
                }
                imports.push((name, path));
            }
        }
        mentioned.extend(qualified_paths(&text));
        self.modules.insert(path, Module { file: file.to_owned(), text, imports, mentioned });
    }

    /// For each file, the files it depends on.
    pub fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (path, module) in &self.modules {
            let targets = module.mentioned.iter().filter_map(|mentioned| self.resolve(path, mentioned, 0));
            let others = targets.filter(|target| *target != module.file);
            edges.entry(module.file.clone()).or_default().extend(others);
        }
        edges
    }

    /// The file that defines what a path in `module` names; `None` for other crates.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: u32) -> Option<PathBuf> {
        let mut at = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => at.truncate(1),
            "quorumscope" => at = vec![ROOTS[0].0.to_owned()],
            "self" | "super" => {}
            first if self.modules.contains_key(&[at.clone(), vec![first.to_owned()]].concat()) => {
                return self.descend(at, rest, depth);
            }
            first => {
                let module = &self.modules[&at];
                let (_, import) =
                    module.imports.iter().find(|(name, import)| name == first && import[..] != path[..1])?;
                let full = [import, &path[1..]].concat();
                return if depth > 8 { None } else { self.resolve(&at, &full, depth + 1) };
            }
        }
        if !matches!(path[0].as_str(), "self" | "super") {
            rest = &rest[1..];
        }
        while let Some(first) = rest.first().filter(|first| matches!(first.as_str(), "self" | "super")) {
            if first == "super" {
                at.pop();
            }
            rest = &rest[1..];
        }
        self.descend(at, rest, depth)
    }

    /// Follows `rest` from a module downwards, through re-exports.
    fn descend(&self, mut at: ModulePath, mut rest: &[String], depth: u32) -> Option<PathBuf> {
        while let Some(first) = rest.first() {
            let child = [at.clone(), vec![first.clone()]].concat();
            if !self.modules.contains_key(&child) {
                break;
            }
            (at, rest) = (child, &rest[1..]);
        }
        let module = self.modules.get(&at)?;
        let Some(name) = rest.first() else { return Some(module.file.clone()) };
        let import = module.imports.iter().find(|(known, _)| known == name);
        let globs = module.imports.iter().filter(|(known, path)| known == "*" && self.glob_defines(&at, path, name));
        match import.into_iter().chain(globs).next() {
            Some((_, path)) if depth < 8 => self.resolve(&at, path, depth + 1).or(Some(module.file.clone())),
            _ => Some(module.file.clone()),
        }
    }

    /// Whether the module that a glob import names defines `name`.
    fn glob_defines(&self, at: &ModulePath, path: &[String], name: &str) -> bool {
        let file = self.resolve(at, path, 8);
        self.modules.values().filter(|module| Some(&module.file) == file.as_ref()).any(|module| {
            ["fn", "struct", "enum", "trait", "type", "const"]
                .iter()
                .any(|kind| module.text.contains(&format!("pub {kind} {name}")))
        })
    }
}

/// Names in `mod NAME;` declarations.
fn declared_modules(text: &str) -> Vec<String> {
    let declarations = text.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let names = declarations.filter_map(|line| match line.rsplit_once("mod ") {
        Some((before, name)) if before.is_empty() || before.starts_with("pub") => Some(name.to_owned()),
        _ => None,
    });
    names.collect()
}

/// The trees of `use` declarations, and whether each is a re-export.
fn use_declarations(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        let exported = line.trim_start().starts_with("pub");
        if line.trim().is_empty() || exported {
            let end = text[at..].find(';').map_or(text.len(), |end| at + end);
            found.push((text[at + 4..end].split_whitespace().collect::<Vec<_>>().join(" "), exported));
        }
    }
    found
}

/// The names that a use tree imports, each with its path.
fn expand(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    if let Some((prefix, list)) = tree.split_once('{') {
        let prefix: Vec<String> = segments(prefix);
        let inner = list.strip_suffix('}').unwrap_or(list);
        let (mut depth, mut start) = (0, 0);
        let mut items = Vec::new();
        for (at, letter) in inner.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    items.push(&inner[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        items.push(&inner[start..]);
        let inner = items.into_iter().filter(|item| !item.trim().is_empty()).flat_map(expand);
        return inner
            .map(|(name, path)| match path[..] {
                [ref only] if only == "self" => (prefix.last().cloned().unwrap_or_default(), prefix.clone()),
                _ => (name, [prefix.clone(), path].concat()),
            })
            .collect();
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut path = segments(path);
    let last = path.last().cloned().unwrap_or_default();
    if last == "*" {
        path.pop();
    }
    vec![(alias.map_or(last, str::to_owned), path)]
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Paths of two or more segments in code, such as `zones::check` and `crate::lab::Problem`.
fn qualified_paths(text: &str) -> BTreeSet<Vec<String>> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = BTreeSet::new();
    let code = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("use ") && !line.starts_with("pub use ") && !line.starts_with("pub(")
            || line.starts_with("pub(") && !line.contains(" use ")
    });
    for line in code {
        let words = line.split(|letter: char| !is_name(letter) && letter != ':');
        for word in words.filter(|word| word.contains("::")) {
            let path: Vec<String> = segments(word.trim_matches(':'));
            if path.len() > 1 && path[0].starts_with(|first: char| first.is_lowercase()) {
                found.insert(path);
            }
        }
    }
    found
}

/// The room of a file: its folder, or the folder that bears its name if there is one (`sim/world.rs` belongs to `sim/world/`).
pub fn room(file: &Path) -> PathBuf {
    let own = file.with_extension("");
    if own.is_dir() { own } else { file.parent().unwrap_or(Path::new("")).to_owned() }
}

/// The strongly connected components of more than one file, each sorted (Tarjan, SIAM Journal on Computing 1(2), 1972).
pub fn circles(edges: &Edges) -> Vec<Vec<PathBuf>> {
    #[derive(Default)]
    struct State<'a> {
        /// Order of the first visits.
        order: BTreeMap<&'a Path, usize>,
        stack: Vec<&'a Path>,
        found: Vec<Vec<PathBuf>>,
    }
    fn visit<'a>(file: &'a Path, edges: &'a Edges, state: &mut State<'a>) -> usize {
        let number = state.order.len();
        let mut low = number;
        state.order.insert(file, number);
        state.stack.push(file);
        for next in edges.get(file).into_iter().flatten() {
            low = match state.order.get(next.as_path()) {
                None => low.min(visit(next, edges, state)),
                Some(order) if state.stack.contains(&next.as_path()) => low.min(*order),
                Some(_) => low,
            };
        }
        if low == number {
            let start = state.stack.iter().position(|other| *other == file).expect("it is on the stack");
            let mut circle: Vec<PathBuf> = state.stack.drain(start..).map(Path::to_owned).collect();
            circle.sort();
            if circle.len() > 1 {
                state.found.push(circle);
            }
        }
        low
    }
    let mut state = State::default();
    for file in edges.keys() {
        if !state.order.contains_key(file.as_path()) {
            visit(file, edges, &mut state);
        }
    }
    state.found.sort();
    state.found
}
