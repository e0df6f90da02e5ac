import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findRepository } from "../../../src/aws/ecr/repositories.ts";
import { findFunction } from "../../../src/aws/functions/functions.ts";
import { EXIT_STATUS } from "../../../src/cli/exit.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { type OpenedApi, openedApi } from "../../support/aws/control-plane.ts";
import { failure, PLACE, stage } from "../../support/aws/stage.ts";
import { type Fault, failing } from "../../support/ecr/http/faults.ts";

const on = stage();

/** One call of each API, as the two speak different protocols. */
const SERVICES = {
  ECR: {
    call: ({ api }: OpenedApi) =>
      findRepository(api, { name: "app", region: "eu-west-1", fips: false, dualStack: false }),
    operation: "DescribeRepositories",
    answer: (status: number, exception: string, message: string, headers = {}): Fault => ({
      do: "answer",
      status,
      headers,
      body: JSON.stringify({ __type: exception, message }),
    }),
    refuse: (fault: Fault, times?: number) => {
      on.plane.ecrApi.origin.fault = failing("DescribeRepositories", fault, times ? { times } : {});
    },
    calls: () => on.plane.ecrApi.plainOrigin.log.length,
  },
  Lambda: {
    call: ({ api }: OpenedApi) => findFunction(api, PLACE),
    operation: "GetFunction",
    answer: (status: number, exception: string, message: string, headers = {}): Fault => ({
      do: "answer",
      status,
      headers: { "x-amzn-errortype": exception, ...headers },
      body: JSON.stringify({ message }),
    }),
    refuse: (fault: Fault, times?: number) => {
      on.plane.lambda.origin.fault = failing("GetFunction", fault, times ? { times } : {});
    },
    calls: () => on.plane.lambda.plainOrigin.log.length,
  },
} as const;

/** AWS's "Common errors", and what is told; `attempts`: how often it is asked until then. */
const COMMON: readonly (readonly [
  exception: string,
  status: number,
  code: ErrorCode,
  exit: number,
  attempts: number,
  message: RegExp,
  hint: RegExp,
])[] = [
  [
    "ExpiredTokenException",
    403,
    "CREDENTIALS_INVALID",
    4,
    1,
    /the AWS session has expired/,
    /get new credentials/,
  ],
  ["RequestExpired", 400, "CREDENTIALS_INVALID", 4, 1, /the AWS session has expired/, /get new credentials/],
  [
    "UnrecognizedClientException",
    403,
    "CREDENTIALS_INVALID",
    4,
    1,
    /does not know these keys/,
    /AWS_PROFILE/,
  ],
  ["InvalidClientTokenId", 403, "CREDENTIALS_INVALID", 4, 1, /does not know these keys/, /AWS_PROFILE/],
  [
    "IncompleteSignatureException",
    400,
    "CREDENTIALS_INVALID",
    4,
    1,
    /does not know these keys/,
    /AWS_PROFILE/,
  ],
  [
    "MissingAuthenticationTokenException",
    403,
    "CREDENTIALS_INVALID",
    4,
    1,
    /does not know these keys/,
    /AWS_PROFILE/,
  ],
  ["OptInRequired", 403, "DENIED", 4, 1, /is not allowed/, /IAM policy of the caller/],
  ["ThrottlingException", 400, "REGISTRY_ANSWER", 5, 8, /ThrottlingException: these words/, /run it again/],
  ["RequestLimitExceeded", 503, "REGISTRY_ANSWER", 5, 8, /RequestLimitExceeded: these words/, /run it again/],
  ["ServiceUnavailable", 503, "REGISTRY_ANSWER", 5, 8, /ServiceUnavailable: these words/, /run it again/],
  ["InternalFailure", 500, "REGISTRY_ANSWER", 5, 8, /InternalFailure: these words/, /run it again/],
  [
    "SomethingNewException",
    400,
    "REGISTRY_ANSWER",
    5,
    1,
    /SomethingNewException: these words/,
    /run it again/,
  ],
];

for (const [service, { call, answer, refuse, calls }] of Object.entries(SERVICES)) {
  describe(`${service} that answers`, () => {
    for (const [exception, status, code, exit, attempts, message, hint] of COMMON) {
      it(`${exception} is told as ${code}`, async () => {
        refuse(answer(status, exception, "these words"));
        const error = await failure(call(openedApi(on.plane)));
        assert.deepEqual([error.code, EXIT_STATUS[code], calls()], [code, exit, attempts]);
        assert.match(error.message, message);
        assert.match(error.hint, hint);
      });
    }
  });

  describe(`${service} that is`, () => {
    it("replaced by a login page is told so", async () => {
      refuse({ do: "answer", status: 200, body: "<html>please log in</html>" });
      const error = await failure(call(openedApi(on.plane)));
      assert.equal(error.code, "REGISTRY_ANSWER");
      assert.match(error.hint, /no answer of AWS: look for a proxy, a login page/);
    });

    it("throttled for a while is asked again, each time later", async () => {
      refuse(answer(429, "TooManyRequestsException", "Rate exceeded"), 5);
      const opened = openedApi(on.plane);
      await call(opened);
      assert.deepEqual(opened.pacing.waits, [188, 375, 750, 1500, 3000]);
    });

    it("asked by a machine whose clock is wrong is asked again by AWS's own clock, once", async () => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      const skewed = answer(403, "InvalidSignatureException", "Signature expired: it is now later", { date });
      refuse(skewed, 1);
      const opened = openedApi(on.plane);
      await call(opened);
      assert.equal(calls(), 2);
      assert.ok(
        opened.events.some((event) => event.type === "retrying" && event.reason === "the clock differs"),
      );
    });

    it("asked by a machine whose clock runs wild says so", async () => {
      refuse(answer(403, "InvalidSignatureException", "Signature expired: it is now later"));
      const error = await failure(call(openedApi(on.plane)));
      assert.equal(error.code, "CREDENTIALS_INVALID");
      assert.match(error.message, /the clock of this machine is wrong/);
      assert.match(error.hint, /set the clock/);
    });

    it("asked without credentials says how to sign in", async () => {
      const nobody = {
        AWS_ACCESS_KEY_ID: "",
        AWS_CONFIG_FILE: "/nowhere",
        AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
      };
      const error = await failure(call(openedApi(on.plane, undefined, nobody)));
      assert.equal(error.code, "CREDENTIALS_INVALID");
      assert.equal(calls(), 0);
      assert.match(error.hint, /aws sso login/);
    });

    it("silent for ever cannot be reached", async () => {
      refuse({ do: "drop", when: "before-reading" });
      const error = await failure(call(openedApi(on.plane)));
      assert.deepEqual([error.code, calls()], ["REGISTRY_UNREACHABLE", 8]);
      assert.match(error.hint, service === "ECR" ? /ecr\.api/ : /com\.amazonaws\.<region>\.lambda/);
    });

    it("connected and silent is asked again, and then cannot be reached", async () => {
      refuse({ do: "stall", side: "response", at: 0 }, 1);
      const opened = openedApi(on.plane, undefined, {}, 300);
      await call(opened);
      assert.ok(
        opened.events.some((event) => event.type === "retrying" && event.reason === "no answer in time"),
      );
      refuse({ do: "stall", side: "response", at: 0 });
      const error = await failure(call(openedApi(on.plane, undefined, {}, 30)));
      assert.equal(error.code, "REGISTRY_UNREACHABLE");
    });
  });
}
