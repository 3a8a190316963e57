// What makes the static report move: it is there before, and stays there for printing and without scripts.
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { addChart } from "./charts";
import { Run, type PackedRun } from "./data";
import { Gantt } from "./gantt";
import { makeSortable } from "./tables";
import { addTheme } from "./theme";
import { TimeView } from "./view";

function start(): void {
  document.querySelectorAll<HTMLTableElement>("table.sortable").forEach(makeSortable);
  const coloured: { recolour(): void }[] = [];
  // First of all: what is drawn below has its colours then.
  const header = document.querySelector("header");
  if (header) addTheme(header, () => coloured.forEach((one) => one.recolour()));
  const data = JSON.parse(document.getElementById("duet-data")?.textContent ?? '{"runs":[]}') as { runs: PackedRun[] };
  const runs = data.runs.map((packed) => new Run(packed));
  const view = new TimeView(Math.max(1e-9, ...runs.map((run) => run.until)));
  document.querySelectorAll<HTMLElement>("figure.live").forEach((figure) => {
    const run = runs[Number(figure.dataset["run"])];
    const kind = figure.dataset["chart"] ?? "";
    if (!run) return;
    figure.classList.add("enhanced");
    coloured.push(kind === "gantt" ? new Gantt(figure, run, view) : addChart(figure, run, kind, view));
  });
}

start();
