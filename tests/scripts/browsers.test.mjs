// README's list of browsers is what the features of WebAssembly that the page may use ask for. That it uses no others, wasm-opt sees to in each build.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FEATURES } from "../../scripts/split/features.mjs";

const browsers = readFileSync("README.md", "utf8").split("\n").find((line) => line.startsWith("| Browsers |"));

test("README names each browser from the version on that has all features", () => {
  const from = (browser) => Math.max(...Object.values(FEATURES).map((feature) => feature[browser]));
  assert.match(browsers, new RegExp(`Chrome or Edge from ${from("Chrome")}, Firefox from ${from("Firefox")}, Safari from ${from("Safari")}:`));
});

test("README names every feature, and no other", () => {
  const words = Object.values(FEATURES).map((feature) => feature.words);
  assert.ok(browsers.includes(`WebAssembly with ${words.slice(0, -1).join(", ")} and ${words.at(-1)} |`), browsers);
});
