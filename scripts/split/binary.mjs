// Reads WebAssembly's binary format, as far as dividing the page needs it.

/// Walks over bytes: numbers, names, blocks.
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  // A number of up to 64 bits; only small ones are looked at, so a double holds them.
  number() {
    let [value, scale, byte] = [0, 1, 128];
    while (byte >= 128) {
      byte = this.byte();
      value += (byte & 127) * scale;
      scale *= 128;
    }
    return value;
  }
  block(length = this.number()) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  name() {
    return Buffer.from(this.block()).toString();
  }
  done() {
    return this.at >= this.bytes.length;
  }
  // As many things as the number that comes first says.
  list(read) {
    return Array.from({ length: this.number() }, read);
  }
}

const CUSTOM = 0;
const [IMPORT, CODE, DATA] = [2, 10, 11];

// The sections of a module, in order. A custom section has a name, and `content` is what comes after it; `whole` is all of it.
export function sections(bytes) {
  if (bytes.readUInt32LE(0) !== 0x6d736100) throw new Error("this is no WebAssembly");
  const reader = new Reader(bytes, 8);
  const all = [];
  while (!reader.done()) {
    const from = reader.at;
    const id = reader.byte();
    const content = reader.block();
    const whole = bytes.subarray(from, reader.at);
    if (id !== CUSTOM) all.push({ id, name: "", content, whole });
    else {
      const inner = new Reader(content);
      const name = inner.name();
      all.push({ id, name, content: content.subarray(inner.at), whole });
    }
  }
  return all;
}

// A module without what the linker tells: wasm-bindgen passes it on, though it is no longer true.
export function withoutLinking(bytes) {
  const kept = sections(bytes).filter(({ name }) => name !== "linking" && !name.startsWith("reloc."));
  return Buffer.concat([bytes.subarray(0, 8), ...kept.map(({ whole }) => whole)]);
}

const find = (all, id, name = "") => all.find((section) => section.id === id && section.name === name)?.content;

// The functions of a module in order, without those that it imports: the name and the code of each.
export function functions(bytes) {
  const all = sections(bytes);
  const imported = importedFunctions(all);
  const names = new Map();
  const reader = new Reader(find(all, CUSTOM, "name") ?? Buffer.alloc(0));
  while (!reader.done()) {
    const FUNCTIONS = 1;
    const kind = reader.byte();
    const inner = new Reader(reader.block());
    if (kind === FUNCTIONS) inner.list(() => names.set(inner.number(), inner.name()));
  }
  const code = find(all, CODE);
  return codeBodies(code, imported).map(({ index, from, to }) => ({ name: names.get(index) ?? "", code: code.subarray(from, to) }));
}

function importedFunctions(all) {
  const reader = new Reader(find(all, IMPORT) ?? Buffer.from([0]));
  let functions = 0;
  reader.list(() => {
    [reader.name(), reader.name()];
    const kind = reader.byte();
    if (kind === 0) [functions++, reader.number()];
    else if (kind === 1) [reader.byte(), limits()];
    else if (kind === 2) limits();
    else if (kind === 3) [reader.byte(), reader.byte()];
    else throw new Error(`an import of kind ${kind} is not known here`);
  });
  return functions;

  function limits() {
    if (reader.byte() & 1) reader.number();
    reader.number();
  }
}

// What a module that was linked with --emit-relocs tells about its constants: where each piece of data lies, which pieces
// each function refers to, and which pieces each piece does. Undefined if it was not linked so.
export function references(bytes) {
  const all = sections(bytes);
  const linking = find(all, CUSTOM, "linking");
  if (!linking) return undefined;
  const { functions, data } = symbols(linking);
  const segments = find(all, DATA) ? dataSegments(find(all, DATA)) : [];
  const bodies = codeBodies(find(all, CODE), importedFunctions(all));
  const byFunction = new Map();
  for (const { at, piece } of relocations("reloc.CODE", CODE)) {
    const index = holder(bodies, at).index;
    for (const name of functions.get(index) ?? []) {
      if (!byFunction.has(name)) byFunction.set(name, new Set());
      byFunction.get(name).add(piece);
    }
  }
  for (const names of functions.values()) for (const name of names) if (!byFunction.has(name)) byFunction.set(name, new Set());
  const byPiece = segments.map(() => new Set());
  for (const { at, piece } of relocations("reloc.DATA", DATA)) byPiece[holder(segments, at).index].add(piece);
  return { pieces: segments.map(({ address, length }) => ({ address, length })), byFunction, byPiece };

  // The references of a section to data.
  function relocations(name, id) {
    // Kinds of references, as in LLVM's WasmRelocs.def: those that carry a number to add, and those of them that mean an address in memory.
    const ADDS = new Set([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25]);
    const ADDRESS = new Set([3, 4, 5, 11, 14, 15, 16, 17, 21, 23, 25]);
    const LAST_KNOWN = 26;
    const content = find(all, CUSTOM, name);
    if (!content) return [];
    const reader = new Reader(content);
    const section = reader.number();
    if (all[section]?.id !== id) throw new Error(`${name} is about another section than it says`);
    return reader
      .list(() => {
        const kind = reader.byte();
        if (kind > LAST_KNOWN) throw new Error(`${name} has a reference of kind ${kind}, which is not known here`);
        const [at, symbol] = [reader.number(), reader.number()];
        if (ADDS.has(kind)) reader.number();
        return { at, piece: ADDRESS.has(kind) ? data.get(symbol) : undefined };
      })
      .filter(({ piece }) => piece !== undefined);
  }
}

// Functions' names by index, and the piece of data that each symbol lies in.
function symbols(linking) {
  const [SYMBOL_TABLE, UNDEFINED, EXPLICIT_NAME] = [8, 0x10, 0x40];
  const functions = new Map();
  const data = new Map();
  const reader = new Reader(linking);
  const version = reader.number();
  if (version !== 2) throw new Error(`the linker writes version ${version} of its symbols; 2 is what is known here`);
  while (!reader.done()) {
    const kind = reader.byte();
    const inner = new Reader(reader.block());
    if (kind !== SYMBOL_TABLE) continue;
    let number = 0;
    inner.list(() => {
      const symbol = number++;
      const kind = inner.byte();
      const flags = inner.number();
      if (kind === 1) {
        inner.name();
        if (!(flags & UNDEFINED)) [data.set(symbol, inner.number()), inner.number(), inner.number()];
      } else if (kind === 3) {
        inner.number();
      } else if (kind <= 5) {
        const index = inner.number();
        const name = flags & UNDEFINED && !(flags & EXPLICIT_NAME) ? undefined : inner.name();
        if (kind === 0 && name !== undefined) functions.set(index, [...(functions.get(index) ?? []), name]);
      } else {
        throw new Error(`the linker has a symbol of kind ${kind}, which is not known here`);
      }
    });
  }
  return { functions, data };
}

// Where each function's code lies in its section.
function codeBodies(content, imported) {
  const reader = new Reader(content);
  let index = imported;
  return reader.list(() => {
    const length = reader.number();
    const from = reader.at;
    reader.block(length);
    return { index: index++, from, to: reader.at };
  });
}

// Where each piece of data lies in its section, and in memory.
function dataSegments(content) {
  const [I32_CONST, END] = [0x41, 0x0b];
  const reader = new Reader(content);
  let index = 0;
  return reader.list(() => {
    const kind = reader.number();
    if (kind !== 0 || reader.byte() !== I32_CONST) throw new Error("a piece of data has no fixed place in memory");
    const address = reader.number(); // signed in the format, but below 2 GB, and so padded that it reads the same
    if (reader.byte() !== END) throw new Error("a piece of data has no fixed place in memory");
    const length = reader.number();
    const from = reader.at;
    reader.block(length);
    return { index: index++, address, length, from, to: reader.at };
  });
}

// Which of these, in order, holds this place.
function holder(ranges, at) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle].to <= at) low = middle + 1;
    else high = middle;
  }
  if (!(ranges[low]?.from <= at)) throw new Error("a reference lies outside of all that could hold it");
  return ranges[low];
}
