// The page of one appointment: Escape goes back to where one came from, and news never disturb who is typing.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("form[data-changed]")) document.querySelector("a[data-escape]")?.click();
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const notes = event.detail.target;
  if (notes.id === "notes" && (notes.querySelector("form[data-changed]") || notes.contains(document.activeElement))) event.detail.shouldSwap = false;
});
