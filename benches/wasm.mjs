// The simulator in WebAssembly under Node: the same workloads as the native program, in the same order.
//
//   cargo build --release --lib --no-default-features --target wasm32-unknown-unknown
//   node wasm.mjs [ROUNDS]
//
// Compare with the native figures of the same machine and minute.
import { readFileSync } from "node:fs";

const path = new URL("target/wasm32-unknown-unknown/release/quorumscope_benches.wasm", import.meta.url);
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

// Going to random events of a run of 100,000, one by one.
instance.exports.ride(100_000);
const times = Array.from({ length: 5_000 }, () => {
  const start = performance.now();
  instance.exports.seek();
  return (performance.now() - start) * 1000;
}).sort((a, b) => a - b);
const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(0);
console.log(`\nto any event of 100,000, in µs: median ${at(0.5)}, 99 % within ${at(0.99)}, longest ${at(1)}   (bar: 250)`);

// An hour of the scenario that the page begins with is 580,000 events.
instance.exports.ride(580_000);
console.log(`memory after an hour of simulated time: ${(instance.exports.memory.buffer.byteLength / 1e6).toFixed(0)} MB`);
