// The timeline by mouse and keyboard: one stop of the Tab key, arrows move, Escape hides. Without it, bars have titles.
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // its text is the name of the bar
  document.body.append(tip);

  const bars = () => [...document.querySelectorAll(".lane .bar")];
  const lanes = () => [...document.querySelectorAll(".row .lane")].filter((lane) => barsOf(lane).length);
  const barsOf = (lane) =>
    [...lane.querySelectorAll(".bar")].sort((a, b) => a.x.baseVal.value - b.x.baseVal.value);
  const barAt = (event) => event.target.closest?.(".lane .bar");

  function prepare() {
    for (const bar of bars()) {
      const title = bar.querySelector("title");
      if (!title) continue;
      bar.setAttribute("role", "button");
      const environment = bar.closest(".row").querySelector(".name").textContent;
      const [first, ...others] = title.textContent.trim().split("\n");
      bar.dataset.text = [`${environment}: ${first}`, ...others].join("\n");
      bar.setAttribute("aria-label", bar.dataset.text.replaceAll("\n", ", "));
      bar.setAttribute("tabindex", "-1");
      title.remove(); // else the browser shows it too
    }
    for (const lane of lanes()) lane.setAttribute("role", "group");
    if (!document.querySelector('.lane [tabindex="0"]')) {
      const first = lanes()[0];
      if (first) barsOf(first).at(-1).setAttribute("tabindex", "0");
    }
  }

  function show(bar) {
    tip.textContent = bar.dataset.text;
    tip.hidden = false;
    const box = bar.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(box.left, 8), document.documentElement.clientWidth - size.width - 8);
    const below = box.bottom + 8 + size.height < window.innerHeight;
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${below ? box.bottom + 8 : Math.max(box.top - size.height - 8, 8)}px`;
  }

  const hide = () => {
    tip.hidden = true;
  };

  function focus(bar) {
    for (const other of document.querySelectorAll('.lane [tabindex="0"]')) other.setAttribute("tabindex", "-1");
    bar.setAttribute("tabindex", "0");
    bar.focus();
  }

  function nearest(lane, bar) {
    const middle = (each) => each.getBoundingClientRect().left + each.getBoundingClientRect().width / 2;
    return barsOf(lane).reduce((a, b) => (Math.abs(middle(b) - middle(bar)) < Math.abs(middle(a) - middle(bar)) ? b : a));
  }

  function target(bar, key) {
    const lane = bar.closest(".row .lane");
    const own = barsOf(lane);
    const all = lanes();
    const place = own.indexOf(bar);
    const row = all.indexOf(lane);
    if (key === "ArrowLeft") return own[place - 1];
    if (key === "ArrowRight") return own[place + 1];
    if (key === "Home") return own[0];
    if (key === "End") return own.at(-1);
    const other = key === "ArrowUp" ? all[row - 1] : key === "ArrowDown" ? all[row + 1] : undefined;
    return other && nearest(other, bar);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    const bar = barAt(event);
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
  document.addEventListener("focusin", (event) => (barAt(event) ? show(barAt(event)) : hide()));
  document.addEventListener("focusout", hide);
  document.addEventListener("pointerover", (event) => barAt(event) && show(barAt(event)));
  document.addEventListener("pointerout", (event) => {
    if (barAt(event) && !barAt(event).contains(event.relatedTarget)) hide();
  });
  document.addEventListener("click", (event) => barAt(event) && focus(barAt(event)));
  document.addEventListener("scroll", hide, { passive: true });
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  document.addEventListener("dashboard:replaced", prepare); // after a refresh
  prepare();
})();
