import { partitionOf } from "../regions.ts";
import { LAMBDA } from "./policy.ts";
import { type Document, emptyDocument, type Statement } from "./policy-document.ts";

type Job = "push" | "deploy" | "create";

/** What the policy is for. An unknown value becomes `*`. */
interface JobFacts {
  readonly repository: string;
  readonly region: string | undefined;
  readonly accountId: string | undefined;
  /** Names or patterns. */
  readonly functions: readonly string[];
  /** ARN of the execution role that may be passed to a function. */
  readonly role: string | undefined;
}

const CREATE_REPOSITORY: readonly string[] = [
  "ecr:CreateRepository",
  "ecr:DescribeRepositories",
  "ecr:GetLifecyclePolicy",
  "ecr:PutLifecyclePolicy",
  "ecr:GetRepositoryPolicy",
  "ecr:SetRepositoryPolicy",
  "ecr:DeleteRepositoryPolicy",
  // For --resource-tag.
  "ecr:TagResource",
];

const PUSH: readonly string[] = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:InitiateLayerUpload",
  "ecr:UploadLayerPart",
  "ecr:CompleteLayerUpload",
  "ecr:PutImage",
  "ecr:BatchGetImage",
  "ecr:GetDownloadUrlForLayer",
  // To find the newest image, whose layers a build reuses.
  "ecr:DescribeImages",
];

const LET_LAMBDA_PULL: readonly string[] = [
  "ecr:DescribeRepositories",
  "ecr:GetRepositoryPolicy",
  "ecr:SetRepositoryPolicy",
];

const DEPLOY: readonly string[] = [
  "lambda:GetFunction",
  "lambda:CreateFunction",
  "lambda:UpdateFunctionCode",
  "lambda:UpdateFunctionConfiguration",
  "lambda:ListVersionsByFunction",
  "lambda:PublishVersion",
  "lambda:GetAlias",
  "lambda:CreateAlias",
  "lambda:UpdateAlias",
  "lambda:InvokeFunction",
  // For --resource-tag.
  "lambda:TagResource",
];

/** Returns the smallest identity policy with which `lambda-pack` can do the job. */
export function leastPolicy(job: Job, facts: JobFacts): Document {
  const { repository, region = "*", accountId = "*", role } = facts;
  const partition = partitionOf(region).name;
  const arn = `arn:${partition}:ecr:${region}:${accountId}:repository/${repository}`;
  const push = [allow("Login", "ecr:GetAuthorizationToken", "*"), allow("Push", PUSH, arn)];
  const passRole = {
    ...allow("PassRole", "iam:PassRole", role ?? `arn:${partition}:iam::${accountId}:role/*`),
    Condition: { StringEquals: { "iam:PassedToService": LAMBDA } },
  };
  const functions = functionArns(`arn:${partition}:lambda:${region}:${accountId}`, facts.functions);
  const statements: Readonly<Record<Job, readonly Statement[]>> = {
    create: [allow("CreateRepository", CREATE_REPOSITORY, arn)],
    push,
    deploy: [
      ...push,
      allow("LetLambdaPull", LET_LAMBDA_PULL, arn),
      allow("Deploy", DEPLOY, functions),
      passRole,
    ],
  };
  return { ...emptyDocument(), Statement: statements[job] };
}

function allow(
  Sid: string,
  Action: string | readonly string[],
  Resource: string | readonly string[],
): Statement {
  return { Sid, Effect: "Allow", Action, Resource };
}

/** Returns the ARNs of the functions, their versions and their aliases. */
function functionArns(prefix: string, names: readonly string[]): readonly string[] {
  return (names.length === 0 ? ["*"] : names).flatMap((name) => {
    const arn = `${prefix}:function:${name}`;
    return name.endsWith("*") ? [arn] : [arn, `${arn}:*`];
  });
}
