"use strict";
const parts = [...document.querySelectorAll("details.id-row")];
const set = (open) => { for (const each of parts) each.open = open; };
document.getElementById("all").addEventListener("click", () => set(true));
document.getElementById("none").addEventListener("click", () => set(false));
document.querySelector(".buttons").hidden = false;

// A table that is wider than its place can be moved by the arrow keys, too.
function scrollable() {
  for (const place of document.querySelectorAll(".scroll")) {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}
for (const each of parts) each.addEventListener("toggle", scrollable);
addEventListener("resize", scrollable);
scrollable();
