export type Ecosystem = "nodejs" | "python" | "ruby";

interface WayFacts {
  readonly ecosystem: Ecosystem;
  /** The files to install from, in order of precedence. */
  readonly files: readonly RegExp[];
}

const NPM_LOCKS = [/^npm-shrinkwrap\.json$/, /^package-lock\.json$/];
const REQUIREMENTS = /^requirements\.txt$/;
const UV_LOCK = /^uv\.lock$/;

/** The ways to install dependencies, by the value of `--install=HOW`. */
export const WAYS = {
  "npm-lock": { ecosystem: "nodejs", files: NPM_LOCKS },
  npm: { ecosystem: "nodejs", files: NPM_LOCKS },
  pnpm: { ecosystem: "nodejs", files: [/^pnpm-lock\.yaml$/] },
  yarn: { ecosystem: "nodejs", files: [/^yarn\.lock$/] },
  bun: { ecosystem: "nodejs", files: [/^bun\.lock$/, /^bun\.lockb$/] },
  "uv-lock": { ecosystem: "python", files: [UV_LOCK] },
  // A tool's own file wins over the general one (PEP 751).
  pylock: { ecosystem: "python", files: [/^pylock\.lambda-pack\.toml$/, /^pylock\.toml$/] },
  uv: { ecosystem: "python", files: [UV_LOCK, REQUIREMENTS] },
  pip: { ecosystem: "python", files: [REQUIREMENTS] },
  poetry: { ecosystem: "python", files: [/^poetry\.lock$/] },
  pipenv: { ecosystem: "python", files: [/^Pipfile\.lock$/] },
  bundler: { ecosystem: "ruby", files: [/^Gemfile\.lock$/] },
} satisfies Readonly<Record<string, WayFacts>>;

export type InstallWay = keyof typeof WAYS;

/** `auto`: by the lock file in the directory. `none`: nothing is installed. */
export type InstallHow = InstallWay | "auto" | "none";

export const INSTALL_HOWS: readonly InstallHow[] = ["auto", ...(Object.keys(WAYS) as InstallWay[]), "none"];

/** The order in which `auto` tries them. */
export const AUTO_WAYS: readonly InstallWay[] = [
  ...(["npm-lock", "pnpm", "yarn", "bun"] as const),
  ...(["pylock", "uv-lock", "poetry", "pipenv", "pip"] as const),
  "bundler",
];

/** Names of dependencies to install in addition to the required ones. */
export interface Selection {
  /** Optional dependencies (PEP 621). */
  readonly extras: readonly string[];
  /** Dependency groups (PEP 735), or a tool's equivalent. */
  readonly groups: readonly string[];
}

/** The ways whose locks have extras or groups. */
export const SELECTABLE: Readonly<Record<keyof Selection, readonly InstallWay[]>> = {
  extras: ["uv-lock", "pylock", "uv", "poetry"],
  groups: ["uv-lock", "pylock", "uv", "poetry", "pipenv"],
};
