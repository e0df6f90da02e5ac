import type { ErrorCode } from "../../../src/errors.ts";
import { contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import {
  bytes,
  configured,
  docker,
  entry,
  good,
  type Held,
  held,
  index,
  json,
  layer,
  manifest,
  nested,
  oci,
  SCHEMA_1,
  settings,
  whole,
  withLayer,
} from "./make-document.ts";
import type { StageName } from "./stage.ts";

/** An image that is not as it should be. It stays so however often it is asked for. */
export interface BadDocument {
  /** Its row in the list of failure modes. */
  readonly row: string;
  readonly name: string;
  /** What a build for x86_64 over it ends in. */
  readonly ends: ErrorCode | "ok";
  /** The one registry that gives such a thing to who does not ask for it. */
  readonly only?: StageName;
  readonly held: Held;
}

const INDEXES: readonly Omit<BadDocument, "row">[] = [
  {
    name: "an index without our architecture",
    ends: "PLATFORM_NOT_FOUND",
    held: held(index([entry(manifest(), "arm64"), entry(manifest(), "s390x")]), manifest()),
  },
  { name: "an index of nothing", ends: "PLATFORM_NOT_FOUND", held: held(index([])) },
  { name: "an index within an index", ends: "ok", held: nested(2) },
  { name: "indexes without end", ends: "IMAGE_INVALID", held: nested(20) },
  {
    name: "attestations (unknown/unknown) beside the image",
    ends: "ok",
    held: held(index([entry(manifest({ layers: [] }), "unknown", "unknown"), entry(manifest())]), manifest()),
  },
  {
    name: "an image for another architecture",
    ends: "PLATFORM_NOT_FOUND",
    held: configured(json(oci.config, { ...settings, architecture: "arm64" })),
  },
  { name: "an index that calls an arm64 image amd64", ends: "PLATFORM_NOT_FOUND", held: mislabelled() },
  {
    name: "an index whose child is not there",
    ends: "IMAGE_NOT_FOUND",
    held: held(index([entry(manifest({ annotations: { gone: "yes" } }))])),
  },
];

function mislabelled(): Held {
  const { documents, blobs: all } = configured(json(oci.config, { ...settings, architecture: "arm64" }));
  return { documents: [index(documents.map((document) => entry(document))), ...documents], blobs: all };
}

const LIES: readonly Omit<BadDocument, "row">[] = [
  {
    name: "an index that calls itself a manifest",
    ends: "IMAGE_INVALID",
    held: held(
      {
        ...index([entry(manifest())]),
        descriptor: { ...index([entry(manifest())]).descriptor, mediaType: oci.manifest },
      },
      manifest(),
    ),
  },
  {
    name: "a manifest and an index at once",
    ends: "IMAGE_INVALID",
    held: held(manifest({ manifests: [entry(manifest())] })),
  },
  {
    name: "a media type inside, another outside",
    ends: "IMAGE_INVALID",
    held: held(manifest({ mediaType: docker.manifest })),
  },
];

const KINDS_OF_IMAGE: readonly Omit<BadDocument, "row">[] = [
  { name: "no mediaType", ends: "ok", held: held(manifest({ mediaType: undefined })) },
  {
    name: "Docker's schema 2",
    ends: "ok",
    held: held(
      manifest(
        {
          mediaType: docker.manifest,
          config: { ...good.config.descriptor, mediaType: docker.config },
          layers: [{ ...layer.descriptor, mediaType: docker.layer }],
        },
        docker.manifest,
      ),
    ),
  },
  {
    name: "Docker's schema 1",
    ends: "IMAGE_INVALID",
    only: "ecr",
    held: held(contentOf(SCHEMA_1, Buffer.from('{"schemaVersion":1,"name":"app","fsLayers":[]}'))),
  },
  {
    name: "a zstd layer",
    ends: "IMAGE_UNSUPPORTED",
    held: withLayer("application/vnd.oci.image.layer.v1.tar+zstd"),
  },
  {
    name: "a foreign layer",
    ends: "IMAGE_UNSUPPORTED",
    held: withLayer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", {
      urls: ["http://169.254.169.254/layer"],
    }),
  },
  {
    name: "a layer of no known type",
    ends: "IMAGE_UNSUPPORTED",
    held: withLayer("application/x-not-a-layer"),
  },
];

const STRANGE: readonly Omit<BadDocument, "row">[] = [
  {
    name: "JSON 100,000 deep",
    ends: "IMAGE_INVALID",
    held: bytes(`{"schemaVersion":2,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  },
  { name: "JSON that ends in the middle", ends: "IMAGE_INVALID", held: bytes(whole.slice(0, -9)) },
  { name: "a byte order mark", ends: "IMAGE_INVALID", held: bytes(`\uFEFF${whole}`) },
  {
    name: "bytes that are not UTF-8",
    ends: "IMAGE_INVALID",
    held: bytes(Buffer.from(whole.replace("schemaVersion", "schema\u00ffVersion"), "latin1")),
  },
  {
    name: "a size of 1e400",
    ends: "IMAGE_INVALID",
    held: bytes(whole.replace(/"size":\d+/, '"size":1e400')),
  },
  {
    name: "a size below nothing",
    ends: "IMAGE_INVALID",
    held: bytes(whole.replace(/"size":\d+/, '"size":-1')),
  },
  {
    name: "a digest that is a path",
    ends: "IMAGE_INVALID",
    held: bytes(whole.replace(layer.descriptor.digest, "sha256:../../../../etc/passwd")),
  },
  {
    name: "two configs, the second one bad",
    ends: "IMAGE_INVALID",
    held: bytes(whole.replace(/}$/, ',"config":{}}')),
  },
  { name: "no JSON at all", ends: "IMAGE_INVALID", held: bytes("<html>captive portal</html>") },
  { name: "nothing but a version", ends: "IMAGE_INVALID", held: bytes('{"schemaVersion":2}') },
];

const COUNTS: readonly Omit<BadDocument, "row">[] = [
  {
    name: "more diff_ids than layers",
    ends: "IMAGE_INVALID",
    held: configured(
      json(oci.config, {
        ...settings,
        rootfs: { type: "layers", diff_ids: [layer.descriptor.digest, digestOf("x")] },
      }),
    ),
  },
  {
    name: "no diff_ids",
    ends: "IMAGE_INVALID",
    held: configured(json(oci.config, { ...settings, rootfs: { type: "layers", diff_ids: [] } })),
  },
  {
    name: "a config without rootfs",
    ends: "IMAGE_INVALID",
    held: configured(json(oci.config, { architecture: "amd64", os: "linux" })),
  },
  {
    name: "a history of more layers than there are",
    ends: "ok",
    held: configured(
      json(oci.config, {
        ...settings,
        history: [{ created_by: "a" }, { created_by: "b" }, { created_by: "c" }],
      }),
    ),
  },
];

const inRow = (row: string) => (document: Omit<BadDocument, "row">) => ({ row, ...document });

export const BAD_DOCUMENTS: readonly BadDocument[] = [
  ...INDEXES.map(inRow("45")),
  ...LIES.map(inRow("46")),
  ...KINDS_OF_IMAGE.map(inRow("47")),
  ...STRANGE.map(inRow("48")),
  ...COUNTS.map(inRow("49")),
];
