// The whole page as one .html file, for a USB stick, an upload to a learning platform or a frame without an origin: it asks for no other file.
//
//   ./dev single            writes dist-single/quorumscope.html from dist/
//
// The page's program is compiled in one piece that also searches, and knows each variant once. It is packed with its JavaScript (LZMA, whose decoder is the package `lzma`) and written as text, seven bits a character:
// base64 would take an eighth more. At the start it is unpacked; its workers run the same program.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import lzma from "lzma/src/lzma_worker.js";
import { BROWSERS } from "./split/features.mjs";
import { whole } from "./split/loader.mjs";
import { optimise, ordered, run, small as minified } from "./split/tools.mjs";

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

const read = (name) => readFileSync(join(from, name));

// The program, all in one piece.
const NAME = "quorumscope-app";
const TARGET = "wasm32-unknown-unknown";
const folder = join(process.env.CARGO_TARGET_DIR ?? "target", "single");
const building = ["build", "--locked", "--target", TARGET, "--no-default-features", "--features", "web,search", "--bin", NAME, "--profile", "wasm-release"];
run("cargo", building, { ...process.env, CARGO_TARGET_DIR: folder });
const work = mkdtempSync(join(tmpdir(), "quorumscope-single-"));
let contents;
try {
  const linked = join(folder, TARGET, "wasm-release", `${NAME}.wasm`);
  run("wasm-bindgen", ["--target", "web", "--no-typescript", "--no-demangle", "--keep-lld-exports", "--out-dir", work, "--out-name", NAME, linked]);
  const wasm = join(work, `${NAME}_bg.wasm`);
  optimise(wasm);
  ordered(wasm);
  // Where files are asked for: relative to BASE.
  const script = whole(readFileSync(join(work, `${NAME}.js`), "utf8")).replaceAll("import.meta.url", JSON.stringify(BASE));
  writeFileSync(join(work, `${NAME}.js`), script);
  // A worker of a page without an origin can import nothing, and cannot be a module: it is made one plain script.
  const worker = readFileSync("www/worker.js", "utf8").replace("const { default: start } = await import(script);", "");
  writeFileSync(join(work, "worker.js"), `import start from "./${NAME}.js";\n${worker}`);
  const plain = { bundle: true, write: false, format: "iife", minify: true, target: BROWSERS, logLevel: "error" };
  const bundled = buildSync({ entryPoints: [join(work, "worker.js")], ...plain }).outputFiles[0].text;
  contents = [minified("js", script), bundled, readFileSync(wasm)].map((content) => Buffer.from(content));
} finally {
  rmSync(work, { recursive: true });
}

const packed = asText(Buffer.from(lzma.LZMA_WORKER.compress(Buffer.concat(contents), LEVEL)));
const lengths = contents.map((content) => content.length);

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
  const unpacked = Uint8Array.from(LZMA.decompress(bytes));
  let at = 0;
  const [script, work, program] = ${JSON.stringify(lengths)}.map((length) => unpacked.slice(at, (at += length)));
  const url = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = url(work);
  const Real = Worker;
  Worker = class extends Real {
    constructor(what, options) {
      super(/worker\\.js$/.test(what) ? worker : what, { ...options, type: "classic" });
    }
  };
  const link = Object.assign(document.createElement("link"), { rel: "modulepreload", href: url(script) });
  document.head.append(link);
  const { default: init } = await import(link.href);
  await init({ module_or_path: await WebAssembly.compile(program) });
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
const inline = `<script>${decoder}</script><script type="module">${minified("js", start).trim()}</script>`;
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
