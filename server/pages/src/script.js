// All that pages do by themselves. Each behaviour hangs on a data attribute and is an addition: without it the page works by reloading.
//
//   body[data-live=URL]     hears of changes: each message is HTML whose elements take the place of those with the same ids
//   form[data-quiet]        is sent without leaving the page
//   form[data-auto]         is sent when a field changes, a moment after the last key
//   [data-key=K]            is pressed (a field: entered) by that key, as long as nobody types into a field
//   input[data-entry]       takes what is typed anywhere; Enter sends it
//   [data-cue="KIND NO"]    sounds when it changes
//   [data-print]            prints the page
//   table[data-rows]        j and k walk through its links, Enter follows
"use strict";

const lost = document.getElementById("lost");

function say(text) {
  lost.textContent = text;
  lost.hidden = !text;
}

// Brings an element to what a new one looks like, touching only what differs: focus, scroll and a pressed button stay.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || (from.id || "") !== (to.id || "")) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) {
    // What a person opened stays open.
    if (!to.hasAttribute(name) && !(name === "open" && /^(DIALOG|DETAILS)$/.test(from.nodeName))) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.nodeName === "INPUT" || from.nodeName === "SELECT" || from.nodeName === "TEXTAREA") return;
  const old = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = from.firstChild;
  for (const child of [...to.childNodes]) {
    const same = child.id ? old.get(child.id) : undefined;
    if (same && same !== at) {
      // Removing what lies between keeps the element itself, and its focus, where it is.
      while (at && at !== same && !(at.id && to.querySelector("#" + CSS.escape(at.id)))) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      if (at !== same) from.insertBefore(same, at);
      morph(same, child);
      at = same.isConnected ? same.nextSibling : from.firstChild;
    } else if (same) {
      at = at.nextSibling;
      morph(same, child);
    } else if (at && !at.id && !child.id) {
      const next = at.nextSibling;
      morph(at, child);
      at = next;
    } else {
      from.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function take(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const fresh of [...template.content.children]) {
    const there = document.getElementById(fresh.id);
    if (!there) continue;
    const before = there.dataset.cue;
    morph(there, fresh);
    const now = document.getElementById(fresh.id)?.dataset.cue;
    if (now && now !== before) sound(now.split(" ")[0]);
  }
}

// Rhythms differ, not only pitches: at a loud bar a beep is a beep. [start s, length s, Hz]
const sounds = {
  done: [[0, 0.25, 880]],
  refused: [[0, 0.09, 220], [0.16, 0.09, 220], [0.32, 0.09, 220]],
  again: [[0, 0.09, 440], [0.2, 0.09, 440]],
  already: [[0, 0.09, 660], [0.14, 0.25, 440]],
  info: [[0, 0.05, 660]],
};
let audio;

function sound(kind) {
  const notes = sounds[kind];
  // Browsers stay silent until the person has touched the page once.
  if (!notes || !navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  for (const [start, length, pitch] of notes) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    tone.type = "square";
    volume.gain.value = 0.15;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + length);
  }
  navigator.vibrate?.(notes.flatMap(([, length]) => [length * 1000, 80]));
}

const live = document.body.dataset.live;
if (live) {
  const source = new EventSource(live);
  source.onmessage = (message) => {
    say("");
    take(message.data);
  };
  source.onerror = () => say(document.body.dataset.lost);
  // A page that is left must not hold one of the few connections a browser has for a server.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-quiet]")) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  if (form.dataset.quiet === "reset") form.reset();
  // What is done in a dialog is done with it.
  (event.submitter ?? form).closest("dialog")?.close();
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    if (!answer.ok && answer.type !== "opaqueredirect") say(await answer.text());
  } catch {
    say(document.body.dataset.lost);
  }
});

let typing;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.matches("form[data-auto]")) return;
  clearTimeout(typing);
  typing = setTimeout(() => form.requestSubmit(), event.target.matches("select, [type=checkbox], [type=date]") ? 0 : 500);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

const isField = (element) => element.matches("input:not([type=checkbox]):not([type=radio]):not([type=submit]), textarea, select");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const entry = document.querySelector("input[data-entry]");
  const field = isField(event.target) && event.target !== entry;
  const within = document.querySelector("dialog:modal") ?? document;
  const keyed = field ? [] : [...within.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)];
  // What is in a closed dialog is not there.
  const pressed = keyed.find((button) => button.checkVisibility());
  if (pressed) {
    event.preventDefault();
    if (isField(pressed)) pressed.focus();
    else pressed.click();
    return;
  }
  if (field || within !== document) return;
  const link = event.target.closest?.("table[data-rows] a");
  const rows = [...document.querySelectorAll("table[data-rows] tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
  if ((event.key === "j" || event.key === "k") && rows.length && event.target !== entry) {
    const next = rows.indexOf(link) + (event.key === "j" ? 1 : -1);
    rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
    return;
  }
  if (!entry || event.target === entry) return;
  // Enter on a button is that button's; anywhere else it sends what was typed, also nothing: that holds the wristband.
  if (event.key === "Enter" && !event.target.closest("button, a, summary, [role=button]")) {
    event.preventDefault();
    entry.form.requestSubmit();
  } else if (/^[0-9*+,./-]$/.test(event.key)) {
    // The key's own character would go to where the focus was.
    event.preventDefault();
    entry.focus();
    entry.value += event.key;
  }
});
