// Trunk's post-build hook: divides the page's WebAssembly in two, so that the first picture does not wait for what it does
// not need. The loader fetches the rest as soon as that picture is there.
//
// How it works. A function that is only needed later moves to the second module. Where the first module calls it, directly or
// through the function table, it finds a stub that sees to it that the second module is there and calls on through the
// table. The second module shares the first one's memory, table and globals, calls its functions, and puts its own into
// the table when it starts. So the division changes when code is loaded, never what it does: calling a function
// before its module is there makes the page wait for it, nothing worse. The page itself asks before it does such things
// (src/app/web/rest.rs).
//
// It works on the text format: each function is one form, and all refer to each other by name.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// What the first picture does without: the other variants, what is done to a world and asked of it by hand, measuring, reading and
// writing documents, all that opens when it is asked for, and kinds of nodes that the page has none of.
const first = JSON.parse(readFileSync("scenarios/three-regions.json", "utf8")).variant.replaceAll("-", "_");
const LATER = new RegExp(
  [
    `quorumscope::protocols::(?!${first}\\b)\\w+`,
    "quorumscope::sim::world::World<.*>>::(carry_out_action|order|hush|possible|request_by_hand)\\b",
    "quorumscope::universe::Cluster<.*>::(act|fingerprint|history|is_quiet)\\b",
    "quorumscope::universe::story::leaderless\\b",
    "quorumscope::judge::linearizability\\b",
    "quorumscope::lab::(compare|outage|read|run)\\b|<quorumscope::lab::fault::Fault>::",
    "quorumscope::lab::problem::(no_such|shortened)\\b|^<quorumscope::lab::problem::",
    "quorumscope::lab::session::(Replay|Document|DeedText|MomentText)\\b",
    "quorumscope_app::components::(help|measurements|menu|messages|setup|sheet)\\b|<quorumscope_app::components::drag::Drag>::",
    "quorumscope_app::charts::(bars|columns|table)\\b",
    "quorumscope_app::pages::(carry_out|keyboard|opening::(asked|link|with_variant)|lab::Lab>::(copy|intend|write_address))\\b",
    "quorumscope_app::web::(address::(link|pack|through|unpack)|handle|json)\\b",
    "yew::(virtual_dom::v|dom_bundle::b)(portal|raw|suspense)\\b",
    "\\b(serde_path_to_error|serde_wasm_bindgen|strsim)::",
    "\\bserde(_core)?::(de|ser)::",
    "<f64 as core::fmt::Display>|core::num::(bignum|flt2dec)\\b|<core::fmt::Formatter>::(pad|write)_formatted_parts",
    "<str>::to_lowercase|core::unicode\\b|<&str as core::fmt::Debug>",
  ].join("|"),
);

const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

if (process.env.TRUNK_PROFILE !== "release") process.exit(0);
const dist = process.env.TRUNK_STAGING_DIR;
const wasm = readdirSync(dist).find((name) => name.endsWith("_bg.wasm"));
const glue = wasm.replace("_bg.wasm", ".js");
const work = mkdtempSync(join(tmpdir(), "split-"));
try {
  tool("wasm-dis", join(dist, wasm), "-o", join(work, "whole.wat"));
  const program = parse(readFileSync(join(work, "whole.wat"), "utf8"));
  const renamed = shorten(program.importFunc);
  const halves = divide(program);
  for (const [name, text] of Object.entries(halves.modules)) {
    writeFileSync(join(work, `${name}.wat`), text);
    tool("wasm-as", join(work, `${name}.wat`), "-o", join(work, `${name}.wasm`));
    tool("wasm-opt", "-Oz", "--strip-debug", "--strip-producers", join(work, `${name}.wasm`), "-o", join(dist, wasm.replace("_bg", name === "first" ? "_bg" : "_rest")));
  }
  writeFileSync(join(dist, glue), load(readFileSync(join(dist, glue), "utf8"), renamed));
  console.log(`split: ${halves.kept} functions first, ${halves.moved} later`);
} finally {
  rmSync(work, { recursive: true });
}

// Runs one of binaryen's tools.
function tool(name, ...args) {
  const path = join("node_modules", ".bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing; run ./dev setup, which installs it`);
  execFileSync(path, [...FEATURES.map((feature) => `--enable-${feature}`), ...args], { stdio: ["ignore", "inherit", "inherit"] });
}

// The forms of a module by kind, functions and imported functions by name.
function parse(text) {
  const forms = { func: new Map(), importFunc: new Map() };
  let open = null;
  for (const line of text.split("\n")) {
    if (open) {
      open.push(line);
      if (line === " )") [add(open.join("\n")), (open = null)];
    } else if (line.startsWith(" (")) {
      if (line.startsWith(" (func ") && !balanced(line)) open = [line];
      else add(line);
    }
  }
  return forms;

  function add(form) {
    const kind = form.match(/^ \((\w+)/)[1];
    if (kind === "func") forms.func.set(names(form)[0], form);
    else if (kind === "import" && form.includes("(func ")) forms.importFunc.set(names(form)[0], form);
    else (forms[kind] ??= []).push(form);
  }
}

function balanced(line) {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, "");
  return bare.split("(").length === bare.split(")").length;
}

// The names under which the browser's functions are imported take several kilobytes; a number says as much. Returns which is which.
function shorten(imports) {
  const renamed = new Map();
  for (const [name, form] of imports) {
    const [start, from, key] = form.match(/^ \(import ("[^"]+") "([^"]+)"/);
    renamed.set(key, renamed.size.toString(36));
    imports.set(name, form.replace(start, ` (import ${from.startsWith('"./') ? '"js"' : from} "${renamed.get(key)}"`));
  }
  return renamed;
}

// Names in a form, in order.
function names(form) {
  return form.match(/\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)/g) ?? [];
}

// `quorumscope[a1b2…]::lab` is `quorumscope::lab`: the compiler's hashes say nothing here.
function isLater(name) {
  return LATER.test(name.replace(/^\$"?|\[[0-9a-f]+\]/g, ""));
}

function divide({ func, importFunc, ...other }) {
  const calls = new Map();
  for (const [name, text] of func) {
    const called = text.matchAll(/\((?:call|return_call|ref\.func) (\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+))/g);
    calls.set(name, new Set([...called].map(([, callee]) => callee)));
  }
  const table = other.table.find((form) => form.includes("funcref"));
  const tableName = names(table)[0];
  const [, size] = table.match(/ (\d+) \d+ funcref/);
  const [elements] = other.elem;
  const start = Number(elements.match(/\(i32\.const (\d+)\) func /)[1]);
  const inTable = elements.slice(elements.indexOf(" func ")).match(/\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)/g);

  // First is what can be reached from outside, and through the table, without passing through anything that is for later.
  const kept = new Set();
  const stubs = new Set(inTable.filter((name) => func.has(name) && isLater(name)));
  const open = [...other.export.filter((form) => form.includes("(func ")).map((form) => names(form)[0]), ...inTable];
  while (open.length > 0) {
    const name = open.pop();
    if (kept.has(name) || !func.has(name)) continue;
    if (isLater(name)) {
      stubs.add(name);
      continue;
    }
    kept.add(name);
    open.push(...calls.get(name));
  }
  const moved = [...func.keys()].filter((name) => !kept.has(name));

  const data = divideData(other.data, [...kept].map((name) => func.get(name)).concat(other.global));

  // Every stub has a place in the table: the one it had, or a new one at the end.
  const places = new Map();
  inTable.forEach((name, i) => stubs.has(name) && places.set(name, [...(places.get(name) ?? []), start + i]));
  let end = Number(size);
  for (const name of stubs) if (!places.has(name)) places.set(name, [end++]);

  // What the second module uses of the first.
  const used = new Set(moved.flatMap((name) => [...calls.get(name)].filter((callee) => !func.has(callee) || kept.has(callee))));
  const shared = [...used].map((name, i) => [name, `${i}`]);
  const globals = other.global.map((form, i) => ({ name: names(form)[0], type: form.match(/\(mut \w+\)|\b[if](?:32|64)\b/)[0], key: `g${i}` }));
  const tables = other.table.map((form, i) => ({ name: names(form)[0], type: form.match(/(\w+ref)\)$/)[1], key: `t${i}` }));
  const [memory] = other.memory;

  const modules = {
    first: [
      ...(other.type ?? []),
      ...(other.rec ?? []),
      ...(other.import ?? []),
      ...importFunc.values(),
      ` (import "rest" "load" (func $load-rest))`,
      ...other.global,
      ...other.memory,
      ...data.first,
      ...other.table.map((form) => (form === table ? form.replace(/ \d+ \d+ funcref/, ` ${end} ${end} funcref`) : form)),
      elements,
      ...other.export,
      ...(other.start ?? []),
      ...[...kept].map((name) => func.get(name)),
      ...[...stubs].map((name) => stub(name, func.get(name), tableName, places.get(name)[0])),
      ...[...places].filter(([, [place]]) => place >= size).map(([name, [place]]) => ` (elem (table ${tableName}) (i32.const ${place}) func ${name})`),
      ...shared.map(([name, key]) => ` (export "${key}" (func ${name}))`),
      ...globals.map(({ name, key }) => ` (export "${key}" (global ${name}))`),
      ...tables.map(({ name, key }) => ` (export "${key}" (table ${name}))`),
    ],
    rest: [
      ...(other.type ?? []),
      ...(other.rec ?? []),
      ...globals.map(({ name, type, key }) => ` (import "first" "${key}" (global ${name} ${type}))`),
      ` (import "first" "memory" (memory ${names(memory)[0]} 1))`,
      ...tables.map(({ name, type, key }) => ` (import "first" "${key}" (table ${name} 1 ${type}))`),
      ...shared.map(([name, key]) => ` (import "first" "${key}" (func ${name}${signature(func.get(name) ?? importFunc.get(name))}))`),
      ...[...places].flatMap(([name, all]) => all.map((place) => ` (elem (table ${tableName}) (i32.const ${place}) func ${name})`)),
      ...data.rest,
      ...moved.map((name) => func.get(name)),
    ],
  };
  for (const name in modules) modules[name] = `(module\n${modules[name].join("\n")}\n)\n`;
  return { modules, kept: kept.size, moved: moved.length };
}

// Constants that only the rest can reach move there too. What can be reached is guessed on the safe side: every number in the code, and
// every aligned word of a constant that is reached, counts as a pointer if it could be one. The linker keeps constants apart
// (--no-merge-data-segments), so that they can be told from each other.
function divideData(forms, code) {
  const NEAR = 16; // a loop may start from an address just before or after what it reads
  const all = forms.map((form) => ({ constant: form.includes("(data $.rodata"), at: Number(form.match(/\(i32\.const (\d+)\)/)[1]), bytes: bytesOf(form) }));
  all.sort((a, b) => a.at - b.at);
  const reached = new Set();
  const open = [];
  const reach = (address) => {
    for (let i = find(address - NEAR); i < all.length && all[i].at <= address + NEAR; i++) {
      if (address + NEAR < all[i].at || address - NEAR >= all[i].at + all[i].bytes.length || reached.has(i)) continue;
      reached.add(i);
      open.push(i);
    }
  };
  for (const form of code) for (const [, number] of form.matchAll(/(?:i32\.const |offset=)(\d+)/g)) reach(Number(number));
  all.forEach((each, i) => each.constant || reached.has(i) || (reached.add(i), open.push(i)));
  while (open.length > 0) {
    const { at, bytes } = all[open.pop()];
    for (let i = (4 - (at % 4)) % 4; i + 4 <= bytes.length; i += 4) reach(bytes.readUInt32LE(i));
  }
  const pick = (first) => all.filter((_, i) => reached.has(i) === first);
  // The few bytes between two constants of the first module may be the rest's, which writes them later; but not the other way round.
  return { first: joined(pick(true), 16), rest: joined(pick(false), 0) };

  // The first of all that ends after the address.
  function find(address) {
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle].at + all[middle].bytes.length <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Neighbours with at most `gap` bytes between them as one.
function joined(segments, gap) {
  const runs = [];
  for (const { at, bytes } of segments) {
    const last = runs.at(-1);
    if (last && at - last.end <= gap) last.parts.push(Buffer.alloc(at - last.end), bytes);
    else runs.push({ at, parts: [bytes] });
    runs.at(-1).end = at + bytes.length;
  }
  const text = (parts) => [...Buffer.concat(parts)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return runs.map(({ at, parts }) => ` (data (i32.const ${at}) "${text(parts)}")`);
}

function bytesOf(form) {
  const text = form.slice(form.indexOf(') "') + 3, form.lastIndexOf('"'));
  const SIGNS = { t: 9, n: 10, r: 13, '"': 34, "'": 39, "\\": 92 };
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") bytes.push(...Buffer.from(text[i]));
    else if (text[i + 1] in SIGNS && !/^[0-9a-f]{2}/i.test(text.slice(i + 1, i + 3))) bytes.push(SIGNS[text[++i]]);
    else bytes.push(parseInt(text.slice(i + 1, (i += 2) + 1), 16));
  }
  return Buffer.from(bytes);
}

// Parameters and results of a function, without their names.
function signature(form) {
  const head = form.split("\n")[0].replace(/\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)/g, "$");
  const parts = head.match(/\((?:param|result) [^()]*\)/g) ?? [];
  return parts.map((part) => ` ${part.replace("$ ", "")}`).join("");
}

// Stands for a function until the second module is there: then its place in the table has the function itself.
function stub(name, form, table, place) {
  const types = signature(form);
  const params = types.match(/\(param [^()]*\)/g)?.flatMap((part) => part.slice(7, -1).split(" ")) ?? [];
  const results = types.match(/\(result [^()]*\)/g)?.join(" ") ?? "";
  const declared = params.map((type, i) => `(param $${i} ${type})`).join(" ");
  const args = params.map((_, i) => `(local.get $${i})`).join(" ");
  const type = [...params.map((each) => `(param ${each})`), results].join(" ");
  return ` (func ${name} ${declared} ${results} (call $load-rest) (call_indirect ${table} ${type} ${args} (i32.const ${place})))`;
}

// The loader's part: wasm-bindgen's JavaScript, which also loads the rest.
function load(text, renamed) {
  const imports = /"\.\/[\w-]+_bg\.js": import0,/;
  const ready = "    wasm = instance.exports;";
  if (!imports.test(text) || !text.includes(ready)) throw new Error(`${glue} does not look as wasm-bindgen used to write it; scripts/split.mjs must be adapted`);
  return (
    text
      .replace(imports, `js: import0,\n        rest: { load: loadRestNow },`)
      .replace(ready, `${ready}\n    loadRestSoon();`)
      .replace(/^ {8}(\w+): /gm, (definition, name) => (renamed.has(name) ? `        "${renamed.get(name)}": ` : definition)) +
    `
// The rest of the program (scripts/split.mjs): fetched when the first picture is there, or at once if something of it is called.
const REST = import.meta.url.replace(/\\.js$/, "_rest.wasm");
let restIsHere = false;

function start(module) {
    if (restIsHere) return;
    restIsHere = true;
    new WebAssembly.Instance(module, { first: wasm });
}

function loadRestNow() {
    if (restIsHere) return;
    const request = new XMLHttpRequest();
    request.open("GET", REST, false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) throw new Error("the rest of the page could not be loaded");
    start(new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0))));
}

function loadRestSoon() {
    globalThis.quorumscopeRest = new Promise((begin) => requestAnimationFrame(() => setTimeout(begin)))
        .then(() => WebAssembly.compileStreaming(fetch(REST)))
        .then(start);
    globalThis.quorumscopeRest.catch(() => {});
}
`
  );
}
