import "../../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { push } from "../../../../src/commands/push/push.ts";
import { LambdaPackError } from "../../../../src/errors.ts";
import type { Environment } from "../../../../src/session/session.ts";
import { REGION } from "../../../support/ecr/ecr.ts";
import { type Fault, failing } from "../../../support/ecr/http/faults.ts";
import { type EcrAction, privateQuirks } from "../../../support/ecr/quirks.ts";
import { type EcrWorld, ecrWorld } from "../../../support/ecr/world.ts";
import { refusal, status } from "../../../support/reliability/faults/fault-kind.ts";
import { layOut, seededImage } from "../../../support/reliability/image.ts";

const MiB = 1024 * 1024;
/** The first layer goes in chunks. */
const image = seededImage("causes", 70 * MiB, 1000);
const small = seededImage("causes, small", 1000);
let world: EcrWorld;
let layout = "";
let large = "";

before(async () => {
  world = await ecrWorld();
  layout = await layOut(world.directory, small);
  large = await layOut(world.directory, image);
});
after(() => world.stop());
beforeEach(() => {
  Object.assign(world.ecr.quirks, privateQuirks());
  world.ecr.denied.clear();
  for (const origin of [world.ecr.storageOrigin, world.api.origin]) origin.fault = () => undefined;
  world.ecr.fault = () => undefined;
  const { blobs, manifests, tags } = world.ecr.repository("app");
  for (const held of [blobs, manifests, tags]) held.clear();
  writeFileSync(dockerConfig(), "{}");
});

function dockerConfig(): string {
  const directory = join(world.directory, ".docker");
  mkdirSync(directory, { recursive: true });
  return join(directory, "config.json");
}

const NOBODY: Environment = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

interface Asked {
  readonly source?: string;
  readonly repository?: string;
  readonly environment?: Environment;
}

function pushed({ source = `oci:${layout}:v1`, repository = "app", environment = {} }: Asked = {}) {
  const to = `${world.registry}/${repository}:v1`;
  return push({ source, to, environment: { ...world.environment, ...environment }, cache: false });
}

/** The error, which holds no secret. */
async function failure(work: Promise<unknown>): Promise<LambdaPackError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LambdaPackError, String(error));
  assert.deepEqual(world.leaks(`${error.stack}\n${error.hint}\n${String(error.cause)}`), []);
  return error;
}

/** What `docker login` leaves, with this password. */
function dockerLogin(password: string): void {
  const auth = Buffer.from(`AWS:${password}`).toString("base64");
  writeFileSync(dockerConfig(), JSON.stringify({ auths: { [world.registry]: { auth } } }));
}

interface Cause {
  readonly name: string;
  readonly make: () => void;
  readonly asked?: Asked;
  readonly code: string;
  readonly says: RegExp;
  readonly next: RegExp;
}

const at = (kind: string, fault: Fault) => () => {
  world.ecr.fault = failing(kind, fault);
};

const CAUSES: readonly Cause[] = [
  {
    name: "a repository that does not exist, where ECR only hangs up",
    make: () => {},
    asked: { repository: "nowhere" },
    code: "REPOSITORY_NOT_FOUND",
    says: /^the repository \S+\/nowhere does not exist \(NAME_UNKNOWN\)$/,
    next: /lambda-pack repo create .*\/nowhere/,
  },
  {
    name: "a missing permission to begin an upload, where ECR only hangs up",
    make: () => void world.ecr.denied.add("ecr:InitiateLayerUpload"),
    code: "REPOSITORY_NOT_FOUND",
    says: /does not exist, or the caller lacks ecr:InitiateLayerUpload/,
    next: /account, the region and the name/,
  },
  {
    name: "a login from another Region, in docker's config",
    make: () => dockerLogin(world.ecr.tokens.issue("us-east-1")),
    asked: { environment: NOBODY },
    code: "CREDENTIALS_INVALID",
    says: /401/,
    next: /account and region/,
  },
  {
    name: "a login of more than 12 hours ago, in docker's config",
    make: () => {
      dockerLogin(world.ecr.tokens.issue(REGION));
      world.ecr.quirks.tokenLife = { seconds: 0, requests: 0 };
    },
    asked: { environment: NOBODY },
    code: "CREDENTIALS_INVALID",
    says: /authorization token has expired/,
    next: /12 hours/,
  },
  {
    name: "no credentials at all",
    make: () => {},
    asked: { environment: NOBODY },
    code: "CREDENTIALS_INVALID",
    says: /no AWS credentials/,
    next: /aws sso login/,
  },
  {
    name: "no permission to log in",
    make: () => {
      const words = "User: arn:x is not authorized to perform: ecr:GetAuthorizationToken on resource: *";
      world.api.origin.fault = failing("GetAuthorizationToken", {
        ...{ do: "answer", status: 400, headers: { "content-type": "application/x-amz-json-1.1" } },
        body: JSON.stringify({ __type: "AccessDeniedException", message: words }),
      });
    },
    code: "DENIED",
    says: /ecr:GetAuthorizationToken/,
    next: /./,
  },
  {
    name: "a tag that cannot be moved",
    make: at(
      "put-manifest",
      refusal(
        400,
        "TAG_INVALID",
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
      ),
    ),
    code: "TAG_IMMUTABLE",
    says: /v1.*immutable/,
    next: /a new tag for each build/,
  },
  {
    name: "a manifest that ECR dislikes",
    make: at(
      "put-manifest",
      refusal(
        405,
        "UNSUPPORTED",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
      ),
    ),
    code: "REGISTRY_ANSWER",
    says: /Invalid JSON syntax/,
    next: /without layers/,
  },
  {
    name: "a proxy that limits bodies to less than any chunk",
    make: at("put-blob", status(413)),
    code: "REGISTRY_ANSWER",
    says: /413/,
    next: /client_max_body_size/,
  },
];

describe("an error names the cause and the next step:", () => {
  for (const { name, make, asked, code, says, next } of CAUSES) {
    it(name, async () => {
      make();
      const error = await failure(pushed(asked));
      assert.equal(error.code, code, `${error.message}\n${error.hint}`);
      assert.match(error.message, says);
      assert.match(error.hint ?? "", next);
    });
  }

  const actions: readonly EcrAction[] = ["ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"];
  for (const action of actions) {
    it(`a push without ${action}`, async () => {
      world.ecr.denied.add(action);
      const error = await failure(pushed({ source: `oci:${large}:v1` }));
      assert.equal(error.code, "DENIED");
      assert.ok(`${error.message} ${error.hint}`.includes(action), `${error.message}\n${error.hint}`);
    });
  }

  for (const action of ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] as const) {
    it(`a pull without ${action}`, async () => {
      await pushed();
      world.ecr.denied.add(action);
      const to = `oci:${join(world.directory, action.replace(":", "-"))}:v1`;
      const from = { source: `${world.registry}/app:v1`, to, environment: world.environment, cache: false };
      const error = await failure(push(from));
      assert.equal(error.code, "DENIED");
      assert.ok(error.hint?.includes(action), error.hint);
    });
  }
});

describe("the credentials of an ECR host", () => {
  it("the credentials of an ECR host are AWS's even where docker has a login, which may be stale", async () => {
    dockerLogin("canary-stale-login-77aa");
    await pushed();
    assert.ok(world.api.origin.log.some(({ kind }) => kind === "GetAuthorizationToken"));
  });

  it("the credentials of an ECR host are docker's if AWS has none", async () => {
    dockerLogin(world.ecr.tokens.issue(REGION));
    await pushed({ environment: NOBODY });
  });

  it("the credentials of an ECR host are docker's if AWS gives no login", async () => {
    dockerLogin(world.ecr.tokens.issue(REGION));
    world.api.origin.fault = failing("GetAuthorizationToken", {
      ...{ do: "answer", status: 400, headers: { "content-type": "application/x-amz-json-1.1" } },
      body: JSON.stringify({ __type: "AccessDeniedException", message: "no" }),
    });
    await pushed();
  });

  it("the credentials of an ECR host are those of a helper that was configured for the host, before AWS's", async () => {
    const token = world.ecr.tokens.issue(REGION);
    const bin = join(world.directory, "bin");
    mkdirSync(bin, { recursive: true });
    const answer = JSON.stringify({ ServerURL: world.registry, Username: "AWS", Secret: token });
    const helper = join(bin, "docker-credential-test");
    writeFileSync(helper, `#!/bin/sh\ncat > ${join(world.directory, "asked")}\necho '${answer}'\n`, {
      mode: 0o755,
    });
    writeFileSync(dockerConfig(), JSON.stringify({ credHelpers: { [world.registry]: "test" } }));
    const before = world.api.origin.log.length;
    await pushed({ environment: { PATH: `${bin}:${process.env["PATH"]}` } });
    assert.equal(world.api.origin.log.length, before, "AWS was not asked");
  });
});
