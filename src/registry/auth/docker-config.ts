import { homedir } from "node:os";
import { abortable } from "../../async/abortable.ts";
import { loadOnce } from "../../async/single-flight.ts";
import type { Environment } from "../http/agent.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import {
  AUTH_VARIABLE,
  type DockerConfig,
  readDockerConfigs,
  sameRegistry,
  storedFor,
} from "./docker-config-file.ts";

/**
 * Which of docker's credentials to return, so that other sources can be asked in between:
 * - `variable`: DOCKER_AUTH_CONFIG, which was set for this process.
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
  const search = async (wanted: Wanted) => {
    for (const config of readDockerConfigs(environment, home)) {
      const found = await find(config, part, wanted);
      if (found) return found;
    }
    return undefined;
  };
  return {
    async get(registry, repository, { refused = false, signal } = {}) {
      signal?.throwIfAborted();
      if (refused) answers.clear();
      const wanted = { registry, repository, environment };
      return await abortable(
        loadOnce(answers, `${registry}/${repository}`, () => search(wanted)),
        signal,
      );
    },
  };
}

interface Wanted {
  readonly registry: string;
  readonly repository: string;
  readonly environment: Environment;
}

async function find(
  config: DockerConfig,
  part: Part,
  { registry, repository, environment }: Wanted,
): Promise<Credentials | undefined> {
  const configured = Object.entries(config.credHelpers).find(([host]) => sameRegistry(host, registry))?.[1];
  const helper = configured ?? config.credsStore;
  // ecr-login keeps no logins but requests one from AWS each time.
  const isFresh = configured !== undefined || helper === "ecr-login";
  const isAsked = { all: true, variable: false, helpers: isFresh, stored: !isFresh }[part];
  const found = helper !== undefined && isAsked ? await ask(helper, registry, environment) : undefined;
  if (found || part === "helpers") return found;
  if (part === "variable" && config.place !== AUTH_VARIABLE) return undefined;
  return storedFor(config, registry, repository);
}

async function ask(
  suffix: string,
  registry: string,
  environment: Environment,
): Promise<Credentials | undefined> {
  const { askHelper } = await import("./credential-helper.ts"); // loads node:child_process only if a helper is used
  // Helpers store the credentials of Docker Hub under its old address.
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return askHelper({ suffix, server, environment });
}
