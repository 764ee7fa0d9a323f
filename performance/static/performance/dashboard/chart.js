// One chart: a uPlot, a legend that tells lines apart without colour, and the table behind it.

import { figure, moment } from "./format.js";

const HEIGHT = 190;
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [1, 5]];
const SVG = "http://www.w3.org/2000/svg";
const TONES = ["bad", "warn", "good", "before"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function style(line, index) {
  const tone = TONES.includes(line.tone) ? line.tone : index % 6;
  return { stroke: `--chart-${tone}`, dash: DASHES[index % DASHES.length], width: line.tone === "before" ? 1 : 2 };
}

function swatch({ stroke, dash, width }) {
  const picture = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "line");
  const set = { x1: 0, x2: 28, y1: 5, y2: 5, stroke: `var(${stroke})`, "stroke-width": width + 0.5 };
  for (const [key, value] of Object.entries(set)) line.setAttribute(key, value);
  if (dash.length) line.setAttribute("stroke-dasharray", dash.join(" "));
  for (const [key, value] of Object.entries({ width: 28, height: 10, "aria-hidden": "true" })) picture.setAttribute(key, value);
  picture.append(line);
  return picture;
}

const known = (values) => values.filter((value) => value !== null);
const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
const last = (values) => values.findLast((value) => value !== null) ?? null;

/** The places of values with a gap on both sides: a line through one point is not seen, so it wants a dot. */
export function isolated(values) {
  const gap = (index) => values[index] === null || values[index] === undefined;
  return [...values.keys()].filter((index) => !gap(index) && gap(index - 1) && gap(index + 1));
}

export class Chart {
  /** `open(from, seconds)` leads to what happened then. */
  constructor(node, time, open) {
    this.node = node;
    this.time = time;
    this.open = open;
    this.place = node.querySelector(".plot");
    this.legend = node.querySelector(".legend");
    this.table = node.querySelector("details");
    this.spoken = node.querySelector("output");
    this.unit = node.dataset.unit;
    this.table.addEventListener("toggle", () => this.#fillTable());
    this.place.addEventListener("keydown", (event) => this.#press(event));
    this.place.addEventListener("blur", () => this.#point(null));
    new ResizeObserver(() => this.#fit()).observe(this.place);
  }

  /** Draws `data` ({x, lines: [{label, tone, values}]}) and the alerts' `spans`. */
  show(data, spans) {
    const labels = data.lines.map((line) => line.label).join("\n");
    this.data = data;
    this.spans = spans;
    this.node.classList.toggle("empty", !data.lines.some((line) => known(line.values).length));
    if (!this.plot || labels !== this.labels) this.#build(labels);
    else this.plot.setData(this.#columns());
    this.#describe();
    this.#fillTable();
  }

  /** Puts the newest steps to those that are there; false where a line is new, whose past is not known. */
  extend(data, spans) {
    const fresh = new Map(data.lines.map((line) => [line.label, line.values]));
    const labels = new Set(this.data.lines.map((line) => line.label));
    if (data.lines.some((line) => !labels.has(line.label))) return false;
    const had = this.data.x;
    const found = had.findIndex((at) => at >= data.x[0]);
    const keep = found < 0 ? had.length : found;
    const drop = Math.max(0, keep + data.x.length - had.length);
    const joined = (old, newest = data.x.map(() => null)) => [...old.slice(drop, keep), ...newest];
    this.show({
      step: data.step,
      x: joined(had, data.x),
      lines: this.data.lines.map((line) => ({ ...line, values: joined(line.values, fresh.get(line.label)) })),
    }, spans);
    return true;
  }

  redraw() {
    this.plot?.redraw(false, true);
  }

  #columns() {
    return [this.data.x, ...this.data.lines.map((line) => line.values)];
  }

  #build(labels) {
    this.plot?.destroy();
    this.labels = labels;
    this.styles = this.data.lines.map(style);
    this.#buildLegend();
    this.plot = new uPlot(this.#options(), this.#columns(), this.place);
    this.plot.over.addEventListener("click", () => this.#openPoint());
  }

  #options() {
    const axis = {
      stroke: () => colour("--chart-text"),
      grid: { stroke: () => colour("--chart-grid"), width: 1 },
      ticks: { stroke: () => colour("--chart-grid"), width: 1 },
      font: "12px Inter, sans-serif",
    };
    return {
      width: Math.max(this.place.clientWidth, 120),
      height: HEIGHT,
      legend: { show: false },
      // Signals of all charts move together, so that one spike is seen in all.
      cursor: { sync: { key: "board" }, y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, this.#top(high)] } },
      axes: [
        { ...axis, values: (_plot, splits) => splits.map((at) => moment(at, this.time)), space: this.time.long ? 90 : 55 },
        { ...axis, size: 62, values: (_plot, splits) => splits.map((value) => figure(value, this.unit)) },
      ],
      series: [{}, ...this.data.lines.map((line, index) => this.#series(line, index))],
      hooks: {
        drawClear: [(plot) => this.#drawSpans(plot)],
        setCursor: [(plot) => this.#point(plot.cursor.idx)],
        setSelect: [(plot) => this.#openSpan(plot)],
      },
    };
  }

  #top(high) {
    if (this.node.dataset.top) return Number(this.node.dataset.top);
    return high > 0 ? high * 1.1 : 1;
  }

  #series(line, index) {
    const { stroke, dash, width } = this.styles[index];
    const filter = (plot, number, all) => (all ? null : isolated(plot.data[number]));
    return { label: line.label, stroke: () => colour(stroke), dash, width, points: { size: 5, filter } };
  }

  #drawSpans(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const span of this.spans) {
      const from = plot.valToPos(span.from, "x", true);
      const width = Math.max(plot.valToPos(span.to, "x", true) - from, 2 * devicePixelRatio);
      ctx.fillStyle = colour(`--span-${span.severity}`);
      ctx.fillRect(from, bbox.top, width, bbox.height);
      // The bar above says it in black and white as well.
      ctx.fillStyle = colour("--chart-text");
      ctx.fillRect(from, bbox.top, width, 3 * devicePixelRatio);
    }
    ctx.restore();
  }

  #buildLegend() {
    const rows = this.data.lines.map((line, index) => {
      const row = document.createElement("tr");
      const name = element("th", "", { scope: "row" });
      name.append(swatch(this.styles[index]), ` ${line.label}`);
      row.append(name, ...["value", "mean", "max"].map((kind) => element("td", "", { class: kind })));
      return row;
    });
    this.legend.tBodies[0].replaceChildren(...rows);
    this.legend.hidden = false;
  }

  #point(index) {
    if (!this.data) return;
    this.pointed = index ?? null;
    this.legend.tHead.rows[0].cells[1].textContent = this.pointed === null ? "Now" : moment(this.data.x[this.pointed], this.time);
    this.data.lines.forEach((line, number) => {
      const value = this.pointed === null ? last(line.values) : line.values[this.pointed];
      this.legend.tBodies[0].rows[number].cells[1].textContent = figure(value, this.unit);
    });
  }

  #describe() {
    this.#point(this.pointed !== null && this.pointed < this.data.x.length ? this.pointed : null);
    const parts = this.data.lines.map((line, number) => {
      const values = known(line.values);
      const cells = this.legend.tBodies[0].rows[number].cells;
      cells[2].textContent = figure(mean(values), this.unit);
      cells[3].textContent = figure(values.length ? Math.max(...values) : null, this.unit);
      return `${line.label} ${figure(last(line.values), this.unit)}`;
    });
    this.place.setAttribute("aria-label", `${this.node.dataset.title}: ${parts.join(", ") || "no data"}. Arrow keys move, Enter opens the moment.`);
  }

  #fillTable() {
    if (!this.table.open || !this.data) return;
    const table = this.table.querySelector("table");
    const heads = ["Time", ...this.data.lines.map((line) => line.label)];
    table.tHead.rows[0].replaceChildren(...heads.map((text) => element("th", text, { scope: "col" })));
    const rows = this.data.x.map((at, index) => {
      const row = document.createElement("tr");
      row.append(element("th", moment(at, this.time), { scope: "row" }));
      row.append(...this.data.lines.map((line) => element("td", figure(line.values[index], this.unit))));
      return row;
    });
    table.tBodies[0].replaceChildren(...rows.reverse());
  }

  #press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key === "Enter") this.#openPoint();
    else if (event.key in steps) this.#move(steps[event.key]);
    else return;
    event.preventDefault();
  }

  #move(step) {
    const end = this.data.x.length - 1;
    const index = Math.min(Math.max((this.pointed ?? end + 1) + step, 0), end);
    this.plot.setCursor({ left: this.plot.valToPos(this.data.x[index], "x"), top: 10 });
    this.#point(index);
    const said = this.data.lines.map((line) => `${line.label} ${figure(line.values[index], this.unit)}`);
    this.spoken.textContent = `${moment(this.data.x[index], this.time)}: ${said.join(", ")}`;
  }

  #openPoint() {
    if (this.pointed !== null && this.pointed !== undefined) this.open(this.data.x[this.pointed], this.data.step);
  }

  #openSpan(plot) {
    if (plot.select.width < 8) return;
    const from = plot.posToVal(plot.select.left, "x");
    this.open(from, plot.posToVal(plot.select.left + plot.select.width, "x") - from);
  }

  #fit() {
    const width = this.place.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }
}
