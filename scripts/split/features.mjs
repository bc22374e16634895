// The features of WebAssembly that the page's program may use, beyond the first version of the language. wasm-opt refuses a program that uses another, and
// README's list of browsers follows from these (tests/scripts/browsers.test.mjs).
//
// Since which version each browser has each: webassembly.org/features.
export const FEATURES = {
  "bulk-memory": { words: "bulk memory", Chrome: 75, Firefox: 79, Safari: 15 },
  multivalue: { words: "multiple values", Chrome: 85, Firefox: 78, Safari: 13.1 },
  "mutable-globals": { words: "mutable globals", Chrome: 74, Firefox: 61, Safari: 12 },
  "nontrapping-float-to-int": { words: "saturating conversions", Chrome: 75, Firefox: 64, Safari: 15 },
  "reference-types": { words: "reference types", Chrome: 96, Firefox: 79, Safari: 15 },
  "sign-ext": { words: "sign extension", Chrome: 74, Firefox: 62, Safari: 14.1 },
};

// The oldest browsers that have them all.
export const BROWSERS = ["Chrome", "Firefox", "Safari"].map((browser) => {
  return `${browser.toLowerCase()}${Math.max(...Object.values(FEATURES).map((feature) => feature[browser]))}`;
});
