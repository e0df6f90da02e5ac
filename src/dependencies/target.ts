/** The platform to install packages for, in npm's terms. */
export interface TargetPlatform {
  readonly os: "linux";
  readonly cpu: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
}

/** Formats a platform: `linux arm64 (glibc)`. */
export function targetName({ os, cpu, libc }: TargetPlatform): string {
  return `${os} ${cpu} (${libc})`;
}
