import type { EntryKind } from "../../tar/read-header.ts";

/** Something in the image's file system, as its topmost layer has it. */
export interface ViewEntry {
  /** Without a slash at either end. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** What a link points to, as it is written there. */
  readonly link: string;
  /** Index of the layer that it is in; 0 is the lowest. */
  readonly layer: number;
}

/** A path, and its number in the view. */
export interface NumberedPath {
  readonly id: number;
  readonly path: string;
}

/** Something that is in a layer and that cannot be seen. */
export interface HiddenEntry extends ViewEntry {
  /** The layer that hides it. */
  readonly by: number;
}
