// Colours, and when pictures are drawn: those in view at once, others when they come into view.
"use strict";
const page = (() => {
  const root = document.documentElement;
  const preparations = [];
  const PRINT_WIDTH = 680;

  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  function remembered(value) {
    // A browser may refuse storage to a file; the colours then hold until the page is closed.
    try {
      if (value === undefined) return localStorage.getItem("vqrom-theme");
      localStorage.setItem("vqrom-theme", value);
    } catch { /* see above */ }
    return null;
  }

  function offerTheme(button) {
    const kept = remembered();
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
    const name = () => {
      button.textContent = dark() ? "Light colours" : "Dark colours";
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      remembered(root.dataset.theme);
      name();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
    name();
  }

  function data(id) {
    return JSON.parse(document.getElementById(id).textContent);
  }

  function config(box) {
    return {
      responsive: true, displaylogo: false, scrollZoom: false,
      modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { format: "svg", filename: box.id },
    };
  }

  function fit(layout, width) {
    // A narrow page has no room for what stands beside the plot.
    if (width >= 560) return layout;
    return { ...layout, font: { ...layout.font, size: 10 } };
  }

  function draw(box) {
    if (box.dataset.drawn) return;
    box.dataset.drawn = "yes";
    const spec = data(`${box.id}-data`);
    for (const prepare of preparations) prepare(spec, box);
    Plotly.newPlot(box, spec.data, fit(spec.layout, box.clientWidth), config(box));
    performance.mark("first picture");
    box.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  }

  function openAll() {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      details.dataset.opened = "for paper";
    }
  }

  function closeAgain() {
    for (const details of document.querySelectorAll("details[data-opened]")) {
      details.open = false;
      delete details.dataset.opened;
    }
  }

  function start() {
    offerTheme(document.getElementById("theme"));
    const boxes = [...document.querySelectorAll(".plot")];
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watch.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "400px" });
    for (const box of boxes) watch.observe(box);
    addEventListener("beforeprint", () => {
      openAll();
      for (const box of boxes) {
        draw(box);
        const width = Math.min(box.clientWidth, PRINT_WIDTH / (box.closest(".grid") ? 2.1 : 1));
        Plotly.relayout(box, { autosize: false, width });
      }
    });
    addEventListener("afterprint", () => {
      closeAgain();
      for (const box of boxes) Plotly.relayout(box, { autosize: true, width: null });
    });
  }

  // A name as plotly shows it letter by letter.
  const escaped = (text) => String(text)
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  // A whole number with narrow spaces between thousands.
  const whole = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");

  return { start, data, escaped, whole, prepare: (step) => preparations.push(step) };
})();
document.addEventListener("DOMContentLoaded", page.start);
