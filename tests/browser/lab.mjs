// How tests see and touch the laboratory.
import { expect } from "./fixtures.mjs";

// What the page says about its run: time, events, fingerprint, leader, nodes…
export async function state(page) {
  await page.waitForFunction(() => window.quorumscope);
  return page.evaluate(() => window.quorumscope.state());
}

// Waits until the run is as `holds` wants it, and returns it.
export async function until(page, holds, what) {
  await expect.poll(async () => holds(await state(page)), { message: what, timeout: 60_000 }).toBe(true);
  return state(page);
}

export const replica = (page, node) => page.locator(`[data-target="node-${node}"]`);
export const site = (page, name) => page.locator(".place", { hasText: name }).first();
export const menu = (page) => page.getByRole("menu");
export const item = (page, name) => page.getByRole("menuitem", { name, exact: true });

// Packs a document as the page does.
export const pack = (page, document) =>
  page.evaluate(async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    return "#s=1." + btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }, JSON.stringify(document));

// The middle of an element, in the window.
export async function middle(locator) {
  const box = await locator.boundingBox();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

// Drags with the mouse, from the middle of one element to the middle of another, in steps as a hand does.
export async function drag(page, from, to) {
  const [start, end] = [await middle(from), await middle(to)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 4 });
  return () => page.mouse.up();
}

export const pause = async (page) => {
  await page.getByRole("button", { name: "Pause" }).click();
  return until(page, (run) => !run.playing, "the run stands still");
};

// The menu's entries that are shown only when asked for.
export const more = (page) => page.getByRole("menuitem", { name: /^More faults/ });

// Opens the menu of something on the stage, by its `data-target`, and chooses an entry, under a heading if one is given. By touch, mouse
// or keyboard all lead to the same menu (stage.spec.mjs); here the click goes straight to the element, whatever flies over it.
export async function choose(page, target, name, heading) {
  await page.locator(`[data-target="${target}"]`).dispatchEvent("click");
  const within = heading ? page.getByRole("group", { name: heading, exact: true }) : menu(page);
  const entry = within.getByRole("menuitem", { name, exact: true });
  await expect(menu(page)).toBeVisible();
  if ((await entry.count()) === 0) await more(page).click();
  await entry.click();
  await expect(menu(page)).toBeHidden();
}

// Texts on the stage that lie on top of each other.
export async function clashes(page) {
  const boxes = await page.locator(".stage svg text").evaluateAll((texts) =>
    texts.filter((text) => text.textContent).map((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return { text: text.textContent, left, right, top, bottom };
    }),
  );
  const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => overlap(a, b)).map((b) => `${a.text} | ${b.text}`));
}
