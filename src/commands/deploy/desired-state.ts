import type { DesiredFunction } from "../../aws/functions/deploy-context.ts";
import type { FunctionSettings } from "../../aws/functions/function-facts.ts";
import { misuse } from "../../errors.ts";
import type { Architecture } from "../../oci/platform.ts";
import type { Found } from "./deploy-places.ts";
import type { DeployValues, FunctionOptions } from "./options.ts";

/** Checks what can be known without a request. @throws USAGE */
export function checkDeployOptions({ alias, weight, role, offline }: DeployValues): void {
  if (offline) throw misuse("a deploy needs AWS, and --offline forbids requests", "leave out --offline");
  if (weight !== undefined && !(weight > 0 && weight < 1))
    throw misuse(
      "the weight should be between 0 and 1, without them",
      "0.1 gives the new version a tenth of the calls",
    );
  if (weight !== undefined && alias === undefined)
    throw misuse("a weight needs an alias, and no alias is given");
  if (alias !== undefined && !/^(?!\d+$)[A-Za-z0-9_-]{1,128}$/.test(alias))
    throw misuse(`${JSON.stringify(alias.slice(0, 130))} is not the name of an alias`);
  if (role !== undefined && !/^arn:[a-z-]+:iam::\d{12}:role\/.+$/.test(role))
    throw misuse(
      `${JSON.stringify(role.slice(0, 100))} is not the ARN of a role`,
      "arn:aws:iam::<account>:role/<name>",
    );
}

/**
 * Returns the architecture to build or to select from an index: the given one, else that of the
 * functions.
 * @throws USAGE if the functions differ
 */
export function architectureFor(
  { arch: architecture }: DeployValues,
  found: readonly Found[],
): Architecture | undefined {
  if (architecture) return architecture;
  const theirs = new Set(found.flatMap(({ facts }) => facts?.architecture ?? []));
  if (theirs.size < 2) return [...theirs][0];
  throw misuse("the functions have different architectures", "give --arch, or deploy them apart");
}

export function desiredState(
  values: DeployValues,
  image: Pick<DesiredFunction, "imageUri" | "digest" | "architecture">,
): DesiredFunction {
  const { publish, alias, weight, warm, recreate, resourceTag: resourceTags } = values;
  return {
    ...image,
    settings: settingsOf(values),
    ...{ resourceTags, publish, warm, recreate },
    ...(alias !== undefined && { alias: { name: alias, ...(weight !== undefined && { weight }) } }),
  };
}

type FunctionValues = Partial<Pick<DeployValues, keyof FunctionOptions>>;

/** Returns the settings that the deploy changes. */
export function settingsOf(values: FunctionValues): Partial<FunctionSettings> {
  const { role, memory, timeout, ephemeralStorage, env, entrypoint, cmd, workdir } = values;
  return {
    ...(role !== undefined && { role }),
    ...(memory !== undefined && { memory }),
    ...(timeout !== undefined && { timeout }),
    ...(ephemeralStorage !== undefined && { ephemeralStorage }),
    ...(env && Object.keys(env).length > 0 && { env }),
    ...(entrypoint && { entrypoint: isDefault(entrypoint) ? null : entrypoint }),
    ...(cmd && { cmd: isDefault(cmd) ? null : cmd }),
    ...(workdir !== undefined && { workdir: workdir === "default" ? null : workdir }),
  };
}

/** Returns whether a deploy removes an override: `--cmd default`. */
function isDefault([word, ...more]: readonly string[]): boolean {
  return word === "default" && more.length === 0;
}
