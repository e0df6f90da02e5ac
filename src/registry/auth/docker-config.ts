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
 * What docker and podman would show a registry. Their files in order, the first that knows wins:
 * DOCKER_AUTH_CONFIG (the text itself), DOCKER_CONFIG/config.json or ~/.docker/config.json,
 * REGISTRY_AUTH_FILE, containers/auth.json in XDG_RUNTIME_DIR and in XDG_CONFIG_HOME. In a file
 * credHelpers comes before credsStore before auths. Files and helpers are asked once, and again
 * when what they gave was refused.
 */
export function dockerCredentials(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    return (
      (await fromHelper(config, wanted)) ?? (await fromStore(config, wanted)) ?? fromAuths(config, wanted)
    );
  });
}

/**
 * Only helpers that were configured for the very host (credHelpers), or that make fresh credentials
 * (`credsStore: ecr-login`). With {@link dockerAuths} it is {@link dockerCredentials} in two
 * halves, so that something may come between.
 */
export function dockerHelpers(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    const store = makesFresh(config) ? await fromStore(config, wanted) : undefined;
    return (await fromHelper(config, wanted)) ?? store;
  });
}

/**
 * What `docker login` left, in the file or in the store it is configured to use: stale after 12
 * hours for ECR.
 */
export function dockerAuths(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) => {
    const store = makesFresh(config) ? undefined : await fromStore(config, wanted);
    return store ?? fromAuths(config, wanted);
  });
}

/**
 * What DOCKER_AUTH_CONFIG holds for a registry: it was given to this very process, so it comes
 * before everything else.
 */
export function dockerAuthVariable(environment: Environment, home: string = homedir()): CredentialSource {
  return remembering(environment, home, async (config, wanted) =>
    config.place === AUTH_VARIABLE ? fromAuths(config, wanted) : undefined,
  );
}

/** Whether the store keeps no logins but asks AWS for one each time. */
function makesFresh({ credsStore }: DockerConfig): boolean {
  return credsStore === "ecr-login";
}

interface Wanted {
  readonly registry: string;
  readonly repository: string;
  readonly environment: Environment;
}

type Find = (config: DockerConfig, wanted: Wanted) => Promise<Credentials | undefined>;

/** One answer for each repository; a signal ends only the waiting of who gave it. */
function remembering(environment: Environment, home: string, find: Find): CredentialSource {
  const answers = new Map<string, Promise<Credentials | undefined>>();
  const search = async (wanted: Wanted): Promise<Credentials | undefined> => {
    for (const config of await readDockerConfigs(environment, home)) {
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
  const { askHelper } = await import("./credential-helper.ts"); // with child processes behind it
  // Docker Hub's old address is the name under which every helper keeps it.
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return askHelper({ suffix, server, environment });
}

function fromAuths(config: DockerConfig, { registry, repository }: Wanted): Credentials | undefined {
  return storedFor(config, registry, repository);
}
