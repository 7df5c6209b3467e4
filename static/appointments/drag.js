// Drag and drop of an appointment. The server moves it, requests confirmation, or refuses and the event jumps back.
"use strict";

const dragDialog = document.getElementById("drag-dialog");
const dragStatus = document.getElementById("drag-status");
const dragUrl = document.getElementById("schedule")?.dataset.drag || "";
window.scheduleHolds = window.scheduleHolds || new Set();

// `drop` has the fields of the server's form: starts_at, staff, version, and ends_at if the length changes.
window.dropAppointment = async function dropAppointment(pk, drop, jumpBack) {
  window.scheduleHolds.add("drag");
  try {
    let response = await sendDrop(pk, drop);
    if (response.outcome === "confirm") {
      if (!(await confirmMove(response.sentences))) return jumpBack();
      response = await sendDrop(pk, { ...drop, confirmed: "1" });
    }
    if (response.outcome === "moved") return showMoved(response.sentence, pk, response.undo);
    jumpBack();
    const other = await showRefusal(response);
    // The user chose another time: send it as a new drop.
    if (other) setTimeout(() => window.dropAppointment(pk, { staff: drop.staff, version: drop.version, ...JSON.parse(other) }, () => {}));
  } catch {
    jumpBack();
    await showRefusal({ sentence: dragDialog.dataset.failed, next_free: [] });
  } finally {
    window.scheduleHolds.delete("drag");
    document.dispatchEvent(new Event("schedule-refresh"));
    htmx.trigger(document.body, "appointment-refresh");
  }
};

async function sendDrop(pk, drop) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "X-Requested-With": "XMLHttpRequest" };
  const response = await fetch(dragUrl.replace("/0/", `/${pk}/`), { method: "POST", headers, body: new URLSearchParams(drop), redirect: "error" });
  if (response.ok || response.status === 409) return response.json();
  if (window.leaveToSignIn(response)) return new Promise(() => {}); // the page is being left
  throw new Error(response.statusText);
}

function confirmMove([question, ...more]) {
  return openDialog(question, more, [["move", dragDialog.dataset.move, "btn btn-primary"], ["", dragDialog.dataset.keep, "btn"]]);
}

// Resolves to the start and perhaps the end that the user chose instead, as JSON, or to an empty string.
function showRefusal({ sentence, next_free: free }) {
  const times = free.map(({ label, ...time }) => [JSON.stringify(time), label, "btn"]);
  return openDialog(sentence, times.length ? [dragDialog.dataset.instead] : [], [...times, ["", dragDialog.dataset.close, times.length ? "btn btn-ghost" : "btn btn-primary"]]);
}

function openDialog(title, sentences, buttons) {
  dragDialog.querySelector("h2").textContent = title;
  dragDialog.querySelector(".dialog-more").replaceChildren(...sentences.map((sentence) => makeElement("p", "", sentence)));
  dragDialog.querySelector("form").replaceChildren(...buttons.map(([value, label, name]) => {
    const button = makeElement("button", name, label);
    button.value = value;
    return button;
  }));
  dragDialog.returnValue = "";
  dragDialog.showModal();
  return new Promise((resolve) => { dragDialog.addEventListener("close", () => resolve(dragDialog.returnValue), { once: true }); });
}

function showMoved(sentence, pk, undo) {
  const button = makeElement("button", "btn btn-sm", dragStatus.dataset.undo);
  button.addEventListener("click", () => {
    dragStatus.hidden = true;
    window.dropAppointment(pk, undo, () => {});
  });
  const close = makeElement("button", "btn-close", "");
  close.setAttribute("aria-label", dragDialog.dataset.close);
  close.addEventListener("click", () => { dragStatus.hidden = true; });
  dragStatus.replaceChildren(makeElement("span", "", sentence), button, close);
  dragStatus.hidden = false;
}

function makeElement(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// Handle a drop or a resize in the columns.
window.columnDrop = function columnDrop(info, staff, resized) {
  const drop = { starts_at: localTime(info.event.start), staff, version: info.event.extendedProps.version };
  if (resized) drop.ends_at = localTime(info.event.end);
  window.dropAppointment(info.event.id, drop, info.revert);
};

// The calendar's dates are wall-clock times in the schedule's zone, not in the browser's.
function localTime(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

// In the week's table, a drag moves an appointment to another day or person at the same time of day.
const MOVABLE_CHIP = '.chip:not([data-version=""])';
let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(MOVABLE_CHIP) || null;
  if (!dragged) return;
  window.scheduleHolds.add("table");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.textContent);
});
document.addEventListener("dragend", () => {
  window.scheduleHolds.delete("table");
  dragged = null;
  markCell(null);
});
document.addEventListener("dragover", (event) => {
  const cell = dragged && event.target.closest?.(".week-cell");
  if (!cell || cell.classList.contains("is-past")) return markCell(null);
  event.preventDefault();
  markCell(cell);
});
document.addEventListener("drop", (event) => {
  const cell = dragged && event.target.closest?.(".week-cell");
  if (!cell || cell.contains(dragged)) return;
  event.preventDefault();
  const { appointment, version } = dragged.dataset;
  const time = dragged.querySelector(".chip-time").textContent;
  window.dropAppointment(appointment, { starts_at: `${cell.dataset.day}T${time}`, staff: cell.dataset.staff, version }, () => {});
});

function markCell(cell) {
  for (const other of document.querySelectorAll(".week-cell.is-target")) other.classList.toggle("is-target", other === cell);
  cell?.classList.add("is-target");
}
