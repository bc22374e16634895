// Why: a node or message that is selected shows its state, what it did last, in a full sentence with outcome and reason, and by which rules.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { pause, replica, state, until } from "./lab.mjs";

const tab = (page, name) => page.getByRole("tab", { name, exact: true });
const inspector = (page) => page.locator(".inspect");
const reason = (page) => inspector(page).locator(".reason").first();
const step = (page) => page.getByRole("button", { name: "One event on" }).click();

test("tabs move by arrow keys, and the first is Numbers", async ({ page, open }) => {
  await open("?autoplay=false");
  await expect(tab(page, "Numbers")).toHaveAttribute("aria-selected", "true");
  const before = await state(page);
  await tab(page, "Numbers").focus();
  await page.keyboard.press("ArrowRight");
  await expect(tab(page, "Inspect")).toBeFocused();
  await expect(inspector(page)).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(tab(page, "Log")).toBeFocused();
  await expect(page.locator(".logs table")).toBeVisible();
  await page.keyboard.press("End");
  await expect(tab(page, "Text")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(tab(page, "Numbers")).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("tabpanel", { name: "Numbers" })).toBeVisible();
  // The keys that step the run do not do so within the tabs.
  expect((await state(page)).events).toBe(before.events);
});

test("stepping tells each event's outcome, reason, rules and changes", async ({ page, open }) => {
  await open("?autoplay=false&preset=leader-crash");
  await tab(page, "Inspect").click();
  const told = new Set();
  for (let steps = 0; steps < 60 && told.size < 5; steps += 1) {
    await step(page);
    const { events } = await state(page);
    await expect(inspector(page).locator("h3").first()).toContainText(`event ${events.toLocaleString("en").replaceAll(",", "")}`);
    for (const text of await inspector(page).locator(".reason").allTextContents()) {
      expect(text, "a full sentence").toMatch(/^(Node \d+|The rule) .+\.$/);
      told.add(text);
    }
  }
  expect(told.size, "reasons were told").toBeGreaterThanOrEqual(5);
  await expectAccessible(page);
});

test("a vote is explained, and what changed is marked", async ({ page, open }) => {
  await open("?autoplay=false&preset=leader-crash");
  await tab(page, "Inspect").click();
  await page.getByRole("button", { name: "Back to the start" }).click();
  await expect(async () => {
    await step(page);
    await expect(reason(page)).toContainText(/votes for node \d in term \d+: it has voted for nobody else in term \d+, and/, { timeout: 60 });
  }).toPass({ intervals: [10], timeout: 90_000 });
  const rules = inspector(page).locator(".applied b");
  await expect(rules).toContainText(["one vote a term", "election restriction"]);
  await expect(inspector(page).locator(".applied cite").first()).toContainText(/§/);
  await expect(inspector(page).locator(".changed", { hasText: "vote" }).first()).toBeVisible();
  await expect(inspector(page).locator(".effects")).toContainText("RequestVoteReply");
  await expectAccessible(page);
  await screen(page, "inspect-vote");
});

test("state is a tree of named fields, before and after", async ({ page, open }) => {
  await open("?autoplay=false&preset=leader-crash");
  await page.locator('[data-target="node-1"]').dispatchEvent("click");
  await page.keyboard.press("Escape");
  const whole = inspector(page).locator("table.state", { has: page.locator("caption", { hasText: "All of its state now" }) });
  await expect(whole.locator("> tbody > tr > th").filter({ hasText: "term" }).first()).toBeVisible();
  // A long value unfolds into its parts, each with a name; no text of Rust is left.
  const long = whole.locator("details.long").first();
  await long.locator("> summary").click();
  await expect(long.locator("> table > tbody > tr > th").first()).toBeVisible();
  expect(await whole.innerText()).not.toMatch(/Some\(|None|[{}]/);
  const changed = inspector(page).locator("tr.changed").first();
  for (let steps = 0; steps < 40 && (await changed.count()) === 0; steps += 1) await step(page);
  await expect(changed).toContainText(/→|unchanged/);
});

test("a node is selected by the keyboard: its state comes first, then what can be done @phone", async ({ page, open }) => {
  await open("");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await pause(page);
  await replica(page, 3).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".menu .now")).toHaveText(/^(Follower|Leader|Candidate), term \d+/);
  await page.keyboard.press("Escape");
  await expect(replica(page, 3)).toHaveClass(/selected/);
  await expect(inspector(page).getByRole("heading", { name: /Node 3/ })).toBeVisible();
  await expect(inspector(page).getByRole("heading", { name: "What it did last" })).toBeVisible();
  await expect(inspector(page).locator(".state", { hasText: "All of its state now" })).toContainText("term");
  // It stays selected while the run is stepped.
  await step(page);
  await step(page);
  await expect(replica(page, 3)).toHaveClass(/selected/);
  await expect(inspector(page).getByRole("heading", { name: /Node 3/ })).toBeVisible();
  await expectAccessible(page);
  await page.locator(".inspect h2").scrollIntoViewIfNeeded();
  await screen(page, `inspect-node-${page.viewportSize().width}`);
  await inspector(page).getByRole("button", { name: "Act on node 3…" }).click();
  await expect(page.getByRole("menuitem", { name: "Crash", exact: true })).toBeVisible();
});

test("a message is selected from the list and on the map, and becomes what its receiver did with it", async ({ page, open }) => {
  await open("?speed=1:100");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await pause(page);
  await tab(page, "Inspect").click();
  const listed = inspector(page).locator(".flights button", { hasText: /node \d to node \d/ }).first();
  await expect(async () => {
    if ((await listed.count()) === 0) await step(page);
    expect(await listed.count()).toBe(1);
  }).toPass({ intervals: [50], timeout: 20_000 });
  await listed.click();
  await expect(listed).toHaveAttribute("aria-pressed", "true");
  await expect(inspector(page).locator("header h2")).toContainText(/node \d to node \d/);
  await expect(inspector(page).locator("header .state")).toBeVisible();
  await screen(page, "inspect-message");
  const receiver = /to node (\d)/.exec(await inspector(page).locator("header h2").textContent())[1];
  await expect(async () => {
    await step(page);
    await expect(inspector(page).locator("header h2")).toContainText(`Node ${receiver}`, { timeout: 60 });
  }).toPass({ intervals: [10] });
  await expectAccessible(page);
});

test("quorum chip says who is enough while replicas are down", async ({ page, open }) => {
  await open("?autoplay=false");
  await tab(page, "Inspect").click();
  await expect(inspector(page).locator(".chip")).toHaveText("Quorum 3 of 5");
});

for (const scheme of ["light", "dark"]) {
  test(`inspector and log in ${scheme}`, async ({ page, open }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await open(`?theme=${scheme}&preset=leader-crash`);
    await until(page, (run) => run.leader !== null, "somebody leads");
    await pause(page);
    await replica(page, 2).dispatchEvent("click");
    await page.keyboard.press("Escape");
    // Its last event may be one that no rule decided.
    await expect(inspector(page).locator("header h2")).toContainText("Node 2");
    await expectAccessible(page);
    await screen(page, `inspect-${scheme}`);
    await tab(page, "Log").click();
    await expect(page.locator(".logs td.applied").first()).toBeVisible();
    await expectAccessible(page);
    await screen(page, `log-${scheme}`);
  });
}
