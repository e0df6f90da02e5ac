import {
  altered,
  answer,
  CHUNK,
  everyForm,
  type FaultCase,
  LAYER,
  passing,
  push,
  survives,
} from "../../support/registry/fault-cases.ts";
import type { RequestKind } from "../../support/registry/request.ts";

const LAST = LAYER % CHUNK;
const cuts = (on: RequestKind, length: number): readonly FaultCase[] =>
  [0, length / 2, length - 1].map((at) => ({
    name: `cut after ${at} bytes`,
    on,
    fault: { kind: "cut request", at },
  }));
const kept = (cases: readonly FaultCase[]): readonly FaultCase[] =>
  cases.map((each) => ({ ...each, forever: "harmless" }));

const common: readonly FaultCase[] = [
  { name: "session unknown", on: "patch upload", fault: answer(404, "BLOB_UPLOAD_UNKNOWN") },
  { name: "416 that names no offset", on: "patch upload", fault: answer(416, "RANGE_INVALID") },
  { name: "answer lost", on: "put upload", fault: { kind: "lose answer" }, forever: "harmless" },
  {
    name: "Range ahead",
    on: "patch upload",
    fault: altered({ headers: { range: "0-999999" } }),
    forever: "harmless",
  },
  {
    name: "Range of nonsense",
    on: "patch upload",
    fault: altered({ headers: { range: "bytes */x" } }),
    forever: "harmless",
  },
  { name: "204, as ggcr has it", on: "patch upload", fault: altered({ status: 204 }), forever: "harmless" },
  { name: "201, as ECR has it", on: "patch upload", fault: altered({ status: 201 }), forever: "harmless" },
  {
    name: "Range behind",
    on: "patch upload",
    fault: altered({ headers: { range: "0-9" } }),
    forever: "harmless",
  },
];

survives(
  "a push in chunks where a cut leaves the session",
  [
    ...everyForm("patch upload"),
    ...passing("put upload"),
    ...common,
    ...cuts("patch upload", CHUNK).slice(0, 1),
    ...kept(cuts("patch upload", CHUNK).slice(1)),
    ...kept(cuts("put upload", LAST).slice(1)),
    { name: "answer lost", on: "patch upload", fault: { kind: "lose answer" }, forever: "harmless" },
  ],
  { work: push, chunked: true },
);

survives(
  "a push in chunks where a cut ends the session",
  [
    ...common,
    ...cuts("patch upload", CHUNK),
    ...cuts("put upload", LAST),
    { name: "answer lost", on: "patch upload", fault: { kind: "lose answer" } },
  ],
  { work: push, chunked: true, options: { sessions: "lost" } },
);
