import { BUILD_OPTIONS } from "../build/options.ts";
import { DEPLOY_OPTIONS } from "../deploy/option-table.ts";
import { SESSION_OPTIONS } from "../options/common.ts";
import type { OptionTable } from "../options/read.ts";

const { function: FUNCTION, role, memory, timeout, ephemeralStorage } = DEPLOY_OPTIONS;
const { region, repo, publish, alias, weight, warm, resourceTag } = DEPLOY_OPTIONS;

/** What deploy needs of a function beside its image. */
export const FUNCTION_SETTINGS = {
  ...{ function: FUNCTION, role, memory, timeout, ephemeralStorage },
  ...{ region, repo, publish, alias, weight, warm, resourceTag },
} satisfies OptionTable;

/** Only a program can pass them. */
const PROGRAM_ONLY = new Set(["environment", "onEvent", "ownFiles", "signal"]);

/** Every key that the configuration file may have in `defaults`. */
export const CONFIG_TABLE: OptionTable = Object.fromEntries(
  Object.entries({ ...BUILD_OPTIONS, ...FUNCTION_SETTINGS }).filter(([name]) => !PROGRAM_ONLY.has(name)),
);

/** The keys that a function may have: those of the whole run are not among them. */
export const FUNCTION_TABLE: OptionTable = Object.fromEntries(
  Object.entries(CONFIG_TABLE).filter(([name]) => !Object.hasOwn(SESSION_OPTIONS, name)),
);
