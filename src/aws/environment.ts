import type { ECRClientConfig } from "@aws-sdk/client-ecr";

/** Environment variables as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a client of the SDK is told of the environment. */
export type SdkSettings = Pick<ECRClientConfig, "credentials" | "profile" | "endpoint">;

/** The APIs that are spoken to, as AWS_ENDPOINT_URL_<service> names them. */
export type Service = "ECR" | "LAMBDA";

/**
 * Keys, profile and endpoint of an environment that is not the process's own. The SDK reads all others (roles, containers, config files) from
 * `process.env` by itself.
 */
export function settingsOf(environment: Environment, service: Service = "ECR"): SdkSettings {
  if (environment === process.env) return {};
  const endpoint = endpointOf(environment, service);
  return {
    ...(environment["AWS_PROFILE"] ? { profile: environment["AWS_PROFILE"] } : keysOf(environment)),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/** AWS_ENDPOINT_URL_ECR (or _LAMBDA), else AWS_ENDPOINT_URL; undefined where neither is set or both are switched off. */
export function endpointOf(environment: Environment, service: Service = "ECR"): string | undefined {
  if (environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  return environment[`AWS_ENDPOINT_URL_${service}`] || environment["AWS_ENDPOINT_URL"] || undefined;
}

function keysOf(environment: Environment): SdkSettings {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId || !secretAccessKey) return {};
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } };
}
