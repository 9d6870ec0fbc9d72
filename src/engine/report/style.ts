/** The page's whole style: light and dark as the reader has it, ink on paper in print. */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --quiet: #5c6670; --line: #d9dee3; --faint: #f4f6f8;
  --blue: #1f6fb4; --orange: #c2560c; --red: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181b; --ink: #e4e7ea; --quiet: #9aa4ae; --line: #343a40;
  --faint: #1e2226; --blue: #6cb2f2; --orange: #f0964f; --red: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; line-height: 1.25; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0; } .quiet, figcaption { color: var(--quiet); font-size: .87rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .4rem 0; }
th, td { text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 600; font-size: .85rem; white-space: nowrap; }
.numbers td { white-space: nowrap; }
.headline { display: flex; flex-wrap: wrap; gap: 2.2rem; margin: 1.2rem 0 0; }
.headline div span { display: block; color: var(--quiet); font-size: .82rem; }
.headline b { font-size: 1.7rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem; } .plots figure { flex: 1 1 18rem; max-width: 30rem; margin: 0; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--quiet); font-size: 10.5px; }
svg .label { font-size: 11.5px; } .grid { stroke: var(--line); stroke-width: 1; }
.dot { fill: var(--blue); fill-opacity: .5; } .bar { fill: var(--blue); fill-opacity: .75; }
.curve { fill: none; stroke: var(--orange); stroke-width: 2; } .first { fill: none; stroke: var(--blue); stroke-width: 2; }
.same { fill: none; stroke: var(--quiet); stroke-dasharray: 4 4; } .outline { fill: none; stroke: var(--orange); stroke-width: 2; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; vertical-align: -.05em; }
.keyed { white-space: nowrap; margin-left: .5em; } .config { columns: 2 22rem; column-gap: 2rem; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .9rem; margin: .5rem 0; }
.images figure { margin: 0; min-width: 0; break-inside: avoid; }
.images img, .images .gone { width: 100%; height: 7.5rem; object-fit: contain; background: var(--faint); display: grid;
  place-items: center; color: var(--quiet); font-size: .8rem; }
.images figcaption { font-size: .78rem; line-height: 1.35; margin-top: .25rem; }
.images .file { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
pre { background: var(--faint); padding: .8rem 1rem; overflow: auto; font: 12.5px/1.5 ui-monospace, "SFMono-Regular", Consolas, monospace;
  overflow-wrap: normal; } code { font: .88em ui-monospace, "SFMono-Regular", Consolas, monospace; }
.problem { color: var(--red); font-weight: 600; } .warning { color: var(--orange); font-weight: 600; }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --faint: #f4f4f4;
  --blue: #1f6fb4; --orange: #c2560c; --red: #b3261e; }
  @page { margin: 16mm 14mm; } body { padding: 0; max-width: none; font-size: 10.5pt; } h2 { break-after: avoid; }
  h3 { break-after: avoid; } figure, tr { break-inside: avoid; } .wide, pre { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: 9pt; } th, .numbers td { white-space: normal; overflow-wrap: normal; } .plots { gap: .8rem; }
  .plots figure { flex: 1 1 11rem; max-width: 19rem; } .config { columns: 2 12rem; }
  .images { grid-template-columns: repeat(6, 1fr); } .images img, .images .gone { height: 5rem; } }
`;
