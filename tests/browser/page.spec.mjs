// The page as a whole: it starts from any sub-path, talks to nobody else, is accessible, and runs inside a frame.
// That it logs no error and asks no other origin for anything is checked by fixtures.mjs in every test.
import { createServer } from "node:http";
import { firstPicture } from "../../scripts/first-picture.mjs";
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

test("fetches nothing for its first picture that the size report does not count", async ({ page, open, baseURL }) => {
  // The rest of the program (scripts/split.mjs) never comes: the first picture and what moves in it do without.
  const asked = [];
  await page.route(/_rest\.wasm$/, (route) => asked.push(route.request().url()));
  const fetched = [];
  page.on("requestfinished", (request) => request.url().startsWith(baseURL) && fetched.push(request.url().slice(baseURL.length) || "index.html"));
  await open();
  await expect(page.locator(".replica")).toHaveCount(5);
  const sentence = await page.locator(".sentence").textContent();
  await expect(page.locator(".sentence")).not.toHaveText(sentence, { timeout: 10_000 });
  expect(fetched).toContain("index.html");
  expect(fetched.filter((name) => !firstPicture("dist").has(name))).toEqual([]);
  expect(asked.length, "requests for the rest").toBeLessThanOrEqual(1);
});

test("loads the rest once, after the first picture, and says so when it cannot", async ({ page, open, complaints }) => {
  await open();
  await page.waitForFunction(() => window.quorumscope);
  const rest = () => page.evaluate(() => performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("_rest.wasm")).length);
  test.skip((await rest()) === 0, "not a release build");
  expect(await rest()).toBe(1);
  await page.route(/_rest\.wasm$/, (route) => route.abort());
  await open();
  await expect(page.locator(".notice")).toContainText("could not be loaded");
  complaints.length = 0;
});

test("has a policy that allows no other origin and no foreign script", async ({ page, open, complaints }) => {
  await open();
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  expect(policy).toMatch(/default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-[^']+';/);
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
