import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Shorter ones occur by chance. */
const SHORTEST = 6;
const VARIABLES = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];

type Environment = Readonly<Record<string, string | undefined>>;

/** Every secret that a process finds in such an environment and in the docker config that it names, in each form in which it travels. */
export function secretsOf(environment: Environment): readonly string[] {
  const configs = [environment["DOCKER_AUTH_CONFIG"], textOf(environment["DOCKER_CONFIG"])];
  const found = [
    ...VARIABLES.map((name) => environment[name]),
    ...PROXIES.map((name) => passwordOf(environment[name])),
    ...configs.flatMap((text) => (text === undefined ? [] : secretsOfConfig(text))),
  ].filter((secret): secret is string => secret !== undefined && secret.length >= SHORTEST);
  return [...new Set(found.flatMap((secret) => [secret, encodeURIComponent(secret)]))];
}

function textOf(directory: string | undefined): string | undefined {
  const file = join(directory ?? "", "config.json");
  return directory !== undefined && existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function passwordOf(proxy: string | undefined): string | undefined {
  return proxy !== undefined && URL.canParse(proxy) ? new URL(proxy).password : undefined;
}

/** `auth`, the password in it, `password`, `identitytoken` and `registrytoken` of every entry. */
function secretsOfConfig(text: string): readonly string[] {
  const tokens = [...text.matchAll(/"(?:password|identitytoken|registrytoken)"\s*:\s*"([^"]+)"/g)];
  const auths = [...text.matchAll(/"auth"\s*:\s*"([^"]+)"/g)].map(([, auth = ""]) => auth);
  const passwords = auths.map((auth) =>
    Buffer.from(auth, "base64")
      .toString()
      .replace(/^[^:]*:/, ""),
  );
  return [...tokens.map(([, token = ""]) => token), ...auths, ...passwords];
}

/** The files below `directory` in which `leaks` finds a secret, names included. */
export function filesWithSecrets(
  directory: string,
  leaks: (text: string) => readonly string[],
): readonly string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => leaks(`${path}\n${readFileSync(path, "latin1")}`).length > 0);
}
