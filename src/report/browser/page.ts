import type { TreeEntry } from "../tree.ts";
import { allFiles, growTree } from "./tree.ts";

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
export function layerName(index: number): string {
  return `${index + 1}${data.layers[index] ?? ""}`;
}
