import type { EntryKind } from "../../tar/read-header.ts";

/** An entry of the image's file system, from the highest layer that has it. */
export interface ViewEntry {
  /** Without a slash at either end. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** The target of a link, as it is written in the tar. */
  readonly link: string;
  /** Index of the layer that it is in; 0 is the lowest. */
  readonly layer: number;
}

/** An entry of a layer that is not visible. */
export interface HiddenEntry extends ViewEntry {
  /** The layer that hides it. */
  readonly by: number;
}
