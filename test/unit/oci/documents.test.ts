import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf, parseDigest } from "../../../src/oci/digest.ts";
import { parseDescriptor, parseDocument, parseImageConfig } from "../../../src/oci/documents.ts";
import { parseJson } from "../../../src/oci/json.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { formatPlatform, type Platform, satisfies } from "../../../src/oci/platform.ts";
import { corpus } from "../../support/corpora.ts";

const bytes = (text: string) => Buffer.from(text);
const descriptor = { mediaType: MEDIA_TYPES.oci.config, digest: digestOf("config"), size: 6 };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.oci.manifest, config: descriptor, layers: [] };
const parse = (value: unknown, label?: string) => parseDocument(bytes(JSON.stringify(value)), label);

interface DocumentCase {
  readonly id: string;
  readonly kind: string;
  readonly text: string;
  readonly expect: { readonly valid: boolean };
}

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  "image-manifest": (text) => parseDocument(bytes(text), undefined),
  "image-index": (text) => parseDocument(bytes(text), undefined),
  "image-config": (text) => parseImageConfig(bytes(text)),
  descriptor: (text) => parseDescriptor(parseJson(bytes(text), "descriptor")),
};

/** What the schemas allow and this project does not. */
const narrower = (text: string) =>
  /sha512:|"[a-z0-9+._-]+:[A-Za-z0-9=_-]+"/.test(text.replaceAll(/sha256:[0-9a-f]{64}/g, ""));

describe("documents, by the schema tests of image-spec", () => {
  for (const { id, kind, text, expect } of corpus<DocumentCase>("oci-json").cases) {
    const read = parsers[kind];
    if (read === undefined) continue;
    it(`${id}: ${kind} is ${expect.valid ? "read" : "refused"}`, () => {
      if (!expect.valid) assert.throws(() => read(text), { name: "LambdaPackError" });
      else if (narrower(text)) assert.throws(() => read(text), { code: /IMAGE_(UNSUPPORTED|INVALID)/ });
      else read(text);
    });
  }
});

describe("a document", () => {
  it("without mediaType is told by what it came as, and by its config if that says nothing", () => {
    const { mediaType: _, ...bare } = manifest;
    const document = parse(bare, "application/json");
    assert.equal(document.kind === "manifest" && document.manifest.mediaType, MEDIA_TYPES.oci.manifest);
    const docker = parse({ ...bare, config: { ...descriptor, mediaType: MEDIA_TYPES.docker.config } });
    assert.equal(docker.kind === "manifest" && docker.manifest.mediaType, MEDIA_TYPES.docker.manifest);
  });

  it("that calls itself something else than its label is refused", () => {
    assert.throws(() => parse(manifest, MEDIA_TYPES.docker.manifest), {
      code: "IMAGE_INVALID",
      message: /calls itself/,
    });
  });

  it("that is a manifest and an index at once is refused", () => {
    assert.throws(() => parse({ ...manifest, manifests: [] }), { code: "IMAGE_INVALID", message: /both/ });
  });

  it("of Docker's schema 1 is refused by that name", () => {
    assert.throws(() => parse({ schemaVersion: 1, fsLayers: [] }), {
      code: "IMAGE_INVALID",
      message: /schema 1/,
    });
  });

  it("names the path of what is wrong", () => {
    const broken = {
      ...manifest,
      layers: [descriptor, { ...descriptor, digest: "sha256:../../etc/passwd" }],
    };
    assert.throws(() => parse(broken), { message: /^manifest\.layers\[1\]\.digest: expected sha256/ });
  });

  const hostile: readonly [string, Uint8Array, RegExp][] = [
    ["nested 100,000 deep", bytes(`${'{"a":['.repeat(50_000)}`), /nested deeper/],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), /is not UTF-8/],
    ["with a byte order mark", bytes(`\uFEFF${JSON.stringify(manifest)}`), /is not JSON/],
    ["empty", bytes(""), /is not JSON/],
    ["null", bytes("null"), /should be an object/],
    [
      "with a size of 1e400",
      bytes(JSON.stringify(manifest).replace('"size":6', '"size":1e400')),
      /size should be a whole number/,
    ],
    [
      "with 1,001 layers",
      bytes(JSON.stringify({ ...manifest, layers: Array(1001).fill(descriptor) })),
      /more than 1000/,
    ],
  ];
  for (const [what, document, message] of hostile) {
    it(`${what} is refused`, () =>
      assert.throws(() => parseDocument(document, undefined), { code: "IMAGE_INVALID", message }));
  }
});

describe("a config", () => {
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };

  it("keeps what this project does not know, and reads Go's null as absent", () => {
    const text = JSON.stringify({
      ...config,
      "os.version": "1",
      config: { Cmd: null, Env: ["A=1"], Healthcheck: { Test: [] } },
      history: null,
    });
    const read = parseImageConfig(bytes(text));
    assert.equal(read["os.version"], "1");
    assert.deepEqual(read.config, { Env: ["A=1"], Healthcheck: { Test: [] } });
    assert.equal(read.history, undefined);
  });

  it("with a diff_id that is not a digest is refused by its path", () => {
    const broken = JSON.stringify({ ...config, rootfs: { type: "layers", diff_ids: ["x"] } });
    assert.throws(() => parseImageConfig(bytes(broken)), { message: /^config\.rootfs\.diff_ids\[0\]/ });
  });
});

interface DigestCase {
  readonly id: string;
  readonly input: string;
  readonly expect: { readonly error?: unknown; readonly algorithm?: string };
}

describe("a digest, by the tests of go-digest and go-containerregistry", () => {
  for (const { id, input, expect } of corpus<DigestCase>("digests").cases) {
    const accepted = expect.error === undefined && input.startsWith("sha256:");
    it(`${id}: ${JSON.stringify(input.slice(0, 30))} is ${accepted ? "read" : "refused"}`, () => {
      if (accepted) assert.equal(parseDigest(input), input);
      else assert.throws(() => parseDigest(input), { name: "LambdaPackError" });
    });
  }
});

interface PlatformCase {
  readonly id: string;
  readonly kind: string;
  readonly have: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly expect: boolean;
}

/** Versions and features tell Windows builds apart; on linux nothing sets them, so they are not read. */
const isRead = (platform: object) => !Object.keys(platform).some((key) => /Version|Features/.test(key));

describe("a platform, by the tests of go-containerregistry", () => {
  const read = (platform: Readonly<Record<string, unknown>>): Platform => ({
    os: String(platform["OS"]),
    architecture: String(platform["Architecture"]),
    ...(typeof platform["Variant"] === "string" && { variant: platform["Variant"] }),
  });
  for (const { id, kind, have, spec, expect } of corpus<PlatformCase>("platforms").cases) {
    if (kind !== "satisfies" || !isRead(have) || !isRead(spec)) continue;
    it(`${id}: ${formatPlatform(read(have))} ${expect ? "serves" : "does not serve"} ${formatPlatform(read(spec))}`, () => {
      assert.equal(satisfies(read(have), read(spec)), expect);
    });
  }

  it("arm64 and arm64/v8 are the same", () => {
    assert.ok(
      satisfies(
        { os: "linux", architecture: "arm64", variant: "v8" },
        { os: "linux", architecture: "arm64" },
      ),
    );
  });
});

describe("a config as other builders write it", () => {
  const base = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } };
  const read = (more: object) => parseImageConfig(bytes(JSON.stringify({ ...base, ...more })));

  it("may have null for its history, for an entry of it and for the fields of an entry", () => {
    assert.equal(read({ history: null }).history, undefined);
    const entry = { created: null, created_by: null, author: null, comment: null, empty_layer: null };
    assert.deepEqual(read({ history: [null, entry, { created_by: "RUN", note: 1 }] }).history, [
      {},
      {},
      { created_by: "RUN", note: 1 },
    ]);
  });

  it("may have null for its list of layers, as Go writes an empty one", () => {
    assert.deepEqual(read({ rootfs: { type: "layers", diff_ids: null } }).rootfs.diff_ids, []);
    const document = parse({ ...manifest, layers: null });
    assert.deepEqual(document.kind === "manifest" && document.manifest.layers, []);
  });

  for (const [name, value] of Object.entries({
    created_by: 7,
    comment: [],
    created: {},
    empty_layer: "yes",
  })) {
    it(`is refused with the place when ${name} in its history is ${JSON.stringify(value)}`, () => {
      assert.throws(() => read({ history: [{}, { [name]: value }] }), {
        code: "IMAGE_INVALID",
        message: new RegExp(`^config\\.history\\[1\\]\\.${name} should be `),
      });
    });
  }
});
