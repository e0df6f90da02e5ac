import { LambdaPackError } from "../errors.ts";

/** Returns whether a reference names its registry: by docker's rules its first part is a host. */
export function namesRegistry(text: string): boolean {
  const [host = "", ...path] = text.split("/");
  return path.length > 0 && (host === "localhost" || /[.:]/.test(host)) && !/^\.{1,2}$/.test(host);
}

/**
 * Refuses a name without a registry: docker would look for it at Docker Hub, which is rarely meant.
 * @throws REFERENCE_INVALID with the form that was probably meant.
 */
export function requireRegistry(text: string): void {
  const advice = adviceFor(text);
  if (advice === undefined) return;
  const [reason, fix] = advice;
  throw new LambdaPackError("REFERENCE_INVALID", `${JSON.stringify(text.slice(0, 300))} ${reason}`, {
    hint: fix,
  });
}

type Advice = readonly [reason: string, fix: string];

function adviceFor(text: string): Advice | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  if (scheme) return ["is a URL, and an image reference has no scheme", `write ${scheme[2]}`];
  if (/^docker-daemon:/.test(text))
    return [
      "names a Docker daemon, and lambda-pack uses none",
      "write docker-archive:app.tar, then docker load -i app.tar",
    ];
  if (isWindowsPath(text))
    return ["looks like a Windows path", `write oci:${toPosixPath(text) ?? text} for a directory`];
  if (/^(?:\.{0,2}\/|~|\.{1,2}$)/.test(text))
    return ["is a path, and not an image reference", `write oci:${text} for an OCI layout in a directory`];
  if (/\.(?:tar|tgz|tar\.gz)$/.test(text))
    return ["does not say its format", `write oci-archive:${text} or docker-archive:${text}`];
  if (/^(?:oci|oci-archive|docker-archive|dir)$/.test(text))
    return ["names no file or directory", `write ${text === "dir" ? "oci" : text}:PATH`];
  return ofEcr(text) ?? (namesRegistry(text) ? undefined : withoutRegistry(text));
}

/** The domains of ECR's hosts, by the partition in an ARN. */
const ECR_DOMAINS: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
  "aws-eusc": "amazonaws.eu",
};

/** Returns the advice for a name that is close to that of a repository in ECR. */
function ofEcr(text: string): Advice | undefined {
  const [, partition, region, account, path] =
    /^arn:([a-z-]+):ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(text) ?? [];
  if (partition !== undefined) {
    const domain = ECR_DOMAINS[partition] ?? "<domain of the partition>";
    const fix = `write ${account}.dkr.ecr.${region}.${domain}/${path}`;
    return ["is the ARN of a repository, and not an image reference", fix];
  }
  if (/^arn:[a-z-]+:/.test(text))
    return ["is an ARN, and not an image reference", "write <account>.dkr.ecr.<region>.amazonaws.com/app:v1"];
  const given = /^([^./]+)\.dkr[.-]ecr(?:-fips)?\.[^/]+\//.exec(text)?.[1];
  if (given === undefined || /^\d{12}$/.test(given)) return undefined;
  return [
    `names the account ${given}, and an AWS account has 12 digits`,
    "correct it; aws sts get-caller-identity shows the account of the credentials",
  ];
}

function withoutRegistry(text: string): Advice {
  if (/^[\w-]+(?:\.[\w-]+)*\.(?:com|io|org|net|dev|cn|aws)(?::\d+)?$/.test(text))
    return ["names a registry without a repository", `add the repository: ${text}/app:v1`];
  const path = text.includes("/") ? text : `library/${text}`;
  return [
    "names no registry",
    `write the registry, for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com/${text}; oci:${text} for a directory; docker.io/${path} for Docker Hub`,
  ];
}

/**
 * Converts a path that is written for Windows to one for this system.
 * @returns undefined on Windows, and for a path without a drive or a backslash.
 */
export function toPosixPath(path: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform === "win32" || !isWindowsPath(path)) return undefined;
  const slashed = path.replaceAll("\\", "/");
  const [, drive, rest = ""] = /^([A-Za-z]):\/*(.*)$/s.exec(slashed) ?? [];
  return drive === undefined ? slashed : `/mnt/${drive.toLowerCase()}/${rest}`;
}

/** Returns whether a text starts with a drive or contains a backslash. */
export function isWindowsPath(text: string): boolean {
  return /^[A-Za-z]:[\\/]|\\/.test(text);
}
