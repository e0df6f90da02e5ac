import { formatCount } from "../format.ts";
import type { DirectoryNode, PageNode } from "./tree.ts";

/** A rectangle in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The rectangle of one item. */
export interface ItemBox<Item> extends Box {
  readonly item: Item;
}

interface Sized {
  readonly size: number;
}

/**
 * Divides `area` among items in proportion to their sizes, with nearly square cells (Bruls, Huizing
 * and van Wijk, "Squarified Treemaps", 2000).
 * @param items sorted, largest first; none has size 0
 */
export function squarify<Item extends Sized>(items: readonly Item[], area: Box): readonly ItemBox<Item>[] {
  const cells: ItemBox<Item>[] = [];
  let free = area;
  let size = sizeOf(items);
  let at = 0;
  while (at < items.length && free.w > 0 && free.h > 0) {
    const scale = (free.w * free.h) / size;
    const row = items.slice(at, at + rowLength(items.slice(at), Math.min(free.w, free.h), scale));
    at += row.length;
    size -= sizeOf(row);
    const depth =
      at === items.length ? Math.max(free.w, free.h) : (sizeOf(row) * scale) / Math.min(free.w, free.h);
    cells.push(...rowCells(row, free, depth));
    free = without(free, depth);
  }
  return cells;
}

/** Returns how many of the first items form the row whose least square cell is squarest. */
function rowLength(items: readonly Sized[], side: number, scale: number): number {
  const largest = (items[0]?.size ?? 0) * scale;
  let row = 0;
  let best = Number.POSITIVE_INFINITY;
  for (const [count, item] of items.entries()) {
    const area = (row + item.size) * scale;
    const worst = Math.max(
      (side * side * largest) / (area * area),
      (area * area) / (side * side * item.size * scale),
    );
    if (worst > best) return count;
    best = worst;
    row += item.size;
  }
  return items.length;
}

/** Returns the cells of one row along the shorter side of `free`. */
function rowCells<Item extends Sized>(
  row: readonly Item[],
  { x, y, w, h }: Box,
  depth: number,
): readonly ItemBox<Item>[] {
  const total = sizeOf(row);
  const isColumn = w >= h;
  let offset = 0;
  return row.map((item) => {
    const length = (item.size / total) * Math.min(w, h);
    const cell = isColumn
      ? { item, x, y: y + offset, w: depth, h: length }
      : { item, x: x + offset, y, w: length, h: depth };
    offset += length;
    return cell;
  });
}

function without({ x, y, w, h }: Box, depth: number): Box {
  return w >= h ? { x: x + depth, y, w: w - depth, h } : { x, y: y + depth, w, h: h - depth };
}

function sizeOf(items: readonly Sized[]): number {
  return items.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Returns the children of a directory that get their own cells if the directory is drawn on `area`
 * square pixels, and one item for all children with less than `least` square pixels.
 */
export function visibleChildren(directory: DirectoryNode, area: number, least: number): readonly PageNode[] {
  const limit = (least * directory.size) / area;
  const children = directory.children.filter(({ size }) => size > 0);
  const large = children.filter(({ size }) => size >= limit);
  const small = children.slice(large.length);
  const [first] = small;
  if (!first || small.length === 1) return children;
  const files = small.reduce((sum, child) => sum + child.files, 0);
  const rest: PageNode = {
    kind: "rest",
    name: formatCount(files, "smaller file"),
    size: sizeOf(small),
    files,
    layer: first.layer,
    parent: directory,
  };
  return [...large, rest].sort((a, b) => b.size - a.size);
}

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Returns the nearest box in the direction of an arrow key; undefined if there is none. */
export function neighbour<Other extends Box>(
  boxes: readonly Other[],
  box: Box,
  key: string,
): Other | undefined {
  const [dx, dy] = DIRECTIONS[key] ?? [0, 0];
  const [x, y] = middleOf(box);
  let nearest: Other | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const other of boxes) {
    const [otherX, otherY] = middleOf(other);
    const ahead = (otherX - x) * dx + (otherY - y) * dy;
    const aside = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
    const distance = ahead + aside * 2;
    if (ahead <= 0.5 || distance >= least) continue;
    least = distance;
    nearest = other;
  }
  return nearest;
}

function middleOf({ x, y, w, h }: Box): readonly [x: number, y: number] {
  return [x + w / 2, y + h / 2];
}
