/** The page's style: light and dark as the reader's system is, one column on a phone, on paper without the map's controls. */
export const STYLE: string = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#17212b;--soft:#5b6875;--line:#dfe4ea;--accent:#1f6feb;--warn:#b3541e;--bad:#c62f3b;--good:#1a7f4b;--folder:#eceff3;--folder-line:#cfd6de;
--l0:#9cbfe6;--l1:#a9d5a4;--l2:#f3cb86;--l3:#e0abcd;--l4:#98d8d2;--l5:#cbb8ea;--l6:#f4ae99;--l7:#cfd48f;--cell-ink:#14202c}
@media (prefers-color-scheme:dark){:root{--bg:#0f141a;--card:#171e26;--ink:#e6ecf2;--soft:#97a5b3;--line:#29323d;--accent:#6ea8ff;--warn:#e69a5e;--bad:#ff7b83;--good:#5fd095;--folder:#202933;--folder-line:#34404d;
--l0:#31557f;--l1:#2f6240;--l2:#7d5a1d;--l3:#75396a;--l4:#1f6462;--l5:#54438a;--l6:#86412f;--l7:#5d6324;--cell-ink:#eef3f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1180px;margin:0 auto;padding:28px 20px 40px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 12px}
h3{font-size:14px;margin:0 0 8px}
.soft{color:var(--soft)}
.mono,code,td.path,.path{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px;overflow-wrap:anywhere}
section,.tiles>div{background:var(--card);border:1px solid var(--line);border-radius:10px}
section{padding:18px 20px;margin-top:16px}
section>:last-child{margin-bottom:0}
p{margin:6px 0 10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin-top:18px}
.tiles>div{padding:12px 16px}
.tiles b{display:block;font-size:22px;line-height:1.3;font-weight:650;letter-spacing:-.01em}
.tiles span{color:var(--soft);font-size:13px}
svg{display:block}
.bar{width:100%;height:22px;border-radius:5px;overflow:hidden;background:var(--folder)}
.scale{display:flex;justify-content:space-between;color:var(--soft);font-size:12px;margin-top:4px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:10px 0 0;padding:0;list-style:none;font-size:13px}
.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.l0{fill:var(--l0);background:var(--l0)}.l1{fill:var(--l1);background:var(--l1)}.l2{fill:var(--l2);background:var(--l2)}.l3{fill:var(--l3);background:var(--l3)}
.l4{fill:var(--l4);background:var(--l4)}.l5{fill:var(--l5);background:var(--l5)}.l6{fill:var(--l6);background:var(--l6)}.l7{fill:var(--l7);background:var(--l7)}
.base{fill:var(--l0);background:var(--l0)}.app{fill:var(--l2);background:var(--l2)}.vain{fill:var(--bad);background:var(--bad)}.used{fill:var(--accent)}.over{fill:var(--bad)}
.bars{display:grid;grid-template-columns:1fr 1fr;gap:28px}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.tools{display:none;gap:4px;flex-wrap:wrap;align-items:center;margin-bottom:10px}
.lively .tools{display:flex}
.tools label{flex:1 1 100%}
input[type=search]{width:100%;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:8px 12px}
button{font:inherit;color:inherit;background:none;border:0;padding:2px 6px;border-radius:6px;cursor:pointer;text-align:left}
button:hover{background:var(--folder)}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
#crumbs{display:flex;flex-wrap:wrap;align-items:center;font-size:13px;min-height:28px}
#crumbs button+button::before{content:"›";color:var(--soft);margin-right:8px}
#crumbs [aria-current]{font-weight:650}
#results{list-style:none;margin:0;padding:0;max-height:216px;overflow:auto}
#results button{display:flex;gap:12px;width:100%}
#results .size{flex:0 0 62px;text-align:right;color:var(--soft);font-size:13px}
#found{color:var(--soft);font-size:13px}
#map{display:none;width:100%;height:min(66vh,620px);min-height:320px;touch-action:manipulation;border-radius:6px}
.lively #map{display:block}
#map text{font-size:12px;fill:var(--cell-ink);pointer-events:none}
#map .folder>text{fill:var(--ink);font-weight:600}
#map text.size{opacity:.72;font-weight:400}
#map .cell{cursor:pointer;outline:none}
#map .many{opacity:.75}
#map .folder>rect{fill:var(--folder);stroke:var(--folder-line)}
#map .cell>rect{transition:opacity .12s}
#map .cell:hover>rect{filter:brightness(1.07)}
#map .dim{opacity:.16}
#map .current>rect,#map .cell:focus-visible>rect{stroke:var(--accent);stroke-width:3;paint-order:stroke}
#detail{min-height:40px;margin:8px 0 0;font-size:13px;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{font-weight:600;color:var(--soft);text-align:left;font-size:12.5px}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
td:last-child{min-width:260px}
tr:last-child td{border-bottom:0}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.waste{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:24px}
.list{list-style:none;margin:0;padding:0;max-height:300px;overflow:auto;font-size:13px}
.list li{display:flex;gap:12px;padding:4px 0;border-bottom:1px solid var(--line)}
.list li:last-child{border:0}
.list .n{flex:0 0 62px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;margin:0}
dt{color:var(--soft)}
dd{margin:0;min-width:0}
dd div+div{margin-top:2px}
footer{color:var(--soft);font-size:12.5px;margin-top:22px}
kbd{border:1px solid var(--line);border-bottom-width:2px;border-radius:4px;padding:0 5px;font:12px ui-monospace,monospace}
@media (max-width:640px){main{padding:18px 12px 32px}section{padding:14px}.bars{grid-template-columns:1fr;gap:20px}.tiles{grid-template-columns:1fr 1fr;gap:8px}.tiles b{font-size:19px}#map{height:min(70vh,560px)}dl{grid-template-columns:1fr;gap:2px}dd{margin-bottom:8px}.keys{display:none}}
@media print{.tools,#results,.keys{display:none!important}body{background:none}section{break-inside:avoid}}
`;
