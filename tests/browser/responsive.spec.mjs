// The page answers at all times: long work is done in a worker that a Stop button ends, or in slices that leave the run where it was.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { pack, pause, state, until } from "./lab.mjs";

// Longest task of the page's main thread, ms of the processor's time. A debug build, which has no policy in it, computes many times slower.
const release = /Content-Security-Policy/.test(readFileSync("dist/index.html", "utf8"));
const LONGEST = release ? 1_000 : 1_500;

// A run that is asked to go very far: some ten thousand events a second, and a crash after an hour.
const sites = ["us-east-1", "us-west-2", "eu-west-1"];
const far = {
  variant: "multi-paxos",
  matrix: "aws",
  sites,
  replicas: [...sites, "us-east-1", "us-west-2"],
  clients: sites.map((site) => ({ site, sessions: 60 })),
  script: [{ at: "3600s", do: "crash", node: 1 }],
};

// Has the browser record what its threads do; tells, at the end, the longest tasks of the page's main thread, ms of the processor's time: on a
// busy machine a task also waits for its turn, which is nobody's fault.
async function traced(page) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const includedCategories = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"];
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories } });
  return async (what) => {
    const complete = new Promise((told) => session.on("Tracing.tracingComplete", told));
    await session.send("Tracing.end");
    await complete;
    const frame = events.find(({ name }) => name === "FireAnimationFrame");
    const tasks = events.filter(({ name, ph, tid, pid }) => /RunTask$/.test(name) && ph === "X" && tid === frame.tid && pid === frame.pid);
    const times = tasks.map(({ tdur }) => (tdur ?? 0) / 1000).sort((a, b) => b - a);
    const report = `${what}: ${times.length} tasks, the longest ${times.slice(0, 3).map((ms) => ms.toFixed(0)).join(", ")} ms`;
    console.log(report);
    test.info().annotations.push({ type: "tasks", description: report });
    return times[0];
  };
}

const going = (page, what) => page.locator(".notice", { hasText: what });
const stop = (page) => page.locator(".notice").getByRole("button", { name: "Stop" });
const measuring = (page) => page.locator("[data-works-in]");

// Once something has been measured, but not all, something is done at once: before anybody outside could, all would be measured.
const midway = (page, act) =>
  page.addInitScript((act) => {
    new MutationObserver(() => {
      const [, done, of] = document.querySelector("[data-works-in]")?.textContent.match(/measuring, (\d+) of (\d+)/) ?? [];
      if (window.measured || !(Number(done) > 0)) return;
      window.measured = { done: Number(done), of: Number(of), place: document.querySelector("[data-works-in]").dataset.worksIn };
      if (act === "stop") return document.querySelector("[data-works-in] button").click();
      const select = document.querySelector("select[aria-label=Scenario]");
      select.value = "1";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }).observe(document, { childList: true, subtree: true, characterData: true });
  }, act);
const measured = (page) => page.waitForFunction(() => window.measured).then((handle) => handle.jsonValue());

test("variants are measured in a worker; Stop ends it, and the rest can be measured later", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  // The program that is there already is not fetched again: the worker gets it compiled.
  const [programs, workers] = [[], []];
  page.on("request", (request) => /_bg\.wasm$/.test(request.url()) && programs.push(request.url()));
  page.on("worker", (worker) => workers.push(worker.url()));
  await midway(page, "stop");
  await open("?autoplay=false");
  const { done, of, place } = await measured(page);
  expect(place).toBe("worker");
  expect(done).toBeLessThan(of);
  const note = page.locator(".panel.messages .note");
  await expect(note).toContainText(/\d+ of \d+ measured/);
  await expect.poll(() => page.workers().length).toBe(0);
  const stopped = await note.textContent();
  await expectAccessible(page);
  expect(await note.textContent(), "nothing is measured any more").toBe(stopped);
  await page.getByRole("button", { name: "Measure the rest" }).click();
  await expect(note).not.toContainText("measur", { timeout: 90_000 });
  await expect.poll(() => page.workers().length).toBe(0);
  expect(workers).toHaveLength(2);
  expect(programs).toHaveLength(1);
  expect(await page.locator(".numbers tbody tr").count()).toBeGreaterThanOrEqual(of);
});

test("another scenario ends the worker that measures for the one before", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const workers = [];
  page.on("worker", (worker) => workers.push(worker));
  await midway(page, "switch");
  await open("?autoplay=false");
  const { done, of } = await measured(page);
  expect(done).toBeLessThan(of);
  await expect.poll(() => workers.length).toBe(2);
  await expect(page.locator(".panel.messages .note")).not.toContainText("measur", { timeout: 90_000 });
  await expect.poll(() => page.workers().length).toBe(0);
});

for (const [where, headers] of [
  ["in a frame without an origin, where none may be started", {}],
  ["under a policy of the host that lets none be started", { "content-security-policy": "worker-src 'none'" }],
  ["on a host that has lost the worker's script", { "x-without": "worker.js" }],
]) {
  test(`variants are measured in the page ${where}`, async ({ page, baseURL }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    let frame = page;
    let course;
    if (Object.keys(headers).length === 0) {
      course = createServer((_, response) =>
        response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>A course</title><link rel="icon" href="data:,">
          <iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?autoplay=false" width="1400" height="880"></iframe>`),
      );
      await new Promise((listening) => course.listen(0, "127.0.0.1", listening));
      await page.goto(`http://127.0.0.1:${course.address().port}/`);
      frame = page.frames()[1];
    } else {
      if (headers["x-without"]) await page.route(/worker\.js$/, (route) => route.fulfill({ status: 404, body: "gone" }));
      else await page.route(/\/(\?[^/]*)?$/, async (route) => route.fulfill({ response: await route.fetch(), headers: { ...headers, "content-type": "text/html" } }));
      await page.goto("?autoplay=false");
    }
    try {
      await expect(frame.locator("[data-works-in]")).toHaveAttribute("data-works-in", "page", { timeout: 60_000 });
      await expect(frame.getByRole("img", { name: /^Raft, 5 replicas: 8 messages/ })).toBeVisible({ timeout: 60_000 });
      expect(page.workers()).toHaveLength(0);
    } finally {
      course?.close();
    }
  });
}

test("going to a far moment shows how far it is, the page answers, and Stop leaves the run where it was", { tag: "@timed" }, async ({ page, open }) => {
  test.setTimeout(240_000);
  await page.setViewportSize({ width: 1440, height: 900 });
  await open();
  const link = await pack(page, far);
  await page.goto("about:blank");
  // It opens just before what happens, so it goes there by itself; stopped, it is at its start.
  await open(`?autoplay=false${link}`);
  await expect(going(page, "Going to 3599.0")).toBeVisible();
  await expectAccessible(page);
  await screen(page, "going-far");
  await stop(page).click();
  const before = await state(page);
  expect(before.events).toBe(0);
  const ended = await traced(page);
  await page.locator(".fault.ahead", { hasText: "crash node 1" }).click();
  await expect(going(page, "Going to 3599.9")).toBeVisible();
  await expect(page.getByRole("progressbar")).toBeVisible();
  const progress = () => page.getByRole("progressbar").evaluate((bar) => bar.value);
  const early = await progress();
  await expect.poll(progress).toBeGreaterThan(early);
  await stop(page).click();
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  const after = await state(page);
  expect([after.time, after.fingerprint]).toEqual([before.time, before.fingerprint]);
  // The same by key; and somebody who acts meanwhile acts on the run where it is.
  await page.locator(".fault.ahead", { hasText: "crash node 1" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  expect((await state(page)).fingerprint).toBe(before.fingerprint);
  await page.locator(".fault.ahead", { hasText: "crash node 1" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.getByRole("button", { name: "Crash leader" }).click();
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  const acted = await until(page, (run) => run.interventions === 1, "the leader crashes");
  expect(acted.time).toBeGreaterThan(before.time);
  expect(await ended("going to a far moment")).toBeLessThan(LONGEST);
});

test("a link to a far moment opens in slices, from the start and beside another run; the link asked for last wins", { tag: "@timed" }, async ({ page, open }) => {
  test.setTimeout(400_000);
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?autoplay=false");
  const first = await state(page);
  const own = await page.evaluate(() => location.hash);
  // A far moment of a run, and its link.
  const packed = await pack(page, { ...far, script: undefined });
  await page.evaluate((packed) => (location.hash = packed), packed);
  const slider = page.getByRole("slider", { name: "Speed" });
  await until(page, (run) => run.nodes.length === 5 && run.variant === "multi-paxos" && run.playing, "it is open");
  await slider.fill(await slider.getAttribute("max"));
  await until(page, (run) => run.events > (release ? 6_000_000 : 400_000), "it is far");
  const there = await pause(page);
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
  // The address follows; while a worker measures beside, it takes its time.
  let distant;
  const settled = async () => {
    const [before, now] = [distant, await page.evaluate(() => location.hash)];
    distant = now;
    return now === before;
  };
  await page.waitForTimeout(3_000);
  await expect.poll(settled, { intervals: [2_000], timeout: 60_000 }).toBe(true);

  await page.evaluate((own) => (location.hash = own), own);
  await until(page, (run) => run.fingerprint === first.fingerprint, "the first run is back");
  // What plays from now on stays near its beginning.
  await slider.fill(await slider.getAttribute("min"));
  const ended = await traced(page);
  await page.evaluate((distant) => (location.hash = distant), distant);
  await expect(going(page, "Opening the link")).toBeVisible();
  // Stopped, the run is as it was.
  await stop(page).dispatchEvent("click", {}, { timeout: 20_000 });
  expect((await state(page)).fingerprint).toBe(first.fingerprint);
  // Two links, one right after the other: that of the near moment is open long before that of the far one would be.
  await page.evaluate(([distant, packed]) => {
    location.hash = distant;
    location.hash = packed;
  }, [distant, packed]);
  await until(page, (run) => run.variant === "multi-paxos" && run.events < 100_000, "the second is open");
  await page.waitForTimeout(1_000);
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  expect((await state(page)).events).toBeLessThan(there.events);
  // And the other way round.
  await page.evaluate(([distant, own]) => {
    location.hash = own;
    location.hash = distant;
  }, [distant, own]);
  await until(page, (run) => run.fingerprint === there.fingerprint, "the far moment is there");
  expect(await ended("opening links")).toBeLessThan(LONGEST);

  // From the start.
  await page.goto("about:blank");
  await open(distant);
  await expect(going(page, "Opening the link")).toBeVisible();
  await until(page, (run) => run.fingerprint === there.fingerprint, "the far moment is there");
  expect((await state(page)).playing).toBe(false);
  await page.goto("about:blank");
  await open(distant);
  await stop(page).dispatchEvent("click", {}, { timeout: 20_000 });
  await expect(page.getByRole("progressbar")).toHaveCount(0);
  const begin = await state(page);
  expect([begin.events, begin.variant]).toEqual([0, "multi-paxos"]);
});

test("pausing takes effect in the next frame while variants are measured and the run plays as fast as it goes", { tag: "@timed" }, async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?speed=max");
  await expect(measuring(page)).toBeVisible();
  const ended = await traced(page);
  for (let i = 0; i < 5; i += 1) {
    const playing = await page.evaluate(async () => {
      document.querySelector('[aria-label="Pause"]').click();
      await new Promise((next) => requestAnimationFrame(next));
      return window.quorumscope.state().playing;
    });
    expect(playing).toBe(false);
    await page.getByRole("button", { name: "Play" }).click();
    await until(page, (run) => run.playing, "it plays");
    await page.waitForTimeout(500);
  }
  expect(await ended("top speed and measuring")).toBeLessThan(LONGEST);
});

test("every scenario opens without a task that is noticed", { tag: "@timed" }, async ({ page, open }) => {
  test.setTimeout(240_000);
  await open("?speed=max");
  await page.waitForTimeout(2_000);
  const ended = await traced(page);
  const scenario = page.getByRole("combobox", { name: "Scenario" });
  for (const key of await scenario.locator("option:not([disabled])").evaluateAll((options) => options.map((option) => option.value))) {
    await scenario.selectOption(key);
    await until(page, (run) => run.events > 0, `scenario ${key} runs`);
    await page.waitForTimeout(release ? 400 : 100);
  }
  expect(await ended("opening scenarios")).toBeLessThan(LONGEST);
});
