// The page in one file, where it is meant for: from a disk, and in a frame without an origin. ./dev single --test
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "@playwright/test";
import { BROWSER_FLAGS } from "./browser-flags.mjs";

const FILE = resolve(process.env.QUORUMSCOPE_SINGLE ?? "dist-single/quorumscope.html");
const PATIENCE = 60_000;

let browser, page, asked, complaints;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROME_PATH || undefined, args: BROWSER_FLAGS });
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("request", (request) => /^(blob|data|about):/.test(request.url()) || asked.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
});
after(() => browser?.close());

const fresh = () => ([asked, complaints] = [[], []]);
const running = (frame) => frame.waitForFunction(() => window.quorumscope?.state().events > 100, null, { timeout: PATIENCE });

test("from a disk: it runs, with every protocol, measures and searches in workers, and asks for nothing else", async () => {
  fresh();
  await page.goto(`${pathToFileURL(FILE)}?speed=10:1`);
  await running(page);
  await page.getByRole("combobox", { name: "Protocol" }).selectOption("epaxos");
  await page.waitForFunction(() => window.quorumscope.state().variant === "epaxos" && window.quorumscope.state().events > 100, null, { timeout: PATIENCE });
  await page.getByRole("tab", { name: "Break it" }).click();
  await page.getByRole("button", { name: "Try 2,000" }).click();
  await page.locator(".break [role=status]", { hasText: /2,000 random runs|is violated/ }).first().waitFor({ timeout: PATIENCE });
  mkdirSync("test-results/screens", { recursive: true });
  await page.screenshot({ path: "test-results/screens/single.png" });
  assert.deepEqual(asked, [String(pathToFileURL(FILE)) + "?speed=10:1"]);
  assert.deepEqual(complaints, []);
});

test("in a frame without an origin: it runs, and says that it is ready", async () => {
  fresh();
  await page.goto("about:blank");
  const text = readFileSync(FILE, "utf8");
  const ready = await page.evaluate(
    (text) =>
      new Promise((told) => {
        addEventListener("message", ({ data }) => data?.quorumscope === 1 && told(data.type));
        document.body.append(Object.assign(document.createElement("iframe"), { sandbox: "allow-scripts", srcdoc: text, width: 900, height: 600 }));
      }),
    text,
  );
  assert.equal(ready, "ready");
  assert.deepEqual(complaints, []);
});
