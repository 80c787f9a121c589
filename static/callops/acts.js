/* Acts on the call page: hold to hang up, a preview of words to say, three seconds to think before a transfer. */
(() => {
  "use strict";

  const HOLD_MS = 900;
  let held = null;

  function release() {
    if (!held) return;
    clearTimeout(held.timer);
    held.button.removeAttribute("data-holding");
    held = null;
  }

  function hold(button) {
    if (held || button.disabled) return;
    button.dataset.holding = "";
    held = { button, timer: setTimeout(() => { release(); button.dataset.confirmed = ""; button.click(); }, HOLD_MS) };
  }

  const holdable = (event) => event.target.closest && event.target.closest("[data-hold]");

  document.addEventListener("pointerdown", (event) => holdable(event) && event.button === 0 && hold(holdable(event)));
  document.addEventListener("keydown", (event) => {
    if (!holdable(event) || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    if (!event.repeat) hold(holdable(event));
  });
  for (const end of ["pointerup", "pointercancel", "keyup", "blur"]) window.addEventListener(end, release);

  document.addEventListener("click", (event) => {
    const button = holdable(event);
    if (!button) return;
    // A click without a pointer or a key (assistive technology, a script) is a decision of its own.
    const short = event.detail > 0 && !("confirmed" in button.dataset);
    delete button.dataset.confirmed;
    if (short) { event.preventDefault(); event.stopPropagation(); button.dataset.short = ""; }
  }, true);

  document.addEventListener("input", (event) => {
    const preview = event.target.dataset && document.getElementById(event.target.dataset.preview);
    if (preview) preview.textContent = event.target.value || "…";
  });
})();
