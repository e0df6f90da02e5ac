import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { npmRegistries, parseNpmrc, readNpmConfig } from "../../../src/dependencies/npm/registry.ts";
import { codeOf } from "../../support/errors.ts";
import { makeTree } from "../../support/trees.ts";

/** As an .npmrc refers to a variable of the environment. */
const variable = (name: string) => `\${${name}}`;

const NPM = "https://registry.npmjs.org/";

function registriesOf(lines: string, environment: Readonly<Record<string, string>> = {}) {
  return npmRegistries(parseNpmrc(lines, environment));
}

const authorizationOf = (lines: string, url: string, environment?: Readonly<Record<string, string>>) =>
  registriesOf(lines, environment).authorizationFor(new URL(url));

const tarballOf = (lines: string, name: string, resolved?: string) =>
  registriesOf(lines).tarballOf({ name, version: "1.2.3", resolved }).href;

describe("npm's settings", () => {
  it("npm's settings are read as npm reads them: comments, quotes, spaces and variables", () => {
    const text = `; a comment
# another
registry = "https://a.example/"
@scope:registry='https://b.example/'
//a.example/:_authToken=${variable("TOKEN")}
key=${variable("MISSING")} ${variable("MISSING?")}
escaped=a\\;b ; c
flag
[section]
${variable("NAME")}=yes`;
    assert.deepEqual(
      [...parseNpmrc(text, { TOKEN: "secret", NAME: "named" })],
      [
        ["registry", "https://a.example/"],
        ["@scope:registry", "https://b.example/"],
        ["//a.example/:_authToken", "secret"],
        ["key", `${variable("MISSING")} `],
        ["escaped", "a;b"],
        ["flag", "true"],
        ["named", "yes"],
      ],
    );
  });

  it("of the environment win over those of the project, and those over the user's", () => {
    const root = makeTree({
      "home/.npmrc": "registry=https://home.example/\na=home\nb=home\nc=home\n",
      "project/.npmrc": "a=project\nb=project\n",
    });
    const config = readNpmConfig(join(root, "project"), join(root, "home"), {
      npm_config_a: "environment",
      NPM_CONFIG_HTTPS_PROXY: "p",
      npm_config_empty: "",
    });
    assert.equal(config.get("a"), "environment");
    assert.equal(config.get("b"), "project");
    assert.equal(config.get("c"), "home");
    assert.equal(config.get("https-proxy"), "p");
    assert.equal(config.get("registry"), "https://home.example/");
    assert.equal(config.has("empty"), false);
  });

  it("may name the user's file, and keep the case of a scope and a host in the environment", () => {
    const root = makeTree({ other: "registry=https://other.example/\n" });
    const config = readNpmConfig(root, root, {
      NPM_CONFIG_USERCONFIG: join(root, "other"),
      "npm_config_//h.example/:_authToken": "t",
      "npm_config_@S:registry": "https://s.example/",
    });
    assert.equal(config.get("registry"), "https://other.example/");
    assert.equal(config.get("//h.example/:_authToken"), "t");
    assert.equal(config.get("@S:registry"), "https://s.example/");
  });
});

describe("the tarball of a package", () => {
  it("the tarball of a package is at npm's registry unless the settings name another for all or for its scope", () => {
    assert.equal(tarballOf("", "lodash"), `${NPM}lodash/-/lodash-1.2.3.tgz`);
    assert.equal(tarballOf("", "@a/b"), `${NPM}@a/b/-/b-1.2.3.tgz`);
    const lines = "registry=https://r.example/npm\n@a:registry=https://s.example/npm/\n";
    assert.equal(tarballOf(lines, "lodash"), "https://r.example/npm/lodash/-/lodash-1.2.3.tgz");
    assert.equal(tarballOf(lines, "@a/b"), "https://s.example/npm/@a/b/-/b-1.2.3.tgz");
  });

  it("the tarball of a package is where the lock says, but npm's own host stands for the registry in the settings", () => {
    const lines = "registry=https://r.example/npm/\n";
    const there = "https://elsewhere.example/x.tgz";
    const npms = `${NPM}a/-/a-1.2.3.tgz`;
    assert.equal(tarballOf(lines, "a", there), there);
    assert.equal(tarballOf(lines, "a", npms), "https://r.example/npm/a/-/a-1.2.3.tgz");
    assert.equal(tarballOf(`${lines}replace-registry-host=never`, "a", npms), npms);
    assert.equal(
      tarballOf(`${lines}replace-registry-host=always`, "a", there),
      "https://r.example/npm/x.tgz",
    );
    assert.equal(
      tarballOf(lines, "a", "https://registry.npmjs.org/npm/a.tgz"),
      "https://r.example/npm/a.tgz",
    );
  });

  it("the tarball of a package is not looked for at a registry that is not a URL", () => {
    assert.throws(
      () => registriesOf("registry=example"),
      /npm's setting registry is not an http or https URL/,
    );
  });
});

describe("credentials for a package registry", () => {
  const LINES = "registry=https://r.example/npm/\n//r.example/npm/:_authToken=token\n";

  it("go to the host and path that they are named for, and nowhere else", () => {
    assert.equal(authorizationOf(LINES, "https://r.example/npm/a/-/a-1.tgz"), "Bearer token");
    // Beside the registry's path on its own host: npm shows it the registry's credentials.
    assert.equal(authorizationOf(LINES, "https://r.example/files/a-1.tgz"), "Bearer token");
    for (const url of [
      "https://other.example/npm/a",
      "https://r.example:8443/npm/a",
      "https://r.example.evil/npm/a",
      `${NPM}a`,
    ])
      assert.equal(authorizationOf(LINES, url), undefined, url);
  });

  it("credentials for a package registry do not go over http, unless the settings name the registry so", () => {
    assert.equal(authorizationOf(LINES, "http://r.example/npm/a"), undefined);
    assert.equal(
      authorizationOf("registry=http://h.example/\n//h.example/:_authToken=t", "http://h.example/a"),
      "Bearer t",
    );
  });

  it("may be a token, a pair, or a user with a password; the nearest path wins", () => {
    const url = "https://r.example/a/b/c.tgz";
    assert.equal(authorizationOf("//r.example/:_auth=dTpw", url), "Basic dTpw");
    assert.equal(authorizationOf("//r.example/:username=u\n//r.example/:_password=cA==", url), "Basic dTpw");
    assert.equal(
      authorizationOf("//r.example/:_authToken=far\n//r.example/a/b/:_authToken=near", url),
      "Bearer near",
    );
    assert.equal(authorizationOf("//r.example/a:_authToken=bare", url), "Bearer bare");
    assert.equal(authorizationOf("registry=https://u:p@r.example/", url), "Basic dTpw");
    const percent = `Basic ${Buffer.from("u:100%").toString("base64")}`;
    for (const written of ["100%", "100%25"])
      assert.equal(authorizationOf(`registry=https://u:${written}@r.example/`, url), percent);
  });

  it("refuse an address in the lock that is not a URL", () => {
    assert.throws(
      () => tarballOf("", "a", "https://[bad/a.tgz"),
      codeOf("LOCK_INVALID", /^a is not a URL: https:\/\/\[bad\/a\.tgz$/),
    );
  });

  it("of a scope serve the scope's registry", () => {
    const lines = "@s:registry=https://s.example/x/\n//s.example/x/:_authToken=scoped\n";
    assert.equal(authorizationOf(lines, "https://s.example/x/@s/a/-/a-1.tgz"), "Bearer scoped");
    assert.equal(authorizationOf(lines, `${NPM}a`), undefined);
  });

  it("from a variable that is not set stop with its name", () => {
    const lines = `//r.example/:_authToken=${variable("NPM_TOKEN")}`;
    assert.throws(
      () => authorizationOf(lines, "https://r.example/a"),
      /takes \/\/r.example\/:_authToken from NPM_TOKEN, which is not set/,
    );
    assert.equal(authorizationOf(lines, `${NPM}a`), undefined);
    assert.equal(authorizationOf(lines, "https://r.example/a", { NPM_TOKEN: "t" }), "Bearer t");
  });
});
