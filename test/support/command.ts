import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ran, tryRun } from "./run.ts";

const bin = fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url));
const tsx = import.meta.resolve("tsx");

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default 022. */
  readonly umask?: string;
}

/** The real command in a process of its own. Its cache and credentials are in a temporary folder, not this user's. */
export class Command {
  readonly #home = mkdtempSync(join(tmpdir(), "lambda-pack-home-"));
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = { DOCKER_CONFIG: this.#home, LAMBDA_PACK_CACHE_DIR: join(this.#home, "cache"), ...env };
  }

  run(args: readonly string[], { env = {}, umask = "022" }: CommandOptions = {}): Promise<Ran> {
    const command = [process.execPath, "--import", tsx, bin, ...args];
    const script = `umask ${umask} && exec "$@"`;
    return tryRun("sh", ["-c", script, "sh", ...command], { env: { ...this.#env, ...env } });
  }

  /** What it printed on stdout, as one line; rejects with its words unless it exits with 0. */
  async succeed(args: readonly string[], options?: CommandOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(args, options);
    if (status !== 0) throw new Error(`lambda-pack ${args.join(" ")} ended with ${status}:\n${stderr}`);
    return stdout.trim();
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
