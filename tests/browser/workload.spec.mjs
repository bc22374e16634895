// What clients do can be chosen in the sheet; and every built-in scenario opens and says what there is to see.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { clashes, pause, state, until } from "./lab.mjs";

const sheet = (page) => page.getByRole("dialog", { name: "Set up" });
const setUp = async (page) => {
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(sheet(page)).toBeVisible();
};
const run = (page) => sheet(page).getByRole("button", { name: "Run from the start" });
const service = (page) => sheet(page).getByLabel("They use the cluster as");

test("every service can be chosen and runs", async ({ page, open }) => {
  await open("?speed=5:1");
  await setUp(page);
  const keys = await service(page).locator("option").evaluateAll((options) => options.map((option) => option.value));
  expect(keys).toEqual(["kv", "lock", "queue", "barrier", "config", "broadcast"]);
  for (const key of keys) {
    await service(page).selectOption(key);
    await expect(sheet(page).locator(".problems")).toBeEmpty();
    await run(page).click();
    await expect(sheet(page)).toBeHidden();
    // Somebody gets answers.
    await expect(page.locator(".client .latest").first(), key).toHaveText(/\d/, { timeout: 15_000 });
    await expect(page.locator(".notice")).toHaveText("");
    await setUp(page);
    await expect(service(page)).toHaveValue(key);
  }
});

test("the address tells the service and the workload", async ({ page, open, browser, baseURL }) => {
  await open("?speed=5:1");
  await setUp(page);
  await service(page).selectOption("lock");
  await sheet(page).getByLabel("Clients at each place").fill("3");
  await sheet(page).getByLabel("How many keys").fill("2");
  await sheet(page).getByLabel("Keys are asked for").selectOption("hot");
  await sheet(page).getByLabel("Share of that key").fill("70%");
  await sheet(page).getByLabel("Lease", { exact: true }).fill("1s");
  await sheet(page).getByLabel("Bytes in a value").fill("500");
  await sheet(page).getByLabel("Old tokens are refused").uncheck();
  await expectAccessible(page);
  await screen(page, "set-up-lock");
  await run(page).click();
  await until(page, (run) => run.time > 3_000_000, "it runs");
  const here = await pause(page);
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
  const elsewhere = await (await browser.newContext()).newPage();
  // The address may be a second behind.
  await expect(async () => {
    await elsewhere.goto("about:blank");
    await elsewhere.goto(`${baseURL}${await page.evaluate(() => location.hash)}`);
    expect((await state(elsewhere)).fingerprint).toBe(here.fingerprint);
  }).toPass();
  await setUp(elsewhere);
  await expect(service(elsewhere)).toHaveValue("lock");
  await expect(sheet(elsewhere).getByLabel("Clients at each place")).toHaveValue("3");
  await expect(sheet(elsewhere).getByLabel("How many keys")).toHaveValue("2");
  await expect(sheet(elsewhere).getByLabel("Share of that key")).toHaveValue("70%");
  await expect(sheet(elsewhere).getByLabel("Lease", { exact: true })).toHaveValue("1s");
  await expect(sheet(elsewhere).getByLabel("Bytes in a value")).toHaveValue("500");
  await expect(sheet(elsewhere).getByLabel("Old tokens are refused")).not.toBeChecked();
  await elsewhere.context().close();
});

test("clients that come and go, and clients that wait @phone", async ({ page, open }, { project }) => {
  await open("?speed=1:1");
  await setUp(page);
  await sheet(page).getByLabel("They", { exact: true }).selectOption("open");
  const rate = sheet(page).getByLabel("Commands a second at each place");
  await expect(rate).toHaveValue("20/s");
  await expect(sheet(page).getByLabel("Clients at each place")).toHaveCount(0);
  await rate.fill("50/s");
  await screen(page, `set-up-open-loop-${project.name}`);
  await run(page).click();
  await expect(sheet(page)).toBeHidden();
  await until(page, (run) => run.in_flight > 5, "many are under way");
  await setUp(page);
  await expect(rate).toHaveValue("50/s");
  await sheet(page).getByLabel("They", { exact: true }).selectOption("closed");
  await expect(sheet(page).getByLabel("Clients at each place")).toHaveValue("");
});

test("invalid value is reported at its field and in the footer, with what would be accepted", async ({ page, open }) => {
  await open("?autoplay=false");
  await setUp(page);
  const problems = sheet(page).locator(".problems");
  const refused = async (name, text, says, good) => {
    const field = sheet(page).getByLabel(name, { exact: true });
    await field.fill(text);
    await expect(problems).toContainText(says);
    // The message also stands at the field.
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(sheet(page).locator(".field", { has: page.getByLabel(name, { exact: true }) }).locator(".wrong-here")).toHaveCount(1);
    await expect(run(page)).toBeDisabled();
    // What was written stays there to be put right.
    await expect(field).toHaveValue(text);
    await field.fill(good);
    await expect(problems).toBeEmpty();
    await expect(run(page)).toBeEnabled();
  };
  await refused("Clients at each place", "many", 'Clients at each place: "many": a whole number would do', "2");
  await refused("Clients at each place", "5000", "Clients at each place: ", "");
  await refused("Share of reads", "150%", "Share of reads: ", "50%");
  await refused("How many keys", "0", "How many keys: ", "3");
  await refused("Bytes in a value", "-1", 'Bytes in a value: "-1": a whole number would do', "10");
  await refused("Seed", "x", 'Seed: "x": a whole number would do', "7");
  await sheet(page).getByLabel("Keys are asked for").selectOption("zipf");
  await refused("Exponent of Zipf's law", "9", "Exponent of Zipf's law: ", "1.2");
  await sheet(page).getByLabel("They", { exact: true }).selectOption("open");
  await refused("Commands a second at each place", "fast", "Commands a second at each place: ", "5/s");
});

test("every built-in scenario says what there is to see, and no texts overlap", async ({ page, open }) => {
  test.setTimeout(180_000);
  // Nothing glides to its new place when the window changes its size.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?speed=5:1");
  await until(page, () => true, "all of the page is there");
  const scenario = page.getByRole("combobox", { name: "Scenario" });
  const titles = await scenario.locator("option:not([disabled])").evaluateAll((options) => options.map((option) => [option.value, option.textContent]));
  expect(titles.length).toBeGreaterThan(15);
  for (const [key, title] of titles) {
    await scenario.selectOption(key);
    await expect(page.locator(".about summary")).toHaveText(title);
    await expect(page.locator(".about p")).not.toBeEmpty();
    await expect(page.locator(".notice")).toHaveText("");
    // In the middle of what its script does.
    await until(page, (run) => run.time > 4_500_000 || !run.playing || run.events > 400, `${title} runs`);
    for (const [width, height] of [[1440, 900], [1280, 720], [390, 844]]) {
      await page.setViewportSize({ width, height });
      await expect.poll(() => clashes(page), { message: `${title}, ${width} × ${height}` }).toEqual([]);
      const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await expect.poll(beyond, { message: `${title} does not scroll sideways at ${width} × ${height}` }).toBeLessThanOrEqual(0);
    }
  }
});
