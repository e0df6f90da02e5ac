import { handlerPlaces } from "../../lambda/handler/handler.ts";
import type { ImageConfig } from "../../oci/image.ts";
import { PATH_MAX, programPlaces, taskRoot } from "../facts.ts";

/** Limits the work: a real command has fewer words. */
const MAX_WORDS = 64;

/**
 * Returns the paths of the files that show how the function starts: the entry point, other words of
 * the command that may be files, and where the handler may be.
 */
export function pathsToRead(settings: ImageConfig): readonly string[] {
  const { Entrypoint: entry = [], Cmd: cmd = [] } = settings.config ?? {};
  const root = taskRoot({ settings });
  const words = [...entry, ...cmd.slice(-MAX_WORDS)]
    .slice(0, 2 * MAX_WORDS)
    .filter((word) => word.length <= PATH_MAX && !/\s/.test(word) && !word.startsWith("-"));
  const started = words.flatMap((word) => [...programPlaces(word, { settings }), `/${root}/${word}`]);
  const handlers = cmd.slice(-1).filter((word) => word.length <= PATH_MAX);
  const sources = handlers.flatMap(handlerPlaces).map((place) => `${root}/${place}`);
  return [...new Set(["var/runtime/bootstrap", ...started.map(clean), ...sources])];
}

function clean(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
