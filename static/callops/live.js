/* What the pages do in the browser: count, show local time, say whether they are live, follow the tail, keys. */
(() => {
  "use strict";

  const REJOINS_ITSELF = [1006, 1011, 1012, 1013]; // close codes after which the ws extension connects again
  const SIGNED_OUT = 4401;
  const GONE = 4404;
  const SILENCE_MS = 25000; // the server beats every 10 s
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);
  const pad = (number, width = 2) => String(number).padStart(width, "0");

  let skew = 0; // server time minus ours, in ms
  let heardAt = 0, socket = null, rejoin = null, lightAt = null;

  htmx.config.wsReconnectDelay = (tries) => Math.min(400 * 2 ** tries, 5000) * (0.5 + Math.random() / 2);

  /* time */

  function mmss(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return (hours ? `${hours}:${pad(minutes)}` : pad(minutes)) + `:${pad(whole % 60)}`;
  }

  function tick() {
    const now = Date.now() + skew;
    for (const each of all("[data-since]")) {
      const text = mmss((now - Date.parse(each.dataset.since)) / 1000);
      if (each.textContent !== text) each.textContent = text;
    }
    for (const each of all("[data-ago]")) {
      const text = rough((now - Date.parse(each.dateTime)) / 1000);
      if (each.textContent !== text) each.textContent = text;
    }
  }

  function rough(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 120) return `${whole} s`;
    if (whole < 7200) return `${Math.floor(whole / 60)} min`;
    return whole < 172800 ? `${Math.floor(whole / 3600)} h` : `${Math.floor(whole / 86400)} days`;
  }

  function localTimes() {
    for (const each of all("time[datetime]:not([data-local])")) {
      const at = new Date(each.dateTime);
      const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
      const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock.slice(0, 5)}`;
      const forms = { clock, minute: clock.slice(0, 5), exact: `${clock}.${pad(at.getMilliseconds(), 3)}`, day, short: day.slice(5) };
      each.textContent = forms[each.dataset.form] || clock;
      each.dataset.local = "";
    }
  }

  function hearLight() {
    const light = $("#live-light");
    heardAt = Date.now();
    if (!light || light.dataset.light !== "live" || light.dataset.at === lightAt) return;
    lightAt = light.dataset.at; // the same light read again later would turn the clock back
    skew = Date.parse(lightAt) - Date.now();
  }

  function showLight(state, text, href) {
    const light = $("#live-light");
    if (!light) return;
    light.dataset.light = state;
    while (light.childNodes.length > 1) light.lastChild.remove();
    const words = href ? Object.assign(document.createElement("a"), { href }) : document.createElement("span");
    words.textContent = text;
    light.append(words);
  }

  /* the socket: the extension opens it and swaps; here is what it leaves out */

  document.addEventListener("htmx:wsConnecting", () => {
    if (!socket || socket.readyState > 1) showLight("catching", "catching up");
  });

  document.addEventListener("htmx:wsOpen", (event) => {
    socket = event.detail.event.target;
    rejoin = event.detail.socketWrapper.reconnect;
    heardAt = Date.now();
  });

  document.addEventListener("htmx:wsClose", (event) => {
    const { code, target } = event.detail.event;
    if (socket && target !== socket && socket.readyState <= 1) return; // an old one, already replaced
    if (code === SIGNED_OUT) return showLight("offline", "signed out, sign in again", "/login/?next=" + location.pathname);
    if (code === GONE) return showLight("offline", "this call is not known");
    showLight("offline", "offline");
    const again = event.detail.socketWrapper.reconnect;
    if (!REJOINS_ITSELF.includes(code)) setTimeout(again, 300 + Math.random() * 700);
  });

  function noticeSilence() {
    if (!socket || socket.readyState !== 1 || Date.now() - heardAt < SILENCE_MS) return;
    heardAt = Date.now();
    showLight("offline", "offline");
    rejoin();
  }

  /* rows do not come, go or move on the board while one points at them */

  const MOVES = /hx-swap-oob="(?:delete|before|inner)|hx-swap-oob="beforeend:#board/;
  const held = [];
  let pointed = 0;

  function release() {
    const texts = held.splice(0);
    delete ($(".board") || document.body).dataset.held;
    for (const data of texts) socket.dispatchEvent(new MessageEvent("message", { data }));
  }

  document.addEventListener("pointermove", (event) => {
    const inside = event.pointerType === "mouse" && event.target.closest && event.target.closest(".board .rows");
    pointed = inside ? Date.now() : 0;
    if (!inside && held.length) release();
  });
  document.addEventListener("htmx:wsBeforeMessage", (event) => {
    if (!$(".board") || Date.now() - pointed > 2000 || (!held.length && !MOVES.test(event.detail.message))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held.push(event.detail.message);
    $(".board").dataset.held = held.length;
  });

  document.addEventListener("focusin", (event) => { // the selected row is in the address
    const row = event.target.closest(".board .row");
    if (row) history.replaceState(null, "", `#${row.id}`);
  });

  /* swaps must not move the reader: open details, focus, scroll position */

  let kept = null;

  function remember() {
    kept = {
      details: new Map([...all("details[id]")].map((each) => [each, each.open])),
      focus: document.activeElement && document.activeElement.closest("[id]"),
      active: document.activeElement,
      tails: new Map([...all(".follow")].map((each) => [each, { atEnd: atEnd(each), rows: rowsIn(each) }])),
    };
  }

  function restore() {
    tick();
    localTimes();
    hearLight();
    if (!kept) return;
    for (const [before, open] of kept.details) {
      const now = document.getElementById(before.id);
      if (now && now !== before && now.open !== open) now.open = open;
    }
    if (kept.focus && !kept.active.isConnected) {
      const again = document.getElementById(kept.focus.id);
      const target = again && (again.matches("a, button, summary, select") ? again : again.querySelector("a, button, summary"));
      if (target) target.focus({ preventScroll: true });
    }
    for (const [box, was] of kept.tails) {
      hearing(box, was.atEnd);
      if (was.atEnd) box.scrollTop = box.scrollHeight;
      else offerTail(box, rowsIn(box) - was.rows);
    }
    kept = null;
  }

  for (const name of ["wsBeforeMessage", "beforeSwap"]) document.addEventListener(`htmx:${name}`, remember);
  for (const name of ["wsAfterMessage", "afterSettle"]) document.addEventListener(`htmx:${name}`, restore);

  /* following the tail */

  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 48;
  const rowsIn = (box) => box.querySelectorAll("li").length;
  const pillOf = (box) => box.parentElement.querySelector(".jump");

  /* whoever follows hears each finished turn; whoever reads further up is not interrupted */
  function hearing(box, following) {
    if (box.getAttribute("role") === "log") box.setAttribute("aria-live", following ? "polite" : "off");
  }

  function offerTail(box, more) {
    const pill = pillOf(box);
    const total = Number(pill.dataset.more || 0) + Math.max(0, more);
    if (!total) return;
    pill.dataset.more = total;
    pill.textContent = `Jump to live · ${total} new`;
    pill.hidden = false;
  }

  function toTail(box) {
    const pill = pillOf(box);
    (pill.hidden = true), (pill.dataset.more = 0), (box.scrollTop = box.scrollHeight);
  }

  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(".follow")) hearing(event.target, atEnd(event.target)), atEnd(event.target) && toTail(event.target);
  }, true);

  /* clicks and keys */

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        copy.dataset.copied = "";
        setTimeout(() => delete copy.dataset.copied, 1500);
      });
    }
    const jump = event.target.closest(".jump");
    if (jump) toTail(jump.parentElement.querySelector(".follow"));
  });

  /* the beginning */

  tick();
  localTimes();
  if ($(".call [data-since]")) for (const box of all(".follow")) box.scrollTop = box.scrollHeight;
  if (location.hash.startsWith("#row-") && $(location.hash)) $(location.hash + " a").focus();
  setInterval(() => { tick(); noticeSilence(); if (held.length && Date.now() - pointed > 2000) release(); }, 1000);
})();
