// Runs the page's program in a worker. The page sends the address of the program's JavaScript, the program, compiled, and a job, which the
// program finds here (src/app/work/job.rs). What is no text tells the page that the program could not be started.
addEventListener(
  "message",
  async ({ data: [script, program, job] }) => {
    self.job = job;
    const { default: start } = await import(script);
    await start({ module_or_path: program });
  },
  { once: true },
);
addEventListener("unhandledrejection", ({ reason }) => {
  console.warn(reason);
  postMessage(null);
});
