import { type ErrorDetails, LambdaPackError } from "../errors.ts";
import { redactText } from "../registry/errors/redact.ts";
import { type CredentialFailure, credentialError, isProvider } from "./credential-error.ts";
import type { CredentialContext } from "./request-events.ts";

/**
 * What an SDK's error says, whatever its class: service errors, credential providers and sockets
 * have different ones.
 */
interface Said {
  readonly name: string;
  /** Redacted, on one line. */
  readonly message: string;
  /** HTTP status; 0 where there is none. */
  readonly status: number;
  /** A socket's error, or a time that ran out. */
  readonly unanswered: boolean;
  /** Which profile was to give the credentials, where one was named. */
  readonly where: string;
  /** The action that was tried. */
  readonly action: string;
  /** Of a socket; empty where there is none. */
  readonly code: string;
  /** Whether credentials were still being fetched. */
  readonly whileSigning: boolean;
}

interface Meaning {
  readonly test: (said: Said) => boolean;
  readonly error: (said: Said, what: string) => LambdaPackError;
}

/**
 * The error for the user when AWS did not do `what` (`give a login for HOST`). No secret is in it,
 * nor in its cause. CREDENTIALS_INVALID: there are none, or they are not good. DENIED: they lack an
 * action. REGISTRY_UNREACHABLE, REGISTRY_ANSWER: worth another run.
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
    // The SDK has corrected the clock by the server's own and tried again; a clock that still
    // differs runs wild.
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

/**
 * The system's error without what the SDK adds to it: its code tells a registry's retries whether
 * it may pass.
 */
function socketCause(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

/**
 * AWS's own words name the principal, the action and the resource; where they do not, the action is
 * the one that was tried.
 */
function denied({ message, action: tried }: Said, what: string): LambdaPackError {
  const action = /to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)/.exec(message)?.[1] ?? tried;
  const resource = /on resource: (\S+)/.exec(message)?.[1] ?? (action.startsWith("ecr:") ? "*" : undefined);
  const principal = /User: (\S+) is not authorized/.exec(message)?.[1];
  return new LambdaPackError("DENIED", `AWS does not ${what}: ${action} is not allowed (${message})`, {
    hint: `allow ${action}${resource === undefined ? "" : ` on the resource ${resource}`} in the IAM policy of ${principal ?? "the caller"}`,
  });
}

/** Throttled or broken, after the SDK's own three attempts. */
function answer({ name, message, status }: Said, what: string): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `AWS did not ${what}: ${name}: ${message}`, {
    answer: { status, complaints: [{ code: name, message }], by: "aws" },
    hint: "run it again in a while",
  });
}

function credentials(message: string, hint: string): LambdaPackError {
  const details: ErrorDetails = { hint };
  return new LambdaPackError("CREDENTIALS_INVALID", message, details);
}

/** undefined: credentials were there, and AWS was sent the request itself. */
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

/** Whether the certificate of the other side was not accepted. */
function isUntrusted(code: string, message: string): boolean {
  return (
    /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED)/.test(
      code,
    ) ||
    /self[- ]signed certificate|unable to (?:get local issuer|verify the first) certificate/i.test(message)
  );
}

/** Access key ids are no secrets, but nothing to spread either. */
function redact(message: string): string {
  return redactText(message.slice(0, 2000).replace(/\s*Deserialization error: to see.*/s, ""))
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "redacted")
    .replace(/\s+/g, " ")
    .trim();
}
