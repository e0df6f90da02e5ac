/** IAM action of a registry request (ECR user guide, "Required IAM permissions for pushing an image"). */
export type EcrAction =
  | "ecr:BatchCheckLayerAvailability"
  | "ecr:BatchGetImage"
  | "ecr:CompleteLayerUpload"
  | "ecr:GetDownloadUrlForLayer"
  | "ecr:InitiateLayerUpload"
  | "ecr:PutImage"
  | "ecr:UploadLayerPart";

/**
 * What Amazon ECR does that the distribution specification does not say: one field for each of the 27 known ways.
 * Nobody measured them against AWS here; the source stands at each. Tests may change any field at any time.
 */
export interface Quirks {
  /** Q1: without known Basic credentials 401, before a body is read, and the connection is closed (regclient#709). */
  basicAuth: boolean;
  /** Q2: a token older than this, or used for more requests, is refused with 403 DENIED "expired" (soci-snapshotter#1148). */
  tokenLife: { readonly seconds: number; readonly requests: number };
  /** Q3: `POST uploads/` to a missing repository, or without permission (containers-roadmap#1970, CircleCI#259). */
  missingRepository: "hang-up" | "name-unknown" | "denied";
  /** Q4: prefixes under which `POST uploads/` creates the repository (containers-roadmap#853). */
  createOnPush: readonly string[];
  /** Q5: the status of an accepted PATCH (dotnet/sdk-container-builds#279). */
  patchStatus: 201 | 202 | 204;
  /** Q6: `Range` stays at the end of the first PATCH; the bytes of later ones are stored (containers-roadmap#2831). */
  staleRange: boolean;
  /**
   * Q7: a part that does not begin where the session ends: 416 with the offsets in the message (apple/containerization#790),
   * 416 with `Range` as the specification says, or accepted and appended (distribution 2.8).
   */
  wrongOffset: "message" | "range" | "append";
  /** Q8: a PATCH with fewer bytes that is not the last part makes the closing PUT fail; 0: none does (dotnet/sdk-container-builds#424). */
  minimumPart: number;
  /** Q9: a closing PUT without a body after two PATCHes or more (tart#159: 500; dotnet/sdk-container-builds#472: 400). */
  emptyClosingPut: "accepted" | 500 | 400;
  /** Q10: what stays of an interrupted body (apple/container#1895: a prefix; distribution 2.8: the session dies). */
  droppedBody: "nothing" | "random-prefix" | "session-dies";
  /** Q11: GET of an upload's URL. Unknown on ECR, so a client must live with each. */
  uploadStatus: "range" | 404 | 405;
  /** Q12: an upload session answers so many requests after its POST, then 404 BLOB_UPLOAD_UNKNOWN (UploadNotFoundException). */
  sessionRequests: number;
  /** Q13: what `Location` looks like (distribution-spec, ggcr#2295). `query` must be sent back as it came, the last one counts. */
  location: "absolute" | "query" | "relative" | "other-host" | "private-address";
  /** Q14: blobs are mounted, from a repository where a manifest names them (containers-roadmap#2860). */
  blobMounting: boolean;
  /** Q15: GET of a blob redirects to storage with a URL that lives for `seconds` (OPA#6580); `direct`: the bytes come from the registry. */
  blobRedirect: "direct" | { readonly seconds: number };
  /** Q16: HEAD of a blob; ECR Public answers 401 (containers-roadmap#2671). */
  headBlob: boolean;
  /** Q17: GET by tag gives the other family's manifest to who accepts only that one (ECR user guide, "manifest formats"). */
  tagConversion: boolean;
  /** Q18: 405 UNSUPPORTED for no layers, no mediaType, `platform.features`, bad JSON (containers-roadmap#876, #2439, containers/image#584). */
  manifestRefusals: boolean;
  /** Q19: the status of BLOB_UPLOAD_UNKNOWN "Layers with digests ..." (ecs-conex#50; status not seen); false: such a manifest is taken. */
  missingLayers: 404 | 400 | false;
  /** Q20: a tag is written once, 400 TAG_INVALID even for the same digest (containers-roadmap#2380). */
  immutableTags: boolean;
  /** Q21: requests a second for each action, a second's worth at once; above it 429 TOOMANYREQUESTS without Retry-After (containerd#10447). */
  throttle: Readonly<Partial<Record<EcrAction, number>>>;
  /** Q22: each request fails with this probability, in a way that `seed` decides: cut, reset, 500, 502, 503, 429, slow, reply lost. */
  flaky: { readonly probability: number; readonly seed: number };
  /** Q23: bodies received at once; the connection of one more is cut (dotnet/sdk-container-builds#279). */
  parallelBodies: number;
  /** Q24, public: pulls (manifest GETs) a second without a login, above it 429 (ECR Public service quotas say 1). */
  anonymousPulls: number;
  /** Q25: 400 for a tag outside the grammar (rules_oci#720) and for `tags/list?n=` above 1000 (ggcr#1091). */
  strictParameters: boolean;
  /** Q26: `Docker-Content-Digest` on manifests; old ECR had none (google/containerregistry#10). */
  contentDigest: boolean;
  /** Q27: `OCI-Subject` and the referrers API (AWS what's new 2024-06-27); false: 404. */
  referrers: boolean;
}

/** Quotas of a region (service quotas of Amazon ECR), for {@link Quirks.throttle}. */
export const ECR_QUOTAS: Quirks["throttle"] = {
  "ecr:PutImage": 10,
  "ecr:InitiateLayerUpload": 100,
  "ecr:CompleteLayerUpload": 100,
  "ecr:UploadLayerPart": 500,
  "ecr:BatchCheckLayerAvailability": 1000,
  "ecr:BatchGetImage": 2000,
  "ecr:GetDownloadUrlForLayer": 3000,
};

/** How ECR private is known to behave. */
export function privateQuirks(): Quirks {
  return {
    basicAuth: true,
    tokenLife: { seconds: 12 * 3600, requests: Number.POSITIVE_INFINITY },
    missingRepository: "hang-up",
    createOnPush: [],
    patchStatus: 201,
    staleRange: true,
    wrongOffset: "message",
    minimumPart: 5 * 1024 * 1024,
    emptyClosingPut: "accepted",
    droppedBody: "nothing",
    uploadStatus: "range",
    sessionRequests: Number.POSITIVE_INFINITY,
    location: "absolute",
    blobMounting: false,
    blobRedirect: { seconds: 3600 },
    headBlob: true,
    tagConversion: false,
    manifestRefusals: true,
    missingLayers: 404,
    immutableTags: false,
    throttle: {},
    flaky: { probability: 0, seed: 1 },
    parallelBodies: Number.POSITIVE_INFINITY,
    anonymousPulls: Number.POSITIVE_INFINITY,
    strictParameters: true,
    contentDigest: true,
    referrers: true,
  };
}

/** How ECR Public is known to behave. The limit of one anonymous pull a second is off: set it where a test is about it. */
export function publicQuirks(): Quirks {
  return { ...privateQuirks(), headBlob: false };
}

/** A registry as the specification says it, without ECR's ways: what a client must be right against, too. */
export function plainQuirks(): Quirks {
  return {
    ...privateQuirks(),
    basicAuth: false,
    missingRepository: "name-unknown",
    createOnPush: [""],
    patchStatus: 202,
    staleRange: false,
    wrongOffset: "range",
    minimumPart: 0,
    blobMounting: true,
    blobRedirect: "direct",
    manifestRefusals: false,
  };
}
