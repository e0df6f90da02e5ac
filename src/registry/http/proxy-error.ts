import { hasCode, LambdaPackError } from "../../errors.ts";

/** Returns an error that names the proxy. A refusal is final, a failure may be retried. */
export function proxyError(error: Error, proxy: URL, target: string): Error {
  const name = nameOf(proxy);
  const status = /^Bad response: (\d+)$/.exec(error.message)?.[1];
  if (error.message === "Proxy timeout")
    return failed(`${name} opened no tunnel to ${target} in time`, "ETIMEDOUT");
  if (status !== undefined && /^(?:5..|408|429)$/.test(status))
    return failed(`${name} answered ${status} for ${target}`, "ECONNREFUSED");
  if (status !== undefined) return proxyRefusal(proxy, target, status);
  if (hasCode(error, "ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN", "EPIPE")) {
    return failed(`${name}: ${error.message}`, "code" in error ? String(error.code) : "");
  }
  return error;
}

/** Returns the error for a proxy that does not let a request through. */
export function proxyRefusal(proxy: URL, target: string, status: string): LambdaPackError {
  const name = nameOf(proxy);
  const asks = status === "407";
  return new LambdaPackError(
    "REGISTRY_UNREACHABLE",
    `${name} refused a connection to ${target} (${asks ? "it wants a user name and password" : `status ${status}`})`,
    {
      hint: asks
        ? "put them into HTTPS_PROXY or HTTP_PROXY: http://user:password@host:port"
        : "allow the host in the proxy, or name it in NO_PROXY to go there directly",
    },
  );
}

/** Returns whether a network error is the proxy's and not the registry's. */
export function isOfProxy({ message }: Error): boolean {
  return message.startsWith("the proxy ");
}

function failed(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

function nameOf(proxy: URL): string {
  return `the proxy ${proxy.protocol}//${proxy.host}`;
}
