// The panel next to the schedule shows one appointment; forms and links inside it stay in the panel. On a narrow screen,
// and without scripts, the same links open pages.
"use strict";

const panel = document.getElementById("panel");
const inPanel = document.getElementById("panel-body");
const offcanvas = panel ? tabler.Offcanvas.getOrCreateInstance(panel) : null;
const isWide = window.matchMedia("(min-width: 768px)");

// Open the appointment at `url` in the panel, or as a page if the screen is narrow.
window.openAppointment = function openAppointment(url, jsEvent) {
  if (jsEvent && (jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey)) window.open(url, "_blank", "noopener");
  else if (!panel || !isWide.matches) window.location.assign(url);
  else if (mayLeaveNotes()) show(url);
};

async function show(url) {
  const pk = url.match(/(\d+)\/$/)[1];
  await htmx.ajax("GET", url, { target: inPanel, swap: "innerHTML" });
  if (!inPanel.querySelector("#panel-title")) return;
  panel.dataset.shown = pk;
  remember(pk);
  offcanvas.show();
  document.getElementById("panel-title").focus({ preventScroll: true });
  mark();
}

function closePanel() {
  if (!mayLeaveNotes()) return;
  const pk = panel.dataset.shown;
  delete panel.dataset.shown;
  inPanel.replaceChildren();
  offcanvas.hide();
  remember("");
  mark();
  document.querySelector(`#schedule [data-appointment="${CSS.escape(pk || "")}"]`)?.focus();
}

// Warn once before an unsaved note is lost. The second attempt discards the note.
function mayLeaveNotes() {
  const form = inPanel.querySelector("form[data-changed]");
  if (!form || form.dataset.warned) return true;
  form.dataset.warned = "true";
  const words = document.createElement("p");
  words.className = "field-errors";
  words.setAttribute("role", "alert");
  words.textContent = panel.dataset.unsaved;
  form.append(words);
  form.scrollIntoView({ block: "nearest" });
  form.querySelector("textarea").focus();
  return false;
}

// Keep the open appointment in the URL, so that a reload opens it again.
function remember(pk) {
  const address = new URL(window.location.href);
  if (pk) address.searchParams.set("appointment", pk);
  else address.searchParams.delete("appointment");
  window.history.replaceState(null, "", address);
}

// Highlight the open appointment on the schedule.
function mark() {
  for (const other of document.querySelectorAll("#schedule .is-open")) other.classList.remove("is-open");
  if (!panel.dataset.shown) return;
  for (const its of document.querySelectorAll(`#schedule [data-appointment="${panel.dataset.shown}"]`)) its.classList.add("is-open");
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
    const back = inPanel.querySelector("a[data-escape]");
    if (back) back.click();
    else closePanel();
  });

  document.addEventListener("schedule-drawn", mark);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "day-list") mark();
  });

  // If another form of the panel is submitted while the user types a note, restore the note afterwards.
  let typed = null;
  inPanel.addEventListener("htmx:beforeSwap", (event) => {
    const form = inPanel.querySelector("#notes form[data-changed]");
    const byItself = event.detail.requestConfig.elt === form;
    typed = form && !byItself ? new FormData(form) : null;
  });
  inPanel.addEventListener("htmx:afterSwap", () => {
    const form = inPanel.querySelector("#notes form");
    if (!typed || !form) return;
    for (const name of ["client_note", "internal_note", "seen"]) form.elements[name].value = typed.get(name);
    form.dataset.changed = "true";
    typed = null;
  });

  // After a change in the panel, refresh the schedule at once. If the focused button is gone, focus the title.
  inPanel.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.verb === "get" && event.target !== inPanel) return;
    if (event.detail.requestConfig?.verb !== "get") document.dispatchEvent(new Event("schedule-refresh"));
    if (event.target === inPanel && !inPanel.contains(document.activeElement)) {
      (inPanel.querySelector(".is-invalid, [autofocus]") || document.getElementById("panel-title"))?.focus({ preventScroll: true });
    }
  });

  const asked = new URLSearchParams(window.location.search).get("appointment");
  if (/^\d+$/.test(asked || "")) document.addEventListener("DOMContentLoaded", () => window.openAppointment(panel.dataset.address.replace("/0/", `/${asked}/`)));
}
