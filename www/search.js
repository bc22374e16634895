// Runs the program that searches, in a worker. The page sends a job; each piece of news goes back as it comes (src/lab/job/). What is no text tells
// the page that the program could not be started. The build puts the names of the program's files in here (scripts/search.mjs).
import start, { UnderWay } from "./quorumscope-search.js";

addEventListener(
  "message",
  async ({ data: [, , job] }) => {
    await start();
    const work = new UnderWay(job, (news) => postMessage(news));
    while (work.advance());
  },
  { once: true },
);
addEventListener("unhandledrejection", ({ reason }) => {
  console.warn(reason);
  postMessage(null);
});
