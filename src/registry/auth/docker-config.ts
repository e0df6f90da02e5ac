import { homedir } from "node:os";
import { join } from "node:path";
import { abortable } from "../../async/abortable.ts";
import { loadOnce } from "../../async/single-flight.ts";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
import {
  field,
  fieldInAnyCase,
  invalid,
  isMissing,
  type Json,
  object,
  optional,
  parseJson,
  string,
} from "../../oci/json.ts";
import type { Environment } from "../http/agent.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";

/**
 * Which of docker's credentials to return, so that other sources can be asked in between:
 * - `variable`: DOCKER_AUTH_CONFIG, which was set for this process. No file is read for it.
 * - `helpers`: those of helpers that are configured for the host (credHelpers), or that request a
 *   new login each time (`credsStore: ecr-login`).
 * - `stored`: what `docker login` stored in the file or in the store. A login to ECR expires after
 *   12 hours.
 */
type Part = "all" | "variable" | "helpers" | "stored";

/**
 * Returns the credentials that docker and podman would use. Their files are read in this order, and
 * the first one with credentials wins: DOCKER_AUTH_CONFIG (the text itself),
 * DOCKER_CONFIG/config.json or ~/.docker/config.json, REGISTRY_AUTH_FILE, containers/auth.json in
 * XDG_RUNTIME_DIR and in XDG_CONFIG_HOME. In each file credHelpers comes before credsStore before
 * auths. Files and helpers are asked once, and again when their credentials were refused. An
 * aborted signal ends only its own call's wait.
 */
export function dockerCredentials(
  environment: Environment,
  home: string = homedir(),
  part: Part = "all",
): CredentialSource {
  const answers = new Map<string, Promise<Credentials | undefined>>();
  const search = async (registry: string, repository: string) => {
    const configs = part === "variable" ? readVariable(environment) : readDockerConfigs(environment, home);
    for (const config of configs) {
      const stored = () => (part === "helpers" ? undefined : storedFor(config, registry, repository));
      const found = (await askHelperFor(config, part, registry, environment)) ?? stored();
      if (found) return found;
    }
    return undefined;
  };
  return {
    async get(registry, repository, { refused = false, signal } = {}) {
      signal?.throwIfAborted();
      if (refused) answers.clear();
      const answer = loadOnce(answers, `${registry}/${repository}`, () => search(registry, repository));
      return await abortable(answer, signal);
    },
  };
}

/** Asks the configured helper; undefined if there is none, or it is not in this part. */
async function askHelperFor(
  config: DockerConfig,
  part: Part,
  registry: string,
  environment: Environment,
): Promise<Credentials | undefined> {
  const configured = Object.entries(config.credHelpers).find(([host]) => sameRegistry(host, registry))?.[1];
  const suffix = configured ?? config.credsStore;
  // ecr-login keeps no logins but requests one from AWS each time.
  const isFresh = configured !== undefined || suffix === "ecr-login";
  const isAsked = { all: true, variable: false, helpers: isFresh, stored: !isFresh }[part];
  if (suffix === undefined || !isAsked) return undefined;
  const { askHelper } = await import("./credential-helper.ts"); // loads node:child_process only if a helper is used
  // Helpers store the credentials of Docker Hub under its old address.
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return askHelper({ suffix, server, environment });
}

/** The environment variable that holds the text of a config.json. */
const AUTH_VARIABLE = "DOCKER_AUTH_CONFIG";

/** The credentials part of docker's config.json or of containers/image's auth.json. */
interface DockerConfig {
  /** The path of the file, or the name of the variable. */
  readonly place: string;
  /** Maps a host to the suffix of its helper. */
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
  readonly auths: Readonly<Record<string, unknown>>;
}

/**
 * Yields the config files that exist, in order of precedence. Each is read when its turn comes.
 * @throws CREDENTIALS_INVALID, which names the file but never quotes it.
 */
export function* readDockerConfigs(
  environment: Environment,
  home: string,
  runDirectory: string = RUN_DIRECTORY,
): Generator<DockerConfig> {
  yield* readVariable(environment);
  for (const file of filesOf(environment, home, runDirectory)) {
    const hint = "make it a readable regular file, or point DOCKER_CONFIG or REGISTRY_AUTH_FILE elsewhere";
    const limits = { maxBytes: CONFIG_LIMIT, code: "CREDENTIALS_INVALID", hint } as const;
    const content = readConfigurationFile(file, limits);
    if (content !== undefined) yield parseDockerConfig(content.toString("utf8"), file);
  }
}

function* readVariable(environment: Environment): Generator<DockerConfig> {
  const text = environment[AUTH_VARIABLE];
  if (text) yield parseDockerConfig(text, AUTH_VARIABLE);
}

/** Where podman keeps logins if XDG_RUNTIME_DIR is not set (containers-auth.json(5)). */
const RUN_DIRECTORY = `/run/containers/${process.getuid?.() ?? 0}`;

function filesOf(environment: Environment, home: string, runDirectory: string): readonly string[] {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = environment;
  return [
    join(DOCKER_CONFIG || join(home, ".docker"), "config.json"),
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    join(XDG_RUNTIME_DIR ? join(XDG_RUNTIME_DIR, "containers") : runDirectory, "auth.json"),
    join(XDG_CONFIG_HOME || join(home, ".config"), "containers", "auth.json"),
  ];
}

/** In bytes; one login takes about 200. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

function parseDockerConfig(text: string, place: string): DockerConfig {
  const content = text.replace(/^\uFEFF/, "").trim();
  return checked(place, () => {
    // docker treats an empty file as `{}`, and null as a missing value.
    const json = parseJson(Buffer.from(content === "" ? "{}" : content), "the document");
    const config = { ...json, value: json.value ?? {} };
    const helpers = orEmpty(fieldInAnyCase(config, "credHelpers"));
    return {
      place,
      credHelpers: Object.fromEntries(
        Object.keys(object(helpers)).flatMap((host) => {
          const suffix = optional(field(helpers, host), string);
          return suffix ? [[host, suffix]] : [];
        }),
      ),
      credsStore: optional(fieldInAnyCase(config, "credsStore"), string) || undefined,
      auths: object(orEmpty(fieldInAnyCase(config, "auths"))),
    };
  });
}

function orEmpty(json: Json): Json {
  return isMissing(json) ? { ...json, value: {} } : json;
}

/** Calls `read`, whose errors quote nothing of the file. @throws CREDENTIALS_INVALID. */
function checked<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!hasCode(error, "IMAGE_INVALID") || !(error instanceof Error)) throw error;
    const message = `${place} holds no valid credentials: ${error.message}`;
    throw new LambdaPackError("CREDENTIALS_INVALID", message, {
      hint: "repair it, or write it again with docker login",
    });
  }
}

/**
 * Returns the credentials in `auths` for the most specific of `host/a/b`, `host/a`, `host`; a key
 * with a scheme or a version path counts as its host.
 */
function storedFor(config: DockerConfig, registry: string, repository: string): Credentials | undefined {
  const parts = repository.split("/");
  for (let count = parts.length; count > 0; count--) {
    const name = `${registry}/${parts.slice(0, count).join("/")}`;
    const found = Object.hasOwn(config.auths, name) ? credentialsOf(config, name) : undefined;
    if (found) return found;
  }
  const key = Object.hasOwn(config.auths, registry)
    ? registry
    : Object.keys(config.auths).find((each) => sameRegistry(each, registry));
  return key === undefined ? undefined : credentialsOf(config, key);
}

/**
 * Returns whether `key` stands for this registry. Docker Hub's key is
 * `https://index.docker.io/v1/`; docker before 1.7 wrote the key of every host as
 * `https://host/v1/`.
 */
function sameRegistry(key: string, registry: string): boolean {
  const legacy = /^https?:\/\//i.test(key) || /\/v[12]\/?$/.test(key) || !key.includes("/");
  const host = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/s, "")
    .toLowerCase();
  const canonical = host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
  return legacy && canonical === registry.toLowerCase();
}

/**
 * Returns the credentials of an entry, tokens first. `docker login` with a store leaves `{}`, which
 * has none.
 */
function credentialsOf({ auths, place: from }: DockerConfig, key: string): Credentials | undefined {
  const entry = orEmpty({ value: auths[key], path: `auths of ${key}` });
  const text = (name: string): string => optional(fieldInAnyCase(entry, name), string) ?? "";
  return checked(from, () => {
    if (text("registrytoken") !== "") return { kind: "bearer", token: text("registrytoken"), from };
    if (text("identitytoken") !== "") return { kind: "identity", token: text("identitytoken"), from };
    const { username, password } =
      text("auth") === ""
        ? { username: text("username"), password: text("password") }
        : decode(field(entry, "auth"), text("auth"));
    return username === "" && password === "" ? undefined : { kind: "basic", username, password, from };
  });
}

/**
 * Decodes base64 of `user:password`. docker has written some with a NUL at the end (docker/cli
 * config/configfile).
 */
function decode(json: Json, auth: string): { readonly username: string; readonly password: string } {
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (!/^[A-Za-z0-9+/_=\s-]*$/.test(auth) || colon < 0) throw invalid(json, "is not base64 of user:password");
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}
