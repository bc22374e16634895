// Sizes of the built page, file by file: raw, gzip and brotli, and the sum of what the first picture needs against
// the budget. Exit code 1 above the ceiling, which is the budget unless --ceiling names another: while the budget is missed, a ceiling
// keeps the page from growing.
//
//   node scripts/size-report.mjs [dist] [--ceiling BYTES] [--chunks FILE]
//
// --chunks writes the sizes of variants' chunks into a file, from which docs/variants.md is made.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { chunkOf, filesIn, firstPicture } from "./first-picture.mjs";

const BUDGET = 180_000; // bytes of brotli up to the first picture

const { positionals, values } = parseArgs({ allowPositionals: true, options: { ceiling: { type: "string" }, chunks: { type: "string" } } });
const ceiling = Number(values.ceiling ?? BUDGET);
if (!Number.isSafeInteger(ceiling) || ceiling <= 0) {
  console.error(`error: --ceiling is '${values.ceiling}'; a whole number of bytes above 0 would do`);
  process.exit(2);
}
const dist = positionals[0] ?? "dist";
if (!existsSync(join(dist, "index.html"))) {
  console.error(`error: there is no built page in '${dist}'; run ./dev build first`);
  process.exit(2);
}

const first = firstPicture(dist);
const rows = filesIn(dist)
  .map((name) => ({ name, first: first.has(name), ...sizes(readFileSync(join(dist, name))) }))
  .sort((a, b) => b.first - a.first || b.brotli - a.brotli);
const total = sum(rows.filter((row) => row.first));

const width = Math.max(...rows.map((row) => row.name.length), "first picture".length);
const line = (name, raw, gzip, brotli) =>
  console.log(`${name.padEnd(width)}  ${String(raw).padStart(11)}  ${String(gzip).padStart(11)}  ${String(brotli).padStart(11)}`);
const bytes = (count) => count.toLocaleString("en");
const print = (row) => line(row.name, bytes(row.raw), bytes(row.gzip), bytes(row.brotli));

line("size in bytes", "raw", "gzip", "brotli");
rows.filter((row) => row.first).forEach(print);
print({ name: "first picture", ...total });
const chunks = rows.filter((row) => chunkOf(row.name));
if (chunks.length > 0) {
  // The shared ones are loaded with the first chunk that needs them; so a row is what its chunk, such as a variant, adds alone.
  console.log("chunks of the program, loaded later:");
  chunks.map((row) => ({ ...row, name: chunkOf(row.name) })).forEach(print);
}
if (values.chunks) {
  // A variant has a page of documentation; that of the first picture has next to nothing in a chunk.
  const variants = chunks.map((row) => [chunkOf(row.name).replaceAll("_", "-"), row.brotli]).filter(([key, size]) => size > 2_000 && existsSync(`docs/variants/${key}.md`));
  writeFileSync(values.chunks, variants.sort().map(([key, size]) => `${key} ${size}\n`).join(""));
}
const later = rows.filter((row) => !row.first && !chunkOf(row.name));
if (later.length > 0) {
  console.log("not needed for the first picture:");
  later.forEach(print);
}
const share = ((100 * total.brotli) / BUDGET).toFixed(0);
console.log(`budget for the first picture: ${bytes(BUDGET)} bytes of brotli; used: ${bytes(total.brotli)} (${share} %)`);
if (total.brotli > BUDGET) {
  const over = `the first picture is ${bytes(total.brotli - BUDGET)} bytes above its budget`;
  if (total.brotli > ceiling) {
    console.error(`error: ${over}, and above the ceiling of ${bytes(ceiling)}`);
    process.exit(1);
  }
  console.log(`${over}; the ceiling is ${bytes(ceiling)}`);
}

function sizes(content) {
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  return { raw: content.length, gzip: gzipSync(content, { level: 9 }).length, brotli: brotli.length };
}

function sum(rows) {
  const add = (key) => rows.reduce((total, row) => total + row[key], 0);
  return { raw: add("raw"), gzip: add("gzip"), brotli: add("brotli") };
}
