import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAM, type Ran, tryRun } from "../run.ts";
import { filesWithSecrets, secretsOf } from "./secrets.ts";

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default 022. */
  readonly umask?: string;
}

/**
 * The real command in a process of its own. Its cache and credentials are in a temporary directory, not this user's.
 * A run whose output, or whose cache afterwards, holds a secret that it was given fails.
 */
export class Command {
  readonly #home = mkdtempSync(join(tmpdir(), "lambda-pack-home-"));
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = { DOCKER_CONFIG: this.#home, LAMBDA_PACK_CACHE_DIR: join(this.#home, "cache"), ...env };
  }

  async run(args: readonly string[], { env = {}, umask = "022" }: CommandOptions = {}): Promise<Ran> {
    const command = [process.execPath, ...PROGRAM, ...args];
    const script = `umask ${umask} && exec "$@"`;
    const environment = { ...this.#env, ...env };
    const ran = await tryRun("sh", ["-c", script, "sh", ...command], { env: environment });
    const secrets = secretsOf(environment);
    const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));
    const where = leaks(ran.stdout + ran.stderr).length > 0 ? ["its output"] : [];
    const files = secrets.length > 0 ? filesWithSecrets(join(this.#home, "cache"), leaks) : [];
    const found = [...where, ...files].join(", ");
    if (found !== "") throw new Error(`lambda-pack ${args[0]} left a secret in ${found}`);
    return ran;
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
