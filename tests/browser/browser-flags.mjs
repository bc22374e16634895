// How Chromium is started, for Playwright and Lighthouse alike: without a sandbox, as containers need it, and without
// anything that talks to the network on its own.
export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
