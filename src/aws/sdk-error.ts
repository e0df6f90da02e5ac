import { type ErrorDetails, LambdaPackError } from "../errors.ts";
import { redactText } from "../registry/errors/redact.ts";
import { type CredentialFailure, credentialError, isProvider } from "./credential-error.ts";
import type { CredentialContext } from "./request-events.ts";

/**
 * The contents of an SDK error, whatever its class: service errors, credential providers and
 * sockets have different ones.
 */
interface Said {
  readonly name: string;
  /** Redacted, on one line. */
  readonly message: string;
  /** HTTP status; 0 where there is none. */
  readonly status: number;
  /** Whether no answer came: a socket error or a timeout. */
  readonly unanswered: boolean;
  /** ` in the profile p`, or empty. */
  readonly where: string;
  /** The IAM action that was attempted. */
  readonly action: string;
  /** The error code of a socket, or empty. */
  readonly code: string;
  /** Whether credentials were still being fetched. */
  readonly whileSigning: boolean;
}

interface Meaning {
  readonly test: (said: Said) => boolean;
  readonly error: (said: Said, what: string) => LambdaPackError;
}

/**
 * Returns the error for the user when AWS did not do `what` (`give a login for HOST`). Neither it
 * nor its cause contains a secret. CREDENTIALS_INVALID: there are no credentials, or invalid ones.
 * DENIED: they do not allow an action. REGISTRY_UNREACHABLE, REGISTRY_ANSWER: another run may
 * succeed.
 */
export function awsError(
  error: unknown,
  what: string,
  profile?: string,
  action = "ecr:GetAuthorizationToken",
): LambdaPackError {
  if (error instanceof LambdaPackError) return error;
  const said = { ...saidBy(error), where: profile ? ` in the profile ${profile}` : "", action };
  const failure = credentialFailure(error, said);
  const early = failure && credentialError(failure, what);
  if (early) return early;
  const meaning = MEANINGS.find(({ test }) => test(said));
  return meaning?.error(said, what) ?? answer(said, what);
}

const MEANINGS: readonly Meaning[] = [
  {
    // The SDK has already adjusted to the server's clock and tried again without success.
    test: ({ name, message }) =>
      name === "RequestTimeTooSkewed" || /Signature (?:expired|not yet current)/.test(message),
    error: ({ message }, what) =>
      credentials(
        `the clock of this machine is wrong: AWS cannot ${what} (${message})`,
        "set the clock, then run it again",
      ),
  },
  {
    test: ({ name }) => /^(?:ExpiredToken(?:Exception)?|RequestExpired)$/.test(name),
    error: (_, what) =>
      credentials(
        `the AWS session has expired: AWS cannot ${what}`,
        "get new credentials, for example with aws sso login",
      ),
  },
  {
    test: ({ name }) =>
      /^(?:UnrecognizedClient(?:Exception)?|InvalidClientTokenId|InvalidAccessKeyId|InvalidSignature(?:Exception)?|SignatureDoesNotMatch|IncompleteSignature(?:Exception)?|MissingAuthenticationToken(?:Exception)?)$/.test(
        name,
      ),
    error: (_, what) =>
      credentials(
        `AWS does not know these keys: it cannot ${what}`,
        "check AWS_PROFILE or AWS_ACCESS_KEY_ID; China, GovCloud and each isolated region have accounts and keys of their own",
      ),
  },
  {
    test: ({ name, status }) => /^AccessDenied/.test(name) || status === 403,
    error: denied,
  },
  {
    test: ({ code, message }) => isUntrusted(code, message),
    error: ({ message }, what) =>
      new LambdaPackError("REGISTRY_UNREACHABLE", `AWS cannot be reached to ${what}: ${message}`, {
        hint: "a proxy that inspects TLS, or an endpoint with a private certificate: set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to a PEM file with its authority",
      }),
  },
  {
    test: ({ unanswered, whileSigning }) => unanswered && whileSigning,
    error: ({ message, code }, what) =>
      new LambdaPackError(
        "REGISTRY_UNREACHABLE",
        `STS or SSO cannot be reached for credentials to ${what}: ${message}`,
        {
          hint: "check the network, and HTTPS_PROXY and NO_PROXY; a private subnet needs the endpoint com.amazonaws.<region>.sts",
          cause: socketCause(message, code),
        },
      ),
  },
  {
    test: ({ unanswered }) => unanswered,
    error: ({ message, action, code }, what) =>
      new LambdaPackError("REGISTRY_UNREACHABLE", `AWS cannot be reached to ${what}: ${message}`, {
        hint: `check the region, the network, and HTTPS_PROXY and NO_PROXY; a private subnet needs the endpoint com.amazonaws.<region>.${action.startsWith("ecr:") ? "ecr.api" : "lambda"}`,
        cause: socketCause(message, code),
      }),
  },
];

/** Returns the system's error without what the SDK adds. Retries judge its code. */
function socketCause(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

/**
 * AWS's message usually names the principal, the action and the resource; if it does not, the
 * action is the one that was attempted.
 */
function denied({ message, action: tried }: Said, what: string): LambdaPackError {
  const action = /to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)/.exec(message)?.[1] ?? tried;
  const resource = /on resource: (\S+)/.exec(message)?.[1] ?? (action.startsWith("ecr:") ? "*" : undefined);
  const principal = /User: (\S+) is not authorized/.exec(message)?.[1];
  return new LambdaPackError("DENIED", `AWS refused to ${what}: ${action} is not allowed (${message})`, {
    hint: `allow ${action}${resource === undefined ? "" : ` on the resource ${resource}`} in the IAM policy of ${principal ?? "the caller"}`,
  });
}

/** Returns the error for throttling or a server error that persisted through all retries. */
function answer({ name, message, status }: Said, what: string): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `AWS failed to ${what}: ${name}: ${message}`, {
    answer: { status, complaints: [{ code: name, message }], by: "aws" },
    hint: "run it again in a while",
  });
}

function credentials(message: string, hint: string): LambdaPackError {
  const details: ErrorDetails = { hint };
  return new LambdaPackError("CREDENTIALS_INVALID", message, details);
}

/** Returns undefined if there were credentials and the request itself was sent to AWS. */
function credentialFailure(error: unknown, said: Said): CredentialFailure | undefined {
  const { whileSigning = false, providerNotes = [] } = error as CredentialContext;
  if (!whileSigning && !isProvider(said.name)) return undefined;
  const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
  return {
    ...said,
    code: typeof code === "string" ? code : "",
    path: typeof path === "string" ? path : "",
    notes: providerNotes.map(redact),
  };
}

function saidBy(error: unknown): Omit<Said, "where" | "action"> {
  const { name, message, code, $metadata } = error as {
    readonly code?: unknown;
    readonly name?: unknown;
    readonly message?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  const status = $metadata?.httpStatusCode;
  return {
    name: typeof name === "string" ? name : "Error",
    message: redact(typeof message === "string" ? message : String(error)),
    status: typeof status === "number" ? status : 0,
    code: typeof code === "string" ? code : "",
    whileSigning: (error as CredentialContext).whileSigning === true,
    unanswered: name === "TimeoutError" || (status === undefined && typeof code === "string"),
  };
}

/** Returns whether the server's certificate was not trusted. */
function isUntrusted(code: string, message: string): boolean {
  return (
    /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED)/.test(
      code,
    ) ||
    /self[- ]signed certificate|unable to (?:get local issuer|verify the first) certificate/i.test(message)
  );
}

/** Removes secrets, and access key IDs, which are not secret but need not be shown. */
function redact(message: string): string {
  return redactText(message.slice(0, 2000).replace(/\s*Deserialization error: to see.*/s, ""))
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "redacted")
    .replace(/\s+/g, " ")
    .trim();
}
