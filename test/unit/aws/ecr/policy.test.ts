import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { leastPolicy } from "../../../../src/aws/policy/iam.ts";
import {
  changesBetween,
  foreignAccounts,
  type Readers,
  withoutReaders,
  withReaders,
} from "../../../../src/aws/policy/policy.ts";
import {
  type Document,
  grants,
  parsePolicy,
  type Statement,
} from "../../../../src/aws/policy/policy-document.ts";

const OWN = { region: "eu-west-1", accountId: "123456789012", accounts: [] };
const SHARED = { ...OWN, accounts: ["210987654321"] };
const PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const LAMBDA = "lambda.amazonaws.com";
const FUNCTIONS = "arn:aws:lambda:eu-west-1:123456789012:function:*";

const other: Statement = { Sid: "CI", Effect: "Allow", Principal: { AWS: "*" }, Action: "ecr:PutImage" };
const lambdaStatements = (readers: Readers) => withReaders(undefined, readers).Statement;
const documentOf = (...Statement: readonly Statement[]): Document => ({ Version: "2012-10-17", Statement });

describe("the statements that Lambda needs", () => {
  it("the statements that Lambda needs are those of AWS's page for the same account", () => {
    assert.deepEqual(lambdaStatements(OWN), [
      {
        Sid: "LambdaECRImageRetrievalPolicy",
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: PULL,
      },
    ]);
  });

  it("the statements that Lambda needs are those of AWS's page for another account", () => {
    assert.deepEqual(lambdaStatements(SHARED).slice(1), [
      {
        Sid: "CrossAccountPermission",
        Effect: "Allow",
        Action: PULL,
        Principal: { AWS: "arn:aws:iam::210987654321:root" },
      },
      {
        Sid: "LambdaECRImageCrossAccountRetrievalPolicy",
        Effect: "Allow",
        Action: PULL,
        Principal: { Service: "lambda.amazonaws.com" },
        Condition: { StringLike: { "aws:sourceARN": "arn:aws:lambda:eu-west-1:210987654321:function:*" } },
      },
    ]);
  });

  for (const [region, partition] of [
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["us-isob-east-1", "aws-iso-b"],
    ["eu-central-1", "aws"],
  ]) {
    it(`the statements that Lambda needs have ARNs of ${partition} in ${region}`, () => {
      const text = JSON.stringify(lambdaStatements({ ...SHARED, region: region ?? "" }));
      assert.ok(text.includes(`arn:${partition}:iam::210987654321:root`), text);
      assert.ok(text.includes(`arn:${partition}:lambda:${region}:210987654321:function:*`), text);
    });
  }

  it("the statements that Lambda needs are not made for what is not an account", () => {
    assert.throws(() => lambdaStatements({ ...OWN, accounts: ["1234"] }), { code: "USAGE" });
  });
});

describe("adding them", () => {
  it("keeps every other statement as it is", () => {
    const after = withReaders(documentOf(other), OWN);
    assert.deepEqual(after.Statement, [other, ...lambdaStatements(OWN)]);
  });

  it("twice changes nothing", () => {
    const once = withReaders(documentOf(other), SHARED);
    assert.equal(withReaders(once, SHARED), once);
    assert.deepEqual(changesBetween(once, withReaders(once, OWN)), []);
  });

  it("for one account and then another lets both", () => {
    const both = withReaders(withReaders(undefined, SHARED), { ...OWN, accounts: ["111111111111"] });
    assert.equal(grants(both, LAMBDA, FUNCTIONS.replace("123456789012", "210987654321")), true);
    assert.equal(grants(both, LAMBDA, FUNCTIONS.replace("123456789012", "111111111111")), true);
    assert.equal(both.Statement.length, 3);
  });

  it("adds nothing if Lambda has added its own", () => {
    const byLambda = documentOf({
      Sid: "LambdaECRImageRetrievalPolicy",
      Effect: "Allow",
      Principal: { Service: LAMBDA },
      Action: [...PULL, "ecr:SetRepositoryPolicy"],
      Condition: { StringLike: { "aws:sourceArn": FUNCTIONS } },
    });
    assert.equal(withReaders(byLambda, OWN), byLambda);
  });

  it("replaces one of ours that does not do what it should, and the diff says so", () => {
    const weak = { ...lambdaStatements(OWN)[0], Action: "ecr:BatchGetImage" };
    const before = documentOf(other, weak);
    const changes = changesBetween(before, withReaders(before, OWN));
    assert.deepEqual(
      changes.map(({ change, statement }) => [change, statement.Action]),
      [
        ["removed", "ecr:BatchGetImage"],
        ["added", PULL],
      ],
    );
  });
});

describe("taking them away", () => {
  it("leaves what others have written", () => {
    const after = withoutReaders(withReaders(documentOf(other), SHARED), OWN);
    assert.deepEqual(after?.Statement, [other]);
  });

  it("leaves no policy if nothing else was in it", () => {
    assert.equal(withoutReaders(withReaders(undefined, SHARED), OWN), undefined);
  });

  it("for one account leaves the others and our own", () => {
    const two = withReaders(undefined, { ...OWN, accounts: ["111111111111", "210987654321"] });
    const one = withoutReaders(two, SHARED);
    assert.deepEqual(one, withReaders(undefined, { ...OWN, accounts: ["111111111111"] }));
  });
});

describe("whether Lambda may pull", () => {
  const allow = (more: Statement): Statement => ({
    Effect: "Allow",
    Principal: { Service: LAMBDA },
    Action: PULL,
    ...more,
  });
  const cases: readonly (readonly [string, readonly Statement[], boolean])[] = [
    ["is no where there is no statement", [], false],
    ["is yes with both actions", [allow({})], true],
    [
      "is yes with the actions in two statements",
      [allow({ Action: PULL[0] ?? "" }), allow({ Action: PULL[1] ?? "" })],
      true,
    ],
    ["is yes with a star", [allow({ Action: "ecr:*" })], true],
    ["is no with one action alone", [allow({ Action: "ecr:BatchGetImage" })], false],
    ["is yes for everybody", [allow({ Principal: "*" })], true],
    ["is no for another service", [allow({ Principal: { Service: "ecs.amazonaws.com" } })], false],
    ["is no where it is forbidden", [allow({}), { ...allow({}), Effect: "Deny" }], false],
    [
      "is yes for the own account's functions",
      [allow({ Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } } })],
      true,
    ],
    [
      "is no for functions of another account",
      [allow({ Condition: { ArnLike: { "aws:SourceArn": FUNCTIONS.replace("1234", "9999") } } })],
      false,
    ],
    [
      "is no under conditions that are not known",
      [allow({ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } })],
      false,
    ],
  ];
  for (const [title, statements, expected] of cases) {
    it(title, () => {
      assert.equal(grants(documentOf(...statements), LAMBDA, FUNCTIONS), expected);
    });
  }
});

it("a policy with one statement that is not in a list is read all the same", () => {
  assert.deepEqual(parsePolicy(JSON.stringify({ Statement: other }), "app").Statement, [other]);
});

for (const text of [
  "no",
  "",
  "null",
  "[]",
  "{}",
  '{"Statement":null}',
  '{"Statement":[null]}',
  '{"Statement":["x"]}',
])
  it(`a repository's policy that is not a policy document is refused by name: ${text}`, () => {
    assert.throws(() => parsePolicy(text, "app"), { code: "REGISTRY_ANSWER", message: /policy of app/ });
  });

it("the other accounts of a policy are told, whoever wrote it", () => {
  const document = withReaders(
    documentOf({ ...other, Principal: { AWS: "arn:aws:iam::333333333333:role/x" } }),
    SHARED,
  );
  assert.deepEqual(foreignAccounts(document, "123456789012"), ["210987654321", "333333333333"]);
});

for (const [title, statement, expected] of [
  ["everybody", { Effect: "Allow", Principal: "*" }, ["*"]],
  ["everybody, in a list", { Effect: "Allow", Principal: { AWS: ["*"] } }, ["*"]],
  [
    "an organization",
    {
      Effect: "Allow",
      Principal: "*",
      Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1234567890" } },
    },
    ["*"],
  ],
  [
    "accounts that only a condition names",
    {
      Effect: "Allow",
      Principal: "*",
      Condition: { StringEquals: { "aws:PrincipalAccount": "333333333333" } },
    },
    ["333333333333"],
  ],
  [
    "all but one",
    { Effect: "Allow", NotPrincipal: { AWS: "arn:aws:iam::333333333333:root" }, Action: "ecr:*" },
    ["*"],
  ],
  ["nobody, as it denies", { Effect: "Deny", Principal: "*" }, []],
  ["the service Lambda", { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" } }, []],
] as const)
  it(`the other accounts of a policy that lets in ${title}: ${expected.join(", ") || "none"}`, () => {
    assert.deepEqual(
      foreignAccounts({ Version: "2012-10-17", Statement: [statement] }, "123456789012"),
      expected,
    );
  });

describe("the least IAM policy", () => {
  const facts = {
    repository: "team/app",
    region: "eu-west-1",
    accountId: "123456789012",
    functions: ["f"],
    role: "arn:aws:iam::123456789012:role/f",
  };
  const actionsOf = (job: "push" | "deploy" | "create") =>
    leastPolicy(job, facts).Statement.flatMap(({ Action }) => Action ?? []);

  it("to push has what a push asks for, on this repository only", () => {
    assert.deepEqual(actionsOf("push").length, 9);
    assert.equal(
      leastPolicy("push", facts).Statement[1]?.["Resource"],
      "arn:aws:ecr:eu-west-1:123456789012:repository/team/app",
    );
  });

  it("to deploy may give the function only this role, and only to Lambda", () => {
    const pass = leastPolicy("deploy", facts).Statement.find(({ Action }) => Action === "iam:PassRole");
    assert.deepEqual(pass, {
      Sid: "PassRole",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: facts.role,
      Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } },
    });
  });

  it("to deploy is what docs/aws.md shows", () => {
    const shown = leastPolicy("deploy", {
      ...facts,
      repository: "orders",
      functions: ["orders"],
      role: "arn:aws:iam::123456789012:role/orders",
    });
    const page = readFileSync(new URL("../../../../docs/aws.md", import.meta.url), "utf8");
    assert.ok(page.includes(JSON.stringify(shown, undefined, 2)));
    assert.ok(page.includes(JSON.stringify(withReaders(undefined, SHARED), undefined, 2)));
  });

  it("the least IAM policy has stars for what is not known", () => {
    const policy = leastPolicy("deploy", {
      ...facts,
      region: undefined,
      accountId: undefined,
      functions: [],
      role: undefined,
    });
    assert.match(JSON.stringify(policy), /arn:aws:lambda:\*:\*:function:\*/);
  });
});
