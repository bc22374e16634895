// What the hosts of `./dev hosts` share: snippets out of docs/embedding-hosts.md, servers, packages from npm and PyPI, and looking at a page.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";

export const WORK = resolve("target/hosts");
const GUIDE = "docs/embedding-hosts.md";
// The address of the laboratory in the guide.
const EXAMPLE = "https://example.org/quorumscope/";

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".mjs": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

// A host that cannot be tried here, with the reason.
export class LeftOut extends Error {}

// The snippets of the guide by name, as they stand there but for the address of the laboratory.
export function snippets(laboratory) {
  const found = {};
  for (const [, name, text] of readFileSync(GUIDE, "utf8").matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) found[name] = text.replaceAll(EXAMPLE, laboratory);
  return (name) => found[name] ?? fail(`${GUIDE} has no snippet ${name}`);
}

function fail(message) {
  throw new Error(message);
}

// An empty folder of a host, or a folder in it, with these files.
export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

// A course page around this body.
export const course = (body, head = "") =>
  `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>A course</title>\n${head}</head>\n<body>\n${body}\n</body>\n</html>\n`;

// Serves a folder on an origin of its own; returns its address and what ends it.
export async function serve(folder, headers = {}) {
  const server = createServer(async (request, response) => {
    if (request.url === "/favicon.ico") return response.writeHead(204).end();
    let file = resolve(folder, decodeURIComponent(request.url.replace(/[?#].*$/s, "")).slice(1));
    if (file !== folder && !file.startsWith(folder + sep)) return response.writeHead(404).end();
    if ((await stat(file).catch(() => undefined))?.isDirectory()) file = join(file, "index.html");
    const body = await readFile(file).catch(() => undefined);
    if (!body) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...headers }).end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { address: `http://localhost:${server.address().port}/`, end: () => server.close() };
}

// Runs a program to its end.
export function run(program, args, options = {}) {
  return new Promise((done, failed) => {
    let said = "";
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    child.on("error", failed);
    child.on("close", (code) => (code === 0 ? done(said) : failed(new Error(`${program} ${args.join(" ")} ended with ${code}:\n${said.slice(-2_000)}`))));
  });
}

// A package of npm at this version, in a folder of its own; returns the folder that has its node_modules.
export async function npm(name, version) {
  const folder = join(WORK, `npm-${name}-${version}`);
  if (!existsSync(join(folder, "node_modules", name))) {
    mkdirSync(folder, { recursive: true });
    await run("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", `${name}@${version}`]).catch(({ message }) => {
      throw new LeftOut(`${name} ${version} cannot be had from npm: ${message.trim().split("\n").at(-1)}`);
    });
  }
  return folder;
}

// Packages of PyPI in an environment of their own; returns the folder of its programs.
export async function pypi(...packages) {
  const folder = join(WORK, `py-${packages[0].replace("==", "-")}`);
  const there = join(folder, "installed");
  if (!existsSync(there)) {
    try {
      await run("python3", ["-m", "venv", folder]);
      await run(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages]);
    } catch ({ message }) {
      throw new LeftOut(`${packages.join(", ")} cannot be had from PyPI: ${message.trim().split("\n").at(-1)}`);
    }
    writeFileSync(there, packages.join("\n"));
  }
  return join(folder, "bin");
}

// The same again and again until it holds.
export async function until(what, holds, seconds = 90) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((later) => setTimeout(later, 200));
  }
}
