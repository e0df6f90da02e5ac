/** Second part: the tree that stands in the page as JSON, with sizes, parents and paths; searching; words for people. */
export const MODEL_SCRIPT: string = String.raw`
/* Nodes as tree.ts writes them: [name, size, layer], [name, children], [count, size]. */
function grow(children) {
  const root = { kind: "folder", name: "", path: "", children: [], size: 0, files: 0, layer: 0, parent: null };
  fill(root, children);
  return root;
}

function fill(folder, nodes) {
  for (const node of nodes) {
    const child = nodeOf(folder, node);
    folder.children.push(child);
    folder.size += child.size;
    folder.files += child.files;
  }
  folder.children.sort((a, b) => b.size - a.size);
  folder.layer = folder.children.length > 0 ? folder.children[0].layer : 0;
}

function nodeOf(parent, [first, second, layer]) {
  if (typeof first === "number")
    return { kind: "rest", name: first + " smaller files", size: second, files: first, layer: 0, parent, children: [] };
  const path = parent.path + "/" + first;
  if (!Array.isArray(second)) return { kind: "file", name: first, path, size: second, files: 1, layer, parent, children: [] };
  const folder = { kind: "folder", name: first, path, children: [], size: 0, files: 0, layer: 0, parent };
  fill(folder, second);
  return folder;
}

function allFiles(folder, found = []) {
  for (const child of folder.children) {
    if (child.kind === "file") found.push(child);
    else allFiles(child, found);
  }
  return found;
}

/* Files whose path has every word, in any case; the largest first. */
function search(files, text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [];
  return files.filter((file) => {
    file.key ??= file.path.toLowerCase();
    return words.every((word) => file.key.includes(word));
  });
}

/* The ancestor of node, or node itself, that is a child of root; undefined where node is not below it. */
function stepTo(node, root) {
  let at = node;
  while (at && at.parent !== root) at = at.parent;
  return at ?? undefined;
}

/* Of the boxes {x, y, w, h} the nearest to box in a direction of the arrow keys. */
function neighbour(boxes, box, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const middle = (one) => [one.x + one.w / 2, one.y + one.h / 2];
  const [x, y] = middle(box);
  let best, nearest = Infinity;
  for (const other of boxes) {
    const [ox, oy] = middle(other);
    const ahead = (ox - x) * dx + (oy - y) * dy;
    const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    if (other === box || ahead <= 0.5) continue;
    const distance = ahead + aside * 2;
    if (distance < nearest) { nearest = distance; best = other; }
  }
  return best;
}

function bytesText(bytes) {
  let value = bytes, unit = 0;
  while (value >= 999.5 && unit < 3) { value /= 1000; unit += 1; }
  return (unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)) + " " + ["B", "kB", "MB", "GB"][unit];
}

function partText(part, whole) {
  const value = whole === 0 ? 0 : (part * 100) / whole;
  if (value > 0 && value < 0.05) return "<0.1 %";
  return (value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)) + " %";
}

function filesText(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",") + (count === 1 ? " file" : " files");
}
`;
