// After a build: the service worker, which keeps the page for when there is no network (www/service-worker.js), gets the names of all files of this build, and
// a name for the build that changes when any of them does. No hook of Trunk's, since those run at the same time. Where it has not run, nothing is kept.
//
//   node scripts/offline.mjs dist
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { small } from "./split/tools.mjs";

const [dist] = process.argv.slice(2);
// Not for the page itself: what others embed it with, and what only the host reads.
const OTHERS = ["embed.js", "embed.d.ts", "_headers", "service-worker.js"];
const files = readdirSync(dist, { withFileTypes: true }).filter((file) => file.isFile() && !OTHERS.includes(file.name)).map(({ name }) => name).sort();
const build = createHash("sha256");
for (const name of files) build.update(name).update(readFileSync(join(dist, name)));
const list = files.map((name) => (name === "index.html" ? "./" : name));
const worker = readFileSync(join("www", "service-worker.js"), "utf8")
  .replace("@BUILD@", build.digest("hex").slice(0, 16))
  .replace('["@FILES@"]', JSON.stringify(list));
writeFileSync(join(dist, "service-worker.js"), small("js", worker));
