// A person is the scheduler: while everything is held, messages are delivered and timers fired one by one, in any order.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

const next = (page) => page.getByRole("region", { name: "What can happen next" });

test("everything is held, and what is chosen happens, by mouse and keyboard; the link repeats it @phone", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.getByRole("tab", { name: "Inspect" }).click();
  await next(page).getByRole("button", { name: "Hold everything" }).click();
  await expect(next(page)).toContainText("Everything is held");
  let before = await state(page);
  await next(page).getByRole("button", { name: /^Fire heartbeat interval/ }).first().focus();
  await page.keyboard.press("Enter");
  await until(page, (run) => run.events > before.events, "the timer fires");
  // The focus stays in the list, so that one can go on.
  await expect(next(page).locator(":focus")).toHaveCount(1);
  before = await state(page);
  await next(page).getByRole("button", { name: /^Deliver / }).last().click();
  await until(page, (run) => run.events === before.events + 1, "the message is handled");
  await expectAccessible(page);
  await screen(page, "schedule");
  const now = await state(page);
  await page.keyboard.press("Control+z");
  await until(page, (run) => run.events === before.events, "it is taken back");
  await expect(next(page).getByRole("button", { name: /^Redo: deliver at once the Heartbeat/ })).toBeVisible();
  await page.keyboard.press("Control+Shift+Z");
  await until(page, (run) => run.fingerprint === now.fingerprint, "and done again");
  await expect.poll(() => page.url()).toContain("#s=1.");
  const link = page.url();
  await page.goto("about:blank");
  await open(link);
  await until(page, (run) => run.fingerprint === now.fingerprint, "the same run from its link");
});

test("the scenario is edited as text: problems stand at their lines, a bad file changes nothing, a good one runs", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByRole("button", { name: "As text…" }).click();
  const text = page.getByRole("textbox", { name: "The scenario as text" });
  const dialog = page.getByRole("dialog", { name: "The scenario as text" });
  await expect(dialog.getByRole("status")).toContainText("Nothing is wrong with it.");
  const scenario = await text.inputValue();
  const crash = (node) => scenario.trimEnd().replace(/\n}$/, `,\n  "script": [\n    { "at": "2s", "do": "crash", "node": ${node} }\n  ]\n}\n`);
  await text.fill(crash(9));
  const line = crash(9).split("\n").findIndex((line) => line.includes("crash")) + 1;
  await expect(dialog.getByRole("status")).toContainText(`Line ${line} script[0].node: 9: the nodes are 1 to 5`);
  await expect(dialog.getByRole("button", { name: "Run from the start" })).toBeDisabled();
  await dialog.getByRole("button", { name: `Line ${line}` }).click();
  expect(await text.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd))).toContain("crash");
  await expectAccessible(page);
  await screen(page, "scenario-text");
  const file = dialog.getByLabel("Load a file…");
  await file.setInputFiles({ name: "bad.json", mimeType: "application/json", buffer: Buffer.from('{\n"variant": "raft",\n"sites": 3 }') });
  await expect(dialog.getByRole("status")).toContainText("bad.json was not loaded; the text is as it was.");
  await expect(dialog.getByRole("status")).toContainText("Line 3: sites");
  await expect(text).toHaveValue(crash(9));
  await file.setInputFiles({ name: "good.json", mimeType: "application/json", buffer: Buffer.from(crash(2)) });
  await expect(dialog.getByRole("status")).toContainText("Nothing is wrong with it.");
  const [saved] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Save as a file" }).click()]);
  expect(saved.suggestedFilename()).toBe("scenario.json");
  await dialog.getByRole("button", { name: "Run from the start" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: /crash node 2/ })).toBeVisible();
});
