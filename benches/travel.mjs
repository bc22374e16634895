// Going to any event of a run, in WebAssembly under Node: how long it takes, and how much memory the copies on the way take.
//
//   cargo build --release --lib --no-default-features --target wasm32-unknown-unknown
//   node travel.mjs
//
// The bar: any event of a run of 100,000 events within 250 µs.
import { readFileSync } from "node:fs";

const path = new URL("target/wasm32-unknown-unknown/release/quorumscope_benches.wasm", import.meta.url);
const bytes = readFileSync(path);
for (const [what, events, seconds] of [
  ["a busy cluster, 100,000 events", 100_000, 0],
  ["a busy cluster, 1,000,000 events", 1_000_000, 0],
  ["the first scenario, an hour of simulated time", 0, 3_600],
]) {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const megabytes = () => instance.exports.memory.buffer.byteLength / 2 ** 20;
  const before = megabytes();
  const all = instance.exports.play(events, seconds);
  // Everywhere, in no order: a step that shares no divisor with the number of events. Each way is gone five times and the
  // shortest time counts, because on a busy machine others get the processor in between, for milliseconds.
  const walk = Array.from({ length: 2_000 }, (_, i) => (((i + 1) * 61_803) % all) + 1);
  const times = walk.map(() => Infinity);
  for (let round = 0; round < 5; round++) {
    walk.forEach((event, i) => {
      const start = performance.now();
      if (instance.exports.go(event) !== event) throw new Error(`event ${event} was not reached`);
      times[i] = Math.min(times[i], 1_000 * (performance.now() - start));
    });
  }
  times.sort((a, b) => a - b);
  const at = (part) => `${times[Math.floor((times.length - 1) * part)].toFixed(0)} µs`;
  console.log(`${what} (${all.toLocaleString("en")} events): median ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}; ${(megabytes() - before).toFixed(0)} MB`);
}
