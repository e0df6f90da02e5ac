import type { ErrorCode } from "../../errors.ts";
import type { Action, Attempted, RefusalFacts } from "./error.ts";

/** What a refusal means to the user, and the next step. */
export interface Advice {
  readonly code: ErrorCode;
  readonly hint: string;
}

/** The IAM action behind each step (Amazon ECR user guide, "IAM permissions for pushing an image"). */
const IAM: Readonly<Record<Action, string>> = {
  "read the manifest": "ecr:BatchGetImage",
  "write the manifest": "ecr:PutImage",
  "check the blob": "ecr:BatchCheckLayerAvailability",
  "read the blob": "ecr:GetDownloadUrlForLayer",
  "start an upload": "ecr:InitiateLayerUpload",
  "send the blob": "ecr:UploadLayerPart",
  "finish the blob": "ecr:CompleteLayerUpload",
};

/** Each AWS quota is for the account in one Region (ECR service quotas). */
const QUOTA: Readonly<Record<Action, string>> = {
  "read the manifest": "2,000 a second",
  "write the manifest": "10 a second",
  "check the blob": "1,000 a second",
  "read the blob": "3,000 a second",
  "start an upload": "100 a second",
  "send the blob": "500 a second",
  "finish the blob": "100 a second",
};

export function iamActionOf(action: Action, registry: Attempted["registry"]): string {
  return registry === "ecr-public" ? IAM[action].replace("ecr:", "ecr-public:") : IAM[action];
}

function isEcr({ registry }: Attempted): boolean {
  return registry === "ecr" || registry === "ecr-public";
}

export function adviceFor(attempted: Attempted, facts: RefusalFacts): Advice {
  if (facts.elsewhere !== undefined) return fromStorage(facts.elsewhere);
  const special = byWords(attempted, facts);
  if (special) return special;
  const byStatus = STATUSES[facts.status];
  return byStatus ? byStatus(attempted) : { code: "REGISTRY_ANSWER", hint: hintOfStatus(facts.status) };
}

/** S3 says so of an address that has expired, and of a network whose endpoint policy or firewall does not let it through. */
function fromStorage(host: string): Advice {
  return {
    code: "REGISTRY_ANSWER",
    hint: `${host} keeps the blobs of this registry: a firewall or a VPC endpoint policy may keep you from it`,
  };
}

/** Some meanings are only in the words. */
function byWords(attempted: Attempted, { complaints, status }: RefusalFacts): Advice | undefined {
  const says = (pattern: RegExp) =>
    complaints.some(({ code, message }) => pattern.test(`${code}: ${message}`));
  // ECR reports an expired token as "denied" (awslabs/soci-snapshotter#1148).
  if (says(/authorization token has expired/i)) return expired(attempted);
  if (says(/^(TAG_INVALID|ImageTagAlreadyExists\w*): .*(immutable|already exists)/i)) {
    return { code: "TAG_IMMUTABLE", hint: OWN_TAG };
  }
  if (says(/^NAME_UNKNOWN\b|RepositoryNotFound/)) return noRepository(attempted);
  if (status === 405 && says(/^UNSUPPORTED\b/) && attempted.action === "write the manifest")
    return MANIFEST_DISLIKED;
  return says(/^(TOOMANYREQUESTS|ThrottlingException|SlowDown)\b/) ? tooMany(attempted) : undefined;
}

/** Whoever gave no tag does not know that there was one. */
const OWN_TAG =
  "tags of this repository cannot be moved: give each build a tag of its own, as NAME:$(git rev-parse --short HEAD); without one it is latest, which works once";

/** ECR's one answer to every manifest that it dislikes (containers/image#584, containers-roadmap#876 and #2439). */
const MANIFEST_DISLIKED: Advice = {
  code: "REGISTRY_ANSWER",
  hint: "the registry does not take this manifest: ECR says this of one without layers, without mediaType or with platform.features",
};

const STATUSES: Readonly<Record<number, (attempted: Attempted) => Advice>> = {
  401: (attempted) => ({ code: "CREDENTIALS_INVALID", hint: loginHint(attempted) }),
  403: (attempted) => ({ code: "DENIED", hint: deniedHint(attempted) }),
  404: notFound,
  405: () => ({
    code: "REGISTRY_ANSWER",
    hint: "the registry may be read-only, or only a mirror: push to another one",
  }),
  413: () => ({
    code: "REGISTRY_ANSWER",
    hint: "something in front of the registry limits the size of a request (nginx: client_max_body_size): raise that limit",
  }),
  429: tooMany,
};

function hintOfStatus(status: number): string {
  return status >= 500
    ? "the registry has trouble: run it again later, what arrived is not sent again"
    : RUN_AGAIN;
}

function loginHint(attempted: Attempted): string {
  if (attempted.registry === "ecr") {
    return "the AWS credentials must belong to an account and Region that may use this registry: aws sts get-caller-identity shows them";
  }
  return `log in first: docker login ${hostOf(attempted)}`;
}

function deniedHint(attempted: Attempted): string {
  if (!isEcr(attempted)) return `the credentials for ${hostOf(attempted)} do not allow this`;
  return `the caller needs ${iamActionOf(attempted.action, attempted.registry)} on the repository, and its token must come from the registry's own Region`;
}

function expired(attempted: Attempted): Advice {
  return { code: "CREDENTIALS_INVALID", hint: `the login is older than 12 hours. ${loginHint(attempted)}` };
}

const RUN_AGAIN =
  "run it again; if that does not help, --verbose shows every request, for those who keep the registry";

function notFound(attempted: Attempted): Advice {
  if (attempted.action === "read the manifest")
    return { code: "IMAGE_NOT_FOUND", hint: "check the tag or digest" };
  return attempted.action === "start an upload"
    ? noRepository(attempted)
    : { code: "REGISTRY_ANSWER", hint: RUN_AGAIN };
}

function noRepository(attempted: Attempted): Advice {
  return { code: "REPOSITORY_NOT_FOUND", hint: repositoryHint(attempted) };
}

export function repositoryHint(attempted: Attempted): string {
  if (!isEcr(attempted)) return "check the name, and that the registry has this repository";
  return `check the account, Region and name, or create it: lambda-pack repo create ${attempted.name}`;
}

function tooMany(attempted: Attempted): Advice {
  const quota = `AWS allows ${QUOTA[attempted.action]} of ${iamActionOf(attempted.action, attempted.registry)} for an account in a Region`;
  return {
    code: "REGISTRY_ANSWER",
    hint:
      attempted.registry === "ecr"
        ? `${quota}: run it again later, or with fewer --jobs`
        : "run it again later, or with fewer --jobs",
  };
}

function hostOf({ name }: Attempted): string {
  return name.split("/", 1)[0] ?? name;
}
