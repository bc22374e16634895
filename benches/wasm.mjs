// Native and WebAssembly throughput of the same workloads in alternating rounds, and the ratios that the project's bars are about.
//
//   cargo build --release --no-default-features --example one
//   cargo build --release --no-default-features --lib --target wasm32-unknown-unknown
//   node wasm.mjs [ROUNDS] [ONLY WORKLOADS WHOSE NAME CONTAINS THIS]
//
// Every round runs each workload natively and then in WebAssembly, so that both meet the same load of the machine; figures are medians.
// Like every module on its way into a page, this one goes through wasm-opt first, for speed; `../dev setup` brings that.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const target = new URL(`${process.env.CARGO_TARGET_DIR ?? "target"}/`, new URL("./", import.meta.url));
const native = fileURLToPath(new URL("release/examples/one", target));
const built = fileURLToPath(new URL("wasm32-unknown-unknown/release/quorumscope_benches.wasm", target));
for (const file of [native, built]) {
  if (!existsSync(file)) {
    console.error(`${file} is missing; the head of wasm.mjs says how to build it`);
    process.exit(2);
  }
}
const optimiser = fileURLToPath(new URL("../node_modules/.bin/wasm-opt", import.meta.url));
let path = built;
if (existsSync(optimiser)) {
  path = built.replace(/\.wasm$/, ".optimised.wasm");
  execFileSync(optimiser, ["--all-features", "-O4", built, "-o", path]);
} else {
  console.log("wasm-opt is missing (run ../dev setup): as compiled");
}
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
const rounds = Number(process.argv[2] ?? 5);
const only = process.argv[3] ?? "";
// `one` without arguments lists the workloads: SIZE, tab, NAME.
const workloads = execFileSync(native, { encoding: "utf8" })
  .trimEnd()
  .split("\n")
  .map((line, number) => ({ number, size: Number(line.split("\t")[0]), name: line.split("\t")[1], native: [], wasm: [] }))
  .filter(({ name }) => name.includes(only));
for (let round = 0; round <= rounds; round++) {
  for (const workload of workloads) {
    const { number, size } = workload;
    const [events, seconds] = execFileSync(native, [number, size].map(String), { encoding: "utf8" }).split(" ").map(Number);
    const start = performance.now();
    const taken = instance.exports.run(number, size);
    const inWasm = (performance.now() - start) / 1_000;
    if (taken !== events) throw new Error(`${workload.name}: ${events} events natively, ${taken} in WebAssembly`);
    // The first round warms up.
    if (round === 0) continue;
    workload.native.push(events / seconds / 1e6);
    workload.wasm.push(events / inWasm / 1e6);
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const cell = (value) => value.toFixed(2).padStart(12);
console.log(`${"".padEnd(46)}${"native".padStart(12)}${"wasm".padStart(12)}${"wasm/native".padStart(12)}`);
for (const { name, native, wasm } of workloads) {
  // The ratio of each round is one of neighbours in time, so its median is steadier than the ratio of medians.
  const ratio = median(wasm.map((rate, round) => rate / native[round]));
  console.log(`${name.padEnd(46)}${cell(median(native))}${cell(median(wasm))}${cell(ratio)}`);
}
console.log(`Millions of events a second, medians of ${rounds} rounds, Node ${process.version}`);
const [bare, , traced] = workloads;
if (only === "") {
  const bar = (kind) => median(traced[kind].map((rate, round) => rate / bare[kind][round])).toFixed(2);
  console.log(`Multi-Paxos with trace / bare loop: native ${bar("native")} (bar: 0.55), wasm ${bar("wasm")}`);
}
