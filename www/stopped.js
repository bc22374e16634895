// Says so when the program has stopped, by its own mistake or because it could not be loaded. Nothing else may be needed for that.
{
  const tell = (what) => {
    if (document.querySelector(".stopped")) return;
    const starting = document.querySelector(".starting");
    const box = document.createElement("div");
    box.className = "stopped";
    box.setAttribute("role", "alert");
    const add = (tag, text, more) => Object.assign(box.appendChild(document.createElement(tag)), { textContent: text }, more);
    add("strong", starting ? "The laboratory could not be started." : "The laboratory has stopped.");
    add("p", starting ? "Something it needs could not be loaded, or this browser does not know it." : "It made a mistake, and what is on screen no longer moves. The run is kept in the address of this page, as it was about a second before.");
    add("code", String(what?.message || what));
    add("button", starting ? "Try again" : "Open this run again", { onclick: () => location.reload() });
    if (location.hash) {
      add("a", "Link to this run", { href: location.href });
      add("a", "Start with the first scenario", { href: location.pathname + location.search });
    }
    starting?.remove();
    document.body.prepend(box);
  };
  // Only real errors: browsers also report here that a layout took two rounds, and what extensions do wrong.
  addEventListener("error", (event) => event.error && !/-extension:/.test(event.filename) && tell(event.error));
  addEventListener("unhandledrejection", (event) => tell(event.reason));
}
