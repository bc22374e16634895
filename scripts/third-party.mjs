// Writes THIRD-PARTY.md: whose data and code ship in the page, and under which licence. The list of code is what
// Cargo links into the page, so it cannot be forgotten.
//
//   node scripts/third-party.mjs           write it
//   node scripts/third-party.mjs --check   exit code 1 when it is out of date
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FILE = "THIRD-PARTY.md";
// Licences that allow shipping in the page. A crate under several needs one of these.
const WELCOME = ["MIT", "Apache-2.0", "Zlib", "Unlicense", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0", "0BSD", "BSL-1.0"];

const DATA = `# Third-party notices

Quorumscope itself is under [MIT](LICENSE-MIT) or [Apache-2.0](LICENSE-APACHE), at your choice. It contains the following
work of others. \`./dev notices\` writes this file; \`./dev check\` fails when it is out of date.

## Data

* **Round-trip times between AWS regions (2020-06-05) and between Google Cloud regions**: averages published with the
  fantoch simulator by Vitor Enes and contributors, <https://github.com/vitorenesduarte/fantoch>, MIT OR Apache-2.0.
* **Round-trip times between five EC2 regions**: Table 1 of I. Moraru, D. G. Andersen and M. Kaminsky, *Paxos Quorum
  Leases: Fast Reads Without Sacrificing Writes*, SoCC 2014. Facts, cited with their source.

## Code in the page

The Rust standard library is linked into the page too: Copyright The Rust Project Developers, MIT OR Apache-2.0.

`;

const metadata = JSON.parse(
  execFileSync(
    "cargo",
    ["metadata", "--locked", "--format-version=1", "--filter-platform=wasm32-unknown-unknown", "--no-default-features", "--features=web"],
    { maxBuffer: 1 << 28, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  ),
);
const packages = new Map(metadata.packages.map((each) => [each.id, each]));
const nodes = new Map(metadata.resolve.nodes.map((each) => [each.id, each]));

const crates = linkedInto(metadata.resolve.root);
const unwelcome = crates.filter((each) => !isWelcome(each.license));
if (unwelcome.length > 0) {
  const list = unwelcome.map((each) => `${each.name} ${each.version} (${each.license ?? "no licence"})`).join(", ");
  console.error(`error: these crates may not ship in the page under their licence: ${list}`);
  process.exit(1);
}

const notice = `${DATA}${table(crates)}`;
if (!process.argv.includes("--check")) {
  writeFileSync(FILE, notice);
  console.log(`${FILE}: ${crates.length} crates`);
} else if (readFileSync(FILE, "utf8") !== notice) {
  console.error(`error: ${FILE} is out of date; run ./dev notices and commit it`);
  process.exit(1);
} else {
  console.log(`${FILE} is up to date: ${crates.length} crates`);
}

// The crates whose code ends up in the program: normal dependencies, not what only runs in the compiler.
function linkedInto(root) {
  const seen = new Set([root]);
  for (const id of seen) {
    for (const dependency of nodes.get(id).deps) {
      const normal = dependency.dep_kinds.some((each) => each.kind === null);
      const macro = packages.get(dependency.pkg).targets.some((target) => target.kind.includes("proc-macro"));
      if (normal && !macro) seen.add(dependency.pkg);
    }
  }
  seen.delete(root);
  return [...seen].map((id) => packages.get(id)).sort((a, b) => a.name.localeCompare(b.name, "en") || a.version.localeCompare(b.version, "en"));
}

// "A OR B" needs one of them, "A AND B" needs both; "/" is the old way to write OR.
function isWelcome(licence) {
  return (licence ?? "")
    .replace(/[()]/g, "")
    .split(/\s+AND\s+/)
    .every((part) => part.split(/\s+OR\s+|\//).some((choice) => WELCOME.includes(choice.trim())));
}

function table(crates) {
  const rows = crates.map((each) => `| ${[link(each), each.version, each.license.replace(/\s*\/\s*|\s+OR\s+/g, " OR "), holders(each)].join(" | ")} |`);
  return ["| crate | version | licence | copyright |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}

function link({ name, repository }) {
  return repository ? `[${name}](${repository})` : name;
}

// The copyright lines of a crate's licence files; where they have none, its authors.
function holders({ manifest_path, authors }) {
  const folder = dirname(manifest_path);
  const lines = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|copyright)/i.test(name))
    .flatMap((name) => readOrNothing(join(folder, name)).split("\n"))
    .map((line) => line.trim())
    .filter((line) => /^copyright (\(c\)|©|\d{4}|[A-Z])/i.test(line) && !/\[yyyy\]|\{yyyy\}|copyright (owner|holder|notice|licen|and permission)/i.test(line));
  const names = lines.length > 0 ? [...new Set(lines)] : authors.map((author) => author.replace(/\s*<.*>/, ""));
  return names.map((name) => name.replaceAll("|", "\\|")).join("; ") || "the crate's contributors";
}

function readOrNothing(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
