import { LambdaPackError } from "../../errors.ts";
import { pathKind } from "../../session/image-location.ts";

/**
 * Refuses the name of a local file or directory: it is hardly meant as an image of Docker Hub.
 * @throws USAGE
 */
export function refusePath(source: string): void {
  const kind = pathKind(source);
  if (kind === undefined) return;
  const forms = kind === "directory" ? `oci:${source}` : `oci-archive:${source} or docker-archive:${source}`;
  throw new LambdaPackError("USAGE", `${source} is a ${kind}, not an image reference`, {
    hint: `write ${forms} if it holds an image; an image of Docker Hub is written docker.io/library/${source}`,
  });
}
