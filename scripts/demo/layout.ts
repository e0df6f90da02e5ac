import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Checked {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Hashes every blob of a layout again, without any code of lambda-pack.
 * @throws if a blob does not have the digest in its name
 */
export function checkBlobs(layout: string): Checked {
  const directory = join(layout, "blobs/sha256");
  const names = readdirSync(directory);
  const sizes = names.map((name) => {
    const bytes = readFileSync(join(directory, name));
    if (createHash("sha256").update(bytes).digest("hex") !== name)
      throw new Error(`${name} holds other bytes`);
    return bytes.length;
  });
  return { blobs: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
