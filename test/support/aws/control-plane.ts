import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsApi } from "../../../src/aws/api.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { FakeEcrApi } from "../ecr/api.ts";
import { FakeEcr } from "../ecr/ecr.ts";
import { type TestPacing, testPacing } from "../registry/repository.ts";
import { keepingHouse } from "./ecr-operations.ts";
import { FakeLambda } from "./lambda.ts";

const KEY = { accessKeyId: "AKIACANARYCANARYCAN1", secretAccessKey: "canary/secret+access/key" };

/** The APIs of ECR and Lambda over plain http, reached through AWS_ENDPOINT_URL_ECR and AWS_ENDPOINT_URL_LAMBDA. */
export interface ControlPlane {
  readonly ecr: FakeEcr;
  readonly ecrApi: FakeEcrApi;
  readonly lambda: FakeLambda;
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

export async function controlPlane(): Promise<ControlPlane> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-aws-"));
  const ecr = new FakeEcr();
  const ecrApi = new FakeEcrApi(ecr, KEY);
  Object.assign(ecrApi.more, keepingHouse);
  const lambda = new FakeLambda(ecr);
  const [ecrUrl, lambdaUrl] = await Promise.all([ecrApi.start(), lambda.start()]);
  return {
    ecr,
    ecrApi,
    lambda,
    environment: {
      AWS_ENDPOINT_URL_ECR: ecrUrl,
      AWS_ENDPOINT_URL_LAMBDA: lambdaUrl,
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      AWS_REGION: "eu-west-1",
      HOME: directory,
    },
    stop: async () => {
      await Promise.all([ecrApi.stop(), lambda.stop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface OpenedApi {
  readonly api: AwsApi;
  readonly events: BuildEvent[];
  readonly pacing: TestPacing;
}

/** The product's side of the APIs, with waits that do not wait. */
export function openedApi(
  { environment }: Pick<ControlPlane, "environment">,
  signal?: AbortSignal,
  more: Readonly<Record<string, string | undefined>> = {},
  answerMs?: number,
): OpenedApi {
  const events: BuildEvent[] = [];
  const pacing = testPacing();
  const onEvent = (event: BuildEvent) => void events.push(event);
  return {
    api: new AwsApi({ environment: { ...environment, ...more }, onEvent, signal, pacing, answerMs }),
    events,
    pacing,
  };
}
