import { fileURLToPath } from "node:url";

/**
 * Returns the path of a script that runs beside lambda-pack: the supervisor, the sandbox or a
 * runtime client.
 */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}
