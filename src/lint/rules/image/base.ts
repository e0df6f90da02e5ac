import { baseWarnings, SNAPSTART_LABEL, supportsSnapstart } from "../../../lambda/bases.ts";
import { startsAsAws } from "../../facts.ts";
import type { Rule } from "../../rule.ts";

export const baseSupport: Rule = {
  id: "base-support",
  severity: "warning",
  expects: "AWS still patches the base",
  otherwise: "nothing, but the function gets no more security patches",
  check: ({ base, today }) => (base ? baseWarnings(base, today) : []),
};

/** Only a new build adds the patches of a base to an image. */
export const baseBehind: Rule = {
  id: "base-behind",
  severity: "warning",
  expects: "the tag of the base still names the image that was used",
  otherwise: "nothing, but the function lacks the patches that the base got since",
  check({ baseNow }) {
    if (!baseNow) return [];
    const { name, built, now } = baseNow;
    if (now.some((digest) => digest === built)) return [];
    return {
      message: `the image was built on ${name} when that was ${short(built)}; now it is ${now.map(short).join(" in ")}`,
      hint: "build again; if lambda-pack.lock pins the base, with --update-base",
    };
  },
};

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

export const snapstart: Rule = {
  id: "snapstart",
  severity: "error",
  expects: `with SnapStart, an image has, unless its base supports it, the label ${SNAPSTART_LABEL}=Allow`,
  otherwise: "the version is not published",
  check(facts) {
    const { settings, base } = facts;
    const label = settings.config?.Labels?.[SNAPSTART_LABEL];
    if (label !== undefined && label !== "Allow") {
      return {
        message: `the label ${SNAPSTART_LABEL} is ${JSON.stringify(label)}`,
        hint: "set it to Allow: lambda-pack build --snapstart",
      };
    }
    if (!facts.snapstart || label === "Allow" || (startsAsAws(facts) && supportsSnapstart(base))) return [];
    return {
      message: "SnapStart was asked for, and neither the base nor a label allows it",
      hint: "lambda-pack build --snapstart sets the label",
    };
  },
};
