// The Gantt chart on a canvas: who ran where, when. Bars that could not be told apart are drawn as one; what
// failed is drawn last and never thinner than two pixels.
import { END_NAMES, firstWhere, Layer, OPERATION, STYLES, type LaneBars, type Run } from "./data";
import { colour, seconds, tickText, ticks, timeUnit } from "./text";
import type { TimeView } from "./view";

const MOST_HEIGHT = 640;
const AXIS = 24;
const TOP = 12;
/** Shades of one colour, by how much of a merged stretch is covered. */
const SHADES = 8;

type Colours = Record<"bg" | "text" | "muted" | "line" | "base" | "task" | "worker" | "operation" | "killed"
  | "failed" | "s2", string>;

export class Gantt {
  private readonly canvas = document.createElement("canvas");
  private readonly overlay = document.createElement("canvas");
  private readonly scroller = document.createElement("div");
  private readonly tip = document.createElement("div");
  private readonly laneHeight: number;
  private readonly failures: Uint32Array;
  private colours!: Colours;
  private width = 0;
  private height = 0;
  private gutter = 128;
  private hovered = -1;
  private drag: { x: number; y: number; from: number; to: number; top: number } | null = null;

  constructor(private readonly figure: HTMLElement, private readonly run: Run, private readonly view: TimeView) {
    const lanes = Math.max(1, run.laneNames.length);
    this.laneHeight = Math.min(14, Math.max(4, Math.floor((MOST_HEIGHT - TOP - AXIS) / lanes)));
    this.failures = new Uint32Array(lanes);
    for (let bar = 0; bar < run.count; ++bar)
      if (run.failed(bar)) this.failures[run.firstLane[bar]!]! += run.merged(bar) ? run.job[bar]! : 1;
    this.build();
    this.recolour();
    view.onRange(() => this.draw());
    view.onCursor(() => this.drawOverlay());
    new ResizeObserver(() => this.resize()).observe(this.scroller);
  }

  recolour(): void {
    const names = ["bg", "text", "muted", "line", "base", "task", "worker", "operation", "killed", "failed", "s2"];
    this.colours = Object.fromEntries(names.map((name) => [name, colour(name)])) as Colours;
    this.resize();
  }

  private build(): void {
    const total = this.run.laneNames.length * this.laneHeight + TOP + AXIS;
    this.height = Math.min(MOST_HEIGHT, total);
    this.scroller.className = "interactive gantt-view";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "application");
    const says = this.figure.querySelector("svg")?.getAttribute("aria-label") ?? "";
    this.scroller.setAttribute("aria-label",
      `${says}. Arrow keys move, plus and minus zoom, 0 shows all.`);
    const spacer = document.createElement("div");
    spacer.className = "gantt-all";
    const pane = document.createElement("div");
    pane.className = "gantt-pane";
    pane.append(this.canvas, this.overlay);
    spacer.append(pane);
    this.scroller.append(spacer);
    this.scroller.style.height = `${this.height}px`;
    spacer.style.height = `${total}px`;
    this.tip.className = "tip";
    this.tip.setAttribute("role", "status");
    this.tip.hidden = true;
    const help = document.createElement("p");
    help.className = "note interactive";
    help.textContent = "Wheel zooms, dragging moves, a double click or 0 shows all; with the keyboard: arrows, + and −."
      + (total > MOST_HEIGHT ? " Shift and wheel, or the bar at the right, show other lanes." : "");
    this.figure.append(this.scroller, this.tip, help);
    this.listen();
  }

  private listen(): void {
    const at = this.scroller;
    at.addEventListener("scroll", () => this.draw());
    at.addEventListener("wheel", (event) => {
      if (event.shiftKey || event.deltaY === 0) return;
      if (event.deltaY > 0 && this.view.whole) return;  // Then the page scrolls on.
      event.preventDefault();
      const lines = event.deltaMode === 0 ? event.deltaY : event.deltaY * 16;
      this.view.zoom(Math.exp(Math.max(-200, Math.min(200, lines)) * 0.002), this.time(event.offsetX));
    }, { passive: false });
    at.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.offsetX > this.width) return;
      this.drag = { x: event.clientX, y: event.clientY, from: this.view.from, to: this.view.to, top: at.scrollTop };
      at.setPointerCapture(event.pointerId);
      at.classList.add("dragged");
    });
    at.addEventListener("pointermove", (event) => this.move(event));
    const release = () => {
      this.drag = null;
      at.classList.remove("dragged");
    };
    at.addEventListener("pointerup", release);
    at.addEventListener("pointercancel", release);
    at.addEventListener("pointerleave", () => {
      this.hover(-1);
      this.view.point(null);
    });
    at.addEventListener("dblclick", () => this.view.reset());
    at.addEventListener("keydown", (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const span = this.view.to - this.view.from;
    const middle = (this.view.from + this.view.to) / 2;
    switch (event.key) {
      case "ArrowLeft": this.view.pan(-span / 10); break;
      case "ArrowRight": this.view.pan(span / 10); break;
      case "ArrowUp": this.scroller.scrollTop -= 5 * this.laneHeight; break;
      case "ArrowDown": this.scroller.scrollTop += 5 * this.laneHeight; break;
      case "+": case "=": this.view.zoom(1 / 1.5, middle); break;
      case "-": case "_": this.view.zoom(1.5, middle); break;
      case "0": this.view.reset(); break;
      default: return;
    }
    event.preventDefault();
  }

  private move(event: PointerEvent): void {
    const box = this.scroller.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    if (this.drag) {
      const seconds = (this.drag.x - event.clientX) * (this.drag.to - this.drag.from) / this.plot;
      this.view.set(this.drag.from + seconds, this.drag.to + seconds);
      this.scroller.scrollTop = this.drag.top + this.drag.y - event.clientY;
      return;
    }
    const inside = x >= this.gutter && x <= this.gutter + this.plot && y <= this.height - AXIS;
    this.view.point(inside ? this.time(x) : null);
    this.hover(inside ? this.barAt(x, y) : -1, event.clientX, event.clientY);
  }

  private get plot(): number { return Math.max(1, this.width - this.gutter - (this.width < 700 ? 36 : 56)); }
  private time(x: number): number {
    return this.view.from + (x - this.gutter) / this.plot * (this.view.to - this.view.from);
  }
  private laneAt(y: number): number {
    return Math.floor((y + this.scroller.scrollTop - TOP) / this.laneHeight);
  }

  /** The bar under the pointer, the uppermost first; within two pixels, so that thin ones can be met. */
  private barAt(x: number, y: number): number {
    const lane = this.laneAt(y);
    if (y < TOP && this.scroller.scrollTop === 0) return -1;
    const at = this.time(x);
    const slack = (this.view.to - this.view.from) / this.plot * 2;
    for (const layer of [Layer.Failure, Layer.Task, Layer.Worker]) {
      const bars = this.run.layers[layer]![lane];
      if (!bars) continue;
      const last = firstWhere(bars.bars.length, (i) => this.run.start[bars.bars[i]!]! > at + slack);
      for (let i = last - 1; i >= 0 && bars.reach[i]! >= at - slack; --i)
        if (this.run.end[bars.bars[i]!]! >= at - slack) return bars.bars[i]!;
    }
    return -1;
  }

  private hover(bar: number, x = 0, y = 0): void {
    if (bar >= 0) this.showTip(bar, x, y);
    else this.tip.hidden = true;
    if (bar === this.hovered) return;
    this.hovered = bar;
    this.drawOverlay();
  }

  private showTip(bar: number, x: number, y: number): void {
    const run = this.run;
    const node = run.nodes[run.laneNode[run.firstLane[bar]!]!] ?? "";
    const when = `${seconds(run.start[bar]!)} to ${seconds(run.end[bar]!)}`;
    const ended = END_NAMES[run.ended(bar)];
    const attempt = run.attempt[bar]! > 1 ? `, attempt ${run.attempt[bar]}` : "";
    this.tip.textContent = run.merged(bar)
      ? `${run.job[bar]} attempts that lie close together\nnode ${node}\n${when}\n${ended}`
      : `${run.jobs[run.job[bar]!] ?? ""}, task ${run.task[bar]}${attempt}\nnode ${node}\n${when}\n${ended}`;
    this.tip.hidden = false;
    const box = this.figure.getBoundingClientRect();
    const room = box.width - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(room, x - box.left + 14))}px`;
    this.tip.style.top = `${y - box.top + 18}px`;
  }

  private resize(): void {
    const width = this.scroller.clientWidth;
    if (width === 0) return;
    this.width = width;
    this.gutter = width < 700 ? 84 : 128;
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(this.height * devicePixelRatio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${this.height}px`;
    }
    this.draw();
  }

  private begin(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const pen = canvas.getContext("2d")!;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    return pen;
  }

  draw(): void {
    if (this.width === 0) return;
    const begun = performance.now();
    const pen = this.begin(this.canvas);
    const top = this.scroller.scrollTop;
    const first = Math.max(0, Math.floor((top - TOP) / this.laneHeight));
    const last = Math.min(this.run.laneNames.length, Math.ceil((top + this.height - AXIS - TOP) / this.laneHeight));
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, 0, this.plot, this.height - AXIS);
    pen.clip();
    for (const layer of [Layer.Worker, Layer.Task, Layer.Failure]) {
      // Rectangles of one colour and shade are drawn in one go: changing them costs more than drawing.
      const stretches: number[][] = Array.from({ length: STYLES.length * SHADES }, () => []);
      for (let lane = first; lane < last; ++lane)
        this.collect(stretches, this.run.layers[layer]![lane]!, layer, TOP + lane * this.laneHeight - top);
      stretches.forEach((list, index) => {
        if (list.length === 0) return;
        pen.fillStyle = this.colours[STYLES[Math.floor(index / SHADES)]!];
        pen.globalAlpha = 0.25 + 0.75 * (index % SHADES) / (SHADES - 1);
        for (let i = 0; i < list.length; i += 4) pen.fillRect(list[i]!, list[i + 1]!, list[i + 2]!, list[i + 3]!);
      });
    }
    pen.globalAlpha = 1;
    pen.restore();
    this.drawNames(pen, first, last, top);
    this.drawAxis(pen);
    performance.clearMeasures("duet-gantt");
    performance.measure("duet-gantt", { start: begun, end: performance.now() });
    this.drawOverlay();
  }

  /** Adds the stretches of one lane: x, y, width and height for each. */
  private collect(to: number[][], lane: LaneBars, layer: Layer, y: number): void {
    const { start, end, style } = this.run;
    const { from, to: until } = this.view;
    const scale = this.plot / (until - from);
    const least = layer === Layer.Failure ? 2 : 0.5;
    const inset = this.laneHeight > 6 ? 1 : 0.25;
    const { bars, reach } = lane;
    let left = 0;
    let right = -1;
    let covered = 0;
    let last = -1;
    const flush = () => {
      if (right <= left) return;
      // Thin bars that lie close together are as pale as there is room between them.
      const share = layer === Layer.Failure ? 1 : Math.min(1, covered / (right - left));
      // What a worker executes lies within it.
      const within = inset + (last === OPERATION && this.laneHeight >= 10 ? 2 : 0);
      to[last * SHADES + Math.round(share * (SHADES - 1))]!.push(left, y + within, right - left,
        this.laneHeight - 2 * within);
    };
    for (let i = firstWhere(bars.length, (k) => reach[k]! > from); i < bars.length; ++i) {
      const bar = bars[i]!;
      if (start[bar]! > until) break;
      if (end[bar]! < from) continue;
      const x0 = this.gutter + (start[bar]! - from) * scale;
      const exact = this.gutter + (end[bar]! - from) * scale;
      const x1 = exact > x0 + least ? exact : x0 + least;
      // Wide bars keep a gap between them; thin ones close together become one, for a few pixels.
      const thin = x1 - x0 < 4;
      if (thin && style[bar] === last && x0 <= right + 0.6 && right - left < 6) {
        if (x1 > right) right = x1;
        covered += exact - x0;
        continue;
      }
      flush();
      left = x0;
      right = thin ? x1 : x1 - 0.6;
      covered = thin ? exact - x0 : right - left;
      last = style[bar]!;
    }
    flush();
  }

  private drawNames(pen: CanvasRenderingContext2D, first: number, last: number, top: number): void {
    pen.font = "12.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    let free = -Infinity;
    for (let lane = first; lane < last; ++lane) {
      const y = TOP + lane * this.laneHeight - top;
      const node = this.run.laneNode[lane]!;
      const isFirst = lane === 0 || this.run.laneNode[lane - 1] !== node;
      if (isFirst) {
        pen.fillStyle = this.colours.line;
        pen.fillRect(0, Math.round(y), this.width, 1);
      }
      if ((isFirst || lane === first) && y + 8 > free) {
        pen.fillStyle = this.colours.text;
        pen.textAlign = "left";
        pen.fillText(this.run.nodes[node] ?? "", 0, Math.max(7, y + 7), this.gutter - 40);
        free = y + 22;
      }
      if (this.laneHeight >= 10) {
        pen.fillStyle = this.colours.muted;
        pen.textAlign = "right";
        pen.fillText(this.run.laneNames[lane]!, this.gutter - 8, y + this.laneHeight / 2, 36);
      }
    }
    this.drawFailures(pen, first, last, top);
  }

  /** How many attempts failed, at the end of each lane; thin lanes are counted with their neighbours. */
  private drawFailures(pen: CanvasRenderingContext2D, first: number, last: number, top: number): void {
    pen.textAlign = "left";
    let count = 0;
    let free = -Infinity;
    for (let lane = first; lane < last; ++lane) {
      count += this.failures[lane]!;
      const y = TOP + (lane + 0.5) * this.laneHeight - top;
      if (y < free) continue;
      pen.fillStyle = this.colours.failed;
      if (count > 0) pen.fillText(String(count), this.gutter + this.plot + 8, y);
      free = y + 12;
      count = 0;
    }
    if (top === 0) {
      pen.fillStyle = this.colours.muted;
      pen.fillText("failed", this.gutter + this.plot + 8, 6, this.width - this.gutter - this.plot - 8);
    }
  }

  private drawAxis(pen: CanvasRenderingContext2D): void {
    const unit = timeUnit(this.view.until);
    const y = this.height - AXIS;
    pen.fillStyle = this.colours.bg;
    pen.fillRect(0, y, this.width, AXIS);
    pen.fillStyle = this.colours.base;
    pen.fillRect(this.gutter, y, this.plot, 1);
    const from = this.view.from / unit.seconds;
    const to = this.view.to / unit.seconds;
    const all = ticks(from, to, Math.max(2, Math.min(6, this.plot / 90)));
    const step = all.length > 1 ? all[1]! - all[0]! : (to - from) || 1;
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const tick of all) {
      const x = this.gutter + (tick - from) / (to - from) * this.plot;
      pen.fillStyle = this.colours.base;
      pen.fillRect(x, y, 1, 4);
      pen.fillStyle = this.colours.muted;
      pen.fillText(tickText(tick, step), x, y + 7);
    }
    pen.textAlign = "left";
    pen.fillStyle = this.colours.muted;
    pen.fillText(`time, ${unit.name}`, 0, y + 7);
  }

  /** What changes with the pointer: the cursor, and an outline around the tasks of the job that is met. */
  private drawOverlay(): void {
    if (this.width === 0) return;
    const pen = this.begin(this.overlay);
    const { from, to, cursor } = this.view;
    const scale = this.plot / (to - from);
    pen.beginPath();
    pen.rect(this.gutter, 0, this.plot, this.height - AXIS);
    pen.clip();
    if (cursor !== null) {
      pen.fillStyle = this.colours.base;
      pen.fillRect(this.gutter + (cursor - from) * scale, 0, 1, this.height - AXIS);
    }
    if (this.hovered < 0) return;
    const job = this.run.merged(this.hovered) ? -1 : this.run.job[this.hovered];
    pen.strokeStyle = this.colours.s2;
    pen.lineWidth = 2;
    const top = this.scroller.scrollTop;
    const first = Math.max(0, this.laneAt(0));
    const last = Math.min(this.run.laneNames.length, this.laneAt(this.height) + 1);
    for (let lane = first; lane < last; ++lane)
      for (const layer of this.run.layers) {
        const bars = layer[lane]!;
        let i = firstWhere(bars.bars.length, (k) => bars.reach[k]! > from);
        for (; i < bars.bars.length && this.run.start[bars.bars[i]!]! <= to; ++i) {
          const bar = bars.bars[i]!;
          if (bar !== this.hovered && (job === -1 || this.run.job[bar] !== job || this.run.merged(bar))) continue;
          const x0 = this.gutter + (this.run.start[bar]! - from) * scale;
          const x1 = this.gutter + (this.run.end[bar]! - from) * scale;
          pen.strokeRect(x0, TOP + lane * this.laneHeight - top + 1, Math.max(2, x1 - x0), this.laneHeight - 2);
        }
      }
  }
}
