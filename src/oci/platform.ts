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

/** Returns Lambda's name for a platform, or undefined if Lambda cannot run it. */
export function architectureOf(platform: Platform): Architecture | undefined {
  if (platform.os !== "linux") return undefined;
  if (platform.architecture === "amd64") return "x86_64";
  return platform.architecture === "arm64" ? "arm64" : undefined;
}

/** Formats a platform: `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** Other names of architectures, as containerd normalizes them (platforms/database.go). */
const ARCHITECTURE_NAMES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["aarch64", "arm64"],
]);

/** The variants that mean the plain architecture: `linux/amd64/v1` is `linux/amd64`. */
const PLAIN_VARIANTS: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm64", "v8"],
]);

/** Returns whether an image for `have` is one for `want`. */
export function satisfies(have: Platform, want: Platform): boolean {
  const [one, other] = [normalized(have), normalized(want)];
  return one.os === other.os && one.architecture === other.architecture && one.variant === other.variant;
}

function normalized({ os, architecture, variant = "" }: Platform): Required<Platform> {
  const name = ARCHITECTURE_NAMES.get(architecture) ?? architecture;
  const isPlain = variant === PLAIN_VARIANTS.get(name) || (name === "arm64" && variant === "8");
  return { os, architecture: name, variant: isPlain ? "" : variant };
}
