// The timeline by mouse and keyboard: one stop of the Tab key, arrows move, Escape hides. Without it, bars have titles.
"use strict";
(() => {
  const BARS = ".row rect, .row .mark";
  const HIDE_DELAY = 200; // milliseconds in which the pointer may move from a bar to its details

  const tip = document.createElement("div");
  const text = document.createElement("p");
  const run = document.createElement("a");
  tip.className = "tip";
  tip.hidden = true;
  tip.dataset.kept = ""; // by a refresh
  tip.setAttribute("role", "group");
  tip.setAttribute("aria-label", "Details");
  run.rel = "noreferrer";
  run.textContent = "CI run";
  tip.append(text, run);

  let shown = null; // the bar whose details are shown
  let timer = 0;

  const barsOf = (lane) => [...lane.querySelectorAll(BARS)].sort((a, b) => a.x.baseVal.value - b.x.baseVal.value);
  const lanes = () => [...document.querySelectorAll(".row .lane")].filter((lane) => lane.querySelector(BARS));
  const barOf = (node) => node?.closest?.(BARS);

  function prepare(root) {
    for (const bar of root.querySelectorAll(BARS)) {
      const title = bar.querySelector("title");
      if (!title) continue;
      const environment = bar.closest(".row").querySelector(".name").textContent;
      const [first, ...others] = title.textContent.trim().split("\n");
      bar.dataset.text = [`${environment}: ${first}`, ...others].join("\n");
      bar.setAttribute("aria-label", bar.dataset.text.replaceAll("\n", ", "));
      bar.setAttribute("role", "button");
      bar.setAttribute("tabindex", "-1");
      title.remove(); // else the browser shows it too
      bar.closest(".lane").setAttribute("role", "group");
    }
  }

  function resume() {
    if (shown?.isConnected) text.textContent = shown.dataset.text;
    place();
    if (!document.querySelector('.lane [tabindex="0"]')) {
      const first = lanes()[0];
      if (first) barsOf(first).at(-1).setAttribute("tabindex", "0");
    }
  }

  function place() {
    if (!shown?.isConnected) return hide();
    const box = shown.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const left = Math.max(Math.min(box.left, document.documentElement.clientWidth - size.width - 8), 8);
    const below = box.bottom + 6 + size.height < window.innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${below ? box.bottom + 6 : Math.max(box.top - size.height - 6, 8)}px`;
  }

  function show(bar) {
    clearTimeout(timer);
    if (shown === bar) return;
    shown = bar;
    const container = bar.closest(".lanes");
    container.append(tip); // the next stop of the Tab key after the bar
    text.textContent = bar.dataset.text;
    run.hidden = bar.dataset.run === undefined;
    if (!run.hidden) run.href = container.dataset.run + bar.dataset.run;
    tip.hidden = false;
    place();
  }

  function hide() {
    clearTimeout(timer);
    shown = null;
    tip.hidden = true;
  }

  function hideSoon() {
    clearTimeout(timer);
    timer = setTimeout(hide, HIDE_DELAY);
  }

  function focus(bar) {
    for (const other of document.querySelectorAll('.lane [tabindex="0"]')) other.setAttribute("tabindex", "-1");
    bar.setAttribute("tabindex", "0");
    bar.focus();
  }

  function nearest(lane, bar) {
    const middle = (each) => each.getBoundingClientRect().left + each.getBoundingClientRect().width / 2;
    const distance = (each) => Math.abs(middle(each) - middle(bar));
    return barsOf(lane).reduce((a, b) => (distance(b) < distance(a) ? b : a));
  }

  function target(bar, key) {
    const lane = bar.closest(".lane");
    const own = barsOf(lane);
    const all = lanes();
    const [place, row] = [own.indexOf(bar), all.indexOf(lane)];
    if (key === "ArrowLeft") return own[place - 1];
    if (key === "ArrowRight") return own[place + 1];
    if (key === "Home") return own[0];
    if (key === "End") return own.at(-1);
    const other = key === "ArrowUp" ? all[row - 1] : all[row + 1];
    return other && nearest(other, bar);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const bar = shown;
      hide();
      if (bar && document.activeElement === run) bar.focus();
    }
    const bar = barOf(event.target);
    if (!bar || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(bar);
    } else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      const next = target(bar, event.key);
      if (next) focus(next);
    }
  });
  document.addEventListener("focusin", (event) => {
    const bar = barOf(event.target);
    if (bar) show(bar);
    else if (!tip.contains(event.target)) hide();
  });
  document.addEventListener("pointerover", (event) => {
    const bar = barOf(event.target);
    if (bar) show(bar);
    else if (tip.contains(event.target)) clearTimeout(timer);
    else if (shown && shown !== document.activeElement && !tip.contains(document.activeElement)) hideSoon();
  });
  document.addEventListener("click", (event) => {
    const bar = barOf(event.target);
    if (bar) focus(bar);
    else if (!tip.contains(event.target)) hide();
  });
  document.addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);
  addEventListener("beforeprint", () => {
    hide();
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  document.addEventListener("dashboard:parsed", (event) => prepare(event.detail)); // before a refresh
  document.addEventListener("dashboard:replaced", resume); // after it
  prepare(document);
  resume();
})();
