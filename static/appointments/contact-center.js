// The Contact Center by keyboard: Enter moves from step to step, even while a response is pending.
"use strict";

const form = document.getElementById("contact");
let pendingRequests = 0;
let goal = null;
const queuedKeys = [];
const GOAL_TIMEOUT_MS = 500;

// Pairs of selectors: on a field that matches the first, Enter moves to the second.
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

// Listen on the document: while htmx replaces the focused element, keys go to the body.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || !KEYS.includes(event.key)) return;
  if (!form.contains(event.target) && event.target !== document.body) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.getElementById("book").click();
  } else if (goal) {
    // Keys pressed before the response has settled are meant for the next step: queue them.
    event.preventDefault();
    queuedKeys.push(event.key);
  } else if (handleKey(event.key, event.target)) event.preventDefault();
});

// Handle a key on `target`. Returns whether the key had an effect.
function handleKey(key, target) {
  if (key === "t") return pick(target);
  if (key !== "Enter") return target.matches("input[name=method], input[name=slot]") && moveToNeighbour(key, target);
  const step = STEPS.find(([here]) => target.matches(here));
  if (!step) return false;
  if (target.type === "radio") pick(target);
  if (target.id === "id_date") htmx.trigger("#times", "show");
  goTo(step[1]);
  return true;
}

// Move to the next radio button. In the list of times, ↑ and ↓ move to the previous and next day.
function moveToNeighbour(key, radio) {
  const forward = ["ArrowRight", "ArrowDown"].includes(key) ? 1 : -1;
  const byDay = radio.name === "slot" && ["ArrowUp", "ArrowDown"].includes(key);
  const all = byDay ? [...document.querySelectorAll(".free-day")] : [...form.querySelectorAll(`input[name=${radio.name}]`)];
  const neighbour = all[all.indexOf(byDay ? radio.closest(".free-day") : radio) + forward];
  const next = byDay ? neighbour?.querySelector("input[name=slot]") : neighbour;
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
  if (radio.name === "slot") showSummary();
}

function goTo(selector) {
  goal = selector;
  if (!pendingRequests) arrive();
}

// Move to the goal: its selectors are in order of priority, the checked option first.
function arrive() {
  if (!goal) return;
  const found = goal.split(", ").map((one) => document.querySelector(one)).find(Boolean);
  if (!found) {
    // Another response may add the goal. If none does, drop the queued keys.
    setTimeout(() => { if (!pendingRequests) dropGoal(); }, GOAL_TIMEOUT_MS);
    return;
  }
  goal = null;
  found.focus();
  while (queuedKeys.length && !(goal && pendingRequests)) handleKey(queuedKeys.shift(), document.activeElement);
}

function dropGoal() {
  goal = null;
  queuedKeys.length = 0;
}

document.addEventListener("htmx:beforeRequest", () => { pendingRequests += 1; });
document.addEventListener("htmx:afterRequest", () => { pendingRequests = Math.max(0, pendingRequests - 1); });
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, dropGoal);
}
document.addEventListener("htmx:afterSettle", () => { if (!pendingRequests) arrive(); showSummary(); });

// A newer request aborts the pending one, which isn't an error: keep htmx from logging it to the console.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => {
  const onAbort = xhr.onabort;
  xhr.onabort = (event) => {
    const logError = console.error;
    console.error = () => {};
    try { onAbort.call(xhr, event); } finally { console.error = logError; }
  };
});

// After a request for other times, move to the first of them.
form.addEventListener("click", (event) => { if (event.target.closest("button[name=from]")) goal = "#times input[name=slot]"; });

// Summarize the booking before the user submits it.
function showSummary() {
  const chosen = form.querySelector("input[name=slot]:checked");
  document.getElementById("summary").textContent = chosen ? chosen.dataset.summary : "";
}
form.addEventListener("input", (event) => { if (event.target.name === "slot") showSummary(); });
showSummary();

// If the time was taken meanwhile, move to the first free time.
if (document.getElementById("id_slot_error")) goTo("#times input[name=slot]");

document.addEventListener("keydown", (event) => {
  const isEmptySearch = event.target.id === "id_client_query" && !event.target.value;
  const isTyping = event.target.matches("input:not([type=radio], [type=checkbox]), textarea, select") && !isEmptySearch;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("id_client_query").focus();
  } else if (event.key === "?") {
    event.preventDefault();
    const keys = document.getElementById("keys");
    keys.open = !keys.open;
  } else if (event.key === "t") {
    if (!pendingRequests && !document.querySelector("#times input[name=slot]")) return;
    event.preventDefault();
    // A pending response would replace the times and lose the choice: wait for the response.
    queuedKeys.splice(0, queuedKeys.length, "t");
    goTo("#times input[name=slot]");
  }
});
