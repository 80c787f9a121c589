/* A call that comes to need somebody is told in the page and counted in the title; by choice also beside it, and heard. */
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const list = $("board-needs"), title = document.title.replace(/^\(\d+\) /, "");
  const ids = () => new Set([...list.children].map((row) => row.id));
  let known = ids();

  for (const id of ["notify", "beep"]) {
    $(id).checked = localStorage.getItem(id) === "yes";
    $(id).addEventListener("change", () => localStorage.setItem(id, $(id).checked ? "yes" : ""));
  }
  $("notify").addEventListener("change", async () => {
    if (!$("notify").checked || (window.Notification && (await Notification.requestPermission()) === "granted")) return;
    $("notify").checked = false;
    $("notify-why").textContent = "This browser does not let callops notify you. Allow it in the site's settings.";
  });
  function sound() {
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: 740 });
    tone.connect(new GainNode(audio, { gain: 0.1 })).connect(audio.destination);
    tone.start(), tone.stop(audio.currentTime + 0.18);
  }
  function tell(row) {
    const text = ["caller", "words"].map((part) => row.querySelector(`.row-${part}`).textContent.trim()).join(": ");
    $("notices").textContent = text;
    if ($("beep").checked) sound();
    if ($("notify").checked && Notification.permission === "granted") new Notification("A call needs you", { body: text, tag: row.id });
  }
  new MutationObserver(() => {
    for (const row of list.children) if (!known.has(row.id)) tell(row);
    known = ids();
    document.title = (known.size ? `(${known.size}) ` : "") + title;
  }).observe(list, { childList: true });
})();
