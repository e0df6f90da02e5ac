import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { openLayout } from "../../../src/layout/directory.ts";
import { bytesOf } from "../images/random-content.ts";
import { contentOfBytes, imageOf, type TestImage } from "../registry/repository.ts";

/** An image whose layers have these sizes; what is in them follows from `seed`, and does not compress. */
export function seededImage(seed: string, ...sizes: readonly number[]): TestImage {
  return imageOf(...sizes.map((size, index) => contentOfBytes(bytesOf(`${seed} ${index}`, size))));
}

/** Leaves the image in a new OCI layout in `directory`, tagged `v1`; its path. */
export async function layOut(directory: string, { manifest, config, layers }: TestImage): Promise<string> {
  const path = mkdtempSync(join(directory, "layout-"));
  const layout = openLayout(path);
  for (const blob of [config, ...layers]) await layout.put(blob);
  await layout.publish(manifest, ["v1"]);
  await layout.close();
  return path;
}

/** Of these bytes, by nothing of the product. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
