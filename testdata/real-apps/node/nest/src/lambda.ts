import "reflect-metadata";
import serverlessExpress from "@codegenie/serverless-express";
import { NestFactory } from "@nestjs/core";
import { AppModule } from "./app.module";

async function start() {
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
  await app.init();
  return serverlessExpress({ app: app.getHttpAdapter().getInstance() });
}

const started = start();

export const handler = async (event: unknown, context: never) =>
  (await started)(event, context, () => undefined);
