import { partitionOf } from "../regions.ts";
import { LAMBDA } from "./policy.ts";
import { type Document, emptyDocument, type Statement } from "./policy-document.ts";

export type Job = "push" | "deploy" | "create";

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

const LOGIN: Statement = {
  Sid: "Login",
  Effect: "Allow",
  Action: "ecr:GetAuthorizationToken",
  Resource: "*",
};

/** Returns the smallest identity policy with which `lambda-pack` can do the job. */
export function leastPolicy(job: Job, facts: JobFacts): Document {
  const statements = { push, deploy, create }[job](facts);
  return { ...emptyDocument(), Statement: statements };
}

function create(facts: JobFacts): readonly Statement[] {
  return [
    {
      Sid: "CreateRepository",
      Effect: "Allow",
      Action: [
        "ecr:CreateRepository",
        "ecr:DescribeRepositories",
        "ecr:GetLifecyclePolicy",
        "ecr:PutLifecyclePolicy",
        "ecr:GetRepositoryPolicy",
        "ecr:SetRepositoryPolicy",
        "ecr:DeleteRepositoryPolicy",
        // For --resource-tag.
        "ecr:TagResource",
      ],
      Resource: repositoryArn(facts),
    },
  ];
}

function push(facts: JobFacts): readonly Statement[] {
  return [
    LOGIN,
    {
      Sid: "Push",
      Effect: "Allow",
      Action: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        // To find the newest image, whose layers a build reuses.
        "ecr:DescribeImages",
      ],
      Resource: repositoryArn(facts),
    },
  ];
}

function deploy(facts: JobFacts): readonly Statement[] {
  return [
    ...push(facts),
    {
      Sid: "LetLambdaPull",
      Effect: "Allow",
      Action: ["ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"],
      Resource: repositoryArn(facts),
    },
    {
      Sid: "Deploy",
      Effect: "Allow",
      Action: [
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
      ],
      Resource: functionArns(facts),
    },
    {
      Sid: "PassRole",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: facts.role ?? `arn:${partition(facts)}:iam::${facts.accountId ?? "*"}:role/*`,
      Condition: { StringEquals: { "iam:PassedToService": LAMBDA } },
    },
  ];
}

function repositoryArn(facts: JobFacts): string {
  return `arn:${partition(facts)}:ecr:${facts.region ?? "*"}:${facts.accountId ?? "*"}:repository/${facts.repository}`;
}

/** Returns the ARNs of the functions, their versions and their aliases. */
function functionArns(facts: JobFacts): readonly string[] {
  const names = facts.functions.length === 0 ? ["*"] : facts.functions;
  return names.flatMap((name) => {
    const arn = `arn:${partition(facts)}:lambda:${facts.region ?? "*"}:${facts.accountId ?? "*"}:function:${name}`;
    return name.endsWith("*") ? [arn] : [arn, `${arn}:*`];
  });
}

function partition({ region }: JobFacts): string {
  return partitionOf(region ?? "").name;
}
