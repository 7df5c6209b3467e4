// The bar above the table of users: says who is selected. Without it the two buttons work on what is ticked.
"use strict";

function showSelection() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const all = document.querySelector('input[name="everybody"][form="bulk"]');
  const boxes = [...document.querySelectorAll('input[name="staff"][form="bulk"]')];
  const ticked = boxes.filter((box) => box.checked).length;
  const count = all.checked ? Number(bulk.dataset.total) : ticked;
  bulk.classList.toggle("is-active", count > 0);
  bulk.querySelectorAll("button").forEach((button) => { button.disabled = count === 0; });
  const words = bulk.querySelector(".bulk-words");
  if (all.checked) words.textContent = `All ${count.toLocaleString()} users selected`;
  else words.textContent = count ? `${count} selected` : "";
}

document.addEventListener("change", (event) => {
  if (event.target.name === "everybody") {
    document.querySelectorAll('input[name="staff"][form="bulk"]').forEach((box) => {
      box.checked = event.target.checked;
    });
  } else if (event.target.name === "staff" && !event.target.checked) {
    document.querySelector('input[name="everybody"]').checked = false;
  }
  showSelection();
});
document.addEventListener("htmx:afterSettle", showSelection);
document.addEventListener("DOMContentLoaded", showSelection);
