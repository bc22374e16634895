// A small static file server: for `./dev open`, and for the browser tests, which serve the page from a sub-path.
//
//   node scripts/serve.mjs [--dir dist] [--base /some/path/] [--port 8080] [--host 127.0.0.1] [--strict-port]
//
// It answers as a good static host does (GitHub Pages, for one): right types, compressed text and wasm, and
// `Access-Control-Allow-Origin: *`, without which a page in <iframe sandbox="allow-scripts"> cannot load its own files.
import { createServer } from "node:http";
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const TYPES = {
  "": "text/plain; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".toml": "text/plain; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
const ALREADY_COMPRESSED = new Set([".png", ".woff2"]);

const { values: options } = readOptions();
const root = await realpath(options.dir).catch(() => fail(`there is no folder '${options.dir}' to serve; build the page first`));
const base = `/${options.base}/`.replace(/\/+/g, "/");
let port = Number(options.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port is '${options.port}'; it must be a number from 0 to 65535`);

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
});

// A port that is taken is no reason to stop, unless somebody counts on exactly that one.
server.on("error", (error) => {
  if (error.code === "EADDRINUSE" && !options["strict-port"] && port < 65535) server.listen(++port, options.host);
  else fail(`cannot serve on ${options.host}:${port}: ${error.message}`);
});
server.on("listening", () => {
  const host = ["127.0.0.1", "0.0.0.0", "::1", "::"].includes(options.host) ? "localhost" : options.host;
  console.log(`\nQuorumscope is at http://${host}:${server.address().port}${base}  (Ctrl-C ends it)\n`);
});
server.listen(port, options.host);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

async function answer(request, response) {
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader("Cache-Control", "no-cache");
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "only GET and HEAD");

  let path;
  try {
    path = decodeURIComponent(request.url.replace(/[?#].*$/s, ""));
  } catch {
    return refuse(response, 400, "malformed address");
  }
  if (path + "/" === base) return response.writeHead(301, { Location: base }).end();
  if (!path.startsWith(base) || path.includes("\0")) return refuse(response, 404, "not found");

  const file = await findFile(path.slice(base.length));
  if (!file) return refuse(response, 404, "not found");

  const kind = extname(file);
  let body = await readFile(file);
  response.setHeader("Content-Type", TYPES[kind] ?? "application/octet-stream");
  if (!ALREADY_COMPRESSED.has(kind) && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) {
    body = gzipSync(body);
    response.setHeader("Content-Encoding", "gzip");
    response.setHeader("Vary", "Accept-Encoding");
  }
  response.setHeader("Content-Length", body.length);
  response.writeHead(200).end(request.method === "HEAD" ? undefined : body);
}

// The file under `root` that the path names (a folder means its index.html), or undefined; never one outside `root`.
async function findFile(path) {
  let file = resolve(root, path);
  for (let tries = 0; tries < 2; tries++) {
    const found = await stat(file).catch(() => undefined);
    if (!found) return undefined;
    if (found.isFile()) {
      const real = await realpath(file);
      return real.startsWith(root + sep) ? real : undefined;
    }
    file = join(file, "index.html");
  }
  return undefined;
}

function refuse(response, code, reason) {
  response.writeHead(code, { "Content-Type": "text/plain; charset=utf-8" }).end(`${code} ${reason}\n`);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        dir: { type: "string", default: "dist" },
        base: { type: "string", default: "/" },
        port: { type: "string", default: "8080" },
        host: { type: "string", default: "127.0.0.1" },
        "strict-port": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return fail(error.message);
  }
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}
