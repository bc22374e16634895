// Frames a second of the page in a browser without a graphics processor, with the built-in scenario playing: node benches/frames.mjs [firefox|webkit] [DIST]
// What it opens, it measures in turn, several times: other work of the machine then hits all alike. Settings, as environment variables: SETTLE, time to
// wait first, ms (35000: until all variants are measured, which takes a processor); QUERY, more of the address ("&panels=latency": nothing is measured);
// STYLES, a JSON object of names and style sheets to try beside the page as it is.
import { spawn } from "node:child_process";

const [name = "webkit", dist = "dist"] = process.argv.slice(2);
const PORT = 8797;
const SIZE = { width: 1280, height: 800 };
const SECONDS = 4;
const ROUNDS = 3;
// Styles tried beside the page as it is.
const STYLES = { "as it is": "", "without the canvas": ".stage canvas { display: none }", ...JSON.parse(process.env.STYLES ?? "{}") };

const launch = name === "firefox" ? (await import("../tests/browser/walk/firefox.mjs")).firefox : (await import("../tests/browser/walk/webdriver.mjs")).webkit;
const server = spawn(process.execPath, ["scripts/serve.mjs", "--dir", dist, "--base", "/", "--port", String(PORT), "--strict-port"], { stdio: ["ignore", "pipe", "inherit"] });
await new Promise((listens) => server.stdout.once("data", listens));
const browser = await launch(SIZE);
try {
  console.log(browser.name);
  const found = new Map(Object.keys(STYLES).map((style) => [style, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [style, css] of Object.entries(STYLES)) {
      await browser.open(`http://127.0.0.1:${PORT}/?speed=1:20${process.env.QUERY ?? ""}`);
      await until(() => browser.evaluate(() => window.quorumscope?.state().in_flight > 2));
      await browser.evaluate((css) => {
        document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
        window.frames_counted = 0;
        const count = () => {
          window.frames_counted += 1;
          requestAnimationFrame(count);
        };
        requestAnimationFrame(count);
      }, css);
      await wait(Number(process.env.SETTLE ?? 1_000));
      const before = await browser.evaluate(() => [window.frames_counted, performance.now()]);
      await wait(SECONDS * 1_000);
      const after = await browser.evaluate(() => [window.frames_counted, performance.now(), window.quorumscope.frames().p95]);
      found.get(style).push([(1_000 * (after[0] - before[0])) / (after[1] - before[1]), after[2]]);
    }
  }
  for (const [style, all] of found) console.log(`${style}: ${all.map(([rate, p95]) => `${rate.toFixed(1)} (script p95 ${p95} ms)`).join(", ")}`);
} finally {
  await browser.close();
  server.kill();
}

function wait(ms) {
  return new Promise((over) => setTimeout(over, ms));
}

async function until(holds) {
  while (!(await holds())) await wait(100);
}
