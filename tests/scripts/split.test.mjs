// Tests of scripts/split/: the page's program divided in two is still the same program.
import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functions, references, withoutLinking } from "../../scripts/split/binary.mjs";
import { divide } from "../../scripts/split/divide.mjs";
import { loader, shorten } from "../../scripts/split/loader.mjs";
import { bytesOf, parse, plain } from "../../scripts/split/text.mjs";

const work = mkdtempSync(join(tmpdir(), "quorumscope-split-"));
const assemble = (name, text) => {
  writeFileSync(join(work, `${name}.wat`), text);
  execFileSync("node_modules/.bin/wasm-as", ["--enable-bulk-memory", "--enable-reference-types", join(work, `${name}.wat`), "-g", "-o", join(work, `${name}.wasm`)]);
  return readFileSync(join(work, `${name}.wasm`));
};

// `early` looks something up by a place before the table, and calls `later` directly and through the function table.
const PROGRAM = `(module $program
 (type $0 (func (param i32) (result i32)))
 (import "./page_bg.js" "__wbg_note_1" (func $note (param i32)))
 (global $stack (mut i32) (i32.const 64))
 (memory $0 1)
 (data $.rodata (i32.const 1024) "\\05\\06\\07\\08")
 (data $.rodata.later (i32.const 1032) "\\09\\"\\t")
 (data $.data (i32.const 1040) "\\01")
 (table $0 2 2 funcref)
 (elem $0 (i32.const 1) func $later)
 (export "memory" (memory $0))
 (export "early" (func $early))
 (func $early (param $0 i32) (result i32)
  (call $note
   (local.get $0)
  )
  (i32.add
   (i32.load8_u
    (i32.add
     (i32.const 624)
     (local.get $0)
    )
   )
   (i32.add
    (call $"page::later (a \\"b\\")"
     (i32.const 0)
    )
    (call_indirect $0 (type $0)
     (i32.const 1)
     (i32.const 1)
    )
   )
  )
 )
 (func $later (param $0 i32) (result i32)
  (i32.add
   (global.get $stack)
   (i32.load8_u offset=1032
    (local.get $0)
   )
  )
 )
 (func $"page::later (a \\"b\\")" (param $0 i32) (result i32)
  (call $later
   (local.get $0)
  )
 )
)
`;

test("a program divided in two gives what it gave, with the second part loaded when it is called", () => {
  const program = parse(PROGRAM);
  const renamed = shorten(program.importFunc);
  assert.deepEqual([...renamed], [["__wbg_note_1", "0"]]);
  // The table's first constants are those that `early` refers to, by whatever number.
  const uses = { reached: () => (address) => address === 1024 };
  const { first, rest, kept, moved, stubs } = divide(program, (name) => /later/.test(name), uses);
  assert.deepEqual([[...kept], moved, stubs.size], [["$early"], ["$later", '$"page::later (a \\"b\\")"'], 2]);
  const [one, two] = [assemble("first", first), assemble("rest", rest)].map((bytes) => new WebAssembly.Module(bytes));
  const noted = [];
  let loaded = 0;
  const instance = new WebAssembly.Instance(one, {
    js: { 0: (number) => noted.push(number) },
    rest: { load: () => loaded++ || new WebAssembly.Instance(two, { first: instance.exports }) },
  });
  const memory = new Uint8Array(instance.exports.memory.buffer);
  assert.deepEqual([memory[1024], memory[1032], memory[1040]], [5, 0, 1], "the rest's constants come with the rest");
  const whole = new WebAssembly.Instance(new WebAssembly.Module(assemble("whole", PROGRAM)), { "./page_bg.js": { __wbg_note_1: () => {} } });
  for (const letter of [400, 401]) assert.equal(instance.exports.early(letter), whole.exports.early(letter));
  assert.deepEqual([noted, memory[1032]], [[400, 401], 9]);
  // Direct calls ask every time; calls through the table reach the function itself, once it is there.
  assert.equal(loaded, 2);
  // Without knowledge of who uses what, all constants come first.
  assert.ok(divide(parse(PROGRAM), (name) => /later/.test(name)).first.includes("1032"));
});

test("what does not look as wasm-dis and wasm-bindgen used to write it is an error, not a page with holes", () => {
  assert.throws(() => parse("something else"), /must be adapted/);
  assert.throws(() => parse("(module\n (novelty $0)\n)"), /unknown kind: .*novelty/);
  assert.throws(() => parse("(module\n (func $a\n  (nop)\n)"), /does not end/);
  assert.throws(() => parse("(module\n (func $a)\n (func $a)\n)"), /same name/);
  const twoLists = PROGRAM.replace(" (elem $0", " (elem $1 (i32.const 0) func $early)\n (elem $0");
  assert.throws(() => divide(parse(twoLists), () => false), /not one list of the table's elements, but 2/);
  assert.throws(() => loader("something else", new Map([["__wbg_note_1", "0"]])), /loader.mjs must be adapted\nnot found: __wbg_note_1/);
});

test("names and strings are read as they are meant", () => {
  assert.equal(plain('$"a \\"b\\" \\e2\\86\\92"'), 'a "b" →');
  assert.deepEqual([...bytesOf('a\\n\\00\\ff"é')], [97, 10, 0, 255, 34, 0xc3, 0xa9]);
  assert.throws(() => bytesOf("\\zz"), /must be adapted/);
});

test("references are the linker's, whatever number stands in the code", () => {
  // As wasm-ld --emit-relocs writes it: one function that loads from 388 bytes before piece 1, and piece 1 pointing to piece 0.
  const number = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...number(Math.floor(value / 128))]);
  const padded = (value) => [0, 7, 14, 21].map((shift) => ((value >> shift) & 127) | 128).concat((value >> 28) & 15);
  const name = (text) => [...number(text.length), ...Buffer.from(text)];
  const section = (id, ...content) => [id, ...number(content.length), ...content];
  const custom = (title, ...content) => section(0, ...name(title), ...content);
  const piece = (address, ...bytes) => [0, 0x41, ...padded(address), 0x0b, bytes.length, ...bytes];
  const body = [0, 0x41, ...padded(1028 - 388), 0x1a, 0x0b];
  const symbols = [3, 0, 0, 0, ...name("reader"), 1, 0, ...name("zero"), 0, 0, 4, 1, 0, ...name("one"), 1, 0, 4];
  const bytes = Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 0, 0),
    ...section(3, 1, 0),
    ...section(10, 1, body.length, ...body),
    ...section(11, 3, ...piece(1024, 1, 2, 3, 4), ...piece(1028, 0, 4, 0, 0), ...piece(1032, 9)),
    ...custom("linking", 2, 8, ...number(symbols.length), ...symbols),
    ...custom("reloc.CODE", 2, 1, 4, 4, 2, 0x7c, 0x7c),
    ...custom("reloc.DATA", 3, 1, 5, 1 + 9 + 4 + 9, 1, 0),
  ]);
  const { pieces, byFunction, byPiece } = references(bytes);
  assert.deepEqual(pieces, [{ address: 1024, length: 4 }, { address: 1028, length: 4 }, { address: 1032, length: 1 }]);
  assert.deepEqual(byFunction, new Map([["reader", new Set([1])]]));
  assert.deepEqual(byPiece, [new Set(), new Set([0]), new Set()]);
  assert.equal(functions(bytes)[0].code.length, body.length);
  assert.equal(references(withoutLinking(bytes)), undefined);
});
