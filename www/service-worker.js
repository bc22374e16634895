// Keeps the page for when there is no network: all its files, of one build. The build puts in which (scripts/offline.mjs).
const BUILD = "@BUILD@";
const FILES = ["@FILES@"];
const KEPT = `quorumscope-${BUILD}`;
// ms after which a page that is slow to come is taken from what is kept.
const PATIENCE = 4_000;

addEventListener("install", (event) => event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES))));

// The files of other builds go once no page of theirs is open any more: until then this one waits.
const forget = async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith("quorumscope-") && name !== KEPT);
  await Promise.all(names.map((name) => caches.delete(name)));
};
addEventListener("activate", (event) => event.waitUntil(forget()));

// A page comes from the network, so that it is the newest; everything else has its content in its name, or does not matter. What is kept has been unpacked, so
// it does not matter how a request would have it packed.
async function answer(request) {
  const kept = await caches.match(request, { ignoreSearch: true, ignoreVary: true });
  if (request.mode !== "navigate") return kept ?? fetch(request);
  const page = kept ?? (await caches.match("./"));
  if (!page) return fetch(request);
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const fresh = await fetch(request, { signal: stop.signal });
    return fresh.ok ? fresh : page;
  } catch {
    return page;
  } finally {
    clearTimeout(late);
  }
}

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(registration.scope)) event.respondWith(answer(event.request));
});
