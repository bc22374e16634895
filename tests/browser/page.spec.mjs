// The page as a whole: it starts from any sub-path, talks to nobody else, is accessible, and runs inside a frame.
// That it logs no error and asks no other origin for anything is checked by fixtures.mjs in every test.
import { createServer } from "node:http";
import { chunkOf, filesIn, firstPicture } from "../../scripts/first-picture.mjs";
import { test, expect, expectAccessible, screen, started } from "./fixtures.mjs";

test("opens from a sub-path and is accessible @phone", async ({ page, open }, { project }) => {
  await open();
  await expect(page).toHaveTitle(/Quorumscope/);
  await expect(page.locator("h1")).toBeVisible();
  await expect(page.locator(".starting")).toHaveCount(0);
  await expectAccessible(page);
  await screen(page, `${project.name}-light`);
});

test("is accessible in the dark @phone", async ({ page, open }, { project }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open();
  await expectAccessible(page);
  await screen(page, `${project.name}-dark`);
});

test("does not scroll sideways on a phone @phone", async ({ page, open }) => {
  await open();
  const { content, window } = await page.evaluate(() => ({ content: document.documentElement.scrollWidth, window: innerWidth }));
  expect(content).toBeLessThanOrEqual(window);
});

// Sizes at which something once was wider than the window, or the time line had no width left.
for (const [width, height] of [[800, 600], [560, 700], [390, 844], [320, 568]]) {
  test(`has room for its controls, and does not scroll sideways, at ${width} x ${height}, also at top speed`, async ({ page, open }) => {
    await page.setViewportSize({ width, height });
    for (const speed of ["1:20", "max"]) {
      await open(`?preset=leader-crash&autoplay=false&speed=${speed}`);
      await expect(page.locator(".moments button").first()).toBeAttached();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const slider = await page.getByRole("slider", { name: "Moment of the run" }).boundingBox();
      expect(slider.width).toBeGreaterThan(100);
    }
  });
}

test("says what it is where scripts are off", async ({ browser, baseURL }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(baseURL);
  await expect(page.getByRole("heading", { name: "Quorumscope" })).toBeVisible();
  await expect(page.locator(".starting")).toBeHidden();
  const picture = page.getByRole("img");
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((image) => image.naturalWidth)).toBeGreaterThan(0);
  await screen(page, "no-script");
  await context.close();
});

// The files of the chunks (scripts/split.mjs), all or those of some.
const CHUNKS = /chunk-[\w-]+-[0-9a-f]{8}\.wasm$/;
const chunk = (...names) => new RegExp(`chunk-(${names.join("|")})-[0-9a-f]{8}\\.wasm$`);

test("fetches nothing for its first picture that the size report does not count", async ({ page, open, baseURL }) => {
  // No chunk ever comes: the first picture and what moves in it do without.
  await page.route(CHUNKS, () => {});
  const fetched = [];
  page.on("requestfinished", (request) => request.url().startsWith(baseURL) && fetched.push(request.url().slice(baseURL.length) || "index.html"));
  await open();
  await expect(page.locator(".replica")).toHaveCount(5);
  const sentence = await page.locator(".sentence").textContent();
  await expect(page.locator(".sentence")).not.toHaveText(sentence);
  expect(fetched).toContain("index.html");
  expect(fetched.filter((name) => !firstPicture("dist").has(name))).toEqual([]);
});

// Runs `asks` with every request for a chunk held back; then lets them go, and waits for that which acts on the run.
async function withoutChunks(page, asks) {
  let release;
  const released = new Promise((go) => (release = go));
  await page.route(CHUNKS, async (route) => {
    await released;
    await route.continue();
  });
  const result = await asks();
  release();
  await page.waitForFunction(() => window.quorumscope);
  return result;
}

test("fetches every chunk once, after the first picture, without being asked", async ({ page, open }) => {
  const asked = [];
  page.on("request", (request) => CHUNKS.test(request.url()) && asked.push(request.url()));
  await open();
  const all = filesIn("dist").filter(chunkOf);
  test.skip(all.length === 0, "not a release build");
  // That of the variant on screen is there from the start; what speaks with a page around is for frames alone,
  // and what reads TOML for those who open a lesson of their own.
  const expected = all.filter((name) => !["raft", "embed", "toml"].includes(chunkOf(name)));
  await expect.poll(() => new Set(asked.map((url) => url.split("/").at(-1))), { timeout: 20_000 }).toEqual(new Set(expected));
  // The worker that measures has chunks of its own, which the browser's cache has.
  expect(Math.max(...expected.map((name) => asked.filter((url) => url.endsWith(name)).length))).toBeLessThanOrEqual(2);
});

// Main part and chunks must be one program: were a constant of the first one missing, it would read zeros, and the run would go another way.
test("what runs before the chunks are there is the same run, and actions wait", async ({ page, open }) => {
  await withoutChunks(page, async () => {
    await open("?speed=20:1");
    await expect(page.locator(".clock")).toContainText(/^[1-9]\d\./);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect(page.getByRole("button", { name: "Play" })).toBeVisible();
    await expect(page.locator(".client .latest")).toHaveCount(3);
    await page.getByRole("button", { name: "One event on" }).click();
    await page.locator('[data-target="node-4"] .disc').click();
    await expect(page.getByRole("menu")).toHaveCount(0);
    await expect(page.locator(".sentence")).not.toBeEmpty();
    await screen(page, "without-chunks");
  });
  // Both actions are done now, in their order.
  await expect(page.getByRole("menu")).toBeVisible();
  const here = await page.evaluate(() => window.quorumscope.state());
  expect(here.events).toBeGreaterThan(1_000);
  // The same run again, from its start, by a program that is all there.
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
  const link = page.url();
  await page.unroute(CHUNKS);
  await page.goto("about:blank");
  await page.goto(link);
  await page.waitForFunction(() => window.quorumscope);
  expect(await page.evaluate(() => window.quorumscope.state())).toMatchObject({ events: here.events, time: here.time, fingerprint: here.fingerprint });
});

// What the browser itself says of requests that failed on purpose.
const expectOnlyFailedRequests = (complaints) => {
  expect(complaints.every((each) => /ERR_FAILED|net::|Failed to fetch/.test(each)), complaints.join()).toBe(true);
  complaints.length = 0;
};

test("says so when no chunk can be loaded, plays on, and tries again", async ({ page, open, complaints }) => {
  await page.route(CHUNKS, (route) => route.abort());
  await open("?speed=20:1");
  const notice = page.locator(".notice");
  await expect(notice).toContainText("could not be loaded");
  await expect(page.locator(".clock")).toContainText(/^[1-9]\d\./);
  // Whatever is tried: the page stays whole.
  await notice.getByRole("button", { name: "Close" }).click();
  await page.locator('[data-target="node-4"] .disc').click();
  await expect(notice).toContainText("could not be loaded");
  await page.keyboard.press("s");
  await page.getByRole("button", { name: "One event on" }).click();
  await page.evaluate(() => (location.hash = "s=1.abc"));
  await expect(notice).toContainText("could not be loaded");
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("button", { name: "Play" })).toBeVisible();
  await expect(page.locator(".stopped")).toHaveCount(0);
  await screen(page, "chunks-missing");
  // The connection is back.
  await page.unroute(CHUNKS);
  await page.locator('[data-target="node-4"] .disc').click();
  await expect(page.getByRole("menu")).toBeVisible();
  expectOnlyFailedRequests(complaints);
});

test("says what it is that cannot be loaded, and tries that again when it is wanted", async ({ page, open, complaints }) => {
  const missing = chunk("setup", "notes", "help");
  await page.route(missing, (route) => route.abort());
  await open();
  await page.waitForFunction(() => window.quorumscope);
  const notice = page.locator(".notice");
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(notice).toContainText("The set-up sheet could not be loaded");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const protocol = page.getByRole("combobox", { name: "Protocol" });
  const title = await protocol.locator('option[value="notes"]').textContent();
  await protocol.selectOption("notes");
  await expect(notice).toContainText(`${title} could not be loaded`);
  expect((await page.evaluate(() => window.quorumscope.state())).variant).toBe("raft");
  // What was there before still is, and what else is asked for is done.
  await page.locator('[data-target="node-4"] .disc').click();
  await expect(page.getByRole("menu")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.unroute(missing);
  await protocol.selectOption("synod");
  await expect.poll(() => page.evaluate(() => window.quorumscope.state().variant)).toBe("synod");
  await protocol.selectOption("notes");
  await expect.poll(() => page.evaluate(() => window.quorumscope.state().variant)).toBe("notes");
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expectOnlyFailedRequests(complaints);
});

test("keeps the address of a run whose variant cannot be loaded", async ({ page, open, complaints }) => {
  await open("?variant=notes");
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
  const { hash } = new URL(page.url());
  await page.route(chunk("notes"), (route) => route.abort());
  await page.goto("about:blank");
  await open(hash);
  await expect(page.locator(".notice")).toContainText("could not be loaded");
  await page.waitForFunction(() => window.quorumscope);
  await expect(page.locator(".clock")).toContainText(/[1-9]/);
  expect(new URL(page.url()).hash).toBe(hash);
  await page.unroute(chunk("notes"));
  await page.reload();
  await page.waitForFunction(() => window.quorumscope);
  expect((await page.evaluate(() => window.quorumscope.state())).variant).toBe("notes");
  expectOnlyFailedRequests(complaints);
});

test("says so when the program stops, and keeps the link to the run @phone", async ({ page, open, complaints }) => {
  await open("?speed=1:1");
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
  await page.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); }));
  const stopped = page.getByRole("alert");
  await expect(stopped).toContainText("The laboratory has stopped");
  await expect(stopped).toContainText("unreachable");
  await expect(stopped.getByRole("link", { name: "Link to this run" })).toHaveAttribute("href", /#s=1\./);
  await expectAccessible(page);
  await screen(page, `stopped-${test.info().project.name}`);
  await stopped.getByRole("button", { name: "Open this run again" }).click();
  await started(page);
  await expect(stopped).toHaveCount(0);
  expect(complaints.join()).toContain("unreachable");
  complaints.length = 0;
});

test("says so when the program cannot be loaded", async ({ page, complaints }) => {
  await page.route(/_bg\.wasm$/, (route) => route.abort());
  await page.goto("");
  await expect(page.getByRole("alert")).toContainText("could not be started");
  await expect(page.locator(".starting")).toBeHidden();
  await screen(page, "not-started");
  complaints.length = 0;
});

test("has a policy that allows no other origin and no foreign script", async ({ page, open, complaints }) => {
  await open();
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  expect(policy).toMatch(/default-src 'none'; script-src 'self' 'wasm-unsafe-eval'(?: 'sha256-[^']+')+;/);
  expect(policy).not.toMatch(/https?:|\*|'unsafe-eval'/);
  // The policy is really in force: a script that is not the page's own does not run.
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.intruder = true";
    document.body.append(script);
  });
  expect(await page.evaluate(() => window.intruder)).toBeUndefined();
  expect(complaints.join()).toContain("Content Security Policy");
  complaints.length = 0;
});

test("runs inside a sandboxed frame of another site", async ({ page, baseURL }) => {
  // Without allow-same-origin the frame has no origin of its own: no storage, and every file is fetched across origins.
  const course = createServer((_, response) =>
    response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>A course</title><link rel="icon" href="data:,">
      <iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?embed" width="900" height="600"></iframe>`),
  );
  await new Promise((listening) => course.listen(0, "127.0.0.1", listening));
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  try {
    await page.goto(`http://127.0.0.1:${course.address().port}/`);
    const frame = page.frameLocator("iframe");
    await started(frame);
    await expect(frame.locator(".starting")).toHaveCount(0);
    await screen(page, "embedded");
    expect(complaints).toEqual([]);
  } finally {
    course.close();
  }
});
