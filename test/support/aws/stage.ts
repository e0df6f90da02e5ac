import { after, afterEach, before } from "node:test";
import type { DesiredFunction } from "../../../src/aws/functions/deploy-context.ts";
import { type Deployed, deployFunction } from "../../../src/aws/functions/deploy-function.ts";
import { parseDigest } from "../../../src/oci/digest.ts";
import { type ControlPlane, controlPlane, type OpenedApi, openedApi } from "./control-plane.ts";
import { placeImage } from "./images.ts";
import type { FakeLambda } from "./lambda.ts";

export const PLACE = { name: "f", region: "eu-west-1" };
export const ROLE = "arn:aws:iam::123456789012:role/f";
export const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f";

/** A control plane for a test file, as new before each test, and what most tests do with it. */
export interface Stage {
  readonly plane: ControlPlane;
  /** An image of the repository `app` for the function, and how the function shall be. */
  readonly desiredFor: (text?: string, more?: Partial<DesiredFunction>) => DesiredFunction;
  readonly deploy: (desired: DesiredFunction, opened?: OpenedApi) => Promise<Deployed>;
  /** Changes that came to Lambda since the last time this was asked. */
  readonly changes: () => readonly string[];
}

export function stage(): Stage {
  let plane: ControlPlane | undefined;
  const opened = () => {
    if (!plane) throw new Error("the test has not begun");
    return plane;
  };
  before(async () => {
    plane = await controlPlane();
  });
  afterEach(() => clear(opened()));
  after(() => opened().stop());
  return {
    get plane() {
      return opened();
    },
    desiredFor: (text = "first", more = {}) => {
      const { imageUri, digest } = placeImage(opened().ecr, text);
      return {
        imageUri,
        digest: parseDigest(digest),
        architecture: "x86_64",
        settings: { role: ROLE },
        publish: false,
        warm: false,
        recreate: false,
        ...more,
      };
    },
    deploy: (desired, by = openedApi(opened())) => deployFunction(by.api, PLACE, desired),
    changes: () => {
      const { lambda } = opened();
      const seen = [...lambda.changes];
      lambda.plainOrigin.log.length = 0;
      return seen;
    },
  };
}

function clear({ ecr, ecrApi, lambda }: ControlPlane): void {
  ecr.registry().repositories.clear();
  ecrApi.denied.clear();
  ecrApi.sessionExpired = false;
  ecrApi.origin.fault = () => undefined;
  ecrApi.plainOrigin.log.length = 0;
  clearLambda(lambda);
}

export function clearLambda(lambda: FakeLambda): void {
  lambda.functions.clear();
  lambda.denied.clear();
  lambda.outcomes.length = 0;
  lambda.invoked.length = 0;
  for (const { log } of [lambda.origin, lambda.plainOrigin]) log.length = 0;
  Object.assign(lambda, { sessionExpired: false, roleNotReady: 0, looks: 1, addsPolicy: true });
  lambda.invocation = { body: "null" };
  lambda.before = () => {};
  lambda.origin.fault = () => undefined;
}

/** The error's code, message and hint. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string; readonly hint: string }> {
  try {
    await work;
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string };
    return { code, message, hint };
  }
  throw new Error("it did not fail");
}
