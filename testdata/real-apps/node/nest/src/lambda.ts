import "reflect-metadata";

import { NestFactory } from "@nestjs/core";
import serverless from "serverless-http";
import { AppModule } from "./app.module";

async function start() {
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
  await app.init();
  return serverless(app.getHttpAdapter().getInstance());
}

const started = start();

export const handler = async (event: object, context: object) =>
  (await started)(event, context);
