// Numbers and times as the static page writes them.

const MINUS = "\u2212";

/** At most three significant digits below 100, whole above. */
export function figures(value: number): string {
  const size = Math.abs(value);
  const text = Number.isInteger(size) || size >= 100
    ? Math.round(size).toString().replace(/\B(?=(\d{3})+$)/g, "\u2009")
    : String(Number(size.toPrecision(3)));
  return value < 0 && text !== "0" ? MINUS + text : text;
}

export interface TimeUnit { name: string; seconds: number }

/** As time_unit() in C++: both axes are labelled alike. */
export function timeUnit(span: number): TimeUnit {
  if (span > 3 * 86400) return { name: "d", seconds: 86400 };
  if (span > 3 * 3600) return { name: "h", seconds: 3600 };
  if (span > 600) return { name: "min", seconds: 60 };
  return { name: "s", seconds: 1 };
}

/** Ticks 1, 2 or 5 times a power of ten apart, at most `most` of them. */
export function ticks(from: number, to: number, most: number): number[] {
  const rough = (to - from) / most;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * (1 - 1e-9))!;
  const out: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; ++i) out.push(i * step);
  return out;
}

/** A tick's label: as many decimals as the distance to the next one needs. */
export function tickText(value: number, step: number): string {
  const decimals = Math.min(9, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const text = Math.abs(value).toFixed(decimals);
  const [whole, rest] = text.split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return (value < 0 && Number(text) !== 0 ? MINUS : "") + grouped + (rest ? `.${rest}` : "");
}

/** "1 234.5 s": nanoseconds at most. */
export function seconds(value: number): string {
  return `${Number(value.toPrecision(12))} s`.replace("-", MINUS);
}

/** A variable of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
