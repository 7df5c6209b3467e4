// Show times in the visitor's time zone. Without this file, the Client View uses the organisation's zone.
"use strict";

const address = new URL(window.location.href);
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (browserZone && !address.searchParams.has("zone")) {
  if (document.getElementById("zone")) {
    // The page shows times in the organisation's zone: reload it with the visitor's zone.
    address.searchParams.set("zone", browserZone);
    window.location.replace(address);
  } else {
    document.querySelectorAll("a[data-step]").forEach((link) => {
      const to = new URL(link.href);
      to.searchParams.set("zone", browserZone);
      link.href = to;
    });
  }
}

// In a sandboxed iframe without allow-same-origin, a form has no origin, so that it would be refused after the last step.
if (window.origin === "null") {
  document.getElementById("sandboxed").hidden = false;
}

// In an iframe, post the page's height to the embedding site, so that it can resize the iframe.
if (window.parent !== window) {
  const postHeight = () => window.parent.postMessage(
    { coconut: "height", height: document.documentElement.scrollHeight }, "*");
  new ResizeObserver(postHeight).observe(document.body);
  postHeight();
}
