// Which constants a function refers to, exactly: the linker tells (--emit-relocs). Numbers in the code would not do, because a compiler
// may address a table by a place before it (`table - 4 * 'a'`), or write a number that only looks like an address.
//
// wasm-bindgen rewrites the program after the linker and gives its functions readable names, of which several may be the same. It is
// run once more, keeping the linker's names; the two results differ in names alone, which is checked function by function.
import { functions, references } from "./binary.mjs";
import { odd, plain } from "./text.mjs";

// `linked` is what the linker wrote, `page` the page's program and `again` the same with the linker's names; `func` are the functions
// of the page's program in text, in their order. Undefined if the linker told nothing.
export function constantUses({ linked, page, again, func }) {
  const known = references(linked);
  if (!known) return undefined;
  const [mine, theirs] = [functions(page), functions(again)];
  const texts = [...func];
  if (mine.length !== theirs.length || mine.length !== texts.length) {
    throw odd(`${mine.length}, ${theirs.length} and ${texts.length} functions should be the same ones`);
  }
  const byName = new Map();
  texts.forEach(([name, text], i) => {
    // Those that wasm-bindgen adds to convert its types come in no particular order; they refer to no constants.
    const adapter = [mine[i], theirs[i]].every((each) => each.name.endsWith(" shim"));
    if (!adapter && !mine[i].code.equals(theirs[i].code)) throw odd(`function ${i}, ${mine[i].name}, is another one the second time`);
    if (mine[i].name && !plain(name).startsWith(mine[i].name)) throw odd(`function ${i} is not ${plain(name)} but ${mine[i].name}`);
    byName.set(name, known.byFunction.get(theirs[i].name) ?? numbersIn(text, known.pieces));
  });
  return { reached: (kept, changing) => reached(known, kept.map((name) => byName.get(name)), changing) };
}

// Of a function that the linker does not know, because wasm-bindgen wrote it: every number that could be an address is one.
function numbersIn(text, pieces) {
  const numbers = [...text.matchAll(/(?:i32\.const |offset=)(\d+)/g)].map(([, number]) => Number(number));
  return new Set([...pieces.keys()].filter((i) => numbers.some((number) => number >= pieces[i].address && number < pieces[i].address + pieces[i].length)));
}

// Tells which constants can be reached from these functions, or from data that changes, directly or through other constants.
function reached({ pieces, byPiece }, used, changing) {
  const overlaps = (piece, { address, length }) => piece.address < address + length && address < piece.address + piece.length;
  const open = [...used.flatMap((set) => [...set]), ...[...pieces.keys()].filter((i) => changing.some((range) => overlaps(pieces[i], range)))];
  const seen = new Set();
  while (open.length > 0) {
    const piece = open.pop();
    if (seen.has(piece)) continue;
    seen.add(piece);
    open.push(...byPiece[piece]);
  }
  const ranges = [...seen].map((i) => pieces[i]).sort((a, b) => a.address - b.address);
  return (address, length) => ranges.some((range) => overlaps(range, { address, length }));
}
