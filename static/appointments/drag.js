// Drag and drop of an appointment. The server moves it, requests confirmation, or refuses and the event jumps back.
"use strict";

const dragDialog = document.getElementById("drag-dialog");
const dragSaid = document.getElementById("drag-said");
const dragAddress = document.getElementById("schedule")?.dataset.drag || "";
window.scheduleHolds = window.scheduleHolds || new Set();

// `wish` has the fields of the server's form: starts_at, staff, version, and ends_at if the length changes.
window.dropAppointment = async function dropAppointment(pk, wish, jumpBack) {
  window.scheduleHolds.add("drag");
  try {
    let answer = await sendDrop(pk, wish);
    if (answer.outcome === "ask") {
      if (!(await ask(answer.sentences))) return jumpBack();
      answer = await sendDrop(pk, { ...wish, confirmed: "1" });
    }
    if (answer.outcome === "moved") return say(answer.sentence, pk, answer.undo);
    jumpBack();
    const other = await refuse(answer);
    // The user chose another time: send it as a new drop.
    if (other) setTimeout(() => window.dropAppointment(pk, { staff: wish.staff, version: wish.version, starts_at: other }, () => {}));
  } catch {
    jumpBack();
    await refuse({ sentence: dragDialog.dataset.trouble, next_free: [] });
  } finally {
    window.scheduleHolds.delete("drag");
    document.dispatchEvent(new Event("schedule-refresh"));
    htmx.trigger(document.body, "appointment-refresh");
  }
};

async function sendDrop(pk, wish) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const answer = await fetch(dragAddress.replace("/0/", `/${pk}/`), { method: "POST", headers, body: new URLSearchParams(wish), redirect: "error" });
  if (answer.ok || answer.status === 409) return answer.json();
  throw new Error(answer.statusText);
}

function ask([question, ...more]) {
  return open(question, more, [["move", dragDialog.dataset.move, "btn btn-primary"], ["", dragDialog.dataset.keep, "btn"]]);
}

// Resolves to the time that the user chose instead, or to an empty string.
function refuse({ sentence, next_free: free }) {
  const times = free.map(({ starts_at: value, label }) => [value, label, "btn"]);
  return open(sentence, times.length ? [dragDialog.dataset.instead] : [], [...times, ["", dragDialog.dataset.close, times.length ? "btn btn-ghost" : "btn btn-primary"]]);
}

function open(title, sentences, buttons) {
  const say = dragDialog.querySelector(".dialog-more");
  dragDialog.querySelector("h2").textContent = title;
  say.replaceChildren(...sentences.map((words) => part("p", "", words)));
  dragDialog.querySelector("form").replaceChildren(...buttons.map(([value, label, name]) => {
    const button = part("button", name, label);
    button.value = value;
    return button;
  }));
  dragDialog.returnValue = "";
  dragDialog.showModal();
  return new Promise((resolve) => { dragDialog.addEventListener("close", () => resolve(dragDialog.returnValue), { once: true }); });
}

function say(sentence, pk, undo) {
  const button = part("button", "btn btn-sm", dragSaid.dataset.undo);
  button.addEventListener("click", () => {
    dragSaid.hidden = true;
    window.dropAppointment(pk, undo, () => {});
  });
  const close = part("button", "btn-close", "");
  close.setAttribute("aria-label", dragDialog.dataset.close);
  close.addEventListener("click", () => { dragSaid.hidden = true; });
  dragSaid.replaceChildren(part("span", "", sentence), button, close);
  dragSaid.hidden = false;
}

function part(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// Handle a drop or a resize in the columns.
window.columnDrop = function columnDrop(info, staff, resized) {
  const wish = { starts_at: clockOf(info.event.start), staff, version: info.event.extendedProps.version };
  if (resized) wish.ends_at = clockOf(info.event.end);
  window.dropAppointment(info.event.id, wish, info.revert);
};

// The calendar's dates are wall-clock times in the schedule's zone, not in the browser's.
function clockOf(moment) {
  const two = (number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

// In the week's table, a drag moves an appointment to another day or person at the same time of day.
let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".chip[draggable=true]") || null;
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
  const { appointment, time, version } = dragged.dataset;
  window.dropAppointment(appointment, { starts_at: `${cell.dataset.day}T${time}`, staff: cell.dataset.staff, version }, () => {});
});

function markCell(cell) {
  for (const other of document.querySelectorAll(".week-cell.is-target")) other.classList.toggle("is-target", other === cell);
  cell?.classList.add("is-target");
}
