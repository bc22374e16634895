// When the page does not start: within 8 seconds it says what is missing and what helps. Each host here does what some real one does.

import { test as base, expect } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const DIST = process.env.QUORUMSCOPE_DIST ?? "dist";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };
const isMain = (file, end) => file.startsWith("quorumscope-app") && file.endsWith(end);

// How a host answers: `file` is what was asked for, `answer` what it would get.
const HOSTS = {
  "the index is old and its files are gone": [(file, answer) => isMain(file, "") && Object.assign(answer, { status: 404, body: "gone" }), "answers 404", "Ctrl+Shift+R"],
  "the index stands in for files that are missing": [(file, answer) => isMain(file, "") && Object.assign(answer, { type: "text/html", body: "<p>index" }), "a page in place of", "Ctrl+Shift+R"],
  "scripts are sent as plain text": [(file, answer) => extname(file) === ".js" && (answer.type = "text/plain"), "as text/plain", "text/javascript"],
  "files are sent without types": [(_, answer) => (answer.type = null), "without a type", "text/javascript"],
  "a blocker cuts scripts off": [(file, answer) => extname(file) === ".js" && (answer.drop = true), "could not be loaded", "blocker"],
  "the script never comes": [(file, answer) => extname(file) === ".js" && (answer.never = true), "has not come within 7 seconds", "goes on by itself"],
  "the program never comes": [(file, answer) => isMain(file, ".wasm") && (answer.never = true), "has not come within 7 seconds", "goes on by itself"],
  "a policy of the host lets no program run": [(file, answer) => file === "index.html" && (answer.policy = "script-src 'unsafe-inline'"), "content security policy", "script-src 'self'"],
};

const test = base.extend({
  // Serves the page as `respond` says; gives its address without a slash at the end.
  host: async ({}, use) => {
    const servers = [];
    await use(async (respond) => {
      const server = createServer((request, response) => {
        const file = new URL(request.url, "http://x").pathname.replace(/^\/(site\/)?(site$)?/, "") || "index.html";
        const answer = { status: 200, type: TYPES[extname(file)] };
        try {
          answer.body = readFileSync(join(DIST, file));
        } catch {
          answer.status = 404;
        }
        respond(file, answer);
        if (answer.never) return;
        if (answer.drop) return response.destroy();
        const headers = { ...(answer.type && { "content-type": answer.type }), ...(answer.policy && { "content-security-policy": answer.policy }) };
        response.writeHead(answer.status, headers).end(answer.body ?? "");
      });
      await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
      servers.push(server);
      return `http://127.0.0.1:${server.address().port}/site`;
    });
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  },
});

for (const [circumstance, [respond, ...words]] of Object.entries(HOSTS)) {
  test(`says within 8 seconds that ${circumstance}`, async ({ page, host }) => {
    await page.goto(`${await host(respond)}/`, { waitUntil: "commit" });
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("could not be started", { timeout: 8_000 });
    for (const word of words) await expect(alert).toContainText(word);
    await expect(alert.getByRole("button", { name: "Try again" })).toBeVisible();
  });
}

test("says that the address lacks its slash", async ({ page, host }) => {
  // As hosts do that answer the folder's index without sending the browser to the folder: then relative addresses miss it.
  const address = await host((file, answer) => isMain(file, "") && Object.assign(answer, { status: 404, body: "" }));
  await page.goto(address, { waitUntil: "commit" });
  await expect(page.getByRole("alert")).toContainText("lacks a slash at its end", { timeout: 8_000 });
});

test("says in a sandboxed frame which header the host lacks", async ({ page, host }) => {
  const address = await host(() => {});
  await page.setContent(`<iframe src="${address}/?embed" title="lab" sandbox="allow-scripts" width="900" height="600"></iframe>`);
  await expect(page.frameLocator("iframe").getByRole("alert")).toContainText("Access-Control-Allow-Origin: *", { timeout: 8_000 });
});

test("says of a plain file that a server is needed", async ({ page }) => {
  await page.goto(pathToFileURL(resolve(DIST, "index.html")).href, { waitUntil: "commit" });
  await expect(page.getByRole("alert")).toContainText("python3 -m http.server", { timeout: 8_000 });
});

test("says what is needed where no script may run at all", async ({ page, host }) => {
  await page.goto(`${await host((file, answer) => file === "index.html" && (answer.policy = "script-src 'none'"))}/`, { waitUntil: "commit" });
  await expect(page.getByText("it needs JavaScript and WebAssembly")).toBeVisible({ timeout: 10_000 });
});

test("tells how much has come of a slow program, starts when it is there, and takes back that it is slow", async ({ page, host }) => {
  test.slow();
  const address = await host(() => {});
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.emulateNetworkConditions", { offline: false, latency: 20, downloadThroughput: 40_000, uploadThroughput: 40_000 });
  await page.goto(`${address}/`, { waitUntil: "commit" });
  await expect(page.locator(".starting")).toHaveAttribute("data-loaded", /\d+ KB have come/, { timeout: 30_000 });
  await page.waitForFunction(() => window.quorumscope, null, { timeout: 60_000 });
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(page.locator(".starting")).toHaveCount(0);
});
