import { LambdaPackError } from "../errors.ts";
import { isTag } from "../oci/reference.ts";
import { type Endpoint, parseEndpoint, tagOf } from "./image-location.ts";

/** A destination and the tags it shall have. */
export interface Target {
  readonly endpoint: Endpoint;
  readonly tags: readonly string[];
}

/** @throws USAGE for no destination, a digest as destination or a tag that is none; REFERENCE_INVALID. */
export function parseTargets(to: string | readonly string[], tags: readonly string[]): readonly Target[] {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new LambdaPackError("USAGE", `${JSON.stringify(wrong)} is not a tag`);
  const targets = [to].flat().map((text) => parseTarget(text, tags));
  if (targets.length === 0) throw new LambdaPackError("USAGE", "no destination is given");
  return targets;
}

function parseTarget(text: string, more: readonly string[]): Target {
  const endpoint = parseEndpoint(text);
  const digest =
    endpoint.kind === "registry"
      ? endpoint.reference.digest
      : endpoint.kind === "oci"
        ? endpoint.digest
        : undefined;
  if (digest) {
    throw new LambdaPackError("USAGE", `${text} is a digest, and a digest follows from the content`, {
      hint: "name the destination by a tag, or by none",
    });
  }
  const tags = new Set([...[tagOf(endpoint) ?? []].flat(), ...more]);
  return { endpoint, tags: tags.size === 0 ? ["latest"] : [...tags] };
}
