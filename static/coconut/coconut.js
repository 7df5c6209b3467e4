// Behaviour for all pages. Every page also works without this file and before it loads.
"use strict";

// Copy buttons: <button data-copy="#id">. The label confirms the copy for two seconds.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
  const label = button.textContent;
  button.textContent = button.dataset.copied || "Copied";
  setTimeout(() => { button.textContent = label; }, 2000);
});

// Submit a form only once, because a second click on a slow connection would send a second request.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // Not form.method, which is the field with this name if there is one.
  if (form.getAttribute("method") !== "post" || event.defaultPrevented || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "true";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
});

// Controls that submit their form when they change: <select data-submit>.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Close a <details class="menu"> on Escape or on a click outside it.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// Submit a form automatically after some seconds, to poll for a result: <form data-resend="5">.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("form[data-resend]").forEach((form) => {
    setTimeout(() => form.requestSubmit(), Number(form.dataset.resend) * 1000);
  });
});

// Warn with the browser's own dialog before the user leaves a <form data-guard> with unsaved changes.
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && form.hasAttribute("data-guard")) form.dataset.changed = "true";
});
window.addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-changed]:not([data-sent])")) event.preventDefault();
});

// Mark requests that no person caused, because they don't keep a session alive: polls, and updates that follow a poll.
const BACKGROUND_EVENTS = ["schedule-changed", "rematched"];
document.addEventListener("htmx:configRequest", (event) => {
  const { triggeringEvent, elt, headers } = event.detail;
  const isPoll = !triggeringEvent && /\bevery \d/.test(elt.getAttribute("hx-trigger"));
  if (isPoll || BACKGROUND_EVENTS.includes(triggeringEvent?.type)) headers["X-Poll"] = "1";
});

// Show an alert when a background request fails.
document.addEventListener("htmx:responseError", (event) => {
  showError(event.detail.xhr.getResponseHeader("X-Sentence"));
});
document.addEventListener("htmx:sendError", () => showError(null));

function showError(sentence) {
  const box = document.getElementById("messages");
  if (!box) return;
  const alert = document.createElement("div");
  alert.className = "alert alert-danger";
  alert.setAttribute("role", "alert");
  alert.textContent = sentence || "That did not work. Reload the page and try again.";
  box.replaceChildren(alert);
}
