// Every view, in light and dark, by axe's rules; and what the keyboard reaches.
import { test, expect, expectAccessible } from "./fixtures.mjs";
import { choose, item, menu, replica, state, until } from "./lab.mjs";

const tab = (page, name) => page.getByRole("tab", { name });

// What each view is, and how one gets there.
const VIEWS = {
  "numbers": async () => {},
  "a link's inspector": async (page) => {
    await tab(page, "Inspect").click();
    await expect(page.locator(".inspect .flights")).toBeVisible();
  },
  "a node's state": async (page) => {
    await tab(page, "Inspect").click();
    await replica(page, 2).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await expect(page.locator(".inspect .state").first()).toBeVisible();
    for (const summary of await page.locator(".inspect details > summary").all()) if (await summary.isVisible()) await summary.click();
  },
  "log": async (page) => {
    await tab(page, "Log").click();
    await expect(page.locator(".panel.logs, .logs").first()).toBeVisible();
  },
  "break it": async (page) => {
    await tab(page, "Break it").click();
    await page.locator(".break .rule").first().click();
    await expect(page.locator(".break .without")).toBeVisible();
  },
  "text": async (page) => {
    await tab(page, "Text").click();
    await expect(page.getByRole("region", { name: "Who leads" })).toBeVisible();
  },
  "set-up": async (page) => {
    await page.getByRole("button", { name: "Set up" }).click();
    await expect(page.getByRole("dialog", { name: "Set up" })).toBeVisible();
  },
  "help": async (page) => {
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Help" })).toBeVisible();
  },
  "menu of a replica": async (page) => {
    await replica(page, 1).focus();
    await page.keyboard.press("Enter");
    await expect(menu(page)).toBeVisible();
  },
  "menu of a place": async (page) => {
    await page.locator('[data-target="site-0"]').focus();
    await page.keyboard.press("Enter");
    await expect(menu(page)).toBeVisible();
  },
  "moments": async (page) => {
    await page.keyboard.press("m");
    await expect(page.getByRole("list", { name: "Moments that matter" })).toBeVisible();
  },
  "a violation": async (page, open) => {
    await open("?preset=two-winners&speed=max");
    await expect(page.getByRole("alert")).toBeVisible();
  },
};

for (const scheme of ["light", "dark"]) {
  test(`every view is accessible, ${scheme}`, async ({ page, open }) => {
    test.setTimeout(240_000);
    for (const [view, go] of Object.entries(VIEWS)) {
      await test.step(view, async () => {
        await open(`?autoplay=false&preset=leader-crash&theme=${scheme}`);
        await page.waitForFunction(() => window.quorumscope);
        await expect(page.locator(".fault.ahead").first()).toBeAttached();
        await go(page, (address) => open(`${address}&theme=${scheme}`));
        // In the dark only colours are others.
        await expectAccessible(page, scheme === "dark" ? ["color-contrast"] : undefined);
      });
    }
  });
}

test("moments on the time axis are a list for the keyboard", async ({ page, open }) => {
  await open("?autoplay=false&preset=leader-crash");
  await expect(page.locator(".fault.ahead").first()).toBeAttached();
  const moments = page.getByRole("list", { name: "Moments that matter" });
  await page.keyboard.press("m");
  await expect(moments.getByRole("button", { name: "9.000 s crash node 1" })).toBeFocused();
  await page.keyboard.press("End");
  await expect(moments.getByRole("button", { name: /restart node 1|answered again|a new leader/ }).last()).toBeFocused();
  await page.keyboard.press("Home");
  for (let steps = 0; steps < 20 && !(await moments.getByRole("button", { name: "14.000 s restart node 1" }).evaluate((one) => one === document.activeElement)); steps += 1) {
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
  await until(page, (run) => run.time === 13_900_000, "it is just before the restart");
  // Neither a step nor a way back was taken by the arrow keys.
  expect((await state(page)).nodes[0].up).toBe(false);
});

test("Space plays after an action from a menu", async ({ page, open }) => {
  await open("?autoplay=false");
  await choose(page, "node-4", "Crash");
  await expect(replica(page, 4)).toBeFocused();
  await page.keyboard.press(" ");
  await until(page, (run) => run.playing, "it plays");
  await expect(menu(page)).toBeHidden();
  await page.keyboard.press(" ");
  await until(page, (run) => !run.playing, "it stands still");
  await page.keyboard.press("Enter");
  await expect(item(page, "Restart")).toBeVisible();
});

test("messages and rules are reached by the keyboard", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(replica(page, 1)).toBeFocused();
  for (let steps = 0; steps < 40 && (await state(page)).in_flight === 0; steps += 1) await page.keyboard.press("s");
  await page.keyboard.press("i");
  await expect(page.getByRole("tabpanel", { name: "Inspect" })).toBeFocused();
  const message = page.getByRole("region", { name: "Messages in flight" }).getByRole("button").first();
  for (let presses = 0; presses < 12 && !(await message.evaluate((one) => one === document.activeElement)); presses += 1) await page.keyboard.press("Tab");
  await expect(message).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(message).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator(".inspect h3").first()).toContainText("Why it was sent");

  await tab(page, "Numbers").click();
  const rule = page.locator(".last button").first();
  for (let steps = 0; steps < 40 && (await rule.count()) === 0; steps += 1) await page.getByRole("button", { name: "One event on" }).click();
  const title = await rule.innerText();
  await rule.press("Enter");
  await expect(page.locator(".inspect .applied b").filter({ hasText: title }).first()).toBeVisible();
});

test("help lists every hotkey, and each does something", async ({ page, open }) => {
  await open("?speed=1:1");
  await page.waitForFunction(() => window.quorumscope);
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Help" }).locator("dl").nth(1).locator("dt");
  await expect(keys.first()).toBeVisible();
  const listed = await keys.allTextContents();
  for (const key of ["Space", ".", ",", "M", "S or →", "←", "Home", "+", "−", "C", "R", "T", "I", "D", "P", "Esc", "?"]) expect(listed).toContain(key);
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await expect(page.getByRole("tabpanel", { name: "Text" })).toBeFocused();
});
