// Trunk's post-build hook: makes a file of each chunk of the page's program. Where a chunk begins is said in the source, by
// `#[wasm_split(…)]` (src/app/pages/chunks.rs, src/app/web/variants.rs); what comes in which file is found out by wasm-split-cli (the crate wasm_split_cli_support).
//
// A release build is divided: linked program (which build.rs has the linker leave its relocations in) → wasm-split-cli → wasm-bindgen on
// the main part → wasm-opt on each part → functions of the main part in an order that compresses well → short names between the main part and its
// JavaScript, Trunk's file, which loads the others. A debug build stays whole.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";
import { FEATURES } from "./split/features.mjs";
import { divided, packed, parts, together, whole } from "./split/loader.mjs";
import { shortened } from "./split/names.mjs";
import { STRIPPED, optimise, ordered, run, small } from "./split/tools.mjs";

// Shared chunks below so many bytes, before wasm-opt, come as one file.
const SMALL = 40_000;
// The chunks that every page wants as soon as its first picture is there.
const EARLY = ["actions", "faults", "measurements"];

const release = process.env.TRUNK_PROFILE === "release";
const dist = process.env.TRUNK_STAGING_DIR;
const wasm = readdirSync(dist).find((name) => name.endsWith("_bg.wasm"));
const page = wasm.replace("_bg.wasm", "");
const target = process.env.CARGO_TARGET_DIR ?? "target";
const linked = join(target, "wasm32-unknown-unknown", release ? "wasm-release" : "debug", "quorumscope-app.wasm");
const work = mkdtempSync(join(tmpdir(), "quorumscope-chunks-"));
try {
  if (release) divide();
  else bindgen(linked, dist, whole);
} finally {
  rmSync(work, { recursive: true });
}

function divide() {
  run("wasm-split-cli", [linked, work, "--target", "web", "--out-name", page]);
  const { chunks, shared } = parts(readFileSync(join(work, "__wasm_split.js"), "utf8"));
  const { groups, files } = together(chunks, shared, (name) => readFileSync(join(work, `${name}.wasm`)).length, SMALL, EARLY);
  const names = new Map();
  for (const [name, members] of groups) {
    const modules = members.map((member) => optimised(readFileSync(join(work, `${member}.wasm`))));
    const content = packed(modules);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
    const file = `chunk-${name}-${hash}.wasm`;
    names.set(name, file);
    writeFileSync(join(dist, file), content);
  }
  bindgen(join(work, `${page}.wasm`), work, (text) => divided(text, files, names));
  // Until nothing gets smaller any more: all that is loaded first is worth the time.
  optimise(join(work, wasm), "--converge");
  ordered(join(work, wasm));
  const { program, text } = shortened(readFileSync(join(work, wasm)), readFileSync(join(work, `${page}.js`), "utf8"));
  writeFileSync(join(dist, wasm), program);
  writeFileSync(join(dist, `${page}.js`), small("js", text));
  for (const name of readdirSync(dist).filter((name) => /^style-\w+\.css$/.test(name))) {
    writeFileSync(join(dist, name), small("css", readFileSync(join(dist, name), "utf8")));
  }
  console.log(`split: ${names.size} chunks beside the main part`);
}

// wasm-bindgen's two files for `program`, in `folder`; `change` is what to make of the JavaScript.
function bindgen(program, folder, change) {
  const debug = release ? [] : ["--debug"];
  run("wasm-bindgen", ["--target", "web", "--no-typescript", "--no-demangle", "--keep-lld-exports", ...debug, "--out-dir", folder, "--out-name", page, program]);
  const glue = join(folder, `${page}.js`);
  writeFileSync(glue, change(readFileSync(glue, "utf8")));
}

// What binaryen makes of one module of a chunk: what `wasm-opt -Oz` makes of it, without a process for each of several hundred.
function optimised(bytes) {
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setLowMemoryUnused(true);
  const module = binaryen.readBinary(bytes);
  module.setFeatures(Object.values(FEATURES).reduce((all, { binaryen: names }) => names.reduce((all, name) => all | binaryen.Features[name], all), 0));
  module.optimize();
  module.runPasses(STRIPPED);
  const result = module.emitBinary();
  module.dispose();
  return Buffer.from(result);
}
