// Reports as a browser shows them, with the network off: node tests/web/report_test.mjs DUET [FOLDER]
// Prints a line for each check, or "Skipped" and why if there is nothing to check with; pictures go to FOLDER.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Browser, findChromium } from "./browser.mjs";

const tree = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const duet = resolve(process.argv[2] ?? join(tree, "build/bin/duet"));
const pictures = process.argv[3];

function skip(reason) {
  console.log(`Web.Report: Skipped\n${reason}`);  // As GoogleTest has it.
  process.exit(77);
}
const chromium = findChromium();
if (!chromium) skip("there is no Chromium (Debian: chromium)");

const folder = mkdtempSync(join(tmpdir(), "duet-report-"));
const run = (...words) => execFileSync(duet, words, { stdio: ["ignore", "ignore", "pipe"] });
const url = (name) => pathToFileURL(join(folder, name, "report.html")).href;

function make(name, scenario, ...more) {
  run("sim", join(tree, "scenarios", scenario), "--engine", "loop", "--out", join(folder, name), ...more);
  run("report", join(folder, name));
}
// A hundred thousand jobs on 128 threads; its assertions are about another number of them.
function makeBig() {
  const scenario = JSON.parse(readFileSync(join(tree, "scenarios/lublin-day.json"), "utf8"));
  scenario.assertions = [];
  scenario.workload.generate.jobs = 100000;
  writeFileSync(join(folder, "big.json"), JSON.stringify(scenario));
  run("sim", join(folder, "big.json"), "--engine", "loop", "--no-trace", "--out", join(folder, "big"));
  run("report", join(folder, "big"));
}

const tests = [];
const test = (name, body) => tests.push([name, body]);
let browser;

async function opened(name, options, body) {
  const page = await browser.open(url(name) + (options.hash ?? ""), options);
  try {
    await body(page);
    assert.deepEqual(page.complaints, [], "the console stays silent");
    assert.deepEqual(page.requests.filter((one) => !one.startsWith("file:")), [], "nothing is asked of the network");
    if (pictures && options.picture) {
      mkdirSync(pictures, { recursive: true });
      writeFileSync(join(pictures, `${options.picture}.png`), await page.picture());
    }
  } finally {
    await page.close();
  }
}

const hash = (page) => page.value("location.hash");
async function range(page) {
  const found = /^#t=(.+)-(.+)$/.exec(await hash(page));
  return found && { from: Number(found[1]), to: Number(found[2]) };
}
/** The middle of the first Gantt chart, scrolled into view. */
async function middleOfGantt(page) {
  return page.value(`(() => {
    const view = document.querySelector(".gantt-view");
    view.scrollIntoView({ block: "center" });
    const box = view.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2, left: box.left, top: box.top, width: box.width };
  })()`);
}

/**
 * Every text whose colour cannot be read on what lies below it, and every one that is too small. Below a text lies
 * the shape before it in its group, or the background of the nearest element that has one. What scripts draw on a
 * canvas has the colours of the page, which are held against its ground by name.
 */
const UNREADABLE = `(() => {
  const parse = (text) => text.match(/[0-9.]+/g)?.map(Number);
  const opaque = (text) => { const c = parse(text); return c && (c[3] ?? 1) === 1 ? c : null; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const ground = (one) => {
    if (one.closest(".heat, .drawing svg") && one.tagName === "text" && !one.matches(".hostname, .tick"))
      for (let shape = one.previousElementSibling; shape; shape = shape.previousElementSibling)
        if (/^(rect|polygon|ellipse|path)$/.test(shape.tagName) && opaque(getComputedStyle(shape).fill))
          return opaque(getComputedStyle(shape).fill);
    for (let box = one; box; box = box.parentElement)
      if (opaque(getComputedStyle(box).backgroundColor)) return opaque(getComputedStyle(box).backgroundColor);
    return [255, 255, 255];
  };
  const out = [];
  let pairs = 0;
  for (const one of document.querySelectorAll("body *")) {
    if (one.matches("script, title") || !one.getClientRects().length) continue;
    if (![...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) continue;
    const style = getComputedStyle(one);
    const colour = opaque(one.closest("svg") ? style.fill : style.color) ?? [128, 128, 128];
    const ratio = contrast(colour, ground(one));
    const size = parseFloat(style.fontSize);
    ++pairs;
    if (ratio < 4.5 || size < 11)
      out.push([one.tagName, one.className.baseVal ?? one.className, one.textContent.slice(0, 30), ratio, size]);
  }
  const probe = document.body.appendChild(document.createElement("span"));
  const named = (name) => { probe.style.color = "var(--" + name + ")"; return parse(getComputedStyle(probe).color); };
  for (const name of ["text", "muted", "failed", "s1"])
    if (contrast(named(name), named("bg")) < 4.5) out.push(["canvas", name]);
  for (let i = 0; i < 7; ++i)
    if (contrast(named("h" + i), named(i > 3 ? "high" : "low")) < 4.5) out.push(["heat", i]);
  probe.remove();
  if (pairs < 100) out.push(["only", pairs, "texts were looked at"]);
  return out;
})()`;

for (const dark of [false, true]) {
  const theme = dark ? "dark" : "light";
  test(`a run in ${theme}: all that is promised is there, and can be read`, () =>
    opened("demo", { dark, height: 4200, picture: `run-${theme}` }, async (page) => {
      assert.equal(await page.value("document.querySelector('h1').textContent"), "demo");
      assert.equal(await page.value("document.querySelectorAll('.uplot').length"), 3);
      assert.equal(await page.value("document.querySelectorAll('.gantt-view').length"), 1);
      assert.equal(await page.value("getComputedStyle(document.body).backgroundColor"),
        dark ? "rgb(17, 22, 27)" : "rgb(255, 255, 255)");
      assert.deepEqual(await page.value(UNREADABLE), []);
    }));
}

for (const dark of [false, true])
  test(`a comparison in ${dark ? "dark" : "light"} can be read`, () =>
    opened("compared", { dark, height: 4200, picture: `comparison-${dark ? "dark" : "light"}` }, async (page) => {
      await page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      assert.deepEqual(await page.value(UNREADABLE), []);
    }));

test("at 480 pixels a table that goes on shows that it does, until its end is reached", async () => {
  await opened("compared", { width: 480, height: 3000, picture: "comparison-480" }, async (page) => {
    assert.equal(await page.value("document.documentElement.scrollWidth"), 480);
    // The covers move with the table, the shades below them do not: a shade is seen where its cover has gone.
    const hint = await page.value(`(() => {
      const box = [...document.querySelectorAll(".scroll")].find((one) => one.scrollWidth > one.clientWidth);
      const style = getComputedStyle(box);
      return { moves: style.backgroundAttachment, pictures: style.backgroundImage.split("linear-gradient").length - 1 };
    })()`);
    assert.deepEqual(hint, { moves: "local, local, scroll, scroll", pictures: 4 });
  });
});

test("at 480 pixels nothing is wider than the page", () =>
  opened("demo", { width: 480, height: 5000, picture: "run-480" }, async (page) => {
    assert.equal(await page.value("document.documentElement.scrollWidth"), 480);
    assert.deepEqual(await page.value(UNREADABLE), []);
  }));

test("on paper the static drawings stand, light, and nothing to click", () =>
  opened("demo", { dark: true, height: 4200, picture: "run-print" }, async (page) => {
    await page.send("Emulation.setEmulatedMedia",
      { media: "print", features: [{ name: "prefers-color-scheme", value: "dark" }] });
    await page.drawn();
    assert.equal(await page.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert.equal(await page.value("getComputedStyle(document.querySelector('svg.gantt').parentElement).display"), "block");
    assert.equal(await page.value("getComputedStyle(document.querySelector('.gantt-view')).display"), "none");
    assert.equal(await page.value("getComputedStyle(document.querySelector('button.theme')).display"), "none");
  }));

test("without scripts the static page is whole", () =>
  opened("demo", { scripts: false, height: 4200, picture: "run-no-script" }, async (page) => {
    await page.send("Emulation.setScriptExecutionDisabled", { value: false });
    assert.equal(await page.value("document.querySelectorAll('.uplot, canvas').length"), 0);
    assert.equal(await page.value("getComputedStyle(document.querySelector('svg.gantt')).display"), "block");
  }));

test("the wheel zooms at the cursor, a double click shows all", () =>
  opened("demo", {}, async (page) => {
    const at = await middleOfGantt(page);
    const until = 144.023;
    const share = (at.width / 2 - 128) / (at.width - 128 - 56);
    await page.mouse("mouseWheel", at.x, at.y, { deltaX: 0, deltaY: -200 });
    const zoomed = await range(page);
    const span = until * Math.exp(-0.4);
    assert.ok(Math.abs(zoomed.to - zoomed.from - span) < 1, `${zoomed.from} to ${zoomed.to}`);
    assert.ok(Math.abs(zoomed.from + share * span - share * until) < 1, "the instant under the cursor stays");
    await page.mouse("mousePressed", at.x, at.y, { button: "left", clickCount: 2 });
    await page.mouse("mouseReleased", at.x, at.y, { button: "left", clickCount: 2 });
    assert.equal(await hash(page), "");
  }));

test("dragging moves, and moves the line charts too", () =>
  opened("demo", { hash: "#t=20-60" }, async (page) => {
    const at = await middleOfGantt(page);
    await page.mouse("mousePressed", at.x, at.y, { button: "left", clickCount: 1 });
    await page.mouse("mouseMoved", at.x - 100, at.y, { button: "left", buttons: 1 });
    await page.mouse("mouseReleased", at.x - 100, at.y, { button: "left", clickCount: 1 });
    const moved = await range(page);
    const seconds = 40 * 100 / (at.width - 128 - 56);
    assert.ok(Math.abs(moved.from - 20 - seconds) < 0.1, `from ${moved.from}, not ${20 + seconds}`);
    assert.ok(Math.abs(moved.to - moved.from - 40) < 1e-6);
  }));

test("a view can be shared: the address holds it, and is obeyed", () =>
  opened("demo", { hash: "#t=30-50", picture: "run-shared" }, async (page) => {
    assert.deepEqual(await range(page), { from: 30, to: 50 });
    await page.value("location.hash = '#t=10-20'");
    await page.drawn();
    await page.value("document.querySelector('.gantt-view').focus()");
    await page.press("+", "Equal");
    const zoomed = await range(page);
    assert.ok(Math.abs(zoomed.from - 11.6666667) < 1e-3 && Math.abs(zoomed.to - 18.3333333) < 1e-3,
      `${zoomed.from} to ${zoomed.to}`);
  }));

test("the keyboard moves, zooms and shows all", () =>
  opened("demo", { hash: "#t=20-60" }, async (page) => {
    await page.value("document.querySelector('.gantt-view').focus()");
    await page.press("ArrowRight");
    assert.deepEqual(await range(page), { from: 24, to: 64 });
    await page.press("ArrowLeft");
    assert.deepEqual(await range(page), { from: 20, to: 60 });
    await page.press("-", "Minus");
    assert.deepEqual(await range(page), { from: 10, to: 70 });
    await page.press("0", "Digit0");
    assert.equal(await hash(page), "");
  }));

test("the pointer meets a failed attempt and is told its story", () =>
  opened("demo", {}, async (page) => {
    const at = await middleOfGantt(page);
    // n1's first lane is the fifth; what ran there was lost with the node at 45 s.
    const x = at.left + 128 + 20 / 144.023 * (at.width - 128 - 56);
    await page.mouse("mouseMoved", x, at.top + 12 + 4.5 * 14);
    assert.equal(await page.value("document.querySelector('.tip').hidden"), false);
    assert.equal(await page.value("document.querySelector('.tip').textContent"),
      "simulation, task 1\nnode n1\n0.004 s to 45 s\nlost");
    await page.mouse("mouseMoved", 5, 5);
    assert.equal(await page.value("document.querySelector('.tip').hidden"), true);
  }));

test("an address of very short times is read as it is written", () =>
  opened("demo", { hash: "#t=1e-7-2e+1" }, async (page) => {
    assert.deepEqual(await range(page), { from: 1e-7, to: 20 });
    await page.value("document.querySelector('.gantt-view').focus()");
    await page.press("-", "Minus");
    assert.ok((await range(page)).to > 20, await hash(page));
  }));

test("tables are sorted by a click on a heading, again the other way round, and say so", () =>
  opened("compared", {}, async (page) => {
    const click = (column) => page.value(`(() => {
      const table = document.querySelector("table.sortable");
      const head = table.tHead.rows[0].cells[${column}];
      head.querySelector("button").click();
      return [[...table.tBodies[0].rows].map((row) => row.cells[0].textContent), head.getAttribute("aria-sort"),
        table.querySelectorAll("[aria-sort]").length];
    })()`);
    // Means: about 51,000 s, 20,000 s and 10,000 s. As text, 9,990 would come last.
    assert.deepEqual(await click(1), [["easy", "sjf", "fcfs"], "ascending", 1]);
    assert.deepEqual(await click(1), [["fcfs", "sjf", "easy"], "descending", 1]);
    assert.deepEqual(await click(0), [["easy", "fcfs", "sjf"], "ascending", 1]);
  }));

test("what a chart shows can be had as a table; the theme can be chosen", () =>
  opened("demo", {}, async (page) => {
    const theme = () => page.value("document.documentElement.dataset.theme ?? 'auto'");
    assert.equal(await theme(), "auto");
    for (const expected of ["light", "dark", "auto"]) {
      await page.value("document.querySelector('button.theme').click()");
      assert.equal(await theme(), expected);
    }
    await page.value(`(() => {
      const table = document.querySelector("figure details");
      table.open = true;
    })()`);
    await page.drawn();
    assert.equal(await page.value("document.querySelectorAll('figure details[open] tbody tr').length > 10"), true);
  }));

test("the page's policy keeps it from loading anything", async () => {
  const page = await browser.open(url("demo"), {});
  const tried = await page.value(`new Promise((done) => {
    document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
    fetch("https://example.com/").then(() => done("fetched"), () => {});
  })`);
  assert.equal(tried, "connect-src");
  await page.close();
});

test("a hundred thousand tasks: at most 2 MB, drawn in at most 110 ms", () =>
  opened("big", { picture: "big" }, async (page) => {
    const size = statSync(join(folder, "big", "report.html")).size;
    const times = [];
    const at = await middleOfGantt(page);
    for (let i = 0; i < 7; ++i) {
      await page.mouse("mouseWheel", at.x, at.y, { deltaX: 0, deltaY: i % 2 ? 100 : -100 });
      times.push(await page.value("performance.getEntriesByName('duet-gantt')[0].duration"));
    }
    times.sort((a, b) => a - b);
    console.log(`  ${(size / 1e6).toFixed(2)} MB, redrawn in ${times[3].toFixed(0)} ms (median of 7)`);
    assert.ok(size <= 2e6, `${size} bytes`);
    assert.ok(times[3] <= 110, `${times}`);
  }));

let failed = 0;
try {
  make("demo", "demo.json");
  if (!readFileSync(join(folder, "demo", "report.html"), "utf8").includes('id="duet-data"'))
    skip("this build has no script for reports (npm was not there, or had no network)");
  run("compare", join(tree, "scenarios/lublin-day.json"), "--axis", "queue=fcfs,sjf,easy", "--seeds", "1..7",
    "--engine", "loop", "--out", join(folder, "compared"));
  makeBig();
  browser = await Browser.start(chromium);
  for (const [name, body] of tests) {
    try {
      await body();
      console.log(`ok      ${name}`);
    } catch (failure) {
      ++failed;
      console.log(`FAILED  ${name}\n${failure.stack}`);
    }
  }
  console.log(`${tests.length - failed} of ${tests.length} checks of the report in ${chromium}`);
} finally {
  await browser?.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed > 0 ? 1 : 0);
