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

for (const [width, height, address] of [[640, 400, "?embed"], [360, 500, "?embed"], [720, 450, "?embed&theme=dark"], [900, 600, "?embed&panels=latency,messages"], [420, 640, "?embed&panels=latency"], [1000, 500, "?embed"], [360, 300, "?embed"]]) {
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
      let before = await sizes(page);
      const grown = async () => {
        const { high } = before;
        before = await sizes(page);
        return before.high - high;
      };
      await page.waitForTimeout(100);
      await expect.poll(grown, { message: "all of it is told" }).toBe(0);
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

// Letters on the screen smaller than this many CSS pixels, on the stage or in all of the page.
const smallLetters = (page, within, least) =>
  page.evaluate(([within, least]) => {
    const scale = document.querySelector(".stage > svg:last-of-type").getScreenCTM().a;
    const own = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    const seen = (element) => element.getClientRects().length > 0 && !element.closest(".unseen, [hidden]");
    const texts = [...document.querySelectorAll(within)].filter((element) => own(element) && seen(element));
    const sized = texts.map((element) => [element, parseFloat(getComputedStyle(element).fontSize) * (element.closest(".stage svg") ? scale : 1)]);
    const small = sized.filter(([, size]) => size < least - 0.01);
    return small.map(([element, size]) => `${element.tagName}.${element.getAttribute("class") ?? ""} "${element.textContent}": ${size.toFixed(1)} px`);
  }, [within, least]);

// Texts on the stage that reach beyond it.
const cutOff = (page) =>
  page.locator(".stage").evaluate((stage) => {
    const edge = stage.getBoundingClientRect();
    const texts = [...stage.querySelectorAll("svg text, svg .disc")].map((text) => [text, text.getBoundingClientRect()]);
    return texts.filter(([, box]) => box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1).map(([text]) => text.textContent || text.outerHTML);
  });

const WINDOWS = [
  ["desktop", 1440, 900, ""], ["laptop", 1280, 720, ""], ["projector", 1920, 1080, ""], ["low window", 1280, 420, ""], ["small window", 853, 480, ""],
  ["phone", 390, 844, ""], ["phone on its side", 844, 390, ""], ["frame", 640, 400, "?embed"], ["narrow frame", 360, 500, "?embed"], ["tiny frame", 360, 300, "?embed"],
  ["zoomed by 400 %", 320, 256, ""],
];

for (const [what, width, height, address] of WINDOWS) {
  test(`${what}, ${width} × ${height}: nothing overlaps, is cut off, or is smaller than 12 pixels`, async ({ page, open }) => {
    await page.setViewportSize({ width, height });
    await open(`${address}${address ? "&" : "?"}autoplay=false`);
    if (!address) await expect(page.locator(".panel.messages .bars")).toBeVisible();
    // Replicas glide to their places.
    await expect.poll(() => clashes(page), { message: "texts on top of each other" }).toEqual([]);
    expect(await cutOff(page), "beyond the stage").toEqual([]);
    // What the stage tells.
    const least = width >= 1900 ? 14.5 : 12;
    await expect.poll(() => smallLetters(page, ".stage text", least)).toEqual([]);
    if (width >= 1900) expect(await smallLetters(page, ".stage .name, .stage .latest, .stage .number, .sentence", 16)).toEqual([]);
    expect(await smallLetters(page, "body *", 12)).toEqual([]);
    const { wide } = await sizes(page);
    expect(wide, "no scrolling sideways").toBeLessThanOrEqual(width);
    const overlap = await page.evaluate(() => {
      const box = (selector) => document.querySelector(selector)?.getBoundingClientRect();
      const parts = [".top", ".telling", ".stage", ".lab > footer", ".lab > aside"].map((selector) => [selector, box(selector)]).filter(([, part]) => part);
      const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      // A footer that stays in sight lies above what scrolls below it.
      const pairs = parts.flatMap((a, i) => parts.slice(i + 1).map((b) => [a, b])).filter(([[one], [other]]) => ![one, other].includes(".lab > footer") || document.documentElement.scrollHeight <= innerHeight);
      return pairs.filter(([[, a], [, b]]) => meets(a, b)).map(([[a], [b]]) => `${a} | ${b}`);
    });
    expect(overlap).toEqual([]);
    if (height > 256) {
      await expectInside(page, page.locator(".transport .play"), "play");
      await expectInside(page, page.locator(".stage"), "the stage");
    }
    await screen(page, what.replaceAll(" ", "-").replace("-%", ""));
  });
}

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`with letters twice as large nothing is lost in a window of ${width} × ${height}`, async ({ page, open }) => {
    await page.setViewportSize({ width, height });
    await open("?autoplay=false");
    // A number fills its circle, and grows no further.
    const letters = ".stage text:not(.number)";
    expect((await smallLetters(page, letters, 23.9)).length).toBeGreaterThan(0);
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    await expect.poll(() => smallLetters(page, letters, 23.9)).toEqual([]);
    expect(await smallLetters(page, ".stage .number", 16)).toEqual([]);
    await expect.poll(() => clashes(page)).toEqual([]);
    expect(await cutOff(page)).toEqual([]);
    const { wide } = await sizes(page);
    expect(wide, "no scrolling sideways").toBeLessThanOrEqual(width);
    await page.locator(".stage").scrollIntoViewIfNeeded();
    await screen(page, `letters-200-${width}`);
  });
}

for (const [width, height] of [[390, 844], [844, 390]]) {
  for (const regions of [5, 11]) {
    test(`${regions} regions on a phone of ${width} × ${height} do not collide`, async ({ page, open }) => {
      await page.setViewportSize({ width, height });
      await open("?autoplay=false");
      await page.getByRole("button", { name: "Set up" }).click();
      const sheet = page.getByRole("dialog", { name: "Set up" });
      const used = sheet.locator(".regions li.used");
      await expect(used).toHaveCount(3);
      for (let count = 3; count < regions; count++) {
        await sheet.locator(".regions li:not(.used) input").first().check();
        await expect(used).toHaveCount(count + 1);
      }
      await sheet.getByRole("button", { name: /^Run/ }).click();
      await expect(sheet).toBeHidden();
      await expect(page.locator(".island")).toHaveCount(regions);
      await expect.poll(() => clashes(page)).toEqual([]);
      expect(await cutOff(page)).toEqual([]);
      expect(await smallLetters(page, ".stage text", 12)).toEqual([]);
      await page.locator(".stage").scrollIntoViewIfNeeded();
      await screen(page, `regions-${regions}-on-${width}`);
    });
  }
}

test("a presentation is stage, sentence and controls, in letters for the last row; P begins it, Escape ends it, and the address tells of it", async ({ page, open }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await open("?autoplay=false&theme=light");
  // Keys come with a chunk.
  await page.waitForFunction(() => window.quorumscope);
  const size = (selector) => page.locator(selector).first().evaluate((element) => parseFloat(getComputedStyle(element).fontSize));
  await page.keyboard.press("p");
  await expect(page.locator(".lab > aside, .top, .moments:visible")).toHaveCount(0);
  await expectInside(page, page.locator(".stage"), "the stage");
  await expectInside(page, page.locator(".transport"), "the controls");
  expect(await size(".sentence")).toBeGreaterThanOrEqual(28);
  expect(await size(".sentence")).toBeLessThanOrEqual(30);
  await expect.poll(() => smallLetters(page, ".stage text", 20)).toEqual([]);
  await expect.poll(() => clashes(page)).toEqual([]);
  expect(new URL(page.url()).search).toBe("?autoplay=false&theme=light&present=true");
  await screen(page, "presentation");
  const { hash } = new URL(page.url());
  await page.keyboard.press("Escape");
  await expect(page.locator(".top")).toBeVisible();
  expect(new URL(page.url()).search).toBe("?autoplay=false&theme=light");
  expect(new URL(page.url()).hash).toBe(hash);

  await open("?present");
  await expect(page.locator(".sentence")).toBeVisible();
  await expect(page.locator(".lab > aside, .top")).toHaveCount(0);
  await page.getByRole("button", { name: /^Leave the presentation/ }).click();
  await expect(page.getByRole("button", { name: /^Present/ })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Help" })).toContainText("present: stage, sentence and controls alone");
});

test("names and labels are above messages, and what is dragged is never cut off", async ({ page, open }) => {
  await open("?autoplay=false");
  const order = await page.locator(".stage").evaluate((stage) => [...stage.children].map((child) => `${child.tagName.toLowerCase()}${child.querySelector("text") ? " with texts" : ""}`));
  expect(order.slice(0, 3)).toEqual(["svg", "canvas", "svg with texts"]);
  const disc = await replica(page, 3).locator(".disc").boundingBox();
  await page.mouse.move(disc.x + disc.width / 2, disc.y + disc.height / 2);
  await page.mouse.down();
  await page.mouse.move(100, 300, { steps: 4 });
  await page.mouse.move(0, 790, { steps: 4 });
  const [ghost, stage] = [await page.locator(".ghost .disc").boundingBox(), await page.locator(".stage").boundingBox()];
  expect(ghost.x).toBeGreaterThanOrEqual(stage.x - 1);
  expect(ghost.y + ghost.height).toBeLessThanOrEqual(stage.y + stage.height + 1);
  await page.mouse.up();
});

test("places, and replicas elsewhere, stay where they are when a replica moves", async ({ page, open }) => {
  await open("?autoplay=false");
  const places = () => page.locator(".place .name").evaluateAll((names) => names.map((name) => [name.textContent, Math.round(name.getBoundingClientRect().x), Math.round(name.getBoundingClientRect().y)].join(" ")));
  const seats = () => Promise.all([2, 4].map(async (node) => { const { x, y } = await replica(page, node).locator(".disc").boundingBox(); return `${Math.round(x)} ${Math.round(y)}`; }));
  const before = [await places(), await seats()];
  await choose(page, "node-5", "Oregon", "Move to");
  await expect(replica(page, 5)).toHaveAccessibleName(/Oregon/);
  await page.waitForTimeout(500);
  expect([await places(), await seats()]).toEqual(before);
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
