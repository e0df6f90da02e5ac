import {
  altered,
  answer,
  everyForm,
  type FaultCase,
  LAYER,
  passing,
  push,
  survives,
} from "../../support/registry/fault-cases.ts";
import type { RequestKind } from "../../support/registry/request.ts";

const otherDigest = altered({ headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } });

const cuts = (on: RequestKind): readonly FaultCase[] =>
  [0, LAYER / 2, LAYER - 1].map((at) => ({
    name: `cut after ${at} bytes`,
    on,
    fault: { kind: "cut request", at },
  }));

const bodies: readonly FaultCase[] = [
  ...everyForm("put upload"),
  ...cuts("put upload").slice(0, 1),
  // The answer is lost, the blob is there: HEAD tells.
  { name: "answer lost", on: "put upload", fault: { kind: "lose answer" }, forever: "harmless" },
  { name: "session unknown", on: "put upload", fault: answer(404, "BLOB_UPLOAD_UNKNOWN") },
  { name: "session invalid", on: "put upload", fault: answer(404, "BLOB_UPLOAD_INVALID") },
  { name: "session unfit", on: "put upload", fault: answer(400, "BLOB_UPLOAD_INVALID") },
  { name: "416 that names no offset", on: "put upload", fault: answer(416, "RANGE_INVALID") },
  { name: "DIGEST_INVALID", on: "put upload", fault: answer(400, "DIGEST_INVALID") },
  { name: "another digest is stored", on: "put upload", fault: otherDigest, forever: "CONTENT_MISMATCH" },
];

/** A registry that answers a lookup with an error of its own, however often, does not end a push. */
const lookUp = (on: RequestKind): readonly FaultCase[] =>
  passing(on).map((each) => (/^50[03]/.test(each.name) ? { ...each, forever: "harmless" } : each));

survives(
  "a push",
  [
    ...passing("start upload"),
    { name: "answer lost", on: "start upload", fault: { kind: "lose answer" } },
    ...lookUp("head blob"),
    { name: "400, which a HEAD cannot explain", on: "head blob", fault: answer(400), forever: "harmless" },
    ...bodies,
    ...lookUp("head manifest"),
    {
      name: "400, which a HEAD cannot explain",
      on: "head manifest",
      fault: answer(400),
      forever: "harmless",
    },
    ...passing("put manifest"),
    { name: "504", on: "put manifest", fault: answer(504) },
    { name: "answer lost", on: "put manifest", fault: { kind: "lose answer" }, forever: "harmless" },
    { name: "another digest is stored", on: "put manifest", fault: otherDigest, forever: "CONTENT_MISMATCH" },
  ],
  { work: push },
);

// What was kept of the cut is not sent again, so that in the end all has arrived.
survives(
  "a push where a cut leaves the session",
  cuts("put upload")
    .slice(1)
    .map((each) => ({ ...each, forever: "harmless" })),
  { work: push },
);
survives("a push where a cut ends the session", [...bodies, ...cuts("put upload")], {
  work: push,
  options: { sessions: "lost" },
});
