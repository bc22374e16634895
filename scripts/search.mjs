// Trunk's post-build hook: the program that searches (src/search/), which the page's worker loads (www/search.js). It is not Trunk's to build, because
// it is compiled for speed: with other flags than the page, which is made small.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STRIPPED, run, small as minified, wasmOpt } from "./split/tools.mjs";

const NAME = "quorumscope-search";
const TARGET = "wasm32-unknown-unknown";
const release = process.env.TRUNK_PROFILE === "release";
const dist = process.env.TRUNK_STAGING_DIR;

const env = { ...process.env };
if (release) {
  // What makes the page small, and this slow: as little as possible in line, a standard library made for size.
  delete env.CARGO_UNSTABLE_BUILD_STD_FEATURES;
  env.RUSTFLAGS = (env.RUSTFLAGS ?? "").replace(/-Cllvm-args=-inline-threshold=\d+/, "");
}
const profile = release ? ["--profile", "wasm-search"] : [];
run("cargo", ["build", "--locked", "--target", TARGET, "--no-default-features", "--features", "searcher", "--bin", NAME, ...profile], env);

const work = mkdtempSync(join(tmpdir(), "quorumscope-search-"));
try {
  const linked = join(process.env.CARGO_TARGET_DIR ?? "target", TARGET, release ? "wasm-search" : "debug", `${NAME}.wasm`);
  run("wasm-bindgen", ["--target", "web", "--no-typescript", ...(release ? [] : ["--debug"]), "--out-dir", work, "--out-name", NAME, linked]);
  const wasm = join(work, `${NAME}_bg.wasm`);
  if (release) wasmOpt("-O3", ...STRIPPED.map((pass) => `--${pass}`), wasm, "-o", wasm);
  const program = hashed(".wasm", readFileSync(wasm));
  const script = hashed(".js", text(join(work, `${NAME}.js`)).replaceAll(`${NAME}_bg.wasm`, program));
  writeFileSync(join(dist, "search.js"), text(join("www", "search.js")).replaceAll(`${NAME}.js`, script));
} finally {
  rmSync(work, { recursive: true });
}

// Writes a file under a name that tells its content, and returns that name.
function hashed(ending, content) {
  const name = `${NAME}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}${ending}`;
  writeFileSync(join(dist, name), content);
  return name;
}

// A script's text; in a release, without what only people read.
function text(file) {
  const content = readFileSync(file, "utf8");
  return release ? minified("js", content) : content;
}
