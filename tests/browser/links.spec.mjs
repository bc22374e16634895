// The address describes what is on screen: another browser that opens it has the same run at the same moment.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { test, expect, screen } from "./fixtures.mjs";
import { drag, item, pack, pause, replica, site, state, until } from "./lab.mjs";

const fragment = (page) => page.evaluate(() => location.hash);

// Waits until the address has caught up with a run that stands still.
async function settled(page) {
  let last;
  await expect.poll(async () => {
    const now = await fragment(page);
    const same = now !== "" && now === last;
    last = now;
    return same;
  }, { intervals: [1_200] }).toBe(true);
  return last;
}

test("link opens the same run at the same moment, interventions included", async ({ page, open, browser, baseURL }) => {
  await open("?speed=1:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await (await drag(page, replica(page, 2).locator(".disc"), site(page, "Oregon")))();
  await replica(page, 5).locator(".disc").click();
  await item(page, "Crash").click();
  await until(page, (run) => run.interventions === 2, "two interventions are done");
  await page.waitForTimeout(700);
  await pause(page);
  const here = await state(page);
  const link = await settled(page);
  expect(link).toMatch(/^#s=1\.[A-Za-z0-9_-]+$/);

  const elsewhere = await (await browser.newContext()).newPage();
  await elsewhere.goto(`${baseURL}${link}`);
  await until(elsewhere, () => true, "it runs");
  const there = await state(elsewhere);
  expect(there.fingerprint).toBe(here.fingerprint);
  expect(there).toMatchObject({ time: here.time, events: here.events, interventions: 2, playing: false });
  expect(there.nodes).toEqual(here.nodes);
  // And from there on both go the same way.
  for (const each of [page, elsewhere]) await each.getByRole("button", { name: "One event on" }).click();
  expect((await state(elsewhere)).fingerprint).toBe((await state(page)).fingerprint);
  await elsewhere.context().close();
});

test("the address keeps up while time goes by", async ({ page, open }) => {
  await open("?speed=1:1");
  await expect.poll(() => fragment(page)).toMatch(/^#s=1\./);
  const first = await fragment(page);
  await expect.poll(() => fragment(page)).not.toBe(first);
});

test("a link pasted into the same window is opened", async ({ page, open }) => {
  await open("?speed=1:1");
  await pause(page);
  const here = await state(page);
  const link = await settled(page);
  await page.keyboard.press("s");
  await page.keyboard.press("s");
  expect((await state(page)).events).toBe(here.events + 2);
  await page.evaluate((link) => (location.hash = link), link);
  await until(page, (run) => run.fingerprint === here.fingerprint, "the moment of the link is back");
});

test("Share copies the link to the moment, and a frame of it", async ({ page, open, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open("?autoplay=false");
  await page.getByRole("button", { name: "Share" }).click();
  const sheet = page.getByRole("dialog", { name: "Share" });
  await expect(sheet.getByRole("textbox", { name: "Link to this moment" })).toHaveValue(/#s=1\./);
  await sheet.getByRole("button", { name: "Copy the link" }).click();
  await expect(sheet.getByRole("status")).toHaveText("Copied.");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(new URL(page.url()).origin);
  expect(copied).toMatch(/#s=1\.[A-Za-z0-9_-]+$/);
  await sheet.getByRole("checkbox", { name: "readers change time alone" }).check();
  const frame = await sheet.getByRole("textbox", { name: "The frame for another page" }).inputValue();
  expect(frame).toContain(`?embed&amp;lock#${copied.split("#")[1]}"`);
  expect(frame).toMatch(/width="\d+" height="\d+"/);
});

test("what Share saves is the run on screen, as every format says", async ({ page, open }) => {
  await open("?autoplay=false&preset=three-regions&moment=2s");
  await page.getByRole("button", { name: "Share" }).click();
  const sheet = page.getByRole("dialog", { name: "Share" });
  const saved = async (name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), sheet.getByRole("button", { name, exact: true }).first().click()]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  const { events } = await page.evaluate(() => quorumscope.state());
  const lines = await saved("Save jsonl");
  expect(lines.name).toBe("raft-2000ms-jsonl.jsonl");
  expect(lines.bytes.toString().trim().split("\n").map((line) => JSON.parse(line)).at(-1).event).toBe(events);
  const trace = JSON.parse((await saved("Save chrome-trace")).bytes);
  expect(trace.traceEvents.length).toBeGreaterThan(100);
  const picture = await saved("PNG");
  expect([...picture.bytes.subarray(1, 4)].map((byte) => String.fromCharCode(byte)).join("")).toBe("PNG");
  await expect(sheet.getByRole("status")).toHaveText(`${picture.name} is written.`);
  const scenario = JSON.parse((await saved("Save as a file")).bytes);
  expect(scenario.variant).toBe("raft");
});

test("a trace is handed to Perfetto's page when that is ready, from window to window", async ({ page, open, context, complaints }) => {
  // What Perfetto's page does, as it documents it.
  const perfetto = `<script>
    let asked = 0;
    addEventListener("message", ({ data, source, origin }) => {
      if (data === "PING" && (asked += 1) > 2) source.postMessage("PONG", origin);
      if (data.perfetto) document.title = JSON.parse(new TextDecoder().decode(data.perfetto.buffer)).traceEvents.length + " events of " + data.perfetto.title;
    });
  </script>`;
  await context.route("https://ui.perfetto.dev/**", (route) => route.fulfill({ contentType: "text/html", body: perfetto }));
  await open("?autoplay=false&preset=three-regions&moment=1s");
  await page.getByRole("button", { name: "Share" }).click();
  const sheet = page.getByRole("dialog", { name: "Share" });
  const [other] = await Promise.all([context.waitForEvent("page"), sheet.getByRole("button", { name: "Open in Perfetto" }).click()]);
  await expect(other).toHaveTitle(/^\d{3,} events of raft-1000ms$/);
  await expect(sheet.getByRole("status")).toHaveText("Perfetto has it.");
  expect(complaints).toEqual([]);
});

for (const [what, link, says] of [
  ["damaged", "#s=1.abc", "damaged"],
  ["of another version", "#s=9.abc", "no link to a run"],
  ["that is no link", "#chapter-2", "no link to a run"],
]) {
  test(`a link ${what} is told, and the first scenario runs`, async ({ page, open }) => {
    await open(link);
    await expect(page.locator(".notice")).toContainText(says);
    await until(page, (run) => run.nodes.length === 5 && run.playing, "it runs all the same");
    if (what === "damaged") await screen(page, "bad-link");
  });
}

test("a link with nonsense in it names the field and what would do", async ({ page, open }) => {
  await open();
  const scenario = { variant: "rafd", matrix: "aws", sites: ["us-east-1"], replicas: ["us-east-1", "us-east-1", "mars"] };
  const link = await pack(page, scenario);
  await page.goto("about:blank");
  await open(link);
  await expect(page.locator(".notice")).toContainText('variant: "rafd": did you mean "raft"?');
  await expect(page.locator(".notice")).toContainText("replicas[2]");
  await until(page, (run) => run.variant === "raft", "the first scenario runs");
});

// Links that were made to do harm, each of a kind of its own. What the page says of them, the command says, too: one reader reads both
// (tests/bad_documents.rs has very many more).
const plain = { variant: "raft", matrix: "aws", sites: ["us-east-1"], replicas: ["us-east-1"] };
// 32,000 clients whose messages are under way for half a second and then lost, and who ask again each millisecond.
const overload = {
  variant: "raft",
  sites: ["near", "far"],
  rtt_ms: [[0, 1000], [1000, 0]],
  replicas: ["far"],
  clients: Array(32).fill({ site: "near", sessions: 1000, retry: "1ms" }),
  network: { loss: "100%" },
};
const nested = (deep) => `${"[".repeat(deep)}1${"]".repeat(deep)}`;
for (const [what, text, says] of [
  ["a misspelt field", JSON.stringify({ ...plain, dissk: "1ms" }), 'dissk: is no field; did you mean "disk"?'],
  ["a misspelt field within another", JSON.stringify({ ...plain, network: { lose: "1%" } }), 'network.lose: is no field; did you mean "loss"?'],
  ["a misspelt field of a fault", JSON.stringify({ ...plain, script: [{ at: "1s", do: "crash", nodde: 1 }] }), "script[0].nodde: is no field"],
  ["a field given twice", `{"variant":"raft","seed":1,"seed":2}`, '"seed" is given twice'],
  ["10,000 lists in each other", `{"variant":"raft","title":${nested(10_000)}}`, "nested too deep"],
  ["2,000 wrong rules", JSON.stringify({ ...plain, without: Array(2_000).fill("x") }), "more"],
  ["2,000 wrong settings", JSON.stringify({ ...plain, settings: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`x${i}`, 1])) }), "and 1,980 more"],
  ["300,000 wrong rules", JSON.stringify({ ...plain, without: Array(300_000).fill("x") }), "too many values"],
  ["a title of 3 MB", JSON.stringify({ ...plain, title: "x".repeat(3 << 20) }), "title: "],
  ["190 MB", null, "holds too much"],
  ["a moment that takes too much", JSON.stringify({ scenario: overload, moment: { event: 20_000_000, at: "1h" } }), "too large: the run takes"],
]) {
  test(`a link with ${what} is refused in a few words while the run stays`, async ({ page, open }) => {
    test.setTimeout(240_000);
    await open("?speed=1:1");
    await pause(page);
    const here = await state(page);
    const fragment = await page.evaluate(async (text) => {
      const bytes = text === null ? new Uint8Array(190 << 20).fill(0xff) : text;
      const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
      const packed = new Uint8Array(await new Response(stream).arrayBuffer());
      let binary = "";
      packed.forEach((byte) => (binary += String.fromCharCode(byte)));
      return "#s=1." + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    }, text);
    const since = Date.now();
    await page.evaluate((fragment) => (location.hash = fragment), fragment);
    const notice = page.locator(".notice");
    await expect(notice).toContainText(says, { timeout: what.startsWith("a moment") ? 150_000 : 5_000 });
    test.info().annotations.push({ type: "time", description: `${what}: ${Date.now() - since} ms` });
    expect((await notice.textContent()).length).toBeLessThan(20_000);
    expect((await state(page)).fingerprint).toBe(here.fingerprint);
    // It is still alive.
    await page.keyboard.press("s");
    expect((await state(page)).events).toBe(here.events + 1);
  });
}

test("a run that grows without an end at top speed stops as too large, says so at once, and is kept", async ({ page, open }) => {
  test.setTimeout(180_000);
  await open("?speed=max");
  const link = await pack(page, overload);
  await page.evaluate((link) => (location.hash = link), link);
  await expect(page.locator(".notice")).toContainText("too large: the run takes", { timeout: 150_000 });
  const there = await state(page);
  expect(there.playing).toBe(false);
  // Playing on says the same again; going back is possible.
  await page.getByRole("button", { name: "Play" }).click();
  await expect(page.locator(".notice")).toContainText("too large");
  await page.getByRole("button", { name: "One event back" }).click();
  await until(page, (run) => run.events === there.events - 1, "it is an event earlier");
});

test("runs and can be used inside a sandboxed frame", async ({ page, baseURL }) => {
  const course = createServer((_, response) =>
    response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>A course</title><link rel="icon" href="data:,">
      <iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?embed&theme=dark&speed=1:1" width="900" height="620"></iframe>`),
  );
  await new Promise((listening) => course.listen(0, "127.0.0.1", listening));
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  try {
    await page.goto(`http://127.0.0.1:${course.address().port}/`);
    const frame = page.frames()[1];
    const inside = () => frame.evaluate(() => window.quorumscope?.state());
    await expect.poll(async () => (await inside())?.playing).toBe(true);
    await expect(frame.locator("header.top")).toHaveCount(0);
    await expect(frame.locator("aside")).toHaveCount(0);
    await expect(frame.locator("html")).toHaveAttribute("data-theme", "dark");
    await frame.locator('[data-target="node-4"]').focus();
    await page.keyboard.press("Enter");
    await frame.getByRole("menuitem", { name: "Crash", exact: true }).click();
    await expect.poll(async () => (await inside()).nodes[3].up).toBe(false);
    await expect.poll(() => frame.evaluate(() => location.hash)).toMatch(/^#s=1\./);
    await screen(page, "embed-dark");
    expect(complaints).toEqual([]);
  } finally {
    course.close();
  }
});

test("parameters that make no sense are told and left out", async ({ page, open }) => {
  await open("?theme=pink&speed=fast&preset=nowhere");
  const notice = page.locator(".notice");
  await expect(notice).toContainText("theme=pink");
  await expect(notice).toContainText("speed=fast");
  await expect(notice).toContainText('no built-in scenario "nowhere"');
  await until(page, (run) => run.playing, "it runs all the same");
});

test("time stands still while nobody can see the stage", async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 480 });
  await open("?speed=1:1");
  await until(page, (run) => run.playing, "it plays");
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect(page.locator(".stage")).not.toBeInViewport();
  await page.waitForTimeout(300);
  const away = await state(page);
  await page.waitForTimeout(400);
  expect((await state(page)).time).toBe(away.time);
  await page.evaluate(() => scrollTo(0, 0));
  await until(page, (run) => run.time > away.time, "it goes on");
});
