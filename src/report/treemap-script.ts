/**
 * The page's own script, first part: how rectangles are cut. Text, because it runs in the browser; the tests run this very text.
 * Squarified treemaps: Bruls, Huizing, van Wijk, 2000.
 */
export const TREEMAP_SCRIPT: string = `
/* items: [{size}], largest first, none 0. Returns [{item, x, y, w, h}], which fill the area without a gap. */
function squarify(items, x, y, w, h) {
  const cells = [];
  let left = items.reduce((sum, item) => sum + item.size, 0);
  let at = 0;
  while (at < items.length && w > 0 && h > 0) {
    const side = Math.min(w, h);
    const scale = (w * h) / left;
    let row = 0, count = 0, best = Infinity;
    while (at + count < items.length) {
      const area = (row + items[at + count].size) * scale;
      const worst = Math.max(
        (side * side * items[at].size * scale) / (area * area),
        (area * area) / (side * side * items[at + count].size * scale),
      );
      if (worst > best) break;
      best = worst;
      row += items[at + count].size;
      count += 1;
    }
    const deep = at + count === items.length ? Math.max(w, h) : (row * scale) / side;
    let along = 0;
    for (const item of items.slice(at, at + count)) {
      const long = (item.size / row) * side;
      cells.push(w >= h
        ? { item, x, y: y + along, w: deep, h: long }
        : { item, x: x + along, y, w: long, h: deep });
      along += long;
    }
    if (w >= h) { x += deep; w -= deep; } else { y += deep; h -= deep; }
    left -= row;
    at += count;
  }
  return cells;
}

/* The children that are worth a cell of their own, and one item for all that are smaller than least pixels. */
function visibleChildren(folder, area, least) {
  const limit = (least * folder.size) / area;
  const large = folder.children.filter((child) => child.size > 0 && child.size >= limit);
  const small = folder.children.slice(large.length).filter((child) => child.size > 0);
  if (small.length === 0) return large;
  if (small.length === 1) return [...large, small[0]];
  const size = small.reduce((sum, child) => sum + child.size, 0);
  const files = small.reduce((sum, child) => sum + child.files, 0);
  const rest = { kind: "rest", name: files + " smaller files", size, files, layer: small[0].layer, parent: folder, children: [] };
  return [...large, rest].sort((a, b) => b.size - a.size);
}
`;
