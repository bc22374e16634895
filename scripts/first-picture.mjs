// Which files of the built page are needed for its first picture.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";

// All files of a folder and its subfolders, as sorted paths inside it.
export function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

// The name of the chunk of the page's program (scripts/split.mjs) that a file holds, if it holds one.
export function chunkOf(name) {
  return basename(name).match(/^chunk-([\w-]+)-[0-9a-f]{8}\.wasm$/)?.[1];
}

// index.html, the files that it names (outside <noscript>), those that they name in turn, and so on; without chunks, which are loaded later.
export function firstPicture(dist) {
  const names = filesIn(dist).filter((name) => !chunkOf(name));
  const seen = new Set(["index.html"]);
  for (const name of seen) {
    if (!/\.(html|js|mjs|css)$/.test(name)) continue;
    const text = readFileSync(join(dist, name), "utf8").replace(/<noscript>.*?<\/noscript>/gs, "");
    for (const other of names) if (text.includes(basename(other))) seen.add(other);
  }
  return seen;
}
