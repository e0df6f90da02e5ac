import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { REAL_PACING } from "../../../src/async/retry.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import type { Content } from "../../../src/oci/content.ts";
import type { CredentialSource } from "../../../src/registry/auth/credentials.ts";
import { openRepository, type Repository } from "../../../src/registry/repository.ts";
import { failing } from "../../support/ecr/http/faults.ts";
import type { LogEntry } from "../../support/ecr/http/wire.ts";
import { privateQuirks, publicQuirks } from "../../support/ecr/quirks.ts";
import { type EcrWorld, ecrWorld, HOSTS } from "../../support/ecr/world.ts";
import {
  bytesOf,
  imageOf,
  layerOf,
  NO_CREDENTIALS,
  openedWith,
  pushTo,
  testPacing,
} from "../../support/registry/repository.ts";

const MiB = 1024 * 1024;
const LINUX = { os: "linux", architecture: "amd64" };
/** Three parts of the smallest size that ECR takes, and a rest. */
const PART = 5 * MiB;
const BIG = 3 * PART + MiB;
const big = layerOf(BIG);
const small = layerOf(100_000);
let world: EcrWorld;
let since = 0;
const events: BuildEvent[] = [];
const pacing = testPacing();

before(async () => {
  world = await ecrWorld();
});
after(() => world.stop());
beforeEach(() => {
  Object.assign(world.ecr.quirks, privateQuirks());
  Object.assign(world.public.quirks, publicQuirks());
  world.ecr.fault = () => undefined;
  world.ecr.storageOrigin.fault = () => undefined;
  world.ecr.denied.clear();
  for (const name of ["app", "base"]) {
    const { blobs, manifests, tags } = world.ecr.repository(name);
    for (const held of [blobs, manifests, tags]) held.clear();
  }
  since = world.ecr.log.length;
});

/** A login as the AWS SDK gives it: renewed when it was refused. */
function login(): CredentialSource {
  let password: string | undefined;
  return {
    async get(_registry, _repository, request) {
      if (request?.refused) password = undefined;
      password ??= world.ecr.tokens.issue("eu-west-1");
      return { kind: "basic", username: "AWS", password, from: "Amazon ECR" };
    },
  };
}

function app(repository = "app"): Repository {
  return openRepository({
    registry: HOSTS.registry,
    repository,
    credentials: login(),
    environment: world.environment,
    onEvent: (event) => events.push(event),
    pacing,
  });
}

/** As `app`, with blobs in the smallest parts that ECR takes, so that the tests are quick. */
function inParts(): Repository {
  const options = { credentials: login(), environment: world.environment, pacing };
  const at = { host: HOSTS.registry, base: new URL(`https://${HOSTS.registry}`) };
  return openedWith(at, { wholeUpTo: MiB, chunkSize: PART }, options).repository;
}

const log = (...kinds: readonly string[]): readonly LogEntry[] =>
  world.ecr.log.slice(since).filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
const received = () => log("patch", "put-blob").reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
const holds = ({ descriptor }: Content) =>
  world.ecr.repository("app").blobs.get(descriptor.digest)?.length === descriptor.size;

describe("a push to ECR", () => {
  it("and a pull from it end well, through 201s, frozen Ranges and redirects to S3", async () => {
    const repository = inParts();
    const image = imageOf(big, small);
    await pushTo(repository, image, "v1");
    const pulled = await repository.pull("v1", LINUX);
    assert.equal(pulled.manifest.descriptor.digest, image.manifest.descriptor.digest);
    for (const [index, layer] of pulled.layers.entries()) {
      assert.ok((await bytesOf(layer)).equals(await bytesOf(image.layers[index] ?? layer)));
    }
    await repository.close();
    assert.equal(received(), BIG + 100_000 + image.config.descriptor.size);
  });

  it("sends what is larger than 64 MiB in parts of 32 MiB, the last with the closing PUT", async () => {
    await app().put(layerOf(70 * MiB));
    assert.deepEqual(
      log("patch", "put-blob").map(({ method, bodyBytes }) => [method, bodyBytes / MiB]),
      [
        ["PATCH", 32],
        ["PATCH", 32],
        ["PUT", 6],
      ],
    );
  });

  for (const location of ["query", "relative", "other-host"] as const) {
    it(`follows a Location that is ${location}`, async () => {
      world.ecr.quirks.location = location;
      await inParts().put(big);
      assert.ok(holds(big));
    });
  }

  it("a push to ECR does not follow a Location to a private address", async () => {
    world.ecr.quirks.location = "private-address";
    await assert.rejects(app().put(small), { code: "REGISTRY_ANSWER" });
  });

  it("goes on after a cut at the byte that the 416 names, and sends less than one part again", async () => {
    world.ecr.quirks.droppedBody = "random-prefix";
    world.ecr.fault = failing("patch", { do: "cut", side: "request", at: 3 * MiB }, { from: 2, times: 1 });
    await inParts().put(big);
    assert.ok(holds(big));
    assert.equal(log("start-upload").length, 1);
    assert.ok(log("patch").some(({ status }) => status === 416));
    assert.ok(received() - BIG <= PART, `${received() - BIG} bytes more`);
  });

  it("goes on after a cut if nothing of the part was kept", async () => {
    world.ecr.fault = failing("patch", { do: "cut", side: "request", at: 3 * MiB }, { from: 2, times: 1 });
    await inParts().put(big);
    assert.ok(holds(big));
    assert.equal(log("start-upload").length, 1);
  });

  it("starts again if a cut ended the session", async () => {
    world.ecr.quirks.droppedBody = "session-dies";
    world.ecr.fault = failing("put-blob", { do: "cut", side: "request", at: 50_000 }, { times: 1 });
    await app().put(small);
    assert.ok(holds(small));
    assert.equal(log("start-upload").length, 2);
  });

  it("asks whether the blob is there when the last answer was lost", async () => {
    world.ecr.fault = failing("put-blob", { do: "drop", when: "after-commit" });
    await inParts().put(big);
    assert.ok(holds(big));
    assert.equal(received(), BIG);
  });

  for (const emptyClosingPut of ["accepted", 500, 400] as const) {
    it(`ends well if all had arrived and an empty closing PUT is ${emptyClosingPut}`, async () => {
      world.ecr.quirks.emptyClosingPut = emptyClosingPut;
      world.ecr.quirks.droppedBody = "random-prefix";
      world.ecr.fault = failing("put-blob", { do: "cut", side: "request", at: MiB - 1 }, { times: 1 });
      await inParts().put(big);
      assert.ok(holds(big));
    });
  }

  it("survives sessions that ECR forgets", async () => {
    world.ecr.fault = failing(
      "patch",
      {
        do: "answer",
        status: 404,
        body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"The upload does not exist"}]}',
      },
      { times: 2 },
    );
    await inParts().put(big);
    assert.ok(holds(big));
  });

  it("renews a login that expires half-way", async () => {
    world.ecr.quirks.tokenLife = { seconds: 12 * 3600, requests: 3 };
    await inParts().put(big);
    assert.ok(holds(big));
    assert.ok(log().some(({ status }) => status === 403));
  });

  it("mounts what another repository has, if the account allows it", async () => {
    world.ecr.quirks.blobMounting = true;
    await pushTo(app("base"), imageOf(small), "v1");
    since = world.ecr.log.length;
    const pulled = await app("base").pull("v1", LINUX);
    assert.equal(await app().put(pulled.layers[0] ?? small), "mounted");
    assert.equal(received(), 0);
  });

  it("sends it if the account does not", async () => {
    await pushTo(app("base"), imageOf(small), "v1");
    const pulled = await app("base").pull("v1", LINUX);
    assert.equal(await app().put(pulled.layers[0] ?? small), "uploaded");
  });

  it("a push to ECR is throttled and comes through", async () => {
    world.ecr.quirks.throttle = { "ecr:InitiateLayerUpload": 2 };
    const layers = Array.from({ length: 6 }, () => layerOf(1000));
    const real = openRepository({
      registry: HOSTS.registry,
      repository: "app",
      credentials: login(),
      environment: world.environment,
      // ECR counts real seconds. By chance six tries may be over in half of one, as this host's pace goes by the time of the tests before.
      pacing: { ...REAL_PACING, random: () => 0.9 },
    });
    await Promise.all(layers.map((layer) => real.put(layer)));
    assert.ok(layers.every(holds));
    assert.ok(log().some(({ status }) => status === 429));
  });

  it("comes through where too many bodies at once are reset", async () => {
    world.ecr.quirks.parallelBodies = 2;
    const layers = Array.from({ length: 6 }, () => layerOf(400_000));
    await Promise.all(layers.map((layer) => app().put(layer)));
    assert.ok(layers.every(holds));
  });

  it("names the layers that ECR says are missing", async () => {
    const image = imageOf(small);
    await app().put(image.config);
    await assert.rejects(app().publish(image.manifest, ["v1"]), (error: unknown) => {
      assert.ok(error instanceof LambdaPackError && error.code === "BLOBS_MISSING", String(error));
      assert.deepEqual(error.answer?.missing, [small.descriptor.digest]);
      return true;
    });
  });

  it("a push to ECR is done under an immutable tag that has this image, and says so when it has another", async () => {
    world.ecr.quirks.immutableTags = true;
    const image = imageOf(small);
    await pushTo(app(), image, "v1");
    await pushTo(app(), image, "v1");
    await assert.rejects(pushTo(app(), imageOf(layerOf(10)), "v1"), { code: "TAG_IMMUTABLE" });
  });

  it("a push to ECR has no secret in any event, and no Authorization at a wrong host", () => {
    assert.deepEqual(world.leaks(JSON.stringify(events)), []);
    assert.deepEqual(world.strayAuthorizations(), []);
  });
});

describe("a push to ECR that may not be", () => {
  /** The waits that were asked for: what this machine takes beside is not the client's. */
  const timed = async (work: Promise<unknown>, expected: object) => {
    const before = pacing.waits.length;
    await assert.rejects(work, expected);
    return pacing.waits.slice(before).reduce((sum, ms) => sum + ms, 0);
  };

  it("says that the repository is missing, in ECR's own words, though ECR only hangs up at POST", async () => {
    const expected = { code: "REPOSITORY_NOT_FOUND", message: /NAME_UNKNOWN/, hint: /repo create/ };
    const ms = await timed(app("nowhere").put(small), expected);
    assert.ok(ms < 1000, `${ms} ms`);
    assert.equal(log("start-upload").length, 1);
  });

  it("names the missing permission, though ECR only hangs up", async () => {
    world.ecr.denied.add("ecr:InitiateLayerUpload");
    const ms = await timed(app().put(small), {
      code: "REPOSITORY_NOT_FOUND",
      message: /ecr:InitiateLayerUpload/,
    });
    assert.ok(ms < 2000, `${ms} ms`);
  });

  for (const missingRepository of ["name-unknown", "denied"] as const) {
    it(`says what is wrong if ECR answers ${missingRepository}`, async () => {
      world.ecr.quirks.missingRepository = missingRepository;
      const code = missingRepository === "denied" ? "DENIED" : "REPOSITORY_NOT_FOUND";
      const ms = await timed(app("nowhere").put(small), { code });
      assert.ok(ms < 1000, `${ms} ms`);
    });
  }

  it("a push to ECR that may not be is not told to go away by one hang-up of the network", async () => {
    world.ecr.fault = failing("start-upload", { do: "drop", when: "before-reading" }, { times: 2 });
    await app().put(small);
    assert.ok(holds(small));
  });

  for (const action of ["ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"] as const) {
    it(`names ${action} if that is what is missing`, async () => {
      world.ecr.denied.add(action);
      const ms = await timed(pushTo(inParts(), imageOf(big), "v1"), {
        code: "DENIED",
        hint: new RegExp(action),
      });
      assert.ok(ms < 1000, `${ms} ms`);
    });
  }
});

describe("a push to ECR without the right to ask for blobs", () => {
  it("sends them all, and ends well", async () => {
    world.ecr.denied.add("ecr:BatchCheckLayerAvailability");
    const image = imageOf(small);
    await pushTo(app(), image, "v1");
    assert.ok(holds(small));
  });
});

describe("a pull from ECR Public", () => {
  const lambda = () =>
    openRepository({
      registry: HOSTS.public,
      repository: "lambda/python",
      credentials: NO_CREDENTIALS,
      environment: world.environment,
      pacing,
    });

  it("needs no login, and asks for no blob by HEAD", async () => {
    const image = imageOf(small);
    const repository = world.public.repository("lambda/python");
    for (const blob of [image.config, small]) repository.addBlob(await bytesOf(blob));
    repository.addManifest(await bytesOf(image.manifest), image.manifest.descriptor.mediaType, "3.12");
    const pulled = await lambda().pull("3.12", LINUX);
    assert.ok((await bytesOf(pulled.layers[0] ?? small)).equals(await bytesOf(small)));
    assert.equal(await lambda().has(small.descriptor), false);
    assert.equal(world.public.log.filter(({ kind }) => kind === "head-blob").length, 0);
  });
});

describe("an ECR of whose requests one in ten fails", () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`takes a push and gives it back, seed ${seed}`, async () => {
      world.ecr.quirks.flaky = { probability: 0.1, seed };
      world.ecr.quirks.droppedBody = "random-prefix";
      const image = imageOf(layerOf(200_000), layerOf(300_000), layerOf(50));
      const repository = app();
      await pushTo(repository, image, "v1");
      const pulled = await repository.pull("v1", LINUX);
      assert.equal(pulled.manifest.descriptor.digest, image.manifest.descriptor.digest);
      for (const [index, layer] of pulled.layers.entries()) {
        assert.ok((await bytesOf(layer)).equals(await bytesOf(image.layers[index] ?? layer)));
      }
      await repository.close();
    });
  }
});
