// Keyboard navigation on the schedule: arrow keys move to the nearest appointment in that direction.
// A click on an empty cell of the week's table books there.
"use strict";

const AHEAD = {
  ArrowUp: (from, to) => [from.y - to.y, Math.abs(from.x - to.x)],
  ArrowDown: (from, to) => [to.y - from.y, Math.abs(from.x - to.x)],
  ArrowLeft: (from, to) => [from.x - to.x, Math.abs(from.y - to.y)],
  ArrowRight: (from, to) => [to.x - from.x, Math.abs(from.y - to.y)],
};

document.getElementById("schedule")?.addEventListener("keydown", (event) => {
  const from = event.target.closest("[data-appointment]");
  const measure = AHEAD[event.key];
  if (!from || !measure || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const next = nearest(from, measure);
  next?.focus();
  next?.scrollIntoView({ block: "nearest", inline: "nearest" });
});

function nearest(from, measure) {
  const here = from.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const other of document.querySelectorAll("#schedule [data-appointment]")) {
    const there = other.getBoundingClientRect();
    const [ahead, aside] = measure(here, there);
    if (other === from || !there.width || ahead < 2) continue;
    // Weight the sideways distance, so that an appointment straight ahead wins over a diagonal one.
    const distance = ahead + 3 * aside;
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("a, button")) return;
  event.target.closest(".week-cell")?.querySelector(".week-book")?.click();
});
