// Trunk's post-build hook: divides the page's WebAssembly in two, so that the first picture does not wait for what it does
// not need. The loader fetches the rest as soon as that picture is there.
//
// How it works: scripts/split/divide.mjs. The page itself asks before it does what is only in the rest (src/app/web/rest.rs).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withoutLinking } from "./split/binary.mjs";
import { constantUses } from "./split/constants.mjs";
import { divide } from "./split/divide.mjs";
import { loader, shorten } from "./split/loader.mjs";
import { parse } from "./split/text.mjs";

// What the first picture does without: the other variants, what is done to a world and asked of it by hand, measuring, reading and
// writing documents, all that opens when it is asked for, and kinds of nodes that the page has none of.
const first = JSON.parse(readFileSync("scenarios/three-regions.json", "utf8")).variant.replaceAll("-", "_");
const LATER = new RegExp(
  [
    `quorumscope::protocols::(?!${first}\\b)\\w+`,
    "quorumscope::sim::world::World<.*>>::(carry_out_action|order|hush|possible|request_by_hand)\\b",
    "quorumscope::sim::world::World<.*>>::(happen|arrive|send)_in_trouble\\b|quorumscope::sim::world::World<.*>>::(crash|stabilise|befall_disk|stop_at_full_disk)\\b",
    "quorumscope::sim::world::World<.*>>::(divert|take_out|let_wait|pause|wake_up|forget_pause|set_deadlines|set_drift|jump|strike|struck|can_strike|recut)\\b",
    "quorumscope::sim::world::World<.*>>::(grip|can_grip|release|send_past_traps|lose|copy_of|caught|take_turns|turn|receive_next|arrive_at_processor|clear_processor)\\b",
    "quorumscope::sim::world::World<.*>>::(lie|split|deny|end_twin|stand_in|at_whichever_copy|whose|audience|forge|in_time|miss|arrive|deliver|handle|weigh_values)\\b",
    "^(core::ptr::drop_in_place::)?<quorumscope::sim::world::(trouble|links(?!::Link as)|cpu|lies|clock|grip|pause)::|<quorumscope::sim::timing::Timing>::(arrival|is_bounded)\\b|<quorumscope::core::command::Command>::forged\\b|<quorumscope::sim::action::\\w+ as core::fmt::Display>",
    "quorumscope::universe::Cluster<.*>::(act|fingerprint|fork|history|is_quiet)\\b|^quorumscope::universe::rules\\b|<quorumscope::judge::recovery::Recovering>::",
    "quorumscope::universe::story::leaderless\\b|quorumscope::universe::trouble\\b",
    "quorumscope::judge::linearizability\\b",
    "quorumscope::lab::(compare|outage|read|run)\\b|^quorumscope::lab::(atlas|check|fault|machines|places|quantity|workload)\\b|<quorumscope::lab::fault::(Fault|read::Reader)>::",
    "^<quorumscope::lab::(atlas::Matrix|places::Layout|quantity::\\w+|scenario::Scenario|workload::.*)>::|<quorumscope::lab::session::Session>::(branches|first_difference|new|part|switch)\\b|quorumscope::lab::session::branch::Branch>::",
    "^quorumscope::universe::variants?\\b",
    "quorumscope::lab::problem::(no_such|shortened)\\b|^<quorumscope::lab::problem::",
    "quorumscope::lab::session::(Replay|Document|DeedText|MomentText)\\b",
    "quorumscope_app::components::(branches|help|links|measurements|menu|messages|mishaps|setup|sheet|trouble)\\b",
    "quorumscope_app::charts::(bars|columns|table)\\b",
    "quorumscope_app::pages::(carry_out|keyboard|opening::(asked|link|with_variant)|lab::Lab>::(copy|intend|write_address))\\b",
    "^quorumscope_app::run::happened::",
    "quorumscope_app::web::(address::(link|pack|through|unpack)|handle|json)\\b",
    "yew::(virtual_dom::v|dom_bundle::b)(portal|raw|suspense)\\b",
    "\\b(serde_path_to_error|serde_wasm_bindgen|strsim)::",
    "\\bserde(_core)?::(de|ser)::",
    "<f64 as core::fmt::Display>|core::num::(bignum|flt2dec)\\b|<core::fmt::Formatter>::(pad|write)_formatted_parts",
    "<str>::to_lowercase|core::unicode\\b|<&str as core::fmt::Debug>",
  ].join("|"),
);

const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

if (process.env.TRUNK_PROFILE !== "release") process.exit(0);
const dist = process.env.TRUNK_STAGING_DIR;
const wasm = readdirSync(dist).find((name) => name.endsWith("_bg.wasm"));
const glue = wasm.replace("_bg.wasm", ".js");
const linked = join(process.env.CARGO_TARGET_DIR ?? "target", "wasm32-unknown-unknown/wasm-release/quorumscope-app.wasm");
const work = mkdtempSync(join(tmpdir(), "split-"));
try {
  const page = withoutLinking(readFileSync(join(dist, wasm)));
  writeFileSync(join(work, "whole.wasm"), page);
  binaryen("wasm-dis", join(work, "whole.wasm"), "-o", join(work, "whole.wat"));
  execFileSync("wasm-bindgen", ["--target", "web", "--no-typescript", "--no-demangle", "--out-dir", work, "--out-name", "again", linked]);
  const program = parse(readFileSync(join(work, "whole.wat"), "utf8"));
  const uses = constantUses({
    linked: readFileSync(linked),
    page,
    again: readFileSync(join(work, "again_bg.wasm")),
    func: program.func,
  });
  const renamed = shorten(program.importFunc);
  const { first, rest, kept, moved } = divide(program, isLater, uses);
  for (const [name, text] of [["bg", first], ["rest", rest]]) {
    writeFileSync(join(work, `${name}.wat`), text);
    binaryen("wasm-as", join(work, `${name}.wat`), "-o", join(work, `${name}.wasm`));
    binaryen("wasm-opt", "-Oz", "--strip-debug", "--strip-producers", join(work, `${name}.wasm`), "-o", join(dist, wasm.replace("_bg", `_${name}`)));
  }
  writeFileSync(join(dist, glue), loader(readFileSync(join(dist, glue), "utf8"), renamed));
  console.log(`split: ${kept.size} functions first, ${moved.length} later${uses ? "" : "; all constants first, as the linker did not tell who uses them"}`);
} finally {
  rmSync(work, { recursive: true });
}

// Runs one of binaryen's tools.
function binaryen(name, ...args) {
  const path = join("node_modules", ".bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing; run ./dev setup, which installs it`);
  execFileSync(path, [...FEATURES.map((feature) => `--enable-${feature}`), ...args], { stdio: ["ignore", "inherit", "inherit"] });
}

// `quorumscope[a1b2…]::lab` is `quorumscope::lab`: the compiler's hashes say nothing here.
function isLater(name) {
  return LATER.test(name.replace(/\[[0-9a-f]+\]/g, ""));
}
