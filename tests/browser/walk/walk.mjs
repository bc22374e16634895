// The walk: what a person does in the first minutes, in a browser other than the one all other tests run in. Shorter than those, since the page is
// the same; it is about what browsers do differently.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

const BASE = "/some/sub/path/";
const PORT = Number(process.env.QUORUMSCOPE_TEST_PORT ?? 8791);
const HOME = `http://127.0.0.1:${PORT}${BASE}`;
const SIZE = { width: 1280, height: 800 };
// How long anything may take, ms: a machine without a graphics processor, busy with other things.
const PATIENCE = 60_000;

// Registers the tests of the walk in the browser that `launch` starts.
export function walk(launch) {
  let server, browser;

  before(async () => {
    server = spawn(process.execPath, ["scripts/serve.mjs", "--dir", process.env.QUORUMSCOPE_DIST ?? "dist", "--base", BASE, "--port", String(PORT), "--strict-port"], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((listens, failed) => {
      server.stdout.once("data", listens);
      server.once("exit", (code) => failed(new Error(`the server ended with exit code ${code}`)));
    });
    browser = await launch(SIZE);
    console.log(`walking in ${browser.name}`);
  });
  after(async () => {
    await browser?.close();
    server?.kill();
  });

  const run = () => browser.evaluate(() => window.quorumscope?.state() ?? null);
  const until = (holds, what) => eventually(async () => ((state) => state && holds(state) && state)(await run()), what);
  const open = async (address = "") => {
    await browser.open(HOME + address);
    return until(() => true, "the page runs");
  };
  // The middle of an element that a selector finds and whose accessible name or text is `name`, in the window.
  const middle = async (selector, name) => {
    const find = (selector, name) => {
      const named = (element) => !name || element.getAttribute("aria-label") === name || element.textContent.trim() === name;
      const found = [...document.querySelectorAll(selector)].find(named);
      const { left, top, width, height } = found?.getBoundingClientRect() ?? {};
      return found ? { x: left + width / 2, y: top + height / 2 } : null;
    };
    return eventually(() => browser.evaluate(find, selector, name ?? null), `there is ${name ?? selector}`);
  };
  const click = async (selector, name) => browser.click(await middle(selector, name));

  test("opens, and time goes by", async () => {
    const first = await open("?speed=1:1");
    assert.equal(first.variant, "raft");
    await until((state) => state.playing && state.time > first.time, "time goes by");
    await picture("opened");
  });

  test("pauses and plays by button and by key, and a step is one event", async () => {
    await open("?speed=1:1");
    await click("button", "Pause");
    const still = await until((state) => !state.playing, "it stands still");
    await click("button", "One event on");
    await until((state) => state.events === still.events + 1, "one event has happened");
    await browser.press(".");
    await browser.evaluate(() => document.activeElement.blur());
    await browser.press(" ");
    await until((state) => state.playing, "it plays again");
  });

  test("a replica dragged to another place moves there", async () => {
    const before = await open("?autoplay=false");
    const moved = before.nodes.find((node) => node.node !== before.leader);
    const other = before.nodes.find((node) => node.site !== moved.site);
    const to = await middle(`[data-target="node-${other.node}"]`);
    await browser.drag(await middle(`[data-target="node-${moved.node}"]`), { x: to.x + 40, y: to.y + 30 });
    await until((state) => state.nodes[moved.node - 1].site === other.site, `node ${moved.node} is at ${other.site}`);
    await picture("dragged");
  });

  test("the address shows the same moment after a reload, and Share shows the same", async () => {
    await open("?autoplay=false");
    await click("button", "Crash leader");
    const there = await until((state) => state.interventions === 1, "the leader has crashed");
    const address = () => browser.evaluate(() => location.hash);
    await eventually(async () => /^#s=1\../.test(await address()), "the moment is in the address");
    await settled(address);
    await click("button", "Share");
    const shown = () => browser.evaluate(() => document.querySelector('dialog input[aria-label="Link to this moment"]')?.value ?? "");
    await eventually(async () => (await shown()).endsWith(await address()), "the sheet shows the address");
    await browser.reload();
    const again = await until((state) => state.interventions === 1, "the run is there again");
    assert.equal(again.fingerprint, there.fingerprint);
  });

  test("the scenario box shows the scenario that runs, also after a reload", async () => {
    const title = () => browser.evaluate(() => document.querySelector('select[aria-label="Scenario"]')?.selectedOptions[0]?.textContent ?? "");
    await open("?preset=made-up-values");
    for (const load of ["first", "reloaded", "reloaded again"]) {
      if (load !== "first") await browser.reload();
      await until(() => true, "the page runs");
      await eventually(async () => (await title()) === "Replicas that make up their own values", `${load}: the box shows the scenario, not “${await title()}”`);
      await new Promise((over) => setTimeout(over, 500));
      assert.equal(await title(), "Replicas that make up their own values");
    }
  });

  test("runs inside a sandboxed frame of another site, with its style", async () => {
    const course = createServer((_, response) =>
      response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>A course</title><link rel="icon" href="data:,">
        <iframe title="Quorumscope" sandbox="allow-scripts" src="${HOME}?embed&speed=1:1" width="900" height="600"></iframe>`),
    );
    await new Promise((listening) => course.listen(0, "127.0.0.1", listening));
    try {
      await browser.open(`http://127.0.0.1:${course.address().port}/`);
      const inside = (body) => browser.within("iframe", (evaluate) => evaluate(body));
      const first = await eventually(() => inside(() => window.quorumscope?.state() ?? null), "the page runs in the frame");
      await eventually(async () => (await inside(() => window.quorumscope.state())).time > first.time, "time goes by");
      assert.equal(await inside(() => getComputedStyle(document.querySelector(".transport")).display), "flex");
      await picture("sandboxed");
    } finally {
      course.close();
    }
  });

  test("a page of another site drives the frame by embed.js, in a sandbox and without", async () => {
    const course = createServer((_, response) =>
      response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>A course</title><link rel="icon" href="data:,"><script src="${HOME}embed.js"></script>
        <div id="a" style="height:450px"></div><div id="b" style="height:450px"></div>
        <script>
          window.told = [];
          const scopes = ["allow-scripts", "allow-scripts allow-same-origin"].map((sandbox, i) => Quorumscope.embed(document.getElementById("ab"[i]), { sandbox, autoplay: false, timeout: 50_000 }));
          const drive = async (scope) => {
            await scope.ready;
            await scope.seek("2s");
            const { nodes, time } = await scope.act({ do: "crash", node: "leader" });
            told.push([time, nodes.filter((node) => !node.up).length]);
          };
          Promise.all(scopes.map(drive)).catch((error) => told.push(String(error.code)));
        </script>`),
    );
    await new Promise((listening) => course.listen(0, "127.0.0.1", listening));
    try {
      await browser.open(`http://127.0.0.1:${course.address().port}/`);
      const told = await eventually(() => browser.evaluate(() => (window.told?.length === 2 || typeof window.told?.[0] === "string") && window.told), "both frames have answered");
      assert.deepEqual(told, [[2_000_000, 1], [2_000_000, 1]]);
      await picture("driven");
    } finally {
      course.close();
    }
  });

  test("frames a second: an ordinary run, a paused one, and thousands of messages", async () => {
    const told = [];
    for (const [what, address] of [["the first scenario", "?speed=1:20"], ["paused", "?autoplay=false"], ["thousands of messages", `?speed=1:50${await crowded()}`]]) {
      await browser.open("about:blank");
      await open(address);
      await new Promise((over) => setTimeout(over, 1_500));
      await browser.evaluate(() => {
        const counted = (window.counted = { frames: 0, since: performance.now() });
        const count = () => (counted.frames++, requestAnimationFrame(count));
        requestAnimationFrame(count);
        window.quorumscope.clearFrames();
      });
      await new Promise((over) => setTimeout(over, 4_000));
      const rate = await browser.evaluate(() => (1_000 * window.counted.frames) / (performance.now() - window.counted.since));
      const { p50, p95, in_flight } = await browser.evaluate(() => window.quorumscope.frames());
      told.push(`${what}: ${rate.toFixed(1)} frames a second, script a frame p50 ${p50} ms, p95 ${p95} ms, ${in_flight} messages in flight`);
      if (what.startsWith("thousands")) assert.ok(in_flight > 300);
    }
    const report = `${browser.name}: ${told.join("; ")}`;
    console.log(report);
    mkdirSync("test-results", { recursive: true });
    writeFileSync(`test-results/frames-${browser.name.split(" ")[0].toLowerCase()}.txt`, `${report}\n`);
  });

  // The scenario of measure.spec.mjs, as a link.
  async function crowded() {
    const sites = ["us-east-1", "us-west-2", "eu-west-1"];
    const scenario = {
      variant: "multi-paxos",
      matrix: "aws",
      sites,
      replicas: [...sites, ...sites, ...sites],
      clients: sites.map((site) => ({ site, sessions: 180, think: "20ms" })),
      network: { jitter: "30%" },
    };
    const packed = new Response(new Blob([JSON.stringify(scenario)]).stream().pipeThrough(new CompressionStream("deflate-raw")));
    return `#s=1.${Buffer.from(await packed.arrayBuffer()).toString("base64url")}`;
  }

  async function picture(name) {
    mkdirSync("test-results/screens", { recursive: true });
    writeFileSync(`test-results/screens/${browser.name.split(" ")[0].toLowerCase()}-${name}.png`, await browser.screenshot());
  }
}

// Waits until what `ask` returns holds, and returns it.
async function eventually(ask, what) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
    await new Promise((over) => setTimeout(over, 100));
  }
}

// Waits until what `ask` returns stays the same for a while.
async function settled(ask) {
  let last;
  await eventually(async () => {
    const now = await ask();
    const same = now === last;
    last = now;
    await new Promise((over) => setTimeout(over, 700));
    return same;
  }, "it stays the same");
}
