import { type EcrWorld, ecrWorld, type WorldOptions } from "../ecr/world.ts";
import { keepingHouse } from "./ecr-operations.ts";
import { FakeLambda } from "./lambda.ts";

/** AWS as one machine, with Lambda and more than one region. */
export interface AwsWorld extends EcrWorld {
  readonly lambda: FakeLambda;
}

const REGIONS = ["eu-west-1", "us-east-1"];

/** The region in a host's name decides what a request is for, as the doubles see that name. */
export async function awsWorld(options: WorldOptions = {}): Promise<AwsWorld> {
  const world = await ecrWorld(options);
  Object.assign(world.api.more, keepingHouse);
  const lambda = new FakeLambda(world.ecr, { certificates: world.certificates });
  const lambdaUrl = await lambda.start();
  for (const region of REGIONS) {
    world.proxy.route(`123456789012.dkr.ecr.${region}.amazonaws.com`, world.ecr.origin.port);
    world.proxy.route(`api.ecr.${region}.amazonaws.com`, world.api.origin.port);
    world.proxy.route(`lambda.${region}.amazonaws.com`, lambda.origin.port);
  }
  return {
    ...world,
    environment: { ...world.environment, AWS_ENDPOINT_URL_LAMBDA: lambdaUrl },
    lambda,
    stop: async () => {
      await lambda.stop();
      await world.stop();
    },
  };
}
