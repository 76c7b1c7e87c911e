// The looks of the report page: one column, both colour schemes, a phone as well as a desk. Pictures come in two
// widths and the screen picks one, so that letters keep their size.
#pragma once

#include <string_view>

namespace everlearn {

inline constexpr std::string_view kPageStyle = R"css(
:root { color-scheme: light dark;
  --paper:#f7f7f4; --card:#ffffff; --ink:#1b222c; --soft:#5d6775; --grid:#e8eaee; --frame:#c3c9d2;
  --model:#2159b5; --base:#c0690f; --good:#15825a; --bad:#bf3346; --pale:#8e98a6; --fall:#2159b51c; --tint:#eef2f9; }
@media (prefers-color-scheme: dark) { :root {
  --paper:#10141a; --card:#181d25; --ink:#e7ebf1; --soft:#9ca7b6; --grid:#262d38; --frame:#465061;
  --model:#6fa8ff; --base:#eda254; --good:#4cc893; --bad:#ff7d8a; --pale:#7a8596; --fall:#6fa8ff24; --tint:#1e2632; }
}
* { box-sizing:border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
  "Helvetica Neue",Arial,sans-serif; font-variant-numeric:tabular-nums; -webkit-text-size-adjust:100%; }
main { max-width:1060px; margin:0 auto; padding:36px 20px 60px; }
h1 { font-size:1.75rem; line-height:1.25; margin:.1em 0 .25em; letter-spacing:-.01em; text-wrap:pretty; }
h2 { font-size:1.22rem; margin:2.6em 0 .2em; letter-spacing:-.005em; }
h3 { font-size:1rem; margin:1.5em 0 .2em; }
p { margin:.35em 0 .7em; max-width:78ch; }
.eyebrow { color:var(--soft); font-size:.82rem; letter-spacing:.08em; text-transform:uppercase; margin:0; }
.note, .sub { color:var(--soft); font-size:.92rem; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(160px,1fr)); gap:12px; margin:22px 0 10px; }
.tile, .card { background:var(--card); border:1px solid var(--grid); border-radius:10px; }
.tile { padding:13px 16px 12px; }
.tile b { display:block; font-size:1.6rem; line-height:1.25; font-weight:600; letter-spacing:-.02em; }
.tile span { display:block; color:var(--soft); font-size:.86rem; line-height:1.4; }
.tile .up { color:var(--good); } .tile .down { color:var(--bad); }
.findings { padding-left:1.15em; margin:.6em 0; max-width:84ch; } .findings li { margin:.35em 0; }
.card { padding:14px 16px 12px; margin:12px 0; }
.card h3 { margin:0 0 .35em; }
.two { display:grid; grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr)); gap:12px; }
.two .card { margin:0; }
.legend { display:flex; flex-wrap:wrap; gap:3px 18px; color:var(--soft); font-size:.86rem; margin:2px 0 8px;
  padding:0; }
.legend i { display:inline-block; width:14px; height:10px; border-radius:2px; margin-right:7px; }
.legend .l { height:0; border-top:3px solid; vertical-align:middle; border-radius:0; }
.legend .d { border-top-style:dashed; border-top-width:2px; }
.legend .r { width:10px; border-radius:50%; border:2px solid; background:none; }
.legend .o { width:10px; border-radius:50%; }
svg { display:block; width:100%; height:auto; font-size:12px; }
.narrow { display:none; }
@media (max-width:719px) { .wide { display:none; } .narrow { display:block; } main { padding:24px 14px 40px; }
  .card { padding:12px 10px 10px; } h1 { font-size:1.4rem; } }
svg text { fill:var(--ink); } svg .axis, svg .soft { fill:var(--soft); }
svg .inside { fill:var(--card); font-size:11px; }
svg .grid { stroke:var(--grid); } svg .zero { stroke:var(--frame); stroke-width:1.4; }
svg .frame { stroke:var(--frame); }
svg .diagonal { stroke:var(--pale); stroke-dasharray:4 4; }
svg .line { fill:none; stroke-width:1.8; stroke-linejoin:round; } svg .thin { stroke-width:1.1; }
svg .dashed { stroke-dasharray:4 3; }
.line.model { stroke:var(--model); } .line.base { stroke:var(--base); } .line.pale { stroke:var(--pale); }
.bar.model, .dot.model { fill:var(--model); } .bar.base, .dot.base { fill:var(--base); }
.bar.pale, .dot.pale { fill:var(--pale); } .bar.faint { opacity:.35; }
.bar.good { fill:var(--good); }
svg .dot { stroke:var(--card); stroke-width:1; } svg .paper { fill:var(--card); }
.mark.good { fill:var(--good); stroke:var(--card); stroke-width:1.2; }
.ring { fill:var(--card); stroke-width:1.6; } .ring.bad { stroke:var(--bad); } .ring.pale { stroke:var(--pale); }
.cross { fill:none; stroke-width:1.8; } .cross.bad { stroke:var(--bad); }
.reign { fill:var(--model); } .reign.other { opacity:.62; }
.vacant { fill:none; stroke:var(--pale); stroke-dasharray:3 3; } .fall { fill:var(--fall); }
.seen { fill:var(--model); opacity:.55; } .gap { fill:var(--bad); }
.legend .i-model { background:var(--model); border-color:var(--model); }
.legend .i-base { background:var(--base); border-color:var(--base); }
.legend .i-pale { background:var(--pale); border-color:var(--pale); }
.legend .i-good { background:var(--good); border-color:var(--good); }
.legend .i-bad { background:var(--bad); border-color:var(--bad); }
.legend .i-vacant { border:1px dashed var(--pale); } .legend .i-fall { background:var(--fall); }
.legend .l, .legend .r { background:none; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:.88rem; line-height:1.4; }
th { text-align:left; color:var(--soft); font-weight:500; border-bottom:1px solid var(--frame); }
th, td { padding:5px 14px 5px 0; vertical-align:top; } td { border-bottom:1px solid var(--grid); }
tr:last-child td { border-bottom:0; } tr.sum td { font-weight:600; border-top:1px solid var(--frame); }
.n { text-align:right; white-space:nowrap; } .w { white-space:nowrap; } .why { min-width:230px; }
.v { font-weight:600; } .v.promoted, .yes { color:var(--good); } .v.refused, .v.failed, .no { color:var(--bad); }
.v.insufficient { color:var(--soft); }
code { font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; overflow-wrap:anywhere; }
details { margin:10px 0; } summary { cursor:pointer; color:var(--model); }
details details { margin:0; } details details summary { font-size:.85rem; }
details details table { font-size:.82rem; }
footer { margin-top:3em; color:var(--soft); font-size:.86rem; border-top:1px solid var(--grid); padding-top:1em; }
@media print { body { background:#fff; } .card, .tile { break-inside:avoid; } }
)css";

}  // namespace everlearn
