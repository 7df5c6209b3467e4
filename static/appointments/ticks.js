// A list with checkboxes, and one checkbox for all rows on all pages. Without this file, ticked checkboxes still apply.
"use strict";

function showTicks() {
  const bar = document.querySelector("[data-ticks]");
  if (!bar) return;
  const { total, nothing, some, all } = bar.dataset;
  const everything = bar.querySelector('[name="everything"]');
  const boxes = [...document.querySelectorAll('input[name="appointment"]')];
  const ticked = boxes.filter((box) => box.checked).length;
  const count = everything.checked ? Number(total) - (boxes.length - ticked) : ticked;
  everything.indeterminate = count > 0 && count < Number(total);
  const words = count === Number(total) ? all : count ? some : nothing;
  const place = bar.querySelector('[role="status"]');
  const said = words.replace("{count}", count.toLocaleString(document.documentElement.lang));
  if (place.textContent !== said) place.textContent = said;
  bar.classList.toggle("is-active", count > 0);
  bar.querySelector("button").disabled = count === 0;
}

document.addEventListener("change", (event) => {
  if (event.target.name === "everything") {
    document.querySelectorAll('input[name="appointment"]').forEach((box) => { box.checked = event.target.checked; });
  }
  showTicks();
});
document.addEventListener("DOMContentLoaded", showTicks);
window.addEventListener("pageshow", showTicks);
