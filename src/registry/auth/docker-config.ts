import { homedir } from "node:os";
import { abortable } from "../../async/abortable.ts";
import type { Environment } from "../http/agent.ts";
import type { CredentialRequest, CredentialSource, Credentials } from "./credentials.ts";
import {
  AUTH_VARIABLE,
  type DockerConfig,
  readDockerConfigs,
  sameRegistry,
  storedFor,
} from "./docker-config-file.ts";

/**
 * Returns the credentials that docker and podman would use. Their files are read in this order, and
 * the first one with credentials wins: DOCKER_AUTH_CONFIG (the text itself),
 * DOCKER_CONFIG/config.json or ~/.docker/config.json, REGISTRY_AUTH_FILE, containers/auth.json in
 * XDG_RUNTIME_DIR and in XDG_CONFIG_HOME. In each file credHelpers comes before credsStore before
 * auths. Files and helpers are asked once, and again when their credentials were refused.
 */
export function dockerCredentials(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    return (
      (await fromHelper(config, wanted)) ?? (await fromStore(config, wanted)) ?? fromAuths(config, wanted)
    );
  });
}

/**
 * Returns only credentials of helpers that are configured for the host (credHelpers) or that
 * request a new login each time (`credsStore: ecr-login`). {@link dockerAuths} returns the rest of
 * {@link dockerCredentials}, so that another source can be asked in between.
 */
export function dockerHelpers(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    const store = makesFresh(config) ? await fromStore(config, wanted) : undefined;
    return (await fromHelper(config, wanted)) ?? store;
  });
}

/**
 * Returns what `docker login` stored in the file or in the configured store. A login to ECR expires
 * after 12 hours.
 */
export function dockerAuths(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    const store = makesFresh(config) ? undefined : await fromStore(config, wanted);
    return store ?? fromAuths(config, wanted);
  });
}

/**
 * Returns the credentials in DOCKER_AUTH_CONFIG. The variable was set for this process, so it comes
 * before every other source.
 */
export function dockerAuthVariable(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) =>
    config.place === AUTH_VARIABLE ? fromAuths(config, wanted) : undefined,
  );
}

/** Returns whether the store keeps no logins but requests one from AWS each time. */
function makesFresh({ credsStore }: DockerConfig): boolean {
  return credsStore === "ecr-login";
}

interface Wanted {
  readonly registry: string;
  readonly repository: string;
  readonly environment: Environment;
}

type Find = (config: DockerConfig, wanted: Wanted) => Promise<Credentials | undefined>;

/** Caches one answer for each repository. An aborted signal ends only its own call's wait. */
function remembering(environment: Environment, home: string, find: Find): CredentialSource {
  const answers = new Map<string, Promise<Credentials | undefined>>();
  const search = async (wanted: Wanted): Promise<Credentials | undefined> => {
    for (const config of readDockerConfigs(environment, home)) {
      const found = await find(config, wanted);
      if (found) return found;
    }
    return undefined;
  };
  return {
    async get(registry, repository, { refused = false, signal }: CredentialRequest = {}) {
      signal?.throwIfAborted();
      if (refused) answers.clear();
      const key = `${registry}/${repository}`;
      const answer = answers.get(key) ?? search({ registry, repository, environment });
      answers.set(key, answer);
      answer.catch(() => answers.delete(key));
      return await abortable(answer, signal);
    },
  };
}

async function fromHelper(config: DockerConfig, wanted: Wanted): Promise<Credentials | undefined> {
  const configured = Object.entries(config.credHelpers).find(([host]) => sameRegistry(host, wanted.registry));
  return configured && (await ask(configured[1], wanted));
}

async function fromStore(config: DockerConfig, wanted: Wanted): Promise<Credentials | undefined> {
  const configured = Object.keys(config.credHelpers).some((host) => sameRegistry(host, wanted.registry));
  return configured || config.credsStore === undefined ? undefined : await ask(config.credsStore, wanted);
}

async function ask(suffix: string, { registry, environment }: Wanted): Promise<Credentials | undefined> {
  const { askHelper } = await import("./credential-helper.ts"); // loads node:child_process only if a helper is used
  // Helpers store the credentials of Docker Hub under its old address.
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return askHelper({ suffix, server, environment });
}

function fromAuths(config: DockerConfig, { registry, repository }: Wanted): Credentials | undefined {
  return storedFor(config, registry, repository);
}
