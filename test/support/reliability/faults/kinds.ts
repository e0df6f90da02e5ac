import type { Fault, FaultRequest } from "../../ecr/http/faults.ts";
import type { TestImage } from "../../registry/repository.ts";
import {
  busy,
  expired,
  lost,
  otherDigest,
  PUSHED_LAYER,
  reset,
  silence,
  unauthorized,
} from "./common-faults.ts";
import { LOCATIONS, ON_THE_WAY } from "./connection-kinds.ts";
import { type FaultKind, refusal, type Scene, status, type Work } from "./fault-kind.ts";
import { PULLS } from "./pull-kinds.ts";

function in2Seconds(): Fault {
  return status(429, { "retry-after": new Date(Date.now() + 2000).toUTCString() });
}

/** Where a body of a layer is cut: its first byte, its middle, its last. */
function cuts(row: string, work: Work, at: string, bytes: number): readonly FaultKind[] {
  return [0, Math.floor(bytes / 2), bytes - 1].map((offset) => ({
    ...{ row, work, at, name: `connection reset after ${offset} bytes` },
    fault: { do: "cut", side: "request", at: offset },
  }));
}

const START: readonly FaultKind[] = [
  { row: "1", name: "connection reset", fault: reset },
  { row: "1", name: "answer lost", fault: lost },
  ...[500, 502, 503, 504].map((code, index) => ({
    ...{ row: String(2 + index), name: String(code), fault: status(code) },
  })),
  { row: "6", name: "429, Retry-After in seconds", fault: status(429, { "retry-after": "2" }) },
  { row: "7", name: "429, Retry-After as a date", fault: in2Seconds },
  { row: "8", name: "429 TOOMANYREQUESTS, no Retry-After", fault: busy },
  { row: "16", name: "401, token expired", fault: unauthorized, code: "CREDENTIALS_INVALID" },
  {
    ...{ row: "16", name: "403 authorization token has expired", fault: expired, only: "ecr" },
    code: "CREDENTIALS_INVALID",
  },
  { row: "18", name: "403 DENIED", fault: refusal(403, "DENIED", "not authorized"), final: "DENIED" },
  {
    ...{ row: "18", name: "404 NAME_UNKNOWN", fault: refusal(404, "NAME_UNKNOWN", "no such repository") },
    final: "REPOSITORY_NOT_FOUND",
  },
  {
    ...{ row: "15", name: "a minimum chunk length is announced" },
    fault: { do: "headers", headers: { "oci-chunk-min-length": "10000000" } },
  },
  { row: "27", name: "no answer", fault: silence },
].map((kind) => ({ work: "push", at: "start-upload", ...kind }) as FaultKind);

const BODY: readonly FaultKind[] = [
  ...cuts("9-11", "push", "put-blob", PUSHED_LAYER),
  ...[
    { row: "2", name: "500", fault: status(500) },
    { row: "4", name: "503 before the body is read", fault: { do: "answer", status: 503, early: true } },
    { row: "12", name: "stored, answer lost", fault: lost },
    { row: "12", name: "read, nothing done", fault: { do: "drop", when: "after-reading" }, only: "ecr" },
    { row: "13", name: "404 BLOB_UPLOAD_UNKNOWN", fault: refusal(404, "BLOB_UPLOAD_UNKNOWN") },
    { row: "14", name: "416 that names no offset", fault: refusal(416, "RANGE_INVALID") },
    { row: "17", name: "401, token expired", fault: unauthorized, code: "CREDENTIALS_INVALID" },
    { row: "21", name: "another digest is confirmed", fault: otherDigest, code: "CONTENT_MISMATCH" },
    { row: "21", name: "400 DIGEST_INVALID", fault: refusal(400, "DIGEST_INVALID") },
    {
      ...{ row: "21", name: "a bit is turned on the way in", only: "ecr" },
      fault: { do: "flip", side: "request", at: 10 },
    },
    { row: "27", name: "no answer", fault: silence },
    {
      row: "27",
      name: "stalls in the middle of the body",
      fault: { do: "stall", side: "request", at: 1000 },
      only: "ecr",
    },
  ].map((kind) => ({ work: "push", at: "put-blob", ...kind }) as FaultKind),
];

/** `at` of the cuts: within the last part of the layer as well as within a whole chunk. */
const CHUNKS: readonly FaultKind[] = [
  ...cuts("9-11", "chunks", "patch", 20_000),
  ...cuts("9-11", "chunks", "put-blob", 1000),
  ...[
    { row: "12", name: "stored, answer lost", fault: lost },
    { row: "13", name: "404 BLOB_UPLOAD_UNKNOWN", fault: refusal(404, "BLOB_UPLOAD_UNKNOWN") },
    { row: "14", name: "416 that names no offset", fault: refusal(416, "RANGE_INVALID") },
    { row: "15", name: "Range says less", fault: { do: "headers", headers: { range: "0-9" } } },
    { row: "15", name: "Range says more", fault: { do: "headers", headers: { range: "0-999999999" } } },
    { row: "17", name: "401, token expired", fault: unauthorized, code: "CREDENTIALS_INVALID" },
    { row: "8", name: "429 TOOMANYREQUESTS", fault: busy },
    { row: "4", name: "503", fault: status(503) },
    { row: "27", name: "no answer", fault: silence },
  ].map((kind) => ({ work: "chunks", at: "patch", ...kind }) as FaultKind),
  {
    ...{ row: "10", name: "reset, and a random part of it stays", work: "chunks", at: "patch", only: "ecr" },
    ...{ fault: { do: "cut", side: "request", at: 15_000 }, quirks: { droppedBody: "random-prefix" } },
  },
  {
    ...{ row: "10", name: "reset, and the session is gone", work: "chunks", at: "patch" },
    ...{ fault: { do: "cut", side: "request", at: 15_000 }, quirks: { droppedBody: "session-dies" } },
    plain: { sessions: "lost" },
  },
];

const CHECKS: readonly FaultKind[] = [
  { row: "1", at: "token", name: "connection reset", fault: reset, only: "plain" },
  { row: "2", at: "token", name: "500", fault: status(500), only: "plain" },
  { row: "44", at: "token", name: "half of an answer", fault: { do: "resize", by: -20 }, only: "plain" },
  {
    row: "8",
    at: "GetAuthorizationToken",
    name: "400 ThrottlingException",
    only: "ecr",
    fault: throttling(),
  },
  {
    row: "44",
    at: "GetAuthorizationToken",
    name: "an answer without a token",
    only: "ecr",
    fault: noToken(),
  },
  { row: "1", at: "GetAuthorizationToken", name: "connection reset", only: "ecr", fault: reset },
  { row: "2", at: "head-blob", name: "500", fault: status(500) },
  { row: "8", at: "head-blob", name: "429", fault: status(429) },
  { row: "1", at: "head-blob", name: "connection reset", fault: reset },
  {
    ...{ row: "19", at: "head-blob", name: "says that it is there, which it is not" },
    fault: ({ image }: Scene, { path }: FaultRequest) => ({
      ...{ do: "answer", status: 200, headers: { "content-length": String(sizeIn(image, path)) } },
    }),
  },
  { row: "20", at: "head-blob", name: "another size", fault: status(200, { "content-length": "7" }) },
  { row: "20", at: "head-blob", name: "another digest", fault: thereAs("0") },
  { row: "2", at: "head-manifest", name: "500", fault: status(500) },
  { row: "22", at: "put-manifest", name: "429 TOOMANYREQUESTS", fault: busy },
  { row: "23", at: "put-manifest", name: "429, Retry-After", fault: status(429, { "retry-after": "2" }) },
  { row: "24", at: "put-manifest", name: "500", fault: status(500) },
  { row: "25", at: "put-manifest", name: "504", fault: status(504) },
  { row: "26", at: "put-manifest", name: "connection reset", fault: reset },
  { row: "26", at: "put-manifest", name: "stored, answer lost", fault: lost },
  {
    row: "21",
    at: "put-manifest",
    name: "another digest is confirmed",
    fault: otherDigest,
    code: "CONTENT_MISMATCH",
  },
  {
    ...{ row: "18", at: "put-manifest", name: "403 DENIED", final: "DENIED" },
    fault: refusal(403, "DENIED", "not authorized to perform: ecr:PutImage"),
  },
  {
    ...{ row: "31", at: "put-manifest", name: "an immutable tag with another image", final: "TAG_IMMUTABLE" },
    fault: refusal(
      400,
      "TAG_INVALID",
      "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
    ),
  },
  { row: "27", at: "put-manifest", name: "no answer", fault: silence },
].map((kind) => ({ work: "push", ...kind }) as FaultKind);

const MOUNTS: readonly FaultKind[] = [
  { row: "30", name: "401 to a mount", fault: unauthorized },
  { row: "30", name: "403 to a mount", fault: refusal(403, "DENIED", "not authorized") },
  { row: "30", name: "400 to a mount", fault: refusal(400, "UNSUPPORTED") },
  { row: "30", name: "500 to a mount", fault: status(500) },
].map((kind) => ({ work: "mount", at: "mount", ...kind }) as FaultKind);

/** The same twice is one kind at two places: a fault and the request that it comes to. */
export const KINDS: readonly FaultKind[] = [
  ...[START, BODY, CHUNKS, CHECKS, MOUNTS, PULLS],
  ...[LOCATIONS, ON_THE_WAY],
].flat();

function noToken(): Fault {
  const headers = { "content-type": "application/x-amz-json-1.1" };
  return { do: "answer", status: 200, headers, body: '{"authorizationData":[{"expiresAt":1}]}' };
}

function throttling(): Fault {
  const body = JSON.stringify({ __type: "ThrottlingException", message: "Rate exceeded" });
  return { do: "answer", status: 400, headers: { "content-type": "application/x-amz-json-1.1" }, body };
}

function thereAs(digit: string) {
  return ({ image }: Scene, { path }: FaultRequest): Fault =>
    status(200, {
      "content-length": String(sizeIn(image, path)),
      "docker-content-digest": `sha256:${digit.repeat(64)}`,
    });
}

function sizeIn({ manifest, config, layers }: TestImage, path: string): number {
  const all = [manifest, config, ...layers].map(({ descriptor }) => descriptor);
  return all.find(({ digest }) => path.includes(digest))?.size ?? 0;
}
