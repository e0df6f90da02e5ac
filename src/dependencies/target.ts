/** The platform that packages are installed for, in npm's words. */
export interface TargetPlatform {
  readonly os: "linux";
  readonly cpu: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
}

/** `linux arm64 (glibc)`. */
export function targetName({ os, cpu, libc }: TargetPlatform): string {
  return `${os} ${cpu} (${libc})`;
}
