import { statSync } from "node:fs";
import { LambdaPackError } from "../../errors.ts";
import { isLocal } from "../../session/image-location.ts";

/** What is on this disk under that very name was hardly meant to be fetched from Docker Hub. @throws USAGE */
export function refusePath(source: string): void {
  const found = isLocal(source) ? undefined : statSync(source, { throwIfNoEntry: false });
  if (!found) return;
  const [what, forms] = found.isDirectory()
    ? ["directory", `oci:${source}`]
    : ["file", `oci-archive:${source} or docker-archive:${source}`];
  throw new LambdaPackError("USAGE", `${source} is a ${what}, and no image is named like that`, {
    hint: `write ${forms} where it holds an image; one of Docker Hub is written in full, docker.io/library/${source}`,
  });
}
