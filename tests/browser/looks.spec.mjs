// Nothing is cut off, covered or out of reach, and nothing jumps: at all sizes, in all scenarios.
import { test, expect, screen } from "./fixtures.mjs";
import { choose, clashes, more, menu, replica, until } from "./lab.mjs";

// Where the window ends, and how large the page is.
const sizes = (page) =>
  page.evaluate(() => ({ width: innerWidth, height: innerHeight, wide: document.documentElement.scrollWidth, high: document.documentElement.scrollHeight }));

async function expectInside(page, locator, what) {
  const { width, height } = await sizes(page);
  await expect(locator, what).toBeVisible();
  // What comes with chunks may still push it to its place.
  await expect(async () => {
    const box = await locator.boundingBox();
    expect(box, `${what} is there`).not.toBeNull();
    expect(box.x, `${what}: left edge`).toBeGreaterThanOrEqual(0);
    expect(box.y, `${what}: upper edge`).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width, `${what}: right edge`).toBeLessThanOrEqual(width);
    expect(box.y + box.height, `${what}: lower edge`).toBeLessThanOrEqual(height);
  }).toPass({ timeout: 5_000 });
}

for (const [width, height, address] of [[640, 400, "?embed"], [360, 500, "?embed"], [720, 450, "?embed&theme=dark"], [900, 600, "?embed&panels=latency,messages"], [420, 640, "?embed&panels=latency"], [1000, 500, "?embed"]]) {
  test(`all of the stage fits into a frame of ${width} × ${height}, ${address}`, async ({ page, open }) => {
    await page.setViewportSize({ width, height });
    await open(address);
    await until(page, (run) => run.leader !== null, "somebody leads");
    const { wide, high } = await sizes(page);
    expect(wide).toBeLessThanOrEqual(width);
    if (!address.includes("panels")) expect(high).toBeLessThanOrEqual(height);
    const footer = await page.locator(".lab > footer").boundingBox();
    const stage = await page.locator(".stage").boundingBox();
    expect(stage.y + stage.height).toBeLessThanOrEqual(footer.y + 1);
    for (const node of [1, 2, 3, 4, 5]) await expectInside(page, replica(page, node).locator(".disc"), `node ${node}`);
    await expectInside(page, page.locator(".transport"), "the controls");
    await replica(page, 3).dispatchEvent("click");
    await expectInside(page, menu(page).locator(".."), "the menu");
    await screen(page, `frame-${width}x${height}`);
  });
}

for (const size of [{ width: 1440, height: 900 }, { width: 1280, height: 720 }, { width: 390, height: 844 }]) {
  test(`menus stay within a window of ${size.width} × ${size.height}, unfolded as well`, async ({ page, open }) => {
    await page.setViewportSize(size);
    await open("?autoplay=false");
    // All of the page is there, with all its panels.
    await expect(page.locator(".panel.messages .bars")).toBeVisible();
    for (const target of ["node-1", "node-3", "node-4", "site-0", "site-2", "lane-0-1", "lane-1-2"]) {
      await page.locator(`[data-target="${target}"]`).dispatchEvent("click");
      await expectInside(page, menu(page).locator(".."), `menu of ${target}`);
      // What is selected is told in the panel beside, which may be longer for it.
      await expect(page.locator(".inspect, .bars").first()).toBeVisible();
      const before = await sizes(page);
      if (await more(page).count()) {
        await more(page).click();
        await expectInside(page, menu(page).locator(".."), `unfolded menu of ${target}`);
        await expect(more(page), "what unfolds is seen, and what it unfolded from").toBeInViewport();
      }
      expect((await sizes(page)).high, "the page does not grow").toBe(before.high);
      await page.keyboard.press("Escape");
    }
  });

  test(`the stage keeps its place in a window of ${size.width} × ${size.height}`, async ({ page, open }) => {
    await page.setViewportSize(size);
    await open("?speed=1:1");
    const place = async () => {
      const { top, height } = await page.locator(".stage").evaluate((stage) => stage.getBoundingClientRect());
      return `${Math.round(top)} + ${Math.round(height)}`;
    };
    const first = await place();
    const places = new Set();
    for (let look = 0; look < 20; look++) {
      places.add(await place());
      await page.waitForTimeout(100);
    }
    // More kinds of trouble than there is room to explain in two lines.
    for (const [target, name, heading] of [["node-3", "as in a long GC"], ["node-4", "slow (50 ms)"], ["node-4", "10% fast"], ["node-5", "tamper with commands"], ["lane-0-1", "lose a fifth", "Messages here"]]) {
      await choose(page, target, name, heading);
      places.add(await place());
    }
    expect([...places]).toEqual([first]);
  });
}

test("on a phone on its side the stage and its controls fill the window", async ({ page, open }) => {
  await page.setViewportSize({ width: 844, height: 390 });
  await open();
  await page.locator(".stage").evaluate((stage) => stage.scrollIntoView());
  const [stage, footer] = [await page.locator(".stage").boundingBox(), await page.locator(".lab > footer").boundingBox()];
  expect(stage.y + stage.height).toBeLessThanOrEqual(footer.y + 1);
  expect(footer.y + footer.height).toBeLessThanOrEqual(391);
  for (const node of [1, 2, 3, 4, 5]) await expectInside(page, replica(page, node).locator(".disc"), `node ${node}`);
  await screen(page, "phone-on-its-side");
});

test("no texts on the stage overlap in any scenario", async ({ page, open }) => {
  test.slow();
  await open();
  const presets = page.getByRole("combobox", { name: "Scenario" }).locator("option:not([disabled])");
  // All but the first come with a chunk.
  await expect.poll(() => presets.count()).toBeGreaterThan(10);
  const count = await presets.count();
  for (let preset = 0; preset < count; preset++) {
    await page.getByRole("combobox", { name: "Scenario" }).selectOption({ index: preset });
    const title = await presets.nth(preset).textContent();
    await until(page, (run) => run.events > 0, `${title} runs`);
    for (const size of [{ width: 1280, height: 720 }, { width: 390, height: 844 }]) {
      await page.setViewportSize(size);
      await expect.poll(() => clashes(page), { message: `${title}, ${size.width} × ${size.height}` }).toEqual([]);
      const { width, wide } = await sizes(page);
      expect(wide, `${title} does not scroll sideways`).toBeLessThanOrEqual(width);
    }
  }
});

test("the sheet's heading and buttons stay above what scrolls below them @phone", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.getByRole("button", { name: "Set up" }).click();
  const sheet = page.getByRole("dialog", { name: "Set up" });
  await expect(sheet).toBeVisible();
  for (const part of ["header", "footer"]) {
    const owners = await sheet.evaluate(async (dialog, part) => {
      const found = new Set();
      const bar = dialog.querySelector(part);
      for (let scrolled = 0; scrolled < 600; scrolled += 40) {
        dialog.scrollTop = scrolled;
        const { left, right, top, bottom } = bar.getBoundingClientRect();
        for (let x = left + 4; x < right; x += 12) {
          const hit = document.elementFromPoint(x, (top + bottom) / 2);
          if (!bar.contains(hit)) found.add(hit?.outerHTML.slice(0, 80));
        }
      }
      return [...found];
    }, part);
    expect(owners, `what covers the ${part}`).toEqual([]);
  }
});
