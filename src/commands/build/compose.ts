import type { Base } from "../../base/base.ts";
import { snapstartLabel } from "../../lambda/snapstart.ts";
import { type AddedLayer, compose } from "../../oci/compose.ts";
import type { Image } from "../../oci/image.ts";
import type { Family } from "../../oci/media-types.ts";

/** What the config of the image says, beside its CMD. */
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

/** The base with layers on top and the settings of the plan. `cmd` undefined: the base's. */
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
 * image-spec annotations.md, as labels: a Docker manifest has no annotations. They do not depend on
 * where the base was pulled from. A base without a name, from a layout, keeps the two labels that
 * it has: its digest beside the name of another image would be wrong.
 */
function baseLabels({ name, digest, image }: Base): Readonly<Record<string, string>> {
  const hasName = image.settings.config?.Labels?.["org.opencontainers.image.base.name"] !== undefined;
  if (name === undefined && hasName) return {};
  return {
    ...(name !== undefined && { "org.opencontainers.image.base.name": name }),
    ...(digest && { "org.opencontainers.image.base.digest": digest }),
  };
}
