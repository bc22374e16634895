// What every browser test shares. Import `test` and `expect` from here, not from Playwright: a page that logs an
// error, throws, or asks another origin for anything then fails the test, whatever else the test is about.
import { test as base, expect } from "@playwright/test";
import AxeBuilder from "@axe-core/playwright";

export { expect };

export const test = base.extend({
  // Whether the page keeps itself for when there is no network: that would hide from other tests what comes from it.
  keepsItself: [false, { option: true }],

  page: async ({ page, keepsItself }, use) => {
    const never = () => {
      try {
        navigator.serviceWorker.register = () => new Promise(() => {});
      } catch {
        // In a sandboxed frame there is nothing to keep anything anyway.
      }
    };
    if (!keepsItself) await page.addInitScript(never);
    await use(page);
  },

  // Complaints of the page so far. A test about a deliberate error empties it: `complaints.length = 0`.
  complaints: async ({ page, baseURL }, use) => {
    const complaints = [];
    const origin = new URL(baseURL).origin;
    // What a page has not fetched yet when it is left, it cannot fetch.
    let leaving = false;
    for (const leave of ["goto", "reload"]) {
      const go = page[leave].bind(page);
      page[leave] = async (...where) => {
        leaving = page.url() !== "about:blank";
        try {
          return await go(...where);
        } finally {
          leaving = false;
        }
      };
    }
    page.on("console", (message) => {
      if (leaving && message.text().includes("TypeError: Failed to fetch")) return;
      if (["error", "warning"].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (["http:", "https:", "ws:", "wss:"].includes(url.protocol) && url.origin !== origin) complaints.push(`request to another origin: ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
    });
    await use(complaints);
    expect(complaints, "complaints of the page").toEqual([]);
  },

  // Opens the page (with a query or fragment, if given) and waits until the app runs.
  open: async ({ page, complaints }, use) => {
    void complaints;
    await use(async (address = "") => {
      await page.goto(address);
      await started(page);
    });
  },
});

// Waits until the app has replaced the placeholder of index.html.
export async function started(frame) {
  await expect(frame.locator("body > :not(script):not(noscript):not(.starting):not(.late)").first()).toBeVisible({ timeout: 60_000 });
}

// Fails with a readable list when axe finds a violation of WCAG 2.2 A or AA; or one of the rules alone that are named.
export async function expectAccessible(page, rules) {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])).analyze();
  const list = violations.map((each) => `${each.id}: ${each.help} (${each.nodes.map((node) => node.target.join(" ")).join(", ")})`);
  expect(list, "accessibility violations").toEqual([]);
}

// A screenshot to look at, in test-results/screens/.
export async function screen(page, name) {
  await page.screenshot({ path: `test-results/screens/${name}.png` });
}
