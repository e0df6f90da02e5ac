import { homedir } from "node:os";
import type { Answer, Command, Flags } from "../command.ts";
import { readFlags, value } from "../flags.ts";
import type { Api } from "../io.ts";
import { formatBytes, plural } from "../text.ts";
import { quote, wrong } from "../values.ts";
import { TRANSFER_FLAGS } from "./common.ts";

interface CacheFlags {
  readonly keep: number | undefined;
  readonly cacheDir: string | undefined;
}

const FLAGS: Flags<CacheFlags> = {
  keep: value(size, {
    placeholder: "SIZE",
    summary: "prune: leave so much, what was used last: 500MB, 2GB",
    defaultText: "0: everything goes that no running build uses",
  }),
  cacheDir: TRANSFER_FLAGS.cacheDir,
};

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function size(word: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(word) ?? [];
  if (number === "") throw wrong(`--keep is ${quote(word)}, not a size`, "for example --keep 2GB");
  return Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
}

type Job = (api: Api, options: CallOptions) => Promise<Answer>;

interface CallOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cacheDirectory?: string;
  readonly maxBytes?: number;
}

const JOBS: Readonly<Record<string, Job>> = {
  info: async (api, options) => {
    const info = await api.cacheInfo(options);
    const { directory, blobs, bytes, layers, references } = info;
    const held = `${plural(layers, "layer")} by fingerprint, ${plural(references, "base image")} by name`;
    return answer(info, `${home(directory)}  ${plural(blobs, "blob")}  ${formatBytes(bytes)}\n${held}\n`);
  },
  prune: async (api, options) => {
    const report = await api.pruneCache(options);
    const { removed, freedBytes, blobs, bytes } = report;
    const left = `${plural(blobs, "blob")} left, ${formatBytes(bytes)}`;
    return answer(report, `${plural(removed, "blob")} removed, ${formatBytes(freedBytes)}; ${left}\n`);
  },
  verify: async (api, options) => {
    const report = await api.verifyCache(options);
    const { blobs, bytes, removed } = report;
    const damaged = removed.map((path) => `damaged, removed: ${path}\n`).join("");
    return answer(report, `${damaged}${plural(blobs, "blob")} whole, ${formatBytes(bytes)}\n`);
  },
};

export const cache: Command = {
  name: "cache",
  summary: "what is kept between builds: show it, make it smaller, check every byte of it",
  positionals: [{ name: "job", summary: "info, prune or verify", required: true, repeatable: false }],
  flags: FLAGS,
  examples: [
    { line: "lambda-pack cache info", says: "where it is, and how large" },
    { line: "lambda-pack cache prune --keep 2GB", says: "what was used longest ago goes" },
  ],
  read: ({ positionals: [word = ""], ...words }, environment) => {
    const job = Object.hasOwn(JOBS, word) ? JOBS[word] : undefined;
    if (!job) throw wrong(`cache cannot ${quote(word)}`, "info, prune or verify");
    const { keep, cacheDir } = readFlags(FLAGS, { ...words, positionals: [] }, environment);
    if (keep !== undefined && word !== "prune") throw wrong("--keep is a flag of cache prune");
    return (api, context) =>
      job(api, {
        environment: context.environment,
        ...(cacheDir !== undefined && { cacheDirectory: cacheDir }),
        ...(keep !== undefined && { maxBytes: keep }),
      });
  },
};

function answer(json: unknown, text: string): Answer {
  return { text: () => text, json };
}

/** `~/.cache/lambda-pack`. */
function home(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
