import { problem, type Reply } from "../http/wire.ts";

/** What a registry reads in a manifest or an index. */
export interface Document {
  readonly mediaType: string | undefined;
  readonly isIndex: boolean;
  /** Digests of config and layers. */
  readonly blobs: readonly string[];
  /** Digests of an index's entries. */
  readonly manifests: readonly string[];
  readonly layers: number;
  readonly hasPlatformFeatures: boolean;
  readonly subject: string | undefined;
  readonly artifactType: string | undefined;
}

/** undefined: not JSON, or not an object. */
export function documentOf(bytes: Buffer): Document | undefined {
  let json: unknown;
  try {
    json = JSON.parse(String(bytes));
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const config = get(json, "config");
  const layers = list(get(json, "layers"));
  const manifests = list(get(json, "manifests"));
  const isIndex = get(json, "manifests") !== undefined;
  return {
    mediaType: text(get(json, "mediaType")),
    isIndex,
    blobs: (isIndex ? [] : [config, ...layers]).map((found) => text(get(found, "digest")) ?? ""),
    manifests: manifests.map((found) => text(get(found, "digest")) ?? ""),
    layers: layers.length,
    hasPlatformFeatures: manifests.some((found) => get(get(found, "platform"), "features") !== undefined),
    subject: text(get(get(json, "subject"), "digest")),
    artifactType: text(get(json, "artifactType")) ?? text(get(config, "mediaType")),
  };
}

/** Q18: ECR's one answer to every manifest it dislikes; that `Content-Type` must fit `mediaType` is the specification's word. */
export function refusalOf(document: Document | undefined, contentType: string): Reply | undefined {
  const isDisliked =
    !document ||
    document.mediaType !== contentType ||
    document.hasPlatformFeatures ||
    (!document.isIndex && document.layers === 0);
  if (!isDisliked) return undefined;
  const message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
  return problem(405, "UNSUPPORTED", message);
}

function get(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
