import type { BaseFacts, Language } from "./bases.ts";
import { compareVersions } from "./binary/elf.ts";

/**
 * AWS, "Lambda SnapStart for container images": the bases that need no label, from these versions
 * on.
 */
const BASES: ReadonlyMap<Language, string> = new Map([
  ["java", "11"],
  ["python", "3.12"],
  ["dotnet", "8"],
]);

/** All others need it, with the value `Allow`. */
export const SNAPSTART_LABEL = "com.amazonaws.lambda.feature.snapstart";

/** Whether a base of AWS's has SnapStart without a label. */
export function supportsSnapstart(base: BaseFacts | undefined): boolean {
  const from = base && BASES.get(base.repository);
  const [version = ""] = /^\d+(?:\.\d+)?/.exec(base?.tag ?? "") ?? [];
  return from !== undefined && compareVersions(version, from) >= 0;
}

/**
 * The label that an image for SnapStart needs on this base (undefined: not one of AWS's); none
 * where SnapStart is not asked for.
 */
export function snapstartLabel(
  { snapstart = false }: { readonly snapstart?: boolean | undefined },
  base: BaseFacts | undefined,
): Readonly<Record<string, string>> {
  return snapstart && !supportsSnapstart(base) ? { [SNAPSTART_LABEL]: "Allow" } : {};
}
