import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ECRClientConfig } from "@aws-sdk/client-ecr";
import type { Environment } from "../registry/http/proxy.ts";

export type { Environment } from "../registry/http/proxy.ts";

type SdkSettings = Pick<ECRClientConfig, "credentials" | "profile" | "endpoint">;

/** The APIs that are called, as AWS_ENDPOINT_URL_<service> names them. */
export type Service = "ECR" | "LAMBDA";

/**
 * Returns the keys, profile and endpoint for a client of the SDK, which reads the rest (roles,
 * containers, config files) from `process.env`. Keys win over AWS_PROFILE, as in the AWS CLI,
 * unless the profile asks for them itself (`credential_source = Environment`).
 */
export function settingsOf(environment: Environment, service: Service = "ECR"): SdkSettings {
  const profile = environment["AWS_PROFILE"];
  const keys = keysOf(environment);
  const isOwn = environment === process.env;
  const endpoint = isOwn ? undefined : endpointOf(environment, service);
  const usesProfile =
    profile && (!keys || profileSettings(environment).get("credential_source") === "Environment");
  return {
    ...(usesProfile ? !isOwn && { profile } : (!isOwn || profile) && keys && { credentials: keys }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/**
 * Returns AWS_ENDPOINT_URL_ECR (or _LAMBDA), else AWS_ENDPOINT_URL; undefined if neither is set
 * or AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
 */
export function endpointOf(environment: Environment, service: Service = "ECR"): string | undefined {
  if (environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  return environment[`AWS_ENDPOINT_URL_${service}`] || environment["AWS_ENDPOINT_URL"] || undefined;
}

function keysOf(environment: Environment): NonNullable<SdkSettings["credentials"]> | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/**
 * Reads the settings of the profile that AWS_PROFILE names, or of `default`, from the AWS CLI's
 * config file; none where the file or the profile is missing. For settings that the SDK ignores.
 * Indented lines belong to a nested setting and are left out.
 */
export function profileSettings(environment: Environment): ReadonlyMap<string, string> {
  const profile = environment["AWS_PROFILE"] || "default";
  const settings = new Map<string, string>();
  let isWanted = false;
  for (const line of configText(environment).split(/\r?\n/)) {
    const name = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (name !== undefined) isWanted = name === profile;
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isWanted && key !== undefined && value !== undefined) settings.set(key, value);
  }
  return settings;
}

function configText(environment: Environment): string {
  const directory = environment["HOME"] || homedir();
  try {
    return readFileSync(environment["AWS_CONFIG_FILE"] || join(directory, ".aws", "config"), "utf8");
  } catch {
    return "";
  }
}
