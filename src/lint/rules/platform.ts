import { architectureOf, formatPlatform, platformOf } from "../../oci/platform.ts";
import type { Rule } from "../rule.ts";

/** aws-lambda-base-images#26, #34. */
export const platform: Rule = {
  id: "platform",
  severity: "error",
  expects: "the image is for linux/amd64 or linux/arm64, and for the architecture of the function",
  otherwise:
    "Runtime.InvalidEntrypoint: fork/exec /lambda-entrypoint.sh: exec format error, at the first call",
  check({ settings, architecture, brokenConfig }) {
    if (brokenConfig || settings.os === "unknown") return [];
    const own = architectureOf(settings);
    const is = `the image is for ${formatPlatform(settings)}`;
    if (!own)
      return [{ message: is, hint: "build it for linux/amd64 or linux/arm64: lambda-pack build --arch" }];
    if (!architecture || architecture === own) return [];
    return [
      {
        message: `${is}, the function for ${architecture} (${formatPlatform(platformOf(architecture))})`,
        hint: `build it with --arch ${architecture}, or give the function the architecture ${own}`,
      },
    ];
  },
};
