// The panel next to the schedule shows one appointment; forms and links inside it stay in the panel. On a narrow screen,
// and without scripts, the same links open pages.
"use strict";

const panel = document.getElementById("panel");
const panelBody = document.getElementById("panel-body");
const offcanvas = panel ? tabler.Offcanvas.getOrCreateInstance(panel) : null;
const isWide = window.matchMedia("(min-width: 768px)");

// Open the appointment at `url` in the panel, or as a page if the screen is narrow.
window.openAppointment = function openAppointment(url, jsEvent) {
  if (jsEvent && (jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey)) window.open(url, "_blank", "noopener");
  else if (!panel || !isWide.matches) window.location.assign(url);
  else if (canLeaveNotes()) show(url);
};

async function show(url) {
  const pk = url.match(/(\d+)\/$/)[1];
  await htmx.ajax("GET", url, { target: panelBody, swap: "innerHTML" });
  if (!panelBody.querySelector("#panel-title")) return;
  panel.dataset.shown = pk;
  keepInUrl(pk);
  offcanvas.show();
  document.getElementById("panel-title").focus({ preventScroll: true });
  highlightOpen();
}

function closePanel() {
  if (!canLeaveNotes()) return;
  const pk = panel.dataset.shown;
  delete panel.dataset.shown;
  panelBody.replaceChildren();
  offcanvas.hide();
  keepInUrl("");
  highlightOpen();
  document.querySelector(`#schedule [data-appointment="${CSS.escape(pk || "")}"]`)?.focus();
}

// Warn once before an unsaved note is lost. The second attempt discards the note.
function canLeaveNotes() {
  const form = panelBody.querySelector("form[data-changed]");
  if (!form || form.dataset.warned) return true;
  form.dataset.warned = "true";
  const warning = document.createElement("p");
  warning.className = "field-errors";
  warning.setAttribute("role", "alert");
  warning.textContent = panel.dataset.unsaved;
  form.append(warning);
  form.scrollIntoView({ block: "nearest" });
  form.querySelector("textarea").focus();
  return false;
}

// Keep the open appointment in the URL, so that a reload opens it again.
function keepInUrl(pk) {
  const address = new URL(window.location.href);
  if (pk) address.searchParams.set("appointment", pk);
  else address.searchParams.delete("appointment");
  window.history.replaceState(null, "", address);
}

// Highlight the open appointment on the schedule.
function highlightOpen() {
  for (const other of document.querySelectorAll("#schedule .is-open")) other.classList.remove("is-open");
  if (!panel.dataset.shown) return;
  for (const shown of document.querySelectorAll(`#schedule [data-appointment="${panel.dataset.shown}"]`)) shown.classList.add("is-open");
}

if (panel) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#schedule a[data-appointment]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && isWide.matches) {
      event.preventDefault();
      window.openAppointment(link.href);
    }
    if (event.target.closest("[data-panel-close]")) closePanel();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !panel.dataset.shown || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const back = panelBody.querySelector("a[data-escape]");
    if (back) back.click();
    else closePanel();
  });

  document.addEventListener("schedule-drawn", highlightOpen);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "day-list") highlightOpen();
  });

  // If another form of the panel is submitted while the user types a note, restore the note afterwards.
  let typed = null;
  panelBody.addEventListener("htmx:beforeSwap", (event) => {
    const form = panelBody.querySelector("#notes form[data-changed]");
    const isOwnResponse = event.detail.requestConfig.elt === form;
    typed = form && !isOwnResponse ? new FormData(form) : null;
  });
  panelBody.addEventListener("htmx:afterSwap", () => {
    const form = panelBody.querySelector("#notes form");
    if (!typed || !form) return;
    for (const name of ["client_note", "internal_note", "seen"]) form.elements[name].value = typed.get(name);
    form.dataset.changed = "true";
    typed = null;
  });

  // After a change in the panel, refresh the schedule at once. If the focused button is gone, focus the title.
  panelBody.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.verb === "get" && event.target !== panelBody) return;
    if (event.detail.requestConfig?.verb !== "get") document.dispatchEvent(new Event("schedule-refresh"));
    if (event.target === panelBody && !panelBody.contains(document.activeElement)) {
      (panelBody.querySelector(".is-invalid, [autofocus]") || document.getElementById("panel-title"))?.focus({ preventScroll: true });
    }
  });

  const requested = new URLSearchParams(window.location.search).get("appointment");
  if (/^\d+$/.test(requested || "")) document.addEventListener("DOMContentLoaded", () => window.openAppointment(panel.dataset.address.replace("/0/", `/${requested}/`)));
}
