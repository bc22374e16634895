// Lighthouse's desktop scores: 100 wherever the page alone decides. What it measures in milliseconds depends on the machine as well, so
// performance has a floor here that tells a broken page from a slow machine; the score itself is printed, and is 100 on a quiet one.
import { mkdirSync, writeFileSync } from "node:fs";
import * as chromeLauncher from "chrome-launcher";
import lighthouse from "lighthouse";
import desktop from "lighthouse/core/config/desktop-config.js";
import { test, expect } from "@playwright/test";
import { BROWSER_FLAGS } from "./browser-flags.mjs";

// The performance score depends on what else the machine does just then: the best of a few runs counts. The other
// scores do not vary.
const TRIES = 3;
const SLOWEST = 90;

test("Lighthouse gives 100 for accessibility, practices and search, and nothing to wait for", { tag: "@timed" }, async ({ baseURL }) => {
  test.setTimeout(180_000);
  let best;
  for (let tries = 0; tries < TRIES && !allFull(best); tries++) {
    const result = await audit(baseURL);
    if (!best || scores(result).performance >= scores(best).performance) best = result;
  }
  mkdirSync("test-results", { recursive: true });
  writeFileSync("test-results/lighthouse.json", JSON.stringify(best, null, 1));
  console.log(`Lighthouse, desktop: ${JSON.stringify(scores(best))}`);
  const { performance, ...others } = scores(best);
  expect(others, shortcomings(best)).toEqual({ accessibility: 100, "best-practices": 100, seo: 100 });
  expect(performance, shortcomings(best)).toBeGreaterThanOrEqual(SLOWEST);
  // What is moved after it was drawn is counted, not timed.
  expect(best.audits["cumulative-layout-shift"].numericValue).toBeLessThan(0.01);
});

async function audit(url) {
  const chrome = await chromeLauncher.launch({ chromePath: process.env.CHROME_PATH, chromeFlags: ["--headless=new", ...BROWSER_FLAGS] });
  try {
    const { lhr } = await lighthouse(url, { port: chrome.port, output: "json", logLevel: "error" }, desktop);
    if (lhr.runtimeError) throw new Error(`Lighthouse: ${lhr.runtimeError.message}`);
    return lhr;
  } finally {
    await chrome.kill();
  }
}

function scores(result) {
  return Object.fromEntries(Object.entries(result.categories).map(([name, { score }]) => [name, Math.round(score * 100)]));
}

function allFull(result) {
  return result !== undefined && Object.values(scores(result)).every((score) => score === 100);
}

// What cost points, in words.
function shortcomings({ categories, audits }) {
  const lost = Object.values(categories).flatMap(({ id, auditRefs }) =>
    auditRefs
      .filter((ref) => ref.weight > 0 && audits[ref.id].score !== null && audits[ref.id].score < 1)
      .map((ref) => `${id}: ${audits[ref.id].title} ${audits[ref.id].displayValue ?? ""}`),
  );
  return ["what cost points:", ...lost].join("\n  ");
}
