// Tables that can be sorted: a click on a heading, again for the other way round.

function key(row: HTMLTableRowElement, column: number): number | string {
  const cell = row.cells[column];
  if (!cell) return "";
  const value = cell.dataset["v"];
  if (value !== undefined) return Number(value);
  const text = (cell.textContent ?? "").trim();
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sort(table: HTMLTableElement, column: number, head: HTMLTableCellElement): void {
  const body = table.tBodies[0];
  if (!body) return;
  const descending = head.getAttribute("aria-sort") === "ascending";
  const rows = Array.from(body.rows);
  rows.sort((a, b) => compare(key(a, column), key(b, column)) * (descending ? -1 : 1));
  body.append(...rows);
  for (const other of table.tHead!.rows[0]!.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

export function makeSortable(table: HTMLTableElement): void {
  const heads = table.tHead?.rows[0]?.cells;
  if (!heads) return;
  Array.from(heads).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, column, head));
  });
}
