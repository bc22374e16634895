// The page in other people's pages, each on an origin of its own: what a script can have it do, what it tells, and what a hostile page gets.
import { createServer } from "node:http";
import { test as base, expect } from "./fixtures.mjs";

// What is in the place of the laboratory: another page, and one that is late and says so, as www/stopped.js does.
const PAGES = {
  "/nowhere/": "<p>not the lab",
  "/late/": `<script>
    const say = (message) => parent.postMessage({ quorumscope: 1, ...message }, "*");
    addEventListener("message", ({ data }) => say({ type: "done", id: data.id, value: { state: { time: 7 } } }));
    say({ type: "error", code: "start", message: "it has not come within 7 seconds" });
    if (location.search.includes("comes")) setTimeout(() => say({ type: "ready" }), 300);
  </script>`,
};

// `host(body)` opens a page of another origin with this body and returns its address; `embed.js` is the one of the site under test.
const test = base.extend({
  host: async ({ page, baseURL, complaints }, use) => {
    const servers = [];
    await use(async (body, { scripted = true } = {}) => {
      const script = scripted ? `<script src="${baseURL}embed.js"></script>` : "";
      const heard = `<script>window.heard = []; addEventListener("message", ({ data }) => heard.push(data));</script>`;
      const html = `<!DOCTYPE html><html lang="en"><title>A course</title><link rel="icon" href="data:,"><h1>A course</h1>${heard}${script}${body}`;
      const server = createServer((request, response) => response.setHeader("Content-Type", "text/html").end(PAGES[new URL(request.url, baseURL).pathname] ?? html));
      await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
      servers.push(server);
      const address = `http://127.0.0.1:${server.address().port}/`;
      await page.goto(address);
      return address;
    });
    servers.forEach((server) => server.close());
    // Only the site and the course are asked for anything.
    const foreign = complaints.filter((line) => line.startsWith("request to another origin") && !line.includes("http://127.0.0.1:"));
    // A frame that is taken away cannot fetch any more what it had begun to fetch.
    const others = complaints.filter((line) => !/^request to another origin|TypeError: Failed to fetch/.test(line));
    complaints.length = 0;
    expect([...foreign, ...others]).toEqual([]);
  },
});

// Messages of the frame that the page around it has got, of one type.
const heard = (page, type) => page.evaluate((type) => heard.filter((message) => message?.quorumscope === 1 && message.type === type), type);

test("three frames are driven by one script, each by itself", async ({ page, host }) => {
  await host(`
    <div id="a" style="height:440px"></div><quorum-scope id="b" preset="one-winner" autoplay="false" style="height:440px"></quorum-scope><div id="c" style="height:440px"></div>
    <script>
      window.scopes = [
        Quorumscope.embed(document.getElementById("a"), { preset: "three-regions", autoplay: false }),
        document.getElementById("b").scope,
        Quorumscope.embed(document.getElementById("c"), { variant: "multi-paxos", moment: "2s" }),
      ];
    </script>`);
  const states = await page.evaluate(() => Promise.all(scopes.map((scope) => scope.ready)));
  expect(states.map((state) => [state.variant, state.playing])).toEqual([["raft", false], ["notes", false], ["multi-paxos", false]]);
  expect(states[2].time).toBe(2_000_000);
  // To a moment, a step on and back, the same event again.
  const [there, on, back] = await page.evaluate(async () => [await scopes[0].seek("1.5s"), await scopes[0].step(), await scopes[0].back()]);
  expect(there.time).toBe(1_500_000);
  expect(on.events).toBe(there.events + 1);
  expect(back.events).toBe(there.events);
  // Only the one that is told to plays.
  await page.evaluate(() => scopes[0].speed("1:1"));
  expect((await page.evaluate(() => scopes[0].play())).playing).toBe(true);
  await expect.poll(() => page.evaluate(async () => (await scopes[0].state()).time)).toBeGreaterThan(2_000_000);
  expect((await page.evaluate(() => scopes[2].state())).time).toBe(2_000_000);
  // A fault, and what comes of it.
  const crashed = await page.evaluate(() => scopes[2].act({ do: "crash", node: "leader" }));
  expect(crashed.nodes.filter((node) => !node.up)).toHaveLength(1);
  expect(crashed.interventions).toBe(1);
  await expect.poll(async () => (await heard(page, "event")).map((message) => message.text)).toEqual(expect.arrayContaining([expect.stringContaining("leads")]));
});

test("another run is loaded, changed by a patch, and kept as a link", async ({ page, host }) => {
  await host(`<div id="a" style="height:440px"></div><script>window.scope = Quorumscope.embed(document.getElementById("a"), { autoplay: false });</script>`);
  const asked = (name, ...more) => page.evaluate(([name, more]) => scope[name](...more).catch((error) => ({ code: error.code, message: error.message })), [name, more]);
  expect(await asked("load", { preset: "cut-in-two", moment: "3s" })).toMatchObject({ time: 3_000_000, playing: false });
  const { scenario, link, fingerprint } = await asked("state");
  expect(scenario.replicas.length).toBeGreaterThan(2);
  const patched = await asked("patch", [{ op: "add", path: "/seed", value: 77 }]);
  expect(patched).toMatchObject({ time: 7_000_000, interventions: 0 });
  expect((await asked("state")).scenario.seed).toBe(77);
  // The link leads back to the very moment.
  expect(await asked("load", { link })).toMatchObject({ time: 3_000_000, fingerprint });
  // What makes no sense is told, and the run stays.
  for (const [name, what, code, says] of [
    ["load", { preset: "cut-in-tow" }, "bad_argument", "cut-in-two"],
    ["load", {}, "bad_argument", "one of preset, scenario and link"],
    ["load", { scenario: { replicas: 3 } }, "refused", "replicas"],
    ["load", { link: "s=1.%%%" }, "refused", "link"],
    ["patch", [{ op: "replace", path: "/nothing/here", value: 1 }], "refused", "nothing"],
    ["patch", "no patch", "bad_argument", "RFC 6902"],
    ["act", { do: "crash", node: 40 }, "refused", "40"],
    ["seek", "yesterday", "bad_argument", "2.5s"],
    ["speed", "fast", "bad_argument", "1:20"],
  ]) {
    const answer = await asked(name, what);
    expect(answer, `${name} ${JSON.stringify(what)}`).toMatchObject({ code });
    expect(answer.message).toContain(says);
  }
  expect((await asked("state")).fingerprint).toBe(fingerprint);
});

test("a page that says nothing is told that the frame is there, its height, and nothing more", async ({ page, host, baseURL }) => {
  await host(`<iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?embed&speed=1:1" width="800" height="500"></iframe>`, { scripted: false });
  await expect.poll(() => heard(page, "ready")).toHaveLength(1);
  await page.waitForTimeout(1_500);
  const kinds = await page.evaluate(() => heard.map((message) => message.subject ?? message.action ?? message.type));
  expect(kinds.sort()).toEqual(["SPLICE.getState", "hello", "lti.frameResize", "ready"]);
});

test("what cannot be loaded within the time is replaced by a picture with a link, and told", async ({ page, host }) => {
  const address = await host(`<div id="a" style="height:440px"></div><script>window.failed = Quorumscope.embed(document.getElementById("a"), { src: "/nowhere/", timeout: 500 }).ready.catch(({ code }) => code);</script>`);
  expect(await page.evaluate(() => failed)).toBe("timeout");
  await expect(page.locator("#a a")).toHaveAttribute("href", `${address}nowhere/`);
  await expect(page.locator("#a img")).toHaveAttribute("alt", /nearest majority/);
});

test("what is late has until the time is over, and then its own reason is told", async ({ page, host }) => {
  await host(`<div id="a"></div><div id="b"></div><script>
    // A name that embed.js leaves to the course.
    const embed = (id, more) => Quorumscope.embed(document.getElementById(id), { src: "/late/", ...more }).ready.then(({ time }) => time, ({ code }) => code);
    window.late = Promise.all([embed("a", { comes: "", timeout: 20_000 }), embed("b", { timeout: 500 })]);
  </script>`);
  expect(await page.evaluate(() => late)).toEqual([7, "start"]);
});

test("embed.js as a module finds the laboratory beside itself", async ({ page, host, baseURL }) => {
  await host(`<div id="a"></div><script type="module" src="${baseURL}embed.js"></script><script type="module">window.frame = Quorumscope.embed(document.getElementById("a")).frame.src;</script>`, { scripted: false });
  await expect.poll(() => page.evaluate(() => window.frame)).toBe(`${baseURL}?embed=`);
});

test("a lesson's score and state are kept by courseware that speaks SPLICE, over a reload", async ({ page, host, baseURL }) => {
  // The least that such a host is: it keeps what it is told, by content id, and gives it back.
  const splice = `<script>
    window.reports = [];
    addEventListener("message", ({ data, source }) => {
      if (data?.subject === "SPLICE.getState") {
        const state = JSON.parse(sessionStorage.getItem(data.content_id) ?? "null");
        source.postMessage({ subject: "SPLICE.getState.response", message_id: data.message_id, state }, "*");
      }
      if (data?.subject === "SPLICE.reportScoreAndState") {
        reports.push(data);
        sessionStorage.setItem(data.content_id, JSON.stringify(data.state));
      }
    });
  </script>`;
  await host(`${splice}<iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?embed&lesson=amnesia" width="1000" height="800"></iframe>`, { scripted: false });
  const frame = page.frameLocator("iframe");
  await frame.getByRole("radio", { name: "There are two" }).check();
  await frame.getByRole("button", { name: "Lock it, and run" }).click();
  await frame.getByRole("button", { name: "Skip to where it stops" }).click();
  await expect.poll(() => page.evaluate(() => reports.length)).toBeGreaterThan(0);
  const report = await page.evaluate(() => reports.at(-1));
  expect(report.content_id).toBe("quorumscope-lesson-amnesia");
  // Half of it is the prediction, half the task.
  expect(report.score).toBe(0.5);
  expect(Object.keys(report.state.lessons)).toEqual(["amnesia"]);
  const events = await page.evaluate(() => heard.filter(({ subject }) => subject === "SPLICE.sendEvent").map(({ name }) => name));
  expect(events).toEqual(["predict", "answer"]);
  await page.reload();
  await frame.getByRole("button", { name: "All lessons" }).click();
  await expect(frame.locator(".course li").filter({ hasText: /predicted/ })).toHaveCount(1);
});

test("the H5P resizer's handshake gives the frame the height that it wants", async ({ page, host, baseURL }) => {
  // What H5P's own resizer does with these messages.
  const resizer = `<script>
    addEventListener("message", ({ data, source, origin }) => {
      if (data?.context !== "h5p") return;
      const frame = document.querySelector("iframe");
      if (data.action === "hello") source.postMessage({ context: "h5p", action: "hello" }, origin);
      if (data.action === "prepareResize" && frame.clientHeight !== data.scrollHeight) {
        frame.style.height = data.clientHeight + "px";
        source.postMessage({ context: "h5p", action: "resizePrepared" }, origin);
      }
      if (data.action === "resize") frame.style.height = data.scrollHeight + "px";
    });
  </script>`;
  await host(`${resizer}<iframe title="Quorumscope" sandbox="allow-scripts allow-same-origin" src="${baseURL}?embed" width="900" style="height:150px"></iframe>`, { scripted: false });
  await expect.poll(() => page.evaluate(() => document.querySelector("iframe").clientHeight)).toBe(558);
  // Where it is, it stays; a frame that gets narrower gets lower.
  await page.waitForTimeout(1_000);
  expect(await page.evaluate(() => document.querySelector("iframe").clientHeight)).toBe(558);
  await page.evaluate(() => (document.querySelector("iframe").width = 700));
  await expect.poll(() => page.evaluate(() => document.querySelector("iframe").clientHeight)).toBe(434);
});

test("a hostile page gains nothing and breaks nothing", async ({ page, host, baseURL }) => {
  await host(`<div id="a" style="height:440px"></div><script>window.scope = Quorumscope.embed(document.getElementById("a"), { autoplay: false, host: location.origin });</script>`);
  const { fingerprint } = await page.evaluate(() => scope.ready);
  // A flood is answered once, and what comes afterwards is obeyed again.
  await page.evaluate(() => {
    for (let i = 0; i < 5_000; i += 1) scope.frame.contentWindow.postMessage({ quorumscope: 1, command: "state", id: `flood ${i}` }, "*");
  });
  await expect.poll(() => heard(page, "error")).toContainEqual(expect.objectContaining({ code: "flood" }));
  await page.waitForTimeout(1_200);
  // Huge and odd payloads.
  const odd = await page.evaluate(async () => {
    const send = (message) => scope.frame.contentWindow.postMessage(message, "*");
    send({ quorumscope: 1, command: "load", id: "huge", scenario: "x".repeat(30 << 20) });
    send({ quorumscope: 1, command: "x".repeat(10 << 20), id: "name" });
    send({ quorumscope: 1, command: { toString: 1 }, id: ["list"] });
    send({ quorumscope: 1, command: "load", id: "deep", scenario: "[".repeat(100_000) });
    for (const what of [null, 7, "text", [], new Map(), new ArrayBuffer(1 << 20), { subject: "SPLICE.getState.response", state: { lessons: "x".repeat(1 << 20) } }, { context: "h5p", action: { a: 1 } }, { subject: "lti.frameResize.response", error: { code: "unsupported_subject" } }]) send(what);
    return scope.state();
  });
  expect(odd.fingerprint).toBe(fingerprint);
  const errors = (await heard(page, "error")).filter(({ code }) => code !== "flood");
  expect(errors.map(({ id, code }) => [id, code])).toEqual([["huge", "bad_argument"], ["name", "bad_command"], [null, "bad_command"], ["deep", "refused"]]);
  // Another origin than the one that the address names is not obeyed; neither is a frame beside it.
  await page.evaluate((url) => {
    window.deaf = Quorumscope.embed(document.getElementById("a"), { host: "http://other.example", timeout: 2_500, src: url }).ready.catch(({ code }) => code);
  }, baseURL);
  expect(await page.evaluate(() => deaf)).toBe("timeout");
});

test("a reader can change what the address leaves to them, and nothing else", async ({ page, host, baseURL }) => {
  await host(`<iframe title="Quorumscope" sandbox="allow-scripts" src="${baseURL}?embed&autoplay=false&faults=crash,heal" width="1000" height="640"></iframe>`, { scripted: false });
  const frame = page.frameLocator("iframe");
  await expect.poll(() => heard(page, "ready")).toHaveLength(1);
  await frame.locator("[data-target^=lane]").first().click();
  await frame.getByRole("menuitem", { name: "Cut every link" }).click();
  await expect(frame.locator(".notice")).toContainText("does not let you cut here; what it lets you do to the run: crash, heal");
  await frame.locator("[data-target=node-2]").click();
  await frame.getByRole("menuitem", { name: "Crash", exact: true }).click();
  await expect(frame.locator("[data-target=node-2]")).toHaveAttribute("aria-label", /down|crashed/i);
});

test("to mend all is to restart as well: where only healing is allowed, it is refused", async ({ page, open }) => {
  await open("?autoplay=false&faults=crash,heal");
  await page.locator("[data-target=node-2]").click();
  await page.getByRole("menuitem", { name: "Crash", exact: true }).click();
  await page.getByRole("button", { name: "Mend all" }).click();
  await expect(page.locator(".notice")).toContainText("does not let you restart here; what it lets you do to the run: crash, heal");
});

test("a frame shows its legend, and leads to the laboratory unless it shall not", async ({ page, host, baseURL }) => {
  await host(`<iframe title="Quorumscope" src="${baseURL}?embed&autoplay=false" width="900" height="600"></iframe><iframe title="Locked" src="${baseURL}?embed&lock&links=off" width="900" height="600"></iframe>`, { scripted: false });
  const [first, second] = [page.frameLocator("iframe").first(), page.frameLocator("iframe").last()];
  await expect(first.locator(".legend")).toBeVisible();
  const out = first.getByRole("link", { name: "Open in the lab" });
  await expect(out).toBeVisible();
  const [opened] = await Promise.all([page.context().waitForEvent("page"), out.click()]);
  await expect(opened.getByRole("combobox", { name: "Protocol" })).toBeVisible();
  await opened.close();
  await expect(second.getByRole("button", { name: "Crash leader" })).toBeHidden();
  await expect(second.getByRole("link", { name: "Open in the lab" })).toHaveCount(0);
});
