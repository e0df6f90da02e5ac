import type { AnyFlags, Command } from "./command.ts";
import { bases } from "./commands/bases.ts";
import { build } from "./commands/build.ts";
import { cache } from "./commands/cache.ts";
import { check } from "./commands/check.ts";
import { OUTPUT_FLAGS } from "./commands/common.ts";
import { deploy } from "./commands/deploy.ts";
import { dev } from "./commands/dev.ts";
import { diff } from "./commands/diff.ts";
import { inspect } from "./commands/inspect.ts";
import { invoke } from "./commands/invoke.ts";
import { prune } from "./commands/prune.ts";
import { push } from "./commands/push.ts";
import { repo } from "./commands/repo.ts";
import { status } from "./commands/status.ts";

/** The table that parsing, help and docs/cli.md are made from. */
export const COMMANDS: readonly Command[] = [
  build,
  push,
  check,
  inspect,
  invoke,
  dev,
  diff,
  bases,
  cache,
  repo,
  deploy,
  status,
  prune,
];

/** All flags that `command` understands. */
export function flagsOf(command: Command): AnyFlags {
  return { ...command.flags, ...OUTPUT_FLAGS };
}
