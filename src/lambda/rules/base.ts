import { baseWarnings } from "../base-warnings.ts";
import { SNAPSTART_LABEL, supportsSnapstart } from "../snapstart.ts";
import { startsAsAws } from "./facts.ts";
import type { Rule } from "./rule.ts";

export const baseSupport: Rule = {
  id: "base-support",
  severity: "warning",
  expects: "the base is one that AWS still patches",
  otherwise: "nothing: the function goes on working, without security patches",
  check: ({ base, today }) => (base ? baseWarnings(base, today) : []),
};

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
