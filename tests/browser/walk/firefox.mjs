// Firefox as Debian has it (firefox-esr), by WebDriver BiDi, which puppeteer-core speaks.
import puppeteer from "puppeteer-core";

// Starts it with a window of this size. What it returns is what `webdriver.mjs` returns.
export async function firefox({ width, height }) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr",
    headless: true,
    defaultViewport: { width, height },
  });
  const page = await browser.newPage();
  return {
    name: (await browser.version()).replace("/", " "),
    open: (url) => page.goto(url),
    reload: () => page.reload(),
    back: () => page.evaluate(() => history.back()),
    evaluate: (body, ...args) => page.evaluate(body, ...args),
    click: ({ x, y }) => page.mouse.click(x, y),
    async drag(from, to) {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 3 });
      await page.mouse.move(to.x, to.y, { steps: 3 });
      await page.mouse.up();
    },
    press: (key) => page.keyboard.press(key),
    async within(selector, visit) {
      const element = await page.$(selector);
      const frame = await element.contentFrame();
      return visit((body, ...args) => frame.evaluate(body, ...args));
    },
    screenshot: () => page.screenshot(),
    close: () => browser.close(),
  };
}
