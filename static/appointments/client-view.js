// The Client View works without this file. With it, times come in the zone of whoever looks.
"use strict";

const address = new URL(window.location.href);
const guessed = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (guessed && !address.searchParams.has("zone")) {
  if (document.getElementById("times-of")) {
    // Shown in the organisation's zone so far: the same page again, in place of this one.
    address.searchParams.set("zone", guessed);
    window.location.replace(address);
  } else {
    document.querySelectorAll("a[data-step]").forEach((link) => {
      const to = new URL(link.href);
      to.searchParams.set("zone", guessed);
      link.href = to;
    });
  }
}

// Inside another site's frame: how high the page is, for whoever wants to fit the frame to it.
if (window.parent !== window) {
  const tell = () => window.parent.postMessage(
    { coconut: "height", height: document.documentElement.scrollHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
  tell();
}
