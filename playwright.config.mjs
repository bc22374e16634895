// Browser tests of the built page in dist/, served from a sub-path as on a shared static host. Run: ./dev browser
import { defineConfig, devices } from "@playwright/test";
import { BROWSER_FLAGS } from "./tests/browser/browser-flags.mjs";

const PORT = Number(process.env.QUORUMSCOPE_TEST_PORT ?? 8791);
const BASE = "/some/sub/path/";
const origin = `http://127.0.0.1:${PORT}`;

export default defineConfig({
  testDir: "tests/browser",
  // What is in walk/ runs under Node, in other browsers: ./dev walk
  testMatch: "**/*.spec.mjs",
  outputDir: "test-results/artifacts",
  // Waits end as soon as what they wait for is there; these are for machines that are slow, or busy with other things. A test
  // that passes only the second time is listed as flaky, and the trace of its failure is kept.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  retries: 1,
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    baseURL: origin + BASE,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: { executablePath: process.env.CHROME_PATH || undefined, args: BROWSER_FLAGS },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1280, height: 800 } } },
    // A phone: touch, small screen, high pixel density. Only tests that say @phone in their title.
    { name: "phone", grep: /@phone/, use: { ...devices["Pixel 7"] } },
  ],
  webServer: {
    command: `node scripts/serve.mjs --dir ${process.env.QUORUMSCOPE_DIST ?? "dist"} --base ${BASE} --port ${PORT} --strict-port`,
    url: origin + BASE,
    reuseExistingServer: false,
    timeout: 10_000,
  },
});
