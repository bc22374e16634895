// The page without a network: after the first visit all of it is there.
import { test, expect } from "./fixtures.mjs";
import { state, until } from "./lab.mjs";

test.use({ keepsItself: true });

test("after the first visit the page works without a network, with every protocol", async ({ page, open, context, complaints }) => {
  await open("?speed=1:1");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => new Promise((there) => (navigator.serviceWorker.controller ? there() : setTimeout(there, 500)))));
  await context.setOffline(true);
  await page.reload();
  // The address tells the moment, so it opens there, paused.
  const { events } = await until(page, (run) => run.events > 0, "the run is there again");
  await page.getByRole("button", { name: "Play" }).click();
  await until(page, (run) => run.events > events, "it goes on");
  await page.getByRole("combobox", { name: "Protocol" }).selectOption("epaxos");
  await until(page, (run) => run.variant === "epaxos" && run.events > 0, "another protocol runs");
  expect((await state(page)).nodes.length).toBeGreaterThan(2);
  // That there is no network is told in the console, by the browser.
  const others = complaints.filter((line) => !/ERR_INTERNET_DISCONNECTED|net::ERR/.test(line));
  complaints.length = 0;
  expect(others).toEqual([]);
});
