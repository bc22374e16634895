// Trunk's post-build hook: puts a content security policy into the release page.
//
// Trunk starts the app by one inline script whose text holds the hashed file names, so the policy that allows just
// that script can only be written after the build. In a debug build Trunk adds a reload script: no policy there.
//
// The policy is put in by a script before all others, since it depends on where the page is: in a frame without an origin of its own
// (`sandbox` without `allow-same-origin`) 'self' matches nothing in WebKit, so there the host is named.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { BROWSERS } from "./split/features.mjs";

if (process.env.TRUNK_PROFILE !== "release") process.exit(0);

const file = join(process.env.TRUNK_STAGING_DIR, "index.html");
let page = readFileSync(file, "utf8");
const PLACE = /<meta charset="utf-8"\s*\/?>/i;
if (!PLACE.test(page)) throw new Error(`${file} has no <meta charset="utf-8">, after which the policy belongs`);

// Comments are for us, not for whoever loads the page.
page = page.replace(/(<script>)(.*?)(<\/script>)/gs, (_, open, text, close) => open + transformSync(text, { minify: true, target: BROWSERS }).code.trim() + close);
page = page.replace(/\s*<!--.*?-->/gs, "").replace(/\n\s*(?=\n)/g, "");
// What Trunk starts the program with, without what it offers to other scripts: there are none.
page = page.replace(/<script type="module">.*?<\/script>/s, (whole) => {
  const [script, wasm] = ["js", "wasm"].map((ending) => whole.match(new RegExp(`'(\\./[^']+\\.${ending})'`))?.[1]);
  if (!script || !wasm) throw new Error(`the script with which Trunk starts the program is not as it was; scripts/csp.mjs must be adapted: ${whole}`);
  return `<script type="module">import init from"${script}";await init({module_or_path:"${wasm}"})</script>`;
});

const hashes = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>(.*?)<\/script>/gs)].map(
  ([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
);
const policy = [
  "default-src 'none'",
  `script-src 'self' 'wasm-unsafe-eval' ${hashes.join(" ")}`,
  "worker-src 'self'",
  "style-src 'self'",
  // Yew writes computed positions into style attributes; style sheets still come from the site alone.
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const self = `origin==="null"&&/^http/.test(location.origin)?location.origin:"'self'"`;
const script = `document.head.append(Object.assign(document.createElement("meta"),{httpEquiv:"Content-Security-Policy",content:"${policy}".replaceAll("'self'",${self})}))`;
writeFileSync(file, page.replace(PLACE, (meta) => `${meta}\n    <script>${script}</script>`));
