// Booking on the schedule: a free time fills the fields. client-choice.js handles the choice of the client.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=pick]");
  if (!button) return;
  const [day, time, fold] = button.value.split(/[T;]/);
  const dateField = document.getElementById("id_date");
  const sameDay = dateField.value === day;
  document.getElementById("id_time").value = time;
  // Another day has other free times, and a time that clocks show twice asks which one: the server lists them.
  if (!sameDay || fold !== undefined || document.getElementById("id_fold")) return;
  event.preventDefault();
  for (const other of document.querySelectorAll("button[name=pick]")) other.toggleAttribute("aria-pressed", false);
  for (const same of document.querySelectorAll(`button[name=pick][value="${button.value}"]`)) same.setAttribute("aria-pressed", "true");
  forgetRefusedTime();
});

// Remove the error of the refused time once the user chooses another time.
function forgetRefusedTime() {
  const field = document.getElementById("id_time");
  field.classList.remove("is-invalid");
  field.removeAttribute("aria-invalid");
  document.getElementById("id_time_error")?.remove();
}

// Typing a time fires a change event for each part: don't refresh the form in between.
document.addEventListener("change", (event) => {
  if (event.target.id === "id_time") event.stopPropagation();
}, true);
document.addEventListener("input", (event) => {
  if (event.target.id === "id_time") forgetRefusedTime();
});
