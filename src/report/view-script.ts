/** Third part: draws the map and listens. The page has the elements by their ids, and works as tables only where scripts do not run. */
export const VIEW_SCRIPT: string = `
const LEAST_PIXELS = 40;
const HEADER = 17;
const find = (id) => document.getElementById(id);
const [map, crumbs, detail, box, results] = ["map", "crumbs", "detail", "search", "results"].map(find);
const data = JSON.parse(find("data").textContent);
const root = grow(data.tree);
const files = allFiles(root).sort((a, b) => b.size - a.size);
let shown = root, cells = [], current, matches;

function element(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

function draw() {
  const w = map.clientWidth, h = map.clientHeight;
  if (w === 0 || h === 0) return;
  map.setAttribute("viewBox", "0 0 " + w + " " + h);
  cells = [];
  const layer = element("g", {});
  drawChildren(shown, { x: 0, y: 0, w, h }, layer, 0);
  map.replaceChildren(layer);
  tellCrumbs();
}

/* Draws again what is shown, as after a turn of the phone; what was chosen stays chosen. */
function redraw() {
  const { item, group } = current ?? {};
  const isMarked = group?.classList.contains("current") === true;
  const isFocused = map.contains(document.activeElement);
  draw();
  select(cells.find((cell) => cell.item === item) ?? cells[0], isMarked);
  if (isFocused) current?.group.focus({ preventScroll: true });
}

function drawChildren(folder, { x, y, w, h }, parent, depth) {
  if (folder.size === 0) return;
  for (const cell of squarify(visibleChildren(folder, w * h, LEAST_PIXELS), x, y, w, h)) drawCell(cell, parent, depth);
}

function drawCell(cell, parent, depth) {
  const { item, x, y, w, h } = cell;
  const open = item.kind === "folder" && w > 26 && h > 24 && item.children.length > 0;
  const look = open ? "folder" : "l" + (item.layer % 8) + (item.kind === "file" ? "" : " many");
  const group = element("g", { class: "cell " + look, "data-cell": cells.length }, parent);
  Object.assign(cell, { group, depth });
  cells.push(cell);
  if (depth === 0) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", cells.length === 1 ? "0" : "-1");
    group.setAttribute("aria-label", describe(item));
  }
  if (matches) group.classList.toggle("dim", !isMatch(item));
  const gap = depth === 0 ? 1 : 0.5;
  element("rect", { x: x + gap, y: y + gap, width: Math.max(0.3, w - 2 * gap), height: Math.max(0.3, h - 2 * gap), rx: open ? 4 : 2 }, group);
  label(cell, group, open);
  if (open) drawChildren(item, { x: x + 2.5, y: y + (h > 40 ? HEADER : 2.5), w: w - 5, h: h - (h > 40 ? HEADER : 2.5) - 2.5 }, parent, depth + 1);
}

function label({ item, x, y, w, h }, group, open) {
  const room = w - 12;
  if (room < 22 || h < (open ? 40 : 15)) return;
  const name = item.name + (item.kind === "folder" ? "/" : "");
  const size = bytesText(item.size);
  const both = open && widthOf(name, open) + widthOf(size) + 8 <= room;
  element("text", { x: x + 6, y: y + 13 }, group, cutText(name, room, open));
  if (both) element("text", { x: x + w - 6, y: y + 13, "text-anchor": "end", class: "size" }, group, size);
  else if (!open && h > 31) element("text", { x: x + 6, y: y + 26, class: "size" }, group, cutText(size, room));
}

const pen = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;

/* In pixels. */
function widthOf(text, bold) {
  pen.font = (bold ? "600 " : "") + "12px " + family;
  return pen.measureText(text).width;
}

function cutText(text, room, bold) {
  if (widthOf(text, bold) <= room) return text;
  const letters = [...text].slice(0, Math.ceil(room / 2));
  while (letters.length > 1 && widthOf(letters.join("") + "…", bold) > room) letters.pop();
  return letters.join("") + "…";
}

function isMatch(item) {
  return matches.has(item) || (item.kind === "rest" && item.parent.children.some((child) => child.size < item.size && matches.has(child)));
}

function describe(item) {
  const part = bytesText(item.size) + ", " + partText(item.size, root.size) + " of all";
  const what = item.kind === "folder" ? filesText(item.files) : item.kind === "file" ? "layer " + (item.layer + 1) + data.layers[item.layer] : "too small to be shown one by one";
  return (item.path ?? item.parent.path + "/ " + item.name) + (item.kind === "folder" ? "/" : "") + "  ·  " + part + "  ·  " + what;
}

function tell(item) {
  detail.textContent = item ? describe(item) : (shown.path || "") + "/  ·  " + bytesText(shown.size) + "  ·  " + filesText(shown.files);
}

function tellCrumbs() {
  const chain = [];
  for (let at = shown; at; at = at.parent) chain.unshift(at);
  crumbs.replaceChildren(...chain.map((folder) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = folder.name || "/";
    if (folder === shown) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => zoom(folder));
    return button;
  }));
  tell(current?.item);
}

/* Afterwards the map shows folder; from where one came stays in sight. */
function zoom(folder, focus) {
  const came = cells.find((cell) => cell.item === folder);
  const before = shown;
  shown = folder;
  current = undefined;
  draw();
  const back = stepTo(before, folder);
  const start = cells.find((cell) => cell.item === (focus ?? back)) ?? cells[0];
  select(start, focus !== undefined);
  if (came && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const from = "translate(" + came.x + "px," + came.y + "px) scale(" + came.w / map.clientWidth + "," + came.h / map.clientHeight + ")";
    map.firstChild.animate([{ transform: from, opacity: 0.4 }, { transform: "none", opacity: 1 }], { duration: 180, easing: "ease-out" });
  }
}

function select(cell, mark = true) {
  for (const one of map.querySelectorAll(".current")) one.classList.remove("current");
  current = cell;
  if (!cell) return tell();
  const top = cell.depth === 0 ? cell : undefined;
  if (top) for (const one of cells) if (one.depth === 0) one.group.setAttribute("tabindex", one === top ? "0" : "-1");
  if (mark) {
    cell.group.classList.add("current");
    tell(cell.item);
  } else tell();
}

function enter(cell) {
  if (cell.item.kind === "folder") zoom(cell.item);
  else {
    const step = stepTo(cell.item, shown);
    if (step && step.kind === "folder") zoom(step);
    else select(cell);
  }
}

const cellAt = (target) => cells[target.closest?.("[data-cell]")?.dataset.cell];

map.addEventListener("click", (event) => {
  const cell = cellAt(event.target);
  if (!cell) return;
  enter(cell);
});
/* Not pointerover, which comes too when the page scrolls under a pointer that rests. */
map.addEventListener("pointermove", (event) => tell((cellAt(event.target) ?? current)?.item));
map.addEventListener("pointerleave", () => tell(current?.item));
map.addEventListener("focusin", (event) => {
  const cell = cellAt(event.target);
  if (cell && !cell.group.classList.contains("current")) select(cell, event.target.matches(":focus-visible"));
});
map.addEventListener("keydown", (event) => {
  const cell = cellAt(event.target);
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  if (key.startsWith("Arrow")) neighbour(cells.filter((one) => one.depth === 0), cell, key)?.group.focus();
  else if (key === "Enter" || key === " ") { enter(cell); current?.group.focus(); }
  else if ((key === "Escape" || key === "Backspace") && shown.parent) { zoom(shown.parent); current?.group.focus(); }
  else if (key === "Home") { zoom(root); current?.group.focus(); }
  else return;
  event.preventDefault();
});
`;
