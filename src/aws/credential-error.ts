import { LambdaPackError } from "../errors.ts";

/** What is known about an error that occurred while credentials were fetched. */
export interface CredentialFailure {
  readonly name: string;
  /** Redacted, on one line. */
  readonly message: string;
  /** HTTP status of STS or SSO; 0 where there is none. */
  readonly status: number;
  /** The error code of a socket or a file: `ENOENT`. */
  readonly code: string;
  /** The path of the file that could not be read. */
  readonly path: string;
  /** The messages of providers that failed, redacted. */
  readonly notes: readonly string[];
  /** ` in the profile p`, or empty. */
  readonly where: string;
}

interface Meaning {
  readonly test: (failure: CredentialFailure) => boolean;
  readonly error: (failure: CredentialFailure, what: string) => LambdaPackError;
}

const HOW_TO_SIGN_IN =
  "run aws sso login or aws configure and set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them";

const MEANINGS: readonly Meaning[] = [
  {
    test: ({ name, message }) => isProvider(name) && /multi-factor authentication/.test(message),
    error: ({ message }, what) =>
      invalid(
        `AWS cannot ${what} without the code of an MFA device (${message})`,
        "run it in a terminal, where the code is asked for, or get a session first: aws sts get-session-token --serial-number <ARN> --token-code <code>",
      ),
  },
  {
    test: ({ name, notes }) => isProvider(name) && notes.some((note) => /Command failed/.test(note)),
    error: ({ notes, where }, what) =>
      invalid(
        `credential_process failed${where}: AWS cannot ${what} (${notes.find((note) => /Command failed/.test(note))})`,
        "run the command of credential_process in ~/.aws/config yourself, and correct what it says",
      ),
  },
  {
    test: ({ name, notes }) => isProvider(name) && notes.some((note) => /credential_process/.test(note)),
    error: ({ notes, where }, what) =>
      invalid(
        `credential_process gave no credentials${where}: AWS cannot ${what} (${notes.find((note) => /credential_process/.test(note))})`,
        "its output has to be one JSON object with Version 1, AccessKeyId and SecretAccessKey",
      ),
  },
  {
    test: ({ name, notes, where }) =>
      isProvider(name) && where !== "" && notes.some((note) => /could not be found/i.test(note)),
    error: ({ where }, what) =>
      invalid(
        `no AWS credentials${where}, which is neither in ~/.aws/config nor in ~/.aws/credentials: AWS cannot ${what}`,
        "aws configure list-profiles shows the profiles; correct AWS_PROFILE",
      ),
  },
  {
    test: ({ name, message }) =>
      isProvider(name) && /from any providers|Metadata Service access disabled/.test(message),
    error: ({ where }, what) => invalid(`no AWS credentials${where}: AWS cannot ${what}`, HOW_TO_SIGN_IN),
  },
  {
    test: ({ name, message }) =>
      isProvider(name) && /aws sso login|\bSSO\b|^UnauthorizedException/.test(message),
    error: ({ message }, what) =>
      invalid(
        `the AWS SSO session is over: AWS cannot ${what} (${message})`,
        "run aws sso login with the same profile",
      ),
  },
  {
    test: ({ name, message }) => isProvider(name) && /^ForbiddenException/.test(message),
    error: ({ message, where }, what) =>
      invalid(
        `AWS SSO gives no credentials${where}: AWS cannot ${what} (${message})`,
        "check sso_account_id and sso_role_name; the role has to be assigned to you in IAM Identity Center",
      ),
  },
  {
    test: ({ name }) => isProvider(name),
    error: ({ message }, what) =>
      invalid(`the AWS credentials cannot be read: AWS cannot ${what} (${message})`, HOW_TO_SIGN_IN),
  },
  {
    test: ({ path }) => path !== "",
    error: ({ path, code }, what) =>
      invalid(
        `the token file of the web identity cannot be read: AWS cannot ${what} (${code}: ${path})`,
        "set AWS_WEB_IDENTITY_TOKEN_FILE to the file with the token; in GitHub Actions the job needs permissions: id-token: write",
      ),
  },
  {
    test: ({ name }) => /^(?:InvalidIdentityToken|IDPRejectedClaim)/.test(name),
    error: ({ name, message }, what) =>
      invalid(
        `AWS does not accept the web identity token: it cannot ${what} (${name}: ${message})`,
        "the account of the role needs an IAM OIDC provider for the issuer of the token, with its audience (usually sts.amazonaws.com)",
      ),
  },
  {
    test: ({ name }) => /^ExpiredToken/.test(name),
    error: ({ message }, what) =>
      invalid(
        `the AWS session has expired: AWS cannot ${what} (${message})`,
        "get new credentials, for example with aws sso login, or a new web identity token",
      ),
  },
  {
    test: ({ name, message }) => /^AccessDenied/.test(name) && /sts:AssumeRole/.test(message),
    error: roleDenied,
  },
  {
    // Other refusals of STS or SSO persist until the profile or the role is corrected.
    test: ({ status, name }) => status >= 400 && status < 500 && status !== 429 && !isPassing(name),
    error: ({ name, message, where }, what) =>
      invalid(
        `AWS gives no credentials${where}: it cannot ${what} (${name}: ${message})`,
        "check the ARN of the role (AWS_ROLE_ARN, role_arn), the profile, and the keys that it starts from",
      ),
  },
];

/** Returns the error for a failed login; undefined for network and temporary errors. */
export function credentialError(failure: CredentialFailure, what: string): LambdaPackError | undefined {
  return MEANINGS.find(({ test }) => test(failure))?.error(failure, what);
}

export function isProvider(name: string): boolean {
  return name === "CredentialsProviderError" || name === "TokenProviderError" || name === "ProviderError";
}

/** Only the role's trust policy allows a web identity; other callers need their own policy too. */
function roleDenied({ message }: CredentialFailure, what: string): LambdaPackError {
  const action = /sts:AssumeRole\w*/.exec(message)?.[0] ?? "sts:AssumeRole";
  const role = /on resource: (\S+)/.exec(message)?.[1] ?? "the role";
  const caller = /User: (\S+) is not authorized/.exec(message)?.[1];
  const hint =
    action === "sts:AssumeRoleWithWebIdentity"
      ? "allow sts:AssumeRoleWithWebIdentity in the trust policy of the role (AWS_ROLE_ARN): its conditions have to fit the issuer, audience and subject of the token"
      : `allow ${action} to ${caller ?? "the caller"} in the trust policy of ${role}, and on that role in the caller's IAM policy`;
  return new LambdaPackError(
    "DENIED",
    `the role may not be assumed: AWS cannot ${what}: ${action} is not allowed (${message})`,
    { hint },
  );
}

function isPassing(name: string): boolean {
  return /^(?:IDPCommunicationError|Throttl|TooManyRequests|RequestLimitExceeded|RequestTimeTooSkewed|Signature|Invalid(?:ClientTokenId|AccessKeyId|Signature)|UnrecognizedClient)/.test(
    name,
  );
}

function invalid(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("CREDENTIALS_INVALID", message, { hint });
}
