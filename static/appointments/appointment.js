// Escape goes back to where one came from.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) document.querySelector("a[data-escape]")?.click();
});
