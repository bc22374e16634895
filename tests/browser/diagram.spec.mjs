// The space-time diagram: the time line pulled up, by mouse, touch, keyboard and text, with the one selection and the one moment of the page.
import { readFile } from "node:fs/promises";
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

const diagram = (page) => page.getByRole("region", { name: "Space-time diagram" });
const canvas = (page) => diagram(page).locator("canvas");
const totals = (page) => diagram(page).locator(".totals > p");
const said = (page) => diagram(page).getByRole("status");
const tool = (page, name) => diagram(page).getByRole("button", { name, exact: true });

// Goes to just before the crash of the first leader, with its election recorded, and pulls the time line up.
async function pulled(page, open, address = "?preset=leader-crash&autoplay=false") {
  await open(address);
  await page.locator(".fault.ahead", { hasText: "restart node 1" }).click();
  await until(page, (run) => run.time === 13_900_000, "it is where it went");
  await page.keyboard.press("d");
  await expect(canvas(page)).toBeFocused();
  await expect(totals(page)).toContainText("messages");
}

// What is painted differs from `before`.
const painted = (page) => canvas(page).evaluate((it) => it.toDataURL());

test("time line is pulled up by its button and let down again, and the stage stays in its window", async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false");
  await page.getByRole("button", { name: "Space-time diagram" }).click();
  await expect(canvas(page)).toBeVisible();
  await expectAccessible(page);
  const { bottom, height } = await page.evaluate(() => ({ bottom: document.querySelector(".timeline").getBoundingClientRect().bottom, height: innerHeight }));
  expect(bottom).toBeLessThanOrEqual(height);
  await tool(page, "Close").click();
  await expect(diagram(page)).toHaveCount(0);
});

test("keys zoom, move, go along messages and lanes, mark a time and tell its totals; what S does elsewhere it does not do there", async ({ page, open }) => {
  await pulled(page, open);
  const { events } = await state(page);
  const before = await totals(page).textContent();
  await page.keyboard.press("s");
  await expect(totals(page)).not.toHaveText(before);
  const farther = await totals(page).textContent();
  await page.keyboard.press("a");
  await expect(totals(page)).not.toHaveText(farther);
  expect((await state(page)).events, "no step was taken").toBe(events);
  await page.keyboard.press("ArrowDown");
  await expect(said(page)).toHaveText("node 1");
  await page.keyboard.press("ArrowDown");
  await expect(said(page)).toHaveText("node 2");
  await page.keyboard.press("ArrowLeft");
  await expect(said(page)).toContainText(/ from .*node 2|to node 2/);
  await page.keyboard.press("[");
  for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("]");
  await expect(said(page)).toContainText(/\d+ messages · .*B/);
  await expect(totals(page)).toContainText("Marked:");
  await page.keyboard.press("x");
  await expect(diagram(page).getByRole("button", { name: "Pin node 2" })).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Escape");
  await expect(totals(page)).toContainText("In sight:");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(diagram(page)).toHaveCount(0);
});

test("message chosen by keys is selected on the stage and in the inspector, and the run goes to where it leaves", async ({ page, open }) => {
  await pulled(page, open);
  for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowLeft");
  const sentence = await said(page).textContent();
  const [, kind, whole, part] = sentence.match(/^(\w+).* left at (\d+)\.(\d{3} \d{3}) s/);
  await page.keyboard.press("Enter");
  await until(page, (run) => run.time === Number(whole + part.replace(" ", "")), "it is when the message leaves");
  await expect(page.getByRole("tab", { name: "Inspect" })).toHaveAttribute("aria-selected", "true");
  await expect(page.locator(".inspect")).toContainText(kind);
});

test("click on a lane's name selects the node; what is selected on the stage is marked there", async ({ page, open }) => {
  await pulled(page, open);
  const plain = await painted(page);
  await diagram(page).getByRole("button", { name: "node 3", exact: true }).click();
  await expect(page.locator(".inspect h2")).toContainText("3");
  await expect.poll(() => painted(page), "its past is drawn").not.toBe(plain);
  await page.locator('[data-target="node-2"]').dispatchEvent("click");
  await page.keyboard.press("Escape");
  await expect(diagram(page).getByRole("button", { name: "node 2", exact: true })).toHaveAttribute("aria-pressed", "true");
});

test("click goes to that moment, a drag marks a time, the wheel zooms", async ({ page, open }) => {
  await pulled(page, open);
  const box = await canvas(page).boundingBox();
  // Beside all lines: on the axis below the lanes.
  await page.mouse.click(box.x + box.width * 0.3, box.y + box.height - 8);
  const { time } = await until(page, (run) => run.time < 13_900_000, "it is earlier");
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height - 8);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height - 8, { steps: 5 });
  await page.mouse.up();
  await expect(totals(page)).toContainText("Marked:");
  await expect(diagram(page).locator(".totals li").first()).toContainText("B");
  expect((await state(page)).time, "marking goes nowhere").toBe(time);
  const near = await painted(page);
  await page.mouse.wheel(0, 400);
  await expect.poll(() => painted(page)).not.toBe(near);
});

test("messages are a list, too, and what is in sight is saved as a picture", async ({ page, open }) => {
  await pulled(page, open);
  await tool(page, "List").click();
  const rows = diagram(page).getByRole("list", { name: "Messages in the window" }).getByRole("button");
  await expect(rows.first()).toContainText(/from .* to .*: left at/);
  await expectAccessible(page);
  await rows.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "Inspect" })).toHaveAttribute("aria-selected", "true");
  await tool(page, "List").click();
  const download = page.waitForEvent("download");
  await tool(page, "Save as SVG").click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("space-time.svg");
  const svg = await readFile(await file.path(), "utf8");
  expect(svg).toContain("<title>The leader crashes: Raft,");
  const problems = await page.evaluate((text) => new DOMParser().parseFromString(text, "image/svg+xml").querySelectorAll("parsererror").length, svg);
  expect(problems).toBe(0);
});

test("what is done in another branch is drawn, not what was in the one left", async ({ page, open }) => {
  await pulled(page, open);
  await page.keyboard.press("f");
  const before = await painted(page);
  await page.getByRole("button", { name: "Crash leader" }).click();
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.time > 14_000_000, "it goes on");
  await page.getByRole("button", { name: "Pause" }).click();
  await expect.poll(() => painted(page)).not.toBe(before);
});

test("on a phone it has the window for itself, a finger moves it, two zoom @phone", async ({ page, open, isMobile }) => {
  test.skip(!isMobile, "touch");
  await open("?preset=leader-crash&autoplay=false");
  await page.getByRole("button", { name: "Space-time diagram" }).tap();
  await expect(canvas(page)).toBeVisible();
  const [box, window] = [await diagram(page).boundingBox(), page.viewportSize()];
  expect([box.width, box.height]).toEqual([window.width, window.height]);
  await expect(totals(page)).toContainText("messages");
  const before = await painted(page);
  const at = await canvas(page).boundingBox();
  const touch = (type, id, x) => canvas(page).dispatchEvent(type, { pointerId: id, pointerType: "touch", button: 0, clientX: x, clientY: at.y + 50, bubbles: true, isPrimary: id === 1 });
  await touch("pointerdown", 1, at.x + 200);
  await touch("pointermove", 1, at.x + 240);
  await touch("pointermove", 1, at.x + 300);
  await touch("pointerup", 1, at.x + 300);
  await expect.poll(() => painted(page)).not.toBe(before);
  await screen(page, "diagram-phone");
  await tool(page, "Close").tap();
  await expect(diagram(page)).toHaveCount(0);
});
