import { BUILD_OPTIONS } from "../build/options.ts";
import { DEPLOY_OPTIONS } from "../deploy/options.ts";
import { SESSION_OPTIONS } from "../options/common.ts";
import type { OptionTable } from "../options/read.ts";

const { function: FUNCTION, role, memory, timeout, ephemeralStorage } = DEPLOY_OPTIONS;
const { region, repo, publish, alias, weight, warm, resourceTag } = DEPLOY_OPTIONS;

/** The settings of a function, other than its image. */
export const FUNCTION_SETTINGS = {
  ...{ function: FUNCTION, role, memory, timeout, ephemeralStorage },
  ...{ region, repo, publish, alias, weight, warm, resourceTag },
} satisfies OptionTable;

/** Options that only a program can pass. */
const PROGRAM_ONLY = new Set(["environment", "onEvent", "ownFiles", "signal"]);

/** The valid keys of `defaults` in the configuration file. */
export const CONFIG_TABLE: OptionTable = Object.fromEntries(
  Object.entries({ ...BUILD_OPTIONS, ...FUNCTION_SETTINGS }).filter(([name]) => !PROGRAM_ONLY.has(name)),
);

/** The valid keys of a function; options of the whole run are not among them. */
export const FUNCTION_TABLE: OptionTable = Object.fromEntries(
  Object.entries(CONFIG_TABLE).filter(([name]) => !Object.hasOwn(SESSION_OPTIONS, name)),
);
