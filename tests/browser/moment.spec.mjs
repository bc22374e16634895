// The moment that matters: where scenarios open, chapters ahead and behind, slowing down around them, what to try, one-press faults, and
// what is told before something dragged is dropped.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { drag, pause, site, state, until } from "./lab.mjs";

const crown = (page) => page.locator(".crown:not(.stale, .held)").first();
const shown = (page) => page.locator(".pace output");

test("scenario opens one second before its event, without the way there on screen", async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false");
  expect((await state(page)).time).toBe(8_000_000);
  await expect(page.locator(".fault.ahead", { hasText: "crash node 1" })).toBeVisible();
  await expect(page.locator(".fault.ahead.found", { hasText: "a new leader" }).first()).toBeAttached();
  // Back to where it opened and, from there, to its start.
  await page.keyboard.press("s");
  await page.keyboard.press("Home");
  expect((await state(page)).time).toBe(8_000_000);
  await page.keyboard.press("Home");
  expect((await state(page)).time).toBe(0);
});

test("keys and buttons go from one moment that matters to the next, and back", async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false");
  await expect(page.locator(".fault.found.ahead").first()).toBeAttached();
  await page.keyboard.press(".");
  const crash = await state(page);
  expect(crash.time).toBeGreaterThan(8_700_000);
  expect(crash.time).toBeLessThan(9_000_000);
  await page.getByRole("button", { name: "To the next moment that matters" }).click();
  const elected = await state(page);
  expect(elected.time).toBeGreaterThan(9_000_000);
  expect(elected.time).toBeLessThan(9_520_000);
  await page.keyboard.press(",");
  expect((await state(page)).time).toBe(crash.time);
  expect((await state(page)).fingerprint).toBe(crash.fingerprint);
});

test("click on a chapter ahead runs there", async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false");
  await page.locator(".fault.ahead", { hasText: "restart node 1" }).click();
  const there = await state(page);
  expect(there.time).toBe(13_900_000);
  expect(there.nodes[0].up).toBe(false);
  expect(there.leader).not.toBeNull();
});

test("run slows down around a crash and is as fast as before after it; that can be switched off", { tag: "@timed" }, async ({ page, open }) => {
  await open("?preset=leader-crash&autoplay=false&speed=1:2");
  await expect(shown(page)).toHaveText("1 : 2");
  await page.getByRole("button", { name: "Play" }).click();
  await expect(page.locator(".moments .slowed")).toBeVisible();
  await expect(shown(page)).toHaveText("1 : 20");
  await until(page, (run) => run.leader !== null && run.time > 9_500_000, "another leads");
  await expect(shown(page)).toHaveText("1 : 2");
  await page.getByRole("checkbox", { name: "Slow at events" }).uncheck();
  await page.locator(".fault", { hasText: "restart node 1" }).click();
  await expect(shown(page)).toHaveText("1 : 2");
});

test("speed fits the scenario: a building is slower than an ocean", async ({ page, open }) => {
  await open("?preset=slow-disk");
  await expect(shown(page)).toHaveText("1 : 200");
  await open("?preset=cut-in-two&autoplay=false");
  await expect(shown(page)).toHaveText("1 : 5");
});

test("cut place's clients are cut off on the stage, and what they send does not arrive", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?preset=cut-in-two&autoplay=false");
  await page.locator(".fault.ahead", { hasText: "heal all links" }).click();
  await expect(page.locator(".client.cut-off .median")).toHaveText(["cut from 3, 4, 5", "cut from 1, 2"]);
  await expect(page.locator(".sentence")).toContainText("for clients in Virginia and Ireland as well");
  await screen(page, "moment-cut-in-two");
  await expectAccessible(page);
});

test("leader crashes, cluster is cut in half and mended by one press each", async ({ page, open }) => {
  await open("?autoplay=false");
  const before = await state(page);
  await page.getByRole("button", { name: "Cut in half" }).click();
  const cut = (await state(page)).nodes;
  expect(cut.filter((node) => node.cut.length === 3)).toHaveLength(2);
  expect(cut[before.leader - 1].cut).toHaveLength(3);
  await page.getByRole("button", { name: "Mend all" }).click();
  expect((await state(page)).nodes.every((node) => node.cut.length === 0)).toBe(true);
  await page.getByRole("button", { name: "Crash leader" }).click();
  expect((await state(page)).nodes[before.leader - 1].up).toBe(false);
  await page.getByRole("button", { name: "Mend all" }).click();
  expect((await state(page)).nodes.every((node) => node.up)).toBe(true);
});

test("something to try asks first, and tells from the run what came of it", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open();
  const panel = page.getByRole("region", { name: "To try" });
  await panel.getByRole("button", { name: "Crash the leader" }).click();
  await until(page, (run) => !run.playing, "it waits for the answer");
  await expect(panel).toContainText("Who leads then?");
  expect((await state(page)).interventions).toBe(0);
  await expectAccessible(page);
  await panel.getByRole("button", { name: "Nobody" }).click();
  const during = await until(page, (run) => run.interventions === 1, "it is done");
  await panel.getByRole("button", { name: /^Go to .* and see/ }).click();
  await expect(panel).toContainText("Another node");
  const after = await until(page, (run) => !run.playing, "it tells");
  await expect(panel).toContainText(`Node ${after.leader} leads`);
  await expect(panel).toContainText("Not as you said: Nobody.");
  expect(after.time).toBeGreaterThan(during.time + 3_900_000);
  await screen(page, "moment-tried");
});

test("crown dragged over a place shows what each place would wait, and lands on a node there", async ({ page, open }) => {
  await open("?autoplay=false");
  const run = await state(page);
  const away = run.nodes[run.leader - 1].site === "eu-west-1" ? "Virginia" : "Ireland";
  await expect(page.locator(".moments")).toBeVisible();
  const drop = await drag(page, crown(page), site(page, away));
  await expect(page.locator(".client.expected .latest")).toHaveCount(3);
  await expect(page.locator(".client.expected .latest").first()).toHaveText(/ms → \d+/);
  await screen(page, "moment-expected");
  await drop();
  await expect(page.locator(".client.expected")).toHaveCount(0);
  await page.getByRole("button", { name: "Play" }).click();
  const home = away === "Ireland" ? "eu-west-1" : "us-east-1";
  await until(page, (run) => run.leader !== null && run.nodes[run.leader - 1].site === home, "the leadership is there");
  await pause(page);
});

test("step flashes what it changed, but not with reduced motion", { tag: "@timed" }, async ({ page, open }) => {
  await open("?autoplay=false");
  await page.keyboard.press("s");
  const changed = page.locator(".replica.changed .disc, .replica.changed-too .disc");
  await expect(async () => {
    await page.keyboard.press("s");
    await expect(changed).toHaveCount(1, { timeout: 300 });
  }).toPass();
  const animation = () => changed.evaluate((disc) => getComputedStyle(disc).animationName);
  expect(await animation()).toMatch(/^changed/);
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await animation()).toBe("none");
});

for (const [name, width, height, dark] of [["desktop", 1440, 900, false], ["projector", 1920, 1080, false], ["phone", 390, 844, false], ["dark", 1440, 900, true]]) {
  test(`leader-crash as seen: ${name}`, async ({ page, open }) => {
    await page.setViewportSize({ width, height });
    await open(`?preset=leader-crash&autoplay=false${dark ? "&theme=dark" : ""}`);
    await page.keyboard.press(".");
    await page.keyboard.press("s");
    await page.waitForTimeout(600);
    await screen(page, `moment-leader-crash-${name}`);
    await expectAccessible(page);
    await page.keyboard.press(".");
    await page.waitForTimeout(600);
    await screen(page, `moment-leader-crash-elected-${name}`);
  });
}


