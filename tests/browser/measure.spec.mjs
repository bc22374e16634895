// The numbers beside the stage, and the sheet on which a scenario is put together.
import { readFileSync, writeFileSync } from "node:fs";
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

test("latencies of every region are shown as they come", async ({ page, open }) => {
  await open("?speed=1:1");
  const rows = page.locator(".latency tbody tr");
  await expect(rows).toHaveCount(3);
  await expect(rows.first().locator("td").nth(1)).toHaveText(/\d+ ms/);
  await expect(rows.first().getByRole("img")).toHaveAccessibleName(/answers, between/);
});

test("what a command of this run costs is told from the first picture on", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?autoplay=false");
  await expect(page.locator(".panel.messages").getByRole("img", { name: /^This run, lately: 8 messages for one command/ })).toBeVisible();
});

test("every variant is measured beside its formula", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?speed=1:1");
  const panel = page.locator(".panel.messages");
  const bar = panel.getByRole("img", { name: /^Raft, 5 replicas/ });
  await expect(bar).toHaveAccessibleName(/8 messages for one command: .*the formula .* gives 8/);
  await expect(panel.getByRole("img", { name: /^This run/ })).toBeVisible({ timeout: 20_000 });
  await expect(panel.locator(".note")).not.toContainText("measuring");

  // By pointer and by keyboard: the same.
  const tip = bar.locator(".tip");
  await bar.hover();
  await expect(tip).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(tip).toBeHidden();
  await bar.focus();
  await expect(tip).toContainText(/AppendEntries.*the formula/);
  await screen(page, "messages-per-variant");

  await panel.getByRole("combobox", { name: "Number of replicas" }).selectOption("9");
  await expect(panel.getByRole("img", { name: /^Raft, 9 replicas: 16 messages/ })).toBeVisible();
  await expect(panel.getByRole("img", { name: /^Raft: messages for one command. 3 replicas: 4; 4 replicas: 6; 5 replicas: 8/ })).toBeVisible();

  await panel.getByText("Numbers", { exact: true }).click();
  await expect(panel.getByRole("table")).toContainText("AppendEntries");
  await expectAccessible(page);
  const [download] = await Promise.all([page.waitForEvent("download"), panel.getByRole("button", { name: "Download as CSV" }).click()]);
  expect(download.suggestedFilename()).toBe("messages-per-command.csv");
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  expect(lines[0]).toBe("variant,replicas,kind,messages per command,formula,formula gives,source");
  expect(lines.some((line) => /^Raft,7,all,12,/.test(line))).toBe(true);
});

test("protocols stand by family, fewest messages first; three can be pinned, and that of the run stays in sight", async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open("?autoplay=false");
  const panel = page.locator(".panel.messages");
  const families = async () => {
    const rows = await panel.locator(".bars > :is(h3, .bar)").evaluateAll((all) => all.map((row) => [row.tagName, row.tagName === "H3" ? row.textContent : row.querySelector("strong").textContent]));
    const found = [];
    for (const [tag, text] of rows) tag === "H3" ? found.push([text]) : found.at(-1)?.push(Number(text));
    return found;
  };
  await expect(panel.locator(".note")).not.toContainText("measuring", { timeout: 60_000 });
  const all = await families();
  expect(all.slice(0, 2).map(([title]) => title)).toEqual(["With a leader", "Without a fixed leader"]);
  for (const [title, ...numbers] of all) {
    const told = numbers.filter((number) => !Number.isNaN(number));
    expect(told, title).toEqual(told.toSorted((a, b) => a - b));
    // What could not be measured with so many replicas comes last.
    expect(numbers.slice(0, told.length), title).toEqual(told);
  }
  await page.locator(".lab > aside").evaluate((aside) => aside.scrollTo(0, aside.scrollHeight));
  await page.locator(".bars h3").last().scrollIntoViewIfNeeded();
  await expect(panel.locator(".bar.own .label")).toHaveText("Raft");
  await expect(panel.locator(".bar.own")).toBeInViewport();

  const keep = (title) => panel.getByRole("button", { name: `Keep ${title} on top`, exact: true });
  await expect(panel.getByRole("button", { name: "Pinned", exact: true })).toBeDisabled();
  // By the keyboard: the pin comes after its bar.
  await panel.getByRole("img", { name: /^Mencius, / }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  for (const title of ["EPaxos", "CASPaxos", "Fast Paxos"]) await keep(title).click();
  await expect(panel.locator(".bar.pinned .label")).toHaveText(["EPaxos", "CASPaxos", "Fast Paxos"]);
  await expect(keep("Mencius")).toHaveAttribute("aria-pressed", "false");
  await panel.getByRole("button", { name: "This family" }).click();
  expect((await families()).map(([title]) => title)).toEqual(["With a leader"]);
  await panel.getByRole("button", { name: "Pinned 3" }).click();
  expect(await families()).toEqual([]);
  await expect(panel.locator(".bar")).toHaveCount(4);
  await expectAccessible(page);
  for (const title of ["EPaxos", "CASPaxos", "Fast Paxos"]) await keep(title).click();
  await expect(panel.getByRole("button", { name: /^All / })).toHaveAttribute("aria-pressed", "true");
});

test("a scenario can be put together: regions, replicas, settings, rules", async ({ page, open }) => {
  await open();
  await page.getByRole("button", { name: "Set up" }).click();
  const sheet = page.getByRole("dialog", { name: "Set up" });
  await expect(sheet).toBeVisible();
  await expectAccessible(page);
  await screen(page, "set-up");
  await sheet.getByRole("button", { name: "One replica more in Tokyo" }).click();
  await sheet.getByRole("button", { name: "One replica more in Tokyo" }).click();
  await sheet.getByRole("checkbox", { name: "A client in Tokyo" }).check();
  await sheet.getByRole("button", { name: "One replica less in Oregon" }).click();
  await sheet.getByLabel("Jitter").fill("nonsense");
  await sheet.getByLabel("Jitter").blur();
  await expect(sheet.locator(".problems")).toContainText("Jitter: ");
  await expect(sheet.locator(".field", { hasText: "Jitter" }).locator(".wrong-here")).toContainText("nonsense");
  await expect(sheet.getByRole("button", { name: "Run from the start" })).toBeDisabled();
  await sheet.getByLabel("Jitter").fill("5%");
  await sheet.getByLabel("Jitter").blur();
  const rule = sheet.locator(".rules input").first();
  await rule.uncheck();
  await expect(sheet.locator(".without")).toContainText("Without it");
  await rule.check();
  await sheet.getByRole("button", { name: "Run from the start" }).click();
  await expect(sheet).toBeHidden();
  const run = await until(page, (run) => run.nodes.length === 6, "there are six replicas");
  expect(run.nodes.filter((node) => node.site === "ap-northeast-1")).toHaveLength(2);
  await expect(page.locator(".island", { hasText: "Tokyo" })).toBeVisible();
});

test("every protocol can be chosen", async ({ page, open }) => {
  await open();
  const protocol = page.getByRole("combobox", { name: "Protocol" });
  for (const key of await protocol.locator("option").evaluateAll((options) => options.map((option) => option.value))) {
    await protocol.selectOption(key);
    // A protocol for another number of replicas than the scenario has is refused, and the page says why.
    const refused = page.locator(".notice").filter({ hasText: "replicas" }).waitFor();
    await Promise.any([until(page, (run) => run.variant === key && run.events > 0, `${key} runs`), refused]);
  }
});

// Has the browser record what it does; what that was, is told at the end.
async function traced(page) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["devtools.timeline"] } });
  return async () => {
    const complete = new Promise((told) => session.on("Tracing.tracingComplete", told));
    await session.send("Tracing.end");
    await complete;
    return events;
  };
}

test("thousands of messages: how long the page's own work takes in a frame", { tag: "@timed" }, async ({ page, open }, info) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open();
  const sites = ["us-east-1", "us-west-2", "eu-west-1"];
  const scenario = {
    variant: "multi-paxos",
    matrix: "aws",
    sites,
    replicas: [...sites, ...sites, ...sites],
    clients: sites.map((site) => ({ site, sessions: 180, think: "20ms" })),
    // Without it all would fly in step, one above the other.
    network: { jitter: "30%" },
  };
  const link = await page.evaluate(async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    return "#s=1." + btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }, JSON.stringify(scenario));
  await page.goto("about:blank");
  await open(`?speed=1:50${link}`);
  await page.waitForTimeout(1_500);
  const trace = await traced(page);
  await page.evaluate(() => window.quorumscope.clearFrames());
  await page.waitForTimeout(4_000);
  const frames = await page.evaluate(() => window.quorumscope.frames());
  // On a busy machine a frame also waits for its turn; the processor's own time does not.
  const work = (await trace()).filter(({ name, ph }) => name === "FireAnimationFrame" && ph === "X").map(({ tdur }) => tdur / 1000);
  work.sort((a, b) => a - b);
  const at = (part) => work[Math.min(work.length - 1, Math.floor(work.length * part))].toFixed(1);
  const report = `${frames.in_flight} messages in flight: script a frame p50 ${frames.p50} ms, p95 ${frames.p95} ms, max ${frames.max} ms over ${frames.count} frames; of the processor's time p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`;
  console.log(report);
  writeFileSync("test-results/frames.txt", `frames: ${report}\n`);
  info.annotations.push({ type: "frame time", description: report });
  await screen(page, "thousands");
  expect(frames.count).toBeGreaterThan(5);
  expect((await state(page)).in_flight).toBeGreaterThan(300);
});
