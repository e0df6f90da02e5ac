import { createRequestHandler } from "react-router";
import * as build from "./build/server/index.js";

const answer = createRequestHandler(build);

export const handler = async ({ rawPath, headers, requestContext, body }) => {
  const request = new Request(`https://${headers.host}${rawPath}`, {
    method: requestContext.http.method,
    headers: { "content-type": headers["content-type"] },
    body,
  });
  const response = await answer(request);
  return { statusCode: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
};
