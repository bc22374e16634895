// The run in words: everything here is found by role and name alone, as by somebody who sees nothing of the page.
import { test, expect, expectAccessible } from "./fixtures.mjs";

const part = (page, name) => page.getByRole("region", { name, exact: true });

test("a blind user crashes the leader and finds out who leads now, and why @phone", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "To the replicas" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "All of this in words" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "Text" })).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("tabpanel", { name: "Text" })).toBeFocused();
  const leads = part(page, "Who leads").getByRole("listitem");
  await expect(leads.first()).toHaveText(/^Node (\d), in [A-Z]\w+, leads term \d+ since \d\.\d{3} s, for \d+ m?s\.$/);
  const [, first] = (await leads.first().innerText()).match(/^Node (\d)/);
  await expect(leads.nth(1)).toHaveText(new RegExp(`^Why: Node ${first} leads term \\d+: it has the votes of nodes`));

  await page.getByRole("group", { name: "Time" }).getByRole("button", { name: "Crash leader" }).press("Enter");
  await expect(page.getByRole("status").filter({ hasText: `Node ${first} went down. Nobody leads any more.` })).toBeAttached();
  await expect(leads.first()).toHaveText("Nobody leads now.");
  await expect(part(page, "Replicas").getByRole("listitem").nth(first - 1)).toContainText(": down.");
  await page.getByRole("button", { name: "To the next moment that matters" }).press("Enter");
  await page.getByRole("slider", { name: "Speed" }).press("End");
  await page.getByRole("button", { name: "Play" }).press("Enter");
  await expect(page.getByRole("status").filter({ hasText: /Node \d, in \w+, leads term \d+ now\./ })).toBeAttached();
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await expect(leads.first()).toHaveText(/^Node \d, in \w+, leads term \d+ since/);
  const [, second] = (await leads.first().innerText()).match(/^Node (\d)/);
  expect(second).not.toBe(first);
  await expect(leads.nth(1)).toHaveText(new RegExp(`^Why: Node ${second} leads term \\d+: it has the votes of nodes .*, and that is a majority`));
  await expect(leads.filter({ hasText: `Before, node ${first} led term` })).toHaveCount(1);
  await expectAccessible(page);
});

test("every replica can be inspected and acted on from its line", async ({ page, open }) => {
  await open("?autoplay=false&view=text");
  const line = part(page, "Replicas").getByRole("listitem").nth(2);
  await line.getByRole("button", { name: "Act on node 3…" }).press("Enter");
  await page.getByRole("menuitem", { name: "Crash", exact: true }).press("Enter");
  await expect(line).toContainText("Node 3, in");
  await expect(line).toContainText(": down.");
  await expect(part(page, "Out of order").getByRole("listitem").first()).toHaveText("Node 3 is down.");
  await line.getByRole("button", { name: "Inspect node 3" }).press("Enter");
  await expect(page.getByRole("tab", { name: "Inspect" })).toHaveAttribute("aria-selected", "true");
});

test("view=text begins in words, also in a frame, and for every variant", async ({ page, open }) => {
  await open("?embed&view=text&autoplay=false&preset=two-winners");
  await expect(part(page, "Now")).toContainText("since the start");
  await expect(part(page, "Properties")).toBeVisible();
  await open("?view=text&autoplay=false");
  const protocol = page.getByRole("combobox", { name: "Protocol" });
  for (const option of await protocol.getByRole("option").all()) {
    const [key, title] = [await option.getAttribute("value"), await option.innerText()];
    await protocol.selectOption(key);
    const told = part(page, "What runs").getByRole("listitem").filter({ hasText: `${title}: ` });
    await Promise.any([told.waitFor(), page.locator(".notice").filter({ hasText: "replicas" }).waitFor()]);
  }
});

test("while the run plays nothing is announced more often than every four seconds", { tag: "@timed" }, async ({ page, open }) => {
  await open("?speed=1:1");
  await page.waitForFunction(() => window.quorumscope);
  await page.evaluate(() => {
    window.heard = [];
    const region = [...document.querySelectorAll("[role=status]")].find((one) => one.getAttribute("aria-live") === "polite");
    new MutationObserver(() => window.heard.push([performance.now(), region.textContent])).observe(region, { childList: true, subtree: true, characterData: true });
  });
  await page.getByRole("button", { name: "Crash leader" }).click();
  await expect.poll(() => page.evaluate(() => window.heard.filter(([, text]) => /leads term \d+ now/.test(text)).length), { timeout: 30_000 }).toBe(1);
  const heard = await page.evaluate(() => window.heard);
  expect(heard.length).toBeLessThanOrEqual(4);
  expect(heard.map(([, text]) => text).join(" ")).toMatch(/Node \d went down\./);
});
