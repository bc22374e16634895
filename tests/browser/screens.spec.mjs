// The page in media that few look at: forced colours, paper, reduced motion, the dark theme. Each picture is complete; they are in test-results/screens/.
import { test, expect, screen } from "./fixtures.mjs";
import { clashes, pause, replica, state, until } from "./lab.mjs";

// A run that has applied something, paused while messages are under way; everything on the page is loaded.
async function ready(page, open, address = "") {
  await open(address);
  await expect(page.locator(".panel.messages .bars")).toBeVisible();
  await expect(page.locator(".stage .log .applied").first()).toBeAttached();
  await pause(page);
  // By the time Pause was pressed they may have come where they were going.
  await expect(async () => {
    await page.keyboard.press("s");
    expect((await state(page)).in_flight).toBeGreaterThan(2);
  }).toPass();
}

// How many pixels of the canvas are painted.
const painted = (page) =>
  page.locator(".stage canvas").evaluate((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value > 0).length);

test("dark: the same picture in the colours of the night", async ({ page, open }) => {
  await ready(page, open, "?theme=dark");
  expect(await clashes(page)).toEqual([]);
  const [paper, ink] = await page.evaluate(() => [getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.querySelector(".sentence")).color]);
  expect(paper).toBe("rgb(21, 23, 27)");
  expect(ink).toBe("rgb(235, 233, 227)");
  await screen(page, "dark");
});

for (const scheme of ["light", "dark"]) {
  test(`forced colours, ${scheme}: letters and outlines tell what colours would`, async ({ page, open }) => {
    await page.emulateMedia({ forcedColors: "active", colorScheme: scheme });
    await ready(page, open, `?theme=${scheme}`);
    const of = (selector, property) => page.locator(selector).first().evaluate((element, property) => getComputedStyle(element)[property], property);
    const ink = await of("body", "color");
    const paper = await of(".stage .seat circle", "fill");
    expect(paper).not.toBe(ink);
    expect(await of(".land", "stroke"), "shores").toBe(ink);
    expect(await of(".land", "fill")).toBe(paper);
    for (const text of [".name", ".role", ".latest", ".lane text"]) expect(await of(`.stage ${text}`, "fill"), text).toBe(ink);
    expect(await of(".legend .dot", "borderStyle"), "signs have an outline").toBe("solid");
    expect(await of(".log .applied", "fill")).toBe(ink);
    // Somebody lags behind for a while with every command.
    await expect(async () => {
      await page.keyboard.press("s");
      expect(await page.locator(".log .empty, .log .held").count()).toBeGreaterThan(0);
    }).toPass();
    expect(await of(".log .empty, .log .held", "stroke")).toBe(ink);
    expect(await painted(page), "messages and timers").toBeGreaterThan(500);
    await screen(page, `forced-colours-${scheme}`);
  });
}

for (const theme of ["light", "dark"]) {
  test(`print, ${theme} theme: sentence, stage, numbers and log are on the paper, whole, in ink on white`, async ({ page, open }) => {
    await ready(page, open, `?theme=${theme}`);
    const bars = page.locator(".panel.messages .track > i");
    await expect.poll(() => bars.count(), { timeout: 60_000 }).toBeGreaterThan(6);
    const measured = await bars.count();
    await page.emulateMedia({ media: "print" });
    await expect(page.locator(".panel.logs table")).toBeVisible();
    for (const part of [".sentence", ".stage", ".legend", ".panel.messages .bars", ".panel.logs table", ".clock", ".top h1"]) await expect(page.locator(part).first(), part).toBeVisible();
    for (const control of [".transport .play", ".moments button", ".tabs", ".top > button"]) await expect(page.locator(control).first(), control).toBeHidden();
    const cut = await page.evaluate(() => {
      const clipped = (element) => element.scrollHeight > element.clientHeight + 1 && getComputedStyle(element).overflowY !== "visible";
      return [...document.querySelectorAll("main, aside, .panel, .scroll, .legend, .telling")].filter(clipped).map((element) => element.className);
    });
    expect(cut).toEqual([]);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
    expect(await page.evaluate(() => getComputedStyle(document.querySelector(".sentence")).color)).toBe("rgb(28, 28, 32)");
    expect(await painted(page), "messages and timers").toBeGreaterThan(500);
    expect(await bars.count(), "what has been measured").toBeGreaterThanOrEqual(measured);
    await page.screenshot({ path: `test-results/screens/print-${theme}.png`, fullPage: true });
    const paper = await page.pdf({ path: `test-results/screens/print-${theme}.pdf`, format: "A4", printBackground: true });
    const sheets = paper.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
    expect(sheets, "sheets of paper").toBeLessThanOrEqual(4);
    await page.emulateMedia({ media: "screen" });
    await expect(page.locator(".transport .play")).toBeVisible();
    await expect(page.locator(".panel.logs")).toHaveCount(0);
  });
}

test("reduced motion: pictures are complete and change in steps, and nothing is animated", { tag: "@timed" }, async ({ page, open }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open("?speed=1:1");
  await expect(page.locator(".panel.messages .bars")).toBeVisible();
  await until(page, (run) => run.in_flight > 2, "messages are under way");
  // Every picture, for a while.
  const pictures = await page.locator(".stage canvas").evaluate(async (canvas) => {
    const seen = [];
    for (const until = performance.now() + 2_000; performance.now() < until; ) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const picture = canvas.toDataURL();
      if (seen.at(-1) !== picture) seen.push(picture);
    }
    return seen.length;
  });
  expect(pictures).toBeGreaterThan(1);
  expect(pictures, "at most one in 600 ms").toBeLessThanOrEqual(5);
  await pause(page);
  expect(await painted(page)).toBeGreaterThan(500);
  const bars = await page.locator(".panel.messages .track > i").evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width));
  expect(bars.length).toBeGreaterThan(2);
  expect(Math.max(...bars)).toBeGreaterThan(8);
  await page.keyboard.press("s");
  const moving = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((element) => getComputedStyle(element).animationName !== "none" || getComputedStyle(element).transitionDuration !== "0s").map((element) => element.outerHTML.slice(0, 80)));
  expect(moving).toEqual([]);
  await screen(page, "reduced-motion");
});

test("what a step has changed flashes for 400 ms", { tag: "@timed" }, async ({ page, open }) => {
  await ready(page, open);
  await page.keyboard.press("s");
  const changed = page.locator(".replica:is(.changed, .changed-too) .disc");
  await expect(changed).toHaveCount(1);
  expect(await changed.evaluate((disc) => getComputedStyle(disc).animationDuration)).toBe("0.4s");
  const first = await changed.evaluate((disc) => getComputedStyle(disc).animationName);
  await expect(async () => {
    await page.keyboard.press("s");
    expect(await changed.evaluate((disc) => getComputedStyle(disc).animationName), "it begins anew").not.toBe(first);
  }).toPass();
  await expect(replica(page, 1)).toBeVisible();
});
