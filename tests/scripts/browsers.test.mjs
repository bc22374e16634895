// README's list of browsers is what the features of WebAssembly that the page may use ask for. That it uses no others, wasm-opt sees to in each build.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BROWSERS, FEATURES } from "../../scripts/split/features.mjs";

const browsers = readFileSync("README.md", "utf8").split("\n").find((line) => line.startsWith("| Browsers |"));

test("README names each browser from the version on that has all features", () => {
  const [chrome, firefox, safari] = BROWSERS.map((browser) => browser.replace(/\D+/, ""));
  assert.match(browsers, new RegExp(`Chrome or Edge from ${chrome}, Firefox from ${firefox}, Safari from ${safari}:`));
});

test("README names every feature, and no other", () => {
  const words = Object.values(FEATURES).map((feature) => feature.words);
  assert.ok(browsers.includes(`WebAssembly with ${words.slice(0, -1).join(", ")} and ${words.at(-1)} |`), browsers);
});
