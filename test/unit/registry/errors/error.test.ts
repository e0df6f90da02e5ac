import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LambdaPackError } from "../../../../src/errors.ts";
import { parseErrorDocument } from "../../../../src/registry/errors/error-document.ts";
import type { Attempted } from "../../../../src/registry/errors/network-error.ts";
import { refusalOf } from "../../../../src/registry/errors/refusal.ts";
import { attemptsFor } from "../../../../src/registry/errors/retry.ts";
import type { HttpResponse } from "../../../../src/registry/http/http.ts";
import { warningsTo, warningText } from "../../../../src/registry/http/response.ts";
import { corpus } from "../../../support/corpora.ts";
import { testPacing } from "../../../support/registry/repository.ts";

const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/** An answer as far as an error reads it. */
function response(
  status: number,
  body: string | AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const chunks = typeof body === "string" ? once(Buffer.from(body)) : body;
  return {
    status,
    url: new URL(`https://${HOST}/v2/app/x`),
    authorization: undefined,
    header: (name) => headers[name],
    headerLines: () => [],
    body: chunks,
    bytes: (limit) => collect(chunks, limit),
    text: async () => "",
    discard: () => {},
  };
}

async function collect(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of chunks) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > limit) throw new Error("too long");
  }
  return bytes;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

const ecr: Attempted = {
  action: "start an upload",
  subject: "sha256:abc",
  name: `${HOST}/app`,
  registry: "ecr",
  at: HOST,
};
const plain: Attempted = { ...ecr, name: "registry.example.com/app", registry: "plain" };

const said = (status: number, attempted: Attempted, body = "", headers = {}): Promise<LambdaPackError> =>
  refusalOf(response(status, body, headers), attempted, testPacing());
const document = (code: string, message = "", detail?: unknown) =>
  JSON.stringify({ errors: [{ code, message, detail }] });

describe("a refusal", () => {
  it("says what failed, with which thing, and the registry's own words", async () => {
    const { message } = await said(403, ecr, document("DENIED", "User: arn:x is not authorized"));
    assert.equal(
      message,
      `cannot start an upload sha256:abc of ${HOST}/app: HTTP 403, DENIED: User: arn:x is not authorized`,
    );
  });

  const iam = {
    "check the blob": "ecr:BatchCheckLayerAvailability",
    "start an upload": "ecr:InitiateLayerUpload",
    "send the blob": "ecr:UploadLayerPart",
    "finish the blob": "ecr:CompleteLayerUpload",
    "write the manifest": "ecr:PutImage",
    "read the manifest": "ecr:BatchGetImage",
    "read the blob": "ecr:GetDownloadUrlForLayer",
  } as const;
  for (const [action, name] of Object.entries(iam) as [keyof typeof iam, string][]) {
    it(`names ${name} if ECR does not let the caller ${action}`, async () => {
      const { code, hint } = await said(403, { ...ecr, action }, document("DENIED"));
      assert.equal(code, "DENIED");
      assert.ok(hint?.includes(name), hint);
    });
  }

  it("names the actions of ECR Public by their own prefix", async () => {
    const { hint } = await said(403, { ...ecr, registry: "ecr-public" }, document("DENIED"));
    assert.match(hint ?? "", /ecr-public:InitiateLayerUpload/);
  });

  const codes: readonly [string, number, Attempted, string, string, RegExp][] = [
    ["no credentials", 401, ecr, "", "CREDENTIALS_INVALID", /aws sts get-caller-identity/],
    ["no login", 401, plain, "", "CREDENTIALS_INVALID", /docker login registry\.example\.com/],
    [
      "an expired token",
      403,
      ecr,
      document("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
      "CREDENTIALS_INVALID",
      /12 hours/,
    ],
    [
      "no repository",
      404,
      ecr,
      document("NAME_UNKNOWN", "The repository with name 'app' does not exist"),
      "REPOSITORY_NOT_FOUND",
      /repo create/,
    ],
    ["no repository, in no words", 404, plain, "", "REPOSITORY_NOT_FOUND", /check the name/],
    [
      "no image",
      404,
      { ...plain, action: "read the manifest" },
      document("MANIFEST_UNKNOWN"),
      "IMAGE_NOT_FOUND",
      /tag or digest/,
    ],
    [
      "no image, in Harbor's words",
      404,
      { ...plain, action: "read the manifest" },
      document("NOT_FOUND", "artifact x not found"),
      "IMAGE_NOT_FOUND",
      /tag or digest/,
    ],
    [
      "an immutable tag",
      400,
      { ...ecr, action: "write the manifest" },
      document(
        "TAG_INVALID",
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
      ),
      "TAG_IMMUTABLE",
      /a new tag for each build/,
    ],
    ["a read-only registry", 405, plain, "Method not allowed\n", "REGISTRY_ANSWER", /read-only/],
    [
      "a manifest that ECR dislikes",
      405,
      { ...ecr, action: "write the manifest" },
      document(
        "UNSUPPORTED",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
      ),
      "REGISTRY_ANSWER",
      /without layers/,
    ],
    [
      "a proxy's limit",
      413,
      plain,
      "<html><h1>413 Request Entity Too Large</h1></html>",
      "REGISTRY_ANSWER",
      /client_max_body_size/,
    ],
    [
      "a quota",
      429,
      { ...ecr, action: "write the manifest" },
      document("TOOMANYREQUESTS", "Rate exceeded"),
      "REGISTRY_ANSWER",
      /10 a second of ecr:PutImage/,
    ],
    ["too many requests elsewhere", 429, plain, "", "REGISTRY_ANSWER", /--jobs/],
    ["trouble", 500, plain, "", "REGISTRY_ANSWER", /later/],
  ];
  for (const [what, status, attempted, body, code, hint] of codes) {
    it(`of ${what} has the code ${code} and the next step`, async () => {
      const error = await said(status, attempted, body);
      assert.deepEqual([error.code, error.answer?.status], [code, status]);
      assert.match(error.hint ?? "", hint);
    });
  }

  it("lists the blobs that the registry lacks", async () => {
    const missing = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    const errors = missing.map((digest) => ({
      code: "MANIFEST_BLOB_UNKNOWN",
      message: "blob unknown to registry",
      detail: { digest },
    }));
    const error = await said(400, { ...plain, action: "write the manifest" }, JSON.stringify({ errors }));
    assert.ok(error instanceof LambdaPackError && error.code === "BLOBS_MISSING");
    assert.deepEqual(error.answer?.missing, missing);
  });

  it("lists them in ECR's words too, however many", async () => {
    const missing = Array.from({ length: 40 }, (_, index) => `sha256:${String(index).padStart(64, "0")}`);
    const words = `Layers with digests '[${missing.join(", ")}]' required for pushing image into repository with name 'app' in the registry with id '1' do not exist`;
    const error = await said(
      404,
      { ...ecr, action: "write the manifest" },
      document("BLOB_UPLOAD_UNKNOWN", words),
    );
    assert.ok(error instanceof LambdaPackError && error.code === "BLOBS_MISSING");
    assert.deepEqual(error.answer?.missing, missing);
  });

  it("a refusal has no control characters and no secrets of the registry's words", async () => {
    const { message } = await said(
      400,
      plain,
      document("X", "\u001b[31mred\u0007 https://h/x?X-Amz-Signature=topsecret\nnext"),
    );
    assert.doesNotMatch(message, /topsecret/);
    assert.match(message, /^[\x20-\x7e]+$/);
  });

  it("says what a page is titled, and that nginx wants a client certificate", async () => {
    const page = (title: string) => `<html>\n<head><title>${title}</title></head><body>more</body></html>`;
    const large = await said(413, plain, page("413 Request Entity Too Large"));
    assert.match(large.message, /HTTP 413, Request Entity Too Large$/);
    const error = await said(400, plain, page("400 No required SSL certificate was sent"));
    assert.equal(error.code, "CREDENTIALS_INVALID");
    assert.match(error.hint ?? "", /certs\.d\/.*\/client\.cert and client\.key/);
  });

  it("reads no more than 64 KiB of an endless answer", async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, void> {
      for (;;) {
        sent += 16_384;
        yield Buffer.alloc(16_384, "x");
      }
    }
    const { answer } = await refusalOf(response(500, endless()), plain, testPacing());
    assert.equal(answer?.status, 500);
    assert.ok(sent <= 5 * 16_384);
  });

  it("stands when its body is cut", async () => {
    async function* cut(): AsyncGenerator<Uint8Array, void, void> {
      yield Buffer.from('{"errors":');
      throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    }
    assert.equal((await refusalOf(response(502, cut()), plain, testPacing())).answer?.status, 502);
  });
});

describe("an error document", () => {
  it("may hold several complaints", () => {
    const { complaints } = parseErrorDocument(
      '{"errors":[{"code":"NAME_INVALID","message":"a"},{"code":"SIZE_INVALID","message":"b","detail":"c"}]}',
    );
    assert.deepEqual(complaints, [
      { code: "NAME_INVALID", message: "a" },
      { code: "SIZE_INVALID", message: "b" },
    ]);
  });
  const strange = [
    "",
    "null",
    "[]",
    "{}",
    '{"errors":null}',
    '{"errors":[null,1,"x",[]]}',
    "Not JSON",
    "<html>",
    "[".repeat(60_000),
    '{"errors":[{"code":{},"message":[]}]}',
  ];
  for (const body of strange) {
    it(`may be ${JSON.stringify(body.slice(0, 40))}`, () =>
      assert.deepEqual(parseErrorDocument(body).complaints, []));
  }
  it("may be S3's XML", () => {
    const { complaints } = parseErrorDocument(
      "<?xml?><Error><Code>SlowDown</Code><Message>Please</Message></Error>",
    );
    assert.deepEqual(complaints, [{ code: "SlowDown", message: "Please" }]);
  });
  it("may be plain words", () =>
    assert.equal(parseErrorDocument("Method not allowed\n").text, "Method not allowed"));
});

interface HttpCase {
  readonly id: string;
  readonly kind: string;
  readonly name?: string;
  readonly input: unknown;
  readonly expect: Readonly<Record<string, unknown>>;
}

const cases = corpus<HttpCase>("registry-http").cases;
const ofKind = (kind: string) => cases.filter((each) => each.kind === kind);

describe("the tables of other clients", () => {
  it("of answers that mean there is no such manifest are read the same way", async () => {
    for (const { id, input, expect } of ofKind("raw-http-manifest-unknown")) {
      const [head = "", body = ""] = String(input).split("\r\n\r\n");
      const error = await said(Number(head.split(" ")[1]), { ...plain, action: "read the manifest" }, body);
      assert.equal(error.code === "IMAGE_NOT_FOUND", expect["manifestUnknown"], id);
    }
  });

  it("of errors as registries send them keep the registry's words", async () => {
    for (const { id, input } of ofKind("raw-http-error-response")) {
      const [head = "", body = ""] = String(input).split("\r\n\r\n");
      const error = await said(Number(head.split(" ")[1]), { ...plain, action: "read the manifest" }, body);
      const words = /"message": ?"([^"]+)"/.exec(body)?.[1] ?? "HTTP";
      assert.ok(error.message.includes(words), `${id}: ${error.message}`);
    }
  });

  it("of error bodies keep each code", () => {
    for (const { id, input } of ofKind("registry-error-body")) {
      const { body } = input as { readonly body: string };
      for (const [, code] of body.matchAll(/"code":"([A-Z_]+)"/g)) {
        assert.ok(
          parseErrorDocument(body).complaints.some((complaint) => complaint.code === code),
          id,
        );
      }
    }
  });

  it("of Warning headers show what is to be shown", () => {
    for (const { id, input, expect } of ofKind("Warning-header")) {
      // A header that is not UTF-8 comes as latin1 from node:http, and is shown as such.
      if (typeof input !== "string") continue;
      assert.equal(warningText(input) ?? "", expect["message"], id);
    }
  });
});

describe("the words of a server", () => {
  it("of more warnings than 20 say once that there are more", () => {
    const told: string[] = [];
    const warn = warningsTo((event) => event.type === "warning" && told.push(event.message), "the registry");
    for (let count = 0; count < 3; count++)
      warn(Array.from({ length: 20_000 }, (_, index) => `299 - "warning ${index}"`));
    assert.equal(told.length, 21);
    assert.equal(told[19], "the registry says: warning 19");
    assert.match(told[20] ?? "", /says: more, which is not shown/);
  });

  it("a Warning header in UTF-8 is shown as it was written", () => {
    const header = Buffer.from('299 - "Bitte räumen Sie auf ✓"').toString("latin1");
    assert.equal(warningText(header), "Bitte räumen Sie auf ✓");
  });

  it("the upload's state is not shown where the registry repeats it", async () => {
    const state = "c4nary-state-0123456789";
    const asked = {
      ...response(400, `{"errors":[{"code":"X","message":"bad state ${state}"}]}`),
      url: new URL(`https://${HOST}/v2/app/blobs/uploads/1?_state=${state}`),
    };
    const error = await refusalOf(asked, plain, testPacing());
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.answer)}`, /c4nary/);
  });

  const immutable: readonly (readonly [string, number, string])[] = [
    [
      "ECR",
      400,
      document(
        "TAG_INVALID",
        "The image tag 'v1' already exists and cannot be overwritten because the repository is immutable.",
      ),
    ],
    [
      "Harbor",
      412,
      document("PRECONDITION", "Failed to process request due to 'app:v1' configured as immutable."),
    ],
    ["Nexus", 400, document("UNKNOWN", "Repository does not allow updating assets: docker")],
    [
      "Artifact Registry",
      400,
      document("MANIFEST_INVALID", "cannot update tag v1. The repository has enabled tag immutability"),
    ],
    ["Docker Hub", 403, document("DENIED", "this tag is immutable")],
  ];
  for (const [name, status, body] of immutable) {
    it(`an immutable tag of ${name} is told as one, and not retried`, async () => {
      const error = await said(status, { ...plain, action: "write the manifest" }, body);
      assert.equal(error.code, "TAG_IMMUTABLE");
      assert.equal(attemptsFor(error), undefined);
    });
  }

  it("Docker Hub's pull limit is told with the way out", async () => {
    const words =
      "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit";
    const error = await said(
      429,
      { ...plain, action: "read the manifest" },
      document("TOOMANYREQUESTS", words),
    );
    assert.match(error.hint ?? "", /docker login.*public\.ecr\.aws/);
    assert.equal(attemptsFor(error), undefined);
  });

  it("ECR's refusal names the action that AWS names, and whose credentials were sent", async () => {
    const words =
      "User: arn:aws:sts::1:assumed-role/ci is not authorized to perform: ecr:BatchImportUpstreamImage on resource: x";
    const attempted = { ...ecr, credentialsFrom: "Amazon ECR" };
    const { code, hint } = await said(403, attempted, document("DENIED", words));
    assert.equal(code, "DENIED");
    assert.match(hint ?? "", /credentials from Amazon ECR.*ecr:BatchImportUpstreamImage/);
  });

  it("a pull-through cache that is missing names the actions that create it", async () => {
    const read = { ...ecr, name: `${HOST}/ecr-public/lambda/python`, action: "read the manifest" as const };
    const { code, hint } = await said(404, read, document("NAME_UNKNOWN", "The repository does not exist"));
    assert.equal(code, "REPOSITORY_NOT_FOUND");
    assert.match(hint ?? "", /ecr:BatchImportUpstreamImage and ecr:CreateRepository/);
    const refused = await said(
      403,
      read,
      document("DENIED", "upstream credentials in Secrets Manager are wrong"),
    );
    assert.match(refused.hint ?? "", /validate-pull-through-cache-rule/);
  });

  for (const words of ["KmsException: the key is disabled", "LimitExceeded: maximum number of images"]) {
    it(`ECR's ${words.split(":")[0]} is final and has its own hint`, async () => {
      const error = await said(500, { ...ecr, action: "write the manifest" }, document("X", words));
      assert.equal(error.code, "AWS_REFUSED");
      assert.equal(attemptsFor(error), undefined);
    });
  }

  it("a registry that redirects to another one with a login of its own names that one", async () => {
    const error = await said(401, { ...plain, at: "registry.example.com" }, document("UNAUTHORIZED"));
    assert.equal(error.code, "CREDENTIALS_INVALID");
    assert.match(error.hint ?? "", new RegExp(`redirects to ${HOST}.*docker login`));
    assert.equal(attemptsFor(error), undefined);
  });
});
