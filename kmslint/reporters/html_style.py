"""The style sheet of the HTML report: light and dark, wide and narrow, screen and paper. No font, image or script is loaded."""

from kmslint.typed import Final

STYLE: Final = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--muted:#57606a;--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;
--crit:#8e1519;--crit-bg:#ffe2e0;--high:#8a3412;--high-bg:#ffe8d6;--med:#6b4c00;--med-bg:#fff4c8;--low:#0a4f8f;--low-bg:#dff0ff;
--info:#44505c;--info-bg:#e8ecf0;--ok:#11602b;--ok-bg:#dcf5e3;--mark:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e4e9ef;--muted:#a3adb8;--line:#39424d;--card:#1b2129;--link:#83b9ff;
--crit:#ffb4ab;--crit-bg:#5a1418;--high:#ffc29a;--high-bg:#552508;--med:#f2d675;--med-bg:#473600;--low:#a5d2ff;--low-bg:#0c3a63;
--info:#c6ced6;--info-bg:#333c46;--ok:#9be2b0;--ok-bg:#113d20;--mark:#ff8a80}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.75rem}
footer{padding-bottom:2.5rem;color:var(--muted);font-size:.875rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .35rem}
h2{font-size:1.3rem;margin:2.4rem 0 .7rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1.08rem;margin:1.6rem 0 .5rem;overflow-wrap:anywhere}
h4{font-size:1rem;margin:0 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--bg);padding:.4rem .8rem;z-index:1}
.muted{color:var(--muted)}.small{font-size:.85em;font-weight:400}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;padding:0;margin:.8rem 0 0}
.chips{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:.9rem 0}
.chips li{border-radius:.5rem;padding:.3rem .75rem;background:var(--info-bg);color:var(--info)}
.chips b{font-size:1.15rem;margin-right:.3rem}
.tag{display:inline-block;border-radius:.35rem;padding:.05rem .45rem;font-size:.82rem;font-weight:600;white-space:nowrap;
background:var(--info-bg);color:var(--info)}
.critical,.chips .critical{background:var(--crit-bg);color:var(--crit)}
.high,.chips .high{background:var(--high-bg);color:var(--high)}
.medium,.open,.chips .medium,.chips .open{background:var(--med-bg);color:var(--med)}
.low,.service,.chips .low{background:var(--low-bg);color:var(--low)}
.pass,.chips .pass{background:var(--ok-bg);color:var(--ok)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem;margin:.6rem 0}
table{border-collapse:collapse;width:100%;font-size:.925rem}
caption{text-align:left;padding:.5rem .7rem;color:var(--muted)}
caption span{display:inline-block;position:sticky;left:.7rem;max-width:calc(100vw - 3.6rem)}
th,td{text-align:left;vertical-align:top;padding:.45rem .7rem;border-top:1px solid var(--line)}
thead th{border-top:0;background:var(--card);font-weight:600}
tbody th{font-weight:500}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.c,th.c{text-align:center;white-space:nowrap}
dd,li,p{overflow-wrap:anywhere}th,td{overflow-wrap:break-word}td.w,th.w,caption{overflow-wrap:anywhere}
td.w,th.w{min-width:15rem}
.k{display:inline-block;min-width:6rem;overflow-wrap:anywhere}
.reach tbody th{position:sticky;left:0;background:var(--bg)}
.yes{background:var(--high-bg);color:var(--high);font-weight:600}
.public .yes{background:var(--crit-bg);color:var(--crit)}
.own .yes{background:var(--info-bg);color:var(--fg)}
.svc .yes{background:var(--low-bg);color:var(--low)}
.iam{color:var(--muted)}
.unsure{background:var(--med-bg);color:var(--med)}
.no{color:var(--muted)}
.card{border:1px solid var(--line);border-left:.35rem solid var(--line);border-radius:.5rem;padding:.85rem 1rem;margin:.9rem 0;
background:var(--card)}
.card.critical,.card.high,.card.medium,.card.low{background:var(--card);color:var(--fg)}
.card.critical{border-left-color:var(--crit)}.card.high{border-left-color:var(--high)}
.card.medium{border-left-color:var(--med)}.card.low{border-left-color:var(--low)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem .9rem;margin:.6rem 0 0}
dt{color:var(--muted)}
dd{margin:0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.86rem}
code{background:var(--info-bg);border-radius:.25rem;padding:0 .25rem;overflow-wrap:anywhere}
pre{margin:.6rem 0;padding:.6rem .8rem;overflow-x:auto;background:var(--bg);border:1px solid var(--line);border-radius:.4rem;
line-height:1.4}
pre .g{color:var(--muted);user-select:none}
pre .m{color:var(--mark);font-weight:700}
details{margin:.6rem 0}
summary{cursor:pointer;padding:.25rem 0}
ul.plain{padding-left:1.2rem;margin:.4rem 0}
@media(max-width:40rem){body{font-size:15px}main,header,footer{padding-left:.85rem;padding-right:.85rem}
dl{grid-template-columns:minmax(0,1fr);gap:0}dt{margin-top:.45rem}h1{font-size:1.4rem}th,td{padding:.4rem .5rem}
td.w,th.w{min-width:11rem}}
@media(forced-colors:active){.tag,.chips li{border:1px solid}.card{border-left-width:.35rem}}
@media print{:root{--bg:#fff;--fg:#000;--muted:#444;--line:#999;--card:#fff;--link:#000;--crit:#8e1519;--crit-bg:#ffe2e0;
--high:#8a3412;--high-bg:#ffe8d6;--med:#6b4c00;--med-bg:#fff4c8;--low:#0a4f8f;--low-bg:#dff0ff;--info:#333;--info-bg:#eee;
--ok:#11602b;--ok-bg:#dcf5e3;--mark:#b3261e}
@page{margin:15mm 13mm}
body{font-size:9.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,header,footer{max-width:none;padding:0}nav,.skip{display:none}
h2{break-after:avoid}h3,h4{break-after:avoid}tr,pre{break-inside:avoid}.card h4,.card p{break-after:avoid}
.tag{font-size:7.5pt}.scroll{overflow:visible;border-radius:0}pre{white-space:pre-wrap;overflow:visible}table{font-size:8pt}
thead{display:table-header-group}th,td{padding:.2rem .35rem}td.w,th.w,.k{min-width:0}.reach tbody th,caption span{position:static}
}
""".strip()
