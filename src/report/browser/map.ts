import { formatBytes, formatCount, formatPart } from "../format.ts";
import type { TreeEntry } from "../tree.ts";
import { type Cell, drawDirectory } from "./draw.ts";
import {
  allFiles,
  childTowards,
  type DirectoryNode,
  type FileNode,
  growTree,
  type PageNode,
} from "./tree.ts";
import { neighbour } from "./treemap.ts";

interface PageData {
  readonly tree: readonly TreeEntry[];
  /** The text after each layer's number: ` (base)`, ` (app)` or nothing. */
  readonly layers: readonly string[];
}

/**
 * Returns the element with this id.
 * @throws if the page has none of this type
 */
export function find<Kind extends Element>(id: string, type: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}

const data: PageData = JSON.parse(find("data", HTMLScriptElement).text);

export const root = growTree(data.tree);
export const files = allFiles(root);

/** Formats the name of a layer: `1 (base)` for index 0. */
function layerName(index: number): string {
  return `${index + 1}${data.layers[index] ?? ""}`;
}

export const map = find("map", SVGSVGElement);
const path = find("crumbs", HTMLElement);
const detail = find("detail", HTMLElement);

let shown = root;
let cells: readonly Cell[] = [];
let current: Cell | undefined;
let matches: ReadonlySet<PageNode> | undefined;

/** Returns the cells directly in the directory that the map shows. */
function topCells(): readonly Cell[] {
  return cells.filter(({ depth }) => depth === 0);
}

function cellAt(target: EventTarget | null): Cell | undefined {
  const group = target instanceof Element ? target.closest("[data-cell]") : undefined;
  return group ? cells[Number(group.getAttribute("data-cell"))] : undefined;
}

function draw(): void {
  const [w, h] = [map.clientWidth, map.clientHeight];
  if (w === 0 || h === 0) return;
  map.setAttribute("viewBox", `0 0 ${w} ${h}`);
  const drawing = drawDirectory(shown, { x: 0, y: 0, w, h });
  cells = drawing.cells;
  for (const { item, group } of cells)
    group.classList.toggle("dim", matches !== undefined && !isMatch(item, matches));
  for (const [index, { item, group }] of topCells().entries()) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", index === 0 ? "0" : "-1");
    group.setAttribute("aria-label", describe(item));
  }
  map.replaceChildren(drawing.element);
  showPath();
}

/** Draws the same directory again, for example in a new size. The same cell stays selected. */
export function redraw(): void {
  const item = current?.item;
  const isMarked = current?.group.classList.contains("current") === true;
  const isFocused = map.contains(document.activeElement);
  draw();
  select(cells.find((cell) => cell.item === item) ?? cells[0], isMarked);
  if (isFocused) focusCurrent();
}

/** Dims the cells that are not in `found`; undefined dims none. */
export function showMatches(found: ReadonlySet<PageNode> | undefined): void {
  matches = found;
  redraw();
}

function isMatch(item: PageNode, found: ReadonlySet<PageNode>): boolean {
  if (item.kind !== "rest" || found.has(item)) return found.has(item);
  return item.parent.children.some((child) => child.size < item.size && found.has(child));
}

function describe(item: PageNode): string {
  const part = `${formatBytes(item.size)}, ${formatPart(item.size, root.size)} of all`;
  return [pathOf(item), part, contentOf(item)].join("  ·  ");
}

function pathOf(item: PageNode): string {
  if (item.kind === "rest") return `${item.parent.path}/ ${item.name}`;
  return item.kind === "directory" ? `${item.path}/` : item.path;
}

function contentOf(item: PageNode): string {
  if (item.kind === "directory") return formatCount(item.files, "file");
  return item.kind === "file" ? `layer ${layerName(item.layer)}` : "too small to show individually";
}

/** Describes `item` below the map, or the directory that the map shows if there is none. */
function showDetail(item: PageNode | undefined): void {
  detail.textContent = item
    ? describe(item)
    : [pathOf(shown), formatBytes(shown.size), formatCount(shown.files, "file")].join("  ·  ");
}

function showPath(): void {
  const directories: DirectoryNode[] = [];
  for (let at: DirectoryNode | undefined = shown; at; at = at.parent) directories.unshift(at);
  path.replaceChildren(...directories.map(pathButton));
  showDetail(current?.item);
}

function pathButton(directory: DirectoryNode): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = directory.name || "/";
  if (directory === shown) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => zoom(directory));
  return button;
}

/** Shows `directory` on the map, and selects the cell of the previously shown directory. */
function zoom(directory: DirectoryNode): void {
  const before = childTowards(shown, directory);
  show(directory);
  select(cells.find((cell) => cell.item === before) ?? cells[0], false);
}

/** Shows the directory of `file`, and selects the file's cell if it has one. */
export function showFile(file: FileNode): void {
  show(file.parent);
  const cell = cells.find(({ item }) => item === file);
  select(cell ?? cells[0], false);
  cell?.group.focus({ preventScroll: true });
  if (cell) select(cell);
  else showDetail(file);
  map.scrollIntoView({ block: "nearest" });
}

function show(directory: DirectoryNode): void {
  shown = directory;
  current = undefined;
  draw();
}

/** Makes `cell` the current one, which the Tab key reaches. `mark` outlines and describes it. */
function select(cell: Cell | undefined, mark = true): void {
  for (const marked of map.querySelectorAll(".current")) marked.classList.remove("current");
  current = cell;
  if (cell?.depth === 0)
    for (const other of topCells()) other.group.setAttribute("tabindex", other === cell ? "0" : "-1");
  if (mark) cell?.group.classList.add("current");
  showDetail(mark ? cell?.item : undefined);
}

function focusCurrent(): void {
  current?.group.focus({ preventScroll: true });
}

/** Opens the directory of a cell, or the next directory towards its file. */
function enter(cell: Cell): void {
  const step = cell.item.kind === "directory" ? cell.item : childTowards(cell.item, shown);
  if (step?.kind === "directory") zoom(step);
  else select(cell);
}

/** Adds the map's listeners for mouse, touch and keyboard. */
export function listenToMap(): void {
  map.addEventListener("click", ({ target }) => {
    const cell = cellAt(target);
    if (cell) enter(cell);
  });
  // Not pointerover, which is also fired when the page scrolls under a resting pointer.
  map.addEventListener("pointermove", ({ target }) => showDetail((cellAt(target) ?? current)?.item));
  map.addEventListener("pointerleave", () => showDetail(current?.item));
  map.addEventListener("focusin", ({ target }) => {
    const cell = cellAt(target);
    if (!cell || cell.group.classList.contains("current")) return;
    select(cell, target instanceof Element && target.matches(":focus-visible"));
  });
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pressed(event)) event.preventDefault();
  });
}

/** Runs the action of a key; returns false if it has none on the map. */
function pressed({ key, target }: KeyboardEvent): boolean {
  const cell = cellAt(target);
  if (!cell) return false;
  if (key.startsWith("Arrow")) {
    neighbour(topCells(), cell, key)?.group.focus();
    return true;
  }
  const action = actionOf(key);
  if (!action) return false;
  action(cell);
  focusCurrent();
  return true;
}

function actionOf(key: string): ((cell: Cell) => void) | undefined {
  const { parent } = shown;
  if (key === "Enter" || key === " ") return enter;
  if (key === "Home") return () => zoom(root);
  return (key === "Escape" || key === "Backspace") && parent ? () => zoom(parent) : undefined;
}
