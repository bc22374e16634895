// Break it: a rule is taken away, a search finds a run that violates a property, and that run is opened.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

const panel = (page) => page.locator(".panel.break");
const rule = (page, title) => panel(page).locator(".rule", { hasText: title }).getByRole("checkbox");
const told = (page) => panel(page).getByRole("status");

async function begin(page, open, variant) {
  await open(`?autoplay=false&variant=${variant}`);
  await page.getByRole("tab", { name: "Break it" }).click();
  await expect(panel(page)).toBeVisible();
}

test("a rule is taken away, random runs find a violation, and the smallest run opens where it is violated @phone", async ({ page, open }) => {
  test.setTimeout(180_000);
  await begin(page, open, "multi-paxos");
  await rule(page, "value adoption").uncheck();
  await expect(panel(page)).toContainText("Taken away.");
  await panel(page).getByRole("button", { name: "Try 2,000" }).click();
  await expect(told(page)).toContainText("is violated", { timeout: 120_000 });
  const smallest = told(page).getByRole("link", { name: /^Open the smallest, where .* is violated$/ });
  await expect(smallest).toBeVisible({ timeout: 120_000 });
  await expectAccessible(page);
  await screen(page, "break-it-found");
  await smallest.click();
  await expect(page.getByRole("alert")).toContainText("violated");
  // It is an ordinary run, without the rule.
  await expect(rule(page, "value adoption")).not.toBeChecked();
  await screen(page, "break-it-opened");
});

test("all runs within bounds: safe with every rule, and the bounds are told; violated without one, and the shortest run is told", async ({ page, open }) => {
  test.setTimeout(180_000);
  await begin(page, open, "synod");
  await panel(page).getByLabel("Timers that run out").selectOption("1");
  await panel(page).getByLabel("Commands").selectOption("1");
  await panel(page).getByRole("button", { name: "Search all of them" }).click();
  await expect(told(page)).toContainText(/No run within these bounds violates anything: 3 replicas, .*timers that run out 1/, { timeout: 120_000 });
  await panel(page).getByLabel("Timers that run out").selectOption("2");
  await panel(page).getByLabel("Commands").selectOption("2");
  await rule(page, "value adoption").uncheck();
  await panel(page).getByRole("button", { name: "Search all of them" }).press("Enter");
  await expect(told(page)).toContainText(/is violated after \d+ events, the fewest there can be/, { timeout: 120_000 });
  const events = Number((await told(page).innerText()).match(/violated after (\d+) events/)[1]);
  await expect(told(page).locator(".trace > li")).toHaveCount(events);
  await screen(page, "break-it-all");
  const shortest = told(page).getByRole("link", { name: /^Open the shortest run, where .* is violated$/ });
  await shortest.click();
  await expect(page.getByRole("alert")).toContainText("violated");
  await screen(page, "break-it-shortest");
});

test("a search shows how far it is, leaves the page free, and ends when it is stopped", async ({ page, open }) => {
  await begin(page, open, "raft");
  await panel(page).getByLabel("Timers that run out").selectOption("4");
  await panel(page).getByLabel("Crashes").selectOption("2");
  await panel(page).getByRole("button", { name: "Search all of them" }).click();
  await expect(told(page)).toContainText(/\d states, [\d,]+ a second/, { timeout: 60_000 });
  const [, speed] = (await told(page).innerText()).match(/([\d,]+) a second/);
  console.log(`search in the page: ${speed} states a second`);
  const before = await state(page);
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.events > before.events, "the run goes on beside the search");
  await told(page).getByRole("button", { name: "Stop" }).click();
  await expect(told(page)).toContainText("Stopped: ");
  await expect.poll(() => page.workers().length).toBe(0);
});

test("where no worker can be started, the page says so and goes on", async ({ page, open, complaints }) => {
  await page.addInitScript(() => delete window.Worker);
  await begin(page, open, "synod");
  await panel(page).getByRole("button", { name: "Try 2,000" }).click();
  await expect(told(page)).toContainText("could not be started");
  expect(complaints).toEqual([]);
});
