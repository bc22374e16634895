// Lessons: one is walked with the mouse to its last task, one by keyboard alone.
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
