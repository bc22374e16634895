// The tools that make the page's files of what was linked: how they are called, and what is said when one is missing.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { BROWSERS, FEATURES } from "./features.mjs";
import { namedInOrder } from "./order.mjs";

// What says things about the program that no browser needs.
export const STRIPPED = ["strip-debug", "strip-producers", "strip-target-features"];

// Runs binaryen's command.
export function wasmOpt(...args) {
  const path = join("node_modules", ".bin", "wasm-opt");
  if (!existsSync(path)) throw new Error(`${path} is missing; run ./dev setup, which installs it`);
  run(path, [...Object.keys(FEATURES).map((feature) => `--enable-${feature}`), ...args]);
}

// Makes a program small. Low memory is the far end of the stack, where no address of data is.
export function optimise(wasm, ...more) {
  wasmOpt("-Oz", ...more, "--low-memory-unused", ...STRIPPED.map((pass) => `--${pass}`), wasm, "-o", wasm);
}

// Puts a program's functions into the order in which they compress well.
export function ordered(wasm) {
  writeFileSync(wasm, namedInOrder(readFileSync(wasm)));
  wasmOpt("--reorder-functions-by-name", "--strip-debug", wasm, "-o", wasm);
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
