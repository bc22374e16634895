/* Quorumscope in another page: <quorum-scope preset="three-regions"></quorum-scope>, or Quorumscope.embed(element, options). See docs/embedding.md. */
{
  // A module is nobody's current script.
  const script = document.currentScript ?? document.querySelector('script[src*="/embed.js"]');
  const here = new URL(".", script?.src || location.href).href;
  // What is not for the address of the frame.
  const OURS = ["src", "link", "title", "sandbox", "timeout", "resize", "picture", "class", "id", "style", "slot", "loading"];

  // No function declaration, which would be a global of the course's page.
  const embed = (element, options = {}) => {
    const { src = here, link = "", title = "Quorumscope: a simulated cluster", timeout = 8000, resize = false, loading = "eager" } = options;
    const address = new URL(src, location.href);
    address.searchParams.set("embed", "");
    for (const [name, value] of Object.entries(options)) {
      if (!OURS.includes(name) && !/^(on|data-|aria-)/.test(name) && value != null) address.searchParams.set(name, value);
    }
    const hash = link.split("#").pop();
    if (hash) address.hash = hash;

    const frame = document.createElement("iframe");
    Object.assign(frame, { src: address.href, title, loading });
    frame.setAttribute("sandbox", options.sandbox ?? "allow-scripts allow-popups allow-popups-to-escape-sandbox");
    frame.setAttribute("allow", "clipboard-write; fullscreen");
    frame.style.cssText = "display:block;width:100%;height:100%;min-height:420px;border:0";

    const listeners = {};
    const waiting = new Map();
    let number = 0;
    let late;
    // Why it is not there yet, in its own words: it may still come, and then goes on.
    let yet;
    // Whether it is ready, or has failed.
    let over = false;
    let settle;
    const ready = new Promise((resolve, reject) => (settle = { resolve, reject }));
    // Whoever does not look at it need not hear of it in the console as well.
    ready.catch(() => {});

    const failure = ({ code, message }) => Object.assign(new Error(message), { code });
    const tell = (message) => [...(listeners[message.type] ?? []), ...(listeners["*"] ?? [])].forEach((listener) => listener(message));
    const fail = (error) => {
      if (over) return;
      over = true;
      clearTimeout(late);
      settle.reject(failure(error));
      const out = new URL(address);
      out.searchParams.delete("embed");
      const link = Object.assign(document.createElement("a"), { href: out.href, target: "_blank", rel: "noopener" });
      const picture = Object.assign(document.createElement("img"), { src: options.picture ?? new URL("static-picture.svg", here).href, alt: "A leader in one region sends an entry to replicas in others; the nearest majority decides how long a client waits." });
      // Both fit into the height that the frame has had, if there is one.
      link.style.cssText = "display:flex;flex-direction:column;height:100%";
      picture.style.cssText = "width:100%;min-height:0;object-fit:contain";
      link.append(picture, `${title}. It could not be shown here (${error.message}): open it in a page of its own.`);
      if (frame.isConnected) frame.replaceWith(link);
      tell({ type: "error", ...error });
    };

    const hear = ({ source, origin, data }) => {
      if (source !== frame.contentWindow || data?.quorumscope !== 1) return;
      // A sandboxed frame has no origin of its own; the window alone tells that it is ours.
      if (origin !== "null" && origin !== address.origin && address.protocol !== "file:") return;
      if (data.type === "ready") {
        order("hello").then(({ state }) => {
          if (over) return;
          over = true;
          clearTimeout(late);
          settle.resolve(state);
        }, fail);
      }
      if (data.type === "resize" && resize) frame.style.height = `${data.height}px`;
      const asked = waiting.get(data.id);
      if (asked) {
        waiting.delete(data.id);
        return data.type === "done" ? asked.resolve(data.value) : asked.reject(failure(data));
      }
      if (data.type === "error" && !over) return data.code === "start" ? void (yet = data) : fail(data);
      tell(data);
    };
    const order = (command, more) =>
      new Promise((resolve, reject) => {
        if (!frame.contentWindow) return reject(failure({ code: "gone", message: "the frame is not there" }));
        const id = `${++number}`;
        waiting.set(id, { resolve, reject });
        frame.contentWindow.postMessage({ quorumscope: 1, command, id, ...more }, "*");
      });
    const text = (value) => (value === undefined || typeof value === "string" ? value : JSON.stringify(value));
    // Before it is ready nobody listens.
    const after = (command, more) => ready.then(() => order(command, more));

    addEventListener("message", hear);
    const begun = () => (late ??= setTimeout(() => fail(yet ?? { code: "timeout", message: `nothing came within ${timeout / 1000} seconds` }), timeout));
    // A frame that is loaded when it comes into view may wait for long.
    if (loading === "lazy") frame.addEventListener("load", begun, { once: true });
    else begun();
    element.replaceChildren(frame);

    return {
      frame,
      ready,
      play: () => after("play"),
      pause: () => after("pause"),
      step: () => after("step"),
      back: () => after("back"),
      restart: () => after("restart"),
      speed: (speed) => after("speed", { speed }),
      seek: (moment) => after("seek", { moment: typeof moment === "number" ? `${moment}us` : moment }),
      load: ({ scenario, ...more }) => after("load", { ...more, scenario: text(scenario) }),
      patch: (patch) => after("patch", { patch: text(patch) }),
      act: (action) => after("act", { action: text(action) }),
      export: (format) => after("export", { format }),
      state: () => after("state"),
      on(type, listener) {
        (listeners[type] ??= []).push(listener);
        return () => (listeners[type] = listeners[type].filter((other) => other !== listener));
      },
      finalize() {
        clearTimeout(late);
        removeEventListener("message", hear);
        for (const { reject } of waiting.values()) reject(failure({ code: "gone", message: "the frame was taken away" }));
        waiting.clear();
        frame.remove();
      },
    };
  };

  class QuorumScope extends HTMLElement {
    connectedCallback() {
      this.style.display ||= "block";
      const given = Object.fromEntries([...this.attributes].map(({ name, value }) => [name, value]));
      if (given.timeout) given.timeout = Number(given.timeout);
      if ("resize" in given) given.resize = given.resize !== "false";
      this.scope = embed(this, given);
      this.scope.on("*", (message) => this.dispatchEvent(new CustomEvent(`quorumscope-${message.type}`, { detail: message, bubbles: true })));
      this.scope.ready.then((state) => this.dispatchEvent(new CustomEvent("quorumscope-ready", { detail: state, bubbles: true })), () => {});
    }
    disconnectedCallback() {
      this.scope?.finalize();
      this.scope = undefined;
    }
  }
  customElements.get("quorum-scope") ?? customElements.define("quorum-scope", QuorumScope);
  window.Quorumscope = { embed };
}
