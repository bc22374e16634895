// Says so when the program has stopped, by its own mistake or because it could not be loaded, and how loading gets on. Nothing else may be
// needed for that.
{
  const starting = () => document.querySelector(".starting");
  const tell = (what, helps) => {
    document.querySelector(".stopped")?.remove();
    const box = document.createElement("div");
    box.className = "stopped";
    box.setAttribute("role", "alert");
    const add = (tag, text, more) => Object.assign(box.appendChild(document.createElement(tag)), { textContent: text }, more);
    const start = starting();
    add("strong", start ? "The laboratory could not be started." : "The laboratory has stopped.");
    if (!start) add("p", "It made a mistake. The run is kept in the address of this page, as it was about a second before.");
    else if (helps) add("p", helps);
    else add("p", "Something it needs could not be loaded, or this browser does not know it.");
    add("code", String(what?.message || what));
    add("button", start ? "Try again" : "Open this run again", { onclick: () => location.reload() });
    if (location.hash) {
      add("a", "Link to this run", { href: location.href });
      add("a", "Start with the first scenario", { href: location.pathname + location.search });
    }
    // Whoever has it in a frame can show something else.
    if (parent !== window) parent.postMessage({ quorumscope: 1, type: "error", code: start ? "start" : "stopped", message: [String(what?.message || what), helps].filter(Boolean).join(" ") }, "*");
    // If it is only slow, it goes on beside this, and the page replaces both.
    document.querySelectorAll(".starting, .late").forEach((line) => (line.hidden = true));
    document.body.prepend(box);
  };

  // ---- While it starts ------------------------------------------------------------------------------------------

  const LOOK_AFTER = 5_000; // ms
  const ANSWER_WITHIN = 2_000; // ms
  let refused = ""; // What a content security policy did not let load.
  let asking = false;
  const name = (url) => new URL(url, location.href).pathname.split("/").pop();

  // What is wrong with a file, and what helps. Nothing: it is there.
  const wrongWith = async (url) => {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), ANSWER_WITHIN);
    try {
      const answer = await fetch(url, { signal: stop.signal });
      const type = answer.headers.get("content-type") ?? "";
      stop.abort();
      if (!answer.ok) return [`The host answers ${answer.status} for ${name(url)}.`, gone()];
      if (/html/.test(type)) return [`The host sends a page in place of ${name(url)}.`, gone()];
      if (!/\.wasm$/.test(url) && !/javascript|ecmascript/.test(type)) return [`The host sends ${name(url)} as ${type || "a file without a type"}.`, "Browsers run scripts only as text/javascript. Whoever runs the host can set that for .js."];
    } catch (error) {
      if (stop.signal.aborted) return [`${name(url)} has not come within ${(LOOK_AFTER + ANSWER_WITHIN) / 1_000} seconds.`, "The network or the host is slow. If it comes, the page goes on by itself."];
      if (refused) return policy();
      if (origin === "null") return [`${name(url)} could not be loaded into this frame.`, "A frame with sandbox but without allow-same-origin needs a host that answers with Access-Control-Allow-Origin: *."];
      return [`${name(url)} could not be loaded (${error.message}).`, "The network, a proxy or an ad blocker cut it off. Let this site pass, and try again."];
    } finally {
      clearTimeout(late);
    }
  };
  const gone = () => "The file is not there. Perhaps the site has just been published anew: reload with Ctrl+Shift+R." + (/\/$|\.html?$/.test(location.pathname) ? "" : " Or the address lacks a slash at its end.");
  const policy = () => [`A content security policy of the host refused: ${refused}.`, "The page needs script-src 'self' 'wasm-unsafe-eval', style-src 'self' and connect-src 'self'."];

  const lookForTheCause = async () => {
    if (asking || !starting()) return;
    asking = true;
    if (location.protocol === "file:" && !document.getElementById("files")) return tell(location.href, "Browsers run no programs from plain files. Serve the folder: python3 -m http.server, and open http://localhost:8000.");
    const files = [...document.querySelectorAll("link[rel=modulepreload], link[rel=preload]")].map((link) => link.href);
    const wrong = (await Promise.all(files.map(wrongWith))).find(Boolean) ?? (refused ? policy() : undefined);
    if (starting()) tell(...(wrong ?? ["All its files are there.", "This browser may be too old (it takes Chrome 96, Firefox 79 or Safari 15), or a rule of the host lets no script run."]));
  };

  addEventListener("securitypolicyviolation", (event) => (refused ||= `${event.effectiveDirective} ${event.blockedURI}`));
  // Errors of elements do not bubble: a script that is not there, or has a wrong type.
  addEventListener("error", (event) => event.target?.tagName === "SCRIPT" && lookForTheCause(), true);
  setTimeout(lookForTheCause, LOOK_AFTER);

  // Counts what has come of the program, and shows it if that takes longer than a moment.
  const load = window.fetch;
  const begun = performance.now();
  window.fetch = async (...asked) => {
    const answer = await load(...asked);
    if (!/\.wasm$/.test(answer.url) || !answer.body || !starting()) return answer;
    let bytes = 0;
    const count = new TransformStream({
      transform(part, out) {
        bytes += part.length;
        const start = starting();
        if (start && performance.now() > begun + 1_000) start.dataset.loaded = ` ${Math.round(bytes / 1_000)} KB have come.`;
        out.enqueue(part);
      },
    });
    return new Response(answer.body.pipeThrough(count), answer);
  };

  // ---- At any time ----------------------------------------------------------------------------------------------

  // Only real errors: browsers also report here that a layout took two rounds, and what extensions do wrong.
  addEventListener("error", (event) => event.error && !/-extension:/.test(event.filename) && tell(event.error));
  addEventListener("unhandledrejection", (event) => tell(event.reason));
}
