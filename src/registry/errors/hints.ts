import type { ErrorCode } from "../../errors.ts";
import { clientCertificateHint } from "../http/socket-error.ts";
import type { Action, Attempted, RefusalFacts } from "./network-error.ts";
import { isPullLimit } from "./retry.ts";

/** The error code of a refusal, and the next step for the user. */
interface Hint {
  readonly code: ErrorCode;
  readonly hint: string;
}

/**
 * The IAM action that each step needs (Amazon ECR user guide, "IAM permissions for pushing an
 * image"), and how often one account may call it in one Region (ECR service quotas).
 */
const ECR_STEPS: Readonly<Record<Action, readonly [iam: string, quota: string]>> = {
  "read the manifest": ["ecr:BatchGetImage", "2,000 a second"],
  "write the manifest": ["ecr:PutImage", "10 a second"],
  "check the blob": ["ecr:BatchCheckLayerAvailability", "1,000 a second"],
  "read the blob": ["ecr:GetDownloadUrlForLayer", "3,000 a second"],
  "start an upload": ["ecr:InitiateLayerUpload", "100 a second"],
  "send the blob": ["ecr:UploadLayerPart", "500 a second"],
  "finish the blob": ["ecr:CompleteLayerUpload", "100 a second"],
};

function refusedWith(hint: string): Hint {
  return { code: "REGISTRY_ANSWER", hint };
}

export function iamActionOf(action: Action, registry: Attempted["registry"]): string {
  const [iam] = ECR_STEPS[action];
  return registry === "ecr-public" ? iam.replace("ecr:", "ecr-public:") : iam;
}

function isEcr({ registry }: Attempted): boolean {
  return registry === "ecr" || registry === "ecr-public";
}

/** Returns the error code and the next step for a refusal. */
export function hintFor(attempted: Attempted, facts: RefusalFacts): Hint {
  if (facts.by === "storage") return fromStorage(facts);
  const special = byWords(attempted, facts);
  if (special) return special;
  const byStatus = STATUSES[facts.status];
  if (byStatus) return byStatus(attempted, facts);
  return refusedWith(facts.status >= 500 ? RUN_LATER : RUN_AGAIN);
}

/** S3 refuses an expired signed URL, and a request that an endpoint policy does not allow. */
function fromStorage({ host, status }: RefusalFacts): Hint {
  if (status === 401)
    return {
      code: "CREDENTIALS_INVALID",
      hint: `the registry redirects to ${host}, which wants a login of its own: name the image there, or docker login ${host}`,
    };
  return refusedWith(
    `${host} keeps the blobs of this registry: a firewall or a VPC endpoint policy may block it`,
  );
}

/** Returns the hint for a refusal that only its text explains. */
function byWords(attempted: Attempted, { complaints, status, text, host }: RefusalFacts): Hint | undefined {
  // nginx: "No required SSL certificate was sent", "The SSL certificate error".
  if (status === 400 && /\bSSL certificate\b/i.test(text))
    return { code: "CREDENTIALS_INVALID", hint: clientCertificateHint(host) };
  const matches = (pattern: RegExp) =>
    complaints.some(({ code, message }) => pattern.test(`${code}: ${message}`));
  // ECR reports an expired token as "denied" (awslabs/soci-snapshotter#1148).
  if (matches(/authorization token has expired/i))
    return { code: "CREDENTIALS_INVALID", hint: `the login is older than 12 hours. ${loginHint(attempted)}` };
  if (isImmutable(attempted, matches)) return { code: "TAG_IMMUTABLE", hint: OWN_TAG };
  const ofEcr = isEcr(attempted) ? ECR_WORDS.find(([pattern]) => matches(pattern))?.[1] : undefined;
  if (ofEcr) return ofEcr;
  if (matches(/^NAME_UNKNOWN\b|RepositoryNotFound/)) return noRepository(attempted);
  if (status === 405 && matches(/^UNSUPPORTED\b/) && attempted.action === "write the manifest")
    return MANIFEST_REFUSED;
  if (isPullLimit(complaints)) return pullLimit(attempted);
  return matches(/^(TOOMANYREQUESTS|ThrottlingException|SlowDown)\b/) ? tooMany(attempted) : undefined;
}

/**
 * ECR: TAG_INVALID or ImageTagAlreadyExists. Harbor: 412 "configured as immutable"
 * (goharbor/harbor#9427). Nexus: 400 "does not allow updating assets"
 * (GoogleContainerTools/jib#2395). Docker Hub, Artifact Registry and Quay use the word immutable.
 */
function isImmutable({ action }: Attempted, matches: (pattern: RegExp) => boolean): boolean {
  if (action !== "write the manifest") return false;
  return (
    matches(/\bimmutab(le|ility)\b/i) ||
    matches(/does not allow updating assets/i) ||
    matches(/^(TAG_INVALID|ImageTagAlreadyExists\w*): .*already exists/i) ||
    matches(/\btag\b.*\b(cannot|can not|may not) be (overwritten|updated|moved|changed)/i)
  );
}

/** A push without a tag writes `latest`, which the user may not expect. */
const OWN_TAG =
  "tags of this repository cannot be moved: use a new tag for each build, such as NAME:$(git rev-parse --short HEAD); without a tag it is latest, which works only once";

/**
 * ECR gives this answer for every manifest that it refuses (containers/image#584,
 * containers-roadmap#876 and #2439).
 */
const MANIFEST_REFUSED = refusedWith(
  "the registry does not accept this manifest: ECR says this of one without layers, without mediaType or with platform.features",
);

const ECR_WORDS: readonly (readonly [RegExp, Hint])[] = [
  [
    /\bupstream (registry|credential|secret)|pull[- ]through/i,
    refusedWith(
      "this repository is a pull-through cache: check the credentials of its rule in Secrets Manager (aws ecr validate-pull-through-cache-rule)",
    ),
  ],
  [
    /\bKms\w*|\bKMS\b/,
    {
      code: "AWS_REFUSED",
      hint: "the repository is encrypted with a KMS key: check that the key is enabled and that its policy lets the caller and ECR use it",
    },
  ],
  [
    /LimitExceeded|maximum number of (images|tags|layers)/i,
    {
      code: "AWS_REFUSED",
      hint: "the repository has reached a limit of ECR: delete images with lambda-pack prune, or raise the limit in Service Quotas",
    },
  ],
];

const STATUSES: Readonly<Record<number, (attempted: Attempted, facts: RefusalFacts) => Hint>> = {
  401: (attempted) => ({ code: "CREDENTIALS_INVALID", hint: loginHint(attempted) }),
  403: (attempted, facts) => ({ code: "DENIED", hint: deniedHint(attempted, facts) }),
  404: notFound,
  405: () => refusedWith("the registry may be read-only, or only a mirror: push to another one"),
  412: () =>
    refusedWith(
      "a policy of the registry's project refuses this: change the image as the message says, or ask the project's administrator",
    ),
  413: () =>
    refusedWith(
      "something in front of the registry limits the size of a request (nginx: client_max_body_size): raise that limit",
    ),
  429: tooMany,
};

const RUN_LATER = "the registry has trouble: run it again later, what arrived is not sent again";

function loginHint(attempted: Attempted): string {
  if (attempted.registry === "ecr") {
    return "the AWS credentials must belong to an account and region that may use this registry: aws sts get-caller-identity shows them";
  }
  return `log in first: docker login ${hostOf(attempted)}`;
}

function deniedHint(attempted: Attempted, { complaints }: RefusalFacts): string {
  const as =
    attempted.credentialsFrom === undefined ? "" : ` (credentials from ${attempted.credentialsFrom})`;
  if (!isEcr(attempted)) {
    if (attempted.credentialsFrom === undefined) return `log in first: docker login ${hostOf(attempted)}`;
    return `the credentials for ${hostOf(attempted)} do not allow this${as}`;
  }
  const named = complaints.flatMap(({ message }) => IAM_ACTION.exec(message)?.[1] ?? [])[0];
  const action = named ?? iamActionOf(attempted.action, attempted.registry);
  return `the caller${as} needs ${action} on the repository, and its token must come from the registry's own region`;
}

const IAM_ACTION = /not authorized to perform: (ecr(?:-public)?:\w+)/;

const RUN_AGAIN =
  "run it again; if that does not help, --verbose shows every request for the registry's operator";

function notFound(attempted: Attempted): Hint {
  if (attempted.action === "read the manifest")
    return { code: "IMAGE_NOT_FOUND", hint: "check the tag or digest" };
  return attempted.action === "start an upload" ? noRepository(attempted) : refusedWith(RUN_AGAIN);
}

function noRepository(attempted: Attempted): Hint {
  return { code: "REPOSITORY_NOT_FOUND", hint: repositoryHint(attempted) };
}

export function repositoryHint(attempted: Attempted): string {
  if (!isEcr(attempted)) return "check the name, and that the registry has this repository";
  // A pull-through cache puts a prefix before the upstream's name.
  const mayBeCache = attempted.action === "read the manifest" && /^[^/]+\/[^/]+\/./.test(attempted.name);
  const cache = mayBeCache
    ? "; a pull-through cache creates it only for a caller with ecr:BatchImportUpstreamImage and ecr:CreateRepository"
    : "";
  return `check the account, the region and the name, or create it: lambda-pack repo create ${attempted.name}${cache}`;
}

/** Docker Hub counts pulls per account, or per IP address without a login. */
function pullLimit(attempted: Attempted): Hint {
  const login =
    attempted.credentialsFrom === undefined
      ? `log in, which raises the limit: docker login ${hostOf(attempted)}`
      : "wait until the limit is over, or use an account with a higher one";
  return refusedWith(
    `${login}; AWS's own bases and many public images are at public.ecr.aws without this limit`,
  );
}

function tooMany({ action, registry }: Attempted): Hint {
  const again = "run it again later, or with fewer --jobs";
  if (registry !== "ecr") return refusedWith(again);
  const [iam, quota] = ECR_STEPS[action];
  return refusedWith(`AWS allows ${quota} of ${iam} for an account in a region: ${again}`);
}

function hostOf({ name }: Attempted): string {
  return name.split("/", 1)[0] ?? name;
}
