import type { PythonTarget } from "./target.ts";

/** The compatibility tags in the name of a wheel (PEP 427). */
interface WheelTags {
  readonly pythons: readonly string[];
  readonly abis: readonly string[];
  readonly platforms: readonly string[];
}

function tagsOf(file: string): WheelTags | undefined {
  const parts = /\.whl$/i.test(file) ? file.slice(0, -4).split("-") : [];
  if (parts.length !== 5 && parts.length !== 6) return undefined;
  const [pythons = "", abis = "", platforms = ""] = parts.slice(-3).map((part) => part.toLowerCase());
  return { pythons: pythons.split("."), abis: abis.split("."), platforms: platforms.split(".") };
}

/** Older names of these platforms (PEP 600). */
const OLD_NAMES: Readonly<Record<number, string>> = {
  17: "manylinux2014",
  12: "manylinux2010",
  5: "manylinux1",
};

/**
 * Returns the platform tags that the target supports, the best first: from the newest libc to the
 * oldest, then any Linux.
 */
export function platformTags({ machine, libc }: PythonTarget): readonly string[] {
  const tags: string[] = [];
  // manylinux for aarch64 starts with manylinux2014 (PEP 599).
  const oldest = libc.kind === "musl" ? 1 : machine === "aarch64" ? 17 : 5;
  for (let minor = libc.minor; minor >= oldest; minor--) {
    tags.push(libc.kind === "musl" ? `musllinux_1_${minor}_${machine}` : `manylinux_2_${minor}_${machine}`);
    const old = libc.kind === "glibc" ? OLD_NAMES[minor] : undefined;
    if (old !== undefined) tags.push(`${old}_${machine}`);
  }
  return [...tags, `linux_${machine}`];
}

/**
 * Returns the pairs of Python and ABI tags that the target supports, in pip's order of preference
 * (packaging, `tags.py`).
 */
function interpreterTags({ minor }: PythonTarget): readonly string[] {
  const down = Array.from({ length: minor - 1 }, (_, index) => minor - 1 - index);
  return [
    `cp3${minor}-cp3${minor}`,
    `cp3${minor}-abi3`,
    `cp3${minor}-none`,
    ...down.map((older) => `cp3${older}-abi3`),
    `py3${minor}-none`,
    "py3-none",
    ...down.map((older) => `py3${older}-none`),
  ];
}

/** Returns the rank of a wheel, 0 is the best; undefined if it does not fit. */
function rankOf(file: string, target: PythonTarget): number | undefined {
  const tags = tagsOf(file);
  if (!tags) return undefined;
  const platforms = platformTags(target);
  const interpreters = interpreterTags(target);
  const pairs = tags.pythons.flatMap((python) => tags.abis.map((abi) => `${python}-${abi}`));
  const interpreter = Math.min(...pairs.flatMap((pair) => found(interpreters, pair)));
  const platform = Math.min(
    ...tags.platforms.flatMap((name) => (name === "any" ? platforms.length : found(platforms, name))),
  );
  const rank = interpreter * (platforms.length + 1) + platform;
  return Number.isFinite(rank) ? rank : undefined;
}

function found(list: readonly string[], item: string): readonly number[] {
  const index = list.indexOf(item);
  return index < 0 ? [] : [index];
}

/** Returns the wheel that fits the target best, as pip would choose it. */
export function bestWheel<T extends { readonly file: string }>(
  wheels: readonly T[],
  target: PythonTarget,
): T | undefined {
  const ranked = wheels.flatMap((wheel) => {
    const rank = rankOf(wheel.file, target);
    return rank === undefined ? [] : [{ wheel, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank || (a.wheel.file < b.wheel.file ? -1 : 1))[0]?.wheel;
}

/** Describes the targets of the existing wheels for a message: `cp312 manylinux_2_28_x86_64`. */
export function describeWheels(files: readonly string[], { minor }: PythonTarget): readonly string[] {
  const all = files.flatMap((file) => {
    const tags = tagsOf(file);
    return tags ? [{ tags, text: `${tags.pythons.join(".")} ${tags.platforms.join(".")}` }] : [];
  });
  const own = all.filter(({ tags }) =>
    tags.pythons.some((python) => [`cp3${minor}`, "py3"].includes(python)),
  );
  return [...new Set((own.length > 0 ? own : all).map(({ text }) => text))].sort();
}
