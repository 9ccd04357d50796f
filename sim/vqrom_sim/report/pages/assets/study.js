// The table of points, what stands beside the mouse, and colours of the Pareto plots by an axis.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const points = page.data("points");
  const { palette, symbols } = points;
  const column = new Map(points.columns.map((one, place) => [one.name, points.values[place]]));
  const label = new Map(points.columns.map((one) => [one.name, one.label]));
  const count = points.ranks.length;

  function shown(value) {
    if (value === null) return "–";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value !== "number") return value;
    if (Number.isInteger(value) || Math.abs(value) >= 1e5) return page.whole(value);
    return String(Number(value.toPrecision(6)));
  }

  // Beside the mouse.
  const beside = new Map();
  function hover(row) {
    if (row === null) return null;
    if (!beside.has(row)) {
      beside.set(row, [`<b>point ${row + 1}</b>`, ...points.hover.map((name) =>
        `${page.escaped(label.get(name))}: ${page.escaped(shown(column.get(name)[row]))}`)].join("<br>"));
    }
    return beside.get(row);
  }
  page.prepare((spec) => {
    for (const trace of spec.data) {
      if (trace.meta === "points") trace.text = trace.customdata.map(hover);
    }
  });

  // The table.
  const table = document.getElementById("table");
  const state = { key: "", down: false, start: 0, size: 25, chosen: -1, find: "", which: "every",
    columns: "main" };

  function rows() {
    const wanted = state.find.toLowerCase();
    let list = Array.from({ length: count }, (_, row) => row);
    if (state.which === "front") list = list.filter((row) => points.ranks[row] === 1);
    if (wanted) {
      list = list.filter((row) => points.columns.some((one) =>
        String(column.get(one.name)[row]).toLowerCase().includes(wanted))
        || (points.failures[row] ?? "").toLowerCase().includes(wanted)
        || String(row + 1) === wanted);
    }
    if (!state.key) return list;
    const values = state.key === "rank" ? points.ranks
      : state.key === "point" ? null : column.get(state.key);
    const compare = (a, b) => {
      if (!values) return a - b;
      const [one, other] = [values[a], values[b]];
      if (one === other) return 0;
      if (one === null) return state.down ? -1 : 1;
      if (other === null) return state.down ? 1 : -1;
      if (typeof one === "string" || typeof other === "string") {
        return String(one).localeCompare(String(other), "en", { numeric: true });
      }
      return one - other;
    };
    // Points without a value come last, whichever way the table is sorted.
    return list.sort((a, b) => (state.down ? compare(b, a) : compare(a, b)) || a - b);
  }

  function cell(tag, text, left) {
    const made = document.createElement(tag);
    if (left) made.className = "t";
    made.textContent = text;
    return made;
  }

  function heading(key, text, meaning, left) {
    const made = cell("th", "", left);
    made.scope = "col";
    made.title = meaning;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.dataset.key = key;
    made.append(button);
    if (state.key === key) made.ariaSort = state.down ? "descending" : "ascending";
    return made;
  }

  function show() {
    const list = rows();
    state.start = Math.max(0, Math.min(state.start, list.length - 1));
    state.start -= state.start % state.size;
    const visible = list.slice(state.start, state.start + state.size);
    const columns = points.columns.filter(
      (one) => state.columns === "all" || one.role !== "other");
    const isText = (name) => column.get(name).some((value) => typeof value === "string");
    const head = document.createElement("tr");
    head.append(heading("point", "point", "its row in the study’s table, from 1"),
      heading("rank", "rank", "Pareto rank; 1 is the front"),
      ...columns.map((one) => heading(one.name, one.label, one.meaning, isText(one.name))));
    const body = visible.map((row) => {
      const line = document.createElement("tr");
      line.append(cell("td", row + 1), cell("td", points.failures[row] === null
        ? shown(points.ranks[row]) : "failed"));
      for (const one of columns) {
        line.append(cell("td", shown(column.get(one.name)[row]), isText(one.name)));
      }
      if (row === state.chosen) line.className = "chosen";
      return line;
    });
    const focused = document.activeElement?.dataset?.key;
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...body);
    if (focused) table.querySelector(`button[data-key="${CSS.escape(focused)}"]`)?.focus();
    const last = Math.min(state.start + state.size, list.length);
    document.getElementById("where").textContent = list.length
      ? `points ${state.start + 1}–${last} of ${list.length}` : "no such points";
    document.getElementById("back").disabled = state.start === 0;
    document.getElementById("forth").disabled = last >= list.length;
  }

  function change(id, event, act) {
    document.getElementById(id).addEventListener(event, (happened) => {
      act(happened.target);
      show();
    });
  }
  change("back", "click", () => { state.start -= state.size; });
  change("forth", "click", () => { state.start += state.size; });
  change("find", "input", (box) => { state.find = box.value.trim(); state.start = 0; });
  change("which", "change", (box) => { state.which = box.value; state.start = 0; });
  change("columns", "change", (box) => { state.columns = box.value; });
  change("size", "change", (box) => { state.size = Number(box.value); });
  table.tHead.addEventListener("click", (event) => {
    const key = event.target.dataset.key;
    if (key === undefined) return;
    state.down = state.key === key && !state.down;
    state.key = key;
    state.start = 0;
    show();
  });

  // A click on a point shows its row.
  document.addEventListener("drawn", (event) => {
    event.target.on("plotly_click", (clicked) => {
      const row = clicked.points[0].customdata;
      if (!Number.isInteger(row)) return;
      state.chosen = row;
      state.find = "";
      state.which = "every";
      document.getElementById("find").value = "";
      document.getElementById("which").value = "every";
      state.start = rows().indexOf(row);
      show();
      table.querySelector(".chosen").scrollIntoView({ block: "center" });
    });
  });

  // Pareto plots in the colours of an axis.
  function markers(trace, name) {
    if (!name) return null;
    const values = column.get(name);
    const different = [...new Set(values)];
    const all = different.every((value) => typeof value === "number");
    if (all) different.sort((a, b) => a - b);
    if (different.length > symbols.length) {
      return all ? { "marker.color": [trace.customdata.map((row) => values[row])],
        "marker.colorscale": "Cividis", "marker.showscale": true,
        "marker.cmin": different[0], "marker.cmax": different.at(-1) } : null;
    }
    const place = new Map(different.map((value, number) => [value, number]));
    const numbers = trace.customdata.map((row) => place.get(values[row]));
    return { "marker.color": [numbers.map((number) => palette[number])],
      "marker.symbol": [numbers.map((number) => symbols[number])] };
  }

  function paint(box, name) {
    box.data.forEach((trace, place) => {
      if (trace.meta !== "points" || trace.mode !== "markers") return;
      const front = trace.name.startsWith("Pareto");
      Plotly.restyle(box, markers(trace, name) ?? {
        "marker.color": front ? points.plain[0] : points.plain[1], "marker.showscale": false,
        "marker.symbol": front ? "diamond" : "circle" }, [place]);
    });
    const key = document.getElementById("paint-key");
    key.replaceChildren();
    const different = name ? [...new Set(column.get(name))] : [];
    if (different.length > symbols.length) return;
    if (different.every((value) => typeof value === "number")) different.sort((a, b) => a - b);
    const SHAPES = ["●", "◆", "■", "▲", "✚", "✖", "▼", "★"];
    different.forEach((value, number) => {
      const one = document.createElement("span");
      const mark = document.createElement("span");
      mark.style.color = palette[number];
      mark.textContent = `${SHAPES[number]} `;
      one.append(mark, shown(value));
      key.append(one);
    });
  }
  const select = document.getElementById("paint");
  select?.addEventListener("change", () => {
    for (const box of document.querySelectorAll("[id^=pareto-][data-drawn]")) {
      paint(box, select.value);
    }
  });
  document.addEventListener("drawn", (event) => {
    if (select?.value && event.target.id.startsWith("pareto-")) paint(event.target, select.value);
  });
  show();
});
