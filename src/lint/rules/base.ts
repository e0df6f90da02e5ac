import { baseWarnings } from "../../lambda/base-warnings.ts";
import { SNAPSTART_LABEL, supportsSnapstart } from "../../lambda/snapstart.ts";
import { startsAsAws } from "../facts.ts";
import type { Rule } from "../rule.ts";

export const baseSupport: Rule = {
  id: "base-support",
  severity: "warning",
  expects: "the base is one that AWS still patches",
  otherwise: "nothing: the function goes on working, without security patches",
  check: ({ base, today }) => (base ? baseWarnings(base, today) : []),
};

/** Rebuilding is all that brings the patches of a base into an image. */
export const baseBehind: Rule = {
  id: "base-behind",
  severity: "warning",
  expects: "the base is what its tag still names",
  otherwise: "nothing: the function goes on without the patches that the base got since",
  check({ baseNow }) {
    if (!baseNow) return [];
    const { name, built, now } = baseNow;
    if (now.some((digest) => digest === built)) return [];
    return [
      {
        message: `built on ${name} as it was (${short(built)}); it is another one now (${now.map(short).join(", in ")})`,
        hint: "build again; where lambda-pack.lock holds the base, with --update-base",
      },
    ];
  },
};

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

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
    if (!facts.snapstart || label === "Allow" || (startsAsAws(facts) && supportsSnapstart(base))) return [];
    return [
      {
        message: "SnapStart is wanted, and neither the base nor a label allows it",
        hint: "lambda-pack build --snapstart sets the label",
      },
    ];
  },
};
