import type { ECRClient } from "@aws-sdk/client-ecr";
import type { OnEvent } from "../events.ts";
import { redactUrl } from "../registry/errors/redact.ts";

/** What every client of the SDK has of this. */
export type Observable = Pick<ECRClient["middlewareStack"], "add">;

/** One `request` event for each attempt. */
export function reportRequests(stack: Observable, onEvent: OnEvent): void {
  stack.add(
    (next) => async (args) => {
      const startedAt = performance.now();
      const tell = (status: number) =>
        onEvent({
          type: "request",
          ...requestOf(args.request),
          status,
          ms: Math.round(performance.now() - startedAt),
        });
      try {
        const result = await next(args);
        tell(statusOf(result.response));
        return result;
      } catch (error) {
        tell(error instanceof Error && "$response" in error ? statusOf(error.$response) : 0);
        throw error;
      }
    },
    { step: "deserialize", name: "lambdaPackRequestEvents", priority: "high" },
  );
}

function requestOf(request: unknown): { readonly method: string; readonly url: string } {
  const {
    method = "POST",
    protocol = "https:",
    hostname = "",
    port,
    path = "/",
  } = request as Partial<Record<string, string>>;
  return { method, url: redactUrl(`${protocol}//${hostname}${port ? `:${port}` : ""}${path}`) };
}

function statusOf(response: unknown): number {
  const { statusCode } = (response ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}
