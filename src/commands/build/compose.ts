import type { Base } from "../../base/base.ts";
import { snapstartLabel } from "../../lambda/bases.ts";
import { type AddedLayer, compose } from "../../oci/compose.ts";
import type { Image } from "../../oci/image.ts";
import type { Family } from "../../oci/media-types.ts";

/** The image config, except CMD. */
export interface ImagePlan {
  /** undefined: the base's. */
  readonly family: Family | undefined;
  /** The time of everything that the build adds. */
  readonly created: Date;
  /** undefined: the base's. */
  readonly entrypoint: readonly string[] | undefined;
  /** undefined: the base's. */
  readonly workingDir: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly snapstart: boolean;
}

/** Adds layers and the plan's settings to the base. `cmd` undefined: the base's. */
export function composeImage(
  plan: ImagePlan,
  base: Base,
  cmd: readonly string[] | undefined,
  layers: readonly AddedLayer[],
): Image {
  const labels = { ...baseLabels(base), ...snapstartLabel(plan, base.facts), ...plan.labels };
  return compose(base.image, { ...plan, cmd, labels, layers });
}

/**
 * Returns the annotations of the OCI image-spec (annotations.md) as labels, because a Docker
 * manifest has no annotations. They do not depend on where the base was pulled from. A base without
 * a name, such as a layout, keeps its labels: its digest next to another image's name would be
 * wrong.
 */
function baseLabels({ name, digest, image }: Base): Readonly<Record<string, string>> {
  const hasName = image.settings.config?.Labels?.["org.opencontainers.image.base.name"] !== undefined;
  if (name === undefined && hasName) return {};
  return {
    ...(name !== undefined && { "org.opencontainers.image.base.name": name }),
    ...(digest && { "org.opencontainers.image.base.digest": digest }),
  };
}
