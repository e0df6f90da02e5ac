import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Fault } from "../../support/registry/fault.ts";
import { answer } from "../../support/registry/fault-cases.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import {
  basicCredentials,
  bytesOf,
  imageOf,
  layerOf,
  openedWith,
  pushTo,
} from "../../support/registry/repository.ts";
import type { RequestKind, Seen } from "../../support/registry/request.ts";

let started: TestRegistry | undefined;
afterEach(async () => {
  await started?.stop();
});

/** Pushes an image whose layer another repository of the registry has, in chunks, through `faultOf`. */
async function pushThrough(faultOf: (request: Seen) => Fault | undefined): Promise<TestRegistry> {
  const registry = await TestRegistry.start({ auth: "token" });
  started = registry;
  const layer = layerOf(50_000);
  const image = imageOf({ ...layer, origin: { registry: registry.host, repository: "base" } });
  registry.addBlob("base", await bytesOf(layer));
  registry.fault = faultOf;
  const chunked = { wholeUpTo: 0, chunkSize: 20_000 };
  const { repository } = openedWith(registry, chunked, { credentials: basicCredentials() });
  await pushTo(repository, image, "v1");
  assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
  assert.equal(registry.blob("app", layer.descriptor.digest)?.length, 50_000);
  await repository.close();
  return registry;
}

/** Statuses that a second attempt does not change, and some that usually pass, but not here. */
const STATUSES = [
  500, 503, 204, 206, 302, 400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 422, 501, 507, 511, 599,
];
const ELSEWHERE = { location: "http://169.254.169.254/blob" };
const REFUSED: readonly (readonly [string, Fault])[] = [
  ...STATUSES.map((status) => [`with ${status}`, answer(status)] as const),
  ["with a redirect to a metadata service", answer(307, "", ELSEWHERE)],
];

/** Returns the first fault at the first request of `kind`, and what `next` says for all others. */
function once(kind: RequestKind, fault: Fault, next: (request: Seen) => Fault | undefined) {
  let isOver = false;
  return (request: Seen) => {
    if (isOver) return next(request);
    isOver = request.kind === kind;
    return isOver ? fault : request.kind === "mount" ? answer(404) : undefined;
  };
}

describe("a push does not end where what only saves work is refused:", () => {
  for (const [how, refusal] of REFUSED) {
    it(`a look-up of a manifest or blob, ${how}`, async () => {
      const lookUps = /^(head|get) (blob|manifest)$/;
      await pushThrough(({ kind }) => (lookUps.test(kind) ? refusal : undefined));
    });

    it(`a mount, ${how}`, async () => {
      const registry = await pushThrough(({ kind }) => (kind === "mount" ? refusal : undefined));
      assert.ok(registry.seen("mount").length > 0);
    });

    it(`the token for a mount, ${how}`, async () => {
      await pushThrough(({ kind, query }) => {
        const isForMount = query.getAll("scope").some((scope) => scope.includes("base"));
        return kind === "token" && isForMount ? refusal : undefined;
      });
    });

    it(`the state of an upload whose connection was cut, ${how}`, async () => {
      const cut: Fault = { kind: "cut request", at: 5000 };
      const refused = ({ kind }: Seen) =>
        kind === "upload status" ? refusal : kind === "mount" ? answer(404) : undefined;
      const registry = await pushThrough(once("patch upload", cut, refused));
      assert.ok(registry.seen("upload status").length > 0);
    });

    it(`the look-up of a blob after the answer to its closing PUT was lost, ${how}`, async () => {
      const refused = ({ kind }: Seen) => (/^(head|get) blob$/.test(kind) ? refusal : undefined);
      const registry = await pushThrough(once("put upload", { kind: "lose answer" }, refused));
      assert.ok(registry.seen("put upload").length > 1);
    });

    it(`the look-up of a manifest after its PUT was answered 500, ${how}`, async () => {
      const refused = ({ kind }: Seen) => (/^(head|get) manifest$/.test(kind) ? refusal : undefined);
      const registry = await pushThrough(once("put manifest", answer(500), refused));
      assert.equal(registry.seen("put manifest").length, 2);
    });
  }

  const noToken = { kind: "answer", status: 200, body: "{}" } as const;
  const isMountToken = ({ kind, query }: Seen) => kind === "token" && /base/.test(query.toString());
  for (const [what, faultOf] of [
    [
      "a mount is answered 202 without a Location",
      ({ kind }) => (kind === "mount" ? answer(202) : undefined),
    ],
    [
      "a mount starts an upload at a metadata service",
      ({ kind }) => (kind === "mount" ? answer(202, "", ELSEWHERE) : undefined),
    ],
    [
      "the answer for the token of a mount has none",
      (request) => (isMountToken(request) ? noToken : undefined),
    ],
  ] as const satisfies readonly (readonly [string, (request: Seen) => Fault | undefined])[])
    it(what, async () => {
      await pushThrough(faultOf);
    });
});

it("look-ups that were refused three times, answered, and refused again are waited for", async () => {
  const statuses = [503, 503, 503, 404, 503, 503, 503];
  let puts = 0;
  const registry = await pushThrough(({ kind }) => {
    if (kind === "put manifest") {
      puts += 1;
      return puts === 1 ? answer(500) : { kind: "lose answer" };
    }
    const status = puts > 0 && /^head manifest$/.test(kind) ? statuses.shift() : undefined;
    return status === undefined ? undefined : answer(status);
  });
  assert.deepEqual([statuses, registry.seen("put manifest").length], [[], 2]);
});
