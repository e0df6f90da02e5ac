import { formatBytes } from "../format.ts";
import type { DirectoryNode, PageNode } from "./tree.ts";
import { type Box, type ItemBox, squarify, visibleChildren } from "./treemap.ts";

/** In square pixels: smaller children of a directory share one cell. */
const MIN_AREA = 40;
/** In pixels: the height of the strip with the directory's name at the top of its cell. */
const TITLE_HEIGHT = 17;

/** A cell of the map with its element. */
export interface Cell extends ItemBox<PageNode> {
  readonly group: SVGElement;
  /** 0 for children of the directory that the map shows. */
  readonly depth: number;
}

export interface Drawing {
  readonly cells: readonly Cell[];
  readonly element: SVGElement;
}

/** Draws the content of `directory`, and of its subdirectories if there is room. */
export function drawDirectory(directory: DirectoryNode, area: Box): Drawing {
  const element = svg("g", {});
  const cells: Cell[] = [];
  const drawChildren = (parent: DirectoryNode, box: Box, depth: number): void => {
    if (parent.size === 0) return;
    for (const inner of squarify(visibleChildren(parent, box.w * box.h, MIN_AREA), box)) {
      const opened = openedDirectory(inner);
      const group = drawCell(inner, { opened: opened !== undefined, index: cells.length, depth });
      element.append(group);
      cells.push({ ...inner, group, depth });
      if (opened) drawChildren(opened, insideOf(inner), depth + 1);
    }
  };
  drawChildren(directory, area, 0);
  return { cells, element };
}

/** Returns the directory of a cell that is large enough to show its content. */
function openedDirectory({ item, w, h }: ItemBox<PageNode>): DirectoryNode | undefined {
  return item.kind === "directory" && w > 26 && h > 24 && item.children.length > 0 ? item : undefined;
}

function insideOf({ x, y, w, h }: Box): Box {
  const top = h > 40 ? TITLE_HEIGHT : 2.5;
  return { x: x + 2.5, y: y + top, w: w - 5, h: h - top - 2.5 };
}

interface CellOptions {
  /** Whether the cell shows the content of its directory. */
  readonly opened: boolean;
  /** The index in the list of cells. */
  readonly index: number;
  readonly depth: number;
}

function drawCell(box: ItemBox<PageNode>, { opened, index, depth }: CellOptions): SVGElement {
  const { layer, kind } = box.item;
  const color = `l${layer % 8}${kind === "file" ? "" : " many"}`;
  const group = svg("g", { class: `cell ${opened ? "directory" : color}`, "data-cell": index });
  addRectangle(box, group, opened ? 4 : 2, depth === 0 ? 1 : 0.5);
  addLabel(box, group, opened);
  return group;
}

function addRectangle({ x, y, w, h }: Box, group: SVGElement, radius: number, gap: number): void {
  const width = Math.max(0.3, w - 2 * gap);
  const height = Math.max(0.3, h - 2 * gap);
  group.append(svg("rect", { x: x + gap, y: y + gap, width, height, rx: radius }));
}

function addLabel({ item, x, y, w, h }: ItemBox<PageNode>, group: SVGElement, opened: boolean): void {
  const room = w - 12;
  if (room < 22 || h < (opened ? 40 : 15)) return;
  const name = item.name + (item.kind === "directory" ? "/" : "");
  const size = formatBytes(item.size);
  group.append(svg("text", { x: x + 6, y: y + 13 }, cutText(name, room, opened)));
  if (opened && widthOf(name, true) + widthOf(size, false) + 8 <= room)
    group.append(svg("text", { x: x + w - 6, y: y + 13, "text-anchor": "end", class: "size" }, size));
  if (!opened && h > 31)
    group.append(svg("text", { x: x + 6, y: y + 26, class: "size" }, cutText(size, room, false)));
}

function svg(name: "g" | "rect" | "text", attributes: Readonly<Record<string, string | number>>, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

const canvas = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;

function widthOf(text: string, bold: boolean): number {
  if (!canvas) return text.length * 7;
  canvas.font = `${bold ? "600 " : ""}12px ${family}`;
  return canvas.measureText(text).width;
}

function cutText(text: string, room: number, bold: boolean): string {
  if (widthOf(text, bold) <= room) return text;
  const letters = [...text].slice(0, Math.ceil(room / 2));
  while (letters.length > 1 && widthOf(`${letters.join("")}…`, bold) > room) letters.pop();
  return `${letters.join("")}…`;
}
