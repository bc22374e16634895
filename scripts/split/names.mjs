// Short names for what a WebAssembly program imports from its JavaScript and exports to it. wasm-bindgen's names end in 16 hexadecimal
// digits of a hash, and rustc's are longer still; neither can be compressed, and each stands in both files.

import { EXPORTS, HEADER, IMPORTS, encoded, endOfType, name, number, section, sections } from "./wasm.mjs";

// `program` (a Buffer) and the JavaScript `text` that goes with it, with short names; also for the modules that it imports from. What other names than these
// the program has, stays.
export function shortened(program, text) {
  const long = /^(__wbg_|__wbindgen_generic_|__wasm_split_load_|_R|_ZN)/;
  const names = new Map();
  const short = (name) => {
    if (!long.test(name)) return name;
    if (!names.has(name)) names.set(name, `$${names.size.toString(36)}`);
    return names.get(name);
  };
  const modules = new Map();
  const shortModule = (name) => {
    if (!modules.has(name)) modules.set(name, `$${modules.size}`);
    return modules.get(name);
  };
  const changed = sections(program).map(({ kind, content }) => section(kind, kind === IMPORTS || kind === EXPORTS ? renamed(content, kind, short, shortModule) : content));
  if (/\$\d/.test(text)) throw new Error("wasm-bindgen's JavaScript has names of the form $0 itself; scripts/split/names.mjs must be adapted");
  // Modules first: their names are in quotes, and those of the others in them are none of theirs.
  const parts = text.split(/("\.[^"\n]*")/).map((part, place) => {
    if (place % 2 === 1) return JSON.stringify(modules.get(JSON.parse(part)) ?? JSON.parse(part));
    return part.replace(/(?<![\w$])[_a-zA-Z][\w$]*/g, (name) => names.get(name) ?? name);
  });
  const script = parts.join("");
  return { program: Buffer.concat([program.subarray(0, HEADER), ...changed]), text: script };
}

// A section of imports or exports with other names.
function renamed(content, kind, short, shortModule) {
  let [count, at] = number(content, 0);
  const parts = [Buffer.from(encoded(count))];
  const keep = (end) => {
    parts.push(content.subarray(at, end));
    at = end;
  };
  const read = () => {
    const [length, from] = number(content, at);
    at = from + length;
    return content.toString("utf8", from, at);
  };
  const write = (text) => parts.push(name(text));
  for (; count > 0; count -= 1) {
    if (kind === IMPORTS) write(shortModule(read()));
    write(short(read()));
    keep(kind === IMPORTS ? endOfType(content, at) : number(content, at + 1)[1]);
  }
  return Buffer.concat(parts);
}
