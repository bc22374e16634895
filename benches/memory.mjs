// Memory of the page while it plays as fast as it goes: a page for each scenario, all at the same time, a line every ten seconds.
//
//   node benches/memory.mjs [--dir dist] [--minutes 10] [--every 10] [--port 8815] [SCENARIO…]
//
// A scenario is the key of a built-in one. Where a run ends (it is as long as a link can describe, or too large), it starts again. The columns:
// time of the run, events, MB of the program's memory (WebAssembly's memory never shrinks), MB of JavaScript.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { BROWSER_FLAGS } from "../tests/browser/browser-flags.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: "string", default: "dist" },
    minutes: { type: "string", default: "10" },
    every: { type: "string", default: "10" },
    port: { type: "string", default: "8815" },
  },
});
const scenarios = positionals.length > 0 ? positionals : ["three-regions", "leader-crash", "lossy-network"];
const [minutes, every, port] = [values.minutes, values.every, values.port].map(Number);
if (!(minutes > 0 && every > 0)) throw new Error("--minutes and --every are numbers above 0");

const server = spawn(process.execPath, ["scripts/serve.mjs", "--dir", values.dir, "--port", String(port), "--strict-port"], { stdio: "ignore" });
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH || undefined, args: [...BROWSER_FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"] });
const megabytes = (bytes) => (bytes / (1 << 20)).toFixed(1);
try {
  await new Promise((started) => setTimeout(started, 1_000));
  const pages = await Promise.all(
    scenarios.map(async (scenario) => {
      // A window of its own: pages in the background get no frames.
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(300_000);
      await page.goto(`http://127.0.0.1:${port}/?speed=max&preset=${scenario}`);
      await page.waitForFunction(() => window.quorumscope);
      return { scenario, page, again: 0, most: { memory: 0, heap: 0 }, first: undefined };
    }),
  );
  console.log("second  scenario            run (s)      events  program MB  JavaScript MB  started again");
  const begun = Date.now();
  for (let second = every; second <= minutes * 60; second += every) {
    await new Promise((next) => setTimeout(next, begun + second * 1_000 - Date.now()));
    for (const one of pages) {
      const { run, heap, ended } = await one.page.evaluate(() => {
        window.gc?.();
        const run = window.quorumscope.state();
        return { run, heap: performance.memory.usedJSHeapSize, ended: !run.playing };
      });
      one.most = { memory: Math.max(one.most.memory, run.memory), heap: Math.max(one.most.heap, heap) };
      one.first ??= { memory: run.memory, heap };
      one.last = { memory: run.memory, heap, events: run.events };
      const cells = [String(second).padStart(6), one.scenario.padEnd(18), (run.time / 1e6).toFixed(0).padStart(8), String(run.events).padStart(11)];
      console.log([...cells, megabytes(run.memory).padStart(11), megabytes(heap).padStart(14), String(one.again).padStart(14)].join(" "));
      if (ended) {
        one.again += 1;
        await one.page.getByRole("button", { name: "Back to the start" }).click();
        await one.page.getByRole("button", { name: "Play" }).click();
      }
    }
  }
  console.log("\nscenario            events at the end  program MB: first, last, most   JavaScript MB: first, last, most");
  for (const { scenario, first, last, most } of pages) {
    const three = (key) => [first, last, most].map((of) => megabytes(of[key])).join(", ");
    console.log(scenario.padEnd(18), String(last.events).padStart(18), three("memory").padStart(30), three("heap").padStart(34));
  }
} finally {
  await browser.close();
  server.kill();
}
