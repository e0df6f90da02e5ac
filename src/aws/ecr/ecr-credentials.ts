import type { CredentialRequest, CredentialSource, Credentials } from "../../registry/auth/credentials.ts";
import { type ClientOptions, openEcr } from "../clients.ts";
import { awsError } from "../sdk-error.ts";
import { type EcrHost, parseEcrHost } from "./ecr-host.ts";

/** A login for every registry of one region that the caller may reach. */
interface Login {
  readonly credentials: Credentials;
  /** Epoch, ms. Half of the twelve hours: the rest is for uploads under way, and for a refresh that fails (amazon-ecr-credential-helper). */
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * Logins for private ECR registries by `ecr:GetAuthorizationToken`, with whatever AWS credentials the SDK finds. Other hosts get undefined, and
 * cost nothing: the SDK is loaded at the first ECR host. A login is asked for once a region, again at half its life, and at once when it was refused.
 * @throws CREDENTIALS_INVALID, DENIED, REGISTRY_UNREACHABLE, REGISTRY_ANSWER.
 */
export function ecrCredentials(options: ClientOptions): CredentialSource {
  return loginsFor(options, ({ accountId }) => accountId !== undefined);
}

/**
 * The same for `localhost:4510` and the like where an emulator is ECR's endpoint. Such a registry need not be the
 * emulator's, nor want a login: ask this source last. It does not fail.
 */
export function localEmulatorCredentials(options: ClientOptions): CredentialSource {
  const logins = loginsFor(options, ({ accountId }) => accountId === undefined);
  return {
    get: (...asked) =>
      logins.get(...asked).catch(() => {
        asked[2]?.signal?.throwIfAborted();
        return undefined;
      }),
  };
}

function loginsFor(options: ClientOptions, serves: (host: EcrHost) => boolean): CredentialSource {
  const regions = new Map<string, Region>();
  return {
    async get(registry, _repository, request = {}) {
      const host = parseEcrHost(registry, options.environment);
      if (!host || !serves(host)) return undefined;
      const key = `${host.region} ${host.fips}`;
      const region = regions.get(key) ?? new Region((signal) => logIn(registry, host, options, signal));
      regions.set(key, region);
      return (await region.login(request)).credentials;
    },
  };
}

/** A refresh that failed is tried again after this, while the old login still holds. */
const REFRESH_AGAIN_MS = 60_000;

/** One region's login over the time of a push: at most one request for it is in flight. */
class Region {
  readonly #logIn: (signal: AbortSignal | undefined) => Promise<Login>;
  #login: Login | undefined;
  #pending: Promise<Login> | undefined;

  constructor(logIn: (signal: AbortSignal | undefined) => Promise<Login>) {
    this.#logIn = logIn;
  }

  async login({ refused = false, signal }: CredentialRequest): Promise<Login> {
    signal?.throwIfAborted();
    if (refused) this.#login = undefined;
    const current = this.#login;
    if (current && Date.now() < current.refreshAtMs) return current;
    try {
      return await this.#renew(signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!current || Date.now() >= current.expiresAtMs) throw error;
      this.#login = { ...current, refreshAtMs: Date.now() + REFRESH_AGAIN_MS };
      return current;
    }
  }

  async #renew(signal: AbortSignal | undefined): Promise<Login> {
    this.#pending ??= this.#logIn(signal).finally(() => {
      this.#pending = undefined;
    });
    this.#login = await this.#pending;
    return this.#login;
  }
}

/** A damaged answer may still be JSON. The SDK retries only what it can recognise as damaged. */
const TRIES = 3;

async function logIn(
  registry: string,
  host: EcrHost,
  options: ClientOptions,
  signal: AbortSignal | undefined,
): Promise<Login> {
  const { client, sdk, close } = await openEcr(host, options);
  try {
    for (let attempt = 1; ; attempt++) {
      const command = new sdk.GetAuthorizationTokenCommand({});
      const answer = await client.send(command, { ...(signal && { abortSignal: signal }) });
      const [data] = answer.authorizationData ?? [];
      const login = loginOf(data?.authorizationToken, data?.expiresAt);
      if (login) return login;
      if (attempt === TRIES) throw new Error("the answer has no authorization token");
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw awsError(error, `give a login for ${registry}`, options.environment["AWS_PROFILE"]);
  } finally {
    close();
  }
}

const TWELVE_HOURS_MS = 12 * 60 * 60 * 1000;

/** The token is base64 of `AWS:<password>`; undefined where it is not. */
function loginOf(token = "", expiresAt?: Date): Login | undefined {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(token, "base64").toString()) ?? [];
  if (username === undefined || password === undefined) return undefined;
  const now = Date.now();
  const expiresAtMs = expiresAt?.getTime() ?? now + TWELVE_HOURS_MS;
  return {
    credentials: { kind: "basic", username, password, from: "Amazon ECR" },
    refreshAtMs: now + (expiresAtMs - now) / 2,
    expiresAtMs,
  };
}
