import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import { askHelper } from "../../../../src/registry/auth/credential-helper.ts";
import { type CredentialSource, withFallback } from "../../../../src/registry/auth/credentials.ts";
import { dockerCredentials, readDockerConfigs } from "../../../../src/registry/auth/docker-config.ts";
import type { Environment } from "../../../../src/registry/http/agent.ts";

const SECRET = "c4nary-s3cret";
const HUB = "https://index.docker.io/v1/";

const auth = (username: string, password = SECRET) =>
  Buffer.from(`${username}:${password}`).toString("base64");

/** A home directory with the given files, JSON where they are not text. */
async function home(t: TestContext, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "lambda-pack-home-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return directory;
}

/** A helper in PATH whose body is a shell script; what it was asked is appended to `asked`. */
async function helper(directory: string, suffix: string, script: string): Promise<Environment> {
  const file = join(directory, `docker-credential-${suffix}`);
  await writeFile(file, `#!/bin/sh\nserver=$(cat)\necho "$1 $server" >> "${directory}/asked"\n${script}\n`);
  await chmod(file, 0o755);
  return { PATH: `${directory}:/usr/bin:/bin` };
}

const answering = (username: string, secret = SECRET) =>
  `printf '{"ServerURL":"%s","Username":"${username}","Secret":"${secret}"}' "$server"`;

const NOT_FOUND = "echo 'credentials not found in native keychain'; exit 1";

const docker = (auths: unknown, more: object = {}) => ({ ".docker/config.json": { auths, ...more } });

async function userOf(
  source: CredentialSource,
  registry: string,
  repository = "app",
): Promise<string | undefined> {
  const found = await source.get(registry, repository);
  return found && (found.kind === "basic" ? found.username : found.kind);
}

describe("docker's config.json", () => {
  for (const text of [
    "",
    " \n",
    "null",
    '{"auths":null,"credsStore":null,"credHelpers":null}',
    '{"auths":{"registry.test":null},"credHelpers":{"registry.test":null}}',
    '{"auths":{"registry.test":{"auth":null,"username":null}},"credsStore":""}',
  ]) {
    it(`a config.json of ${JSON.stringify(text)} holds no login and is no error`, async (t) => {
      const source = dockerCredentials({}, await home(t, { ".docker/config.json": text }));
      assert.equal(await source.get("registry.test", "app"), undefined);
    });
  }

  it("podman's logins are found in /run/containers/UID without XDG_RUNTIME_DIR", async (t) => {
    const directory = await home(t, {
      "run/auth.json": { auths: { "registry.test": { auth: auth("podman") } } },
    });
    const configs = [...readDockerConfigs({}, directory, join(directory, "run"))];
    assert.deepEqual(
      configs.map(({ place }) => place),
      [join(directory, "run/auth.json")],
    );
    assert.deepEqual(
      [...readDockerConfigs({ XDG_RUNTIME_DIR: directory }, directory, join(directory, "run"))],
      [],
    );
  });

  it("gives user and password of a registry, and where they are from", async (t) => {
    const directory = await home(t, docker({ "registry.test:5000": { auth: auth("alice", "p:w:d") } }));
    assert.deepEqual(await dockerCredentials({}, directory).get("registry.test:5000", "app"), {
      kind: "basic",
      username: "alice",
      password: "p:w:d",
      from: join(directory, ".docker/config.json"),
    });
  });

  it("gives nothing for a registry it does not name, nor for one whose name only looks alike", async (t) => {
    const source = dockerCredentials({}, await home(t, docker({ "registry.test": { auth: auth("alice") } })));
    for (const registry of [
      "other.test",
      "registry.test:5000",
      "registry.test.evil.net",
      "evil-registry.test",
      "docker.io",
    ]) {
      assert.equal(await source.get(registry, "app"), undefined);
    }
  });

  const keys: readonly (readonly [string, string])[] = [
    [HUB, "docker.io"],
    ["index.docker.io", "docker.io"],
    ["docker.io", "docker.io"],
    ["https://registry-1.docker.io/v2/", "docker.io"],
    ["https://registry.test/v1/", "registry.test"],
    ["https://registry.test", "registry.test"],
    ["http://registry.test:5000/v2/", "registry.test:5000"],
    ["registry.test/v1", "registry.test"],
    ["Registry.Test", "registry.test"],
  ];
  for (const [key, registry] of keys) {
    it(`knows ${registry} under ${key}`, async (t) => {
      const directory = await home(t, docker({ [key]: { auth: auth("alice") } }));
      assert.equal(await userOf(dockerCredentials({}, directory), registry), "alice");
    });
  }

  it("prefers the most specific namespace", async (t) => {
    const auths = {
      "registry.test": { auth: auth("host") },
      "registry.test/a": { auth: auth("a") },
      "registry.test/a/b": { auth: auth("ab") },
    };
    const source = dockerCredentials({}, await home(t, docker(auths)));
    const repositories = ["a/b/c", "a/b", "a/x", "ab", "x"];
    const users = await Promise.all(
      repositories.map((repository) => userOf(source, "registry.test", repository)),
    );
    assert.deepEqual(users, ["ab", "ab", "a", "host", "host"]);
  });

  it("prefers the plain host to its legacy form", async (t) => {
    const auths = {
      "https://registry.test/v1/": { auth: auth("old") },
      "registry.test": { auth: auth("new") },
    };
    assert.equal(await userOf(dockerCredentials({}, await home(t, docker(auths))), "registry.test"), "new");
  });

  it("prefers a registry token to an identity token to a password", async (t) => {
    const all = { auth: auth("alice"), identitytoken: "i", registrytoken: "r" };
    const auths = {
      "a.test": all,
      "b.test": { ...all, registrytoken: "" },
      "c.test": { username: "bob", password: "x" },
    };
    const source = dockerCredentials({}, await home(t, docker(auths)));
    assert.equal((await source.get("a.test", "x"))?.kind, "bearer");
    assert.equal((await source.get("b.test", "x"))?.kind, "identity");
    assert.equal(await userOf(source, "c.test"), "bob");
  });

  it("may end a password with NUL, which is not part of it", async (t) => {
    const source = dockerCredentials(
      {},
      await home(t, docker({ "registry.test": { auth: auth("alice", "pw\0\0") } })),
    );
    const found = await source.get("registry.test", "app");
    assert.equal(found?.kind === "basic" && found.password, "pw");
  });

  it("may leave an entry empty, which is none", async (t) => {
    const source = dockerCredentials({}, await home(t, docker({ "registry.test": {} })));
    assert.equal(await source.get("registry.test", "app"), undefined);
  });

  it("may be missing, empty of credentials, or start with a byte order mark", async (t) => {
    assert.equal(await dockerCredentials({}, await home(t)).get("registry.test", "app"), undefined);
    const directory = await home(t, { ".docker/config.json": "\ufeff{}" });
    assert.equal(await dockerCredentials({}, directory).get("registry.test", "app"), undefined);
  });

  it("may have its keys in another case, as docker reads them", async (t) => {
    const entry = { Auth: Buffer.from("ada:s3cret").toString("base64") };
    const text = JSON.stringify({ AUTHS: { "registry.test": entry }, credsstore: null, credhelpers: {} });
    const source = dockerCredentials({}, await home(t, { ".docker/config.json": text }));
    assert.equal(await userOf(source, "registry.test"), "ada");
  });

  const malformed: Readonly<Record<string, unknown>> = {
    "is not JSON": `{"auths":{"registry.test":{"auth":"${SECRET}`,
    "is a list": [SECRET],
    "has auths that are not an object": { auths: SECRET },
    "has an entry that is not an object": { auths: { "registry.test": SECRET } },
    "has an auth that is not text": { auths: { "registry.test": { auth: [SECRET] } } },
    "has an auth without a colon": {
      auths: { "registry.test": { auth: Buffer.from(SECRET).toString("base64") } },
    },
    "has an auth that is not base64": { auths: { "registry.test": { auth: `${SECRET}:%%%` } } },
    "has a helper that is not text": { credHelpers: { "registry.test": 1 } },
  };
  for (const [what, content] of Object.entries(malformed)) {
    it(`that ${what} is an error that names the file and quotes nothing of it`, async (t) => {
      const directory = await home(t, { ".docker/config.json": content });
      await assert.rejects(dockerCredentials({}, directory).get("registry.test", "app"), (error: Error) => {
        assert.match(inspect(error), /CREDENTIALS_INVALID/);
        assert.equal(error.message.includes(join(directory, ".docker/config.json")), true);
        return !inspect(error, { depth: 9, showHidden: true }).includes(SECRET);
      });
    });
  }

  it("that cannot be read is an error that names it", async (t) => {
    const directory = await home(t, { ".docker/config.json/directory": "" });
    await assert.rejects(dockerCredentials({}, directory).get("registry.test", "app"), {
      code: "CREDENTIALS_INVALID",
      message: /config\.json is a directory, not a regular file/,
    });
  });
});

describe("a docker config that is not a small file", () => {
  const MIB = 1024 * 1024;

  it("a docker config that is not a small file is an error that states the limit when it has more than 4 MiB", async (t) => {
    const directory = await home(t, {
      ".docker/config.json": `{}${" ".repeat(4 * MIB - 2)}`,
      large: `{}${" ".repeat(4 * MIB)}`,
    });
    assert.equal(await dockerCredentials({}, directory).get("registry.test", "app"), undefined);
    const REGISTRY_AUTH_FILE = join(directory, "large");
    await assert.rejects(dockerCredentials({ REGISTRY_AUTH_FILE }, directory).get("registry.test", "app"), {
      code: "CREDENTIALS_INVALID",
      message: `${REGISTRY_AUTH_FILE} has more than the ${4 * MIB} bytes that it may have`,
    });
  });
});

describe("the places of credentials", () => {
  it("count in docker's and podman's order", async (t) => {
    const entry = (user: string) => ({ auths: { "registry.test": { auth: auth(user) } } });
    const directory = await home(t, {
      "elsewhere/config.json": entry("DOCKER_CONFIG"),
      ".docker/config.json": entry("home"),
      "auth.json": entry("REGISTRY_AUTH_FILE"),
      "run/containers/auth.json": entry("XDG_RUNTIME_DIR"),
      "config/containers/auth.json": entry("XDG_CONFIG_HOME"),
      ".config/containers/auth.json": entry(".config"),
    });
    const variables: readonly (readonly [string, string])[] = [
      ["DOCKER_AUTH_CONFIG", JSON.stringify(entry("DOCKER_AUTH_CONFIG"))],
      ["DOCKER_CONFIG", join(directory, "elsewhere")],
      ["REGISTRY_AUTH_FILE", join(directory, "auth.json")],
      ["XDG_RUNTIME_DIR", join(directory, "run")],
      ["XDG_CONFIG_HOME", join(directory, "config")],
    ];
    const found: unknown[] = [];
    for (let from = 0; from <= variables.length; from++) {
      const environment = Object.fromEntries(variables.slice(from));
      // Without DOCKER_CONFIG docker looks into the home directory, which is emptied to see the next.
      if (from === 2) await rm(join(directory, ".docker"), { recursive: true });
      found.push(await userOf(dockerCredentials(environment, directory), "registry.test"));
    }
    assert.deepEqual(found, [...variables.map(([name]) => name), ".config"]);
  });

  it("the places of credentials are each searched for the registry before the next is", async (t) => {
    const directory = await home(t, {
      ".docker/config.json": { auths: { "other.test": { auth: auth("other") } } },
      ".config/containers/auth.json": { auths: { "registry.test/team": { auth: auth("podman") } } },
    });
    assert.equal(await userOf(dockerCredentials({}, directory), "registry.test", "team/app"), "podman");
  });

  it("the places of credentials are not read after the one that has the login", async (t) => {
    const directory = await home(t, { ".docker/config.json": "{" });
    const login = JSON.stringify({ auths: { "registry.test": { auth: auth("variable") } } });
    const environment = { DOCKER_AUTH_CONFIG: login };
    assert.equal(await userOf(dockerCredentials(environment, directory), "registry.test"), "variable");
  });

  it("the places of credentials are not read where only the variable is asked for", async (t) => {
    const source = dockerCredentials({}, await home(t, { ".docker/config.json": "{" }), "variable");
    assert.equal(await source.get("registry.test", "app"), undefined);
  });

  it("name the variable when its text is malformed", async (t) => {
    const source = dockerCredentials({ DOCKER_AUTH_CONFIG: "{" }, await home(t));
    await assert.rejects(source.get("registry.test", "app"), { message: /^DOCKER_AUTH_CONFIG/ });
  });
});

describe("a credential helper", () => {
  it("a credential helper is asked for the host, and beats the file's own entry", async (t) => {
    const config = docker(
      { "registry.test": { auth: auth("file") } },
      { credHelpers: { "registry.test": "fake" } },
    );
    const directory = await home(t, config);
    const environment = await helper(directory, "fake", answering("helper"));
    const source = dockerCredentials(environment, directory);
    assert.deepEqual(await source.get("registry.test", "app"), {
      ...{ kind: "basic", username: "helper", password: SECRET, from: "docker-credential-fake" },
    });
    assert.equal(await readFile(join(directory, "asked"), "utf8"), "get registry.test\n");
  });

  it("a credential helper is asked for Docker Hub by its old address", async (t) => {
    const directory = await home(t, docker({}, { credsStore: "fake" }));
    const environment = await helper(directory, "fake", answering("hub"));
    assert.equal(await userOf(dockerCredentials(environment, directory), "docker.io"), "hub");
    assert.equal(await readFile(join(directory, "asked"), "utf8"), `get ${HUB}\n`);
  });

  it("of the host is asked instead of the store", async (t) => {
    const directory = await home(
      t,
      docker({}, { credsStore: "missing", credHelpers: { "registry.test": "fake" } }),
    );
    const environment = await helper(directory, "fake", answering("helper"));
    assert.equal(await userOf(dockerCredentials(environment, directory), "registry.test"), "helper");
  });

  it("that knows none leaves the word to the file, and to the next one", async (t) => {
    const directory = await home(t, docker({ "a.test": { auth: auth("file") } }, { credsStore: "fake" }));
    const source = dockerCredentials(await helper(directory, "fake", NOT_FOUND), directory);
    assert.equal(await userOf(source, "a.test"), "file");
    assert.equal(await userOf(source, "b.test"), undefined);
  });

  it("gives an identity token under the name <token>", async (t) => {
    const environment = await helper(await home(t), "fake", answering("<token>"));
    const found = await askHelper({ suffix: "fake", server: "registry.test", environment });
    assert.deepEqual(found, { kind: "identity", token: SECRET, from: "docker-credential-fake" });
  });

  it("a credential helper is asked once until what it gave is refused", async (t) => {
    const directory = await home(t, docker({}, { credsStore: "fake" }));
    const source = dockerCredentials(await helper(directory, "fake", answering("helper")), directory);
    await Promise.all([source.get("registry.test", "app"), source.get("registry.test", "app")]);
    await source.get("registry.test", "app");
    await source.get("registry.test", "app", { refused: true });
    assert.equal((await readFile(join(directory, "asked"), "utf8")).split("\n").length, 3);
  });

  const failures: Readonly<Record<string, readonly [string, RegExp]>> = {
    fails: [`echo "${SECRET}"; echo "keychain locked" >&2; exit 1`, /ended with 1: keychain locked/],
    "answers nonsense": [`echo "${SECRET}"`, /not the JSON/],
    "answers without a secret": [`printf '{"Username":"${SECRET}"}'`, /not the JSON/],
    "takes too long": ["exec sleep 300", /ended with SIGKILL/],
    "shows a secret on stderr": [`echo '{"Secret":"${SECRET}"}' >&2; exit 2`, /ended with 2/],
  };
  for (const [what, [script, expected]] of Object.entries(failures)) {
    it(`that ${what} is an error, never "none", and shows no secret`, async (t) => {
      const environment = await helper(await home(t), "fake", script);
      const limit = what === "takes too long" ? { timeoutMs: 500 } : {};
      const asked = askHelper({ suffix: "fake", server: "registry.test", environment, ...limit });
      await assert.rejects(asked, (error: Error) => {
        assert.match(inspect(error), /CREDENTIALS_HELPER/);
        assert.match(error.message, expected);
        return !inspect(error, { depth: 9, showHidden: true }).includes(SECRET);
      });
    });
  }

  it("that is missing is an error, and no other host's credentials are tried", async (t) => {
    const directory = await home(
      t,
      docker({ "registry.test": { auth: auth("file") } }, { credsStore: "missing" }),
    );
    const source = dockerCredentials({ PATH: directory }, directory);
    await assert.rejects(source.get("registry.test", "app"), {
      code: "CREDENTIALS_HELPER",
      message: /not in PATH/,
    });
  });

  it("that is missing leaves no timer behind", async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    await askHelper({
      suffix: "missing",
      server: "registry.test",
      environment: { PATH: "/nonexistent" },
    }).catch(() => {});
    const after = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    assert.equal(after, before);
  });

  for (const suffix of ["../evil", "a b", "x;touch y", "", "a/b", "$(id)"]) {
    it(`named ${JSON.stringify(suffix)} is not run`, async () => {
      await assert.rejects(askHelper({ suffix, server: "registry.test", environment: process.env }), {
        code: "CREDENTIALS_HELPER",
        message: /only letters/,
      });
    });
  }

  it("of Amazon ECR that fails points to its own log", async () => {
    const asked = askHelper({
      suffix: "ecr-login",
      server: "registry.test",
      environment: { PATH: "/nonexistent" },
    });
    await assert.rejects(asked, { hint: /\.ecr\/log/ });
  });

  it("a credential helper does not hold up an abort", { timeout: 60_000 }, async (t) => {
    const directory = await home(t, docker({}, { credsStore: "fake" }));
    const source = dockerCredentials(await helper(directory, "fake", "exec sleep 100"), directory);
    await assert.rejects(source.get("registry.test", "app", { signal: AbortSignal.timeout(50) }), {
      name: "TimeoutError",
    });
  });
});

describe("the two halves of docker's credentials", () => {
  const config = docker(
    { "a.test": { auth: auth("file") }, "b.test": { auth: auth("file") } },
    { credHelpers: { "a.test": "fake" } },
  );

  it("the two halves of docker's credentials are helpers that were configured for the host", async (t) => {
    const directory = await home(t, config);
    const source = dockerCredentials(
      await helper(directory, "fake", answering("helper")),
      directory,
      "helpers",
    );
    assert.equal(await userOf(source, "a.test"), "helper");
    assert.equal(await userOf(source, "b.test"), undefined);
  });

  it("and what docker login left", async (t) => {
    const directory = await home(t, config);
    const source = dockerCredentials(
      await helper(directory, "fake", answering("helper")),
      directory,
      "stored",
    );
    assert.equal(await userOf(source, "a.test"), "file");
    assert.equal(await userOf(source, "b.test"), "file");
  });

  it("take a store for a login, but ecr-login for a helper", async (t) => {
    const keychain = await home(t, docker({}, { credsStore: "fake" }));
    const environment = await helper(keychain, "fake", answering("store"));
    assert.equal(await userOf(dockerCredentials(environment, keychain, "helpers"), "a.test"), undefined);
    assert.equal(await userOf(dockerCredentials(environment, keychain, "stored"), "a.test"), "store");
    const ecr = await home(t, docker({}, { credsStore: "ecr-login" }));
    assert.equal(await userOf(dockerCredentials({ PATH: ecr }, ecr, "stored"), "a.test"), undefined);
    assert.equal(
      await userOf(
        dockerCredentials(await helper(ecr, "ecr-login", answering("AWS")), ecr, "helpers"),
        "a.test",
      ),
      "AWS",
    );
  });
});

describe("a source with a fallback", () => {
  const none: CredentialSource = { get: async () => undefined };
  const some: CredentialSource = {
    get: async () => ({ kind: "basic", username: "some", password: "x", from: "test" }),
  };
  const failing = (): CredentialSource & { asked: number } => {
    const source = {
      asked: 0,
      get: async () => {
        source.asked += 1;
        throw new Error("no AWS credentials");
      },
    };
    return source;
  };

  it("gives what the fallback knows if the first knows none", async () => {
    assert.equal(await userOf(withFallback(none, some), "registry.test"), "some");
    assert.equal(await userOf(withFallback(some, none), "registry.test"), "some");
  });

  it("asks a first that fails once, until the fallback's are refused", async () => {
    const first = failing();
    const source = withFallback(first, some);
    for (let count = 0; count < 3; count++) assert.equal(await userOf(source, "registry.test"), "some");
    assert.equal(first.asked, 1);
    await source.get("registry.test", "app", { refused: true });
    assert.equal(first.asked, 2);
  });

  it("fails as the first did if the fallback knows none", async () => {
    await assert.rejects(withFallback(failing(), none).get("registry.test", "app"), {
      message: "no AWS credentials",
    });
  });
});

describe("what a credential helper leaves behind", () => {
  it("a child that keeps the helper's output open does not hold up the answer, and ends", async (t) => {
    const directory = await home(t);
    const script = `sleep 300 & echo $! > "${directory}/child"; ${answering("helper")}`;
    const environment = await helper(directory, "fake", script);
    const found = await askHelper({ suffix: "fake", server: "registry.test", environment });
    assert.equal(found?.kind, "basic");
    const child = Number(await readFile(join(directory, "child"), "utf8"));
    while (isRunning(child)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it("a helper that hangs with a child is stopped with it when its time is over", async (t) => {
    const directory = await home(t);
    const environment = await helper(directory, "fake", `sleep 300 & echo $! > "${directory}/child"; wait`);
    const request = { suffix: "fake", server: "registry.test", environment, timeoutMs: 1000 };
    await assert.rejects(askHelper(request), { code: "CREDENTIALS_HELPER" });
    const child = Number(await readFile(join(directory, "child"), "utf8"));
    while (isRunning(child)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it("a helper that writes without end is stopped", async (t) => {
    const environment = await helper(await home(t), "fake", "cat /dev/zero");
    const request = { suffix: "fake", server: "registry.test", environment };
    await assert.rejects(askHelper(request), { code: "CREDENTIALS_HELPER" });
  });

  it("secrets in what a failing helper writes are not shown", async (t) => {
    const secrets = ["ghp_0123456789abcdefghij", "npm_0123456789abcdefghij", "AKIAIOSFODNN7EXAMPLE"];
    const script = `echo "client_secret=${SECRET} ${secrets.join(" ")}" >&2; exit 3`;
    const environment = await helper(await home(t), "fake", script);
    const request = { suffix: "fake", server: "registry.test", environment };
    await assert.rejects(askHelper(request), (error: Error) => {
      assert.match(error.message, /it ended with 3/);
      return ![SECRET, ...secrets].some((secret) => inspect(error).includes(secret));
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    // A zombie, which init has not collected yet, does not run.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
