/* Acts on the call page: hold to hang up, a preview of words to say, three seconds to think before a transfer. */
(() => {
  "use strict";
  const on = (names, act, capture) => names.split(" ").forEach((name) => document.addEventListener(name, act, capture));
  const holdable = (event) => event.target.closest && event.target.closest("[data-hold]");
  let held = null; // the button and its timer
  let counting = null; // the form and its timer

  function release() {
    if (held) clearTimeout(held.timer), delete held.button.dataset.holding;
    held = null;
  }
  function hold(button) {
    if (held || button.disabled) return;
    button.dataset.holding = "";
    held = { button, timer: setTimeout(() => { release(); button.click(); }, 900) };
  }
  on("pointerdown", (event) => holdable(event) && event.button === 0 && hold(holdable(event)));
  on("keydown", (event) => {
    if (!holdable(event) || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    if (!event.repeat) hold(holdable(event));
  });
  on("pointerup pointercancel keyup visibilitychange", release);

  function stop() {
    if (counting) clearInterval(counting.timer), (counting.form.querySelector(".counting").hidden = true);
    counting = null;
  }
  function countDown(form, left) {
    form.querySelector(".counting").hidden = left <= 0;
    form.querySelector("[data-left]").textContent = left;
    if (left <= 0) stop(), form.dataset.sure = "", form.requestSubmit();
  }
  on("submit", (event) => {
    const form = event.target;
    if (!form.dataset.countdown || "sure" in form.dataset) return;
    event.preventDefault();
    let left = Number(form.dataset.countdown);
    if (!counting) counting = { form, timer: setInterval(() => countDown(form, (left -= 1)), 1000) };
    countDown(form, left);
  });
  on("click", (event) => { // a click of the pointer itself was too short; those of a held button or a script have no detail
    const short = event.detail > 0 && holdable(event);
    if (short) event.preventDefault(), event.stopPropagation(), (short.dataset.short = "");
    const fill = event.target.closest("[data-fill]");
    if (fill) document.getElementById(fill.dataset.fill).value = fill.dataset.words;
    if (event.target.closest("[data-stop]")) stop();
  }, true);
  on("toggle", (event) => event.newState === "closed" && stop(), true);
  on("input", (event) => {
    const preview = document.getElementById(event.target.dataset.preview);
    if (preview) preview.textContent = event.target.value || "…";
  });
})();
