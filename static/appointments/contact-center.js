// The Contact Center by keyboard: Enter goes from step to step, also while an answer is on its way.
"use strict";

const form = document.getElementById("contact");
let asking = 0;
let goal = null;
const ahead = [];
const PATIENCE_MS = 500;

// Where Enter leads to, from the fields that match.
const STEPS = [
  ["#id_new_name", "#id_new_email"],
  ["#id_new_email", "#id_new_phone"],
  ["#id_new_phone, #id_new_anyway", "#id_service"],
  ["#id_service", "#choices input[name=method]:checked, #choices input[name=method]"],
  ["input[name=method], #id_location, #id_staff", "#times input[name=slot]:checked, #times input[name=slot]"],
  ["#id_date", "#times input[name=slot]"],
  ["input[name=slot]", "#book"],
];

const KEYS = ["Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

// On the document: while an answer takes the place of what had the focus, keys go to the page itself.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || !KEYS.includes(event.key)) return;
  if (!form.contains(event.target) && event.target !== document.body) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.getElementById("book").click();
  } else if (goal) {
    // Pressed ahead of the answer, or before the page settled with it: meant for where Enter leads to.
    event.preventDefault();
    ahead.push(event.key);
  } else if (act(event.key, event.target)) event.preventDefault();
});

// What a key does there; whether it does anything of ours.
function act(key, target) {
  if (key === "t") return pick(target);
  if (key !== "Enter") return target.matches("input[name=method], input[name=slot]") && walk(key, target);
  const step = STEPS.find(([here]) => target.matches(here));
  if (!step) return false;
  if (target.type === "radio") pick(target);
  if (target.id === "id_date") htmx.trigger("#times", "show");
  goTo(step[1]);
  return true;
}

// To the one beside it; among the times, ↑ and ↓ go to the day before and after.
function walk(key, radio) {
  const forward = ["ArrowRight", "ArrowDown"].includes(key) ? 1 : -1;
  const byDay = radio.name === "slot" && ["ArrowUp", "ArrowDown"].includes(key);
  const all = byDay ? [...document.querySelectorAll(".free-day")] : [...form.querySelectorAll(`input[name=${radio.name}]`)];
  const beside = all[all.indexOf(byDay ? radio.closest(".free-day") : radio) + forward];
  const next = byDay ? beside?.querySelector("input[name=slot]") : beside;
  if (next) {
    next.focus();
    pick(next);
  }
  return true;
}

function pick(radio) {
  if (radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  if (radio.name === "slot") sumUp();
}

function goTo(selector) {
  goal = selector;
  if (!asking) arrive();
}

// What is checked already goes before what comes first.
function arrive() {
  if (!goal) return;
  const found = goal.split(", ").map((one) => document.querySelector(one)).find(Boolean);
  if (!found) {
    // Perhaps another answer brings it; where none does, the keys must not wait for ever.
    setTimeout(() => { if (!asking) forget(); }, PATIENCE_MS);
    return;
  }
  goal = null;
  found.focus();
  while (ahead.length && !(goal && asking)) act(ahead.shift(), document.activeElement);
}

function forget() {
  goal = null;
  ahead.length = 0;
}

document.addEventListener("htmx:beforeRequest", () => { asking += 1; });
document.addEventListener("htmx:afterRequest", () => { asking = Math.max(0, asking - 1); });
for (const trouble of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(trouble, forget);
}
document.addEventListener("htmx:afterSettle", () => { if (!asking) arrive(); sumUp(); });

// A request that a newer one takes the place of is no trouble: htmx would write two lines about it into the console.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => {
  const tidyUp = xhr.onabort;
  xhr.onabort = (event) => {
    const complain = console.error;
    console.error = () => {};
    try { tidyUp.call(xhr, event); } finally { console.error = complain; }
  };
});

// Other times were asked for: on to the first of them.
form.addEventListener("click", (event) => { if (event.target.closest("button[name=from]")) goal = "#times input[name=slot]"; });

// What would be booked, in words, before it is.
function sumUp() {
  const chosen = form.querySelector("input[name=slot]:checked");
  document.getElementById("summary").textContent = chosen ? chosen.dataset.words : "";
}
form.addEventListener("input", (event) => { if (event.target.name === "slot") sumUp(); });
sumUp();

// The time was taken meanwhile: the cursor goes to what is free.
if (document.getElementById("id_slot_error")) goTo("#times input[name=slot]");

document.addEventListener("keydown", (event) => {
  const empty = event.target.id === "id_client_query" && !event.target.value;
  const types = event.target.matches("input:not([type=radio], [type=checkbox]), textarea, select") && !empty;
  if (event.ctrlKey || event.metaKey || event.altKey || types) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("id_client_query").focus();
  } else if (event.key === "?") {
    event.preventDefault();
    const keys = document.getElementById("keys");
    keys.open = !keys.open;
  } else if (event.key === "t") {
    if (!asking && !document.querySelector("#times input[name=slot]")) return;
    event.preventDefault();
    // An answer on its way would take the tick away with the times that it replaces: it is waited for.
    ahead.splice(0, ahead.length, "t");
    goTo("#times input[name=slot]");
  }
});
