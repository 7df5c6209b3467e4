// Choosing the client by keyboard: Enter in the search takes the first one found, ↓ goes through them.
"use strict";

const search = document.getElementById("id_client_query");
let takesFirst = false;

search?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    const first = document.querySelector("#client-results input[type=radio]");
    if (!first) return;
    event.preventDefault();
    first.focus();
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (!search.value.trim()) return;
    if (showsWhatIsTyped()) takeFirst();
    else takesFirst = true; // what was found before is of other words: the answer is on its way
  }
});
search?.addEventListener("input", () => { takesFirst = false; });

// Enter and Tab go from a client to the service.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("#client-results input[type=radio]")) return;
  event.preventDefault();
  take(event.target);
});

document.addEventListener("htmx:afterSettle", () => {
  if (!takesFirst || !showsWhatIsTyped()) return;
  takesFirst = false;
  takeFirst();
});

// What was typed before the page was ready, or stands there again after Back, is looked up all the same.
window.addEventListener("load", () => {
  if (search?.value.trim() && !showsWhatIsTyped()) htmx.trigger(search, "look");
});

function showsWhatIsTyped() {
  return document.getElementById("client-results").dataset.words === search.value.trim();
}

function takeFirst() {
  const first = document.querySelector("#client-results input[type=radio]");
  if (first) take(first);
}

function take(radio) {
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  if (radio.value !== "new") document.getElementById("id_service").focus();
}

// A new client is usually the one who was searched for in vain.
document.addEventListener("change", (event) => {
  if (event.target.id === "id_client_new") startNewClient();
});

function startNewClient() {
  const words = search.value.trim();
  const name = document.getElementById("id_new_name");
  const email = document.getElementById("id_new_email");
  if (words.includes("@")) email.value ||= words;
  else if (/\d{4}/.test(words)) document.getElementById("id_new_phone").value ||= words;
  else name.value ||= words;
  name.focus();
}

// Escape leaves, as long as nothing is lost by it.
let touched = false;
document.addEventListener("input", () => { touched = true; });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !touched && !event.defaultPrevented) document.querySelector("a[data-escape]")?.click();
});

// The first thing that is wrong is where the cursor goes.
document.querySelector("main form .is-invalid")?.focus();

// What is typed or chosen in these changes nothing else on the page.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-quiet]")) event.stopPropagation();
}, true);
