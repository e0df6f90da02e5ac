import { join } from "node:path";
import { type BuildEvent, type BuildOptions, type BuildResult, build } from "../../src/index.ts";
import type { TestRegistry } from "./registry.ts";
import { temporaryDirectory } from "./trees.ts";

export interface BuiltLayout extends BuildResult {
  readonly events: readonly BuildEvent[];
  /** The directory of the OCI layout. */
  readonly layout: string;
}

/** Builds into a new layout with a new cache, over the bases in `lambda/` of the registry. */
export async function buildToLayout(
  registry: TestRegistry,
  options: Partial<BuildOptions> & Pick<BuildOptions, "directory">,
): Promise<BuiltLayout> {
  const events: BuildEvent[] = [];
  const layout = join(temporaryDirectory(), "out");
  const result = await build({
    to: `oci:${layout}`,
    cacheDir: join(temporaryDirectory(), "cache"),
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { ...result, events, layout };
}
