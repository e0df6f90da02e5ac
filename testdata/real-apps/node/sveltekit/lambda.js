import serverless from "serverless-http";
import { handler as middleware } from "./build/handler.js";

export const handler = serverless(middleware);
