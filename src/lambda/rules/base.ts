import { baseWarnings } from "../base-warnings.ts";
import type { BaseFacts, Language } from "../bases.ts";
import { compareVersions } from "../binary/elf.ts";
import { startsAsAws } from "./facts.ts";
import type { Rule } from "./rule.ts";

export const baseSupport: Rule = {
  id: "base-support",
  severity: "warning",
  expects: "the base is one that AWS still patches",
  otherwise: "nothing: the function goes on working, without security patches",
  check: ({ base, today }) => (base ? baseWarnings(base, today) : []),
};

/** AWS, "Lambda SnapStart for container images": the bases that need no label, from these versions on. */
const SNAPSTART_BASES: ReadonlyMap<Language, string> = new Map([
  ["java", "11"],
  ["python", "3.12"],
  ["dotnet", "8"],
]);
export const SNAPSTART_LABEL = "com.amazonaws.lambda.feature.snapstart";

export const snapstart: Rule = {
  id: "snapstart",
  severity: "error",
  expects: `with SnapStart, an image whose base does not support it by itself has the label ${SNAPSTART_LABEL}=Allow`,
  otherwise: "the version is not published",
  check(facts) {
    const { settings, base } = facts;
    const label = settings.config?.Labels?.[SNAPSTART_LABEL];
    if (label !== undefined && label !== "Allow") {
      return [
        {
          message: `the label ${SNAPSTART_LABEL} is ${JSON.stringify(label)}`,
          hint: 'its one value is "Allow": lambda-pack build --snapstart',
        },
      ];
    }
    if (!facts.snapstart || label === "Allow" || supportsSnapstart(base, startsAsAws(facts))) return [];
    return [
      {
        message: "SnapStart is wanted, and neither the base nor a label allows it",
        hint: "lambda-pack build --snapstart sets the label",
      },
    ];
  },
};

/** Whether a base of AWS's has SnapStart without a label. */
export function supportsSnapstart(base: BaseFacts | undefined, aws: boolean): boolean {
  const from = base && aws ? SNAPSTART_BASES.get(base.repository) : undefined;
  const [version = ""] = /^\d+(?:\.\d+)?/.exec(base?.tag ?? "") ?? [];
  return from !== undefined && compareVersions(version, from) >= 0;
}
