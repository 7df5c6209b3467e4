// The selection bar above the table of users. Without this file, the two buttons apply to the selected rows.
"use strict";

// The selection before htmx replaces a part of the table; restored afterwards.
let savedSelection = null;

const rowBoxes = () => [...document.querySelectorAll('input[name="staff"][form="bulk"]')];
const allBox = () => document.getElementById("select-all");

function showSelection() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const { total, totalText, none, some, narrow, widen } = bulk.dataset;
  const count = rowBoxes().filter((box) => box.checked).length;
  const isWholePage = count > 0 && count === rowBoxes().length;
  const isAll = allBox().checked;
  allBox().indeterminate = !isAll && count > 0;
  const text = isAll ? bulk.dataset.all.replace("{count}", totalText) : some.replace("{count}", count);
  announce(document.getElementById("selection"), isAll || count ? text : none);
  const scope = document.getElementById("selection-scope");
  scope.hidden = !isWholePage || Number(total) === count;
  scope.textContent = (isAll ? narrow : widen).replace("{count}", isAll ? count : totalText);
  bulk.classList.toggle("is-active", isAll || count > 0);
  bulk.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = !isAll && count === 0; });
}

// Write only if the text changed: screen readers announce every write to a live region.
function announce(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setRowBoxes(isChecked) {
  rowBoxes().forEach((box) => { box.checked = isChecked; });
}

document.addEventListener("change", (event) => {
  if (event.target.name === "all") setRowBoxes(event.target.checked);
  else if (event.target.name === "staff") allBox().checked = false;
  else return;
  showSelection();
});

document.addEventListener("click", (event) => {
  if (event.target.id !== "selection-scope") return;
  allBox().checked = !allBox().checked;
  setRowBoxes(true);
  showSelection();
});

// Keep the selection when htmx replaces a row or the table, as long as the table lists the same people.
document.addEventListener("htmx:beforeSwap", () => {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const ids = new Set(rowBoxes().filter((box) => box.checked).map((box) => box.value));
  savedSelection = { query: bulk.dataset.query, isAll: allBox().checked, ids };
});
document.addEventListener("htmx:afterSettle", () => {
  const bulk = document.getElementById("bulk");
  if (bulk && savedSelection && savedSelection.query === bulk.dataset.query) {
    allBox().checked = savedSelection.isAll;
    rowBoxes().forEach((box) => { box.checked = box.checked || savedSelection.isAll || savedSelection.ids.has(box.value); });
  }
  savedSelection = null;
  showSelection();
});
document.addEventListener("DOMContentLoaded", showSelection);
window.addEventListener("pageshow", showSelection);
