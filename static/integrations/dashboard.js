// The selection bar above the table of users. Without this file, the two buttons apply to the ticked rows.
"use strict";

// The selection before htmx replaces a part of the table; restored afterwards.
let kept = null;

const boxes = () => [...document.querySelectorAll('input[name="staff"][form="bulk"]')];
const everybody = () => document.getElementById("tick-everybody");

function showSelection() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const { total, totalWords, nobody, some, narrow, widen } = bulk.dataset;
  const ticked = boxes().filter((box) => box.checked).length;
  const isWhole = ticked > 0 && ticked === boxes().length;
  const isAll = everybody().checked;
  everybody().indeterminate = !isAll && ticked > 0;
  const words = isAll ? bulk.dataset.everybody.replace("{count}", totalWords) : some.replace("{count}", ticked);
  say(document.getElementById("selection"), isAll || ticked ? words : nobody);
  const scope = document.getElementById("selection-scope");
  scope.hidden = !isWhole || Number(total) === ticked;
  scope.textContent = (isAll ? narrow : widen).replace("{count}", isAll ? ticked : totalWords);
  bulk.classList.toggle("is-active", isAll || ticked > 0);
  bulk.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = !isAll && ticked === 0; });
}

// Write only if the text changed: screen readers announce every write to a live region.
function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

function tickAll(isTicked) {
  boxes().forEach((box) => { box.checked = isTicked; });
}

document.addEventListener("change", (event) => {
  if (event.target.name === "everybody") tickAll(event.target.checked);
  else if (event.target.name === "staff") everybody().checked = false;
  else return;
  showSelection();
});

document.addEventListener("click", (event) => {
  if (event.target.id !== "selection-scope") return;
  everybody().checked = !everybody().checked;
  tickAll(true);
  showSelection();
});

// Keep ticks when htmx replaces a row or the table, as long as the table lists the same people.
document.addEventListener("htmx:beforeSwap", () => {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const ids = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  kept = { query: bulk.dataset.query, isAll: everybody().checked, ids };
});
document.addEventListener("htmx:afterSettle", () => {
  const bulk = document.getElementById("bulk");
  if (bulk && kept && kept.query === bulk.dataset.query) {
    everybody().checked = kept.isAll;
    boxes().forEach((box) => { box.checked = box.checked || kept.isAll || kept.ids.has(box.value); });
  }
  kept = null;
  showSelection();
});
document.addEventListener("DOMContentLoaded", showSelection);
window.addEventListener("pageshow", showSelection);
