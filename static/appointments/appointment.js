// The appointment page: Escape goes back, and updates never replace notes while the user is typing.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("form[data-changed]")) document.querySelector("a[data-escape]")?.click();
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const notes = event.detail.target;
  if (notes.id === "notes" && (notes.querySelector("form[data-changed]") || notes.contains(document.activeElement))) event.detail.shouldSwap = false;
});
