// Reads WebAssembly's text format as wasm-dis writes it: one form for each function, type, import…, all referring to each other by name.
// What does not look as expected is an error: a form that was overlooked would be missing from the page.

const NAME = /\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)/g;
const KINDS = new Set(["type", "rec", "import", "global", "memory", "data", "table", "elem", "export", "start", "func"]);

// The forms of a module: functions and imported functions by name, all others in lists by kind.
export function parse(text) {
  const forms = { func: new Map(), importFunc: new Map(), lists: Object.fromEntries([...KINDS].map((kind) => [kind, []])) };
  const lines = text.trimEnd().split("\n");
  if (!lines.shift().startsWith("(module") || lines.pop() !== ")") throw odd("the module does not begin with (module and end with )");
  let open = null;
  for (const line of lines) {
    if (open) {
      open.push(line);
      if (line === " )") [add(open.join("\n")), (open = null)];
    } else if (line.startsWith(" (")) {
      if (balanced(line)) add(line);
      else open = [line];
    } else if (!/^\s*;;/.test(line)) {
      throw odd(`there is a line outside of any form: ${line.slice(0, 80)}`);
    }
  }
  if (open) throw odd(`a form does not end: ${open[0].slice(0, 80)}`);
  return forms;

  function add(form) {
    const kind = form.match(/^ \((\w+)/)?.[1];
    if (!KINDS.has(kind)) throw odd(`there is a form of an unknown kind: ${form.slice(0, 80)}`);
    const map = kind === "func" ? forms.func : kind === "import" && / \(func \$/.test(form) ? forms.importFunc : null;
    if (!map) return forms.lists[kind].push(form);
    const [name] = names(form);
    if (!name || map.has(name)) throw odd(`two functions have the same name, or one has none: ${form.slice(0, 80)}`);
    map.set(name, form);
  }
}

// What to say when wasm-dis writes otherwise than it used to.
export function odd(what) {
  return new Error(`wasm-dis did not write the page's program as it used to, and scripts/split/ must be adapted: ${what}`);
}

// The first group that a pattern finds.
export function found(text, pattern) {
  const match = text.match(pattern);
  if (!match) throw odd(`${pattern} is not in ${text.slice(0, 120)}`);
  return match[1];
}

function balanced(line) {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, "");
  return bare.split("(").length === bare.split(")").length;
}

// Names in a form, in order, as they are written.
export function names(form) {
  return form.match(NAME) ?? [];
}

// A name without what marks it as one.
export function plain(name) {
  return name.startsWith('$"') ? bytesOf(name.slice(2, -1)).toString() : name.slice(1);
}

// What a string in the text means.
export function bytesOf(text) {
  const SIGNS = { t: 9, n: 10, r: 13, '"': 34, "'": 39, "\\": 92 };
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      const letter = String.fromCodePoint(text.codePointAt(i));
      bytes.push(...Buffer.from(letter));
      i += letter.length - 1;
    } else if (text[i + 1] in SIGNS) {
      bytes.push(SIGNS[text[++i]]);
    } else {
      const digits = text.slice(i + 1, i + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits)) throw odd(`a string has \\${digits} in it`);
      bytes.push(parseInt(digits, 16));
      i += 2;
    }
  }
  return Buffer.from(bytes);
}

// Parameters and results of a function, without their names.
export function signature(form) {
  const head = form.split("\n")[0].replace(NAME, "$");
  const parts = head.match(/\((?:param|result) [^()]*\)/g) ?? [];
  return parts.map((part) => ` ${part.replace("$ ", "")}`).join("");
}
