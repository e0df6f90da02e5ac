import { BUILD_OPTIONS } from "../build/options.ts";
import { type Option, optional } from "../options/read.ts";
import { text, toggle, wholeNumber } from "../options/types.ts";
import type { ConfigTable } from "./option.ts";

/** What deploy needs of a function beside its image. */
export const DEPLOY_OPTIONS = {
  function: optional<string>(text, "the name or ARN of the Lambda function that deploy updates"),
  role: optional<string>(text, "ARN of the execution role, to create the function"),
  memory: optional<number>(wholeNumber(128, 10_240), "memory of the function in MB"),
  timeout: optional<number>(wholeNumber(1, 900), "how long an invocation may take, in seconds"),
  ephemeralStorage: optional<number>(wholeNumber(512, 10_240), "size of /tmp in MB"),
  alias: optional<string>(text, "the alias that moves to the new version"),
  publish: optional<boolean>(toggle, "publish a version"),
  warm: optional<boolean>(toggle, "call the new version once before the alias moves"),
} satisfies Readonly<Record<string, Option<unknown>>>;

/** Only a program can pass them. */
const PROGRAM_ONLY = new Set(["environment", "onEvent", "signal"]);

/** Every key that the configuration file may have in `defaults` and for a function. */
export const CONFIG_TABLE: ConfigTable = Object.fromEntries(
  Object.entries({ ...BUILD_OPTIONS, ...DEPLOY_OPTIONS }).filter(([name]) => !PROGRAM_ONLY.has(name)),
);

/** Keys of the whole run: a function cannot have its own. */
export const RUN_KEYS: readonly string[] = [
  ...["jobs", "cacheDir", "cache", "offline", "insecureRegistry", "registryTimeout", "trustRealm"],
  "allowPrivate",
];

/** The keys that a function may have. */
export const FUNCTION_TABLE: ConfigTable = Object.fromEntries(
  Object.entries(CONFIG_TABLE).filter(([name]) => !RUN_KEYS.includes(name)),
);
