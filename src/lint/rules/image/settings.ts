import { variables } from "../../facts.ts";
import { type Rule, shortList } from "../../rule.ts";

const IGNORED = ["User", "Volumes", "ExposedPorts", "Healthcheck", "StopSignal", "Shell", "OnBuild"];

/**
 * "Lambda ignores the values of any unsupported container image settings" (AWS, Create Lambda
 * functions using container images).
 */
export const ignoredSettings: Rule = {
  id: "ignored-settings",
  severity: "info",
  expects: "the image does not set USER, VOLUME, EXPOSE, HEALTHCHECK, STOPSIGNAL, SHELL and ONBUILD",
  otherwise: "nothing: Lambda ignores them",
  check({ settings: { config = {} } }) {
    const set = IGNORED.filter((name) => isSet(config[name]));
    if (set.length === 0) return [];
    return {
      message: `the image sets ${set.join(", ")}, which Lambda ignores`,
      hint: set.includes("User")
        ? "remove it; Lambda runs the function as another user, who must be able to read every file"
        : "leave them out",
    };
  },
};

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** The reserved variables (AWS, "Defined runtime environment variables"). */
const RESERVED = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_XRAY_DAEMON_ADDRESS",
]);
const RESERVED_PREFIX = /^AWS_LAMBDA_(?!EXEC_WRAPPER|NODEJS_|MAX_)/;

export const reservedVariables: Rule = {
  id: "reserved-variables",
  severity: "warning",
  expects: "ENV does not set the variables that Lambda sets",
  otherwise: "the image's values are replaced",
  check(facts) {
    const set = [...variables(facts).keys()].filter(
      (name) => RESERVED.has(name) || RESERVED_PREFIX.test(name),
    );
    if (set.length === 0) return [];
    return {
      message: `ENV sets ${shortList(set, set.length, 5)}`,
      hint: "remove them from the image; the function's settings cannot set them either",
    };
  },
};

const SECRET_NAME =
  /(?:^|_)(?:SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY|ACCESS_KEY|API_?KEY|CREDENTIALS?)(?:$|_(?!FILE|PATH|URL|ARN|NAME|ID$))/i;

/** ENV is in the config, which all who can pull the image can read. */
export const secretVariables: Rule = {
  id: "secret-variables",
  severity: "warning",
  expects: "ENV holds no secrets",
  otherwise: "nothing, but all who can pull the image can read them",
  check(facts) {
    const set = [...variables(facts)]
      .filter(([name, value]) => SECRET_NAME.test(name) && value !== "")
      .map(([name]) => name);
    if (set.length === 0) return [];
    return {
      message: `ENV sets ${shortList(set, set.length, 5)}, which looks like a secret`,
      hint: "give it to the function at run time: Secrets Manager, Parameter Store, or the function's own variables",
    };
  },
};

/** Variables with directories that libraries write to. NLTK_DATA is only read. */
const CACHES = [
  "HF_HOME",
  "TRANSFORMERS_CACHE",
  "TORCH_HOME",
  "MPLCONFIGDIR",
  "NUMBA_CACHE_DIR",
  "XDG_CACHE_HOME",
  "npm_config_cache",
  "YARN_CACHE_FOLDER",
];

export const writablePlaces: Rule = {
  id: "writable-places",
  severity: "info",
  expects: "files are written to /tmp only: everything else is read-only",
  otherwise: "OSError: [Errno 30] Read-only file system",
  check: (facts) =>
    [...variables(facts)]
      .filter(([name, value]) => CACHES.includes(name) && /^\/(?!tmp(?:\/|$))/.test(value))
      .map(([name, value]) => ({
        message: `${name} is ${value}, which is read-only`,
        hint: `--env ${name}=/tmp/${name.toLowerCase()}, unless the image already contains the files`,
      })),
};
