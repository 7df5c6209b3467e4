// The Contact Center by keyboard: Enter goes from step to step, also while an answer is on its way.
"use strict";

const form = document.getElementById("contact");
let asking = 0;
let goal = null;

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

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    document.getElementById("book").click();
    return;
  }
  const step = STEPS.find(([here]) => event.target.matches(here));
  if (!step) return;
  event.preventDefault();
  if (event.target.type === "radio") pick(event.target);
  if (event.target.id === "id_date") htmx.trigger("#times", "show");
  goTo(step[1]);
});

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
  goal = null;
  found?.focus();
}

document.addEventListener("htmx:beforeRequest", () => { asking += 1; });
document.addEventListener("htmx:afterRequest", () => { asking = Math.max(0, asking - 1); });
document.addEventListener("htmx:afterSettle", () => { if (!asking) arrive(); sumUp(); });

// Among the times, ↑ and ↓ go to the day before and after.
form.addEventListener("keydown", (event) => {
  if (!event.target.matches("input[name=slot]") || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  const days = [...document.querySelectorAll(".free-day")];
  const next = days[days.indexOf(event.target.closest(".free-day")) + (event.key === "ArrowDown" ? 1 : -1)];
  const first = next?.querySelector("input[name=slot]");
  if (!first) return;
  pick(first);
  first.focus();
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
  }
});
