import { type Extract, extract, type Header } from "tar-stream";

/** What a tar says of one of its entries. */
export type ArchiveHeader = Header;

/** A reader for tars of other programs' making: bytes are written to it, and it gives entries, each with its content. */
export type ArchiveReader = Extract;

/** Holds at most one header of 4 MiB and what is written and not yet read. */
export function createArchiveReader(): ArchiveReader {
  return extract();
}
