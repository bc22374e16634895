// Tests of ./dev and scripts/: run by `./dev check`, with Node's own test runner.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const run = (command, args, env = {}) => spawnSync(command, args, { encoding: "utf8", env: { ...process.env, ...env } });

// A folder with these files: { "name": content }.
function folder(files) {
  const path = mkdtempSync(join(tmpdir(), "quorumscope-test-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

test("./dev refuses what it does not know, with exit code 2", () => {
  const unknown = run("./dev", ["fly"]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /there is no command 'fly'/);
  const stage = run("./dev", ["test", "native", "fly"]);
  assert.equal(stage.status, 2);
  assert.match(stage.stderr, /there is no test stage 'fly'; the stages are: check native wasm page browser/);
  assert.equal(run("./dev", ["help"]).status, 0);
});

test("versions are compared number by number", () => {
  const atLeast = (have, want) => run("bash", ["-c", `source scripts/lib.sh; version_at_least '${have}' '${want}'`]).status === 0;
  for (const [have, want] of [["1.96.0", "1.95"], ["1.95", "1.95.0"], ["1.100.0", "1.95"], ["2.0", "1.95.9"], ["18.20.4", "18.20"], ["1.97.0-nightly", "1.97"]])
    assert.ok(atLeast(have, want), `${have} is at least ${want}`);
  for (const [have, want] of [["1.63.0", "1.95"], ["1.9", "1.95"], ["0.99.99", "1.0"], ["18.19.0", "18.20"], ["", "1.0"]])
    assert.ok(!atLeast(have, want), `'${have}' is older than ${want}`);
});

test("a long command's failure is shown, with its exit code", () => {
  const result = run("bash", ["-c", 'source scripts/lib.sh; TOOLS="$0" quietly "Trying" sh -c "echo the reason; exit 7"', folder({})]);
  assert.equal(result.status, 7);
  assert.match(result.stderr, /exit code 7.*\n\s+the reason/);
});

test("the size report counts what index.html needs, and fails above the budget", () => {
  const files = {
    "index.html": '<script src="app.js"></script><noscript><img src="still.svg"></noscript>',
    "app.js": 'fetch("app.wasm"); import "./snippets/inline.js"',
    "snippets/inline.js": "",
    "app.wasm": randomBytes(150_000),
    "still.svg": randomBytes(50_000),
  };
  const within = run("node", ["scripts/size-report.mjs", folder(files)]);
  assert.equal(within.status, 0, within.stderr);
  assert.match(within.stdout, /first picture\s+150,\d+/);
  assert.match(within.stdout, /not needed for the first picture:\nstill\.svg\s+50,000/);

  const above = run("node", ["scripts/size-report.mjs", folder({ ...files, "app.wasm": randomBytes(190_000) })]);
  assert.equal(above.status, 1);
  assert.match(above.stderr, /error: the first picture is 10,\d+ bytes above its budget/);

  assert.equal(run("node", ["scripts/size-report.mjs", folder({})]).status, 2);
});

test("the policy allows the page's own inline script and no other", () => {
  // As Trunk writes it, and what is left of it.
  const script = "\nimport init, * as bindings from './app.js';\nconst wasm = await init({ module_or_path: './app_bg.wasm' });\n\nwindow.wasmBindings = bindings;\n";
  const left = 'import init from"./app.js";await init({module_or_path:"./app_bg.wasm"})';
  const page = `<head>\n<meta charset="utf-8"></head><script type="module">${script}</script><script src="other.js"></script>`;
  const staging = folder({ "index.html": page });
  const hook = (profile) => run("node", ["scripts/csp.mjs"], { TRUNK_PROFILE: profile, TRUNK_STAGING_DIR: staging });

  assert.equal(hook("debug").status, 0);
  assert.equal(readFileSync(join(staging, "index.html"), "utf8"), page, "a debug page stays as it is");

  assert.equal(hook("release").status, 0);
  assert.ok(readFileSync(join(staging, "index.html"), "utf8").includes(`<script type="module">${left}</script>`));
  // The script that puts it in comes before all others, and is run here as a browser would.
  const [, puts] = readFileSync(join(staging, "index.html"), "utf8").match(/<meta charset="utf-8">\s*<script>(.*?)<\/script>/);
  const policy = (origin, host) => {
    const added = [];
    const document = { createElement: () => ({}), head: { append: (element) => added.push(element) } };
    new Function("document", "origin", "location", puts)(document, origin, { origin: host });
    assert.equal(added[0].httpEquiv, "Content-Security-Policy");
    return added[0].content;
  };
  const hash = createHash("sha256").update(left).digest("base64");
  const host = "https://example.org";
  assert.ok(policy(host, host).includes(`script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`), policy(host, host));
  // Without an origin of its own, the page names its host, which 'self' does not match in every browser.
  assert.equal(policy("null", host), policy(host, host).replaceAll("'self'", host));
  assert.match(policy("null", "null"), /script-src 'self'/);

  const other = folder({ "index.html": page.replace("app_bg.wasm", "app_bg.bin") });
  assert.match(run("node", ["scripts/csp.mjs"], { TRUNK_PROFILE: "release", TRUNK_STAGING_DIR: other }).stderr, /is not as it was; scripts\/csp\.mjs must be adapted/);
});

test("the server answers as a static host does, and nothing outside its folder", async (context) => {
  const outside = folder({ "secret.txt": "secret" });
  const root = folder({ "index.html": "<p>page</p>", "app.wasm": "\0asm", "sub/index.html": "sub" });
  symlinkSync(join(outside, "secret.txt"), join(root, "link.txt"));
  const server = spawn("node", ["scripts/serve.mjs", "--dir", root, "--base", "/some/path", "--port", "0"]);
  context.after(() => server.kill());
  const address = await new Promise((resolve) =>
    server.stdout.on("data", (text) => {
      const found = String(text).match(/http:\/\/\S+/);
      if (found) resolve(found[0]);
    }),
  );
  const port = Number(new URL(address).port);
  // The raw client: fetch() would tidy up the dots in a path.
  const ask = (path) => new Promise((resolve) => get({ port, path, host: "127.0.0.1" }, (answer) => { answer.resume(); resolve(answer); }));

  const page = await ask("/some/path/?embed");
  assert.equal(page.statusCode, 200);
  assert.equal(page.headers["access-control-allow-origin"], "*");
  assert.match(page.headers["content-type"], /^text\/html/);
  assert.equal((await ask("/some/path/app.wasm")).headers["content-type"], "application/wasm");
  assert.equal((await ask("/some/path/sub/")).statusCode, 200);
  assert.equal((await ask("/some/path")).headers.location, "/some/path/");
  for (const path of ["/", "/index.html", "/some/path/none", "/some/path/../../etc/passwd", "/some/path/%2e%2e/secret.txt", "/some/path//etc/passwd", "/some/path/link.txt"])
    assert.equal((await ask(path)).statusCode, 404, path);
  assert.equal((await ask("/some/path/%")).statusCode, 400);
});

test("workflows name the actions they use by commit", () => {
  for (const file of readdirSync(".github/workflows"))
    for (const [line] of readFileSync(join(".github/workflows", file), "utf8").matchAll(/^.*\buses:.*$/gm))
      assert.match(line, /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
});
