/** Words that name a system, in npm names, prebuilds, .NET runtime identifiers and Rust triples. */
const SYSTEMS = wordsOf(`
  aix alpine android apple bionic browser centos darwin debian fedora freebsd haiku illumos ios iossimulator linux
  linuxglibc linuxmusl mac maccatalyst macos macosx netbsd ohos ol openbsd openharmony osx rhel sles solaris sunos tizen
  tvos tvossimulator ubuntu unix wasi win win10 win32 win64 win7 win8 win81 windows
`);

/** Words that name a machine. */
const MACHINES = wordsOf(`
  aarch64 amd64 arm arm64 arm64ec armel armhf armv5 armv6 armv6l armv7 armv7a armv7l armv8 i386 i586 i686 ia32 loong64
  loongarch64 mips mips64 mips64el mipsel powerpc64le ppc ppc64 ppc64el ppc64le riscv64 riscv64gc s390 s390x universal
  universal2 wasm wasm32 wasm64 x32 x64 x86
`);

/** Words beside those: C libraries, calling conventions, OpenSSL (Prisma), word sizes. */
const BESIDE = wordsOf(`
  32 64 eabi eabihf glibc gnu gnueabi gnueabihf gnullvm gnux32 libc msvc musl musleabi musleabihf openssl pc uclibc unknown
`);

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/**
 * Removes words such as `linux-x64`, `osx.10.12-x64` and `debian-openssl-3.0.x` from a name and
 * joins the rest with `-`.
 */
export function withoutPlatform(name: string): string {
  const kept: string[] = [];
  let isVersion = false; // of the system or library just named: osx.10.12, openssl-1.1.x
  for (const word of splitWords(name)) {
    isVersion = isPlatformWord(word) || (isVersion && /^(?:\d+|x)$/.test(word));
    if (!isVersion) kept.push(word);
  }
  return kept.join("-");
}

/**
 * Returns `@img/sharp` for `@img/sharp-darwin-arm64`, `@esbuild/` for `@esbuild/linux-x64`;
 * undefined for a name that does not end with a platform.
 */
export function beforePlatform(npmName: string): string | undefined {
  const slash = npmName.indexOf("/") + 1;
  const words = splitWords(npmName.slice(slash));
  const last = words.findLastIndex((word) => !isPlatformWord(word));
  const platform = words.slice(last + 1);
  if (!platform.some((word) => SYSTEMS.has(word) || MACHINES.has(word))) return undefined;
  const name = words.slice(0, last + 1).join("-");
  return name === "" && slash === 0 ? undefined : npmName.slice(0, slash) + name;
}

function isPlatformWord(word: string): boolean {
  return SYSTEMS.has(word) || MACHINES.has(word) || BESIDE.has(word);
}

function splitWords(name: string): readonly string[] {
  return name
    .toLowerCase()
    .replace(/x86[-_]64/g, "amd64")
    .split(/[-_.+]+/)
    .filter((word) => word !== "");
}
