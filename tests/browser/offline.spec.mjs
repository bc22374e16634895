// The page without a network: after the first visit all of it is there; and a newer one is told.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { test as base, expect } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

const DIST = process.env.QUORUMSCOPE_DIST ?? "dist";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };

// A site that can be published anew: then its service worker is another one.
const test = base.extend({
  site: async ({}, use) => {
    const site = { publications: 1 };
    const server = createServer(async (request, response) => {
      const name = new URL(request.url, "http://site").pathname.slice(1) || "index.html";
      const content = await readFile(join(DIST, name)).catch(() => undefined);
      response.writeHead(content ? 200 : 404, { "Content-Type": TYPES[extname(name)] ?? "text/plain", "Cache-Control": "no-cache" });
      response.end(name === "service-worker.js" ? `${content}\n// ${site.publications}` : content);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    site.address = `http://127.0.0.1:${server.address().port}/`;
    await use(site);
    server.closeAllConnections();
    server.close();
  },
});
test.use({ keepsItself: true });

test("after the first visit the page tells of a newer one, and works without a network, with every protocol", async ({ page, site, context, complaints }) => {
  await page.goto(`${site.address}?autoplay=false`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  // What is kept serves from the next load on.
  await page.reload();
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  const updates = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).onupdatefound !== null);
  await expect.poll(updates, { message: "the page looks for newer ones" }).toBe(true);
  site.publications = 2;
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await expect(page.locator(".notice")).toContainText("A newer version of this page has been published");
  await context.setOffline(true);
  await page.reload();
  // The address tells the moment, so it opens there, paused.
  const { events } = await until(page, (run) => run.events > 0, "the run is there again");
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.events > events, "it goes on");
  await page.getByRole("combobox", { name: "Protocol" }).selectOption("epaxos");
  await until(page, (run) => run.variant === "epaxos" && run.events > 0, "another protocol runs");
  expect((await state(page)).nodes.length).toBeGreaterThan(2);
  // The site is not the one that other tests are about, and that there is no network is told in the console, by the browser.
  const others = complaints.filter((line) => !/ERR_INTERNET_DISCONNECTED|net::ERR|request to another origin/.test(line));
  complaints.length = 0;
  expect(others).toEqual([]);
});
