// The whole page as one .html file, for a USB stick, an upload to a learning platform or a frame without an origin: it asks for no other file.
//
//   ./dev single            writes dist-single/quorumscope.html from dist/
//
// All files of dist/ are packed together (LZMA, whose decoder is the package `lzma`) and written as text, seven bits a character: base64 would take an eighth more. At the start they are unpacked into blobs, and whatever
// asks for one of them by name gets its blob: the program, its chunks, its workers. The program that searches is the same compiled to be small.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync, transformSync } from "esbuild";
import lzma from "lzma/src/lzma_worker.js";
import { BROWSERS } from "./split/features.mjs";

const [from = "dist", to = "dist-single"] = process.argv.slice(2);
// What a text in a page cannot hold, or changes there: the first is lost, the second becomes a line feed, the third may end the text. They are written as
// characters from À on.
const ELSEWISE = [0, 13, 60];
const FIRST = 192;

// Bytes as text, seven bits a character.
function asText(bytes) {
  const codes = [];
  let [held, bits] = [0, 0];
  const put = (value) => codes.push(ELSEWISE.includes(value) ? FIRST + ELSEWISE.indexOf(value) : value);
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 7) put((held >> (bits -= 7)) & 127);
    held &= (1 << bits) - 1;
  }
  if (bits > 0) put((held << (7 - bits)) & 127);
  return Buffer.from(Uint16Array.from(codes).buffer).toString("utf16le");
}

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

// A script in which files are asked for relative to BASE.
const placed = (script) => script.toString().replaceAll("import.meta.url", JSON.stringify(BASE));

// A worker of a page without an origin can import nothing, and cannot be a module: each is made one plain script.
function alone(name, text) {
  const loaded = Object.fromEntries(contents);
  writeFileSync(join(bundling, "entry.js"), text);
  for (const script of [program, search]) writeFileSync(join(bundling, script), placed(loaded[script]));
  const made = buildSync({ entryPoints: [join(bundling, "entry.js")], bundle: true, write: false, format: "iife", minify: true, target: BROWSERS, logLevel: "error" });
  contents.find(([other]) => other === name)[1] = Buffer.from(made.outputFiles[0].text);
}
const bundling = mkdtempSync(join(tmpdir(), "quorumscope-single-"));
try {
  const text = (name) => contents.find(([other]) => other === name)[1].toString();
  alone("search.js", text("search.js"));
  alone("worker.js", `import start from "./${program}";\n${readFileSync("www/worker.js", "utf8").replace("const { default: start } = await import(script);", "")}`);
} finally {
  rmSync(bundling, { recursive: true });
}
contents = contents.filter(([name]) => name !== search);

const files = contents.map(([name, content]) => [name, /\.js$/.test(name) ? Buffer.from(placed(content)) : content]);
// Modules last: like beside like is packed best.
files.sort(([a], [b]) => Number(/\.wasm$/.test(a)) - Number(/\.wasm$/.test(b)) || (a < b ? -1 : 1));
const whole = Buffer.concat(files.map(([, content]) => content));
const packed = asText(Buffer.from(lzma.LZMA_WORKER.compress(whole, LEVEL)));
const table = files.map(([name, content]) => [name, content.length]);

const decoder = readFileSync("node_modules/lzma/src/lzma-d-min.js", "utf8");
const start = `(async () => {
  const text7 = document.getElementById("files").textContent;
  const bytes = new Uint8Array(Math.floor((text7.length * 7) / 8));
  for (let i = 0, held = 0, bits = 0, at = 0; i < text7.length; i += 1) {
    const code = text7.charCodeAt(i);
    held = (held << 7) | (code < ${FIRST} ? code : ${JSON.stringify(ELSEWISE)}[code - ${FIRST}]);
    bits += 7;
    if (bits >= 8) bytes[at++] = held >> (bits -= 8);
    held &= (1 << bits) - 1;
  }
  const whole = Uint8Array.from(LZMA.decompress(bytes));
  const blobs = {};
  let at = 0;
  for (const [name, length] of ${JSON.stringify(table)}) {
    blobs[name] = [whole.slice(at, (at += length)), /js$/.test(name) ? "text/javascript" : "application/wasm"];
  }
  const url = (name, before = "") => URL.createObjectURL(new Blob([before, blobs[name][0]], { type: blobs[name][1] }));
  const here = (urls, load) => (what, ...more) => load(urls[String(what?.url ?? what).split("/").pop()] ?? what, ...more);
  const urls = {};
  for (const name of Object.keys(blobs)) if (/wasm$/.test(name)) urls[name] = url(name);
  fetch = here(urls, fetch.bind(window));
  // A worker cannot read the page's blobs either: it is sent the files before its job.
  const before = "const files = new Promise((come) => addEventListener('message', function first(event) {" +
    "event.stopImmediatePropagation(); removeEventListener('message', first); come(event.data); }));" +
    "self.fetch = async (what) => new Response((await files)[String(what?.url ?? what).split('/').pop()], { headers: { 'Content-Type': 'application/wasm' } });";
  const workers = { "search.js": url("search.js", before), "worker.js": url("worker.js", before) };
  const Real = Worker;
  Worker = function (what, ...more) {
    const name = what.split("/").pop();
    const worker = workers[name] ? new Real(workers[name]) : new Real(what, ...more);
    const wanted = Object.keys(blobs).filter((file) => /wasm$/.test(file) && /search/.test(file) === (name === "search.js"));
    worker.postMessage(Object.fromEntries(wanted.map((file) => [file, blobs[file][0]])));
    return worker;
  };
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
console.log(`${join(to, "quorumscope.html")}: ${Buffer.byteLength(page).toLocaleString("en")} bytes, of which ${Buffer.byteLength(packed).toLocaleString("en")} are the program, for any place; it needs no other file`);
