// The whole page as one .html file, for a USB stick, an upload to a learning platform or a frame without an origin: it asks for no other file.
//
//   ./dev single            writes dist-single/quorumscope.html from dist/
//
// All files of dist/ are packed together (LZMA, whose decoder is the package `lzma`, in base64). At the start they are unpacked into blobs, and whatever
// asks for one of them by name gets its blob: the program, its chunks, its workers. The program that searches is the same compiled to be small.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import lzma from "lzma/src/lzma_worker.js";
import { BROWSERS } from "./split/features.mjs";

const [from = "dist", to = "dist-single"] = process.argv.slice(2);
// What files are asked for relative to, inside.
const BASE = "https://quorumscope.invalid/";
// How hard to pack: 1 to 9.
const LEVEL = Number(process.env.QUORUMSCOPE_LEVEL ?? 9);

const minified = (text) => transformSync(text, { minify: true, target: BROWSERS }).code.trim();
const read = (name) => readFileSync(join(from, name));
const listed = (folder) => readdirSync(folder).filter((name) => /\.(wasm|js)$/.test(name));
const isSearch = (name) => name === "search.js" || name.startsWith("quorumscope-search-");

const work = mkdtempSync(join(tmpdir(), "quorumscope-single-"));
let contents;
try {
  const env = { ...process.env, TRUNK_PROFILE: "release", TRUNK_STAGING_DIR: work, QUORUMSCOPE_SEARCH: "small" };
  const made = spawnSync(process.execPath, ["scripts/search.mjs"], { env, stdio: "inherit" });
  if (made.status !== 0) throw new Error("the program that searches could not be made small");
  const beside = listed(from).filter((name) => !isSearch(name) && !["embed.js", "service-worker.js"].includes(name));
  contents = [...beside.map((name) => [name, read(name)]), ...listed(work).map((name) => [name, readFileSync(join(work, name))])];
} finally {
  rmSync(work, { recursive: true });
}
const names = contents.map(([name]) => name);
const program = names.find((name) => /^quorumscope-app-.*\.js$/.test(name));
const search = names.find((name) => /^quorumscope-search-.*\.js$/.test(name));
if (!program || !search) throw new Error(`there is no release build in ${from}/: run ./dev build first`);

const files = contents.map(([name, content]) => [name, /\.js$/.test(name) ? Buffer.from(content.toString().replaceAll("import.meta.url", JSON.stringify(BASE))) : content]);
// Modules last: like beside like is packed best.
files.sort(([a], [b]) => Number(/\.wasm$/.test(a)) - Number(/\.wasm$/.test(b)) || (a < b ? -1 : 1));
const whole = Buffer.concat(files.map(([, content]) => content));
const packed = Buffer.from(lzma.LZMA_WORKER.compress(whole, LEVEL)).toString("base64");
const table = files.map(([name, content]) => [name, content.length]);

const decoder = readFileSync("node_modules/lzma/src/lzma-d-min.js", "utf8");
const start = `(async () => {
  const bytes = Uint8Array.from(atob(document.getElementById("files").textContent), (one) => one.charCodeAt());
  const whole = Uint8Array.from(LZMA.decompress(bytes));
  const blobs = {};
  let at = 0;
  for (const [name, length] of ${JSON.stringify(table)}) {
    blobs[name] = [whole.slice(at, (at += length)), /js$/.test(name) ? "text/javascript" : "application/wasm"];
  }
  const url = (name, before = "") => URL.createObjectURL(new Blob([before, blobs[name][0]], { type: blobs[name][1] }));
  const here = (urls, load) => (what, ...more) => load(urls[String(what?.url ?? what).split("/").pop()] ?? what, ...more);
  const urls = {};
  const modules = ["${search}", "search.js", "worker.js", "${program}"];
  for (const name of Object.keys(blobs)) if (!modules.includes(name)) urls[name] = url(name);
  // In a worker, and in the page, files are asked for by name.
  const before = "const urls = " + JSON.stringify(urls) + "; const load = self.fetch; const here = " + here + "; self.fetch = here(urls, load);";
  fetch = here(urls, fetch.bind(window));
  const text = new TextDecoder().decode(blobs["search.js"][0]).replace(/(["'])\\.\\/${search.replaceAll(".", "\\.")}\\1/, JSON.stringify(url("${search}")));
  blobs["search.js"][0] = text;
  const workers = { "search.js": url("search.js", before), "worker.js": url("worker.js", before) };
  const Real = Worker;
  Worker = function (what, ...more) { return new Real(workers[what.split("/").pop()] ?? what, ...more); };
  const script = url("${program}");
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: script }));
  const { default: init } = await import(script);
  await init({ module_or_path: await fetch("${program.replace(".js", "_bg.wasm")}") });
})();
`;

let page = read("index.html").toString();
// What Trunk and scripts/csp.mjs put in for files beside the page.
page = page.replace(/<script type="module">[^]*?<\/script>/, "").replace(/<link rel="(modulepreload|preload)"[^>]*>/g, "");
page = page.replace(/<script>document\.head\.append[^]*?<\/script>/, "@POLICY@");
page = page.replace(/<link rel="stylesheet" href="\.\/([^"]+)"\/?>/, (_, name) => `<style>${read(name)}</style>`);
const data = (name) => `data:image/svg+xml;base64,${read(name).toString("base64")}`;
page = page.replace(/href="\.\/(icon-[^"]+)"/, (_, name) => `href="${data(name)}"`).replace(/src="static-picture\.svg"/, () => `src="${data("static-picture.svg")}"`);
const texts = [...["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.md"].map((name) => [name, read(name)]), ["LZMA-JS", readFileSync("node_modules/lzma/LICENSE", "utf8")]];
const licences = texts.map(([name, text]) => `${name}\n\n${text}`).join("\n\n").replace(/<\/script/gi, "<\\/script");
const inline = `<script>${decoder}</script><script type="module">${minified(start)}</script>`;
page = page.replace("</body>", () => `<script type="text/plain" id="files">${packed}</script><script type="text/plain" id="licences">${licences}</script>${inline}</body>`);
const hashes = [...page.matchAll(/<script(?: type="module")?>([^]*?)<\/script>/g)].map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
const policy = [
  "default-src 'none'",
  `script-src blob: 'wasm-unsafe-eval' ${hashes.join(" ")}`,
  "worker-src blob:",
  "style-src 'unsafe-inline'",
  "img-src data: blob:",
  "connect-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
page = page.replace("@POLICY@", () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`);
mkdirSync(to, { recursive: true });
writeFileSync(join(to, "quorumscope.html"), page);
console.log(`${join(to, "quorumscope.html")}: ${page.length.toLocaleString("en")} bytes, of which ${packed.length.toLocaleString("en")} are the program, for any place; it needs no other file`);
