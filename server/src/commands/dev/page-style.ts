// How the page of `dev` looks. No style stands in attributes: the page's own policy allows this one text, by its hash.

/** The style sheet. */
export const style = `
:root {
  --paper: #faf8f5; --card: #ffffff; --line: #e7e2da; --ink: #23201c; --quiet: #766f66; --accent: #c2410c;
  --good: #2b7a3d; --good-back: #e6f4e8; --bad: #b42318; --bad-back: #fdeceb; --open: #9a5b00; --open-back: #fdf3dd;
  --plain-back: #efece7;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171513; --card: #1f1d1a; --line: #34302b; --ink: #ece7e0; --quiet: #9d958a; --accent: #ff9a62;
    --good: #7fd08f; --good-back: #1d3323; --bad: #ff9c92; --bad-back: #402220; --open: #f0c065; --open-back: #3a2e17;
    --plain-back: #2d2a26;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
}
body > header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 2rem; }
h1 { display: flex; align-items: center; gap: .6rem; margin: 0; font-size: 1.5rem; letter-spacing: -.02em; }
h2 { margin: 2rem 0 .75rem; font-size: 1rem; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
code, pre { font-family: var(--mono); font-size: .86em; overflow-wrap: anywhere; }
.inbox {
  display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 1.75rem 0 0; padding: .9rem 0;
  border-block: 1px solid var(--line); color: var(--quiet);
}
.inbox code { color: var(--ink); }
.inbox dt { font-weight: 600; color: var(--ink); }
.inbox dd { margin: 0; }
article, .empty { margin: 0 0 1rem; padding: 1rem 1.15rem; border: 1px solid var(--line); border-radius: .7rem; background: var(--card); }
article > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem .7rem; }
.id { color: var(--quiet); }
article > header time { margin-left: auto; color: var(--quiet); }
.mode { padding: 0 .45rem; border: 1px dashed var(--quiet); border-radius: .3rem; color: var(--quiet); font-size: .8rem; }
.pill { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; background: var(--plain-back); color: var(--quiet); font-size: .8rem; font-weight: 600; }
.pill.good { background: var(--good-back); color: var(--good); }
.pill.bad { background: var(--bad-back); color: var(--bad); }
.pill.open { background: var(--open-back); color: var(--open); }
.result, .quiet { margin: .5rem 0 0; }
.quiet, .to, .result { color: var(--quiet); }
section { margin-top: .9rem; padding-top: .8rem; border-top: 1px solid var(--line); }
.delivery { margin: 0 0 .4rem; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th { padding: .15rem 1rem .15rem 0; color: var(--quiet); font-weight: 500; text-align: left; }
th:nth-child(1) { width: 4.75rem; }
th:nth-child(2) { width: 7.5rem; }
th:nth-child(3) { width: 8.5rem; }
th:nth-child(4) { width: 5rem; }
td { padding: .2rem 1rem .2rem 0; vertical-align: top; }
td:last-child { padding-right: 0; }
td.good { color: var(--good); }
td.bad { color: var(--bad); }
.answer { color: var(--quiet); font-family: var(--mono); font-size: .8rem; white-space: normal; overflow-wrap: anywhere; }
.next td { color: var(--open); }
.empty { margin-top: 1.75rem; }
.empty h2 { margin-top: 0; }
pre { margin: .75rem 0 0; padding: .8rem 1rem; border-radius: .5rem; background: var(--plain-back); overflow-x: auto; }
pre code { font-size: 1em; overflow-wrap: normal; }
footer { margin-top: 2rem; color: var(--quiet); font-size: .85rem; }
@media (max-width: 40rem) {
  th:nth-child(1) { width: 2rem; font-size: 0; }
  th:nth-child(2) { width: 6.25rem; }
  th:nth-child(3) { width: 6.25rem; }
  th:nth-child(4), td:nth-child(4) { display: none; }
  td { padding-right: .5rem; }
  article > header time { margin-left: 0; }
}
`
