// Booking by keyboard: a free time fills the fields at once, Enter in the search takes the first client, Escape leaves.
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

const search = document.getElementById("id_client_query");
search?.addEventListener("keydown", (event) => {
  const first = document.querySelector("#client-results input[type=radio]");
  if (event.key === "ArrowDown" && first) {
    event.preventDefault();
    first.focus();
  } else if (event.key === "Enter") {
    event.preventDefault();
    const found = document.querySelectorAll("#client-results input[type=radio]");
    if (!search.value.trim() || found.length === 0) return;
    first.checked = true;
    if (first.value === "new") startNewClient();
    else document.getElementById("id_service").focus();
  }
});

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
document.querySelector("#booking .is-invalid")?.focus();

// A time is typed in parts, and each part is a change: nothing is replaced under the fingers.
document.addEventListener("change", (event) => {
  if (event.target.id === "id_time") event.stopPropagation();
}, true);
document.addEventListener("input", (event) => {
  if (event.target.id === "id_time") forgetRefusedTime();
});
