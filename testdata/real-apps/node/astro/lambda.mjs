import serverless from "serverless-http";
import { handler as middleware } from "./dist/server/entry.mjs";

export const handler = serverless(middleware);
