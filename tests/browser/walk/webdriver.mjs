// WebKit as Debian has it (webkit2gtk-driver), by plain WebDriver: a session, and what the walk does with it. https://www.w3.org/TR/webdriver2/
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

// Starts a screen, the driver and the browser, with a window of this size. What it returns is what `firefox.mjs` returns.
export async function webkit({ width, height }) {
  const screen = await xvfb(width, height);
  const port = await freePort();
  const environment = { ...process.env, DISPLAY: screen.display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", NO_AT_BRIDGE: "1" };
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], { env: environment, stdio: "ignore" });
  const end = async () => {
    driver.kill();
    screen.end();
  };
  const ask = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
    });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  };
  try {
    await answering(`http://127.0.0.1:${port}/status`);
    const options = { binary: miniBrowser(), args: ["--automation"] };
    const started = await ask("POST", "/session", { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } } });
    const session = `/session/${started.sessionId}`;
    const post = (path, body) => ask("POST", session + path, body);
    await post("/window/rect", { x: 0, y: 0, width, height });
    const pointer = (actions) => post("/actions", { actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }] });
    const move = ({ x, y }) => ({ type: "pointerMove", duration: 60, origin: "viewport", x: Math.round(x), y: Math.round(y) });
    const [down, up] = [{ type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 }];
    const evaluate = (body, ...args) => post("/execute/sync", { script: `return (${body}).apply(null, arguments)`, args });
    return {
      name: `WebKit ${started.capabilities.browserVersion}`,
      open: (url) => post("/url", { url }),
      reload: () => post("/refresh"),
      back: () => post("/back"),
      evaluate: (body, ...args) => evaluate(body.toString(), ...args),
      click: (at) => pointer([move(at), down, up]),
      drag: (from, to) => pointer([move(from), down, move({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }), move(to), move(to), up]),
      press: (key) => post("/actions", { actions: [{ type: "key", id: "keys", actions: [{ type: "keyDown", value: key }, { type: "keyUp", value: key }] }] }),
      // What is evaluated within is evaluated in the frame.
      async within(selector, visit) {
        const found = await post("/element", { using: "css selector", value: selector });
        await post("/frame", { id: { [ELEMENT]: found[ELEMENT] } });
        try {
          return await visit((body, ...args) => evaluate(body.toString(), ...args));
        } finally {
          await post("/frame", { id: null });
        }
      },
      async screenshot() {
        return Buffer.from(await ask("GET", `${session}/screenshot`), "base64");
      },
      async close() {
        await ask("DELETE", session).catch(() => {});
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

// The small browser that comes with WebKitGTK: /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser, for example.
function miniBrowser() {
  const folders = ["/usr/lib", "/usr/libexec"].filter(existsSync);
  const inside = (folder) => readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const all = folders.flatMap((folder) => [folder, ...inside(folder)]).flatMap((folder) => inside(folder));
  const found = all.filter((folder) => /\/webkit2?gtk-[\d.]+$/.test(folder)).map((folder) => join(folder, "MiniBrowser")).find(existsSync);
  if (!found) throw new Error("there is no MiniBrowser of WebKitGTK below /usr/lib; the Debian package webkit2gtk-driver brings one");
  return found;
}

// A screen of its own, since WebKitGTK has no mode without one.
async function xvfb(width, height) {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", `${width}x${height}x24`, "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const display = await new Promise((told, failed) => {
    server.once("error", failed);
    server.once("exit", (code) => failed(new Error(`Xvfb ended with exit code ${code}`)));
    server.stdio[3].once("data", (number) => told(`:${String(number).trim()}`));
  });
  return { display, end: () => server.kill() };
}

const freePort = () =>
  new Promise((told) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => told(port));
    });
  });

async function answering(url) {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url);
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((over) => setTimeout(over, 100));
    }
  }
}
