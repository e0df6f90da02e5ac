import { homedir } from "node:os";
import { type CacheOptions, PRUNE_CACHE_OPTIONS, type PruneCacheOptions } from "../../commands/cache.ts";
import { required } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
import { quote } from "../arguments/flags.ts";
import { type Answer, defineCommand } from "../command.ts";
import type { Api } from "../io.ts";
import { formatBytes, plural } from "../text/format.ts";

const TASKS: Readonly<Record<string, (api: Api, options: PruneCacheOptions) => Promise<Answer>>> = {
  info: async (api, options: CacheOptions) => {
    const info = await api.cacheInfo(options);
    const { directory, blobs, bytes, layers, references } = info;
    const records = `${plural(layers, "layer")} and ${plural(references, "base image")} recorded`;
    return answer(info, `${home(directory)}  ${plural(blobs, "blob")}  ${formatBytes(bytes)}\n${records}\n`);
  },
  prune: async (api, options) => {
    const report = await api.pruneCache(options);
    const { removed, freedBytes, blobs, bytes } = report;
    const left = `${plural(blobs, "blob")} left, ${formatBytes(bytes)}`;
    return answer(report, `${plural(removed, "blob")} removed, ${formatBytes(freedBytes)}; ${left}\n`);
  },
  verify: async (api, options: CacheOptions) => {
    const report = await api.verifyCache(options);
    const { blobs, bytes, removed } = report;
    const damaged = removed.map((path) => `damaged, removed: ${path}\n`).join("");
    return answer(report, `${damaged}${plural(blobs, "blob")} verified, ${formatBytes(bytes)}\n`);
  },
};

const PRUNE_WORDS = ["clear", "clean", "rm", "purge", "gc"];

export const cache = defineCommand({
  positionals: [{ option: "task", name: "info|prune|verify", required: true, repeatable: false }],
  options: { task: required(text, "what to do with the cache"), ...PRUNE_CACHE_OPTIONS },
  examples: [
    { line: "lambda-pack cache info", purpose: "show location and size" },
    { line: "lambda-pack cache prune --keep 2GB", purpose: "remove the least recently used data" },
  ],
  async run({ task: name = "", ...options }, { load, context: { environment } }) {
    const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
    if (!task)
      throw misuse(
        `unknown cache command ${quote(name)}`,
        PRUNE_WORDS.includes(name) ? "did you mean lambda-pack cache prune?" : "write info, prune or verify",
      );
    if (options.keep !== undefined && name !== "prune")
      throw misuse(`cache ${name} has no flag --keep`, "--keep is for cache prune");
    return task(await load(), { ...options, environment });
  },
});

function answer(json: unknown, text: string): Answer {
  return { text: () => text, json };
}

/** Shortens the home directory: `~/.cache/lambda-pack`. */
function home(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
