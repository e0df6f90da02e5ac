/** The architectures that Lambda runs, by Lambda's names. */
export type Architecture = "x86_64" | "arm64";

export const ARCHITECTURES: readonly Architecture[] = ["x86_64", "arm64"];

/** image-spec image-index.md, "platform"; the names are Go's. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export function platformOf(architecture: Architecture): Platform {
  return { os: "linux", architecture: architecture === "x86_64" ? "amd64" : "arm64" };
}

/** Lambda's name for a platform, or undefined where Lambda cannot run it. */
export function architectureOf(platform: Platform): Architecture | undefined {
  if (platform.os !== "linux") return undefined;
  if (platform.architecture === "amd64") return "x86_64";
  return platform.architecture === "arm64" ? "arm64" : undefined;
}

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** Whether an image for `have` runs where `want` is asked for. arm64 and arm64/v8 are the same. */
export function satisfies(have: Platform, want: Platform): boolean {
  return (
    have.os === want.os && have.architecture === want.architecture && variantOf(have) === variantOf(want)
  );
}

function variantOf({ architecture, variant = "" }: Platform): string {
  return architecture === "arm64" && variant === "v8" ? "" : variant;
}
