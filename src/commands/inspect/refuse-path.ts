import { statSync } from "node:fs";
import { LambdaPackError } from "../../errors.ts";
import { isLocal } from "../../session/image-location.ts";

/** A name of a file or directory here is hardly meant as an image of Docker Hub. @throws USAGE */
export function refusePath(source: string): void {
  const found = isLocal(source) ? undefined : statSync(source, { throwIfNoEntry: false });
  if (!found) return;
  const [what, forms] = found.isDirectory()
    ? ["directory", `oci:${source}`]
    : ["file", `oci-archive:${source} or docker-archive:${source}`];
  throw new LambdaPackError("USAGE", `${source} is a ${what}, not an image reference`, {
    hint: `write ${forms} if it holds an image; an image of Docker Hub is written docker.io/library/${source}`,
  });
}
