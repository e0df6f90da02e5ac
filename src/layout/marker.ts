import { stat } from "node:fs/promises";
import { join } from "node:path";
import { asLayout, readSmall } from "../blobs/read-document.ts";
import { LambdaPackError } from "../errors.ts";
import { field, parseJson } from "../oci/json.ts";

/** The `oci-layout` file, image-spec image-layout.md. */
export const LAYOUT_MARKER: string = JSON.stringify({ imageLayoutVersion: "1.0.0" });

/**
 * Checks the `oci-layout` file of a directory.
 * @throws IMAGE_NOT_FOUND when there is no directory, LAYOUT_INVALID when it is not a layout of
 * version 1.
 */
export async function checkMarker(directory: string): Promise<void> {
  const bytes = readSmall(join(directory, "oci-layout"));
  if (!bytes) throw await noLayout(directory);
  parseMarker(bytes, join(directory, "oci-layout"));
}

/**
 * Checks the content of an `oci-layout` file.
 * @throws LAYOUT_INVALID for another version than 1.
 */
export function parseMarker(bytes: Uint8Array, path: string): void {
  const version = asLayout(path, () => field(parseJson(bytes, "oci-layout"), "imageLayoutVersion").value);
  if (version !== "1.0.0") {
    throw new LambdaPackError(
      "LAYOUT_INVALID",
      `${path} is of version ${JSON.stringify(version)}, not 1.0.0`,
    );
  }
}

async function noLayout(directory: string): Promise<LambdaPackError> {
  const found = await stat(directory).catch(() => undefined);
  if (!found) return new LambdaPackError("IMAGE_NOT_FOUND", `there is no OCI layout at ${directory}`);
  return new LambdaPackError(
    "LAYOUT_INVALID",
    `${directory} is not an OCI layout: it has no file oci-layout`,
    {
      hint: found.isDirectory()
        ? `build an image of it first with lambda-pack build ${directory}, and name that`
        : "an archive is written oci-archive:FILE or docker-archive:FILE",
    },
  );
}
