// Choose the client by keyboard: Enter in the search takes the first result, ↓ moves to the results.
"use strict";

const search = document.getElementById("id_client_query");
let choosesFirst = false;

search?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    const first = document.querySelector("#client-results input[type=radio]");
    if (!first) return;
    event.preventDefault();
    first.focus();
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (!search.value.trim()) return;
    if (showsResultsOfQuery()) chooseFirst();
    else choosesFirst = true; // the results are for an earlier query: wait for the response
  }
});
search?.addEventListener("input", () => { choosesFirst = false; });

// Enter selects the focused client and moves to the service.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("#client-results input[type=radio]")) return;
  event.preventDefault();
  choose(event.target);
});

document.addEventListener("htmx:afterSettle", () => {
  if (!choosesFirst || !showsResultsOfQuery()) return;
  choosesFirst = false;
  chooseFirst();
});

// Search for a query that was typed before the page had loaded, or that Back restored.
window.addEventListener("load", () => {
  if (search?.value.trim() && !showsResultsOfQuery()) htmx.trigger(search, "search-now");
});

function showsResultsOfQuery() {
  return document.getElementById("client-results").dataset.query === search.value.trim();
}

function chooseFirst() {
  const first = document.querySelector("#client-results input[type=radio]");
  if (first) choose(first);
}

function choose(radio) {
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  if (radio.value !== "new") document.getElementById("id_service").focus();
}

// Prefill the new client from the query, because that client was usually searched for without success.
document.addEventListener("change", (event) => {
  if (event.target.id === "id_client_new") startNewClient();
});

function startNewClient() {
  const query = search.value.trim();
  const name = document.getElementById("id_new_name");
  const email = document.getElementById("id_new_email");
  if (query.includes("@")) email.value ||= query;
  else if (/\d{4}/.test(query)) document.getElementById("id_new_phone").value ||= query;
  else name.value ||= query;
  name.focus();
}

// Escape leaves the page if the user has entered nothing.
let hasInput = false;
document.addEventListener("input", () => { hasInput = true; });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !hasInput && !event.defaultPrevented) document.querySelector("a[data-escape]")?.click();
});

// Focus the first invalid field.
document.querySelector("main form .is-invalid")?.focus();

// Fields inside [data-quiet] affect nothing else on the page: don't trigger a refresh.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-quiet]")) event.stopPropagation();
}, true);
