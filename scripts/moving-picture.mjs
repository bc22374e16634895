// README's moving picture: the leader crashes and another is elected, as the page in dist/ shows it. The browser's clock is turned frame by
// frame, so that the picture is the same however slow the machine is. Run: node scripts/moving-picture.mjs (needs img2webp, from Debian's package webp).
import { chromium } from "@playwright/test";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BROWSER_FLAGS } from "../tests/browser/browser-flags.mjs";

const PORT = 8796;
const SIZE = { width: 900, height: 560 };
// Time of a frame, ms, and their number.
const FRAME = 90;
const FRAMES = 90;
const TO = "docs/pictures/election.webp";

const server = spawn(process.execPath, ["scripts/serve.mjs", "--dir", "dist", "--base", "/", "--port", String(PORT), "--strict-port"], { stdio: ["ignore", "pipe", "inherit"] });
await new Promise((listens) => server.stdout.once("data", listens));
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH || undefined, args: BROWSER_FLAGS });
const work = mkdtempSync(join(tmpdir(), "quorumscope-moving-"));
try {
  const page = await browser.newPage({ viewport: SIZE });
  await page.clock.install();
  await page.goto(`http://127.0.0.1:${PORT}/?preset=leader-crash&present=true&theme=light&autoplay=false&speed=1:10`);
  await page.waitForFunction(() => window.quorumscope);
  await page.clock.runFor(1_000);
  // To 100 ms before the crash.
  await page.keyboard.press(".");
  await page.clock.runFor(1_000);
  await page.keyboard.press(" ");
  const files = [];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    await page.clock.runFor(FRAME);
    files.push(join(work, `${String(frame).padStart(3, "0")}.png`));
    await page.screenshot({ path: files.at(-1) });
  }
  console.log(await page.evaluate(() => window.quorumscope.state()));
  execFileSync("img2webp", ["-loop", "0", "-lossy", "-q", "70", "-m", "3", "-d", String(FRAME), ...files, "-o", TO]);
} finally {
  await browser.close();
  server.kill();
  rmSync(work, { recursive: true });
}
