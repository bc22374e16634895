// Pans the space-time diagram over a run of some hundred thousand events, and prints the frames a second by the clock: no test, as it depends on the machine.
//
//   node benches/pan.mjs [address of the page] [events]
//
// CHROME_PATH names the browser, where Playwright has none of its own.
import { chromium } from "@playwright/test";
import { BROWSER_FLAGS } from "../tests/browser/browser-flags.mjs";

const [address = "http://127.0.0.1:8080/", events = "100000"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH || undefined, args: BROWSER_FLAGS });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(`${address}?preset=three-regions&autoplay=false`);
await page.waitForFunction(() => window.quorumscope);
// As fast as it can.
const speed = page.getByRole("slider", { name: "Speed" });
await speed.focus();
await page.keyboard.press("End");
await page.getByRole("button", { name: "Play" }).click();
await page.waitForFunction((events) => window.quorumscope.state().events >= events, Number(events), { timeout: 600_000, polling: 200 });
await page.getByRole("button", { name: "Pause" }).click();
await page.keyboard.press("d");
const canvas = page.locator(".diagram canvas");
await canvas.waitFor();

// Frames while the wheel moves it to and fro, one turn a frame.
const pan = () =>
  canvas.evaluate(async (canvas) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const times = [];
    let last = await frame();
    for (let i = 0; i < 180; i++) {
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaX: i % 60 < 30 ? 12 : -12, clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true }));
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    times.sort((a, b) => a - b);
    const total = times.reduce((sum, time) => sum + time, 0);
    return { fps: (1000 * times.length) / total, median: times[times.length / 2], p95: times[Math.floor(times.length * 0.95)], longest: times.at(-1) };
  });

// Whether what is painted is ready: the record has come as far as the run.
await page.waitForFunction(() => !document.querySelector(".diagram .pointed").textContent.startsWith("Recording"), null, { timeout: 600_000 });
const show = (what, { fps, median, p95, longest }) =>
  console.log(`${what}: ${fps.toFixed(1)} frames a second; a frame takes ${median.toFixed(1)} ms, 95 of 100 at most ${p95.toFixed(1)} ms, the longest ${longest.toFixed(1)} ms`);
const sight = async () => (await page.locator(".diagram .totals > p").textContent()).split(" · ").slice(0, 2).join(", ");
for (const [name, presses] of [["near", 0], ["farther", 8], ["all of it", 40]]) {
  for (let i = 0; i < presses; i++) await page.keyboard.press("s");
  await page.waitForTimeout(1_500);
  show(`${name} (${await sight()})`, await pan());
}
await browser.close();
