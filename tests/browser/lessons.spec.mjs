// Lessons: one is walked with the mouse to its last task, one by keyboard alone.
import { readFileSync } from "node:fs";
import { test, expect, expectAccessible, screen } from "./fixtures.mjs";
import { item, menu, replica, state, until } from "./lab.mjs";

const lessons = (page) => page.getByRole("complementary", { name: "Lessons" });

test("a lesson is predicted, watched, told and built with the mouse, and the list remembers it @phone", async ({ page, open }) => {
  await open("?autoplay=false");
  await page.getByRole("button", { name: "Lessons" }).click();
  await expect(lessons(page).getByRole("heading", { name: "Lessons" })).toBeFocused();
  await expectAccessible(page);
  await lessons(page).getByRole("button", { name: "Can you stall it for ever?" }).click();
  await expect(page).toHaveURL(/[?&]lesson=stall-it/);
  // What is wrong is locked all the same.
  await lessons(page).getByLabel("Yes, after a few rounds").check();
  await screen(page, "lesson-asks");
  await lessons(page).getByRole("button", { name: "Lock it, and run" }).click();
  await expect(lessons(page)).toContainText("On the stage: Equal waits.");
  await lessons(page).getByRole("button", { name: "Skip to where it stops" }).click();
  await expect(lessons(page)).toContainText("Not as you said. You said: Yes, after a few rounds. It was: No, and every round fails.");
  await expect(lessons(page)).toContainText(/the ballots climbed to \d+, and 0 values were chosen/);
  expect((await state(page)).time).toBe(9_000_000);
  await expectAccessible(page);
  await screen(page, "lesson-told");
  await lessons(page).getByRole("button", { name: "Begin", exact: true }).click();
  await lessons(page).getByRole("button", { name: "Check it" }).click();
  await expect(lessons(page)).toContainText("Not yet.");
  await lessons(page).getByRole("button", { name: "Begin", exact: true }).click();
  await replica(page, 2).click();
  await item(page, "Crash").click();
  await until(page, (run) => !run.nodes[1].up, "node 2 is down");
  await lessons(page).getByRole("button", { name: "Check it" }).click();
  await expect(lessons(page)).toContainText("Your run reaches the goal.");
  await lessons(page).getByRole("button", { name: "All lessons" }).click();
  await expect(lessons(page).getByRole("region", { name: "To try again" })).toContainText("Can you stall it for ever?");
  await expect(lessons(page)).toContainText(/1 of \d+ predicted/);
  await expect(menu(page)).toHaveCount(0);
});

test("a lesson of the address is walked by keyboard, and Back leads to the list", async ({ page, open }) => {
  await open("?autoplay=false&lesson=where-should-the-leader-live");
  const panel = lessons(page);
  await panel.getByRole("button", { name: "All lessons" }).press("Enter");
  await expect(panel.getByRole("heading", { name: "Lessons" })).toBeFocused();
  await page.goBack();
  await expect(panel.getByRole("heading", { name: "Where should the leader live?" })).toBeVisible();
  await panel.getByLabel("West US 2").focus();
  await page.keyboard.press("ArrowDown");
  await expect(panel.getByLabel("West Central US")).toBeChecked();
  await panel.getByRole("button", { name: "Lock it, and run" }).press("Enter");
  await panel.getByRole("button", { name: "Skip to where it stops" }).press("Enter");
  await expect(panel).toContainText("As you said: West Central US.");
  await panel.getByLabel("The leader is node").selectOption("2");
  await expect(panel).toContainText("With these:");
  await panel.getByRole("button", { name: "Show one way" }).press("Enter");
  await expect(panel).toContainText("One way is on the stage.");
  await page.getByRole("button", { name: "Close lessons" }).press("Enter");
  await expect(panel).toHaveCount(0);
  await expect(page).not.toHaveURL(/lesson=/);
});

test("a lesson that there is none of is told with those that there are", async ({ page, open }) => {
  await open("?autoplay=false&lesson=two-master");
  await expect(lessons(page)).toContainText('There is no lesson "two-master"; did you mean "two-masters"?');
});

test("a lesson from a file is walked; one that makes no sense says what is wrong, and where", async ({ page, open }) => {
  await open("?autoplay=false&lesson");
  const panel = lessons(page);
  const text = readFileSync("docs/course-example/slow-link.toml", "utf8");
  const choose = (name, content) => panel.getByLabel("Open a lesson from a file…").setInputFiles({ name, mimeType: "application/toml", buffer: Buffer.from(content) });
  await choose("slow.toml", text);
  await expect(panel.getByRole("heading", { name: "One slow link" })).toBeVisible();
  await panel.getByRole("radio").first().check();
  await panel.getByRole("button", { name: "Lock it, and run" }).click();
  await panel.getByRole("button", { name: "Skip to where it stops" }).click();
  await expect(panel).toContainText(/A client waited .* with all three well/);
  await expectAccessible(page);
  await panel.getByRole("button", { name: "All lessons" }).click();
  // In place of the brace, TOML; unknown fields, and text that is neither.
  for (const [name, content, says] of [
    ["typo.toml", text.replace("question =", "qestion ="), /typo\.toml: .*qestion/],
    ["broken.toml", text.replace("[first]", "[first"), /broken\.toml: this is not TOML: line \d+/],
    ["broken.json", "{", /broken\.json: /],
    ["large.toml", `# ${"x".repeat(5_000_000)}`, /large\.toml: It is too large/],
  ]) {
    await choose(name, content);
    await expect(panel.locator(".wrong")).toContainText(says);
    if ((await panel.getByRole("button", { name: "All lessons" }).count()) > 0) await panel.getByRole("button", { name: "All lessons" }).click();
  }
});

test("a course page beside the laboratory has a lesson of its own, and collects what was answered", async ({ page, baseURL, complaints }) => {
  const folder = new URL("course-example/", baseURL).href;
  await page.route(`${folder}**`, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop() || "index.html";
    const headers = { "Access-Control-Allow-Origin": "*" };
    return route.fulfill({ path: `docs/course-example/${name}`, contentType: name.endsWith("html") ? "text/html" : "application/toml", headers });
  });
  await page.goto(folder);
  const frame = page.frameLocator("iframe[title^='One slow link']");
  await page.locator("[data-lesson$=toml]").scrollIntoViewIfNeeded();
  await frame.getByRole("radio").first().check();
  await frame.getByRole("button", { name: "Lock it, and run" }).click();
  await frame.getByRole("button", { name: "Skip to where it stops" }).click();
  const row = page.locator("#answers tr");
  await expect(row).toHaveCount(1);
  await expect(row).toContainText("course-example/slow-link.toml");
  await expect(row.locator("td").last()).toHaveText(/yes|no/);
  await page.reload();
  await expect(row).toHaveCount(1);
  expect(complaints).toEqual([]);
});

test("a lesson from another site, or one that is not there, is refused with the reason", async ({ page, open, complaints }) => {
  await open("?autoplay=false&lesson=https://other.example/lesson.toml");
  await expect(lessons(page).locator(".wrong")).toContainText("It is on another site, https://other.example.");
  await open("?autoplay=false&lesson=nowhere.toml");
  await expect(lessons(page).locator(".wrong")).toContainText("nowhere.toml: The server answers 404.");
  complaints.length = 0;
});
