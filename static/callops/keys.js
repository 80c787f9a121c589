/* Keys, and the palette: whatever a pointer reaches is reached without one. A key presses what says data-key. */
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (each) => each.checkVisibility() && !each.disabled;
  const goes = { l: "/", h: "/calls/" };
  let afterG = 0; // when g was pressed

  function step(by) {
    const rows = all(".row > a:first-child, .grid tbody td:first-child a, .grid tbody .choose + td a").filter(shown);
    const here = rows.findIndex((each) => (each.closest("tr") || each.parentElement).contains(document.activeElement));
    const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by];
    if (next) next.focus();
  }

  function press(target) {
    target.focus(), target.click();
    const opened = target.matches("summary") && target.parentElement.open && target.parentElement.querySelector("input:not([type=hidden]), textarea, select");
    if (opened) opened.focus();
  }

  const keys = {
    "/": () => ($("#q") ? $("#q").focus() : location.assign("/calls/")),
    "?": () => $("#keys") && $("#keys").showModal(),
    j: () => step(1),
    k: () => step(-1),
    g: () => (afterG = Date.now()),
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && $("#palette")) {
      event.preventDefault();
      return $("#palette").open ? $("#palette").close() : open();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (Object.hasOwn(goes, event.key) && Date.now() - afterG < 1500) return location.assign(goes[event.key]);
    const target = all(`[data-key="${CSS.escape(event.key)}"]`).find(shown);
    if (!target && !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    if (target) press(target);
    else keys[event.key]();
  });

  /* the palette: a combobox whose list the server fills; acts are those of this page */

  const options = () => all("#palette [role=option]:not([aria-disabled]):not([hidden])");

  function open() {
    const acts = all("[data-key], .acts button.act").filter(shown).map((each) => {
      const item = Object.assign(document.createElement("li"), { role: "option", id: `do-${each.dataset.key || "act"}`, textContent: each.textContent.trim().replace(/\s+/g, " ") });
      item.addEventListener("click", () => ($("#palette").close(), press(each)));
      return item;
    });
    $("#palette-acts").replaceChildren(...acts), ($("#palette-q").value = "");
    $("#palette").showModal();
    htmx.trigger("#palette-q", "look");
  }

  function choose(by) {
    const list = options();
    const here = list.findIndex((each) => each.ariaSelected === "true");
    for (const each of list) each.ariaSelected = "false";
    const next = list[(here + by + list.length) % list.length];
    if (!next) return;
    next.ariaSelected = "true";
    next.scrollIntoView({ block: "nearest" });
    $("#palette-q").setAttribute("aria-activedescendant", next.id);
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "palette-q") return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") event.preventDefault(), choose(event.key === "ArrowDown" ? 1 : -1);
    if (event.key === "Enter") event.preventDefault(), take();
  });
  let wanted = false; // Enter came before the list was of what had been typed
  function take() {
    const chosen = options().find((each) => each.ariaSelected === "true") || options()[0];
    wanted = $("#palette [data-asked]")?.dataset.asked !== $("#palette-q").value.trim() && !$("#palette-acts [role=option]:not([hidden])");
    if (chosen && !wanted) (chosen.querySelector("a") || chosen).click();
  }
  document.addEventListener("htmx:afterSettle", () => wanted && take());
  document.addEventListener("input", (event) => {
    const acts = event.target.id === "palette-q" ? $("#palette-acts").children : [];
    for (const each of acts) each.hidden = !each.textContent.toLowerCase().includes(event.target.value.trim().toLowerCase());
  });
})();
