// What can be done on the stage: by mouse, by keyboard, by touch. Every test looks at the run itself, not only at the picture.
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { drag, item, menu, middle, pause, replica, site, state, until } from "./lab.mjs";

const crown = (page) => page.locator(".crown:not(.stale)");
const siteOf = (run, node) => run.nodes[node - 1].site;

test("the first screen runs and fits without scrolling", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open();
  const before = await until(page, (run) => run.leader !== null, "somebody leads");
  await until(page, (run) => run.events > before.events, "events happen");
  await until(page, (run) => run.in_flight > 0, "messages are under way");
  expect(before.nodes).toHaveLength(5);
  await expect(page.locator(".island")).toHaveCount(3);
  await expect(page.locator(".client .latest")).toHaveText([/\d+ ms/, /\d+ ms/, /\d+ ms/]);
  await expect(page.locator(".sentence")).toContainText(/Node \d leads/);
  const { content, height } = await page.evaluate(() => ({ content: document.documentElement.scrollHeight, height: innerHeight }));
  expect(content).toBeLessThanOrEqual(height);
  await screen(page, "first-screen");
});

test("no texts on the stage overlap", async ({ page, open }) => {
  for (const size of [{ width: 1440, height: 900 }, { width: 1280, height: 720 }, { width: 390, height: 844 }]) {
    await page.setViewportSize(size);
    await open("?autoplay=false");
    const boxes = await page.locator(".stage svg text").evaluateAll((texts) =>
      texts.filter((text) => text.textContent).map((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return { text: text.textContent, left, right, top, bottom };
      }),
    );
    const clashes = boxes.flatMap((a, i) =>
      boxes.slice(i + 1).filter((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3).map((b) => `${a.text} | ${b.text}`),
    );
    expect(clashes, `${size.width}×${size.height}`).toEqual([]);
  }
});

test("crown dragged to a replica transfers leadership", async ({ page, open }) => {
  await open("?speed=1:1");
  const { leader } = await until(page, (run) => run.leader !== null, "somebody leads");
  const heir = leader === 4 ? 5 : 4;
  const drop = await drag(page, crown(page), replica(page, heir).locator(".disc"));
  await expect(replica(page, heir)).toHaveClass(/target/);
  await screen(page, "crown-under-way");
  await drop();
  await until(page, (run) => run.leader === heir, "the heir leads");
  await expect(page.locator(".sentence")).toContainText(`Node ${heir} leads`);
});

test("replica dragged to another site moves there", async ({ page, open }) => {
  await open("?speed=1:1");
  const before = await state(page);
  const island = page.locator(".island", { hasText: "Ireland" });
  expect(siteOf(before, 2)).toBe("us-east-1");
  const drop = await drag(page, replica(page, 2).locator(".disc"), island.locator(".place"));
  await expect(island).toHaveClass(/target/);
  await drop();
  const after = await until(page, (run) => siteOf(run, 2) === "eu-west-1", "node 2 lives in Ireland");
  expect(after.interventions).toBe(1);
  await expect(replica(page, 2)).toHaveAccessibleName(/Node 2 in Ireland/);
});

test("crown dropped elsewhere changes nothing", async ({ page, open }) => {
  await open("?autoplay=false");
  const before = await state(page);
  await (await drag(page, crown(page), page.locator(".sentence")))();
  expect(await state(page)).toEqual(before);
});

test("all of it can be done by keyboard", async ({ page, open }) => {
  await open("?speed=1:1");
  const { leader } = await until(page, (run) => run.leader !== null, "somebody leads");
  const heir = leader === 3 ? 4 : 3;
  await replica(page, heir).focus();
  await page.keyboard.press("Enter");
  await expect(menu(page)).toBeVisible();
  await expect(item(page, "Make it the leader")).toBeFocused();
  await screen(page, "menu");
  await page.keyboard.press("Enter");
  await expect(menu(page)).toBeHidden();
  await until(page, (run) => run.leader === heir, "the heir leads");
  await expect(replica(page, heir)).toBeFocused();

  // The arrow keys go through the menu; Escape closes it and does nothing.
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await expect(item(page, "Crash and restart")).toBeFocused();
  await page.keyboard.press("End");
  await expect(item(page, "Remove this replica")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(replica(page, heir)).toBeFocused();

  await page.keyboard.press("Enter");
  await item(page, "Ireland").focus();
  await page.keyboard.press("Enter");
  await until(page, (run) => siteOf(run, heir) === "eu-west-1", "it moved to Ireland");
});

test("all of it can be done by touch @phone", async ({ page, open }, { project }) => {
  test.skip(project.name !== "phone", "needs a touch screen");
  await open("?speed=1:1");
  const { leader } = await until(page, (run) => run.leader !== null, "somebody leads");
  const heir = leader === 2 ? 1 : 2;
  await replica(page, heir).locator(".disc").tap();
  await expect(menu(page)).toBeVisible();
  await screen(page, "phone-menu");
  for (const button of await page.getByRole("menuitem").all()) {
    const { width, height } = await button.boundingBox();
    expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
  }
  await item(page, "Make it the leader").tap();
  await until(page, (run) => run.leader === heir, "the heir leads");

  // A finger drags as well: the same pointer events, from a touch screen.
  const session = await page.context().newCDPSession(page);
  const touch = async (type, at) => session.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [at] : [] });
  await replica(page, 3).scrollIntoViewIfNeeded();
  const [from, to] = [await middle(replica(page, 3).locator(".disc")), await middle(site(page, "Virginia"))];
  await touch("touchStart", from);
  await touch("touchMove", { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
  await touch("touchMove", to);
  await touch("touchEnd");
  await until(page, (run) => siteOf(run, 3) === "us-east-1", "node 3 moved to Virginia");
});

const choose = async (page, node, name) => {
  await replica(page, node).locator(".disc").click();
  await item(page, name).click();
};

test("crash and restart", async ({ page, open }) => {
  await open("?speed=1:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await choose(page, 5, "Crash");
  await until(page, (run) => !run.nodes[4].up, "node 5 is down");
  await expect(replica(page, 5)).toHaveAccessibleName(/down/);
  await expect(page.locator(".sentence")).toContainText("Node 5 is down");
  await choose(page, 5, "Restart");
  await until(page, (run) => run.nodes[4].up, "node 5 is up");
});

test("cut and heal", async ({ page, open }) => {
  await open("?speed=1:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await replica(page, 3).locator(".disc").click();
  await page.getByRole("group", { name: "Cut the link to" }).getByRole("menuitem", { name: "4" }).click();
  await expect(page.locator(".cut .badge")).toHaveCount(1);
  await expect(replica(page, 3)).toHaveAccessibleName(/cannot reach node 4/);
  await replica(page, 3).locator(".disc").click();
  await page.getByRole("group", { name: "Heal the link to" }).getByRole("menuitem", { name: "4" }).click();
  await expect(page.locator(".cut")).toHaveCount(0);

  await page.locator('[data-target^="lane"]').first().click();
  await item(page, "Cut every link").click();
  await expect(page.locator(".cut").first()).toBeVisible();
  await screen(page, "cut-links");
  await page.locator('[data-target^="lane"]').first().click();
  await item(page, "Heal every link").click();
  await expect(page.locator(".cut")).toHaveCount(0);
});

test("add and remove a replica", async ({ page, open }) => {
  await open("?speed=1:1");
  await until(page, (run) => run.leader !== null, "somebody leads");
  await site(page, "Oregon").click();
  await item(page, "Add a replica here").click();
  await until(page, (run) => run.nodes.length === 6 && run.nodes[5].member, "a sixth replica has joined");
  await choose(page, 6, "Remove this replica");
  await until(page, (run) => !run.nodes[5].member, "it has left");
});

test("a replica of a variant with fixed members is added by starting again, and the page says so", async ({ page, open }) => {
  await open("?variant=multi-paxos");
  await site(page, "Oregon").click();
  await item(page, "Add a replica here").click();
  await until(page, (run) => run.nodes.length === 6, "there are six");
  await expect(page.locator(".notice")).toContainText("a new run with 6 replicas");
});

test("what is refused is told in plain words", async ({ page, open }) => {
  await open("?variant=notes&autoplay=false");
  await replica(page, 2).locator(".disc").click();
  await item(page, "Make it the leader").click();
  await expect(page.locator(".notice")).toContainText(/hand over|leader/);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator(".notice")).toHaveText("");
});

test("time plays, stops, goes step by step, back, and from the start", async ({ page, open }) => {
  await open();
  const still = await pause(page);
  await page.waitForTimeout(300);
  expect((await state(page)).fingerprint).toBe(still.fingerprint);
  await page.getByRole("button", { name: "One event on" }).click();
  const next = await state(page);
  expect(next.events).toBe(still.events + 1);
  await expect(page.locator(".last")).not.toBeEmpty();
  await page.getByRole("button", { name: "One event back" }).click();
  // The pause fell between two events; back stands at the very time of the one before.
  const back = await state(page);
  expect(back.events).toBe(still.events);
  await page.keyboard.press("s");
  expect((await state(page)).fingerprint).toBe(next.fingerprint);
  await page.keyboard.press("ArrowLeft");
  expect((await state(page)).fingerprint).toBe(back.fingerprint);
  await page.getByRole("button", { name: "Back to the start" }).click();
  expect(await state(page)).toMatchObject({ time: 0, events: 0 });
  await page.locator(".sentence").click();
  await page.keyboard.press(" ");
  await until(page, (run) => run.playing && run.events > 0, "it plays");
});

test("speed goes from a thousandth to as fast as it goes", async ({ page, open }) => {
  await open("?speed=1:1000");
  const speed = page.getByRole("slider", { name: "Speed" });
  await expect(speed).toHaveAttribute("aria-valuetext", /1000 times slower/);
  const start = await state(page);
  await page.waitForTimeout(500);
  expect((await state(page)).time - start.time).toBeLessThan(20_000);
  await speed.focus();
  await page.keyboard.press("End");
  await expect(speed).toHaveAttribute("aria-valuetext", "as fast as it goes");
  const fast = await state(page);
  await until(page, (run) => run.time - fast.time > 5_000_000, "five seconds more have passed");
});

test("dragging the timeline goes back in time, and acting there begins another run", async ({ page, open }) => {
  await open("?speed=5:1");
  await until(page, (run) => run.time > 8_000_000, "eight seconds have passed");
  await pause(page);
  const end = await state(page);
  const line = page.getByRole("slider", { name: "Moment of the run" });
  const { x, y, width, height } = await line.boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
  const half = await state(page);
  expect(half.time).toBeGreaterThan(end.time * 0.4);
  expect(half.time).toBeLessThan(end.time * 0.6);
  await page.mouse.click(x + width - 4, y + height / 2);
  expect((await state(page)).time).toBeGreaterThan(end.time * 0.97);
});

test("acting in the past begins a branch; one can go over, and is told the first difference @phone", async ({ page, open }, { project }) => {
  await open("?speed=5:1");
  await until(page, (run) => run.time > 6_000_000, "six seconds have passed");
  const end = await pause(page);
  const branches = page.getByRole("group", { name: "Branches of this run" });
  await expect(branches).toHaveCount(0);
  const line = page.getByRole("slider", { name: "Moment of the run" });
  const { x, y, width, height } = await line.boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
  const half = await until(page, (run) => run.time < end.time * 0.7, "it has gone back");
  await replica(page, half.leader).locator(".disc").click();
  await item(page, "Crash").click();
  await expect(branches.getByRole("button")).toHaveCount(2);
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.time > end.time && run.leader !== null, "another leads");
  await pause(page);
  const second = await state(page);
  await expect(branches.getByRole("button", { name: /Branch 2, parted from branch 1 at/ })).toHaveAttribute("aria-pressed", "true");
  await expectAccessible(page);
  await screen(page, `branches-${project.name}`);

  await branches.getByRole("button", { name: /^Branch 1/ }).click();
  const first = await until(page, (run) => run.interventions === 0, "the first branch is back");
  expect(first.nodes.every((node) => node.up)).toBe(true);
  await expect(page.locator(".notice")).toContainText(/Branch 1 differs from branch 2 first at .*\nHere: .*\nThere: /s);
  await screen(page, `branch-difference-${project.name}`);
  await branches.getByRole("button", { name: /^Branch 2/ }).click();
  await until(page, (run) => run.interventions === 1, "the second branch is back");
  await line.focus();
  await page.keyboard.press("End");
  expect((await state(page)).time).toBe(second.time);
  expect((await state(page)).fingerprint).toBe(second.fingerprint);
});

test("keys do what their help says", async ({ page, open }) => {
  await open("?speed=1:1");
  const { leader } = await until(page, (run) => run.leader !== null, "somebody leads");
  await page.keyboard.press("r");
  await until(page, (run) => run.leader !== leader || run.interventions === 2, "the leader was restarted");
  await page.keyboard.press("c");
  await until(page, (run) => run.interventions === 3, "a client asked");
  await page.keyboard.press(" ");
  await until(page, (run) => !run.playing, "it stands still");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Help" });
  await expect(help).toBeVisible();
  await expectAccessible(page);
  await screen(page, "help");
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
});

test("with reduced motion there are pictures instead of movement", async ({ page, open }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open();
  const times = new Set();
  const start = Date.now();
  for (let i = 0; i < 20; i++) {
    times.add((await state(page)).time);
    await page.waitForTimeout(100);
  }
  // However busy the machine: not more than a few pictures a second, where movement would have shown another one at every look.
  expect(times.size).toBeGreaterThan(1);
  expect(times.size).toBeLessThan((Date.now() - start) / 300);
  await screen(page, "reduced-motion");
});
