// Choose the client by keyboard: Enter in the search takes the first result, ↓ moves to the results.
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
    else takesFirst = true; // the results are for an earlier query: wait for the response
  }
});
search?.addEventListener("input", () => { takesFirst = false; });

// Enter selects the focused client and moves to the service.
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

// Search for a query that was typed before the page had loaded, or that Back restored.
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

// Prefill the new client from the query, because that client was usually searched for without success.
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

// Escape leaves the page if the user has entered nothing.
let touched = false;
document.addEventListener("input", () => { touched = true; });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !touched && !event.defaultPrevented) document.querySelector("a[data-escape]")?.click();
});

// Focus the first invalid field.
document.querySelector("main form .is-invalid")?.focus();

// Fields inside [data-quiet] affect nothing else on the page: don't trigger a refresh.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-quiet]")) event.stopPropagation();
}, true);
