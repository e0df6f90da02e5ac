import {
  answer,
  changed,
  everyForm,
  flipped,
  passing,
  pull,
  survives,
} from "../../support/registry/fault-cases.ts";

survives(
  "a pull",
  [
    ...passing("get manifest"),
    { name: "cut in the middle", on: "get manifest", fault: { kind: "cut answer", at: 100 } },
    { name: "stalls in the middle", on: "get manifest", fault: { kind: "stall", at: 100 } },
    { name: "a flipped bit", on: "get manifest", fault: flipped, forever: "CONTENT_MISMATCH" },
    ...everyForm("get blob"),
    { name: "cut in the middle", on: "get blob", fault: { kind: "cut answer", at: 60 } },
    { name: "stalls in the middle", on: "get blob", fault: { kind: "stall", at: 60 } },
    { name: "a flipped bit", on: "get blob", fault: flipped, forever: "CONTENT_MISMATCH" },
    {
      name: "too short",
      on: "get blob",
      fault: changed((body) => body.subarray(0, 50)),
      forever: "CONTENT_MISMATCH",
    },
    {
      name: "too long",
      on: "get blob",
      fault: changed((body) => Buffer.concat([body, body])),
      forever: "CONTENT_MISMATCH",
    },
  ],
  { work: pull },
);

survives(
  "a pull from storage elsewhere",
  [
    ...passing("redirected blob"),
    { name: "the address has expired", on: "redirected blob", fault: answer(403) },
    { name: "cut in the middle", on: "redirected blob", fault: { kind: "cut answer", at: 60 } },
  ],
  { work: pull, options: { redirectBlobs: true } },
);
