// Keeps the page of `inv dashboard --serve` up to date: asks for a newer one, and changes in place what differs, so that
// scroll position, focus and what is folded out stay as they are.
"use strict";
(() => {
  const INTERVAL = 5000; // milliseconds; the server says how old a page may be
  const KEPT = new Set(["open", "tabindex"]); // what a reader has opened, and where Tab leads
  const place = document.createElement("aside");
  const status = document.createElement("p");
  const alarm = document.createElement("p");
  place.setAttribute("aria-label", "Refreshing");
  status.className = "quiet";
  alarm.className = "alarm";
  alarm.setAttribute("role", "status");
  place.append(status, alarm);
  document.querySelector("main").before(place);
  let number = 0;
  let timer = 0;

  // Bars have no id, but begin with the environment, the release and its beginning.
  const keyOf = (node) => node.id || (node.dataset?.text ?? "").split("\n")[0];
  const isSame = (node, wanted) => node.nodeName === wanted.nodeName && keyOf(node) === keyOf(wanted);

  const skipKept = (node) => (node?.dataset?.kept === undefined ? node : skipKept(node.nextSibling));

  function patch(node, wanted) {
    if (node.isEqualNode(wanted)) return;
    if (node.nodeType !== Node.ELEMENT_NODE) {
      node.data = wanted.data;
      return;
    }
    for (const { name } of [...node.attributes])
      if (!wanted.hasAttribute(name) && !KEPT.has(name)) node.removeAttribute(name);
    for (const { name, value } of wanted.attributes)
      if (node.getAttribute(name) !== value && !KEPT.has(name)) node.setAttribute(name, value);
    patchChildren(node, wanted);
  }

  function patchChildren(node, wanted) {
    const known = new Map([...node.children].filter(keyOf).map((child) => [keyOf(child), child]));
    let place = skipKept(node.firstChild);
    for (const child of wanted.childNodes) {
      const own = keyOf(child) ? known.get(keyOf(child)) : place;
      if (!own || !isSame(own, child)) {
        node.insertBefore(document.importNode(child, true), place);
        continue;
      }
      if (own === place) place = skipKept(own.nextSibling);
      else node.insertBefore(own, place);
      patch(own, child);
    }
    while (place) {
      const next = skipKept(place.nextSibling);
      place.remove();
      place = next;
    }
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    document.dispatchEvent(new CustomEvent("dashboard:parsed", { detail: fresh }));
    for (const part of ["header", "main"]) patch(document.querySelector(part), fresh.querySelector(part));
    document.dispatchEvent(new Event("dashboard:replaced"));
  }

  function warn(text) {
    if (alarm.textContent !== text) alarm.textContent = text; // read out only when it changes
  }

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden) return; // nobody looks
    try {
      const response = await fetch(`/live?after=${number}`, { cache: "no-store" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const news = await response.json();
      if (news.html !== null && number) show(news.html);
      number = news.number;
      status.textContent = `Read at ${news.at}; refreshes by itself`;
      warn(news.error && `This is the page of ${news.at}. It cannot be refreshed: ${news.error}`);
    } catch {
      warn("This page is no longer refreshed: inv dashboard --serve does not answer");
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, INTERVAL);
  }

  document.addEventListener("visibilitychange", refresh);
  refresh();
})();
