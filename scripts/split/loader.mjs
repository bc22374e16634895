// The loader's part: wasm-bindgen's JavaScript, which also loads the rest of the program.

// The names under which the browser's functions are imported take several kilobytes; a number says as much. Changes the forms, and
// returns which is which.
export function shorten(imports) {
  const renamed = new Map();
  for (const [name, form] of imports) {
    const [start, from, key] = form.match(/^ \(import ("[^"]+") "([^"]+)"/) ?? [];
    if (!start) throw new Error(`an import looks odd: ${form}`);
    renamed.set(key, renamed.size.toString(36));
    imports.set(name, form.replace(start, ` (import ${from.startsWith('"./') ? '"js"' : from} "${renamed.get(key)}"`));
  }
  return renamed;
}

// `text` is wasm-bindgen's JavaScript, `renamed` what shorten gave.
export function loader(text, renamed) {
  const imports = /"\.\/[\w-]+_bg\.js": import0,/;
  const ready = "    wasm = instance.exports;";
  const missing = new Set(renamed.keys());
  const changed = text
    .replace(imports, `js: import0,\n        rest: { load: loadRestNow },`)
    .replace(ready, `${ready}\n    startRestSoon();`)
    .replace(/^ {8}(\w+): /gm, (definition, name) => (missing.delete(name) ? `        "${renamed.get(name)}": ` : definition));
  if (!imports.test(text) || !text.includes(ready) || missing.size > 0) {
    throw new Error(`wasm-bindgen's JavaScript is not as it used to be, and scripts/split/loader.mjs must be adapted${[...missing].map((name) => `\nnot found: ${name}`)}`);
  }
  return changed + REST;
}

const REST = `
// The rest of the program (scripts/split.mjs): fetched when the first picture is there, or at once if something of it is called.
const REST = import.meta.url.replace(/\\.js$/, "_rest.wasm");
let restIsHere = false;
let restUnderWay;

function startRest(module) {
    if (restIsHere) return;
    new WebAssembly.Instance(module, { first: wasm });
    restIsHere = true;
}

async function fetchRest() {
    const response = await fetch(REST);
    if (!response.ok) throw new Error(\`\${response.status} for \${REST}\`);
    return WebAssembly.compile(await response.arrayBuffer());
}

// A promise; asked again after a failure, it tries again.
function loadRest() {
    restUnderWay ??= fetchRest().then(startRest).catch((error) => {
        restUnderWay = undefined;
        throw error;
    });
    return restUnderWay;
}

function startRestSoon() {
    const shown = new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
    globalThis.quorumscopeRest = () => shown.then(loadRest);
    globalThis.quorumscopeRest().catch(() => {});
}

function loadRestNow() {
    if (restIsHere) return;
    const request = new XMLHttpRequest();
    request.open("GET", REST, false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) throw new Error("the rest of the page could not be loaded");
    startRest(new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0))));
}
`;
