// The sequence chart on a variant's card: made from a run in the page, for eyes, for screen readers and for the keyboard.
import { expect, expectAccessible, screen, test } from "./fixtures.mjs";
import { state } from "./lab.mjs";

// Opens the card and its figure with the keyboard alone.
async function figure(page) {
  await page.getByRole("button", { name: "Set up" }).click();
  const sheet = page.getByRole("dialog", { name: "Set up" });
  const summary = sheet.getByText("One command as a sequence chart");
  await summary.focus();
  await page.keyboard.press("Enter");
  const chart = sheet.getByRole("img", { name: /^Sequence chart: / });
  await expect(chart).toBeVisible();
  return { sheet, chart };
}

test("card draws one command of its variant from a run, and tells it in sentences @phone", async ({ page, open }) => {
  await open();
  await state(page);
  const { sheet, chart } = await figure(page);
  // Raft: 2(n−1) messages for a command, here among three nodes.
  await expect(chart.locator(".seq-propose > title", { hasText: "AppendEntries, slot " })).toHaveCount(2);
  await expect(chart.locator(".seq-accept > title", { hasText: "AppendEntriesReply, slot " })).toHaveCount(2);
  await expect(chart.getByText("answer", { exact: true })).toBeVisible();
  await sheet.getByText("The same in sentences").focus();
  await page.keyboard.press("Enter");
  await expect(sheet.getByText(/Node 1 receives request from the client; saves; sends AppendEntries/)).toBeVisible();
  await expectAccessible(page);
  await chart.scrollIntoViewIfNeeded();
  await screen(page, `chart-${test.info().project.name}`);
  // It scrolls in its own place, and the dialog does not.
  const fits = (element) => element.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
  expect(await fits(sheet)).toBe(true);
  expect(await fits(sheet.locator("form > .scroll"))).toBe(true);
  // Letters are never smaller than 12 pixels.
  const smallest = await chart.locator("text").evaluateAll((texts) => {
    const scale = texts[0].ownerSVGElement.getScreenCTM().a;
    return Math.min(...texts.map((text) => Number.parseFloat(getComputedStyle(text).fontSize) * scale));
  });
  expect(smallest).toBeGreaterThanOrEqual(12);
});

test("chart is that of the variant which is run, in the dark as well", async ({ page, open }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open("?preset=one-hot-key");
  await state(page);
  const { chart } = await figure(page);
  await expect(chart.locator(".seq-propose > title", { hasText: "PreAccept, instance " })).toHaveCount(2);
  await expectAccessible(page);
  await chart.scrollIntoViewIfNeeded();
  await screen(page, "chart-dark");
});
