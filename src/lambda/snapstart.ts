import type { BaseFacts, Language } from "./bases.ts";
import { compareVersions } from "./binary/elf.ts";

/**
 * The bases that need no label, from these versions on (AWS, "Lambda SnapStart for container
 * images").
 */
const BASES: ReadonlyMap<Language, string> = new Map([
  ["java", "11"],
  ["python", "3.12"],
  ["dotnet", "8"],
]);

/** All other bases need this label, with the value `Allow`. */
export const SNAPSTART_LABEL = "com.amazonaws.lambda.feature.snapstart";

/** Returns whether one of AWS's bases has SnapStart without a label. */
export function supportsSnapstart(base: BaseFacts | undefined): boolean {
  const from = base && BASES.get(base.repository);
  const [version = ""] = /^\d+(?:\.\d+)?/.exec(base?.tag ?? "") ?? [];
  return from !== undefined && compareVersions(version, from) >= 0;
}

/**
 * Returns the label that an image for SnapStart needs on this base (undefined: not one of AWS's);
 * none if SnapStart is not asked for.
 */
export function snapstartLabel(
  { snapstart = false }: { readonly snapstart?: boolean | undefined },
  base: BaseFacts | undefined,
): Readonly<Record<string, string>> {
  return snapstart && !supportsSnapstart(base) ? { [SNAPSTART_LABEL]: "Allow" } : {};
}
