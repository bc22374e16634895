// Short names for what a WebAssembly program imports from its JavaScript and exports to it. wasm-bindgen's names end in 16 hexadecimal
// digits of a hash, and rustc's are longer still; neither can be compressed, and each stands in both files.

const IMPORTS = 2;
const EXPORTS = 7;

// `program` (a Buffer) and the JavaScript `text` that goes with it, with short names. What other names than these the program has, stays.
export function shortened(program, text) {
  const long = /^(__wbg_|__wbindgen_generic_|_R|_ZN)/;
  const names = new Map();
  const short = (name) => {
    if (!long.test(name)) return name;
    if (!names.has(name)) names.set(name, `$${names.size.toString(36)}`);
    return names.get(name);
  };
  const parts = [program.subarray(0, 8)];
  for (let at = 8; at < program.length; ) {
    const [length, from] = number(program, at + 1);
    const content = program.subarray(from, from + length);
    const changed = program[at] === IMPORTS || program[at] === EXPORTS ? renamed(content, program[at], short) : content;
    parts.push(Buffer.from([program[at], ...encoded(changed.length)]), changed);
    at = from + length;
  }
  if (/\$\d/.test(text)) throw new Error("wasm-bindgen's JavaScript has names of the form $0 itself; scripts/split/names.mjs must be adapted");
  const changed = text.replace(/(?<![\w$])[_a-zA-Z][\w$]*/g, (name) => names.get(name) ?? name);
  return { program: Buffer.concat(parts), text: changed };
}

// A section of imports or exports with other names.
function renamed(section, kind, short) {
  let [count, at] = number(section, 0);
  const parts = [Buffer.from(encoded(count))];
  const keep = (end) => {
    parts.push(section.subarray(at, end));
    at = end;
  };
  const read = () => {
    const [length, from] = number(section, at);
    at = from + length;
    return section.toString("utf8", from, at);
  };
  const write = (name) => parts.push(Buffer.from([...encoded(Buffer.byteLength(name)), ...Buffer.from(name)]));
  for (; count > 0; count -= 1) {
    if (kind === IMPORTS) write(read());
    write(short(read()));
    keep(kind === IMPORTS ? endOfType(section, at) : number(section, at + 1)[1]);
  }
  return Buffer.concat(parts);
}

// Where the type of an import ends: that of a function, table, memory or global.
function endOfType(section, at) {
  const limits = (from) => (section[from] & 1 ? number(section, number(section, from + 1)[1])[1] : number(section, from + 1)[1]);
  switch (section[at]) {
    case 0:
      return number(section, at + 1)[1];
    case 1:
      return limits(at + 2);
    case 2:
      return limits(at + 1);
    case 3:
      return at + 3;
    default:
      throw new Error(`an import of kind ${section[at]}; scripts/split/names.mjs must be adapted`);
  }
}

// An unsigned LEB128 number, and where it ends.
function number(bytes, at) {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) return [value, at];
  }
}

function encoded(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
