// Booking on the schedule: a free time fills the fields at once. The client's part is in whom.js.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=pick]");
  if (!button) return;
  const [day, time] = button.value.split("T");
  const dateField = document.getElementById("id_date");
  const sameDay = dateField.value === day;
  document.getElementById("id_time").value = time;
  if (!sameDay) return; // another day has other free times: the server shows them
  event.preventDefault();
  for (const other of document.querySelectorAll("button[name=pick]")) other.toggleAttribute("aria-pressed", false);
  for (const same of document.querySelectorAll(`button[name=pick][value="${button.value}"]`)) same.setAttribute("aria-pressed", "true");
  forgetRefusedTime();
});

// Another time than the one that was refused: what was said about that one no longer holds.
function forgetRefusedTime() {
  const field = document.getElementById("id_time");
  field.classList.remove("is-invalid");
  field.removeAttribute("aria-invalid");
  document.getElementById("id_time_error")?.remove();
}

// A time is typed in parts, and each part is a change: nothing is replaced under the fingers.
document.addEventListener("change", (event) => {
  if (event.target.id === "id_time") event.stopPropagation();
}, true);
document.addEventListener("input", (event) => {
  if (event.target.id === "id_time") forgetRefusedTime();
});
