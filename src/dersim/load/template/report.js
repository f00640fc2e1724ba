"use strict";
// The theme of the system until a button changes it; and the values under the pointer, in all plots at once.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { root.dataset.theme = dark.matches ? "dark" : "light"; };
follow();
dark.addEventListener("change", follow);

addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });
  scrollable();
  addEventListener("resize", scrollable);
  const series = JSON.parse(document.getElementById("series").textContent);
  const plots = [...document.querySelectorAll("svg[data-plot]")];
  for (const svg of plots) {
    svg.addEventListener("pointermove", (event) => show(plots, series, placeOf(svg, series, event)));
    svg.addEventListener("pointerleave", () => show(plots, series, -1));
  }
});

// A table that is wider than its place can be moved by the arrow keys, too.
function scrollable() {
  for (const place of document.querySelectorAll(".scroll")) {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}

// Which slot is under the pointer.
function placeOf(svg, series, event) {
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const part = (x - Number(svg.dataset.left)) / Number(svg.dataset.wide);
  return Math.min(Math.max(Math.floor(part * series.count), 0), series.count - 1);
}

function show(plots, series, place) {
  for (const svg of plots) {
    const { left, wide, top, high, plot } = svg.dataset;
    svg.querySelector(".cross")?.remove();
    if (place >= 0) {
      const x = Number(left) + (Number(wide) * (place + 0.5)) / series.count;
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      line.setAttribute("class", "cross");
      line.setAttribute("d", `M${x} ${top}v${high}`);
      svg.append(line);
    }
    const figure = svg.closest("figure");
    figure.querySelector(".when").textContent = place < 0 ? "" : `at ${series.times[place]}`;
    figure.querySelectorAll(".key b").forEach((value, index) => {
      const found = series.plots[plot][index][place];
      value.textContent = found === undefined || found === null ? "" : found;
    });
  }
}
