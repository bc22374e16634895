// The features of WebAssembly that the page's program may use, beyond the first version of the language. wasm-opt refuses a program that uses another, and
// README's list of browsers follows from these (tests/scripts/browsers.test.mjs).
//
// The name of each for wasm-opt and, after `binaryen`, for the library, which tells parts of two of them apart; since which version each browser has it:
// webassembly.org/features.
export const FEATURES = {
  "bulk-memory": { words: "bulk memory", binaryen: ["BulkMemory", "BulkMemoryOpt"], Chrome: 75, Firefox: 79, Safari: 15 },
  multivalue: { words: "multiple values", binaryen: ["Multivalue"], Chrome: 85, Firefox: 78, Safari: 13.1 },
  "mutable-globals": { words: "mutable globals", binaryen: ["MutableGlobals"], Chrome: 74, Firefox: 61, Safari: 12 },
  "nontrapping-float-to-int": { words: "saturating conversions", binaryen: ["NontrappingFPToInt"], Chrome: 75, Firefox: 64, Safari: 15 },
  "reference-types": { words: "reference types", binaryen: ["ReferenceTypes", "CallIndirectOverlong"], Chrome: 96, Firefox: 79, Safari: 15 },
  "sign-ext": { words: "sign extension", binaryen: ["SignExt"], Chrome: 74, Firefox: 62, Safari: 14.1 },
};

// The oldest browsers that have them all.
export const BROWSERS = ["Chrome", "Firefox", "Safari"].map((browser) => {
  return `${browser.toLowerCase()}${Math.max(...Object.values(FEATURES).map((feature) => feature[browser]))}`;
});
