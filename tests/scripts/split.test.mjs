// Tests of scripts/split/: what wasm-split-cli and wasm-bindgen write is understood, or refused.
import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { divided, packed, parts, together, whole } from "../../scripts/split/loader.mjs";
import { shortened } from "../../scripts/split/names.mjs";
import { namedInOrder, order } from "../../scripts/split/order.mjs";

// As wasm-split-cli 0.2.4 writes it.
const fetching = (name) => `() => {
    const src = fetch(new URL("./${name}.wasm", import.meta.url));
    src.catch(() => {});
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
}
`;
const LOADER = `import { initSync } from "./main.js";

/* help, menu */
const __chunk_4 = makeLoad(${fetching("chunk_4")}, []);
/* help, menu, paxos */
const __chunk_5 = makeLoad(${fetching("chunk_5")}, []);
export const __wasm_split_load_paxos = wrapAsyncCb(makeLoad(${fetching("split_paxos")}, [__chunk_5]));
export const __wasm_split_load_menu = wrapAsyncCb(makeLoad(${fetching("split_menu")}, [__chunk_4, __chunk_5]));
export const __wasm_split_load_help = wrapAsyncCb(makeLoad(() => async (_imp) => ({}), [__chunk_4, __chunk_5]));
`;

test("every chunk's own file and those that it shares are found", () => {
  const { chunks, shared } = parts(LOADER);
  assert.deepEqual(shared, ["chunk_4", "chunk_5"]);
  assert.deepEqual([...chunks], [["paxos", ["chunk_5", "split_paxos"]], ["menu", ["chunk_4", "chunk_5", "split_menu"]], ["help", ["chunk_4", "chunk_5"]]]);
});

test("small shared files come as one, large ones by themselves", () => {
  const { chunks, shared } = parts(LOADER);
  const small = together(chunks, shared, () => 10, 100, ["menu"]);
  assert.deepEqual([...small.groups], [["shared", ["chunk_4", "chunk_5"]], ["paxos", ["split_paxos"]], ["menu", ["split_menu"]]]);
  assert.deepEqual([...small.files], [["paxos", ["shared", "paxos"]], ["menu", ["shared", "menu"]], ["help", ["shared"]]]);
  const later = together(chunks, shared, () => 10, 100, ["paxos"]);
  assert.deepEqual([...later.files], [["paxos", ["shared", "paxos"]], ["menu", ["later", "shared", "menu"]], ["help", ["later", "shared"]]]);
  const large = together(chunks, shared, (name) => (name === "chunk_5" ? 1000 : 10), 100, ["menu"]);
  assert.deepEqual([...large.files], [["paxos", ["shared-5", "paxos"]], ["menu", ["shared", "shared-5", "menu"]], ["help", ["shared", "shared-5"]]]);
});

const GLUE = `import * as import1 from "./__wasm_split.js"
import * as import2 from "./__wasm_split.js"
let wasm;
function __wbg_get_imports() {
    return {
        "./__wasm_split.js": import1,
        "./__wasm_split.js": import2,
    };
}
export function start(module) {
    wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports;
    return wasm;
}
`;

// A main part that loads the chunk "one", which is called through the table, and two files of that chunk.
const MAIN = `(module
 (import "./__wasm_split.js" "__wasm_split_load_one" (func $load (param i32 i32)))
 (memory (export "memory") 1)
 (table (export "__indirect_function_table") 3 3 funcref)
 (elem (i32.const 1) func $loaded)
 (func $loaded (param i32 i32) (i32.store (local.get 0) (i32.add (i32.const 1) (local.get 1))))
 (func (export "load") (call $load (i32.const 1) (i32.const 16)))
 (func (export "call") (result i32) (call_indirect (result i32) (i32.const 2))))`;
const ONE = `(module
 (import "__wasm_split" "memory" (memory 1))
 (import "__wasm_split" "__indirect_function_table" (table 3 funcref))
 (elem (i32.const 2) func $told)
 (func $told (result i32) (i32.load8_u (i32.const 64))))`;
const SHARED = `(module
 (import "__wasm_split" "memory" (memory 1))
 (data (i32.const 64) "\\2a"))`;

test("a chunk that could not be loaded is told, tried again, and fetched once", async () => {
  const work = mkdtempSync(join(tmpdir(), "quorumscope-split-"));
  const assemble = (text) => {
    writeFileSync(join(work, "part.wat"), text);
    execFileSync("node_modules/.bin/wasm-as", ["--enable-bulk-memory", "--enable-reference-types", join(work, "part.wat"), "-o", join(work, "part.wasm")]);
    return readFileSync(join(work, "part.wasm"));
  };
  const [shared, one, empty] = [SHARED, ONE, "(module)"].map(assemble);
  const files = { "shared-1.wasm": new Uint8Array(packed([empty, shared])).buffer, "one-2.wasm": new Uint8Array(packed([one])).buffer };
  const text = divided(GLUE, new Map([["one", ["shared", "one"]]]), new Map([["shared", "shared-1.wasm"], ["one", "one-2.wasm"]]));
  writeFileSync(join(work, "page.mjs"), text);
  const { start } = await import(pathToFileURL(join(work, "page.mjs")));
  const { fetch, console: { warn } } = globalThis;
  const asked = [];
  let online = false;
  globalThis.fetch = async (url) => {
    const name = url.pathname.split("/").at(-1);
    asked.push(name);
    return { ok: online, status: online ? 200 : 503, arrayBuffer: async () => files[name] };
  };
  const warnings = [];
  console.warn = (error) => warnings.push(String(error));
  try {
    const program = start(new WebAssembly.Module(assemble(MAIN)));
    const answer = async () => {
      program.load();
      const place = new Int32Array(program.memory.buffer, 16, 1);
      place[0] = 0;
      while (place[0] === 0) await new Promise((go) => setTimeout(go));
      return place[0];
    };
    assert.equal(await answer(), 1, "not loaded");
    assert.match(warnings[0], /503 for shared-1.wasm/);
    assert.throws(() => program.call(), WebAssembly.RuntimeError);
    online = true;
    const intact = files["shared-1.wasm"];
    files["shared-1.wasm"] = intact.slice(0, -7);
    assert.equal(await answer(), 1, "cut short on the way");
    files["shared-1.wasm"] = intact;
    assert.equal(await answer(), 2, "loaded");
    assert.equal(program.call(), 42);
    const before = asked.length;
    assert.equal(await answer(), 2);
    assert.equal(asked.length, before, "nothing is fetched twice");
  } finally {
    globalThis.fetch = fetch;
    console.warn = warn;
  }
});

test("a program in one piece calls its chunks at once", () => {
  const text = whole(GLUE.replaceAll("./__wasm_split.js", "__wasm_split_placeholder__"));
  assert.match(text, /const import1 = new Proxy/);
  assert.doesNotMatch(text, /import2/);
  assert.doesNotMatch(text, /^import/m);
});

test("what does not look as the tools used to write it is an error, not a page with holes", () => {
  assert.throws(() => parts("something else"), /must be adapted/);
  assert.throws(() => parts(LOADER.replace("__wasm_split_load_paxos = wrapAsyncCb", "__wasm_split_load_paxos = wrapped")), /must be adapted; not understood: split_paxos/);
  assert.throws(() => divided("something else", new Map(), new Map()), /imports nothing from .*must be adapted/);
});

test("what main part and JavaScript call each other by is short, and other names stay", async () => {
  const work = mkdtempSync(join(tmpdir(), "quorumscope-names-"));
  const text = `(module
   (import "./page_bg.js" "__wbg_log_0123456789abcdef" (func $log (param i32)))
   (import "./page_bg.js" "kept" (global i32))
   (import "./page_bg.js" "table" (table 1 2 funcref))
   (memory (export "memory") 1)
   (func (export "_RNvCs_4page5start") (call $log (i32.const 7))))`;
  writeFileSync(join(work, "page.wat"), text);
  execFileSync("node_modules/.bin/wasm-as", ["--enable-reference-types", join(work, "page.wat"), "-o", join(work, "page.wasm")]);
  const glue = `const imports = { "./page_bg.js": { __wbg_log_0123456789abcdef: function(value) { heard.push(value); }, kept: 3, table } };
function _RNvCs_4page5start() { wasm._RNvCs_4page5start(); }
_RNvCs_4page5start();`;
  const short = shortened(readFileSync(join(work, "page.wasm")), glue);
  assert.doesNotMatch(short.text + short.program.toString("latin1"), /__wbg_log|_RNv|page_bg/);
  const heard = [];
  const table = new WebAssembly.Table({ initial: 1, maximum: 2, element: "anyfunc" });
  const [imports] = new Function("heard", "table", `${short.text.split("\n")[0]} return [imports];`)(heard, table);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(short.program), imports);
  new Function("wasm", short.text.split("\n").slice(1).join("\n"))(exports);
  assert.deepEqual([heard, Object.keys(exports).includes("memory")], [[7], true]);
});

test("JavaScript that has short names of its own is refused", () => {
  assert.throws(() => shortened(Buffer.from("\0asm\u0001\0\0\0"), "const $1 = 2;"), /must be adapted/);
});

test("functions that are alike stand beside each other, the largest first", () => {
  const body = (text) => Buffer.from(text);
  const bodies = [body("a short one"), body("the quick brown fox jumps"), body("0123456789"), body("the quick brown fox slept on"), body("0123456789 too")];
  assert.deepEqual(order(bodies), [3, 1, 4, 2, 0]);
  assert.deepEqual(order([]), []);
});

test("a program in another order does what it did", () => {
  const work = mkdtempSync(join(tmpdir(), "quorumscope-order-"));
  // Calls, a table, an import and exports name functions by number.
  const text = `(module
   (import "page" "add" (func $add (param i32 i32) (result i32)))
   (import "page" "base" (global $base i32))
   (table (export "table") 2 2 funcref)
   (elem (i32.const 0) $twice $large)
   (func $twice (param i32) (result i32) (call $add (local.get 0) (local.get 0)))
   (func $one (export "one") (result i32) (call $twice (i32.const 21)))
   (func $large (param i32) (result i32) (i32.add (global.get $base) (i32.mul (call $twice (local.get 0)) (i32.const 1000003))))
   (func (export "two") (result i32) (call $large (i32.const 1))))`;
  const [wat, from, to] = ["page.wat", "page.wasm", "ordered.wasm"].map((name) => join(work, name));
  writeFileSync(wat, text);
  execFileSync("node_modules/.bin/wasm-as", [wat, "-o", from]);
  const [before, named] = [readFileSync(from), namedInOrder(readFileSync(from))];
  writeFileSync(from, named);
  execFileSync("node_modules/.bin/wasm-opt", ["--reorder-functions-by-name", "--strip-debug", from, "-o", to]);
  const after = readFileSync(to);
  assert.notDeepEqual(after, before, "the order is another one");
  const run = (program) => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), { page: { add: (a, b) => a + b, base: 5 } });
    return [exports.one(), exports.two(), exports.table.get(0)(4), exports.table.get(1)(1)];
  };
  assert.deepEqual([run(before), run(after)], [[42, 2000011, 8, 2000011], [42, 2000011, 8, 2000011]]);
});
