// A monkey at the page: clicks, keys, drags, the wheel, edited links, other sizes, on whatever is visible, as chance will have it. After each
// step the page must be alive: no notice that it has stopped, no complaint, an answer in time, nothing wider than the window, bounded memory.
//
//   QUORUMSCOPE_MONKEY_SEED=7 QUORUMSCOPE_MONKEY_STEPS=500 ./dev browser monkey
//
// The seed decides what is done and to which of the controls; how far the run has come by then, the machine decides. So a seed that failed may
// have to be tried more than once.
import { test, expect } from "./fixtures.mjs";

const SEED = Number(process.env.QUORUMSCOPE_MONKEY_SEED ?? 199979);
const STEPS = Number(process.env.QUORUMSCOPE_MONKEY_STEPS ?? 0); // 0: for as long as there is time
const LASTS = 45_000; // ms, unless steps are given
const ANSWERS_WITHIN = 5_000; // ms, on a busy machine
const MEMORY = 600 << 20; // bytes of the program, of which a run and its copies have 256 MB at most
const HEAP = 300 << 20; // bytes of JavaScript

const SIZES = [[1280, 800], [1440, 900], [1920, 1080], [1024, 700], [800, 600], [390, 844], [360, 640], [320, 568], [844, 390]];
const KEYS = [" ", " ", "s", "s", ".", ",", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "+", "-", "c", "r", "?", "Escape", "Escape", "Tab", "Tab", "Shift+Tab", "Enter", "F10"];
const TEXTS = ["", "0", "1", "-1", "7%", "100%", "10ms", "3600s", "1e9", "9999999999999999999", "nonsense", "ü∞\u202e", "x".repeat(300)];

// Chance (mulberry32): whole numbers below `most`.
function chance(seed) {
  let state = seed >>> 0;
  return (most) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * most);
  };
}

// Whatever can be used and lies within the window: its middle, what kind of thing it is, its name.
const controls = (page) =>
  page.evaluate(() => {
    const shown = [...document.querySelectorAll("button, select, input, textarea, summary, [role=tab], [role=menuitem], [data-target], .crown, .fault, .bar, details")];
    return shown.flatMap((element) => {
      const box = element.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      if (box.width < 2 || box.height < 2 || x < 0 || y < 0 || x > innerWidth || y > innerHeight || element.disabled) return [];
      const kind = element instanceof HTMLInputElement ? element.type : element.localName;
      const name = element.getAttribute("aria-label") ?? element.dataset.target ?? element.textContent.slice(0, 30);
      return [{ x, y, kind, name, left: box.left, width: box.width }];
    });
  });

// What is done: each says what it does and does it.
const ACTS = {
  async click({ page, below, log }) {
    const all = await controls(page);
    if (all.length === 0) return;
    const one = all[below(all.length)];
    log(`click ${one.kind} "${one.name}"`);
    if (one.kind === "range") return page.mouse.click(one.left + (one.width * (1 + below(99))) / 100, one.y);
    await page.mouse.click(one.x, one.y, below(9) === 0 ? { clickCount: 2 } : {});
    if (one.kind === "text") {
      const text = TEXTS[below(TEXTS.length)];
      log(`  type "${text.slice(0, 20)}"`);
      await page.keyboard.press("Control+A");
      await page.keyboard.insertText(text);
    }
    if (one.kind === "select") {
      // The list of a select box is drawn by the browser; keys choose from it.
      const steps = 1 + below(12);
      await page.keyboard.press("Escape");
      await page.evaluate((steps) => {
        const select = document.activeElement;
        if (!(select instanceof HTMLSelectElement)) return;
        select.selectedIndex = steps % select.options.length;
        select.dispatchEvent(new Event("change", { bubbles: true }));
      }, steps);
      log(`  choose ${steps}`);
    }
  },
  async key({ page, below, log }) {
    const key = KEYS[below(KEYS.length)];
    log(`key ${key}`);
    await page.keyboard.press(key);
  },
  async drag({ page, below, log }) {
    const all = (await controls(page)).filter(({ kind }) => !["button", "select", "summary"].includes(kind));
    const from = all.length > 0 ? all[below(all.length)] : { x: 9, y: 9, name: "nothing" };
    const { width, height } = page.viewportSize();
    const [x, y] = below(2) === 0 && all.length > 0 ? ((to) => [to.x, to.y])(all[below(all.length)]) : [below(width), below(height)];
    log(`drag "${from.name}" to ${Math.round(x)}, ${Math.round(y)}`);
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move((from.x + x) / 2, (from.y + y) / 2, { steps: 3 });
    await page.mouse.move(x, y, { steps: 3 });
    if (below(5) === 0) await page.keyboard.press("Escape");
    await page.mouse.up();
  },
  async wheel({ page, below, log }) {
    const { width, height } = page.viewportSize();
    await page.mouse.move(below(width), below(height));
    const by = (below(3) - 1) * 400;
    log(`wheel ${by}`);
    await page.mouse.wheel(below(3) === 0 ? by : 0, by);
  },
  async link({ page, below, log, links }) {
    const here = await page.evaluate(() => location.hash);
    if (here && links.length < 20) links.push(here);
    const link = links.length > 0 ? links[below(links.length)] : "#s=1.";
    const at = below(link.length);
    const edited = [link, link, link.slice(0, at), link + link, link.slice(0, at) + "A" + link.slice(at + 1), link.slice(0, at) + link.slice(at + 3), "", "#x"][below(8)];
    log(`link ${edited.length} characters${edited === link ? ", one seen before" : ", damaged"}`);
    await page.evaluate((edited) => (location.hash = edited), edited);
  },
  async resize({ page, below, log }) {
    const [width, height] = SIZES[below(SIZES.length)];
    log(`size ${width} x ${height}`);
    await page.setViewportSize({ width, height });
  },
  async wait({ page, below, log }) {
    const ms = below(400);
    log(`wait ${ms} ms`);
    await page.waitForTimeout(ms);
  },
};
// How often each is done.
const OFTEN = { click: 12, key: 5, drag: 4, wheel: 1, link: 1, resize: 1, wait: 3 };
const BAG = Object.entries(OFTEN).flatMap(([name, times]) => Array(times).fill(name));

// What must hold after every step; the first that does not, in words.
async function wrong(page, complaints) {
  if (complaints.length > 0) return complaints.join("; ");
  const answer = page.evaluate(async () => {
    await new Promise((next) => requestAnimationFrame(next));
    const stopped = document.querySelector(".stopped")?.textContent;
    const root = document.documentElement;
    const beyond = () => root.scrollWidth - root.clientWidth;
    // After a change of size the page is laid out anew, and what moves takes a moment.
    for (let tries = 0; beyond() > 1 && tries < 20; tries += 1) await new Promise((next) => setTimeout(next, 100));
    const over = beyond();
    const outside = (one) => !one.ownerSVGElement && one.getBoundingClientRect().right > root.clientWidth + 1;
    const wide = over > 1 ? [...document.querySelectorAll("body *")].filter(outside).slice(0, 5).map((one) => `${one.localName}.${one.getAttribute("class")}`) : [];
    return { stopped, over, wide, run: window.quorumscope.state(), heap: performance.memory?.usedJSHeapSize ?? 0 };
  });
  const late = new Promise((told) => setTimeout(() => told("late"), ANSWERS_WITHIN));
  const told = await Promise.race([answer, late]);
  if (told === "late") return `no answer within ${ANSWERS_WITHIN} ms`;
  if (told.stopped) return `stopped: ${told.stopped}`;
  if (told.over > 1) return `${told.over} pixels wider than the window: ${told.wide.join(", ")}`;
  if (told.run.memory > MEMORY) return `the program takes ${told.run.memory} bytes`;
  if (told.heap > HEAP) return `JavaScript takes ${told.heap} bytes`;
  return undefined;
}

test.describe.configure({ retries: 0 });

test("whatever a monkey does, the page stays alive", { tag: "@timed" }, async ({ page, open, complaints }) => {
  test.setTimeout(STEPS > 0 ? 60_000 + STEPS * 3_000 : 120_000);
  const below = chance(SEED);
  const steps = [];
  const told = { page, below, links: [], log: (line) => steps.push(line) };
  await open("?speed=1:1");
  await page.waitForFunction(() => window.quorumscope);
  const until = Date.now() + LASTS;
  let count = 0;
  let problem;
  while (!problem && (STEPS > 0 ? count < STEPS : Date.now() < until)) {
    const act = BAG[below(BAG.length)];
    count += 1;
    // Something may vanish while it is being used.
    await ACTS[act](told).catch((error) => steps.push(`  (${String(error).split("\n")[0]})`));
    problem = await wrong(page, complaints).catch((error) => String(error));
  }
  console.log(`monkey: seed ${SEED}, ${count} steps`);
  if (problem) {
    const again = `QUORUMSCOPE_MONKEY_SEED=${SEED} QUORUMSCOPE_MONKEY_STEPS=${count} ./dev browser monkey`;
    complaints.length = 0;
    expect(problem, `step ${count} of seed ${SEED}; again: ${again}\nThe last steps:\n${steps.slice(-25).join("\n")}`).toBeUndefined();
  }
});
