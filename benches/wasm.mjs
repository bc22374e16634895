// The simulator in WebAssembly under Node: the same workloads as the native program, in the same order.
//
//   cargo build --release --lib --no-default-features --target wasm32-unknown-unknown
//   node wasm.mjs [ROUNDS]
//
// Compare with the native figures of the same machine and minute. Like every module on its way into a page, this one goes through
// wasm-opt first, for speed; `../dev setup` brings that.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("target/wasm32-unknown-unknown/release/quorumscope_benches.wasm", import.meta.url));
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
// Names and sizes as in src/workloads.rs and src/main.rs.
const workloads = [
  ["bare event loop on the time wheel", 20_000_000],
  ["the same with trace and rolling digest", 20_000_000],
  ["Multi-Paxos n=5, window 64, trace on", 400_000],
  ["Multi-Paxos n=5, window 64, trace off", 400_000],
  ["Multi-Paxos n=5, window 64, trace and judges", 100_000],
  ["Raft n=5, window 64, trace on", 400_000],
  ["Raft n=5, window 64, trace off", 400_000],
  ["Raft n=5, window 64, trace and judges", 100_000],
];
const rates = workloads.map(() => []);
for (let round = 0; round <= rounds; round++) {
  workloads.forEach(([, size], number) => {
    const start = performance.now();
    const events = instance.exports.run(number, size);
    // The first round warms up.
    if (round > 0) rates[number].push(events / (performance.now() - start) / 1000);
  });
}
console.log(`${"".padEnd(46)}     min  median     max   million events a second, ${rounds} rounds, Node ${process.version}`);
workloads.forEach(([name], number) => {
  const sorted = rates[number].sort((a, b) => a - b);
  const shown = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((rate) => rate.toFixed(2).padStart(8));
  console.log(`${name.padEnd(46)}${shown.join("")}`);
});
