// A list with checkboxes, and one checkbox for all rows on all pages. Without this file, checked boxes still apply.
"use strict";

function updateSelectionBar() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  const { total, nothing, some, all } = bar.dataset;
  const everything = bar.querySelector('[name="everything"]');
  const boxes = [...document.querySelectorAll('input[name="appointment"]')];
  const selected = boxes.filter((box) => box.checked).length;
  const count = everything.checked ? Number(total) - (boxes.length - selected) : selected;
  everything.indeterminate = count > 0 && count < Number(total);
  const sentence = count === Number(total) ? all : count ? some : nothing;
  const status = bar.querySelector('[role="status"]');
  const text = sentence.replace("{count}", count.toLocaleString(document.documentElement.lang));
  if (status.textContent !== text) status.textContent = text;
  bar.classList.toggle("is-active", count > 0);
  bar.querySelectorAll("button").forEach((button) => { button.disabled = count === 0; });
}

document.addEventListener("change", (event) => {
  if (event.target.name === "everything") {
    document.querySelectorAll('input[name="appointment"]').forEach((box) => { box.checked = event.target.checked; });
  }
  updateSelectionBar();
});
document.addEventListener("DOMContentLoaded", updateSelectionBar);
window.addEventListener("pageshow", updateSelectionBar);
