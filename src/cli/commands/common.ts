import type { Architecture, BuildOptions, CommonOptions } from "../../index.ts";
import type { Flag, Flags } from "../command.ts";
import { list, toggle, value } from "../flags.ts";
import { choice, text, whole } from "../values.ts";

export type Progress = "auto" | "tty" | "plain" | "json" | "none";

/** What every command understands. */
export interface OutputFlags {
  readonly progress: Progress | undefined;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly metadataFile: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

const PROGRESS = choice<Progress>({ auto: "auto", tty: "tty", plain: "plain", json: "json", none: "none" });

export const OUTPUT_FLAGS: Flags<OutputFlags> = {
  progress: value(PROGRESS, {
    placeholder: "auto|tty|plain|json|none",
    summary: "how progress is shown on stderr; json is one event per line",
    variable: "LAMBDA_PACK_PROGRESS",
    defaultText: "auto: tty on a terminal, else plain",
  }),
  quiet: toggle("only errors on stderr"),
  verbose: toggle("requests, retries and stack traces on stderr"),
  json: toggle("one JSON object on stdout, instead of the reference"),
  metadataFile: value(text, { placeholder: "F", summary: "write the JSON object to this file" }),
  help: toggle("show help", "h"),
  version: toggle("show the version"),
};

/** What every command that moves blobs understands. */
export interface TransferFlags {
  readonly tag: readonly string[];
  readonly jobs: number | undefined;
  readonly cacheDir: string | undefined;
  readonly noCache: boolean;
  readonly offline: boolean;
  readonly insecureRegistry: readonly string[];
}

export const TRANSFER_FLAGS: Flags<TransferFlags> = {
  tag: list(text, { placeholder: "TAG", summary: "one more tag for every destination" }),
  jobs: value(whole(1, 64), {
    placeholder: "N",
    summary: "blobs in flight at once, 1 to 64",
    variable: "LAMBDA_PACK_JOBS",
    defaultText: "6",
  }),
  cacheDir: value(text, {
    placeholder: "D",
    summary: "where blobs are kept between runs",
    variable: "LAMBDA_PACK_CACHE_DIR",
    defaultText: "lambda-pack in the user's folder for caches",
  }),
  noCache: toggle("read nothing from the cache, leave nothing in it"),
  offline: toggle("send no request; what is not in the cache is an error"),
  insecureRegistry: list(text, {
    placeholder: "HOST[:PORT]",
    summary: "speak http to this host; loopback hosts need no leave",
  }),
};

/** Lambda's own names first, then what uname, Go, Node and docker call the same. */
const NAMES: Readonly<Record<string, Architecture>> = {
  x86_64: "x86_64",
  arm64: "arm64",
  amd64: "x86_64",
  x64: "x86_64",
  aarch64: "arm64",
  "linux/amd64": "x86_64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
};

export const ARCHITECTURE_FLAG: Flag<Architecture | undefined> = value(choice(NAMES, ["x86_64", "arm64"]), {
  placeholder: "x86_64|arm64",
  summary: "the architecture of the image; amd64 and aarch64 are understood too",
  defaultText: "the base's where it has only one, else x86_64",
});

export function transferOptions(flags: TransferFlags): CommonOptions {
  return {
    tags: flags.tag,
    cache: !flags.noCache,
    offline: flags.offline,
    insecureRegistries: flags.insecureRegistry,
    ...(flags.jobs !== undefined && { jobs: flags.jobs }),
    ...(flags.cacheDir !== undefined && { cacheDirectory: flags.cacheDir }),
  };
}

/** What every command that holds something to the rules understands. */
export interface RuleFlags {
  readonly allow: readonly string[];
  readonly allowSecret: readonly string[];
  readonly deep: boolean;
  readonly snapstart: boolean;
}

export const RULE_FLAGS: Flags<RuleFlags> = {
  allow: list(text, {
    placeholder: "RULE",
    summary: "a rule that may be broken; docs/check.md has them all",
  }),
  allowSecret: list(text, {
    placeholder: "PATH",
    summary: "a file of the folder that looks like a secret and belongs in the image",
  }),
  deep: toggle("have the rules look at the base's files too, which are read for that"),
  snapstart: toggle("the function uses SnapStart: set the label where the base needs it"),
};

export function ruleOptions({ allow, allowSecret, deep, snapstart }: RuleFlags) {
  return {
    ...(allow.length > 0 && { allow }),
    ...(allowSecret.length > 0 && { allowSecrets: allowSecret }),
    ...(deep && { deep }),
    ...(snapstart && { snapstart }),
  };
}

export type Install = Exclude<NonNullable<BuildOptions["install"]>, boolean>;

/** The words of `--install`, each for itself. */
export const INSTALL_FLAG = value(
  choice<Install>({
    auto: "auto",
    "npm-lock": "npm-lock",
    npm: "npm",
    pnpm: "pnpm",
    yarn: "yarn",
    bun: "bun",
    "uv-lock": "uv-lock",
    pylock: "pylock",
    uv: "uv",
    pip: "pip",
    poetry: "poetry",
    pipenv: "pipenv",
    bundler: "bundler",
    none: "none",
  }),
  {
    placeholder: "HOW",
    alone: "auto",
    summary:
      "install what the lock file names, for the image's platform: npm-lock, npm, pnpm, yarn, bun, uv-lock, pylock, uv, pip, poetry, pipenv, bundler or none (docs/dependencies.md)",
    defaultText: "none; alone: by the lock file that is there",
  },
);
