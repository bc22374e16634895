// Reading and writing a WebAssembly program section by section (WebAssembly Core Specification, §5.5).

export const CUSTOM = 0;
export const IMPORTS = 2;
export const EXPORTS = 7;
export const CODE = 10;

// The sections of a program (a Buffer), in order: kind, and content. The program is `HEADER` and these.
export function sections(program) {
  const all = [];
  for (let at = HEADER; at < program.length; ) {
    const [length, from] = number(program, at + 1);
    all.push({ kind: program[at], content: program.subarray(from, from + length) });
    at = from + length;
  }
  return all;
}

// Bytes of the magic number and the version.
export const HEADER = 8;

// A section as it stands in a program.
export function section(kind, content) {
  return Buffer.concat([Buffer.from([kind, ...encoded(content.length)]), content]);
}

// A name as it stands in a section.
export function name(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(encoded(bytes.length)), bytes]);
}

// Where the type of an import ends: that of a function, table, memory or global.
export function endOfType(section, at) {
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
      throw new Error(`an import of kind ${section[at]}; scripts/split/wasm.mjs must be adapted`);
  }
}

// An unsigned LEB128 number, and where it ends.
export function number(bytes, at) {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) return [value, at];
  }
}

// A number as LEB128.
export function encoded(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
