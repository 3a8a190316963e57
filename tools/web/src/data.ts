// Reading what the page carries: columns of integers, packed by sim/report/pack.cpp.

/** Layers of a Gantt chart, drawn one after the other: failures last. */
export const enum Layer { Worker = 0, Task = 1, Failure = 2 }

export const END_NAMES = ["succeeded", "failed", "timed out", "killed", "launch failed", "lost", "unhealthy", "running"];
const KIND_WORKER = 1;
const KIND_OPERATION = 2;
const KIND_MERGED = 3;

/** The CSS variables of the bars' colours. */
export const STYLES = ["task", "worker", "operation", "killed", "failed"] as const;
export const OPERATION = 2;

export interface PackedRun {
  name: string;
  unit: string;
  until: string;
  count: string;
  bars: string;
  jobs: string;
  nodes: [string, number][];
  lanes: string[];
  capacity: string;
  allocated: string;
  used: string;
  waiting: string;
  nodesUp: string;
}

/** Instants in seconds, and the value from each on. */
export interface Steps {
  at: Float64Array;
  value: Float64Array;
}

export class Reader {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(base64: string) {
    const text = atob(base64);
    this.bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) this.bytes[i] = text.charCodeAt(i);
  }
  get more(): boolean { return this.at < this.bytes.length; }

  /** Up to 2^53: shifts would end at 2^31. */
  number(): number {
    let byte = this.bytes[this.at++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    do {
      byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return value;
  }
  difference(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  text(length: number): string {
    const out = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return out;
  }
}

function readNames(base64: string): string[] {
  const reader = new Reader(base64);
  const names: string[] = [];
  let prefix = "";
  let number = 0;
  while (reader.more) {
    const length = reader.number();
    if (length === 0) {
      names.push(prefix + ++number);
      continue;
    }
    const name = reader.text(length - 1);
    names.push(name);
    const digits = /(?:0|[1-9][0-9]{0,14})$/.exec(name);
    // As the packer has it: all the digits at the end, if they are written as a number is.
    const all = /[0-9]*$/.exec(name)![0];
    if (digits && digits[0] === all) {
      prefix = name.slice(0, name.length - all.length);
      number = Number(all);
    }
  }
  return names;
}

function readSteps(base64: string, unit: number): Steps {
  const reader = new Reader(base64);
  const at: number[] = [];
  const value: number[] = [];
  let time = 0;
  let level = 0;
  while (reader.more) {
    time += reader.number();
    level += reader.difference();
    at.push(time * unit);
    value.push(level / 10);
  }
  return { at: Float64Array.from(at), value: Float64Array.from(value) };
}

/** Bars of one lane in one layer: indices into the columns, by start. */
export interface LaneBars {
  bars: Uint32Array;
  /** The latest end of all up to here: what may reach into a range begins where this exceeds its start. */
  reach: Float64Array;
}

export class Run {
  readonly name: string;
  readonly until: number;
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Of the job; for merged bars how many they are. */
  readonly job: Uint32Array;
  readonly task: Uint32Array;
  readonly attempt: Uint32Array;
  /** How it ended + 8 * its kind. */
  readonly how: Uint8Array;
  readonly style: Uint8Array;
  readonly firstLane: Uint32Array;
  readonly jobs: string[];
  readonly laneNames: string[];
  readonly laneNode: Uint32Array;
  readonly nodes: string[];
  readonly layers: LaneBars[][] = [];
  readonly series: Record<"capacity" | "allocated" | "used" | "waiting" | "nodesUp", Steps>;

  constructor(packed: PackedRun) {
    const unit = Number(packed.unit) / 1e9;
    this.name = packed.name;
    this.until = Number(packed.until) * unit;
    const count = (this.count = Number(packed.count));
    this.start = new Float64Array(count);
    this.end = new Float64Array(count);
    this.job = new Uint32Array(count);
    this.task = new Uint32Array(count);
    this.attempt = new Uint32Array(count).fill(1);
    this.how = new Uint8Array(count);
    this.style = new Uint8Array(count);
    this.firstLane = new Uint32Array(count);
    this.jobs = readNames(packed.jobs);
    this.laneNames = packed.lanes;
    this.nodes = packed.nodes.map(([name]) => name);
    this.laneNode = Uint32Array.from(packed.nodes.flatMap(([, lanes], node) => Array<number>(lanes).fill(node)));
    this.readBars(packed.bars, unit);
    const steps = (base64: string) => readSteps(base64, unit);
    this.series = {
      capacity: steps(packed.capacity), allocated: steps(packed.allocated), used: steps(packed.used),
      waiting: steps(packed.waiting), nodesUp: steps(packed.nodesUp),
    };
  }

  ended(bar: number): number { return this.how[bar]! & 7; }
  merged(bar: number): boolean { return this.how[bar]! >> 3 === KIND_MERGED; }
  failed(bar: number): boolean {
    const end = this.ended(bar);
    return end === 1 || end === 2 || end === 4 || end === 5;
  }
  /** Index into STYLES. */
  private styleOf(bar: number): number {
    if (this.failed(bar)) return 4;
    const kind = this.how[bar]! >> 3;
    if (kind === KIND_WORKER) return 1;
    if (this.ended(bar) === 3) return 3;
    return kind === KIND_OPERATION ? 2 : 0;
  }

  private layer(bar: number): Layer {
    // A worker that was lost is drawn below what it had executed.
    if (this.how[bar]! >> 3 === KIND_WORKER) return Layer.Worker;
    return this.failed(bar) ? Layer.Failure : Layer.Task;
  }

  private readBars(base64: string, unit: number): void {
    const reader = new Reader(base64);
    const lanes = this.laneNames.length;
    const places: number[] = [];  // bar, first lane, lanes
    let time = 0;
    let job = 0;
    for (let i = 0; i < this.count; ++i) {
      time += reader.number();
      this.start[i] = time * unit;
      this.end[i] = (time + reader.number()) * unit;
      const flags = reader.number();
      this.how[i] = flags & 31;
      this.style[i] = this.styleOf(i);
      if (flags >> 3 === KIND_MERGED) {
        this.job[i] = reader.number();
      } else {
        job += reader.difference();
        this.job[i] = job;
      }
      if (flags & 32) this.task[i] = reader.number();
      if (flags & 64) this.attempt[i] = reader.number();
      let lane = 0;
      const ranges = reader.number();
      for (let range = 0; range < ranges; ++range) {
        lane += reader.number();
        const length = reader.number();
        places.push(i, lane, length);
        if (range === 0) this.firstLane[i] = lane;
        lane += length;
      }
    }
    const sizes = [0, 1, 2].map(() => new Uint32Array(lanes));
    for (let p = 0; p < places.length; p += 3) {
      const size = sizes[this.layer(places[p]!)]!;
      for (let lane = places[p + 1]!, k = places[p + 2]!; k > 0; --k) ++size[lane++]!;
    }
    for (const size of sizes)
      this.layers.push(Array.from(size, (n) => ({ bars: new Uint32Array(n), reach: new Float64Array(n) })));
    const filled = [0, 1, 2].map(() => new Uint32Array(lanes));
    for (let p = 0; p < places.length; p += 3) {
      const bar = places[p]!;
      const layer = this.layer(bar);
      for (let lane = places[p + 1]!, k = places[p + 2]!; k > 0; --k, ++lane) {
        const to = this.layers[layer]![lane]!;
        const at = filled[layer]![lane]!++;
        to.bars[at] = bar;
        to.reach[at] = Math.max(at === 0 ? 0 : to.reach[at - 1]!, this.end[bar]!);
      }
    }
  }
}

/** The first index from which on `test` holds; it never ceases to. */
export function firstWhere(length: number, test: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
