// The range of time that all charts show together, also in the address: #t=12.5-30 can be sent to somebody.

type Listener = () => void;

export class TimeView {
  from = 0;
  to: number;
  /** Where the pointer is, in seconds; null outside. */
  cursor: number | null = null;
  private readonly ranges: Listener[] = [];
  private readonly cursors: Listener[] = [];
  private waiting = false;

  constructor(readonly until: number) {
    this.to = until;
    this.readAddress();
    window.addEventListener("hashchange", () => { if (this.readAddress()) this.announce(); });
  }

  onRange(listener: Listener): void { this.ranges.push(listener); }
  onCursor(listener: Listener): void { this.cursors.push(listener); }

  get whole(): boolean { return this.from === 0 && this.to === this.until; }

  set(from: number, to: number): void {
    const least = this.until * 1e-7;
    const span = Math.min(this.until, Math.max(least, to - from));
    let begin = from + (to - from - span) / 2;
    begin = Math.min(Math.max(0, begin), this.until - span);
    if (begin === this.from && begin + span === this.to) return;
    this.from = begin;
    this.to = begin + span;
    this.writeAddress();
    this.announce();
  }
  reset(): void { this.set(0, this.until); }
  pan(seconds: number): void { this.set(this.from + seconds, this.to + seconds); }
  /** The instant `at` stays where it is. */
  zoom(factor: number, at: number): void {
    this.set(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }
  point(at: number | null): void {
    if (at === this.cursor) return;
    this.cursor = at;
    for (const listener of this.cursors) listener();
  }

  private announce(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const listener of this.ranges) listener();
    });
  }
  private readAddress(): boolean {
    const found = /^#t=([0-9.]+(?:e[+-]?[0-9]+)?)-([0-9.]+(?:e[+-]?[0-9]+)?)$/.exec(location.hash);
    if (!found) return false;
    const from = Number(found[1]);
    const to = Number(found[2]);
    if (!(from >= 0 && to > from && from < this.until)) return false;
    this.from = from;
    this.to = Math.min(to, this.until);
    return true;
  }
  private writeAddress(): void {
    const text = (value: number) => String(Number(value.toPrecision(9)));
    const hash = this.whole ? location.pathname + location.search : `#t=${text(this.from)}-${text(this.to)}`;
    try {
      history.replaceState(null, "", hash);
    } catch {
      // A page from a file may not be allowed to: then the view cannot be shared, and that is all.
    }
  }
}
