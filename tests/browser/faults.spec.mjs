// Fault injection on the stage: every fault shows an icon, a label and an accessible description, and can be undone.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { choose, clashes, item, menu, more, pause, replica, state, until } from "./lab.mjs";

const legend = (page, name) => page.locator(".legend li.wrong", { hasText: new RegExp(`^\\s*${name}\\s*$`) });
const lane = (page) => page.locator('[data-target="lane-0-1"]');

test("pause by click and by touch @phone", async ({ page, open }, { project }) => {
  await open("?speed=1:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  const disc = replica(page, 3).locator(".disc");
  const press = async (locator) => (project.name === "phone" ? locator.tap() : locator.click());
  await press(disc);
  await press(item(page, "as in a long GC"));
  await until(page, (run) => run.nodes[2].paused, "node 3 is paused");
  await expect(replica(page, 3).locator(".bars")).toHaveCount(1);
  await expect(replica(page, 3).locator(".fault-label")).toHaveText("paused");
  await expect(replica(page, 3)).toHaveAccessibleName(/paused, \d+ messages? waiting/);
  await expect(page.locator(".sentence")).toContainText("Node 3 is paused.");
  await expect(legend(page, "paused")).toHaveAttribute("title", /does nothing for a while/);
  await press(disc);
  await press(item(page, "Let it go on"));
  await until(page, (run) => !run.nodes[2].paused, "it goes on");
  await expect(replica(page, 3).locator(".bars, .fault-label")).toHaveCount(0);
  await expect(legend(page, "paused")).toHaveCount(0);
});

for (const { what, heading, name, word, says, told, sign, undo } of [
  { what: "a slow disk", heading: "Its disk is", name: "slow (50 ms)", word: "slow disk", says: "its disk takes 50 ms for a write", told: "The disk of node 4 is slow.", sign: "disk", undo: "sound again" },
  { what: "a full disk", heading: "Its disk is", name: "full", word: "full disk", says: "its disk is full", told: "The disk of node 4 is full.", sign: "disk", undo: "sound again" },
  { what: "a disk that forgets", heading: "Its disk is", name: "forgets writes", word: "disk forgets", says: "its disk confirms writes without keeping them", told: "The disk of node 4 only says that it writes.", sign: "disk", undo: "sound again" },
  { what: "a disk that tears", heading: "Its disk is", name: "tears the last write", word: "disk tears", says: "its disk loses the last write in a crash", told: "loses its last write in a crash.", sign: "disk", undo: "sound again" },
  { what: "a fast clock", heading: "Its clock is", name: "10% fast", word: "clock +10%", says: "its clock runs 10% too fast", told: "The clock of node 4 runs fast.", sign: "clock", undo: "right" },
  { what: "a slow clock", heading: "Its clock is", name: "10% slow", word: "clock −10%", says: "its clock runs 10% too slow", told: "The clock of node 4 runs slow.", sign: "clock", undo: "right" },
  { what: "a Byzantine replica", heading: "Byzantine: have it", name: "tamper with commands", word: "Byzantine", says: "it is Byzantine", told: "Node 4 is Byzantine.", sign: "Byzantine" },
  { what: "twins", heading: "Byzantine: have it", name: "equivocate as twins", word: "twins", says: "two copies run under its name", told: "There are two of node 4.", sign: "twins" },
]) {
  test(`${what} shows icon, label and description`, async ({ page, open }) => {
    await open("?autoplay=false");
    await choose(page, "node-4", name, heading);
    await expect(replica(page, 4).locator(".badge")).toHaveCount(1);
    await expect(replica(page, 4).locator(".fault-label")).toHaveText(word);
    await expect(replica(page, 4)).toHaveAccessibleName(new RegExp(says));
    await expect(page.locator(".sentence")).toContainText(told);
    await expect(legend(page, sign)).toHaveCount(1);
    if (!undo) return;
    await choose(page, "node-4", undo, heading);
    await expect(replica(page, 4).locator(".badge, .fault-label")).toHaveCount(0);
    await expect(legend(page, sign)).toHaveCount(0);
  });
}

for (const { name, words, says, told, sign } of [
  { name: "50 ms slower", words: "+50 ms", says: "messages take 50 ms longer", told: "are slow.", sign: "slow" },
  { name: "lose a fifth", words: "20% lost", says: "20% of messages get lost", told: "get lost at times.", sign: "lossy" },
  { name: "repeat a fifth", words: "20% twice", says: "20% of messages arrive twice", told: "come twice at times.", sign: "duplicates" },
  { name: "out of order", words: "20% reordered", says: "20% of messages are overtaken", told: "overtake each other.", sign: "reorders" },
  { name: "50 kB/s", words: "50 kB/s", says: "no more than 50 kB/s fit through", told: "queue for a narrow link.", sign: "limited bandwidth" },
]) {
  test(`links between two places: ${name}, and reset`, async ({ page, open }) => {
    await open("?autoplay=false");
    await choose(page, "lane-0-1", name, "Messages here");
    // All links between the two places fare alike, so it is told once: a line and its sign.
    await expect(page.locator(".disturbed .line")).toHaveCount(1);
    await expect(page.locator(".disturbed .badge")).toHaveCount(1);
    await expect(page.locator(".disturbed text")).toHaveText(words);
    await expect(lane(page)).toHaveAccessibleName(new RegExp(says));
    await expect(page.locator(".sentence")).toContainText(`Messages between Virginia and Oregon ${told}`);
    await expect(legend(page, sign)).toHaveCount(1);
    await choose(page, "lane-0-1", "as usual", "Messages here");
    await expect(page.locator(".disturbed")).toHaveCount(0);
    await expect(legend(page, sign)).toHaveCount(0);
  });
}

test("disturbed links of one replica are drawn one by one", async ({ page, open }) => {
  await open("?autoplay=false");
  await choose(page, "node-4", "lose a fifth", "Its messages");
  // To nodes 1, 2, 3 and 5; those to Virginia and Oregon are not all there are between these places.
  await expect(page.locator(".disturbed .line")).toHaveCount(4);
  await choose(page, "node-4", "as usual", "Its messages");
  await expect(page.locator(".disturbed")).toHaveCount(0);
});

test("one-way cut shows an arrow, and messages still arrive the other way", async ({ page, open }) => {
  await open("?autoplay=false");
  await choose(page, "node-1", "4", "Lose all it sends to");
  expect((await state(page)).nodes.map((node) => node.cut)).toEqual([[4], [], [], [], []]);
  await expect(page.locator(".cut.one-way .badge")).toHaveCount(1);
  await expect(legend(page, "cut one way")).toHaveCount(1);
  await expect(replica(page, 1)).toHaveAccessibleName(/cannot reach node 4/);
  await expect(replica(page, 4)).not.toHaveAccessibleName(/cannot reach/);
  await expect(page.locator(".sentence")).toContainText("Node 1 cannot reach node 4, but hears it.");
  await choose(page, "node-1", "4", "Heal the link to");
  await expect(page.locator(".cut")).toHaveCount(0);

  await choose(page, "lane-0-1", "Oregon", "Cut only the way to");
  expect((await state(page)).nodes.map((node) => node.cut)).toEqual([[3], [3], [], [], []]);
  await expect(page.locator(".cut.one-way .badge")).toHaveCount(1);
  await screen(page, "cut-one-way");
});

test("partitioned site is marked on the stage, in the legend and in its name", async ({ page, open }) => {
  await open("?autoplay=false");
  await choose(page, "site-2", "Partition it, clients too");
  const island = page.locator(".island.cut-off");
  await expect(island).toHaveCount(1);
  await expect(island.locator("text.fault-label")).toHaveText("partitioned");
  await expect(page.locator('[data-target="site-2"]')).toHaveAccessibleName(/partitioned from all other places/);
  await expect(legend(page, "partitioned")).toHaveCount(1);
  await expect(page.locator(".last")).toContainText("By hand or by the script: cut off Ireland.");
  await choose(page, "site-2", "Reconnect it");
  await expect(island).toHaveCount(0);
});

test("held message is in the legend and can be released", async ({ page, open }) => {
  await open("?speed=1:20");
  await until(page, (run) => run.in_flight > 0, "messages are under way");
  await pause(page);
  // Event by event until something is under way between Virginia and Oregon.
  const hold = menu(page).getByRole("menuitem", { name: "hold", exact: true });
  await expect(async () => {
    await page.getByRole("button", { name: "One event on" }).click();
    await lane(page).dispatchEvent("click");
    await more(page).click();
    const found = await hold.count();
    if (found === 0) await page.keyboard.press("Escape");
    expect(found).toBeGreaterThan(0);
  }).toPass();
  await hold.first().click();
  await expect(legend(page, "held")).toHaveCount(1);
  await lane(page).dispatchEvent("click");
  // What is held is offered without being asked for.
  await item(page, "drop").first().click();
  await expect(legend(page, "held")).toHaveCount(0);
});

test("rare faults are folded, and reachable by keyboard and touch @phone", async ({ page, open }, { project }) => {
  await open("?autoplay=false");
  await replica(page, 4).focus();
  await page.keyboard.press("Enter");
  await expect(menu(page)).toBeVisible();
  const all = page.getByRole("menuitem");
  const few = await all.count();
  expect(few, "entries at first").toBeLessThan(16);
  await expect(more(page)).toHaveAttribute("aria-expanded", "false");
  await more(page).focus();
  await page.keyboard.press("Enter");
  await expect(more(page)).toHaveAttribute("aria-expanded", "true");
  await expect(more(page)).toBeFocused();
  expect(await all.count()).toBeGreaterThan(few + 12);
  await screen(page, `menu-unfolded-${project.name}`);
  await expectAccessible(page);
  if (project.name === "phone") {
    for (const button of await all.all()) {
      const { width, height } = await button.boundingBox();
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
  }
  await page.keyboard.press("ArrowDown");
  await expect(item(page, "slow (50 ms)")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(replica(page, 4).locator(".fault-label")).toHaveText("slow disk");
  await expect(replica(page, 4)).toBeFocused();
});

for (const scheme of ["light", "dark"]) {
  test(`many faults at once: no overlap, accessible, ${scheme} @phone`, async ({ page, open }, { project }) => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await open("?autoplay=false");
    await choose(page, "node-3", "as in a long GC");
    await choose(page, "node-4", "slow (50 ms)");
    await choose(page, "node-4", "10% fast");
    await choose(page, "node-5", "equivocate as twins");
    await choose(page, "node-2", "forgets writes");
    await choose(page, "lane-0-1", "50 ms slower", "Messages here");
    await choose(page, "lane-0-1", "lose a fifth", "Messages here");
    await choose(page, "lane-1-2", "Cut every link");
    await choose(page, "node-1", "4", "Lose all it sends to");
    await expect(page.locator(".sentence")).toContainText("5 more things are out of order.");
    expect(await clashes(page)).toEqual([]);
    await expectAccessible(page);
    await screen(page, `faults-${project.name}-${scheme}`);
  });
}
