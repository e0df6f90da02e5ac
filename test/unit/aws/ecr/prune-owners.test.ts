import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BuildEvent } from "../../../../src/events.ts";
import { type PruneOptions, prune } from "../../../../src/index.ts";
import { MEDIA_TYPES } from "../../../../src/oci/media-types.ts";
import { failReading, keepingHouse, setPushedAt } from "../../../support/aws/ecr-operations.ts";
import { FakeFunction } from "../../../support/aws/functions.ts";
import { placeImage } from "../../../support/aws/images.ts";
import { LambdaException } from "../../../support/aws/lambda-wire.ts";
import { failure, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();
const { index: INDEX, manifest: MANIFEST } = MEDIA_TYPES.oci;

const repository = () => on.plane.ecr.repository("app");
const left = () => new Set(repository().manifests.keys());

/** An image that came `seconds` after the first possible one; its digest. */
function image(text: string, seconds: number, tags: readonly string[] = [text]): string {
  const { digest } = placeImage(on.plane.ecr, text, { tags });
  setPushedAt(repository(), digest, 1_700_000_000 + seconds);
  return digest;
}

/** What refers to `subject`, with OCI 1.1's field; pushed after every image. */
function referrer(
  text: string,
  subject: string,
  artifactType = "application/vnd.cncf.notary.signature",
): string {
  const document = {
    schemaVersion: 2,
    ...{ mediaType: MANIFEST, artifactType, config: { digest: text }, layers: [{ size: 10 }] },
    subject: { digest: subject },
  };
  return later(repository().addManifest(document, MANIFEST));
}

/** What belongs to `owner` by cosign's tag scheme. */
function tagged(suffix: string, owner: string, text = `${suffix} of ${owner}`): string {
  return later(placeImage(on.plane.ecr, text, { tags: [`${owner.replace(":", "-")}${suffix}`] }).digest);
}

function index(children: readonly string[], tags: readonly string[], seconds: number): string {
  const manifests = children.map((digest) => ({ mediaType: MANIFEST, digest }));
  const document = { schemaVersion: 2, mediaType: INDEX, manifests };
  const digest = repository().addManifest(document, INDEX, ...tags);
  setPushedAt(repository(), digest, 1_700_000_000 + seconds);
  return digest;
}

function later(digest: string): string {
  setPushedAt(repository(), digest, 1_800_000_000);
  return digest;
}

/** A function runs the image. */
function use(digest: string, name = "f"): FakeFunction {
  const arn = `arn:aws:lambda:eu-west-1:123456789012:function:${name}`;
  const uri = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@${digest}`;
  const made = new FakeFunction(name, arn, { Role: "r", Architectures: ["x86_64"] }, uri, digest);
  Object.assign(made, { state: "Active", stateReason: undefined, stateReasonCode: undefined });
  on.plane.lambda.functions.set(`eu-west-1/${name}`, made);
  return made;
}

async function run(more: Partial<PruneOptions> = {}) {
  const events: BuildEvent[] = [];
  const { environment } = on.plane;
  const onEvent = (event: BuildEvent) => void events.push(event);
  const result = await prune({ repository: "app", keep: 0, yes: true, ...more, environment, onEvent });
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  const digests = (all: readonly { readonly digest: string }[]) => all.map(({ digest }) => digest).sort();
  return { ...result, pruned: digests(result.pruned), attached: digests(result.attached), warnings };
}

const deletions = () =>
  on.plane.ecrApi.plainOrigin.log.filter(({ kind }) => kind === "BatchDeleteImage").length;

describe("prune keeps with an image that a function uses", () => {
  for (const [title, attach] of [
    ["its cosign signature (sha256-<hex>.sig)", (owner: string) => [tagged(".sig", owner)]],
    ["its cosign attestation (sha256-<hex>.att)", (owner: string) => [tagged(".att", owner)]],
    ["its cosign SBOM (sha256-<hex>.sbom)", (owner: string) => [tagged(".sbom", owner)]],
    ["a referrer with the subject field", (owner: string) => [referrer("notary", owner)]],
    [
      "a signature of its SBOM",
      (owner: string) => {
        const sbom = referrer("sbom", owner, "application/spdx+json");
        return [sbom, referrer("signature", sbom), tagged(".sig", sbom)];
      },
    ],
    [
      "the index under the referrers tag (sha256-<hex>), and what it lists",
      (owner: string) => {
        const sbom = referrer("sbom", owner);
        return [sbom, index([sbom], [owner.replace(":", "-")], 900)];
      },
    ],
  ] as const)
    for (const yes of [true, false])
      it(`${title}, and deletes only the image that is not used${yes ? "" : " (dry run)"}`, async () => {
        const used = image("used", 1);
        const old = image("old", 0);
        const attached = attach(used);
        use(used);
        const result = await run({ yes });
        assert.deepEqual([result.pruned, result.attached, result.used], [[old], [], [used]]);
        assert.deepEqual(left(), new Set([used, ...attached, ...(yes ? [] : [old])]));
      });

  it("its referrers on every page of the list of images", async () => {
    const used = image("used", 1);
    use(used);
    const attached = Array.from({ length: 7 }, (_, count) => referrer(`referrer ${count}`, used));
    const more = Array.from({ length: 7 }, (_, count) => image(`old ${count}`, count + 2));
    const signatures = more.map((digest) => tagged(".sig", digest));
    const result = await run();
    assert.deepEqual([result.pruned, result.attached], [more.sort(), signatures.sort()]);
    assert.deepEqual(left(), new Set([used, ...attached]));
  });

  it("a signature that it shares with an image that goes", async () => {
    const used = image("used", 1);
    const old = image("old", 0);
    use(used);
    const shared = tagged(".sbom", used, "the same SBOM");
    tagged(".sbom", old, "the same SBOM");
    const result = await run();
    assert.deepEqual([result.pruned, result.attached], [[old], []]);
    assert.deepEqual(left(), new Set([used, shared]));
  });

  it("the index that lists it, the index's other images and the index's signature", async () => {
    const [one, two] = [image("amd64", 1, []), image("arm64", 1, [])];
    const whole = index([one, two], ["v1"], 2);
    const signature = tagged(".sig", whole);
    use(one);
    const result = await run();
    assert.deepEqual([result.pruned, result.kept, result.used], [[], 0, [one]]);
    assert.deepEqual(left(), new Set([one, two, whole, signature]));
  });

  it("what belongs to it though it came into use only just before the deletion", async () => {
    const [first, second] = [image("first", 1), image("second", 2)];
    const signature = tagged(".sig", first);
    let looks = 0;
    on.plane.lambda.before = (operation) => {
      if (operation === "ListFunctions" && ++looks === 2) use(first);
    };
    const result = await run();
    assert.deepEqual([result.pruned, result.attached], [[second], []]);
    assert.deepEqual(left(), new Set([first, signature]));
  });
});

describe("prune --keep counts images, and not", () => {
  it("signatures, SBOMs and referrers", async () => {
    const images = Array.from({ length: 6 }, (_, count) => image(`image ${count}`, count));
    const attached = images.map((digest) => [tagged(".sig", digest), referrer(`of ${digest}`, digest)]);
    const result = await run({ keep: 4 });
    assert.deepEqual(result.pruned, images.slice(0, 2).sort());
    assert.deepEqual(result.attached, attached.slice(0, 2).flat().sort());
    assert.equal(result.kept, 4);
    assert.deepEqual(left(), new Set([...images.slice(2), ...attached.slice(2).flat()]));
  });

  it("the images of an index", async () => {
    const indexes = Array.from({ length: 3 }, (_, count) => {
      const children = ["amd64", "arm64"].map((arch) => image(`${arch} ${count}`, count, []));
      return { children, digest: index(children, [`v${count}`], count) };
    });
    const result = await run({ keep: 2 });
    assert.deepEqual([result.pruned, result.kept], [[indexes[0]?.digest], 2]);
    assert.deepEqual(result.attached, [...(indexes[0]?.children ?? [])].sort());
    assert.equal(left().size, 6);
  });
});

describe("prune deletes what belongs to an image only after the image:", () => {
  it("signatures of an image's SBOM go after the SBOM, which goes after the image", async () => {
    const old = image("old", 0);
    const sbom = referrer("sbom", old, "application/spdx+json");
    const signature = tagged(".sig", sbom);
    const result = await run();
    assert.deepEqual([result.pruned, result.attached], [[old], [sbom, signature].sort()]);
    assert.deepEqual([left().size, deletions()], [0, 3]);
  });

  it("the signature of an image that ECR does not delete stays, and that is said", async () => {
    const old = image("old", 0);
    const signature = tagged(".sig", old);
    const body = {
      imageIds: [],
      failures: [{ imageId: { imageDigest: old }, failureCode: "KmsError", failureReason: "the key is off" }],
    };
    on.plane.ecrApi.origin.fault = failing("BatchDeleteImage", {
      do: "answer",
      status: 200,
      body: JSON.stringify(body),
    });
    const result = await run();
    assert.deepEqual([result.pruned, result.attached, result.kept], [[], [], 1]);
    assert.deepEqual([left(), deletions()], [new Set([old, signature]), 1]);
    assert.match(result.warnings.join("\n"), new RegExp(`ECR did not delete .*${old}: the key is off`));
  });

  it("an image that the answer to the deletion does not mention counts as kept", async () => {
    const old = image("old", 0);
    on.plane.ecrApi.origin.fault = failing("BatchDeleteImage", { do: "answer", status: 200, body: "{}" });
    const result = await run();
    assert.deepEqual([result.pruned, result.kept], [[], 1]);
    assert.match(result.warnings.join("\n"), new RegExp(`${old}: the answer does not mention it`));
  });
});

describe("prune keeps what it cannot place, and says so:", () => {
  it("a signature of an image that is not in the repository", async () => {
    const stray = tagged(".sig", `sha256:${"a".repeat(64)}`);
    const old = image("old", 0);
    const result = await run();
    assert.deepEqual([result.pruned, left()], [[old], new Set([stray])]);
    assert.match(
      result.warnings.join("\n"),
      new RegExp(`that belong to images which are not in it stay: ${stray}$`),
    );
  });

  for (const [title, spoil] of [
    ["fails in BatchGetImage", (digest: string) => failReading(repository(), digest, "ImageInaccessible")],
    ["may not be read", () => void on.plane.ecrApi.denied.add("BatchGetImage")],
    [
      "does not come back",
      () => {
        on.plane.ecrApi.origin.fault = failing("BatchGetImage", { do: "answer", status: 200, body: "{}" });
      },
    ],
    [
      "comes back as another one",
      (imageDigest: string) => {
        const images = [{ imageId: { imageDigest }, imageManifest: '{"schemaVersion":2,"manifests":[]}' }];
        const body = JSON.stringify({ images });
        on.plane.ecrApi.origin.fault = failing("BatchGetImage", { do: "answer", status: 200, body });
      },
    ],
  ] as const)
    for (const yes of [true, false])
      it(`an index that ${title}, and images without a tag, which may be its children${yes ? "" : " (dry run)"}`, async () => {
        const child = image("child", 0, []);
        const whole = index([child], ["v1"], 1);
        const old = image("old", 2);
        spoil(whole);
        const result = await run({ yes });
        assert.deepEqual([result.pruned, result.kept], [[old], 2]);
        assert.equal(left().has(child) && left().has(whole), true);
        assert.match(result.warnings.join("\n"), /manifests of .* that could not be read stay, with all/);
      });

  it("an artifact of which neither the list nor its manifest tells the subject", async () => {
    const used = image("used", 0);
    use(used);
    const artifact = referrer("signature", used);
    failReading(repository(), artifact, "ImageInaccessible");
    const result = await withoutSubjects(() => run());
    assert.deepEqual([result.pruned, left()], [[], new Set([used, artifact])]);
    assert.match(result.warnings.join("\n"), /that could not be read stay/);
  });
});

describe("prune reads the manifest", () => {
  it("of an artifact for its subject if the list does not tell it", async () => {
    const [used, old] = [image("used", 0), image("old", 1)];
    use(used);
    const [kept, gone] = [referrer("one", used), referrer("two", old)];
    const result = await withoutSubjects(() => run());
    assert.deepEqual([result.pruned, result.attached, left()], [[old], [gone], new Set([used, kept])]);
  });

  it("of an index again if ECR was throttled the first time", async () => {
    const child = image("child", 0, []);
    const whole = index([child], ["v1"], 1);
    const body = JSON.stringify({ __type: "ThrottlingException", message: "Rate exceeded" });
    const fault = { do: "answer", status: 400, body } as const;
    on.plane.ecrApi.origin.fault = failing("BatchGetImage", fault, { times: 1 });
    const result = await run();
    assert.deepEqual([result.pruned, result.attached, result.warnings], [[whole], [child], []]);
  });
});

/** ECR's list as it was before it told of subjects. */
async function withoutSubjects<T>(work: () => Promise<T>): Promise<T> {
  const describeImages = keepingHouse["DescribeImages"];
  assert.ok(describeImages);
  on.plane.ecrApi.more["DescribeImages"] = (call) => {
    const text = JSON.stringify(describeImages(call)).replace(/,"subjectManifestDigest":"[^"]*"/g, "");
    return JSON.parse(text) as ReturnType<typeof describeImages>;
  };
  try {
    return await work();
  } finally {
    on.plane.ecrApi.more["DescribeImages"] = describeImages;
  }
}

describe("prune deletes nothing if an answer is not whole:", () => {
  const spoilt = (kind: string, body: object) => {
    on.plane.ecrApi.origin.fault = failing(kind, { do: "answer", status: 200, body: JSON.stringify(body) });
  };
  for (const [title, spoil] of [
    [
      "the list of functions does not come",
      () => {
        on.plane.lambda.origin.fault = failing("ListFunctions", { do: "answer", status: 200, body: "{}" });
      },
    ],
    [
      "a function does not tell its image",
      () => {
        const body = (FunctionName: string) => ({ FunctionName, PackageType: "Image", Version: "$LATEST" });
        const answers = {
          ListFunctions: { Functions: [body("f")] },
          GetFunction: { Configuration: body("f") },
        };
        on.plane.lambda.origin.fault = ({ kind }) =>
          kind in answers
            ? { do: "answer", status: 200, body: JSON.stringify(answers[kind as keyof typeof answers]) }
            : undefined;
      },
    ],
    [
      "a function does not tell its package type",
      () => {
        const body = JSON.stringify({ Functions: [{ FunctionName: "f", Version: "$LATEST" }] });
        on.plane.lambda.origin.fault = failing("ListFunctions", { do: "answer", status: 200, body });
      },
    ],
    ["the list of images does not come", () => spoilt("DescribeImages", {})],
    ["an image has no digest", () => spoilt("DescribeImages", { imageDetails: [{ imageTags: ["v1"] }] })],
    ["the repository's policy has no text", () => spoilt("GetRepositoryPolicy", {})],
  ] as const)
    it(title, async () => {
      const old = image("old", 0);
      use(image("used", 1));
      spoil();
      assert.equal((await failure(run())).code, "REGISTRY_ANSWER");
      assert.deepEqual([left().has(old), deletions()], [true, 0]);
    });

  it("a page of the list of images is refused", async () => {
    for (let count = 0; count < 5; count += 1) image(`image ${count}`, count);
    const body = JSON.stringify({ __type: "AccessDeniedException", message: "not this page" });
    on.plane.ecrApi.origin.fault = failing(
      "DescribeImages",
      { do: "answer", status: 400, body },
      { from: 2 },
    );
    assert.equal((await failure(run())).code, "DENIED");
    assert.deepEqual([left().size, deletions()], [5, 0]);
  });

  it("a page of the list of images leads to itself", async () => {
    const old = image("old", 0);
    const detail = { imageDigest: old, imageTags: ["old"], imagePushedAt: 1_700_000_000 };
    spoilt("DescribeImages", { imageDetails: [detail], nextToken: "again" });
    assert.equal((await failure(run())).code, "REGISTRY_ANSWER");
    assert.deepEqual([left().has(old), deletions()], [true, 0]);
  });

  it("a function that is deleted while it is asked is no reason to stop", async () => {
    const old = image("old", 0);
    use(old);
    on.plane.lambda.before = (operation) => {
      if (operation === "GetFunction") throw new LambdaException(404, "ResourceNotFoundException", "gone");
    };
    assert.deepEqual((await run()).pruned, []);
  });
});

it("prune deletes nothing if the policy lets in a whole organization, unless --ignore-account '*' is given", async () => {
  const old = image("old", 0);
  const Condition = { StringEquals: { "aws:PrincipalOrgID": "o-1234567890" } };
  const statement = { Effect: "Allow", Principal: "*", Action: "ecr:BatchGetImage", Condition };
  repository().policy = JSON.stringify({ Statement: [statement] });
  const error = await failure(run());
  assert.equal(error.code, "FUNCTION_UNFIT");
  assert.match(error.message, /^functions of accounts that the policy does not name may use images/);
  assert.match(error.hint, /--ignore-account '\*'$/);
  assert.deepEqual([left().has(old), deletions()], [true, 0]);
  assert.deepEqual((await run({ ignoreAccount: ["*"] })).pruned, [old]);
});

it("prune keeps an image of which ECR does not tell when it was pushed", async () => {
  const old = image("old", 0);
  const detail = {
    imageDigest: old,
    imageTags: ["old"],
    imageSizeInBytes: 1,
    imageManifestMediaType: MANIFEST,
  };
  const body = JSON.stringify({ imageDetails: [detail] });
  on.plane.ecrApi.origin.fault = failing("DescribeImages", { do: "answer", status: 200, body });
  const result = await run();
  assert.deepEqual([result.pruned, result.kept, left()], [[], 1, new Set([old])]);
});
