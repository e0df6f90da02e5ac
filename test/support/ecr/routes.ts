import type { EcrAction } from "./quirks.ts";

/** What a request of the distribution protocol is about. `name` and `id` are as in the path. */
export interface Route {
  readonly kind: string;
  readonly name: string;
  readonly id: string;
}

const PATHS: readonly (readonly [pattern: RegExp, kinds: Readonly<Record<string, string>>])[] = [
  [/^\/v2\/?$/, { GET: "ping" }],
  [/^\/token\/?$/, { GET: "token", POST: "token" }],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, { POST: "start-upload" }],
  [
    /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    { PATCH: "patch", PUT: "put-blob", GET: "upload-status", DELETE: "cancel-upload" },
  ],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, { HEAD: "head-blob", GET: "get-blob" }],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, { HEAD: "head-manifest", GET: "get-manifest", PUT: "put-manifest" }],
  [/^\/v2\/(.+)\/tags\/list$/, { GET: "list-tags" }],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, { GET: "referrers" }],
];

/** `kind` is one of the words above, or `unknown`. */
export function routeOf(method: string, path: string): Route {
  for (const [pattern, kinds] of PATHS) {
    const match = pattern.exec(path);
    if (match) return { kind: kinds[method] ?? "unknown", name: match[1] ?? "", id: match[2] ?? "" };
  }
  return { kind: "unknown", name: "", id: "" };
}

/** ECR user guide, "Required IAM permissions for pushing an image"; a closing PUT with a body counts as CompleteLayerUpload. */
export const ACTIONS: Readonly<Record<string, EcrAction>> = {
  "head-blob": "ecr:BatchCheckLayerAvailability",
  "get-blob": "ecr:GetDownloadUrlForLayer",
  "start-upload": "ecr:InitiateLayerUpload",
  patch: "ecr:UploadLayerPart",
  "put-blob": "ecr:CompleteLayerUpload",
  "put-manifest": "ecr:PutImage",
  "get-manifest": "ecr:BatchGetImage",
  "head-manifest": "ecr:BatchGetImage",
};
