// The colours of www/style.css can be told apart from what they stand on, light and dark: text by a contrast of at least 4.5, graphics by at least 3
// (WCAG 2.2, 1.4.3 and 1.4.11).
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const style = readFileSync("www/style.css", "utf8");

// The variables of a rule, by name; those of the dark theme are on top of the light ones.
function variables(selector) {
  const rule = style.match(new RegExp(`^${selector.replace(/[[\]"]/g, "\\$&")} \\{\\n([^}]*)\\}`, "m"));
  assert.ok(rule, `there is a rule for ${selector}`);
  return Object.fromEntries([...rule[1].matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, color]) => [name, color]));
}

const light = variables(":root");
const themes = { light, dark: { ...light, ...variables(':root[data-theme="dark"]') } };
const PHASES = ["elect", "vote", "propose", "accept", "commit", "heartbeat", "transfer", "read", "refuse"];
const GROUNDS = ["paper", "panel", "land"];

// What is text, and what it stands on.
const TEXT = [
  ...["ink", "muted", "danger", "accent-text"].map((name) => [name, GROUNDS]),
  ["ink", ["accent-soft"]],
  ["muted", ["accent-soft"]],
  // Notices, and buttons in which the colours change places.
  ["paper", ["ink"]],
  ...PHASES.map((phase) => [`letter-${phase}`, [`phase-${phase}`]]),
];

// What is drawn, and what it stands on.
const GRAPHICS = [
  ...["faint", "shore", "accent", "danger", "timer", "hatch", "slot-applied", "slot-committed", "slot-rim"].map((name) => [name, GROUNDS]),
  ["dots", ["panel"]],
  // A dot is its rim where it has one, otherwise its surface.
  ...PHASES.map((phase) => [light[`rim-${phase}`] ? `rim-${phase}` : `phase-${phase}`, GROUNDS]),
  // The crown, and what a client is, have an outline of ink.
  ["ink", GROUNDS],
];

function luminance(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [less, more] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (more + 0.05) / (less + 0.05);
}

for (const [theme, colors] of Object.entries(themes)) {
  for (const [what, pairs, least] of [["text", TEXT, 4.5], ["graphics", GRAPHICS, 3]]) {
    test(`${what} in the ${theme} theme has a contrast of at least ${least}`, () => {
      const poor = pairs.flatMap(([name, grounds]) =>
        grounds.filter((ground) => contrast(colors[name], colors[ground]) < least).map((ground) => `${name} on ${ground}: ${contrast(colors[name], colors[ground]).toFixed(2)}`),
      );
      assert.deepEqual(poor, []);
    });
  }

  test(`in the ${theme} theme danger is none of the colours that mean something else`, () => {
    const hue = (color) => {
      const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
      const most = Math.max(red, green, blue);
      const span = most - Math.min(red, green, blue);
      const turn = most === red ? (green - blue) / span : most === green ? 2 + (blue - red) / span : 4 + (red - green) / span;
      return (60 * turn + 360) % 360;
    };
    for (const other of ["accent", "crown", "phase-elect", "phase-vote"]) {
      const apart = Math.abs(hue(colors.danger) - hue(colors[other]));
      assert.ok(Math.min(apart, 360 - apart) > 30, `danger and ${other} are ${apart.toFixed(0)} degrees apart`);
    }
  });
}

test("with forced colours no colour of ours is left", () => {
  const forced = style.match(/@media \(forced-colors: active\) \{\n {2}:root[^{]*\{([^}]*)\}/);
  const system = Object.fromEntries([...forced[1].matchAll(/--([\w-]+): (\w+);/g)].map(([, name, color]) => [name, color]));
  const own = Object.keys(light).filter((name) => !system[name]);
  assert.deepEqual(own, []);
  for (const phase of PHASES) assert.notEqual(system[`letter-${phase}`], system[`phase-${phase}`], phase);
  assert.notEqual(system["phase-refuse"], system["phase-propose"], "a refusal is told from the others");
});
