"use strict";
const parts = [...document.querySelectorAll("details.id-row")];
const set = (open) => { for (const each of parts) each.open = open; };
document.getElementById("all").addEventListener("click", () => set(true));
document.getElementById("none").addEventListener("click", () => set(false));
document.querySelector(".buttons").hidden = false;
