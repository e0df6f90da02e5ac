import type { CommonOptions } from "../../index.ts";
import type { Flags } from "../command.ts";
import { TRANSFER_FLAGS, type TransferFlags, transferOptions } from "./common.ts";

/** What every command that only reads images understands. */
export type ReadingFlags = Omit<TransferFlags, "tag">;

const { tag: _tag, ...reading } = TRANSFER_FLAGS;

export const READING_FLAGS: Flags<ReadingFlags> = reading;

export const IMAGE_SUMMARY =
  "a registry reference, python:3.12 and its like, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE";

export function readingOptions(flags: ReadingFlags): Omit<CommonOptions, "tags"> {
  const { tags: _tags, ...options } = transferOptions({ ...flags, tag: [] });
  return options;
}
