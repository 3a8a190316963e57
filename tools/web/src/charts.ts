// Line charts over time, drawn by uPlot: they share their range and their cursor with the Gantt charts.
import uPlot from "uplot";
import type { Run, Steps } from "./data";
import { colour, figures, seconds, tickText, timeUnit } from "./text";
import type { TimeView } from "./view";

interface Line {
  label: string;
  steps: Steps;
  colour: string;
  dash?: number[];
  fill?: boolean;
  width?: number;
}

function linesOf(run: Run, kind: string): Line[] {
  const { allocated, used, capacity, waiting, nodesUp } = run.series;
  if (kind === "queue") return [{ label: "tasks that wait", steps: waiting, colour: "s1" }];
  if (kind === "nodes") return [{ label: "nodes up", steps: nodesUp, colour: "s1" }];
  const lines: Line[] = [{ label: "threads held", steps: allocated, colour: "s1", fill: true }];
  if (used.at.length > 0) lines.push({ label: "executing", steps: used, colour: "s2" });
  lines.push({ label: "of nodes up", steps: capacity, colour: "base", dash: [6, 4] });
  return lines;
}

/** One column of instants for all lines, and each line's value at each. */
function joined(lines: Line[], until: number): uPlot.AlignedData {
  const instants = new Set<number>([0, until]);
  for (const line of lines) for (const at of line.steps.at) if (at <= until) instants.add(at);
  const xs = Float64Array.from(instants).sort();
  const columns = lines.map(({ steps }) => {
    const out = new Float64Array(xs.length);
    let next = 0;
    let value = 0;
    xs.forEach((x, i) => {
      while (next < steps.at.length && steps.at[next]! <= x) value = steps.value[next++]!;
      out[i] = value;
    });
    return out;
  });
  return [xs, ...columns] as unknown as uPlot.AlignedData;
}

/** The same numbers to read, made when they are asked for. */
function tableOf(lines: Line[], data: uPlot.AlignedData): HTMLElement {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "as a table";
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    const scroll = document.createElement("div");
    scroll.className = "scroll tall";
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const label of ["time, s", ...lines.map((line) => line.label)]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.className = "n";
      cell.textContent = label;
      head.append(cell);
    }
    const body = table.createTBody();
    const stride = Math.max(1, Math.ceil(data[0].length / 400));
    for (let i = 0; i < data[0].length; i += stride) {
      const row = body.insertRow();
      for (const column of data) {
        const cell = row.insertCell();
        cell.className = "n";
        cell.textContent = figures(Number(column[i]));
      }
    }
    scroll.append(table);
    details.append(scroll);
  });
  return details;
}

export function addChart(figure: HTMLElement, run: Run, kind: string, view: TimeView): { recolour(): void } {
  const lines = linesOf(run, kind);
  const data = joined(lines, run.until);
  const most = Math.max(1, ...lines.flatMap((line) => Array.from(line.steps.value)));
  const host = document.createElement("div");
  host.className = "interactive";
  figure.append(host);
  const height = kind === "nodes" ? 150 : 220;
  let quiet = false;
  const stepped = uPlot.paths.stepped!({ align: 1 });
  const axis: uPlot.Axis = {
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { stroke: () => colour("line"), width: 1, size: 4 },
    font: "13px system-ui, sans-serif",
  };
  const plot = new uPlot({
    width: Math.max(200, host.clientWidth),
    height,
    cursor: { drag: { x: true, y: false, setScale: true }, points: { size: 6 }, y: false },
    scales: { x: { time: false }, y: { range: [0, most * 1.05] } },
    legend: { live: true },
    axes: [
      {
        ...axis, space: 90, size: 26, label: `time, ${timeUnit(view.until).name}`, labelSize: 20,
        labelFont: "13px system-ui, sans-serif",
        values: (_, splits) => {
          const unit = timeUnit(view.until);
          const step = splits.length > 1 ? (splits[1]! - splits[0]!) / unit.seconds : 1;
          return splits.map((at) => tickText(at / unit.seconds, step));
        },
        splits: (u, _axis, from, to) => niceSplits(from, to, Math.max(2, Math.min(6, u.width / 90))),
      },
      { ...axis, size: 54, space: 40, values: (_, splits) => splits.map(figures) },
    ],
    series: [
      { label: "time", value: (_, at) => (at === null ? "\u2013" : seconds(at)) },
      ...lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: () => colour(line.colour),
        fill: line.fill ? () => `${colour(line.colour)}2e` : undefined,
        width: 2, dash: line.dash, paths: stepped, points: { show: false },
        value: (_, value) => (value === null ? "\u2013" : figures(value)),
      })),
    ],
    hooks: {
      setScale: [(u, scale) => {
        const { min, max } = u.scales["x"]!;
        if (scale === "x" && !quiet && min != null && max != null) view.set(min, max);
      }],
      setCursor: [(u) => {
        if (quiet) return;
        const left = u.cursor.left ?? -1;
        view.point(left < 0 ? null : u.posToVal(left, "x"));
      }],
    },
  }, data, host);
  plot.setScale("x", { min: view.from, max: view.to });
  figure.append(tableOf(lines, data));
  plot.over.addEventListener("dblclick", () => view.reset());
  const silently = (act: () => void) => {
    quiet = true;
    act();
    quiet = false;
  };
  view.onRange(() => silently(() => plot.batch(() => plot.setScale("x", { min: view.from, max: view.to }))));
  view.onCursor(() => {
    const left = view.cursor === null ? -10 : plot.valToPos(view.cursor, "x");
    if (Math.abs((plot.cursor.left ?? -10) - left) < 0.5) return;
    silently(() => plot.setCursor({ left, top: left < 0 ? -10 : 10 }, false));
  });
  new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientWidth !== plot.width)
      silently(() => plot.setSize({ width: host.clientWidth, height }));
  }).observe(host);
  return { recolour: () => silently(() => plot.redraw(false, true)) };

  function niceSplits(from: number, to: number, count: number): number[] {
    const unit = timeUnit(view.until).seconds;
    const rough = (to - from) / unit / count;
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough)! * unit;
    const out: number[] = [];
    for (let i = Math.ceil(from / step); i * step <= to; ++i) out.push(i * step);
    return out;
  }
}
