import { LambdaPackError } from "../errors.ts";
import { redactText } from "../registry/errors/redact.ts";
import type { CredentialContext } from "./request-events.ts";

/** The contents of an SDK error, whose classes differ: services, credential providers, sockets. */
interface Failure {
  readonly name: string;
  /** Redacted, on one line. */
  readonly message: string;
  /** HTTP status, or 0. */
  readonly status: number;
  /** The error code of a socket or a file: `ENOENT`. Empty if there is none. */
  readonly code: string;
  /** The path of the file that could not be read, or empty. */
  readonly path: string;
  /** Whether no answer came: a socket error or a timeout. */
  readonly unanswered: boolean;
  /** Whether credentials were still being fetched, from a provider, STS or SSO. */
  readonly isSigning: boolean;
  /** Whether a provider of credentials failed. */
  readonly ofProvider: boolean;
  /** The messages of credential providers that failed, redacted, one on each line. */
  readonly notes: string;
  /** ` in the profile p`, or empty. */
  readonly where: string;
  /** The IAM action that was attempted. */
  readonly action: string;
}

/**
 * Returns the error for the user when AWS could not do `what` (`give a login for HOST`). Neither it
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
  const failure = { ...failureOf(error), where: profile ? ` in the profile ${profile}` : "", action };
  const { name, status, unanswered } = failure;
  const problem = LOGIN_PROBLEMS.find(([test]) => test(failure));
  if (problem) return noLogin(problem, failure, what);
  if (isRoleDenied(failure)) return roleDenied(failure, what);
  if (/^AccessDenied/.test(name) || status === 403) return denied(failure, what);
  return unanswered || isUntrusted(failure) ? unreachable(failure, what) : persistent(failure, what);
}

type LoginProblem = readonly [test: (failure: Failure) => boolean, problem: string, hint: string];

const HOW_TO_SIGN_IN =
  "run aws sso login or aws configure and set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them";

/** The first that fits counts. */
const LOGIN_PROBLEMS: readonly LoginProblem[] = [
  [
    ({ ofProvider, message }) => ofProvider && /multi-factor authentication/.test(message),
    "the code of an MFA device is missing",
    "run it in a terminal, where the code is asked for, or get a session first: aws sts get-session-token --serial-number <ARN> --token-code <code>",
  ],
  [
    ({ ofProvider, notes }) => ofProvider && /Command failed/.test(notes),
    "credential_process failed",
    "run the command of credential_process in ~/.aws/config yourself, and correct what it says",
  ],
  [
    ({ ofProvider, notes }) => ofProvider && /credential_process/.test(notes),
    "credential_process gave no credentials",
    "its output has to be one JSON object with Version 1, AccessKeyId and SecretAccessKey",
  ],
  [
    ({ ofProvider, notes, where }) => ofProvider && where !== "" && /could not be found/i.test(notes),
    "no AWS credentials",
    "the profile is neither in ~/.aws/config nor in ~/.aws/credentials; aws configure list-profiles shows the profiles; correct AWS_PROFILE",
  ],
  [
    ({ ofProvider, message }) =>
      ofProvider && /from any providers|Metadata Service access disabled/.test(message),
    "no AWS credentials",
    HOW_TO_SIGN_IN,
  ],
  [
    ({ ofProvider, message }) => ofProvider && /aws sso login|\bSSO\b|^UnauthorizedException/.test(message),
    "the AWS SSO session is over",
    "run aws sso login with the same profile",
  ],
  [
    ({ ofProvider, message }) => ofProvider && /^ForbiddenException/.test(message),
    "AWS SSO gives no credentials",
    "check sso_account_id and sso_role_name; the role has to be assigned to you in IAM Identity Center",
  ],
  [({ ofProvider }) => ofProvider, "the AWS credentials cannot be read", HOW_TO_SIGN_IN],
  [
    ({ isSigning, path }) => isSigning && path !== "",
    "the token file of the web identity cannot be read",
    "set AWS_WEB_IDENTITY_TOKEN_FILE to the file with the token; in GitHub Actions the job needs permissions: id-token: write",
  ],
  [
    ({ isSigning, name }) => isSigning && /^(?:InvalidIdentityToken|IDPRejectedClaim)/.test(name),
    "AWS does not accept the web identity token",
    "the account of the role needs an IAM OIDC provider for the issuer of the token, with its audience (usually sts.amazonaws.com)",
  ],
  [
    // The SDK has already adjusted to the server's clock and tried again without success.
    ({ name, message }) =>
      name === "RequestTimeTooSkewed" || /Signature (?:expired|not yet current)/.test(message),
    "the clock of this machine is wrong",
    "set the clock, then run it again",
  ],
  [
    ({ name }) => /^(?:ExpiredToken|RequestExpired)/.test(name),
    "the AWS session has expired",
    "get new credentials, for example with aws sso login, or a new web identity token",
  ],
  [
    ({ name }) => UNKNOWN_KEYS.test(name),
    "AWS does not know these keys",
    "check AWS_PROFILE or AWS_ACCESS_KEY_ID; China, GovCloud and each isolated region have accounts and keys of their own",
  ],
  [
    // Other refusals of STS or SSO persist until the profile or the role is corrected.
    (failure) => failure.isSigning && isRefusal(failure) && !isRoleDenied(failure),
    "AWS gives no credentials",
    "check the ARN of the role (AWS_ROLE_ARN, role_arn), the profile, and the keys that it starts from",
  ],
];

const UNKNOWN_KEYS =
  /^(?:UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken)/;

/** Returns whether the answer is a refusal and not a failure that may pass. */
function isRefusal({ status, name }: Failure): boolean {
  const isTemporary = /^(?:IDPCommunicationError|Throttl|TooManyRequests|RequestLimitExceeded)/.test(name);
  return status >= 400 && status < 500 && status !== 429 && !isTemporary;
}

function isRoleDenied({ isSigning, name, message }: Failure): boolean {
  return isSigning && /^AccessDenied/.test(name) && /sts:AssumeRole/.test(message);
}

function noLogin([, problem, hint]: LoginProblem, failure: Failure, what: string): LambdaPackError {
  const { name, message, code, path, notes, where, isSigning, ofProvider } = failure;
  const process = /^.*(?:Command failed|credential_process).*$/m.exec(notes)?.[0];
  const words = process ?? (ofProvider ? message : `${name}: ${message}`);
  const reason = path === "" ? words : `${code}: ${path}`;
  const text = `${problem}${isSigning ? where : ""}: AWS cannot ${what} (${reason})`;
  return new LambdaPackError("CREDENTIALS_INVALID", text, { hint });
}

/** Only the role's trust policy allows a web identity; other callers need their own policy too. */
function roleDenied({ message }: Failure, what: string): LambdaPackError {
  const action = /sts:AssumeRole\w*/.exec(message)?.[0] ?? "sts:AssumeRole";
  const role = /on resource: (\S+)/.exec(message)?.[1] ?? "the role";
  const caller = /User: (\S+) is not authorized/.exec(message)?.[1] ?? "the caller";
  const hint =
    action === "sts:AssumeRoleWithWebIdentity"
      ? "allow sts:AssumeRoleWithWebIdentity in the trust policy of the role (AWS_ROLE_ARN): its conditions have to fit the issuer, audience and subject of the token"
      : `allow ${action} to ${caller} in the trust policy of ${role}, and on that role in the caller's IAM policy`;
  return new LambdaPackError(
    "DENIED",
    `the role may not be assumed: AWS cannot ${what}: ${action} is not allowed (${message})`,
    { hint },
  );
}

/**
 * AWS's message usually names the principal, the action and the resource; if it does not, the
 * action is the one that was attempted.
 */
function denied({ message, action: tried }: Failure, what: string): LambdaPackError {
  const action = /to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)/.exec(message)?.[1] ?? tried;
  const resource = /on resource: (\S+)/.exec(message)?.[1] ?? (action.startsWith("ecr:") ? "*" : undefined);
  const caller = /User: (\S+) is not authorized/.exec(message)?.[1] ?? "the caller";
  return new LambdaPackError("DENIED", `AWS refused to ${what}: ${action} is not allowed (${message})`, {
    hint: `allow ${action}${resource === undefined ? "" : ` on the resource ${resource}`} in the IAM policy of ${caller}`,
  });
}

function unreachable(failure: Failure, what: string): LambdaPackError {
  const { message, code, isSigning, action } = failure;
  const place = isSigning ? "STS or SSO cannot be reached for credentials" : "AWS cannot be reached";
  const endpoint = isSigning ? "sts" : action.startsWith("ecr:") ? "ecr.api" : "lambda";
  const hint = isUntrusted(failure)
    ? "set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to a PEM file with the authority of the proxy that inspects TLS, or of the endpoint"
    : `check the region, the network, and HTTPS_PROXY and NO_PROXY; a private subnet needs the endpoint com.amazonaws.<region>.${endpoint}`;
  // The system's error without what the SDK adds. Retries judge its code.
  const cause = Object.assign(new Error(message), { code });
  return new LambdaPackError("REGISTRY_UNREACHABLE", `${place} to ${what}: ${message}`, { hint, cause });
}

const NOT_OF_AWS =
  "that is no answer of AWS: look for a proxy, a login page or an emulator on the way (--verbose)";

/** Returns the error for throttling or a server error that persisted through all retries. */
function persistent({ name, message, status }: Failure, what: string): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `AWS failed to ${what}: ${name}: ${message}`, {
    answer: { status, complaints: [{ code: name, message }], by: "aws" },
    hint: name === "SyntaxError" ? NOT_OF_AWS : "run it again in a while",
  });
}

function failureOf(error: unknown): Omit<Failure, "where" | "action"> {
  const fields = Object(error) as Readonly<Record<string, unknown>> & CredentialContext;
  const { name = "Error", message = error, code = "", path = "", whileSigning = false } = fields;
  const status = Object(fields["$metadata"]).httpStatusCode;
  const ofProvider = /^(?:Credentials|Token)?ProviderError$/.test(String(name));
  const isSigning = whileSigning || ofProvider;
  return {
    name: String(name),
    message: redact(String(message)),
    status: typeof status === "number" ? status : 0,
    code: typeof code === "string" ? code : "",
    path: typeof path === "string" ? path : "",
    unanswered: name === "TimeoutError" || (status === undefined && typeof fields["code"] === "string"),
    isSigning,
    ofProvider,
    notes: isSigning ? (fields.providerNotes ?? []).map(redact).join("\n") : "",
  };
}

const UNTRUSTED_CODE =
  /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED)/;
const UNTRUSTED = /self[- ]signed certificate|unable to (?:get local issuer|verify the first) certificate/i;

function isUntrusted({ code, message }: Failure): boolean {
  return UNTRUSTED_CODE.test(code) || UNTRUSTED.test(message);
}

/** Removes secrets, and access key IDs, which are not secret but need not be shown. */
function redact(message: string): string {
  return redactText(message.slice(0, 2000).replace(/\s*Deserialization error: to see.*/s, ""))
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "redacted")
    .replace(/\s+/g, " ")
    .trim();
}
