// The browser's Back and Forward: one entry a scenario, not one a moment.
import { test, expect } from "./fixtures.mjs";
import { pause, state, until } from "./lab.mjs";

const scenario = (page) => page.getByRole("combobox", { name: "Scenario" });
const shown = (page) => scenario(page).evaluate((select) => select.selectedOptions[0]?.textContent);
const inAddress = (page) => expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#s=1\./);
// The address has taken up the present moment.
const settled = async (page) => {
  let last;
  await expect.poll(async () => {
    const [now, before] = [await page.evaluate(() => location.hash), last];
    last = now;
    return now !== "" && now === before;
  }, { intervals: [700] }).toBe(true);
};

test("Back returns to the scenario before at its last moment, and Forward goes on again", async ({ page, open }) => {
  await open("?speed=1:5");
  await inAddress(page);
  const length = await page.evaluate(() => history.length);
  await page.waitForTimeout(1_500);
  expect(await page.evaluate(() => history.length), "moments make no entries").toBe(length);
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Crash leader" }).click();
  const first = await until(page, (run) => run.interventions === 1 && !run.playing, "the leader is down, and time stands still");

  await scenario(page).selectOption({ label: "The cluster is cut in two" });
  await expect.poll(() => shown(page)).toBe("The cluster is cut in two");
  await expect.poll(() => page.evaluate(() => history.length)).toBe(length + 1);
  await page.getByRole("combobox", { name: "Protocol" }).selectOption("multi-paxos");
  await until(page, (run) => run.variant === "multi-paxos", "another protocol is another run");
  await expect.poll(() => page.evaluate(() => history.length)).toBe(length + 2);
  const third = await pause(page);
  await settled(page);

  await page.goBack();
  await until(page, (run) => run.variant === "raft", "the second run is back");
  expect(await shown(page)).toBe("The cluster is cut in two");
  await page.goBack();
  await until(page, (run) => run.fingerprint === first.fingerprint, "the first run is back, at its last moment");
  expect((await state(page)).playing).toBe(false);
  await page.goForward();
  await expect.poll(() => shown(page)).toBe("The cluster is cut in two");
  await page.goForward();
  await until(page, (run) => run.fingerprint === third.fingerprint, "the third run is back");
  expect(await page.evaluate(() => history.length)).toBe(length + 2);
});

test("a link opened leads back to the run that was there, with its moment", async ({ page, open }) => {
  await open("?autoplay=false&preset=leader-crash");
  await settled(page);
  const link = await page.evaluate(() => location.hash);
  await open("?autoplay=false");
  await page.getByRole("button", { name: "One event on" }).click();
  const there = await state(page);
  await settled(page);
  await page.evaluate((link) => (location.hash = link), link);
  await expect.poll(() => shown(page)).toBe("The leader crashes");
  // It plays on there, and that takes nothing away from the entry before.
  await page.getByRole("button", { name: "Play" }).click();
  await page.waitForTimeout(1_500);
  await page.goBack();
  await until(page, (run) => run.fingerprint === there.fingerprint, "the run that was there is back");
});

test("in a frame Back stays with the page around it", async ({ page, open }) => {
  await open("?embed&autoplay=false&preset=duel");
  await inAddress(page);
  const length = await page.evaluate(() => history.length);
  await page.locator('[data-target="site-0"]').dispatchEvent("click");
  const add = page.getByRole("menuitem", { name: /^Add/ }).first();
  await add.click();
  await page.waitForTimeout(1_200);
  expect(await page.evaluate(() => history.length)).toBe(length);
});
