// Tries the page in course pages made by other people's tools, each on an origin of its own, and takes a picture of each into test-results/hosts/.
//
//   node scripts/hosts.mjs [--dir dist] [NAME…]      ./dev hosts
//
// What is tried are the snippets of docs/embedding-hosts.md. Tools come from npm and PyPI into target/hosts/; one that cannot be had is left out with a
// word. CHROME_PATH names the browser.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { BROWSER_FLAGS } from "../tests/browser/browser-flags.mjs";
import { HOSTS } from "./hosts/hosts.mjs";
import { LeftOut, WORK, snippets, until } from "./hosts/tools.mjs";

const PICTURES = "test-results/hosts";
// Of the window, CSS pixels.
const HEIGHT = 900;

const { values: options, positionals } = parseArgs({ options: { dir: { type: "string", default: "dist" } }, allowPositionals: true });
const names = positionals.length ? positionals : Object.keys(HOSTS);
const unknown = names.filter((name) => !HOSTS[name]);
if (unknown.length) stop(`there is no host '${unknown[0]}'; there are ${Object.keys(HOSTS).join(", ")}`);
if (!existsSync(join(options.dir, "embed.js"))) stop(`there is no built page in '${options.dir}': ./dev build makes dist/`);

function stop(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

const [server, laboratory] = await laboratoryAt(options.dir);
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH || undefined, args: BROWSER_FLAGS });
mkdirSync(PICTURES, { recursive: true });
let failed = 0;
try {
  for (const name of names) await tryHost(name);
} finally {
  await browser.close();
  server.kill();
}
process.exit(failed ? 1 : 0);

// Serves the page, as a static host would.
function laboratoryAt(dir) {
  const server = spawn(process.execPath, ["scripts/serve.mjs", "--dir", dir, "--base", "/quorumscope/", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((found, failed) => {
    server.on("exit", () => failed(new Error("the page cannot be served")));
    server.stdout.on("data", (line) => {
      const port = /localhost:(\d+)/.exec(line)?.[1];
      if (port) found([server, `http://127.0.0.1:${port}/quorumscope/`]);
    });
  });
}

async function tryHost(name) {
  const began = Date.now();
  const folder = join(WORK, "pages", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const says = await HOSTS[name]({ folder, snippet: snippets(laboratory), laboratory, look: (site, what) => look(name, site, what) });
    console.log(`${name}: ${says} (${Math.round((Date.now() - began) / 1_000)} s)`);
  } catch (error) {
    if (error instanceof LeftOut) return console.log(`${name}: left out; ${error.message}`);
    failed += 1;
    const ended = server.exitCode === null && server.signalCode === null ? "" : "\n  the server of the page has ended meanwhile";
    console.log(`${name}: FAILED; ${error.message}${ended}`);
  }
}

// Opens a site, waits until its frames are ready, does what there is to do, and takes a picture.
async function look(name, site, { frames, before, then }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: HEIGHT } });
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
    page.on("requestfailed", (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    // Each page keeps the messages of its frames, as its own scripts would hear them.
    await page.addInitScript(() => {
      window.told = [];
      addEventListener("message", ({ data }) => data?.quorumscope === 1 && told.push(data));
    });
    // How long a slow build of the page takes is not what is tried here.
    await page.route("**/embed.js", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace("timeout = 8000", "timeout = 80000") });
    });
    await page.goto(site.address);
    await before?.(page);
    const ready = async () => {
      if (complaints.some((complaint) => complaint.startsWith("uncaught"))) throw new Error("it does not start");
      const counts = await Promise.all(page.frames().map((frame) => frame.evaluate(() => window.told?.filter(({ type }) => type === "ready").length ?? 0).catch(() => 0)));
      return counts.reduce((sum, count) => sum + count, 0) >= frames;
    };
    const shot = async (part = "") => {
      // A frame outside the window is not painted, so the window gets as high as the page; then what was told to the frames is on screen in a moment.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: 1280, height: Math.max(height, HEIGHT) });
      await page.waitForTimeout(1_000);
      await page.screenshot({ path: `${PICTURES}/${name}${part && `-${part}`}.png` });
    };
    try {
      await until("each frame says that it is ready", ready);
      const says = await then(page, shot);
      if (complaints.length) throw new Error(`complaints of the browser:\n  ${complaints.join("\n  ")}`);
      return says;
    } catch (error) {
      throw complaints.length && !error.message.includes("complaints") ? new Error(`${error.message}\n  ${complaints.join("\n  ")}`) : error;
    } finally {
      await shot();
    }
  } finally {
    await context.close();
    await site.end();
  }
}
