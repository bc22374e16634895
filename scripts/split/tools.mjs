// The tools that make the page's files of what was linked: how they are called, and what is said when one is missing.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { BROWSERS, FEATURES } from "./features.mjs";

// What says things about the program that no browser needs.
export const STRIPPED = ["strip-debug", "strip-producers", "strip-target-features"];

// Runs binaryen's command.
export function wasmOpt(...args) {
  const path = join("node_modules", ".bin", "wasm-opt");
  if (!existsSync(path)) throw new Error(`${path} is missing; run ./dev setup, which installs it`);
  run(path, [...Object.keys(FEATURES).map((feature) => `--enable-${feature}`), ...args]);
}

// JavaScript or CSS without comments and spaces, and with short local names.
export function small(loader, text) {
  const modules = loader === "js" ? { format: "esm", logOverride: { "duplicate-object-key": "silent" } } : {};
  return transformSync(text, { loader, minify: true, target: BROWSERS, ...modules }).code;
}

// Runs a tool, in this environment.
export function run(command, args, env = process.env) {
  try {
    execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
  } catch (error) {
    throw error.code === "ENOENT" ? new Error(`${command} is missing; run ./dev setup, which installs it`) : error;
  }
}
