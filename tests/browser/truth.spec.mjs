// The page says what is: refused is not answered, logs show what they hold, nobody leads after its crash, faults are on the time line,
// and limits are the same everywhere.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { choose, item, pause, replica, site, state, until } from "./lab.mjs";

const tab = (page, name) => page.getByRole("tab", { name }).click();
const rows = (page) => page.locator(".logs tbody tr");

test("log shows slots, values and terms of every replica", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?autoplay=false");
  await tab(page, "Log");
  await expect(rows(page)).toHaveCount(5);
  const { leader } = await state(page);
  const cells = rows(page).nth(leader - 1).locator("td");
  await expect(page.locator(".logs thead th").nth(1)).toHaveText(/^\d+$/);
  await expect(cells.first().locator("b")).toHaveText(/c\d+#\d+|no-op/);
  await expect(cells.first().locator("small")).toHaveText(/\d+$/);
  await expect(cells.first()).toHaveAttribute("title", /^Slot \d+: .*, term \d+, applied$/);
  await expectAccessible(page);
  await screen(page, "log");
});

test("log of a laggard says up to where it goes, on the stage and in the panel", async ({ page, open }) => {
  await open("?speed=5:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await choose(page, "node-5", "as in a long GC");
  const paused = await state(page);
  await until(page, (run) => run.time > paused.time + 4_000_000, "four seconds pass");
  await expect(replica(page, 5).locator(".behind")).toHaveText(/^…\d+$/);
  await tab(page, "Log");
  await expect(rows(page).nth(4).locator(".whole")).toHaveText(/^…\d+$/);
  await expect(rows(page).nth(0).locator(".whole")).toHaveCount(0);
});

test("violation points at nodes, slot and moment, and the narration goes on", async ({ page, open }) => {
  await open("?preset=two-winners&speed=1:1");
  const violation = page.locator(".violation");
  await expect(violation).toContainText(/Agreement is violated on slot 1, by nodes \d and \d/);
  await expect(page.locator(".sentence")).not.toContainText("violated");
  await expect(page.locator(".sentence")).not.toBeEmpty();
  await expect(page.locator(".replica.violates")).toHaveCount(2);
  const later = await state(page);
  await violation.getByRole("button", { name: /Go to where it broke/ }).click();
  await expect(violation).toContainText("It broke right here");
  const there = await state(page);
  expect(there.playing).toBe(false);
  expect(there.events).toBeLessThanOrEqual(later.events);
  await tab(page, "Log");
  await expect.poll(() => page.locator(".logs .conflict").count()).toBeGreaterThanOrEqual(2);
  expect(await page.locator(".stage .log .conflict").count()).toBeGreaterThanOrEqual(2);
  await expect(page.locator(".logs th.violated")).toHaveText("1");
  await expectAccessible(page);
  await screen(page, "violation");
});

test("nobody leads after the leader's crash, and faults of the script are ticks ahead and behind", async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false");
  const scripted = page.locator(".fault.ahead:not(.found)");
  await expect(page.locator(".fault:not(.found)").first()).toHaveText(/hand leadership over to node 1/);
  await expect(scripted).toHaveText([/^crash node 1$/, /^restart node 1$/]);
  // A click goes to the moment before it; then it happens.
  await page.locator(".fault.ahead", { hasText: "crash" }).first().click();
  const before = await state(page);
  expect(before.leader).not.toBeNull();
  await expect(async () => {
    await page.getByRole("button", { name: "One event on" }).click();
    expect((await state(page)).nodes.some((node) => !node.up)).toBe(true);
  }).toPass({ intervals: [20] });
  await expect(scripted).toHaveText([/^restart node 1$/]);
  expect((await state(page)).leader).toBeNull();
  const hatched = page.locator(".leaderless").last();
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.leader !== null, "another leads");
  await pause(page);
  await expect(hatched).toHaveAttribute("title", /Nobody leads from/);
  // The band of the first leader ends where the hatching begins.
  const edges = await page.locator(".leaderships > span").evaluateAll((bands) => bands.map((band) => ({ from: parseFloat(band.style.left), to: parseFloat(band.style.left) + parseFloat(band.style.width) })));
  for (const [i, band] of edges.slice(1).entries()) expect(Math.abs(band.from - edges[i].to)).toBeLessThan(0.1);
  await screen(page, "time-line-faults");
});

test("legend tells answered, redirected and refused apart", async ({ page, open }) => {
  await open("?autoplay=false");
  for (const entry of [/^\?request$/, /^✓answered$/, /^↪redirected$/, /^✗refused$/]) await expect(page.locator(".legend li", { hasText: entry })).toHaveCount(1);
});

test("the most replicas are the same in Set up, in menus and in comparisons", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?autoplay=false");
  await page.getByRole("button", { name: "Set up" }).click();
  const dialog = page.getByRole("dialog", { name: "Set up" });
  const more = dialog.getByRole("button", { name: "One replica more in Tokyo" });
  for (let replicas = 5; replicas < 15; replicas++) await more.click();
  await expect(dialog.locator(".regions legend")).toContainText("15 replicas in all, of at most 15");
  await expect(more).toBeDisabled();
  await dialog.getByRole("button", { name: "Run from the start" }).click();
  await until(page, (run) => run.nodes.length === 15, "15 replicas run");
  // Compared is what runs.
  const panel = page.locator(".panel.messages");
  await expect(panel.getByRole("combobox", { name: "Number of replicas" })).toHaveValue("15");
  await expect(panel.getByRole("img", { name: /^Raft, 15 replicas: 28 messages/ })).toBeVisible({ timeout: 60_000 });
  await site(page, "Oregon").dispatchEvent("click");
  await item(page, "Add a replica here").click();
  await expect(page.locator(".notice")).toContainText("15 are the most");
  expect((await state(page)).nodes).toHaveLength(15);
});

test("scenario box shows the scenario that runs, also after a reload and after a refused choice", async ({ page, open }) => {
  const title = () => page.getByRole("combobox", { name: "Scenario" }).evaluate((select) => select.selectedOptions[0]?.textContent);
  await open("?preset=made-up-values");
  await page.waitForFunction(() => window.quorumscope);
  await expect.poll(title).toBe("Replicas that make up their own values");
  await page.reload();
  await page.waitForFunction(() => window.quorumscope);
  await expect.poll(title).toBe("Replicas that make up their own values");
  const variant = () => page.getByRole("combobox", { name: "Protocol" }).inputValue();
  expect(await variant()).toBe((await state(page)).variant);
});
