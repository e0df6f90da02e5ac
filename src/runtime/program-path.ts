import { fileURLToPath } from "node:url";

/**
 * The path of one of the scripts that run beside lambda-pack: the supervisor and the runtime
 * clients.
 */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}
