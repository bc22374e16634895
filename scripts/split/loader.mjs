// The JavaScript that loads chunks: what wasm-split-cli says of them, and how wasm-bindgen's JavaScript gets to load them.

const ADAPT = "scripts/split/loader.mjs must be adapted";

// What wasm-split-cli's loader says: the files of each chunk that the source names, its own last, and the files that several share.
export function parts(text) {
  const shared = new Set([...text.matchAll(/^const __(chunk_\d+) = makeLoad\(/gm)].map(([, name]) => name));
  const chunks = new Map();
  for (const [, name, fetcher, needs] of text.matchAll(/^export const __wasm_split_load_(\w+) = wrapAsyncCb\(makeLoad\(([^]*?), \[([^\]]*)\]\)\);$/gm)) {
    const own = fetcher.match(/"\.\/(split_\w+)\.wasm"/)?.[1];
    const others = needs.match(/chunk_\d+/g) ?? [];
    chunks.set(name, own ? [...others, own] : others);
  }
  const named = [...text.matchAll(/"\.\/(\w+)\.wasm"/g)].map(([, name]) => name);
  const known = new Set([...shared, ...[...chunks.values()].flat()]);
  const lost = named.filter((name) => !known.has(name));
  if (chunks.size === 0 || lost.length > 0) throw new Error(`wasm-split-cli's loader is not as it used to be, and ${ADAPT}; not understood: ${lost}`);
  return { chunks, shared: [...shared] };
}

// Which files come together: all shared ones below `small` bytes in one, because many small requests cost more than some bytes too much; or rather in
// two, `shared` with what any of the `early` chunks needs, `later` with the rest. `groups`: the members of each file to be; `files`: the names of the files
// of each chunk.
export function together(chunks, shared, size, small, early) {
  const first = new Set(early.flatMap((chunk) => chunks.get(chunk) ?? []));
  const group = (name) => (first.has(name) ? "shared" : "later");
  const of = new Map(shared.map((name) => [name, size(name) < small ? group(name) : name.replace("chunk_", "shared-")]));
  const groups = new Map();
  const add = (name, member) => groups.set(name, [...(groups.get(name) ?? []), member]);
  for (const [member, name] of of) add(name, member);
  const files = new Map();
  for (const [chunk, members] of chunks) {
    const own = members.filter((member) => !of.has(member));
    own.forEach((member) => add(chunk, member));
    files.set(chunk, [...new Set(members.map((member) => of.get(member) ?? chunk))]);
  }
  return { groups, files };
}

// What a file of several modules holds: before each its length, four bytes, the lowest first.
export function packed(modules) {
  return Buffer.concat(modules.flatMap((module) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(module.length);
    return [length, module];
  }));
}

// wasm-bindgen's JavaScript for the main part, which now also loads the chunks. `files` as from `together`; `names` tells of each file
// what it is called.
export function divided(text, files, names) {
  const loaders = [...files].map(([chunk, needs]) => `    __wasm_split_load_${chunk}: loadChunk(${JSON.stringify(needs.map((name) => names.get(name)))}),`);
  return instead(text, "./__wasm_split.js", ["{", ...loaders, "}"].join("\n")) + LOADING;
}

// The same for a program that is all in one piece.
export function whole(text) {
  return instead(text, "__wasm_split_placeholder__", "new Proxy({}, { get: (_, name) => wholeProgram(name) })") + WHOLE;
}

// What is to be imported from `module` is `object` instead. wasm-bindgen writes a statement for every imported function, and hands each over to the program;
// once is enough.
function instead(text, module, object) {
  let first;
  const others = new Set();
  const once = text.replace(/^import \* as (\w+) from "([^"]+)";?\n/gm, (statement, name, from) => {
    if (from !== module) return statement;
    if (first) {
      others.add(name);
      return "";
    }
    first = name;
    return `const ${name} = ${object};\n`;
  });
  const changed = once.replace(/^\s*"([^"\n]+)": (\w+),\n/gm, (entry, from, name) => (from === module && others.has(name) ? "" : entry));
  if ([...others].some((name) => new RegExp(`\\b${name}\\b`).test(changed))) throw new Error(`wasm-bindgen's JavaScript uses what it imports in another way than it used to; ${ADAPT}`);
  if (!first) throw new Error(`wasm-bindgen's JavaScript imports nothing from ${module}: it is not as it used to be, and ${ADAPT}`);
  return changed;
}

const LOADING = `
// The chunks of the program (scripts/split.mjs). Every file is fetched once; one that could not be loaded, again when it is wanted again.
const chunkFiles = new Map();

function chunkFile(name) {
    if (!chunkFiles.has(name)) {
        const loaded = fetchChunk(name);
        chunkFiles.set(name, loaded);
        loaded.catch(() => chunkFiles.delete(name));
    }
    return chunkFiles.get(name);
}

async function fetchChunk(name) {
    const response = await fetch(new URL(name, import.meta.url));
    if (!response.ok) throw new Error(\`\${response.status} for \${name}\`);
    const bytes = await response.arrayBuffer();
    const modules = [];
    for (let at = 0; at < bytes.byteLength;) {
        const from = at + 4;
        at = from + new DataView(bytes).getUint32(at, true);
        modules.push(WebAssembly.instantiate(bytes.slice(from, at), { __wasm_split: wasm }));
    }
    await Promise.all(modules);
}

function loadChunk(files) {
    return async (callback, data) => {
        let loaded = true;
        try {
            await Promise.all(files.map(chunkFile));
        } catch (error) {
            console.warn(error);
            loaded = false;
        }
        wasm.__indirect_function_table.get(callback)(data, loaded);
    };
}
`;

const WHOLE = `
// In a debug build all chunks are there from the start (scripts/split.mjs).
function wholeProgram(name) {
    if (!name.startsWith("__wasm_split_load_")) return (...values) => wasm[name.replace("00_import_", "00_export_")](...values);
    return (callback, data) => queueMicrotask(() => wasm.__indirect_function_table.get(callback)(data, true));
}
`;
