import { handlerPlaces } from "../../lambda/handler/handler.ts";
import { taskRootOf } from "../../lambda/task-root.ts";
import type { ImageConfig } from "../../oci/image.ts";

/** Limits the work: a real command has fewer words, and a PATH fewer directories. */
const MOST_WORDS = 64;
/** In bytes (limits.h). */
const PATH_MAX = 4096;

/**
 * Returns the paths of the files that show how the function starts: the entry point, other words of
 * the command that may be files, and where the handler may be.
 */
export function pathsToRead({ config = {} }: ImageConfig): readonly string[] {
  const root = clean(taskRootOf(config));
  const { Entrypoint: entry = [], Cmd: cmd = [], Env: env = [] } = config;
  const words = [...entry, ...cmd.slice(-MOST_WORDS)]
    .slice(0, 2 * MOST_WORDS)
    .filter((word) => word.length <= PATH_MAX && !/\s/.test(word) && !word.startsWith("-"));
  const started = words.flatMap((word) => placesOf(word, root, env));
  const handler = cmd.at(-1);
  const sources =
    handler === undefined || handler.length > PATH_MAX
      ? []
      : handlerPlaces(handler).map((place) => join(root, place));
  return [...new Set(["var/runtime/bootstrap", ...started, ...sources])].filter((path) => path !== "");
}

function placesOf(word: string, root: string, env: readonly string[]): readonly string[] {
  if (word.startsWith("/")) return [clean(word)];
  if (word.includes("/")) return [join(root, clean(word))];
  const path =
    env.find((line) => line.startsWith("PATH="))?.slice("PATH=".length) ?? "/usr/local/bin:/usr/bin:/bin";
  const directories = path.split(":").slice(0, MOST_WORDS);
  return [join(root, word), ...directories.map((directory) => join(clean(directory), word))];
}

function clean(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function join(directory: string, path: string): string {
  return directory === "" ? path : `${directory}/${path}`;
}
