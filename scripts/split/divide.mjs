// Divides a program in two modules that together do what it did.
//
// A function that is only needed later moves to the second module. Where the first module calls it, directly or through the function
// table, it finds a stub that sees to it that the second module is there and calls on through the table. The second module shares the
// first one's memory, table and globals, calls its functions, and puts its own into the table when it starts. So the division changes
// when code is loaded, never what it does: calling a function before its module is there makes the page wait for it, nothing worse.
import { bytesOf, found, names, odd, plain, signature } from "./text.mjs";

// `isLater` tells by its name whether a function moves; `uses`, if it is known, which constants a function refers to (constants.mjs).
export function divide({ func, importFunc, lists }, isLater, uses) {
  const calls = new Map();
  for (const [name, text] of func) {
    const called = text.matchAll(/\((?:call|return_call|ref\.func) (\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+))/g);
    calls.set(name, new Set([...called].map(([, callee]) => callee)));
  }
  const table = only(lists.table.filter((form) => form.includes("funcref")), "table of functions");
  const tableName = names(table)[0];
  const size = Number(found(table, / (\d+) \d+ funcref/));
  const elements = only(lists.elem, "list of the table's elements");
  const start = Number(found(elements, /\(i32\.const (\d+)\) func /));
  const inTable = names(elements.slice(elements.indexOf(" func ")));

  // First is what can be reached from outside, and through the table, without passing through anything that is for later.
  const kept = new Set();
  const stubs = new Set(inTable.filter((name) => func.has(name) && isLater(plain(name))));
  const entries = [...lists.export.filter((form) => form.includes("(func ")), ...lists.start].map((form) => names(form)[0]);
  const open = [...entries, ...inTable, ...lists.global.flatMap((form) => names(form).slice(1))];
  while (open.length > 0) {
    const name = open.pop();
    if (kept.has(name) || !func.has(name)) continue;
    if (isLater(plain(name))) {
      stubs.add(name);
      continue;
    }
    kept.add(name);
    open.push(...calls.get(name));
  }
  const moved = [...func.keys()].filter((name) => !kept.has(name));
  const data = divideData(lists.data, kept, uses);

  // Every stub has a place in the table: the one it had, or a new one at the end.
  const places = new Map();
  inTable.forEach((name, i) => stubs.has(name) && places.set(name, [...(places.get(name) ?? []), start + i]));
  let end = size;
  for (const name of stubs) if (!places.has(name)) places.set(name, [end++]);

  // What the second module uses of the first.
  const used = new Set(moved.flatMap((name) => [...calls.get(name)].filter((callee) => !func.has(callee) || kept.has(callee))));
  const shared = [...used].map((name, i) => [name, `${i}`]);
  const globals = lists.global.map((form, i) => ({ name: names(form)[0], type: found(form, /(\(mut \w+\)|\b[if](?:32|64)\b)/), key: `g${i}` }));
  const tables = lists.table.map((form, i) => ({ name: names(form)[0], type: found(form, /(\w+ref)\)$/), key: `t${i}` }));
  const memory = only(lists.memory, "memory");

  const first = [
    ...lists.type,
    ...lists.rec,
    ...lists.import,
    ...importFunc.values(),
    ` (import "rest" "load" (func $load-rest))`,
    ...lists.global,
    memory,
    ...data.first,
    ...lists.table.map((form) => (form === table ? form.replace(/ \d+ \d+ funcref/, ` ${end} ${end} funcref`) : form)),
    elements,
    ...lists.export,
    ...lists.start,
    ...[...kept].map((name) => func.get(name)),
    ...[...stubs].map((name) => stub(name, func.get(name), tableName, places.get(name)[0])),
    ...[...places].filter(([, [place]]) => place >= size).map(([name, [place]]) => ` (elem (table ${tableName}) (i32.const ${place}) func ${name})`),
    ...shared.map(([name, key]) => ` (export "${key}" (func ${name}))`),
    ...globals.map(({ name, key }) => ` (export "${key}" (global ${name}))`),
    ...tables.map(({ name, key }) => ` (export "${key}" (table ${name}))`),
  ];
  const rest = [
    ...lists.type,
    ...lists.rec,
    ...globals.map(({ name, type, key }) => ` (import "first" "${key}" (global ${name} ${type}))`),
    ` (import "first" "memory" (memory ${names(memory)[0]} 1))`,
    ...tables.map(({ name, type, key }) => ` (import "first" "${key}" (table ${name} 1 ${type}))`),
    ...shared.map(([name, key]) => ` (import "first" "${key}" (func ${name}${signature(func.get(name) ?? importFunc.get(name))}))`),
    ...[...places].flatMap(([name, all]) => all.map((place) => ` (elem (table ${tableName}) (i32.const ${place}) func ${name})`)),
    ...data.rest,
    ...moved.map((name) => func.get(name)),
  ];
  const module = (forms) => `(module\n${forms.join("\n")}\n)\n`;
  return { first: module(first), rest: module(rest), kept, moved, stubs };
}

function only(forms, what) {
  if (forms.length !== 1) throw odd(`there is not one ${what}, but ${forms.length}`);
  return forms[0];
}

// Stands for a function until the second module is there: then its place in the table has the function itself.
function stub(name, form, table, place) {
  const types = signature(form);
  const params = types.match(/\(param [^()]*\)/g)?.flatMap((part) => part.slice(7, -1).split(" ")) ?? [];
  const results = types.match(/\(result [^()]*\)/g)?.join(" ") ?? "";
  const declared = params.map((type, i) => `(param $${i} ${type})`).join(" ");
  const args = params.map((_, i) => `(local.get $${i})`).join(" ");
  const type = [...params.map((each) => `(param ${each})`), results].join(" ");
  return ` (func ${name} ${declared} ${results} (call $load-rest) (call_indirect ${table} ${type} ${args} (i32.const ${place})))`;
}

// Constants that only the rest refers to move there too. Without exact knowledge of who refers to what, all stay.
function divideData(forms, kept, uses) {
  if (!uses) return { first: forms, rest: [] };
  const all = forms.map((form) => ({
    constant: form.includes("(data $.rodata"),
    address: Number(found(form, /\(i32\.const (\d+)\)/)),
    bytes: bytesOf(form.slice(form.indexOf(') "') + 3, form.lastIndexOf('"'))),
  }));
  all.sort((a, b) => a.address - b.address);
  const changing = all.filter(({ constant }) => !constant).map(({ address, bytes }) => ({ address, length: bytes.length }));
  const reached = uses.reached([...kept], changing);
  const isFirst = ({ constant, address, bytes }) => !constant || reached(address, bytes.length);
  return {
    // The few bytes between two constants of the first module may be the rest's, which writes them later; but not the other way round.
    first: joined(all.filter(isFirst), 16),
    rest: joined(all.filter((each) => !isFirst(each)), 0),
  };
}

// Neighbours with at most `gap` bytes between them as one.
function joined(segments, gap) {
  const runs = [];
  for (const { address, bytes } of segments) {
    const last = runs.at(-1);
    if (last && address - last.end <= gap) last.parts.push(Buffer.alloc(address - last.end), bytes);
    else runs.push({ address, parts: [bytes] });
    runs.at(-1).end = address + bytes.length;
  }
  const text = (parts) => [...Buffer.concat(parts)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return runs.map(({ address, parts }) => ` (data (i32.const ${address}) "${text(parts)}")`);
}
