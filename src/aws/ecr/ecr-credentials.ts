import { REAL_PACING, retry } from "../../async/retry.ts";
import { createSingleFlight } from "../../async/single-flight.ts";
import type { CredentialSource, Credentials } from "../../registry/auth/credentials.ts";
import { type ClientOptions, openEcr } from "../clients.ts";
import { awsError } from "../sdk-error.ts";
import { type EcrHost, parseEcrHost } from "./names.ts";

/** A login for all registries in one region that the caller may use. */
interface Login {
  readonly credentials: Credentials;
  /**
   * In epoch milliseconds, at half of its lifetime: the rest is for running uploads and for a
   * refresh that fails (amazon-ecr-credential-helper).
   */
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

/** A failed refresh is tried again after this, while the old login is still valid. */
const REFRESH_AGAIN_MS = 60_000;

/**
 * Returns a source of logins for private ECR registries from `ecr:GetAuthorizationToken`, with the
 * AWS credentials that the SDK finds. It returns undefined for other hosts and does not load the
 * SDK for them. It requests one login per region, and a new one at half of its lifetime or when the
 * registry refused it.
 * @throws CREDENTIALS_INVALID, DENIED, REGISTRY_UNREACHABLE, REGISTRY_ANSWER.
 */
export function ecrCredentials(options: ClientOptions): CredentialSource {
  return loginsFor(options, ({ accountId }) => accountId !== undefined);
}

/**
 * Returns the same for `localhost:4510` and similar hosts if an emulator is ECR's endpoint. Such a
 * registry may belong to another program, or need no login, so ask this source last. It does not
 * fail.
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
  const logins = new Map<string, Login>();
  const join = createSingleFlight<Login>();
  return {
    async get(registry, _repository, { refused = false, signal } = {}) {
      const host = parseEcrHost(registry, options.environment);
      if (!host || !serves(host)) return undefined;
      signal?.throwIfAborted();
      const key = `${host.region} ${host.fips}`;
      if (refused) logins.delete(key);
      const current = logins.get(key);
      if (current && Date.now() < current.refreshAtMs) return current.credentials;
      const renewed = join(key, () => logIn(registry, host, options, signal), signal);
      const login = await renewed.catch((error: unknown) => {
        signal?.throwIfAborted();
        if (!current || Date.now() >= current.expiresAtMs) throw error;
        return { ...current, refreshAtMs: Date.now() + REFRESH_AGAIN_MS };
      });
      logins.set(key, login);
      return login.credentials;
    },
  };
}

const ATTEMPTS = 3;

async function logIn(
  registry: string,
  host: EcrHost,
  options: ClientOptions,
  signal: AbortSignal | undefined,
): Promise<Login> {
  const { send, close } = await openEcr(host, options);
  // A damaged answer may still be valid JSON, and the SDK does not check for the token.
  const damaged = new Error("the answer has no authorization token");
  const ask = async () => {
    const answer = await send("GetAuthorizationToken", {}, signal ? { abortSignal: signal } : {});
    const [data] = answer.authorizationData ?? [];
    const login = loginOf(data?.authorizationToken, data?.expiresAt);
    if (!login) throw damaged;
    return login;
  };
  try {
    return await retry(ask, {
      ...{ pacing: REAL_PACING, signal },
      delayAfter: (error, attempt) => (error === damaged && attempt < ATTEMPTS ? 0 : undefined),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw awsError(error, `give a login for ${registry}`, options.environment["AWS_PROFILE"]);
  } finally {
    close();
  }
}

const TWELVE_HOURS_MS = 12 * 60 * 60 * 1000;

/** Reads a token, which is base64 of `AWS:<password>`; undefined if it is not. */
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
