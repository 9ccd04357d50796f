// Timelines: bars for what is in view, so that a long run is drawn as quickly as a short one.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const STEPS = 1500; // Bars shorter than this part of what is in view are joined.

  const { escaped, whole } = page;

  function joined(spans, from, to) {
    const least = (to - from) / STEPS;
    const bars = [];
    let bar = null;
    for (let i = 0; i < spans.start.length; i++) {
      if (spans.end[i] < from || spans.start[i] > to) continue;
      const [unit, layer, start, end] = [spans.unit[i], spans.layer[i], spans.start[i],
        spans.end[i]];
      const near = bar && bar.unit === unit && start - bar.end < least;
      if (near && (bar.layers.size === 1 && bar.layers.has(layer)
        || bar.end - bar.start < 3 * least && end - start < 3 * least)) {
        bar.end = end;
      } else {
        bar = { unit, start, end, layers: new Map() };
        bars.push(bar);
      }
      bar.layers.set(layer, (bar.layers.get(layer) ?? 0) + spans.busy[i]);
    }
    return bars;
  }

  function traces(spans, from, to, width) {
    const byColour = new Map();
    for (const bar of joined(spans, from, to)) {
      const [first] = bar.layers.keys();
      const colour = bar.layers.size > 1 ? spans.mixed
        : spans.palette[first % spans.palette.length];
      if (!byColour.has(colour)) {
        byColour.set(colour, { type: "bar", orientation: "h", base: [], x: [], y: [], text: [],
          hovertext: [], width: 0.72, marker: { color: colour, line: { width: 0 } },
          textposition: "inside", insidetextanchor: "middle", textangle: 0, constraintext: "none",
          cliponaxis: true, hovertemplate: "%{hovertext}<extra></extra>" });
      }
      const trace = byColour.get(colour);
      const names = [...bar.layers.keys()].map((layer) => spans.layers[layer]);
      const busy = [...bar.layers.values()].reduce((sum, one) => sum + one, 0);
      const some = names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
      trace.base.push(bar.start);
      trace.x.push(bar.end - bar.start);
      trace.y.push(bar.unit);
      const share = (Math.min(bar.end, to) - Math.max(bar.start, from)) / (to - from);
      trace.text.push(names.length === 1 && share * width > 8 * names[0].length
        ? escaped(names[0]) : "");
      trace.hovertext.push(`<b>${escaped(spans.units[bar.unit])}</b>: `
        + `${some.map(escaped).join(", ")}<br>cycles ${whole(bar.start)} to ${whole(bar.end)}`
        + `<br>works in ${whole(busy)} of ${whole(bar.end - bar.start)}`);
    }
    return [...byColour.values()];
  }

  const spansOf = new Map();
  page.prepare((spec, box) => {
    if (spec.layout.meta !== "timeline") return;
    const spans = page.data(`${box.id}-spans`);
    spansOf.set(box, spans);
    spec.data = traces(spans, ...spec.layout.xaxis.range, box.clientWidth - 120);
  });

  document.addEventListener("drawn", (event) => {
    const box = event.target;
    const spans = spansOf.get(box);
    if (!spans) return;
    const all = [...box.layout.xaxis.range];
    box.on("plotly_relayout", (changes) => {
      if (!Object.keys(changes).some((name) => name.startsWith("xaxis"))) return;
      Plotly.react(box, traces(spans, ...box.layout.xaxis.range, box.clientWidth - 120), box.layout);
    });
    box.on("plotly_doubleclick", () => {
      Plotly.relayout(box, { "xaxis.range": [...all] });
      return false;
    });
    const select = document.getElementById(`${box.id}-layer`);
    select.addEventListener("change", () => {
      let [from, to] = all;
      if (select.value !== "") {
        const layer = Number(select.value);
        const own = spans.layer.flatMap((one, i) => one === layer ? [i] : []);
        from = own.reduce((low, i) => Math.min(low, spans.start[i]), Infinity);
        to = own.reduce((high, i) => Math.max(high, spans.end[i]), 0);
        const margin = 0.03 * (to - from);
        [from, to] = [Math.max(all[0], from - margin), Math.min(all[1], to + margin)];
      }
      Plotly.relayout(box, { "xaxis.range": [from, to] });
    });
  });
});
