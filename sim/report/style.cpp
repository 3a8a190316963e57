// The style sheet of the static page. Colours have two jobs: to tell states apart, and series. The one shade
// there is says that a table goes on beyond the edge; it goes when the end is in sight, without a script.
#include "sim/report/page_parts.h"

namespace duet::sim::report {
namespace {

#define DUET_LIGHT                                                                                       \
  "--bg:#ffffff;--text:#16202a;--muted:#5b6773;--line:#dfe4e9;--base:#7d8894;--s1:#0b66b0;--s2:#2b1055;" \
  "--s3:#c98a00;--failed:#b3261e;--task:#8fb4d6;--worker:#b9cfe3;--operation:#5a8dbd;--killed:#b4bdc6;"  \
  "--h0:#f4f7fa;--h1:#dbe8f3;--h2:#bcd5ea;--h3:#97bddd;--h4:#2f72a8;--h5:#1d5483;--h6:#0d3459;"          \
  "--low:#16202a;--high:#ffffff;--shade:#16202a4d;color-scheme:light;"
#define DUET_DARK                                                                                        \
  "--bg:#11161b;--text:#e3e9ee;--muted:#95a2ae;--line:#2a333c;--base:#7f8b97;--s1:#5fb0f0;--s2:#e6d8ff;" \
  "--s3:#e8b93c;--failed:#ff6a52;--task:#4a7197;--worker:#2c4359;--operation:#7fb0dc;--killed:#56616c;"  \
  "--h0:#161e26;--h1:#1a2d3e;--h2:#1f3f5b;--h3:#28557b;--h4:#6fa9d9;--h5:#98c4ea;--h6:#c4e0f7;"          \
  "--low:#e3e9ee;--high:#11161b;--shade:#e3e9ee4d;color-scheme:dark;"

constexpr std::string_view kStyle =
    ":root{" DUET_LIGHT
    "}\n@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){" DUET_DARK
    "}}\n@media screen{:root[data-theme=dark]{" DUET_DARK
    "}}\n"
    R"css(*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1200px;margin:0 auto;padding:24px 24px 64px}
h1{font-size:24px;line-height:1.3;font-weight:650;margin:0 0 8px}
h2{font-size:16px;font-weight:650;margin:0 0 8px}
section{margin-top:32px;padding-top:24px;border-top:1px solid var(--line)}
p{margin:0 0 8px}
.verdict{font-size:18px;max-width:52em}
.note,figcaption,caption{font-size:13px;color:var(--muted)}
.failed{color:var(--failed)}
code{font:13px/1.4 ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:0 0 16px}
table.narrow{width:auto;min-width:min(100%,400px)}
caption{text-align:left;padding:0 0 4px}
th,td{text-align:left;vertical-align:top;font-weight:400;padding:4px 16px 4px 0;
border-bottom:1px solid var(--line)}
thead th{font-size:13px;color:var(--muted);vertical-align:bottom}
.n{text-align:right;white-space:nowrap}
td .word{display:block;font-size:13px;color:var(--muted)}
td:not(.n) .word{display:inline;font-size:15px}
.word.better,.word.worse{color:var(--text);font-weight:650}
.scroll{overflow-x:auto;
background:linear-gradient(90deg,var(--bg) 16px,transparent) 0 0/48px 100% no-repeat local,
linear-gradient(270deg,var(--bg) 16px,transparent) 100% 0/48px 100% no-repeat local,
linear-gradient(90deg,var(--shade),transparent) 0 0/16px 100% no-repeat scroll,
linear-gradient(270deg,var(--shade),transparent) 100% 0/16px 100% no-repeat scroll}
summary{cursor:pointer;margin:8px 0;color:var(--s1)}
:focus-visible{outline:2px solid var(--s1);outline-offset:2px}
.pair,.panels{display:grid;grid-template-columns:minmax(0,1fr);gap:16px 32px}
figure{margin:0 0 16px;min-width:0}
svg{display:block;width:100%;height:auto}
.gantt text,.heat text,.panel text{font-size:12.5px;fill:var(--muted)}
.gantt .hostname,.heat .hostname{fill:var(--text)}
.tick.mid,.mid{text-anchor:middle}
.end{text-anchor:end}
.gantt text.failed{fill:var(--failed)}
.panel text{font-size:13.5px}
.wide svg{min-width:1000px}
.drawing text[fill="#7d8590"]{fill:var(--muted)}
.drawing svg{width:auto;max-width:none;margin:8px 0}
.grid{stroke:var(--line)}
.axis,.host{stroke:var(--base);stroke-width:1}
.host{opacity:.6}
.zero{stroke:var(--base);stroke-dasharray:5 4}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.base{stroke:var(--base);stroke-dasharray:6 4}
.line.s1{stroke:var(--s1)}
.line.s2{stroke:var(--s2)}
.area.s1{fill:var(--s1);opacity:.18}
.dot.s1{fill:var(--s1);opacity:.75}
.dot.s2{fill:var(--s2)}
.interval{stroke:var(--s2);stroke-width:2}
.bar.task{fill:var(--task)}
.bar.worker{fill:var(--worker)}
.bar.operation{fill:var(--operation)}
.bar.killed{fill:var(--killed)}
.bar.failed{fill:var(--failed)}
.bars{fill:none}
.bars.task{stroke:var(--task)}
.bars.worker{stroke:var(--worker)}
.bars.operation{stroke:var(--operation)}
.bars.killed{stroke:var(--killed)}
.bars.failed{stroke:var(--failed)}
.h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}
.h4{fill:var(--h4)}.h5{fill:var(--h5)}.h6{fill:var(--h6)}
.heat text{font-size:11px}
.heat .hostname{font-size:12.5px}
.heat text.heatlow{fill:var(--low);text-anchor:middle}
.heat text.heathigh{fill:var(--high);text-anchor:middle}
@media (min-width:860px){.pair,.panels{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media (max-width:600px){main{padding:16px 16px 48px}.panel{min-width:440px}.live,figure{overflow-x:auto}}
@media print{main{max-width:none;padding:0}section,figure{break-inside:avoid}.wide svg{min-width:0}
.drawing svg{max-width:100%;height:auto}
.scroll{overflow:visible;background:none}details:not([open])>:not(summary){display:none}}
)css";

// #7d8590: what core/codec/dot_text.cpp writes on the page's own ground; no grey can be read on white and on
// black.

#undef DUET_LIGHT
#undef DUET_DARK

}  // namespace

std::string_view style_sheet() { return kStyle; }

}  // namespace duet::sim::report
